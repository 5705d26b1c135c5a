/**
 * Exact non-negative decimals with nine places: what loads, amounts, weights and scores are kept in.
 *
 * 1. `whole` is an integer from 0 to 2⁵³ − 1 and `nano` one from 0 to 999 999 999; no other Amount exists, but UNLIMITED.
 * 2. Sums and differences are exact, so they do not depend on order, and what was added can be subtracted to exactly 0.
 * 3. Amounts are never changed once made, and are made in one place, so that they all have one shape.
 */
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

const small: readonly Amount[] = Array.from({ length: 1_024 }, (_, whole) => make(whole, 0));

function integer(whole: number): Amount {
  return small[whole] ?? make(whole, 0);
}

export const ZERO: Amount = integer(0);
export const ONE: Amount = integer(1);
/** More than any other: for comparisons only. */
export const UNLIMITED: Amount = make(Number.POSITIVE_INFINITY, 0);

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
  if (nanos / NANOS === value || isWithinTolerance(value, nanos)) return fromNanos(nanos);
  return undefined;
}

/** Exact for every total of nanos up to 2⁵³. */
function fromNanos(nanos: number): Amount {
  const whole = Math.floor(nanos / NANOS);
  return make(whole, nanos - whole * NANOS);
}

/**
 * From 2²² on several nine-place decimals may be the same double, so the printed one is asked for. When it is longer, the
 * nearest nine-place decimal is always within the tolerance. The product is exact: the fraction has at most 30 bits here.
 */
function sparse(value: number, whole: number): Amount {
  const decimals = String(value).split(".")[1] ?? "";
  const nano = decimals.length <= 9 ? Number(decimals.padEnd(9, "0")) : Math.round((value - whole) * NANOS);
  return nano === NANOS ? integer(whole + 1) : make(whole, nano);
}
