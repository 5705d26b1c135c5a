/**
 * Who has waited too long: of all that have waited at least `afterMs`, the first in order.
 *
 * 1. Each item is in one heap: `young`, by arrival, until it has waited `afterMs`; then `old`, in order key order.
 * 2. With `afterMs` Infinity nobody is ever overdue, and nobody is kept.
 */
import { type HeapEntry, IndexedHeap } from "./indexed-heap.ts";
import type { OrderKey } from "./order-key.ts";

/** An item that is kept, and where. */
export interface OverdueEntry<T> {
  readonly item: T;
  readonly key: OrderKey;
  /** The overdue's own. */
  young: HeapEntry<OverdueEntry<T>> | undefined;
  /** The overdue's own. */
  old: HeapEntry<OverdueEntry<T>> | undefined;
}

/** Every operation costs the logarithm of the items; an item grows old once. */
export class Overdue<T> {
  readonly #afterMs: number;
  readonly #young = new IndexedHeap<OverdueEntry<T>>();
  readonly #old = new IndexedHeap<OverdueEntry<T>>();

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  add(item: T, key: OrderKey, arrivalMs: number): OverdueEntry<T> {
    const entry: OverdueEntry<T> = { item, key, young: undefined, old: undefined };
    if (this.#afterMs !== Number.POSITIVE_INFINITY) entry.young = this.#young.push(entry, arrivalMs, key.seq);
    return entry;
  }

  remove(entry: OverdueEntry<T>): void {
    if (entry.young !== undefined) this.#young.remove(entry.young);
    if (entry.old !== undefined) this.#old.remove(entry.old);
    entry.young = undefined;
    entry.old = undefined;
  }

  /** The first in order that has waited at least `afterMs` at this time, which must not go back. */
  first(now: number): T | undefined {
    for (
      let next = this.#young.peek();
      next !== undefined && now - next.key >= this.#afterMs;
      next = this.#young.peek()
    ) {
      this.#young.pop();
      const entry = next.item;
      entry.young = undefined;
      entry.old = this.#old.push(entry, entry.key.rank, entry.key.seq);
    }
    return this.#old.peek()?.item.item;
  }
}
