/**
 * Time that passes only when nothing is left to do.
 *
 * 1. All that is due at one instant is called, the earliest and then the first asked for first, before anything that was
 *    asked for `soon`: what falls on one instant is decided together.
 * 2. Time moves on only when every promise that can settle has settled and nothing is to be done soon.
 * 3. A process that has died calls nobody any more.
 */
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import { SafeguardsError } from "../errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** Rounds at one instant: ten times what a chain of as many tasks without duration as one call may submit takes. */
const MOST_ROUNDS = 3_000_000;

interface Call {
  readonly clock: VirtualClock;
  run(): void;
}

/** Somebody sets the wall clock; or nothing is done for so long, and what is due meanwhile comes late and all at once. */
export type ClockJump = { readonly wallMs: number } | { readonly stallMs: number };

/** The time of a simulated machine. */
export class VirtualTime {
  /** Milliseconds since the simulation began, by no clock that could be set. */
  #elapsed = 0;
  /** What a clock on the wall would show beyond that. */
  #wallAhead = 0;
  readonly #timers: IndexedHeap<Call> = new IndexedHeap();
  #timersSet = 0;
  #soon: Call[] = [];

  get elapsed(): number {
    return this.#elapsed;
  }

  /** Epoch milliseconds by the wall clock: 0 when the simulation begins. */
  get wall(): number {
    return this.#elapsed + this.#wallAhead;
  }

  after(ms: number, call: Call): HeapEntry<Call> {
    this.#timersSet += 1;
    return this.#timers.push(call, this.#elapsed + Math.max(0, Math.ceil(ms)), this.#timersSet);
  }

  cancel(timer: HeapEntry<Call>): void {
    if (timer.index >= 0) this.#timers.remove(timer);
  }

  soon(call: Call): void {
    this.#soon.push(call);
  }

  jump(by: ClockJump): void {
    if ("wallMs" in by) this.#wallAhead += by.wallMs;
    else this.#elapsed += by.stallMs;
  }

  /** Lets time pass until nothing is left to do. */
  async run(): Promise<void> {
    let rounds = 0;
    for (;;) {
      await allSettled();
      rounds += 1;
      if (rounds > MOST_ROUNDS) throw new SafeguardsError("INVALID_STATE", `time stands still at ${this.#elapsed} ms`);
      if (this.#callDue() || this.#callSoon()) continue;
      const next = this.#timers.peek();
      // What is due beyond that, no clock can tell.
      if (next === undefined || next.key > Number.MAX_SAFE_INTEGER) return;
      rounds = 0;
      this.#elapsed = next.key;
      this.#callDue();
    }
  }

  #callDue(): boolean {
    let called = false;
    for (let next = this.#timers.peek(); next !== undefined && next.key <= this.#elapsed; next = this.#timers.peek()) {
      this.#timers.pop();
      if (next.item.clock.isAlive) next.item.run();
      called = true;
    }
    return called;
  }

  #callSoon(): boolean {
    const calls = this.#soon;
    if (calls.length === 0) return false;
    this.#soon = [];
    for (const call of calls) if (call.clock.isAlive) call.run();
    return true;
  }
}

/** The clock of one process on that machine: the wall clock at its start, from there on what time has passed. */
export class VirtualClock implements Clock {
  readonly #time: VirtualTime;
  #startedAt = 0;
  #since = 0;
  #timers: Set<HeapEntry<Call>> | undefined = new Set();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** `notBefore`: the last journaled time, in epoch milliseconds. */
  start(notBefore: number): void {
    this.#startedAt = Math.max(this.#time.wall, notBefore);
    this.#since = this.#time.elapsed;
  }

  get isAlive(): boolean {
    return this.#timers !== undefined;
  }

  now(): number {
    return this.#startedAt + this.#time.elapsed - this.#since;
  }

  after(ms: number, fn: () => void): () => void {
    if (this.#timers === undefined) return () => undefined;
    const run = (): void => {
      this.#timers?.delete(timer);
      fn();
    };
    const timer: HeapEntry<Call> = this.#time.after(ms, { clock: this, run });
    this.#timers.add(timer);
    return () => {
      this.#timers?.delete(timer);
      this.#time.cancel(timer);
    };
  }

  soon(fn: () => void): void {
    if (this.isAlive) this.#time.soon({ clock: this, run: fn });
  }

  /** The process is gone, and all that it was going to do. */
  die(): void {
    for (const timer of this.#timers ?? []) this.#time.cancel(timer);
    this.#timers = undefined;
  }
}

/** Resolves when no promise has anything left to do. */
function allSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
