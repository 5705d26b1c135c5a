/**
 * What one attempt awaits. While it awaits anything it holds no slot and no load:
 *
 * 1. Whatever is awaited at once is awaited together: one command tells the kernel, which gives slot and load away.
 * 2. As long as another awaited task has not ended, an outcome is handed over as soon as it is there.
 * 3. The outcome after which nothing is awaited any more is handed over when the attempt has its slot and load again.
 *
 * So an attempt that only waits never keeps others from running, however it waits (for all, for the first, one by one).
 */
import type { SafeguardsError } from "../errors.ts";
import type { OutcomeData } from "./outcome.ts";

interface Awaited {
  readonly taskId: string;
  resolve(outcome: OutcomeData): void;
  reject(error: unknown): void;
}

export class Awaiting {
  /** Tells the kernel, and calls back when it has answered. */
  readonly #ask: (taskIds: readonly string[], answered: (refusal: SafeguardsError | undefined) => void) => void;
  /** Not ended yet. */
  readonly #open: Set<Awaited> = new Set();
  /** Ended, and handed over once the slot is there. */
  #held: (() => void)[] = [];
  #gathering = false;
  #asking = false;
  #waiting = false;
  #stopped: { readonly reason: unknown } | undefined;

  constructor(ask: (taskIds: readonly string[], answered: (refusal: SafeguardsError | undefined) => void) => void) {
    this.#ask = ask;
  }

  /** The outcome, by the rules above. `ended` settles when the task has ended. */
  await(taskId: string, ended: Promise<OutcomeData>): Promise<OutcomeData> {
    const { promise, resolve, reject } = Promise.withResolvers<OutcomeData>();
    const awaited: Awaited = { taskId, resolve, reject };
    if (this.#stopped !== undefined) {
      reject(this.#stopped.reason);
      ended.catch(() => undefined);
      return promise;
    }
    this.#open.add(awaited);
    ended.then(
      (outcome) => this.#over(awaited, () => resolve(outcome)),
      (error: unknown) => this.#over(awaited, () => reject(error)),
    );
    this.#gather();
    return promise;
  }

  /** The kernel has taken slot and load away. */
  waits(): void {
    this.#waiting = true;
  }

  /** The attempt has slot and load again. */
  regained(): void {
    this.#waiting = false;
    this.#handOver();
  }

  /** The attempt is told to stop, or is over: nothing that it awaits will be given to it. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    const open = [...this.#open];
    this.#open.clear();
    for (const awaited of open) awaited.reject(reason);
    this.#handOver();
  }

  #over(awaited: Awaited, handOver: () => void): void {
    if (!this.#open.delete(awaited)) return;
    const free = !this.#gathering && !this.#asking && !this.#waiting;
    if (this.#open.size > 0 || free) handOver();
    else this.#held.push(handOver);
  }

  #gather(): void {
    if (this.#gathering || this.#asking || this.#waiting) return;
    this.#gathering = true;
    queueMicrotask(() => {
      this.#gathering = false;
      if (this.#open.size === 0) {
        this.#handOver();
        return;
      }
      this.#asking = true;
      this.#ask([...new Set([...this.#open].map((awaited) => awaited.taskId))], (refusal) => this.#answered(refusal));
    });
  }

  #answered(refusal: SafeguardsError | undefined): void {
    this.#asking = false;
    if (refusal !== undefined) {
      const open = [...this.#open];
      this.#open.clear();
      for (const awaited of open) awaited.reject(refusal);
    }
    if (!this.#waiting) this.#handOver();
  }

  /** The attempt has its slot: what was held is due, and what is still open is asked for anew. */
  #handOver(): void {
    for (const handOver of this.#held.splice(0)) handOver();
    if (this.#open.size > 0) this.#gather();
  }
}
