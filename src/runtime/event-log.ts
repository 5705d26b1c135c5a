/** The log as structured lines, for whoever collects those. */
import type { Logger } from "../agents/agent.ts";
import { checkLogger } from "./coordinator-options.ts";
import { checkFeedOptions, type FeedOptions, type StoredEvent } from "./event-feed.ts";
import { withFacts } from "./logger.ts";
import { checkCoordinator } from "./options.ts";

/** What users hand in and get out may be large, or nobody else's business. */
const PAYLOADS: ReadonlySet<string> = new Set([
  "input",
  "context",
  "output",
  "state",
  "vote",
  "body",
  "value",
  "args",
  "cacheKey",
  "batchKey",
  "fallback",
]);
const WARNED: ReadonlySet<string> = new Set([
  "task.failed",
  "breaker.changed",
  "resource.breaker-changed",
  "budget.overrun",
]);
const ENDED_WELL: ReadonlySet<string> = new Set(["completed", "preempted", "cancelled"]);

/**
 * Tells a logger every event as one line: its type as the message, its fields as facts, but for what users handed in or got out
 * (inputs, contexts, outputs, checkpoints, votes, messages, values, keys of caches and batches, fallbacks). Failed tasks, attempts that ended ill, breakers of
 * agents and resources, and overrun budgets are warnings, what else concerns tasks is `info`, the rest `debug`. Any logger of the shape of pino's will do.
 *
 * @param options As for `coordinator.events`: `from` (default 1), `follow` (default false), `signal`.
 * @returns Resolves when all have been told; with `follow`, when the coordinator is closed or the signal aborted.
 * @throws SafeguardsError INVALID_ARGUMENT for what is no coordinator or no logger, and options of the wrong shape.
 *
 * @example
 * ```ts
 * import pino from "pino";
 * import { Coordinator, logEvents } from "safeguards";
 * await using coordinator = await Coordinator.open();
 * await logEvents(coordinator, pino({ level: "info" }));
 * ```
 */
export async function logEvents(
  coordinator: { events(options: FeedOptions): AsyncIterable<StoredEvent> },
  logger: Logger,
  options: FeedOptions = {},
): Promise<void> {
  checkCoordinator(coordinator, ["events"]);
  checkLogger(logger);
  checkFeedOptions(options);
  const lines = withFacts(logger, {});
  for await (const event of coordinator.events(options)) lines[levelOf(event)](factsOf(event), event.type);
}

function levelOf({ type, end }: StoredEvent): "debug" | "info" | "warn" {
  if (WARNED.has(type) || (type === "attempt.ended" && !ENDED_WELL.has(String(end)))) return "warn";
  return type.startsWith("task.") ? "info" : "debug";
}

function factsOf(event: StoredEvent): object {
  return Object.fromEntries(Object.entries(event).filter(([key]) => key !== "type" && !PAYLOADS.has(key)));
}
