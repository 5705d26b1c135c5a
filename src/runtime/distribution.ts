import { runtimeLimits } from "./limits.ts";

/** How long something takes: of the latest measurements (1 024 of the whole), and the longest of all. */
export interface DistributionView {
  /** How many were measured. */
  readonly count: number;
  /** Half of the latest took no longer. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Constant memory, none before the first; constant time to record; reading sorts what is kept. */
export class Distribution {
  readonly #samples: number;
  #latest: Float64Array | undefined = undefined;
  #count = 0;
  #max = 0;

  /** `samples`: the latest measurements that it looks at. */
  constructor(samples: number = runtimeLimits.samples) {
    this.#samples = samples;
  }

  record(value: number): void {
    this.#latest ??= new Float64Array(this.#samples);
    this.#latest[this.#count % this.#samples] = value;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  view(): DistributionView {
    const kept = (this.#latest ?? NOTHING).slice(0, this.#count).sort();
    return { count: this.#count, p50: quantile(kept, 0.5), p99: quantile(kept, 0.99), max: this.#max };
  }
}

const NOTHING: Float64Array = new Float64Array(0);

/** The smallest that at least this share does not exceed; 0 of nothing. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
