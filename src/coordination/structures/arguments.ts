/**
 * Checks of what callers hand in, shared by all systems. Each refuses with INVALID_ARGUMENT and a message that names the
 * thing, the value and what is allowed, and returns the value as what it was found to be.
 */
import { SafeguardsError } from "../../errors.ts";
import { type Amount, amountOf } from "./amount.ts";
import type { RecordOf } from "./types.ts";

const MAX_ID_LENGTH = 256;
const MAX_PRIORITY = 1_000_000;
const DEFAULT_PRIORITY = 5;
const A_RECORD = "an object or a Map";
const SHOWN_CHARACTERS = 80;
const SHOWN_KEYS = 8;

/** What to throw when `what` is not what it must be. */
export function invalid(what: string, value: unknown, allowed: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `${what} is ${show(value)}; it must be ${allowed}`);
}

/** An id or a name: 1 to 256 characters without a slash. `__proto__` and `constructor` are as good as any. */
export function checkId(value: unknown, what: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= MAX_ID_LENGTH && !value.includes("/")) {
    return value;
  }
  throw invalid(what, value, `a string of 1 to ${MAX_ID_LENGTH} characters without "/"`);
}

/** An object of options that has no key but those allowed. */
export function checkKeys(value: unknown, allowed: readonly string[], what: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(what, value, "an object");
  for (const key of Object.keys(value)) {
    if (allowed.includes(key)) continue;
    const list = allowed.length === 0 ? "none" : allowed.join(", ");
    throw new SafeguardsError("INVALID_ARGUMENT", `${what} has the unknown key ${show(key)}; allowed: ${list}`);
  }
}

/** A decimal of at most nine places, from 0 or from above it. */
export function checkAmount(value: unknown, what: string, options: { readonly zero: boolean }): Amount {
  const amount = typeof value === "number" ? amountOf(value) : undefined;
  if (amount !== undefined && (options.zero || value !== 0)) return amount;
  const least = options.zero ? "at least 0" : "greater than 0";
  throw invalid(what, value, `a number ${least} and at most 2^53 - 1, with at most nine decimals`);
}

/** An integer between two bounds, both allowed. */
export function checkInteger(value: unknown, what: string, min: number, max: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw invalid(what, value, `an integer from ${min} to ${max}`);
}

/** A priority, 5 when none is given. */
export function checkPriority(value: unknown, what = "priority"): number {
  return value === undefined ? DEFAULT_PRIORITY : checkInteger(value, what, -MAX_PRIORITY, MAX_PRIORITY);
}

/** An instant, in milliseconds. */
export function checkTime(value: unknown, what = "now"): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw invalid(what, value, "a finite number of milliseconds");
}

/** A duration in milliseconds: above 0 and finite, but where zero or Infinity is allowed. */
export function checkDuration(
  value: unknown,
  what: string,
  options: { readonly infinity?: boolean; readonly zero?: boolean } = {},
): number {
  if (typeof value === "number") {
    if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
    if (value === 0 && options.zero === true) return 0;
    if (value === Number.POSITIVE_INFINITY && options.infinity === true) return value;
  }
  const least = options.zero === true ? "at least 0" : "greater than 0";
  const most = options.infinity === true ? "; Infinity is allowed" : " and finite";
  throw invalid(what, value, `a number of milliseconds ${least}${most}`);
}

/** What a Map or an object holds, by its own keys, in its own order. Keys must be ids. `allowed`: what else it could be. */
export function entriesOf<V>(record: RecordOf<V>, what: string, allowed: string = A_RECORD): [string, V][] {
  const entries = isMap(record) ? [...record] : Object.entries(checkRecord(record, what, allowed));
  const key = `a key of ${what}`;
  for (const entry of entries) checkId(entry[0], key);
  return entries;
}

/** The same as two lists in step, which is a quarter of the work. What getters and proxies change meanwhile is their affair. */
export function columnsOf<V>(record: RecordOf<V>, what: string): { readonly keys: string[]; readonly values: V[] } {
  const columns = isMap(record)
    ? { keys: [...record.keys()], values: [...record.values()] }
    : { keys: Object.keys(checkRecord(record, what)), values: Object.values(record) };
  const key = `a key of ${what}`;
  for (const each of columns.keys) checkId(each, key);
  return columns;
}

function isMap<V>(record: RecordOf<V>): record is ReadonlyMap<string, V> {
  return record instanceof Map;
}

/** Lists and sets are refused rather than read as records without entries. */
function checkRecord<V>(
  record: Readonly<Record<string, V>>,
  what: string,
  allowed: string = A_RECORD,
): Readonly<Record<string, V>> {
  if (typeof record === "object" && record !== null && !(Symbol.iterator in record)) return record;
  throw invalid(what, record, allowed);
}

/** Names of which none is there twice, as a set. */
export function checkDistinct(names: readonly string[], what: string): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new SafeguardsError("INVALID_ARGUMENT", `${what} has ${show(name)} twice`);
    seen.add(name);
  }
  return seen;
}

/** An empty record in which every id is a plain key. */
export function nullRecord<V>(): Record<string, V> {
  return Object.create(null);
}

/** Any value, shortly (at most 80 characters), for a message. Never throws. */
export function show(value: unknown): string {
  return shorten(print(value, 2));
}

function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`;
}

function print(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.slice(0, SHOWN_CHARACTERS));
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return value < 2n ** 256n && value > -(2n ** 256n) ? `${value}n` : "a huge bigint";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : printObject(value, depth);
    default:
      return String(value);
  }
}

/** Getters are not called, but a proxy may still throw whatever it likes. */
function printObject(value: object, depth: number): string {
  try {
    const isList = Array.isArray(value);
    const keys = Object.keys(value);
    const parts = depth === 0 && keys.length > 0 ? ["…"] : keys.slice(0, SHOWN_KEYS).map(part);
    if (keys.length > parts.length && depth > 0) parts.push("…");
    return isList ? `[${parts.join(", ")}]` : `{${parts.join(", ")}}`;

    function part(key: string): string {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      const shown = descriptor !== undefined && "value" in descriptor ? print(descriptor.value, depth - 1) : "…";
      return isList ? shown : `${JSON.stringify(key)}: ${shown}`;
    }
  } catch {
    return "an object";
  }
}
