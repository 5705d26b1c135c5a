/** What is due at a time. Derived from the state: nothing here is journaled. */
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import type { Allocation, LiveAttempt } from "./attempt.ts";
import type { ReadyClass } from "./ready-queue.ts";
import type { AgentState, Resource } from "./state.ts";
import type { Task } from "./task.ts";

export type Timer =
  /** Its timeout, or the end of its grace. */
  | { readonly kind: "attempt"; readonly live: LiveAttempt }
  | { readonly kind: "deadline"; readonly task: Task }
  | { readonly kind: "backoff"; readonly task: Task }
  | { readonly kind: "lease"; readonly allocation: Allocation }
  | { readonly kind: "breaker"; readonly agent: AgentState }
  | { readonly kind: "ballot"; readonly ballotId: string }
  /** Nobody that is registered can do its tasks. */
  | { readonly kind: "unroutable"; readonly of: ReadyClass }
  /** An approval that was asked for comes too late from now on. */
  | { readonly kind: "approval"; readonly task: Task }
  /** Tokens of a rate that it lacks are there. */
  | { readonly kind: "tokens"; readonly of: ReadyClass }
  /** Its tasks have waited long enough for others to be given to an agent with. */
  | { readonly kind: "batch"; readonly of: ReadyClass }
  | { readonly kind: "resource-breaker"; readonly resource: Resource };

export class Timers {
  readonly #heap: IndexedHeap<Timer> = new IndexedHeap();

  /** Of what is due at the same time, kinds go in the order in which they stand above, and within a kind the older first. */
  set(at: number, timer: Timer): HeapEntry<Timer> {
    return this.#heap.push(timer, at, orderOf(timer));
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

/** A total order that follows from the state alone. */
function orderOf(timer: Timer): number {
  switch (timer.kind) {
    case "attempt":
      return timer.live.token;
    case "deadline":
      return KIND + timer.task.seq;
    case "backoff":
      return 2 * KIND + timer.task.seq;
    case "lease":
      return 3 * KIND + timer.allocation.token;
    case "breaker":
      return 4 * KIND + timer.agent.seq;
    case "ballot":
      return 5 * KIND + Number(timer.ballotId.slice(1));
    case "unroutable":
      return 6 * KIND + seqOf(timer.of);
    case "tokens":
      return 7 * KIND + seqOf(timer.of);
    case "resource-breaker":
      return 8 * KIND + timer.resource.seq;
    case "approval":
      return 9 * KIND + timer.task.seq;
    case "batch":
      return 10 * KIND + seqOf(timer.of);
  }
}

/** Of the first in the class; a class that has none has no timer that comes before another. */
function seqOf({ index }: ReadyClass): number {
  return index.first()?.seq ?? 0;
}

/** More than any number of tasks, attempts or agents: 2^49, so that sixteen kinds stay exact. */
const KIND = 2 ** 49;
