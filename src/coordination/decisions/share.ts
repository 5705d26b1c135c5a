import type { Amount } from "../structures/amount.ts";
import { checkKeys, invalid } from "../structures/arguments.ts";
import type { Quorum, Threshold } from "./election.ts";

/** A part of a whole that must be reached, or exceeded: exact, because every decimal and every quotient is kept as a fraction. */
export interface Share {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly mustExceed: boolean;
}

const ALLOWED = 'a number from 0 to 1, or { atLeast: "a/b" } with whole numbers of at most 15 digits, b > 0 and a ≤ b';

/** A number, or `atLeast`: either is reached. */
export function checkQuorum(value: Quorum): Share {
  return checkShare(value, "quorum", false);
}

/** A number is exceeded; `atLeast` is reached. */
export function checkThreshold(value: Threshold): Share {
  return checkShare(value, "threshold", typeof value === "number");
}

/** Whether `part` of `whole` is the share that is asked for. */
export function meets(share: Share, part: bigint, whole: bigint): boolean {
  const difference = part * share.denominator - share.numerator * whole;
  return share.mustExceed ? difference > 0n : difference >= 0n;
}

/** An amount as a whole number of billionths. */
export function nanosOf(amount: Amount): bigint {
  return BigInt(amount.whole) * 1_000_000_000n + BigInt(amount.nano);
}

function checkShare(value: number | { readonly atLeast: string }, what: string, mustExceed: boolean): Share {
  if (typeof value === "number") return { ...checkDecimal(value, what), mustExceed };
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(what, value, ALLOWED);
  checkKeys(value, ["atLeast"], what);
  return { ...checkFraction(value.atLeast, `${what}.atLeast`), mustExceed };
}

/** The decimal that the number prints as: 0.1 is one tenth, not the double that is nearest to it. */
function checkDecimal(value: number, what: string): { numerator: bigint; denominator: bigint } {
  const printed = value >= 0 && value <= 1 ? /^(\d+)(?:\.(\d+))?(?:e-(\d+))?$/.exec(String(value)) : null;
  if (printed === null) throw invalid(what, value, ALLOWED);
  const [, units = "", decimals = "", exponent = "0"] = printed;
  return { numerator: BigInt(units + decimals), denominator: 10n ** BigInt(decimals.length + Number(exponent)) };
}

function checkFraction(value: unknown, what: string): { numerator: bigint; denominator: bigint } {
  const [, above = "1", below = "0"] = (typeof value === "string" && /^(\d{1,15})\/(\d{1,15})$/.exec(value)) || [];
  const fraction = { numerator: BigInt(above), denominator: BigInt(below) };
  if (fraction.denominator === 0n || fraction.numerator > fraction.denominator) {
    throw invalid(what, value, 'a fraction from 0 to 1 such as "2/3", with whole numbers of at most 15 digits');
  }
  return fraction;
}
