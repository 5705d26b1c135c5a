import { integerAt } from "../structures/at.ts";

/** A victory of one option over another, by their places. */
export interface Pair {
  readonly winner: number;
  readonly loser: number;
}

/**
 * Which option is above which, by the pairs that are locked and by what follows from them. Rows of bits: i's row has the
 * options that are below i, so that locking a pair takes a row for each option that is above it.
 */
export class LockedPairs {
  readonly size: number;
  readonly #words: number;
  readonly #rows: Uint32Array;

  constructor(size: number, rows?: Uint32Array) {
    this.size = size;
    this.#words = Math.ceil(size / 32);
    this.#rows = rows ?? new Uint32Array(size * this.#words);
  }

  isAbove(i: number, j: number): boolean {
    return ((integerAt(this.#rows, i * this.#words + (j >>> 5)) >>> (j & 31)) & 1) === 1;
  }

  /** Locks i above j, and with i all that is above it. Pairs in a circle put what is in it above itself. */
  lock(i: number, j: number): void {
    if (this.isAbove(i, j)) return;
    for (let x = 0; x < this.size; x += 1) {
      if (x !== i && !this.isAbove(x, i)) continue;
      if (!this.isAbove(x, j)) this.#putBelow(x, j);
    }
  }

  /** How many options are below i. */
  below(i: number): number {
    let count = 0;
    for (let j = 0; j < this.size; j += 1) if (this.isAbove(i, j)) count += 1;
    return count;
  }

  /** Those that nothing is above, ascending. */
  top(): number[] {
    const isBelow = new Uint32Array(this.#words);
    this.#rows.forEach((word, at) => {
      const column = at % this.#words;
      isBelow[column] = integerAt(isBelow, column) | word;
    });
    const all = Array.from({ length: this.size }, (_, place) => place);
    return all.filter((j) => ((integerAt(isBelow, j >>> 5) >>> (j & 31)) & 1) === 0);
  }

  copy(): LockedPairs {
    return new LockedPairs(this.size, this.#rows.slice());
  }

  /** The same text for the same pairs. */
  key(): string {
    return String.fromCharCode(...new Uint16Array(this.#rows.buffer));
  }

  /** j and all that is below it. */
  #putBelow(x: number, j: number): void {
    for (let word = 0; word < this.#words; word += 1) {
      const cell = x * this.#words + word;
      this.#rows[cell] = integerAt(this.#rows, cell) | integerAt(this.#rows, j * this.#words + word);
    }
    const cell = x * this.#words + (j >>> 5);
    this.#rows[cell] = integerAt(this.#rows, cell) | (1 << (j & 31));
  }
}
