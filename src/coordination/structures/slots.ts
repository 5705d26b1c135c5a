/**
 * A number of slots, those that hold them, and those that lack nothing but one.
 *
 * 1. At most `count` tasks run, and no task is running and ready at once.
 * 2. `ready` is in order key order; `stoppable` holds the running tasks that may be stopped, the lowest effective priority
 *    first, the latest started first among equals.
 * 3. Admission and eviction follow one order: a task only takes the slot of one that has a strictly lower effective priority
 *    and a later order key. So what was stopped cannot take that slot back while priorities stand.
 * 4. After `fill` no ready task could start.
 */
import { type Amount, integer } from "./amount.ts";
import { FitIndex, type FitNode } from "./fit-index.ts";
import { compareOrder, type OrderKey, orderRank } from "./order-key.ts";

/** What a slot is given to. */
export interface Slotted<T> {
  readonly seq: number;
  readonly arrivalMs: number;
  readonly preemptible: boolean;
  /** How many times it was stopped for another. */
  preemptions: number;
  /** Its place among the ready ones: the slots' own. */
  ready: FitNode<T> | undefined;
  /** Its place among those that may be stopped: the slots' own. */
  stoppable: FitNode<T> | undefined;
}

/** What the slots ask of those who use them, and tell them. */
export interface SlotPort<T> {
  /** The effective priority; tell {@link Slots.reorder} when it becomes another. */
  priority(task: T): number;
  /** The task has a slot now. */
  started(task: T): void;
  /** The task has lost its slot to another, and is ready again. */
  stopped(task: T): void;
}

export interface SlotOptions {
  readonly count: number;
  readonly agingMs: number;
  readonly preempt: boolean;
}

/** So many preemptions, and a task is not stopped again: it must get done some day. */
const SHIELDED_AFTER = 3;
/** How many running tasks are looked at for one to stop: with aging, those of the lowest priority may all go before. */
const PREEMPT_SCAN = 256;
/** Added to priorities, so that they are amounts. */
const PRIORITY_OFFSET = 1_000_000;
const NO_MEASURES: readonly Amount[] = [];

/** Slots and the queue before them. Every change costs the logarithm of those that run and wait. */
export class Slots<T extends Slotted<T>> {
  readonly #options: SlotOptions;
  readonly #port: SlotPort<T>;
  /** In the order of their starts. */
  readonly #running = new Set<T>();
  /** The measure is the effective priority. */
  readonly #ready = new FitIndex<T>("atLeast", 1);
  readonly #stoppable = new FitIndex<T>("atMost", 0);
  #starts = 0;

  constructor(options: SlotOptions, port: SlotPort<T>) {
    this.#options = options;
    this.#port = port;
  }

  /** Index nodes visited since construction: the cost, as tests count it. */
  get visits(): number {
    return this.#ready.visits + this.#stoppable.visits;
  }

  get full(): boolean {
    return this.#running.size >= this.#options.count;
  }

  /** Those that hold a slot, in the order of their starts. */
  get running(): Iterable<T> {
    return this.#running;
  }

  /** The task lacks nothing but a slot. */
  queue(task: T): void {
    const priority = this.#port.priority(task);
    const rank = orderRank(priority, task.arrivalMs, this.#options.agingMs);
    task.ready = this.#ready.add(task, rank, task.seq, measure(priority));
  }

  /** Takes the task from where it is, running or ready or neither. */
  leave(task: T): void {
    if (task.ready !== undefined) this.#ready.remove(task.ready);
    if (task.stoppable !== undefined) this.#stoppable.remove(task.stoppable);
    task.ready = undefined;
    task.stoppable = undefined;
    this.#running.delete(task);
  }

  /** Gives the task a slot; there must be a free one. */
  start(task: T): void {
    this.leave(task);
    this.#running.add(task);
    this.#starts++;
    if (task.preemptible && task.preemptions < SHIELDED_AFTER) {
      task.stoppable = this.#stoppable.add(task, this.#port.priority(task), -this.#starts, NO_MEASURES);
    }
    this.#port.started(task);
  }

  /** Stops one for this ready task, if there is one whose slot it may take, and returns that one. */
  stopFor(task: T): T | undefined {
    const key = this.#keyOf(task);
    const priority = this.#port.priority(task);
    let victim = this.#firstStoppable();
    for (let looks = 0; victim !== undefined && victim.rank < priority && looks < PREEMPT_SCAN; looks++) {
      if (compareOrder(key, this.#keyOf(victim.item)) < 0) return this.#stop(victim.item);
      victim = this.#stoppable.next(victim);
    }
    return undefined;
  }

  /** Starts what can start, first in order first, until nothing is left that could; returns it in that order. */
  fill(): T[] {
    const started: T[] = [];
    for (;;) {
      const next = this.full ? this.#makeRoom() : this.#ready.first()?.item;
      if (next === undefined) return started;
      this.start(next);
      started.push(next);
    }
  }

  /** The task's effective priority has changed. */
  reorder(task: T): void {
    const priority = this.#port.priority(task);
    if (task.ready !== undefined) {
      const rank = orderRank(priority, task.arrivalMs, this.#options.agingMs);
      task.ready = this.#ready.update(task.ready, rank, measure(priority));
    }
    if (task.stoppable !== undefined) {
      task.stoppable = this.#stoppable.update(task.stoppable, priority, NO_MEASURES);
    }
  }

  /**
   * Stops a task for the first in order that may take its slot, and returns that one. Going through those that may be stopped
   * from the lowest priority up, ever fewer ready ones are above them: so the first one found to go before is the first of all.
   */
  #makeRoom(): T | undefined {
    let victim = this.#ready.size === 0 ? undefined : this.#firstStoppable();
    for (let looks = 0; victim !== undefined && looks < PREEMPT_SCAN; looks++) {
      const first = this.#ready.firstFit(measure(victim.rank + 1));
      if (first === undefined) return undefined;
      if (compareOrder(first, this.#keyOf(victim.item)) < 0) {
        this.#stop(victim.item);
        return first.item;
      }
      victim = this.#stoppable.next(victim);
    }
    return undefined;
  }

  #firstStoppable(): FitNode<T> | undefined {
    return this.#options.preempt ? this.#stoppable.first() : undefined;
  }

  #stop(task: T): T {
    this.leave(task);
    task.preemptions++;
    this.queue(task);
    this.#port.stopped(task);
    return task;
  }

  #keyOf(task: T): OrderKey {
    return { rank: orderRank(this.#port.priority(task), task.arrivalMs, this.#options.agingMs), seq: task.seq };
  }
}

/** A priority as a measure of the ready tasks. */
function measure(priority: number): readonly Amount[] {
  return [integer(priority + PRIORITY_OFFSET)];
}
