/** First in, first out; every operation in constant time, amortized. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first, which stays. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the first away. */
  shift(): void {
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Takes all away. */
  clear(): readonly T[] {
    const left = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return left;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    yield* this.#items.slice(this.#head);
  }
}
