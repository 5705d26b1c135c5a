import { isDeepStrictEqual } from "node:util";
import type { StandardSchema } from "../agents/agent.ts";
import { checkSchema } from "../agents/definition.ts";
import { checkId } from "../coordination/structures/arguments.ts";
import { isSafeguardsError } from "../errors.ts";
import { admit } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import { checkPoint, type GuardedPoint, type Guardrail, type Verdict } from "./guardrail.ts";

/** What {@link matchesSchema} takes. */
export interface MatchesSchemaOptions {
  /** What must fit: inputs, outputs, or the arguments of actions. */
  readonly on: GuardedPoint;
  /** Any Standard Schema: of zod, valibot, arktype and others. What it makes of a value is used from then on, and must be JSON. */
  readonly schema: StandardSchema<unknown>;
  /** Default: `matches-schema`. */
  readonly name?: string;
}

/** Steps of a path that are told as they are; others might be data. */
const PLAIN_STEP = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const SHOWN_PLACES = 5;

/**
 * Lets pass what fits a schema, as the schema makes it; blocks the rest. The reason names the places that do not fit, and
 * nothing of what is there. INVALID_ARGUMENT for what is no Standard Schema of version 1.
 *
 * @example
 * ```ts
 * import { Coordinator, matchesSchema } from "safeguards";
 * import * as z from "zod";
 * const report = z.object({ title: z.string().max(80), score: z.number() });
 * await using coordinator = await Coordinator.open({ guardrails: [matchesSchema({ on: "output", schema: report })] });
 * ```
 */
export function matchesSchema(options: MatchesSchemaOptions): Guardrail {
  checkOptions(options, { known: ["on", "schema", "name"] }, "the options of matchesSchema");
  const { on, schema, name = "matches-schema" } = options;
  checkSchema(schema ?? null, "the schema of matchesSchema");
  return {
    name: checkId(name, "name of matchesSchema"),
    on: checkPoint(on, "on of matchesSchema"),
    check: async ({ value }): Promise<Verdict> => {
      const result: unknown = await schema["~standard"].validate(value);
      if (typeof result !== "object" || result === null) return { allow: false, reason: "its schema gave no answer" };
      const issues: unknown = Reflect.get(result, "issues");
      if (issues !== undefined) return { allow: false, reason: whereOf(issues) };
      const made = asJson(Reflect.get(result, "value"));
      if (made === undefined) return { allow: false, reason: "what its schema makes of it is no JSON" };
      return isDeepStrictEqual(made.json, value) ? { allow: true } : { allow: true, value: made.json };
    },
  };
}

function asJson(value: unknown): ReturnType<typeof admit> | undefined {
  try {
    return admit(value, "what a schema makes of it", runtimeLimits.outputBytes);
  } catch (error) {
    if (isSafeguardsError(error)) return undefined;
    throw error;
  }
}

/** A schema's own words may repeat the value: only where it does not fit is told. */
function whereOf(issues: unknown): string {
  const list: readonly unknown[] = Array.isArray(issues) ? issues : [];
  const places = [...new Set(list.slice(0, SHOWN_PLACES).map(placeOf))].join(", ");
  const more = list.length > SHOWN_PLACES ? ` and ${list.length - SHOWN_PLACES} more` : "";
  return places === "" ? "it does not fit its schema" : `it does not fit its schema at ${places}${more}`;
}

function placeOf(issue: unknown): string {
  const path: unknown = typeof issue === "object" && issue !== null ? Reflect.get(issue, "path") : undefined;
  return Array.isArray(path) && path.length > 0 ? path.map(stepOf).join(".") : "its root";
}

function stepOf(part: unknown): string {
  const key: unknown = typeof part === "object" && part !== null ? Reflect.get(part, "key") : part;
  if (typeof key === "number") return String(key);
  return typeof key === "string" && PLAIN_STEP.test(key) ? key : "…";
}
