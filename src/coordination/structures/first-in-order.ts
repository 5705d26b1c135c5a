/**
 * The first so many of what is looked at, by a number that no two have. Twice as many are gathered before all but the first
 * are let go, so that each costs the logarithm of how many are wanted, whatever the order in which they come.
 */
export class FirstInOrder<T> {
  readonly #limit: number;
  #gathered: { readonly item: T; readonly key: number }[] = [];
  /** From here on none is among the first. */
  #bound = Number.POSITIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Those that are first, in order. */
  get items(): readonly T[] {
    this.#settle();
    return this.#gathered.map(({ item }) => item);
  }

  /** Whether one with this number could be among them. */
  takes(key: number): boolean {
    return key < this.#bound;
  }

  add(item: T, key: number): void {
    if (!this.takes(key)) return;
    this.#gathered.push({ item, key });
    if (this.#gathered.length >= 2 * this.#limit) this.#settle();
  }

  #settle(): void {
    this.#gathered.sort((a, b) => a.key - b.key);
    if (this.#gathered.length < this.#limit) return;
    this.#gathered.length = this.#limit;
    this.#bound = this.#gathered.at(-1)?.key ?? Number.NEGATIVE_INFINITY;
  }
}
