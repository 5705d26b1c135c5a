/** Says, in words and with paths, how data differs from a schema: all of it at once. */
import type * as z from "zod";
import { show } from "../coordination/structures/arguments.ts";
import { type Flaw, formatPath, type Path, valueAt } from "./fault.ts";

/** Words of the crew format that this version does not have yet, by what they are about. */
const LATER: ReadonlyMap<string, string> = new Map([
  ["url", "agents reached over A2A"],
  ["vote", "votes by commands"],
]);

/** All that is wrong with the shape of `data`. */
export function flawsOf(schema: z.ZodType, data: unknown): Flaw[] {
  const parsed = schema.safeParse(data);
  if (parsed.success) return [];
  const flaws = parsed.error.issues.flatMap((issue) => describe(issue, [], data));
  return flaws.filter((flaw, index) => flaws.findIndex((other) => other.message === flaw.message) === index);
}

function describe(issue: z.core.$ZodIssue, prefix: Path, data: unknown): Flaw[] {
  const path = [...prefix, ...steps(issue.path)];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: "key",
        message: unknownKey(path, key, issue.message),
      }));
    case "invalid_key":
      return describeKey(path, issue);
    case "invalid_union":
      return describeUnion(issue, path, data);
    default:
      return [{ path, message: mismatch(path, data, issue.message) }];
  }
}

function mismatch(path: Path, data: unknown, allowed: string): string {
  const value = valueAt(data, path);
  return value === undefined
    ? `${formatPath(path)} is missing — ${allowed}`
    : `${formatPath(path)} is ${show(value)} — ${allowed}`;
}

function unknownKey(path: Path, key: string, allowed: string): string {
  const later = LATER.get(key);
  if (later !== undefined) return `${formatPath([...path, key])}: ${later} are not in this version yet — ${allowed}`;
  return `${formatPath(path)} has the unknown key ${show(key)} — ${allowed}`;
}

/** A key of a record, such as a resource's id. The path of the issue ends with the key. */
function describeKey(path: Path, issue: z.core.$ZodIssueInvalidKey): Flaw[] {
  const key = path.at(-1);
  const allowed = issue.issues[0]?.message ?? issue.message;
  return [{ path, at: "key", message: `${formatPath(path.slice(0, -1))} has the key ${show(key)} — ${allowed}` }];
}

/** The issues of the alternative that was meant: the one that the value itself is fit for; none or several: all at once. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, data: unknown): Flaw[] {
  const meant = issue.errors.filter((alternative) => alternative.every((inner) => !isAboutAll(inner)));
  const only = meant.length === 1 ? meant[0] : undefined;
  if (only === undefined) return [{ path, message: mismatch(path, data, issue.message) }];
  return only.flatMap((inner) => describe(inner, path, data));
}

function isAboutAll(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && issue.code !== "unrecognized_keys";
}

function steps(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}
