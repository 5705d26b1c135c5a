/** How many of something have each priority, so that the highest is known. Costs a search among the distinct priorities. */
import { itemAt } from "../coordination/structures/at.ts";
export class PriorityCounts {
  /** Ascending. */
  readonly #priorities: number[] = [];
  readonly #counts: Map<number, number> = new Map();

  /** The highest that anything has; -Infinity when there is nothing. */
  get highest(): number {
    return this.#priorities.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  add(priority: number): void {
    const count = this.#counts.get(priority) ?? 0;
    this.#counts.set(priority, count + 1);
    if (count === 0) this.#priorities.splice(this.#search(priority), 0, priority);
  }

  remove(priority: number): void {
    const count = this.#counts.get(priority);
    if (count === undefined) throw new RangeError(`nothing has priority ${priority}`);
    if (count > 1) {
      this.#counts.set(priority, count - 1);
      return;
    }
    this.#counts.delete(priority);
    this.#priorities.splice(this.#search(priority), 1);
  }

  #search(priority: number): number {
    let low = 0;
    let high = this.#priorities.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (itemAt(this.#priorities, middle) < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
