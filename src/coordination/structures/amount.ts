/**
 * Exact non-negative decimals with nine places: what loads, amounts, weights and scores are kept in.
 *
 * 1. `whole` is an integer from 0 to 2⁵³ − 1 and `nano` one from 0 to 999 999 999; no other Amount exists, but UNLIMITED.
 * 2. Sums and differences are exact, so they do not depend on order, and what was added can be subtracted to exactly 0.
 * 3. Amounts are never changed once made, and are made in one place, so that they all have one shape.
 */
import { itemAt } from "./at.ts";

export interface Amount {
  readonly whole: number;
  readonly nano: number;
}

const NANOS = 1_000_000_000;
/** Up to here a whole part and its nanos together are still an exact integer. */
const EXACT_NANOS_WHOLE = 9_007_198;
/** Below this neighbouring doubles are less than half a nano apart, so at most one nine-place decimal prints as each. */
const DENSE = 2 ** 22;

function make(whole: number, nano: number): Amount {
  return { whole, nano };
}

/** More than any other: for comparisons only. Made first, so that no Amount begins with a shape for small integers only. */
export const UNLIMITED: Amount = make(Number.POSITIVE_INFINITY, 0);

const small: readonly Amount[] = Array.from({ length: 1_024 }, (_, whole) => make(whole, 0));

/** Of a whole number from 0 to 2⁵³ − 1; nothing else may be given. */
export function integer(whole: number): Amount {
  return small[whole] ?? make(whole, 0);
}

export const ZERO: Amount = integer(0);
export const ONE: Amount = integer(1);
/** The largest there is. */
export const LARGEST: Amount = make(Number.MAX_SAFE_INTEGER, NANOS - 1);

/**
 * The Amount that a number stands for: the decimal that it prints as, when that has at most nine places; else the nearest
 * nine-place decimal, when that is within 2⁻⁵⁰ of the number's own size (so 0.1 + 0.2 is 0.3); else, and for what is
 * negative, not finite or over 2⁵³ − 1, `undefined`.
 */
export function amountOf(value: number): Amount | undefined {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) return undefined;
  const whole = Math.floor(value);
  if (whole === value) return integer(whole);
  if (value >= DENSE) return sparse(value, whole);
  const nanos = Math.round(value * NANOS);
  if (nanos / NANOS === value) return fromNanos(nanos);
  return nearby(value, nanos);
}

/** Exact for every total of nanos up to 2⁵³. */
function fromNanos(nanos: number): Amount {
  const whole = Math.floor(nanos / NANOS);
  return make(whole, nanos - whole * NANOS);
}

/**
 * From 2²² on several nine-place decimals may be the same double, so the printed one is asked for. When it is longer, the
 * nearest nine-place decimal is always within the tolerance, and below the next integer. The product is exact: the fraction
 * has at most 30 bits here.
 */
function sparse(value: number, whole: number): Amount {
  const decimals = itemAt(String(value).split("."), 1);
  return make(whole, decimals.length <= 9 ? Number(decimals.padEnd(9, "0")) : Math.round((value - whole) * NANOS));
}

/** The exact judgement: a double of this size is a whole multiple of 2⁻⁸⁴. */
function nearby(value: number, nanos: number): Amount | undefined {
  if (nanos === 0) return undefined;
  // Where no second decimal is near enough to be meant, an error well inside the tolerance needs no exact arithmetic.
  if (value < 65_536 && Math.abs(value - nanos / NANOS) <= value * 2 ** -51) return fromNanos(nanos);
  const scaled = BigInt(value * 2 ** 84) * BigInt(NANOS);
  const nearest = ((scaled << 1n) + (1n << 84n)) >> 85n;
  const distance = scaled - (nearest << 84n);
  const within = (distance < 0n ? -distance : distance) << 50n <= scaled;
  return within ? fromNanos(Number(nearest)) : undefined;
}

/** The number nearest to the amount. */
export function amountToNumber(a: Amount): number {
  if (a.nano === 0) return a.whole;
  if (a.whole <= EXACT_NANOS_WHOLE) return (a.whole * NANOS + a.nano) / NANOS;
  // Rounds once: no quotient of nanos comes closer than its own rounding error to halfway between doubles of this size.
  return a.whole + a.nano / NANOS;
}

/** a + b. RangeError when that is over 2⁵³ − 1. */
export function add(a: Amount, b: Amount): Amount {
  const sum = a.nano + b.nano;
  const carries = sum >= NANOS;
  const nano = carries ? sum - NANOS : sum;
  const whole = a.whole + b.whole + (carries ? 1 : 0);
  if (whole > Number.MAX_SAFE_INTEGER) throw new RangeError(`${text(a)} + ${text(b)} is over 2^53 - 1`);
  return nano === 0 ? integer(whole) : make(whole, nano);
}

