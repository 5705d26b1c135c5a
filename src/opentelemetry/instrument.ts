/** Follows a coordinator's log, and tells spans and measures of it. */
import { type Meter, metrics, type Tracer, trace } from "@opentelemetry/api";
import { checkInteger } from "../coordination/structures/arguments.ts";
import type { FeedOptions, StoredEvent } from "../runtime/event-feed.ts";
import { checkCoordinator, checkFunction, checkOptions } from "../runtime/options.ts";
import type { Stats } from "../runtime/stats.ts";
import { Measures } from "./measures.ts";
import { Profile } from "./profile.ts";
import { Spans } from "./spans.ts";

const NAME = "safeguards";
const KEYS = { known: ["tracer", "meter", "from"] };

/** What is told, and by whom. */
export interface InstrumentOptions {
  /** Makes the spans. Default: the global tracer provider's, with the name `safeguards`. */
  readonly tracer?: Tracer;
  /** Makes the measures. Default: the global meter provider's, with the name `safeguards`. */
  readonly meter?: Meter;
  /** The first event that counts, from 1 on. Default: the next one. */
  readonly from?: number;
}

/** An instrumentation that goes on. */
export interface Instrumentation extends AsyncDisposable {
  /**
   * Ends it when all that is durable by now has been told; once the coordinator is closed, what was read before is all. Spans
   * that are open are ended, with `safeguards.unfinished`.
   */
  stop(): Promise<void>;
}

/** What is followed: a coordinator. */
interface Followed {
  events(options: FeedOptions): AsyncIterable<StoredEvent>;
  stats(): Promise<Stats>;
}

/**
 * Tells OpenTelemetry what a coordinator does. All but the gauges comes from the log, so it is told once it is durable, with the
 * times that the log has, and costs the work nothing but the reading.
 *
 * - A span `task NAME` for each task, from its submission to its end, the parent's task as its parent; a submit whose `trace` is a
 *   W3C `traceparent` is a part of that trace. Below it a span `invoke_agent NAME` for each attempt, and events for
 *   checkpoints and pauses.
 * - Counters `safeguards.tasks.submitted`, `safeguards.tasks.ended` (by status) and `safeguards.attempts.ended` (by agent
 *   and end); histograms, in seconds, of `safeguards.task.queue_wait`, `safeguards.task.duration` and
 *   `safeguards.attempt.duration`.
 * - Gauges of what the coordinator measures of itself, asked for when metrics are collected: `safeguards.time`, in seconds, of the
 *   latest queue waits, runs, decisions, commits to the journal, dispatches and messages (`safeguards.step`), at two quantiles, of
 *   all, by agent and by class of task; and `safeguards.agent.cost`.
 *
 * At most 10 000 tasks have an open span at a time; those beyond have none, and are counted in `safeguards.spans.dropped`.
 * Inputs and outputs are never told. INVALID_ARGUMENT for what is no coordinator, and options of the wrong shape.
 *
 * @example
 * ```ts
 * import { Coordinator } from "safeguards";
 * import { instrument } from "safeguards/opentelemetry";
 * await using coordinator = await Coordinator.open();
 * await using telemetry = await instrument(coordinator);
 * ```
 */
export async function instrument(coordinator: Followed, options: InstrumentOptions = {}): Promise<Instrumentation> {
  checkCoordinator(coordinator, ["events", "stats"]);
  checkOptions(options, KEYS, "the options of instrument");
  const { tracer = trace.getTracer(NAME), meter = metrics.getMeter(NAME) } = options;
  checkFunction(tracer.startSpan, "startSpan of the tracer");
  checkFunction(meter.createCounter, "createCounter of the meter");
  const from =
    options.from === undefined
      ? (await coordinator.stats()).seq + 1
      : checkInteger(options.from, "from", 1, Number.MAX_SAFE_INTEGER);
  const measures = new Measures(meter);
  const profile = new Profile(meter, () => coordinator.stats());
  const spans = new Spans(tracer, () => measures.dropped());
  const reading = new AbortController();
  let seen = from - 1;
  let last = Number.POSITIVE_INFINITY;
  const follow = async (): Promise<void> => {
    for await (const event of coordinator.events({ from, follow: true, signal: reading.signal })) {
      measures.tell(event);
      spans.tell(event);
      seen = event.seq;
      if (seen >= last) return;
    }
  };
  const followed = follow();
  // Whoever stops it is told.
  followed.catch(() => undefined);
  const stop = async (): Promise<void> => {
    // When the coordinator is closed its log has ended.
    last = await coordinator.stats().then(
      ({ seq }) => seq,
      () => last,
    );
    if (seen >= last) reading.abort();
    profile.end();
    await followed;
    spans.end();
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
