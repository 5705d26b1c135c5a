/**
 * The shape of a crew, and of what its file may say. Every schema carries, as its message, what is allowed there: what is
 * wrong is put before it from the value that was found. Names that must exist elsewhere in the crew are checked by
 * `cross-check.ts`.
 */
import * as z from "zod";
import type { Agent } from "../agents/agent.ts";
import { definitionOf } from "../agents/definition.ts";
import { amountOf } from "../coordination/structures/amount.ts";
import { isSafeguardsError } from "../errors.ts";
import { limits } from "../kernel/limits.ts";
import { admit } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";

type Shape = Record<string, z.ZodType>;

/** A mapping that refuses every other key. */
function mapping<S extends Shape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? `one of ${keys}` : `a mapping with ${keys}`),
  });
}

function listOf<T extends z.ZodType>(item: T, allowed: string): z.ZodArray<T> {
  return z.array(item, allowed);
}

function atMost<T extends z.ZodType>(list: z.ZodArray<T>, most: number): z.ZodArray<T> {
  return list.max(most, `at most ${most}`);
}

function oneOf<const V extends readonly string[]>(...values: V): z.ZodType<V[number]> {
  return z.enum(values, values.length === 2 ? values.join(" or ") : `one of ${values.join(", ")}`);
}

const ID = 'text of 1 to 256 characters without "/"';
const id = z
  .string(ID)
  .min(1, ID)
  .max(256, ID)
  .regex(/^[^/]*$/, ID);

const TEXT = "text";
const text = z.string(TEXT);

const FLAG = "true or false";
const flag = z.boolean(FLAG);

/** A decimal of at most nine places. */
function amount(least: 0 | "above 0"): z.ZodNumber {
  const allowed = `a number ${least === 0 ? "of at least 0" : "above 0"}, with at most nine decimals`;
  const number = least === 0 ? z.number(allowed).min(0, allowed) : z.number(allowed).positive(allowed);
  return number.refine((value) => value < 0 || amountOf(value) !== undefined, allowed);
}

function whole(least: number, most?: number): z.ZodInt {
  const allowed =
    most === undefined ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  const number = z.int(allowed).min(least, allowed);
  return most === undefined ? number : number.max(most, allowed);
}

function duration(least: 0 | "above 0"): z.ZodNumber {
  const allowed = `milliseconds ${least === 0 ? "of at least 0" : "above 0"}`;
  return least === 0 ? z.number(allowed).min(0, allowed) : z.number(allowed).positive(allowed);
}

/** Durations that may be without end. */
function endless(least: 0 | "above 0"): z.ZodType {
  const allowed = `milliseconds ${least === 0 ? "of at least 0" : "above 0"}, or Infinity (in YAML .inf)`;
  const number = least === 0 ? z.number(allowed).min(0, allowed) : z.number(allowed).positive(allowed);
  return z.union([z.literal(Number.POSITIVE_INFINITY, allowed), number], allowed);
}

const PAYLOAD = `JSON of at most ${runtimeLimits.inputBytes} bytes, nested at most 64 deep, with finite numbers`;
/** What an input or a context may be. */
const payload = z.unknown().superRefine((value, context) => {
  try {
    admit(value, "it", runtimeLimits.inputBytes);
  } catch (error) {
    if (!isSafeguardsError(error)) throw error;
    const path = Array.isArray(error.details?.path) ? error.details.path : [];
    context.addIssue({ code: "custom", path, message: PAYLOAD });
  }
});

const LEVEL = "a number above 0 and at most 1";
const level = z.number(LEVEL).positive(LEVEL).max(1, LEVEL);
const SKILLS = "a list of skills, or a mapping from skill to a level above 0 and at most 1";
const SKILL = 'the name of a skill: text of 1 to 256 characters without "/"';
const skill = z
  .string(SKILL)
  .min(1, SKILL)
  .max(256, SKILL)
  .regex(/^[^/]*$/, SKILL);
const skills = z.union([listOf(skill, SKILLS), z.record(skill, level, SKILLS)], SKILLS);
const requirement = z.union([skill, mapping({ skill, level })], "a skill, or a mapping with skill and level");

const AMOUNTS = "a mapping from resource to amount";
const DEPENDENCIES = "a list of task ids";

const FACTOR = "a number from 1 to 1000";
const retry = mapping({
  maxAttempts: whole(1, limits.attemptsPerTask).optional(),
  initialMs: duration(0).optional(),
  maxMs: duration(0).optional(),
  factor: z.number(FACTOR).min(1, FACTOR).max(1_000, FACTOR).optional(),
  jitter: flag.optional(),
});

