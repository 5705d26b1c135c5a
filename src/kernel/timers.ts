/** What is due at a time. Derived from the state: nothing here is journaled. */
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import type { ReadyClass } from "./ready-queue.ts";
import type { AgentState, ExtraAllocation, LiveAttempt, Task } from "./state.ts";

export type Timer =
  /** Its timeout, or the end of its grace. */
  | { readonly kind: "attempt"; readonly live: LiveAttempt }
  | { readonly kind: "deadline"; readonly task: Task }
  | { readonly kind: "backoff"; readonly task: Task }
  | { readonly kind: "lease"; readonly allocation: ExtraAllocation }
  | { readonly kind: "breaker"; readonly agent: AgentState }
  | { readonly kind: "ballot"; readonly ballotId: string }
  /** Nobody that is registered can do its tasks. */
  | { readonly kind: "unroutable"; readonly of: ReadyClass }
  /** Tokens of a rate that it lacks are there. */
  | { readonly kind: "tokens"; readonly of: ReadyClass };

export class Timers {
  readonly #heap: IndexedHeap<Timer> = new IndexedHeap();
  #order = 0;

  /** Ties are served in the order in which they were set, which follows from the log alone. */
  set(at: number, timer: Timer): HeapEntry<Timer> {
    this.#order += 1;
    return this.#heap.push(timer, at, this.#order);
  }

  cancel(entry: HeapEntry<Timer> | undefined): void {
    if (entry !== undefined && entry.index >= 0) this.#heap.remove(entry);
  }

  next(): number | undefined {
    return this.#heap.peek()?.key;
  }

  /** Takes out the next timer that is due, if one is. */
  due(now: number): Timer | undefined {
    const first = this.#heap.peek();
    if (first === undefined || first.key > now) return undefined;
    this.#heap.pop();
    return first.item;
  }
}
