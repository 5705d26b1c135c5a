/**
 * Money: exact decimals that are never negative, with up to {@link MOST_WHOLE_DIGITS} digits before the point and
 * {@link MOST_PLACES} behind it where they come in. A price per token has more places than an Amount.
 *
 * 1. Sums and differences are exact, however many digits they come to.
 * 2. Written, a sum is a plain decimal without a sign, an exponent or needless zeros: equal sums are equal texts.
 *
 * Arithmetic is that of big.js (MIT); nothing else in `coordination/` and `kernel/` imports anything from outside.
 */
import Big from "big.js";
import { type Amount, amountOf, amountToNumber, LARGEST } from "./amount.ts";
import { invalid } from "./arguments.ts";

/** An exact decimal. Never changed once made. */
export type Sum = Big;

/** As much as a trillion of the smallest currency's units, a thousand times over. */
const MOST_WHOLE_DIGITS = 15;
/** Enough for the price of a single token, a million times over. Both parts are then integers that a number holds exactly. */
const MOST_PLACES = 15;
/** How money is written. */
export const PLAIN: RegExp = new RegExp(`^\\d{1,${MOST_WHOLE_DIGITS}}(\\.\\d{1,${MOST_PLACES}})?$`);
const ALLOWED = `a decimal of at least 0 (a string, or a number) with at most ${MOST_WHOLE_DIGITS} digits before the point and ${MOST_PLACES} behind it`;

export const NO_MONEY: Sum = new Big(0);

/**
 * The sum that a text or a number stands for. A number is the decimal that it is meant as: within 2^-50 of its own size of a
 * nine-place decimal that one (0.1 + 0.2 is 0.3), else the one that it prints as. `undefined` for anything else.
 */
export function sumOf(value: unknown): Sum | undefined {
  if (value === 0) return NO_MONEY;
  if (typeof value === "string") return PLAIN.test(value) ? new Big(value) : undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  const near = amountOf(value);
  const made = new Big(near === undefined ? value : amountToNumber(near));
  return PLAIN.test(made.toFixed()) ? made : undefined;
}

/** What a caller gives as money. */
export function checkMoney(value: unknown, what: string): Sum {
  const sum = sumOf(value);
  if (sum === undefined) throw invalid(what, value, ALLOWED);
  return sum;
}

/** As it is told: a plain decimal. */
export function textOf(sum: Sum): string {
  return sum.toFixed();
}

/** What was written by {@link textOf}, however many digits it has. */
export function sumIn(text: string): Sum {
  return text === "0" ? NO_MONEY : new Big(text);
}

/** Its whole part, and what is behind the point in units of the last place: of what came in, both exact. */
export function partsOf(sum: Sum): { readonly whole: number; readonly units: number } {
  const [whole = "0", places = ""] = sum.toFixed().split(".");
  return { whole: Number(whole), units: Number(places.padEnd(MOST_PLACES, "0")) };
}

/** a − b, or 0 where b is larger. */
export function lessToZero(a: Sum, b: Sum): Sum {
  return a.gt(b) ? a.minus(b) : NO_MONEY;
}

/** The largest Amount that is not above the sum, which must not be negative: what indexes compare first. */
export function amountBelow(sum: Sum): Amount {
  const [whole = "0", places = "0"] = sum.toFixed(9, Big.roundDown).split(".");
  return Number(whole) > Number.MAX_SAFE_INTEGER ? LARGEST : { whole: Number(whole), nano: Number(places) };
}
