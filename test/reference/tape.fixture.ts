/** Choices made by plain numbers, so that they shrink: where the tape says 0, and past its end, the simplest is chosen. */
export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** 0 to n − 1. */
  below(n: number): number {
    const drawn = this.#numbers[this.#at] ?? 0;
    this.#at += 1;
    return drawn % n;
  }

  pick<T>(list: readonly [T, ...T[]]): T;
  pick<T>(list: readonly T[]): T | undefined;
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(Math.max(1, list.length))];
  }

  /** The unlikely is what is left out first. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }
}
