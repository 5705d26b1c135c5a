/** An agent as the runtime knows it: what the kernel is told of it, and its code. */
import { checkAmount, checkId, entriesOf, invalid, nullRecord, show } from "../coordination/structures/arguments.ts";
import type { RecordOf } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { AgentDescription } from "../kernel/commands.ts";
import type { Outcome } from "../runtime/task.ts";
import type { Agent, AgentContext, ManagerContext, StandardSchema, Task, Voter } from "./agent.ts";

/** Where the code of an isolated agent is, and what its thread may take. */
export interface IsolatedOptions {
  /** A URL. */
  readonly module: string;
  readonly memoryMb: number;
  readonly leaseMs: number;
}

/** An agent that does its tasks itself. */
export interface WorkerDefinition {
  readonly kind: "agent";
  readonly description: AgentDescription;
  readonly vote?: Voter;
  readonly input?: StandardSchema<unknown>;
  readonly output?: StandardSchema<unknown>;
  /** Its code runs in a thread of its own, and is not here. */
  readonly isolated?: IsolatedOptions;
  run?(task: Task, ctx: AgentContext): unknown;
  /** Takes tasks together, and is what does them where it is there. */
  readonly runBatch?: (tasks: readonly Task[], contexts: readonly AgentContext[]) => unknown;
}

/** An agent that has its tasks done by its team. */
export interface ManagerDefinition {
  readonly kind: "manager";
  readonly description: AgentDescription;
  plan(task: Task, ctx: ManagerContext): unknown;
  aggregate(task: Task, results: readonly Outcome[], ctx: ManagerContext): unknown;
}

export type Definition = WorkerDefinition | ManagerDefinition;

const definitions = new WeakMap<object, Definition>();

/** What the user gets for a definition. */
export function agentOf(definition: Definition): Agent {
  const agent: Agent = Object.freeze({ name: definition.description.name });
  definitions.set(agent, definition);
  return agent;
}

/** The definition behind what a user hands in. */
export function definitionOf(agent: unknown): Definition {
  const definition = typeof agent === "object" && agent !== null ? definitions.get(agent) : undefined;
  if (definition !== undefined) return definition;
  throw invalid("agent", agent, "what defineAgent or defineManager returned");
}

export function checkName(value: unknown): string {
  return checkId(value, "the name of an agent");
}

/** Skills as a record of levels. */
export function checkSkills(
  skills: readonly string[] | RecordOf<number> | undefined,
  name: string,
): Record<string, number> {
  const levels = nullRecord<number>();
  if (skills === undefined) return levels;
  if (isList(skills)) {
    for (const skill of skills) levels[checkId(skill, `a skill of ${show(name)}`)] = 1;
    return levels;
  }
  for (const [skill, level] of entriesOf(skills, `skills of ${show(name)}`)) {
    const what = `the level of skill ${show(skill)} of ${show(name)}`;
    if (typeof level !== "number" || !(level > 0 && level <= 1)) throw invalid(what, level, "above 0 and at most 1");
    checkAmount(level, what, { zero: false });
    levels[skill] = level;
  }
  return levels;
}

function isList(skills: readonly string[] | RecordOf<number>): skills is readonly string[] {
  return Array.isArray(skills);
}

/** A capacity or a weight, where one is given. */
export function checkSize(value: number | undefined, what: string): void {
  if (value !== undefined) checkAmount(value, what, { zero: true });
}

export function checkSchema(value: unknown, what: string): void {
  if (value === undefined) return;
  const standard: unknown =
    (typeof value === "object" || typeof value === "function") && value !== null
      ? Reflect.get(value, "~standard")
      : undefined;
  if (typeof standard === "object" && standard !== null) {
    if (typeof Reflect.get(standard, "validate") === "function" && Reflect.get(standard, "version") === 1) return;
  }
  throw new SafeguardsError("INVALID_ARGUMENT", `${what} is ${show(value)}; it must be a Standard Schema of version 1`);
}
