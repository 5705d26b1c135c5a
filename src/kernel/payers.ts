/**
 * Who waits to be started at the expense of which budget, so that nobody has to be searched for when a budget changes.
 *
 * 1. Every wish with a budget stands at that and at each above it, the dearest first.
 * 2. What is spent never comes back: who costs more than a limit leaves beside what is spent waits in vain, and is told so
 *    at the end of the batch.
 */
import { leftAt, levelsOf } from "../coordination/structures/budget-book.ts";
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import { partsOf, type Sum } from "../coordination/structures/money.ts";
import type { Wish } from "./ready-queue.ts";
import type { Budget } from "./state.ts";
import type { Task } from "./task.ts";

export class Payers {
  readonly #waiting: Map<Budget, IndexedHeap<Wish>> = new Map();
  readonly #places: Map<Wish, HeapEntry<Wish>[]> = new Map();
  /** Budgets at which somebody may wait in vain. */
  readonly #strained: Set<Budget> = new Set();

  add(wish: Wish): void {
    const { funding } = wish.task;
    if (funding === undefined) return;
    const { budget, cost } = funding;
    const { whole, units } = partsOf(cost);
    const places: HeapEntry<Wish>[] = [];
    for (const level of levelsOf(budget)) {
      let heap = this.#waiting.get(level);
      if (heap === undefined) {
        heap = new IndexedHeap();
        this.#waiting.set(level, heap);
      }
      places.push(heap.push(wish, -whole, -units));
      if (mostOf(level).lt(cost)) this.#strained.add(level);
    }
    this.#places.set(wish, places);
  }

  remove(wish: Wish): void {
    const { funding } = wish.task;
    const places = this.#places.get(wish);
    if (places === undefined || funding === undefined) return;
    this.#places.delete(wish);
    let i = 0;
    for (const level of levelsOf(funding.budget)) {
      const place = places[i];
      if (place !== undefined && place.index >= 0) this.#waiting.get(level)?.remove(place);
      i += 1;
    }
  }

  /** At this level so much more is left than before (less, where below 0). Whether anybody may be able to start only now. */
  changed(level: Budget, gain: Sum): boolean {
    const dearest = this.#dearestAt(level);
    if (dearest === undefined) return false;
    if (mostOf(level).lt(dearest)) this.#strained.add(level);
    return gain.gt(0) && leftAt(level).minus(gain).lt(dearest);
  }

  /** Whether anybody may wait in vain. */
  get isStrained(): boolean {
    return this.#strained.size > 0;
  }

  /** Those who wait in vain, in order of arrival. They stand here no more. */
  takeHopeless(): readonly Task[] {
    if (this.#strained.size === 0) return [];
    const hopeless = new Set<Task>();
    for (const level of this.#strained) {
      const heap = this.#waiting.get(level);
      const most = mostOf(level);
      for (let top = heap?.peek(); top !== undefined; top = heap?.peek()) {
        const { task } = top.item;
        if (task.funding === undefined || task.funding.cost.lte(most)) break;
        heap?.pop();
        hopeless.add(task);
      }
    }
    this.#strained.clear();
    return [...hopeless].sort((a, b) => a.seq - b.seq);
  }

  #dearestAt(level: Budget): Sum | undefined {
    return this.#waiting.get(level)?.peek()?.item.task.funding?.cost;
  }
}

/** What could be left at this level at the most: what is spent never comes back. */
function mostOf({ limit, spent }: Budget): Sum {
  return limit.minus(spent);
}
