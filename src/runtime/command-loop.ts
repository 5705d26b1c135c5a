/**
 * The one way to the kernel. Calls gather while the journal writes what was decided before; a batch is decided at one
 * instant, sealed and appended; what came of it is told once it is durable.
 *
 * 1. What is asked for is decided in the order in which it was asked for.
 * 2. Nothing is told before all that it may be based on is durable: not an answer, not an effect, not what a query saw.
 * 3. What was decided is told in the order in which it was decided.
 * 4. After an append that failed, or a kernel that broke, nothing is decided any more.
 */

import { show } from "../coordination/structures/arguments.ts";
import { Fifo } from "../coordination/structures/fifo.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import { seal } from "../journal/codec.ts";
import type { Journal } from "../journal/journal.ts";
import type { Answer, Command, Envelope } from "../kernel/commands.ts";
import type { Departed } from "../kernel/departed.ts";
import type { KernelEvent } from "../kernel/events.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Clock } from "./clock.ts";
import type { Departures, Recall } from "./departures.ts";
import type { Distribution } from "./distribution.ts";
import { runtimeLimits } from "./limits.ts";
import { WakeTimer } from "./wake-timer.ts";

/** A command that waits to be decided. */
export interface Asked {
  readonly kind: "command";
  readonly envelope: Envelope;
  /** About how many bytes it takes in the journal. */
  readonly bytes: number;
  readonly guard?: Guard | undefined;
  /** What it needs to know of tasks that have left memory; it waits for that. */
  readonly recall?: Recall | undefined;
  /** Told at once; for what must be known before its events take effect. */
  readonly decided?: (answer: Answer) => void;
  /** Told when it is durable. */
  readonly released?: ((answer: Answer) => void) | undefined;
  readonly failed?: (error: SafeguardsError) => void;
}

/** A query that waits for its turn. */
export interface Query {
  readonly kind: "query";
  readonly guard?: Guard | undefined;
  /** Looks at the kernel as it is when all that was asked for before is decided. */
  look(): Release;
  readonly failed: (error: SafeguardsError) => void;
}

/** Tells what a query saw, when that is durable. */
export type Release = () => void;

/** What a call finds out when its turn comes: it must wait until what is before it is decided, it is refused, or it may go. */
export type Guard = () => "wait" | SafeguardsError | undefined;

/** Who lives by what is decided. */
export interface Observer {
  /** The batch is decided, but not yet durable. What it returns is called when it is. */
  decided(events: readonly KernelEvent[]): Release | undefined;
  /** The batch is durable. `decidedAt`: by the monotonic clock. */
  released(events: readonly KernelEvent[], decidedAt: number): void;
  /** Nothing more will be decided. */
  stopped(error: SafeguardsError): void;
}

/** How much one batch may hold; a command that alone has more is a batch of its own. */
export interface BatchLimits {
  /** A command that brings several tasks counts as so many. */
  readonly commands: number;
  readonly bytes: number;
}

const BATCH_LIMITS: BatchLimits = { commands: runtimeLimits.batchCommands, bytes: runtimeLimits.batchBytes };

/** Where the journal stands. */
export interface ChainHead {
  readonly lastSeq: number;
  readonly lastHash: Uint8Array;
  readonly epoch: number;
}

interface Batch {
  readonly asked: readonly Asked[];
  readonly answers: readonly Answer[];
  readonly events: readonly KernelEvent[];
  readonly queries: { readonly query: Query; readonly release: Release }[];
  readonly release: Release | undefined;
  readonly departed: readonly Departed[];
  /** To be called once it is durable. */
  readonly archived: (() => void) | undefined;
  readonly decidedAt: number;
  durable: boolean;
}

const EMPTY: readonly Asked[] = [];

export class CommandLoop {
  readonly #kernel: Kernel;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #departures: Departures;
  readonly #observer: Observer;
  readonly #meters: { readonly decision: Distribution; readonly journal: Distribution };
  readonly #limits: BatchLimits;
  readonly #epoch: number;
  #lastSeq: number;
  #lastHash: Uint8Array;
  #durableSeq: number;
  /** Calls that wait to be decided. */
  readonly #inbox: Fifo<Asked | Query> = new Fifo();
  #bytes = 0;
  /** Decided and not yet told, oldest first. */
  readonly #inFlight: Batch[] = [];
  /** What calls would have been told that were refused in their turn. */
  readonly #refused: Recall[] = [];
  #scheduled = false;
  #paused = false;
  #stopped: SafeguardsError | undefined;
  /** How many calls were taken from the inbox so far, and how many of them come before the ballots that are to close. */
  #taken = 0;
  #closesAfter: number | undefined = undefined;
  /** Whatever was to happen by then has happened, as far as it is this process that was late. */
  #caughtUpTo = Number.NEGATIVE_INFINITY;
  /** It was late then: so many more times the timer is to ring. */
  #catchingUp: { readonly to: number; rings: number } | undefined = undefined;
  /** When the timer has rung since the last turn, in epoch milliseconds. */
  #rangAt: number | undefined = undefined;
  readonly #timer: WakeTimer;
  /** Resolved when nothing is in flight any more. */
  #settled: PromiseWithResolvers<void> | undefined;
  #idlers: { resolve(): void; reject(error: SafeguardsError): void }[] = [];

