/**
 * The tokens of a rate: `capacity` each `per` milliseconds, refilling continuously up to `capacity` (a token bucket).
 *
 * 1. All arithmetic is on integers: the level is held in billionths of a token times `per`, so what a millisecond adds is a
 *    whole number and nothing is ever rounded away.
 * 2. The level is never below 0 and never above what a full bucket holds.
 * 3. Time never runs backwards here: an earlier `now` counts as the last one.
 */
import type { Amount } from "./amount.ts";

const BILLION = 1_000_000_000n;

/** A bucket as plain values, for a snapshot. */
export interface RateBucketState {
  readonly capacity: string;
  readonly per: number;
  readonly level: string;
  readonly at: number;
}

export class RateBucket {
  #capacity: bigint;
  #per: bigint;
  #level: bigint;
  #at: number;

  /** A full bucket. `per` is whole milliseconds, at least 1. */
  constructor(capacity: Amount, per: number, now: number) {
    this.#capacity = billionths(capacity);
    this.#per = BigInt(per);
    this.#level = this.#capacity * this.#per;
    this.#at = now;
  }

  static restore(state: RateBucketState): RateBucket {
    const bucket = new RateBucket({ whole: 0, nano: 0 }, state.per, state.at);
    bucket.#capacity = BigInt(state.capacity);
    bucket.#level = BigInt(state.level);
    return bucket;
  }

  state(): RateBucketState {
    return { capacity: `${this.#capacity}`, per: Number(this.#per), level: `${this.#level}`, at: this.#at };
  }

  get per(): number {
    return Number(this.#per);
  }

  /** Another capacity or pace: what is in the bucket stays, as far as it fits. */
  configure(capacity: Amount, per: number, now: number): void {
    this.#refill(now);
    const tokens = this.#level / this.#per;
    const rest = this.#level % this.#per;
    this.#capacity = billionths(capacity);
    this.#level = tokens * BigInt(per) + (rest * BigInt(per)) / this.#per;
    this.#per = BigInt(per);
    this.#level = least(this.#level, this.#capacity * this.#per);
  }

  /** What may be taken now, rounded down to nine places. */
  available(now: number): Amount {
    const level = this.#levelAt(now) / this.#per;
    return { whole: Number(level / BILLION), nano: Number(level % BILLION) };
  }

  /** Takes tokens that are there; taking more is a broken invariant. */
  take(amount: Amount, now: number): void {
    this.#refill(now);
    const level = this.#level - billionths(amount) * this.#per;
    if (level < 0n) throw new RangeError("more tokens taken than the bucket holds");
    this.#level = level;
  }

  /** The first whole millisecond, from `now` on, at which so much is there; Infinity when it never is. */
  readyAt(amount: Amount, now: number): number {
    const wanted = billionths(amount);
    if (wanted > this.#capacity) return Number.POSITIVE_INFINITY;
    const missing = wanted * this.#per - this.#levelAt(now);
    if (missing <= 0n) return now;
    return Math.max(now, this.#at) + Number((missing + this.#capacity - 1n) / this.#capacity);
  }

  #levelAt(now: number): bigint {
    const elapsed = Math.floor(now - this.#at);
    if (!(elapsed > 0)) return this.#level;
    return least(this.#level + this.#capacity * BigInt(elapsed), this.#capacity * this.#per);
  }

  #refill(now: number): void {
    this.#level = this.#levelAt(now);
    const elapsed = Math.floor(now - this.#at);
    if (elapsed > 0) this.#at += elapsed;
  }
}

function billionths(amount: Amount): bigint {
  return BigInt(amount.whole) * BILLION + BigInt(amount.nano);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
