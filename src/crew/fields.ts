/**
 * What the fields of a crew may hold. Every schema carries, as its message, what is allowed there: what is wrong is put
 * before it from the value that was found.
 */
import * as z from "zod";
import { amountOf } from "../coordination/structures/amount.ts";
import { PLAIN, sumOf } from "../coordination/structures/money.ts";
import { isSafeguardsError } from "../errors.ts";
import { admit } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";

type Shape = Record<string, z.ZodType>;

/** A mapping that refuses every other key. */
export function mapping<S extends Shape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? `one of ${keys}` : `a mapping with ${keys}`),
  });
}

/** Whether a mapping that has the first key has the second too. */
export function needs(key: string, other: string): (mapping: Readonly<Record<string, unknown>>) => boolean {
  return (mapping) => mapping[key] === undefined || mapping[other] !== undefined;
}

export function listOf<T extends z.ZodType>(
  item: T,
  allowed: string,
  most: number = Number.POSITIVE_INFINITY,
): z.ZodArray<T> {
  const list = z.array(item, allowed);
  return most === Number.POSITIVE_INFINITY ? list : list.max(most, `${allowed}, at most ${most}`);
}

export function oneOf<const V extends readonly string[]>(...values: V): z.ZodType<V[number]> {
  return z.enum(values, values.length === 2 ? values.join(" or ") : `one of ${values.join(", ")}`);
}

export function text(allowed = "text", most: number = Number.POSITIVE_INFINITY): z.ZodString {
  const string = z.string(allowed);
  return most === Number.POSITIVE_INFINITY ? string : string.max(most, allowed);
}

/** An id or a name: what is not empty and has no slash. */
export function id(what = "text", most = 256): z.ZodString {
  const allowed = `${what} of 1 to ${most} characters without "/"`;
  return text(allowed, most)
    .min(1, allowed)
    .regex(/^[^/]*$/, allowed);
}

export function flag(): z.ZodBoolean {
  return z.boolean("true or false");
}

/** A share, a level: above 0, and 1 at most. */
export function level(): z.ZodNumber {
  const allowed = "a number above 0 and at most 1";
  return z.number(allowed).positive(allowed).max(1, allowed);
}

/** A decimal of at most nine places. */
export function amount(least: 0 | "above 0"): z.ZodNumber {
  const allowed = `a number ${least === 0 ? "of at least 0" : "above 0"}, with at most nine decimals`;
  const number = least === 0 ? z.number(allowed).min(0, allowed) : z.number(allowed).positive(allowed);
  return number.refine((value) => value < 0 || amountOf(value) !== undefined, allowed);
}

/** A decimal of at least 0: text, or a number. */
export function money(): z.ZodType {
  const allowed = "a decimal of at least 0, with at most 15 digits before the point and 15 behind it";
  return z
    .custom((value) => sumOf(value) !== undefined, allowed)
    .meta({
      anyOf: [
        { type: "string", pattern: PLAIN.source },
        { type: "number", minimum: 0 },
      ],
    });
}

export function whole(least: number, most?: number): z.ZodInt {
  const allowed =
    most === undefined ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  const number = z.int(allowed).min(least, allowed);
  return most === undefined ? number : number.max(most, allowed);
}

export function duration(least: 0 | "above 0"): z.ZodNumber {
  const allowed = `milliseconds ${least === 0 ? "of at least 0" : "above 0"}`;
  return least === 0 ? z.number(allowed).min(0, allowed) : z.number(allowed).positive(allowed);
}

/** Durations that may be without end. */
export function endless(least: 0 | "above 0"): z.ZodType {
  const allowed = `milliseconds ${least === 0 ? "of at least 0" : "above 0"}, or Infinity (in YAML .inf)`;
  const isAllowed = (value: unknown): boolean => typeof value === "number" && (least === 0 ? value >= 0 : value > 0);
  return z.custom(isAllowed, allowed).meta({ type: "number", [least === 0 ? "minimum" : "exclusiveMinimum"]: 0 });
}

const PAYLOAD = `JSON of at most ${runtimeLimits.inputBytes} bytes, nested at most 64 deep, with finite numbers`;
/** What an input or a context may be. */
export function payload(): z.ZodType {
  return z.unknown().superRefine((value, context) => {
    try {
      admit(value, "it", runtimeLimits.inputBytes);
    } catch (error) {
      if (!isSafeguardsError(error)) throw error;
      const path = Array.isArray(error.details?.path) ? error.details.path : [];
      context.addIssue({ code: "custom", path, message: PAYLOAD });
    }
  });
}
