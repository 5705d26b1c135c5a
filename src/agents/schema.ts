import { show } from "../coordination/structures/arguments.ts";
import type { StandardSchema } from "./agent.ts";

/** What a schema makes of a value, or in words what is wrong with it. */
export type Validated = { readonly value: unknown } | { readonly problem: string };

/** How many of a schema's complaints are told. */
const SHOWN_ISSUES = 5;

/** Checks a value. A schema that throws or answers nonsense has not accepted it. */
export async function validate(schema: StandardSchema<unknown>, value: unknown): Promise<Validated> {
  let result: unknown;
  try {
    result = await schema["~standard"].validate(value);
  } catch (error) {
    return { problem: `the schema threw ${error instanceof Error ? error.message : show(error)}` };
  }
  if (typeof result !== "object" || result === null) return { problem: `the schema answered ${show(result)}` };
  const issues: unknown = Reflect.get(result, "issues");
  if (issues !== undefined) return { problem: describe(issues) };
  return { value: Reflect.get(result, "value") };
}

function describe(issues: unknown): string {
  if (!Array.isArray(issues) || issues.length === 0) return "it does not fit its schema";
  const told = issues.slice(0, SHOWN_ISSUES).map(describeOne).join("; ");
  return issues.length > SHOWN_ISSUES ? `${told}; and ${issues.length - SHOWN_ISSUES} more` : told;
}

function describeOne(issue: unknown): string {
  if (typeof issue !== "object" || issue === null) return show(issue);
  const message: unknown = Reflect.get(issue, "message");
  const path: unknown = Reflect.get(issue, "path");
  const steps = Array.isArray(path) ? path.map(step).join(".") : "";
  return steps === "" ? String(message) : `${steps}: ${String(message)}`;
}

/** A path's step is a key, or an object that has one. */
function step(part: unknown): string {
  return String(typeof part === "object" && part !== null ? Reflect.get(part, "key") : part);
}
