/**
 * The books of one resource: how much there is, and how much of it is out.
 *
 * 1. Nothing is taken that is not free. So what is out is never more than the capacity, but after that was lowered; then
 *    nothing is free until enough has come back.
 * 2. What was taken from a stock comes back exactly; what was taken from a rate is spent, and time refills it.
 */
import { type Amount, add, atMost, compare, subtract, subtractToZero, ZERO } from "./amount.ts";
import { RateBucket } from "./rate-bucket.ts";

export class ResourceBook {
  readonly id: string;
  #capacity: Amount;
  #out: Amount = ZERO;
  #free: Amount;
  readonly #bucket: RateBucket | undefined;

  /** With `per` (whole milliseconds) it is a rate: `capacity` tokens each `per`, full at first. */
  constructor(id: string, capacity: Amount, per: number | undefined, now: number) {
    this.id = id;
    this.#capacity = capacity;
    this.#free = capacity;
    this.#bucket = per === undefined ? undefined : new RateBucket(capacity, per, now);
  }

  get capacity(): Amount {
    return this.#capacity;
  }

  /** What can be taken: of a rate, at the time of the last `advance`. */
  get free(): Amount {
    return this.#free;
  }

  /** What is out; of a rate, what is spent and not refilled yet. */
  get allocated(): Amount {
    return this.#bucket === undefined ? this.#out : subtractToZero(this.#capacity, this.#free);
  }

  get isRate(): boolean {
    return this.#bucket !== undefined;
  }

  /** Another capacity, and for a rate another pace. Whether more is free than before. */
  configure(capacity: Amount, per: number | undefined, now: number): boolean {
    this.#capacity = capacity;
    if (per !== undefined) this.#bucket?.configure(capacity, per, now);
    return this.advance(now);
  }

  /** Lets a rate refill up to this time. Whether more is free than before. */
  advance(now: number): boolean {
    const before = this.#free;
    this.#free = this.#bucket?.available(now) ?? subtractToZero(this.#capacity, this.#out);
    return compare(before, this.#free) < 0;
  }

  /** Takes what is free. RangeError otherwise: the books would be broken. */
  take(amount: Amount, now: number): void {
    if (!atMost(amount, this.#free)) throw new RangeError(`more is taken of ${this.id} than is free`);
    if (this.#bucket === undefined) this.#out = add(this.#out, amount);
    else this.#bucket.take(amount, now);
    this.advance(now);
  }

  /** Gives back what was taken; to a rate, nothing. Whether more is free than before. */
  give(amount: Amount, now: number): boolean {
    if (this.#bucket === undefined) this.#out = subtract(this.#out, amount);
    return this.advance(now);
  }
}