/** A sum that grows without an Amount for each step. */
export class AmountSum {
  #whole = 0;
  #nano = 0;

  add(a: Amount): void {
    const nano = this.#nano + a.nano;
    const carries = nano >= NANOS;
    this.#nano = carries ? nano - NANOS : nano;
    this.#whole += a.whole + (carries ? 1 : 0);
  }

  /** Once it is over 2⁵³ − 1 it stays so. */
  get isTooLarge(): boolean {
    return this.#whole > Number.MAX_SAFE_INTEGER;
  }

  /** RangeError when that is over 2⁵³ − 1. */
  total(): Amount {
    if (this.isTooLarge) throw new RangeError("the sum is over 2^53 - 1");
    return this.#nano === 0 ? integer(this.#whole) : make(this.#whole, this.#nano);
  }
}

/** a − b, which must not be negative. RangeError when it is: books that go below zero are broken. */
export function subtract(a: Amount, b: Amount): Amount {
  const difference = a.nano - b.nano;
  const borrows = difference < 0;
  const nano = borrows ? difference + NANOS : difference;
  const whole = a.whole - b.whole - (borrows ? 1 : 0);
  if (whole < 0) throw new RangeError(`${text(a)} - ${text(b)} is below 0`);
  return nano === 0 ? integer(whole) : make(whole, nano);
}

/** a − b, or 0 where b is larger. */
export function subtractToZero(a: Amount, b: Amount): Amount {
  return atMost(a, b) ? ZERO : subtract(a, b);
}

/** Below 0 when a is smaller, above 0 when it is larger. */
export function compare(a: Amount, b: Amount): number {
  return a.whole === b.whole ? a.nano - b.nano : a.whole - b.whole;
}

/** a ≤ b */
export function atMost(a: Amount, b: Amount): boolean {
  return a.whole === b.whole ? a.nano <= b.nano : a.whole < b.whole;
}

/** a + b ≤ limit, also where the sum would be over 2⁵³ − 1. No sum is made: hot paths ask this. */
export function sumAtMost(a: Amount, b: Amount, limit: Amount): boolean {
  const nano = a.nano + b.nano;
  const whole = limit.whole - a.whole - b.whole;
  return nano < NANOS
    ? whole > 0 || (whole === 0 && nano <= limit.nano)
    : whole > 1 || (whole === 1 && nano - NANOS <= limit.nano);
}

export function equal(a: Amount, b: Amount): boolean {
  return a.whole === b.whole && a.nano === b.nano;
}

export function smaller(a: Amount, b: Amount): Amount {
  return atMost(a, b) ? a : b;
}

export function larger(a: Amount, b: Amount): Amount {
  return atMost(a, b) ? b : a;
}

export function isZero(a: Amount): boolean {
  return a.whole === 0 && a.nano === 0;
}

/** a ÷ b, correctly rounded; by zero: 0 for zero, else Infinity. */
export function ratio(a: Amount, b: Amount): number {
  if (isZero(b)) return isZero(a) ? 0 : Number.POSITIVE_INFINITY;
  if (a.nano === 0 && b.nano === 0) return a.whole / b.whole;
  if (a.whole <= EXACT_NANOS_WHOLE && b.whole <= EXACT_NANOS_WHOLE) {
    return (a.whole * NANOS + a.nano) / (b.whole * NANOS + b.nano);
  }
  return quotient(nanosOf(a), nanosOf(b));
}

/** All of it in nanos: for sums that may pass 2⁵³ − 1. */
export function nanosOf(a: Amount): bigint {
  return BigInt(a.whole) * BigInt(NANOS) + BigInt(a.nano);
}

/** The mean of so many amounts, given their sum in nanos; correctly rounded. */
export function mean(sum: bigint, count: number): number {
  return quotient(sum, BigInt(count) * BigInt(NANOS));
}

/** Correctly rounded. 2¹⁴⁰ leaves at least 56 bits; the remainder is kept as a last bit that only breaks ties. */
function quotient(dividend: bigint, divisor: bigint): number {
  const scaled = dividend << 140n;
  const floor = scaled / divisor;
  return Number(floor * divisor === scaled ? floor : floor | 1n) / 2 ** 140;
}

function text(a: Amount): string {
  return a.nano === 0 ? `${a.whole}` : `${a.whole}.${String(a.nano).padStart(9, "0")}`;
}