/** A task, wherever one may be written: in a crew, in a plan, in what a plan's program prints. */
export const task: z.ZodType = mapping({
  id: id.optional(),
  name: z.string(TEXT).max(256, "text of at most 256 characters").optional(),
  input: payload.optional(),
  context: payload.optional(),
  skills: atMost(listOf(requirement, "a list of skills"), limits.skillsPerTask).optional(),
  agent: id.optional(),
  priority: whole(-1_000_000, 1_000_000).optional(),
  load: amount("above 0").optional(),
  dependsOn: atMost(listOf(id, DEPENDENCIES), limits.dependenciesPerTask).optional(),
  onDependencyFailure: oneOf("skip", "run").optional(),
  resources: z.record(id, amount("above 0"), AMOUNTS).optional(),
  timeoutMs: duration("above 0").optional(),
  deadlineMs: duration("above 0").optional(),
  estimatedMs: duration(0).optional(),
  graceMs: duration(0).optional(),
  retry: retry.optional(),
  preemptible: flag.optional(),
});

/** What a plan's program prints. */
export const tasks: z.ZodType = atMost(listOf(task, "a list of tasks"), limits.tasksPerSubmit);

const resource = mapping({
  type: oneOf("compute", "memory", "storage", "api_call", "data"),
  capacity: amount(0),
  per: duration("above 0").optional(),
});

const CREW = 'text of 1 to 200 characters without "/"';
const settings = {
  name: z
    .string(CREW)
    .min(1, CREW)
    .max(200, CREW)
    .regex(/^[^/]*$/, CREW),
  concurrency: whole(1).optional(),
  agingMs: endless("above 0").optional(),
  protectAfterMs: endless(0).optional(),
  resources: z.record(id, resource, "a mapping from resource to { type, capacity, per }").optional(),
};

const COMMAND = "a list of text: a program and its arguments";
const argv = listOf(text, COMMAND).min(1, COMMAND);
const program = {
  command: argv,
  cwd: text.optional(),
  env: z.record(text, text, "a mapping from variable to text").optional(),
  maxOutputBytes: whole(1).optional(),
};
const output = oneOf("json", "text");

const known = {
  name: id,
  description: text.optional(),
  skills: skills.optional(),
  capacity: amount(0).optional(),
};

const breaker = mapping({
  failureThreshold: whole(1).optional(),
  ratio: z.number(LEVEL).positive(LEVEL).max(1, LEVEL).optional(),
  minCalls: whole(1).optional(),
  windowMs: duration("above 0").optional(),
  resetMs: duration("above 0").optional(),
  halfOpenMax: whole(1).optional(),
});

const agent = mapping({
  ...known,
  weight: amount(0).optional(),
  breaker: breaker.optional(),
  ...program,
  output: output.optional(),
});

const SUCCESS = 'a whole number of at least 0, "all" or "any"';
const manager = mapping({
  ...known,
  team: listOf(id, "a list of names of agents and managers"),
  plan: z.union([tasks, mapping(program)], "a list of tasks, or { command: [program, arguments…] }"),
  aggregate: z
    .union(
      [z.enum(["merge", "collect"]), mapping({ ...program, output: output.optional() })],
      "merge, collect or { command: [program, arguments…] }",
    )
    .optional(),
  minSuccess: z.union([z.int().min(0), z.enum(["all", "any"])], SUCCESS).optional(),
  failFast: flag.optional(),
});

/** A crew in YAML. */
export const crewFile: z.ZodType = mapping({
  ...settings,
  agents: listOf(agent, "a list of agents").optional(),
  managers: listOf(manager, "a list of managers").optional(),
  tasks: atMost(listOf(task, "a list of tasks"), limits.tasksPerSubmit).min(1, "at least one task"),
});

const AGENT = "what defineAgent or defineManager returned";
const FUNCTION = "a function";
const aFunction = z.custom((value) => typeof value === "function", FUNCTION);

/** What `defineCrew` takes. Agents were checked when they were defined. */
export const crewSpec: z.ZodType = mapping({
  ...settings,
  agents: listOf(
    z.custom((value) => typeof value === "object" && value !== null, AGENT),
    `a list of ${AGENT}`,
  ),
  tasks: z.union([listOf(task, "a list of tasks"), aFunction], "a list of tasks, or a function from the input to one"),
  output: aFunction.optional(),
});

/** Whether `defineAgent` or `defineManager` returned this. */
export function isAgent(value: unknown): value is Agent {
  try {
    definitionOf(value);
    return true;
  } catch {
    return false;
  }
}
