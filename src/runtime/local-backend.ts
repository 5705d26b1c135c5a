/** A coordinator's own kernel, in this process. */

import type { Agent, Logger } from "../agents/agent.ts";
import { type Definition, definitionOf } from "../agents/definition.ts";
import { SafeguardsError } from "../errors.ts";
import type { Guardrail } from "../guardrails/guardrail.ts";
import type { Journal } from "../journal/journal.ts";
import type { Answer, BudgetSpec, Command, Envelope, OpenSettings, ResourceSpec } from "../kernel/commands.ts";
import type { KernelEvent } from "../kernel/events.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { AttemptServices } from "./attempt-context.ts";
import type { Accepted, Backend, BallotResult, CommandOptions, QueryTypes } from "./backend.ts";
import { Ballots } from "./ballots.ts";
import type { Clock } from "./clock.ts";
import { type BatchLimits, CommandLoop, type Guard, type Observer, type Release } from "./command-loop.ts";
import { Departures, type Recall } from "./departures.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Endings } from "./endings.ts";
import { EventFeed, type FeedOptions, type StoredEvent } from "./event-feed.ts";
import { errorFrom } from "./failure.ts";
import { Judges } from "./judges.ts";
import { runtimeLimits } from "./limits.ts";
import { withFacts } from "./logger.ts";
import { Messages } from "./messages.ts";
import { type Past, readPast } from "./opening.ts";
import type { OutcomeData } from "./outcome.ts";
import { type Progress, ProgressReports } from "./progress.ts";
import { Queries } from "./queries.ts";
import { SharedCache } from "./shared-cache.ts";
import { Snapshots } from "./snapshots.ts";
import { Meters } from "./stats.ts";
import { Handle } from "./task-handle.ts";
import { ThrownErrors } from "./thrown-errors.ts";
import { VerdictRequests, verdictsOn } from "./verdict-requests.ts";

export interface LocalParts {
  readonly journal: Journal;
  readonly logger: Logger;
  readonly settings: OpenSettings;
  readonly resources: readonly (readonly [id: string, spec: ResourceSpec])[];
  /** Each behind the one that it is part of. */
  readonly budgets?: readonly (readonly [id: string, spec: BudgetSpec])[];
  /** Their names are in the settings. Default: none. */
  readonly guardrails?: readonly Guardrail[];
  /** Made when the last journaled time is known. */
  clock(notBefore: number): Clock;
  /** What one batch may hold, where that is more or less than the runtime's own limits. */
  readonly batchLimits?: BatchLimits;
  /** How many calls may wait, and how many bytes they may have, where that is not the runtime's own limit. */
  readonly waitingLimits?: WaitingLimits;
}

interface WaitingLimits {
  readonly calls: number;
  readonly bytes: number;
}

const WAITING_LIMITS: WaitingLimits = { calls: runtimeLimits.waitingCalls, bytes: runtimeLimits.waitingBytes };

export class LocalBackend implements Backend, Observer {
  readonly #kernel: Kernel;
  readonly #departures: Departures;
  readonly #journal: Journal;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #loop: CommandLoop;
  readonly #dispatcher: Dispatcher;
  readonly #messages: Messages;
  readonly #ballots: Ballots;
  readonly #judges: Judges;
  readonly #verdicts: VerdictRequests;
  readonly #feed: EventFeed;
  readonly #snapshots: Snapshots;
  readonly #meters: Meters = new Meters();
  readonly #thrown: ThrownErrors = new ThrownErrors();
  readonly #progress: ProgressReports = new ProgressReports();
  readonly #cache: SharedCache;
  readonly #waitingLimits: WaitingLimits;
  /** Agents with code in this process. */
  readonly #agents: Map<string, Definition> = new Map();
  readonly #queries: Queries;
  readonly #outcomes: Endings<OutcomeData>;
  readonly #decisions: Endings<BallotResult>;
  #beforeRelease: (() => Promise<void>) | undefined = undefined;
  #whileWaited: ((byAnybody: boolean) => void) | undefined = undefined;
  /** Retries on their way: until they are decided, an old outcome may be no answer any more. */
  #retries = 0;

