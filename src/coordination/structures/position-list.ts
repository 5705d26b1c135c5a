/**
 * Order keys in a line that can say how many are before each.
 *
 * 1. Chunks are never empty, and their keys ascend, within each and from one to the next.
 * 2. No chunk holds more than `CHUNK` keys, so a change moves at most that many.
 */
import { itemAt } from "./at.ts";
import { compareOrder, type OrderKey } from "./order-key.ts";

const CHUNK = 512;

/** Adding, removing and asking cost two binary searches, and asking also one addition for every few hundred keys in line. */
export class PositionList {
  readonly #chunks: OrderKey[][] = [];
  #visits = 0;

  /** Chunks visited since construction, to find or to count: the cost, as tests count it. */
  get visits(): number {
    return this.#visits;
  }

  add(key: OrderKey): void {
    const at = Math.min(this.#chunkOf(key), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(within(chunk, key), 0, key);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** Takes the key out; without it, nothing happens. */
  remove(key: OrderKey): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = within(chunk, key);
    if (chunk[index]?.seq !== key.seq) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** How many keys are before this one. */
  before(key: OrderKey): number {
    const at = this.#chunkOf(key);
    let count = within(this.#chunks[at] ?? [], key);
    this.#visits += at;
    for (let i = 0; i < at; i++) count += itemAt(this.#chunks, i).length;
    return count;
  }

  /** The first chunk whose last key is not before this one. */
  #chunkOf(key: OrderKey): number {
    return firstNotBefore(this.#chunks.length, (i) => {
      this.#visits++;
      const last = this.#chunks[i]?.at(-1);
      return last !== undefined && compareOrder(last, key) < 0;
    });
  }
}

/** The place of the key in the chunk. */
function within(chunk: readonly OrderKey[], key: OrderKey): number {
  return firstNotBefore(chunk.length, (i) => {
    const other = chunk[i];
    return other !== undefined && compareOrder(other, key) < 0;
  });
}

/** The first index for which `isBefore` is false; it must be true up to somewhere and false from there on. */
function firstNotBefore(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
