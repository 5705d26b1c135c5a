/** Numbers from a seed: mulberry32. The same seed draws the same. */
export class Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to n − 1. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  pick<T>(list: readonly [T, ...T[]]): T;
  pick<T>(list: readonly T[]): T | undefined;
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(Math.max(1, list.length))];
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** A name, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T | undefined {
    const names = Object.keys(weights) as T[];
    let left = this.below(names.reduce((sum, name) => sum + weights[name], 0));
    return names.find((name) => {
      left -= weights[name];
      return left < 0;
    });
  }
}