  /** Replays the journal, and opens for what is to come. */
  static async open(parts: LocalParts): Promise<LocalBackend> {
    const { journal, logger, settings, resources, budgets = [] } = parts;
    const past = await readPast(journal, () => new Promise((resolve) => setImmediate(resolve))).catch(async (error) => {
      await journal.close();
      throw error;
    });
    if (past.repaired !== undefined) logger.warn({ journal: journal.url }, past.repaired);
    const backend = new LocalBackend(parts, past);
    try {
      await Promise.all([
        backend.command({ type: "coordinator.open", ...settings }),
        ...resources.map(([resource, spec]) => backend.command({ type: "resource.set", resource, ...spec })),
        ...budgets.map(([budget, spec]) => backend.command({ type: "budget.set", budget, ...spec })),
      ]);
      return backend;
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  private constructor(parts: LocalParts, { kernel, head, snapshotSeq }: Past) {
    const { journal, batchLimits: limits, waitingLimits = WAITING_LIMITS } = parts;
    const logger = withFacts(parts.logger, {});
    this.#kernel = kernel;
    this.#journal = journal;
    this.#logger = logger;
    this.#waitingLimits = waitingLimits;
    this.#clock = parts.clock(kernel.at);
    this.#cache = new SharedCache(
      () => this.#clock.now(),
      (id) => kernel.aheadOf(id),
    );
    this.#departures = new Departures(kernel, journal.archive);
    this.#loop = new CommandLoop({
      kernel,
      journal,
      departures: this.#departures,
      clock: this.#clock,
      observer: this,
      head,
      meters: this.#meters,
      limits,
    });
    const queries = new Queries(kernel, this.#departures, this.#clock, this.#meters, (look) => this.#seen(look));
    this.#queries = queries;
    this.#outcomes = new Endings(
      "task",
      "UNKNOWN_TASK",
      (id) => queries.outcome(id),
      (id) => queries.departedOutcome(id),
      (byAnybody) => this.#whileWaited?.(byAnybody),
    );
    this.#decisions = new Endings(
      "ballot",
      "UNKNOWN_BALLOT",
      (id) => queries.decision(id),
      (id) => queries.departedDecision(id),
    );
    const definition = (agent: string): Definition | undefined => this.#agents.get(agent);
    const post = (
      command: Command,
      by: string | undefined,
      bytes: number,
      answered?: (answer: Answer) => void,
    ): void => {
      const recall = this.#recall(command);
      const failed = ({ code, message }: SafeguardsError): void =>
        answered?.({ ok: false, refusal: { code, message } });
      this.#loop.enqueue({
        kind: "command",
        envelope: enveloped(command, undefined, by, undefined),
        bytes,
        recall,
        released: answered,
        failed,
      });
    };
    this.#judges = new Judges(parts.guardrails ?? [], this.#clock, logger);
    this.#verdicts = new VerdictRequests({
      task: (id) => kernel.task(id),
      asked: (view) => verdictsOn(this.#judges, view),
      post: (command, bytes, answered) => post(command, undefined, bytes, answered),
      pause: () => this.#pause(),
    });
    this.#messages = new Messages({
      clock: this.#clock,
      next: (agent, topic, inHand) => kernel.nextMessage(agent, topic, inHand),
      seen: (look) => this.#seen(look),
      send: (command, by) => this.command(command, { by }),
      handed: (attempt, ms) => {
        for (const { message } of [this.#meters, ...attempt.meters]) message.record(ms);
      },
    });
    this.#dispatcher = new Dispatcher({
      services: this.#services(),
      thrown: this.#thrown,
      meters: this.#meters,
      definition,
      post,
      pause: () => this.#pause(),
      after: (ms, fn) => this.#clock.after(ms, fn),
    });
    this.#ballots = new Ballots({
      logger,
      now: () => this.#clock.now(),
      definition,
      post,
      approvalOf: (id) => kernel.approvalOf(id),
    });
    this.#ballots.resume(kernel.ballots());
    this.#feed = new EventFeed(journal, head.lastSeq);
    this.#snapshots = new Snapshots({
      clock: this.#clock,
      failed: (error) => this.#logger.warn({ error }, "a snapshot could not be taken"),
      kernel,
      journal,
      loop: this.#loop,
      takenAt: snapshotSeq,
      pause: () => this.#pause(),
    });
  }

  command(command: Command, options: CommandOptions = {}): Promise<Accepted> {
    return this.#isFull() ? Promise.reject(this.#tooManyCalls()) : this.#decided(command, options);
  }

  /** Asks the kernel, however many calls wait: what closes it must always be possible. */
  #decided(command: Command, options: CommandOptions = {}): Promise<Accepted> {
    const { promise, resolve, reject } = Promise.withResolvers<Accepted>();
    const isRetry = command.type === "task.retry";
    if (isRetry) this.#retries += 1;
    const { id, by, trace, bytes = 0, guard, decided } = options;
    this.#loop.enqueue({
      kind: "command",
      envelope: enveloped(command, id, by, trace),
      bytes,
      guard,
      recall: this.#recall(command),
      decided: (answer) => {
        if (isRetry) this.#retries -= 1;
        decided?.(answer);
      },
      released: (answer) => {
        if (answer.ok) resolve(answer);
        else this.#queries.refusalOf(command, answer.refusal).then(reject, reject);
      },
      failed: reject,
    });
    return promise;
  }

  #recall(command: Command): Recall | undefined {
    return this.#departures.recall(command, () => this.#loop.wake());
  }

  /** Sees what is there when all that was asked for before is decided, and tells it when that is durable. */
  query<N extends keyof QueryTypes>(name: N, about: QueryTypes[N]["in"], guard?: Guard): Promise<QueryTypes[N]["out"]> {
    return this.#asked(() => this.#queries.answers[name](about), guard);
  }

  /** What somebody asks to see: one of so many calls. */
  #asked<T>(look: () => T | Promise<T>, guard?: Guard): Promise<T> {
    return this.#isFull() ? Promise.reject(this.#tooManyCalls()) : this.#seen(look, guard);
  }

  /** What there is to see when all that was asked for before is decided; told when that is durable. */
  #seen<T>(look: () => T | Promise<T>, guard?: Guard): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const looked = (): Release => {
      try {
        const seen = look();
        // It may fail before it is told.
        if (seen instanceof Promise) seen.catch(() => undefined);
        return () => resolve(seen);
      } catch (error) {
        return () => reject(error);
      }
    };
    this.#loop.enqueue({ kind: "query", guard, look: looked, failed: reject });
    return promise;
  }

  outcome(taskId: string, signal?: AbortSignal): Promise<OutcomeData> {
    return this.#outcomes.wait(this.#loop, taskId, { signal, inTurn: this.#retries > 0 });
  }

  thrownBy(outcome: OutcomeData): { readonly error: unknown } | undefined {
    return this.#thrown.of(outcome);
  }

  decision(ballotId: string): Promise<BallotResult> {
    return this.#decisions.wait(this.#loop, ballotId);
  }

  /** Gives an agent its code. */
  async register(agent: Agent, decided: (refusal: SafeguardsError | undefined) => void): Promise<void> {
    const definition = definitionOf(agent);
    const { name } = definition.description;
    await this.command(
      { type: "agent.register", agent: definition.description },
      {
        decided: (answer) => {
          // Before the batch's own starts need it.
          if (answer.ok) this.#agents.set(name, definition);
          decided(answer.ok ? undefined : errorFrom(answer.refusal));
        },
      },
    );
    this.#ballots.registered(name);
  }

  async unregister(name: string, guard: Guard | undefined): Promise<void> {
    const definition = this.#agents.get(name);
    await this.command({ type: "agent.unregister", agent: name }, { guard });
    if (this.#agents.get(name) === definition) this.#agents.delete(name);
  }

  events(options: FeedOptions): AsyncGenerator<StoredEvent, void, undefined> {
    return this.#feed.read(options);
  }

  /** What is durable from now on. */
  eventsFromNow(signal: AbortSignal): AsyncGenerator<StoredEvent, void, undefined> {
    return this.#feed.read({ from: this.#loop.durableSeq + 1, follow: true, signal });
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    return this.#progress.listen(listener);
  }

  idle(): Promise<void> {
    return this.#loop.idle();
  }

  snapshot(): Promise<{ readonly seq: number }> {
    return this.#snapshots.take();
  }

  async compact(beforeSeq?: number): Promise<{ readonly floor: number }> {
    await this.#snapshots.take();
    return { floor: await this.#journal.compact(beforeSeq ?? Number.MAX_SAFE_INTEGER) };
  }

  async backup(path: string): Promise<void> {
    await this.#journal.backup(path);
  }

  async drain(graceMs: number): Promise<void> {
    await this.#startNothingMore();
    await this.#quietWithin(graceMs);
    await this.#stopAttempts();
  }

  async close(): Promise<void> {
    const closed = new SafeguardsError("CLOSED", "the coordinator is closed");
    try {
      await this.#startNothingMore();
      await this.#stopAttempts();
      if (this.#snapshots.isWorthwhileAtClose(this.#loop.durableSeq)) await this.#snapshots.take();
    } catch (error) {
      // What has stopped before its time has told everybody why.
      this.#logger.debug({ error }, "the coordinator had stopped before it was closed");
    }
    this.#end(closed, undefined);
    this.#loop.stop(closed);
    // Those who have joined are told before they are cut off, and cut off before another process may take over.
    await this.#pause();
    await this.#beforeRelease?.();
    await this.#journal.close();
  }

  /** Something to be done when everything is closed but the journal. */
  beforeRelease(done: () => Promise<void>): void {
    this.#beforeRelease = done;
  }

  /** Told when the first begins to wait for a task's outcome, and when nobody does any more. */
  whileWaited(told: (byAnybody: boolean) => void): void {
    this.#whileWaited = told;
  }

  /** The batch is decided: outcomes are seen as they are now, and told when they are durable. */
  decided(events: readonly KernelEvent[]): Release | undefined {
    if (!this.#outcomes.isWaitedFor && !this.#decisions.isWaitedFor) return undefined;
    const releases: Release[] = [];
    for (const event of events) {
      const release = this.#ended(event);
      if (release !== undefined) releases.push(release);
    }
    return () => {
      for (const release of releases) release();
    };
  }

  /** The batch is durable: what follows from it is done. */
  released(events: readonly KernelEvent[], decidedAt: number): void {
    const dispatcher = this.#dispatcher;
    for (const event of events) {
      switch (event.type) {
        case "task.submitted":
        case "task.retried":
          if (this.#judges.watch("input")) this.#verdicts.add(event.taskId);
          break;
        case "coordinator.opened":
          if (this.#judges.watch("input")) for (const id of this.#kernel.awaitingJudgement()) this.#verdicts.add(id);
          if (this.#judges.watch("output")) for (const id of this.#kernel.offered()) this.#verdicts.add(id);
          break;
        case "output.offered":
          this.#verdicts.add(event.taskId);
          break;
        case "task.started":
          dispatcher.started(event, decidedAt);
          break;
        case "task.completed":
        case "approval.asked":
        case "task.planned":
        case "attempt.ended":
          if (event.token === undefined) break;
          dispatcher.over(event.token, event);
          this.#messages.over(event.token);
          break;
        case "message.sent":
          this.#messages.sent(event);
          break;
        case "attempt.stopping":
          dispatcher.stopping(event);
          break;
        case "attempt.waiting":
          dispatcher.waits(event.token);
          break;
        case "attempt.regained":
          dispatcher.regained(event.token);
          break;
        case "resource.granted":
          dispatcher.granted(event);
          break;
        case "resource.refused":
          dispatcher.refused(event);
          break;
        case "ballot.opened":
          this.#ballots.opened(event, event.at);
          break;
        case "ballot.decided":
          this.#ballots.decided(event.ballotId);
          break;
        default:
          break;
      }
    }
    dispatcher.startedAll();
    const { durableSeq } = this.#loop;
    this.#feed.grow(durableSeq);
    this.#snapshots.grew(durableSeq);
  }

  /** The journal failed, or the kernel broke. */
  stopped(error: SafeguardsError): void {
    this.#logger.error({ error, cause: error.cause }, `the coordinator stops: ${error.message}`);
    this.#end(error, error);
  }

  #services(): AttemptServices {
    return {
      logger: this.#logger,
      send: (command, options) => this.command(command, options),
      task: (id) => this.#kernel.task(id),
      outputsOf: (ids) => this.#queries.outputsOf(ids),
      messages: (attempt, reading) => this.#messages.read(attempt, reading),
      entry: (key) => this.#asked(() => this.#kernel.entry(key)),
      handle: (id, wait) => new Handle(id, this, (signal) => wait(this.outcome(id, signal))),
      judges: this.#judges,
      progress: (attempt, fraction, note) => this.#progress.report(attempt, fraction, note, this.#clock.now()),
      shared: (request) => this.#cache.get(request),
      awaits: (attempt, on) => this.#cache.awaits(attempt, on),
    };
  }

  #ended(event: KernelEvent): Release | undefined {
    switch (event.type) {
      case "task.completed":
      case "task.failed":
      case "task.skipped":
      case "task.cancelled":
        return this.#outcomes.ended(event.taskId);
      case "ballot.decided":
        return this.#decisions.ended(event.ballotId);
      default:
        return undefined;
    }
  }

  /** What was asked for before is decided; from then on nothing is started. */
  async #startNothingMore(): Promise<void> {
    await this.#seen(() => undefined);
    // After a drain it is closed already.
    await this.#decided({ type: "coordinator.drain" }).catch(() => undefined);
    this.#verdicts.stop();
    this.#dispatcher.close();
  }

  /** Code that runs is told to stop, and given a short time to; then the kernel puts its tasks back in the queue. */
  async #stopAttempts(): Promise<void> {
    const reason = { reason: "closing" };
    this.#dispatcher.stopAll(new SafeguardsError("CLOSED", "the coordinator closes", { details: reason }));
    await this.#quietWithin(Math.min(this.#dispatcher.longestGraceMs, runtimeLimits.closeGraceMs));
    await this.#seen(() => undefined);
    // After a drain it is closed already.
    await this.#decided({ type: "coordinator.close" }).catch(() => undefined);
  }

  async #quietWithin(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, resolve);
    await Promise.race([this.#dispatcher.quiet(), promise]);
    cancel();
  }

  /** Everybody who waits is told that nothing more will come. */
  #end(error: SafeguardsError, forReaders: SafeguardsError | undefined): void {
    this.#dispatcher.close();
    this.#dispatcher.stopAll(error);
    this.#dispatcher.killAll();
    this.#snapshots.stop();
    this.#ballots.stop();
    this.#verdicts.stop();
    this.#judges.stop();
    this.#outcomes.stop(error);
    this.#decisions.stop(error);
    this.#feed.stop(forReaders);
  }

  #isFull(): boolean {
    return this.#loop.length >= this.#waitingLimits.calls || this.#loop.bytes >= this.#waitingLimits.bytes;
  }

  #tooManyCalls(): SafeguardsError {
    const { calls, bytes } = this.#waitingLimits;
    const message =
      this.#loop.length >= calls
        ? `${calls} calls wait to be decided: that is the most`
        : `the calls that wait to be decided have ${this.#loop.bytes} bytes: ${bytes} are the most`;
    return new SafeguardsError("QUEUE_FULL", message);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve));
  }
}

/** Without what is not given: most commands have nothing beside them. */
function enveloped(
  command: Command,
  id: string | undefined,
  by: string | undefined,
  trace: string | undefined,
): Envelope {
  const envelope: { -readonly [K in keyof Envelope]: Envelope[K] } = { command };
  if (id !== undefined) envelope.id = id;
  if (by !== undefined) envelope.by = by;
  if (trace !== undefined) envelope.trace = trace;
  return envelope;
}