  constructor(parts: {
    readonly kernel: Kernel;
    readonly journal: Journal;
    readonly clock: Clock;
    readonly departures: Departures;
    readonly observer: Observer;
    readonly head: ChainHead;
    readonly meters: { readonly decision: Distribution; readonly journal: Distribution };
    /** Default: the runtime's own. */
    readonly limits?: BatchLimits | undefined;
  }) {
    this.#kernel = parts.kernel;
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#departures = parts.departures;
    this.#observer = parts.observer;
    this.#meters = parts.meters;
    this.#limits = parts.limits ?? BATCH_LIMITS;
    this.#epoch = parts.head.epoch;
    this.#lastSeq = parts.head.lastSeq;
    this.#lastHash = parts.head.lastHash;
    this.#durableSeq = parts.head.lastSeq;
    this.#timer = new WakeTimer(parts.clock, () => {
      this.#rangAt = parts.clock.now();
      this.#schedule();
    });
  }

  /** Seq of the last event that is durable. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** How many calls wait to be decided. */
  get length(): number {
    return this.#inbox.length;
  }

  /** How many bytes of payload they have. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a call at the end of the line. */
  enqueue(call: Asked | Query): void {
    if (this.#stopped !== undefined) {
      call.failed?.(this.#stopped);
      return;
    }
    this.#inbox.push(call);
    if (call.kind === "command") this.#bytes += call.bytes;
    this.#schedule();
  }

  /** What the first call waits for may be there. */
  wake(): void {
    if (this.length > 0) this.#schedule();
  }

  /** Looks at once, whatever waits; what it saw is told when it is durable. */
  lookNow(query: Query): void {
    if (this.#stopped === undefined) this.#answer(query);
    else query.failed(this.#stopped);
  }

  /** Resolves when no call waits, all is durable, and nothing runs or can run. */
  idle(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#stopped !== undefined) reject(this.#stopped);
    else this.#idlers.push({ resolve, reject });
    this.#schedule();
    return promise;
  }

  /** Runs `during` while nothing is in flight and nothing is decided; calls wait meanwhile. */
  async pauseFor<T>(during: (head: ChainHead) => Promise<T>): Promise<T> {
    if (this.#paused) throw new RangeError("the loop is paused already");
    this.#paused = true;
    try {
      await this.#nothingInFlight();
      if (this.#stopped !== undefined) throw this.#stopped;
      return await during({ lastSeq: this.#lastSeq, lastHash: this.#lastHash, epoch: this.#epoch });
    } finally {
      this.#paused = false;
      this.#schedule();
    }
  }

  /** Decides nothing any more: all that waits fails with this error. */
  stop(error: SafeguardsError): void {
    this.#stopped = error;
    this.#timer.setTo(undefined);
    const waiting = this.#inbox.clear();
    this.#bytes = 0;
    for (const call of waiting) call.failed?.(error);
    for (const idler of this.#idlers.splice(0)) idler.reject(error);
    this.#settled?.resolve();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#stopped !== undefined) return;
    if (this.#inFlight.length >= runtimeLimits.batchesInFlight) return;
    this.#scheduled = true;
    this.#clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#paused || this.#stopped !== undefined) return;
    const rangAt = this.#rangAt;
    this.#rangAt = undefined;
    const asked = this.#gather();
    const now = this.#clock.now();
    const votedUpTo = this.#votedUpTo(now, rangAt);
    if (asked.length > 0 || this.#isDue(now)) this.#decide(asked, now, votedUpTo);
    // After those that came before them.
    for (const recall of this.#refused.splice(0)) recall.done();
    this.#look();
    this.#timer.setTo(this.#kernel.nextWakeAt());
    this.#tellIdlers();
    if (this.length > 0 && !this.#isHeldUp()) this.#schedule();
  };

  /** Whether the first call has to wait for what it needs to know: so have those behind it. */
  #isHeldUp(): boolean {
    const call = this.#inbox.peek();
    return call?.kind === "command" && call.recall?.isReady === false;
  }

  /** The commands that go into the next batch: up to the first query, and no more than a batch may hold. */
  #gather(): readonly Asked[] {
    if (this.length === 0) return EMPTY;
    const batch: Asked[] = [];
    let commands = 0;
    let bytes = 0;
    while (commands < this.#limits.commands) {
      const call = this.#inbox.peek();
      if (call === undefined || call.kind === "query" || this.#isHeldUp()) break;
      const verdict = call.recall?.failure ?? call.guard?.();
      if (verdict === "wait" && batch.length > 0) break;
      const weight = weightOf(call.envelope.command);
      if (batch.length > 0 && commands + weight > this.#limits.commands) break;
      if (batch.length > 0 && bytes + call.bytes > this.#limits.bytes) break;
      this.#inbox.shift();
      this.#bytes -= call.bytes;
      this.#taken += 1;
      if (verdict instanceof SafeguardsError) {
        if (call.recall !== undefined) this.#refused.push(call.recall);
        call.failed?.(verdict);
      } else {
        batch.push(call);
        commands += weight;
        bytes += call.bytes;
      }
    }
    return batch;
  }

  /**
   * Up to what time all votes are there that were given by then, with the batch that was just gathered. One batch may be too
   * small for all that had come; what comes later keeps nothing back, so that it is not kept back for ever.
   */
  #votedUpTo(now: number, rangAt: number | undefined): number {
    const closingAt = this.#kernel.nextClosingAt();
    if (closingAt === undefined || closingAt > now) {
      this.#closesAfter = undefined;
      this.#catchingUp = undefined;
      return now;
    }
    if (closingAt > this.#caughtUpTo) {
      this.#closesAfter = undefined;
      if (!this.#catchesUp(closingAt, now, rangAt)) return this.#caughtUpTo;
    }
    this.#closesAfter ??= this.#taken + this.length;
    if (this.#taken < this.#closesAfter) return Number.NEGATIVE_INFINITY;
    this.#closesAfter = undefined;
    return this.#caughtUpTo;
  }

  /**
   * Whether all has run that was to run by the time at which a ballot closes. Timers go off in the order of their times, so all
   * before ours have when it does: a call alone tells nothing, since whoever made it may have kept the others from theirs. When
   * ours is late, so is what was received meanwhile: that comes first.
   */
  #catchesUp(closingAt: number, now: number, rangAt = Number.NEGATIVE_INFINITY): boolean {
    // One that rang before, for something else, had no turn since.
    if (rangAt < closingAt) return false;
    if (this.#catchingUp === undefined) {
      if (now - closingAt > runtimeLimits.punctualMs) this.#catchingUp = { to: now, rings: runtimeLimits.catchUpRings };
      else this.#caughtUpTo = now;
      return this.#catchingUp === undefined;
    }
    this.#catchingUp.rings -= 1;
    if (this.#catchingUp.rings > 0) return false;
    this.#caughtUpTo = this.#catchingUp.to;
    this.#catchingUp = undefined;
    return true;
  }

  #decide(asked: readonly Asked[], now: number, votedUpTo: number): void {
    const began = performance.now();
    let events: readonly KernelEvent[];
    let answers: readonly Answer[];
    let release: Release | undefined;
    let departed: readonly Departed[];
    let archived: (() => void) | undefined;
    try {
      ({ events, answers, departed } = this.#kernel.batch(asked.map(envelopeOf), now, votedUpTo));
      for (const { recall } of asked) recall?.done();
      if (departed.length > 0) archived = this.#departures.leave(departed);
      for (let index = 0; index < asked.length; index++) {
        const answer = answers[index];
        if (answer !== undefined) asked[index]?.decided?.(answer);
      }
      release = this.#observer.decided(events);
    } catch (cause) {
      this.#fail(asked, broken("the kernel", cause));
      return;
    }
    const decidedAt = performance.now();
    this.#meters.decision.record(decidedAt - began);
    const durable = events.length === 0;
    const batch: Batch = { asked, answers, events, queries: [], release, departed, archived, decidedAt, durable };
    this.#inFlight.push(batch);
    if (batch.durable) this.#release();
    else this.#append(batch);
  }

  #append(batch: Batch): void {
    try {
      const record = seal(batch.events, { firstSeq: this.#lastSeq + 1, epoch: this.#epoch, prevHash: this.#lastHash });
      const expectedSeq = this.#lastSeq;
      this.#lastSeq += record.count;
      this.#lastHash = record.hash;
      this.#journal.append(record, expectedSeq, batch.departed).then(
        () => {
          batch.durable = true;
          batch.archived?.();
          this.#meters.journal.record(performance.now() - batch.decidedAt);
          this.#release();
        },
        (cause: unknown) => this.#journalFailed(cause),
      );
    } catch (cause) {
      this.#journalFailed(cause);
    }
  }

  /** Tells all that is durable, in order. */
  #release(): void {
    try {
      this.#tell();
    } catch (cause) {
      this.#fail(EMPTY, broken("the coordinator", cause));
      return;
    }
    if (this.#stopped !== undefined) return;
    if (this.#inFlight.length === 0) this.#settled?.resolve();
    this.#tellIdlers();
    if (this.length > 0 || this.#rangAt !== undefined) this.#schedule();
  }

  #tell(): void {
    while (this.#stopped === undefined) {
      const batch = this.#inFlight[0];
      if (batch === undefined || !batch.durable) break;
      this.#durableSeq += batch.events.length;
      if (batch.events.length > 0) this.#observer.released(batch.events, batch.decidedAt);
      const { asked, answers } = batch;
      for (let index = 0; index < asked.length; index++) {
        const answer = answers[index];
        if (answer !== undefined) asked[index]?.released?.(answer);
      }
      batch.release?.();
      for (const { release } of batch.queries) release();
      this.#inFlight.shift();
    }
  }

  /** Answers the queries whose turn it is. */
  #look(): void {
    for (;;) {
      const query = this.#inbox.peek();
      if (query === undefined || query.kind === "command") return;
      this.#inbox.shift();
      this.#taken += 1;
      const verdict = query.guard?.();
      if (verdict instanceof SafeguardsError) query.failed(verdict);
      else this.#answer(query);
    }
  }

  #answer(query: Query): void {
    const release = query.look();
    const last = this.#inFlight.at(-1);
    if (last === undefined) release();
    else last.queries.push({ query, release });
  }

  #isDue(now: number): boolean {
    const at = this.#kernel.nextWakeAt();
    return at !== undefined && at <= now;
  }

  #tellIdlers(): void {
    if (this.#idlers.length === 0 || this.length > 0 || this.#inFlight.length > 0 || !this.#kernel.idle()) return;
    for (const idler of this.#idlers.splice(0)) idler.resolve();
  }

  async #nothingInFlight(): Promise<void> {
    if (this.#inFlight.length === 0 || this.#stopped !== undefined) return;
    this.#settled ??= Promise.withResolvers<void>();
    await this.#settled.promise;
    this.#settled = undefined;
  }

  #journalFailed(cause: unknown): void {
    const outcome = outcomeOf(cause);
    const message =
      outcome === "unknown"
        ? "the journal failed while it wrote this; whether it is written is unknown"
        : "the journal failed; this is not written";
    this.#fail(EMPTY, new SafeguardsError("JOURNAL_FAILED", message, { cause, details: { outcome } }));
  }

  /** The first failure is the last: nothing is decided or told after it. */
  #fail(asked: readonly Asked[], error: SafeguardsError): void {
    if (this.#stopped !== undefined) return;
    const batches = this.#inFlight.splice(0);
    this.stop(
      new SafeguardsError(error.code, `the coordinator has stopped: ${messageOf(error.cause)}`, {
        cause: error.cause,
        details: { outcome: "not-written" },
      }),
    );
    for (const call of [...batches.flatMap((batch) => batch.asked), ...asked]) call.failed?.(error);
    for (const { query } of batches.flatMap((batch) => batch.queries)) query.failed(error);
    this.#observer.stopped(error);
  }
}

function weightOf(command: Command): number {
  return "tasks" in command ? command.tasks.length : 1;
}

function envelopeOf({ envelope, recall }: Asked): Envelope {
  return recall === undefined ? envelope : { ...envelope, recalled: recall.rows() };
}

/** An assumption of ours was wrong: nothing that is built on it may be told. */
function broken(what: string, cause: unknown): SafeguardsError {
  return new SafeguardsError("INVALID_STATE", `${what} broke: ${messageOf(cause)}`, { cause });
}

/** Whether what could not be written may be there all the same. */
function outcomeOf(cause: unknown): unknown {
  if (isSafeguardsError(cause, "FENCED")) return "not-written";
  return (isSafeguardsError(cause) ? cause.details?.outcome : undefined) ?? "unknown";
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : show(cause);
}
