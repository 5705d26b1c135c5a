import type { Agent } from "../agents/agent.ts";
import { definitionOf } from "../agents/definition.ts";
import { nullRecord } from "../coordination/structures/arguments.ts";
import type { Json, Money, RecordOf } from "../coordination/structures/types.ts";
import type { Guardrail } from "../guardrails/guardrail.ts";
import type { ResourceKind } from "../kernel/events/resources.ts";
import type { Outcome, TaskSpec } from "../runtime/task.ts";
import { crossCheck } from "./cross-check.ts";
import { crewError, type Flaw } from "./fault.ts";
import { flawsOf } from "./flaws.ts";
import { type AgentOutline, outlineOfBudgets, outlineOfResources, outlineOfTasks, skillsOf } from "./outline.ts";
import { crewSpec, isAgent } from "./schema.ts";

/** A crew: agents, what they share, and the tasks that a run of it does. */
export interface CrewSpec {
  /** 1 to 200 characters without `/`. Names the journal that the command line keeps. */
  readonly name: string;
  readonly agents: readonly Agent[];
  /** Their ids are local to the run; or a function from the run's input to them. */
  readonly tasks: readonly TaskSpec[] | ((input: Json) => readonly TaskSpec[] | Promise<readonly TaskSpec[]>);
  /** `per` makes it a rate: `capacity` each `per` milliseconds. */
  readonly resources?:
    | RecordOf<{ readonly type: ResourceKind; readonly capacity: number; readonly per?: number }>
    | undefined;
  /** Look at the inputs and outputs of its tasks, and of the run itself, and at what its agents do. Default: none. */
  readonly guardrails?: readonly Guardrail[];
  /** What its tasks are paid from: each from the one that it names, or from one called `default`, if there is one. */
  readonly budgets?: RecordOf<{ readonly limit: Money; readonly parent?: string }> | undefined;
  /** Tasks that run at once. Default: 64. */
  readonly concurrency?: number;
  /** Milliseconds of waiting that outweigh one step of priority. Default: off. */
  readonly agingMs?: number;
  /** Milliseconds after which the first in order is kept from being overtaken for ever. Default: 30 000. */
  readonly protectAfterMs?: number;
  /** What to make of the outcomes of its tasks at the end: the crew's own output. Default: nothing. */
  readonly output?: (outcomes: readonly Outcome[]) => Json | Promise<Json>;
}

/**
 * A crew, to be the default export of a module that `safeguards run` is given. Throws INVALID_ARGUMENT with everything
 * that is wrong with it: unknown keys, wrong values, names that nothing has, tasks that nobody in it can do.
 *
 * @example
 * ```ts
 * import { command, defineAgent, defineCrew } from "safeguards";
 * export default defineCrew({
 *   name: "nightly-review",
 *   agents: [defineAgent({ name: "linter", skills: ["typescript"], run: command(["node", "tools/lint.mjs"]) })],
 *   tasks: [{ id: "lint", skills: ["typescript"], input: { path: "src" } }],
 * });
 * ```
 */
export function defineCrew(spec: CrewSpec): CrewSpec {
  const flaws = flawsOfCrew(spec);
  if (flaws.length > 0) throw crewError("defineCrew", flaws);
  return Object.freeze({ ...spec });
}

/** The name of the manager that stands for a run of the crew of this name; no agent of the crew may be called so. */
export function runManagerName(crew: string): string {
  return `(${crew})`;
}

/** All that is wrong with a crew. */
function flawsOfCrew(spec: unknown): Flaw[] {
  const crew = withPlainRecords(spec);
  const { name, agents, tasks } = isRecord(crew) ? crew : {};
  const outline = {
    agents: Array.isArray(agents) ? agents.flatMap(outlineOfAgent) : [],
    resources: outlineOfResources(crew),
    budgets: outlineOfBudgets(crew),
    tasks: outlineOfTasks(tasks, ["tasks"]),
  };
  return [...flawsOf(crewSpec, crew), ...crossCheck(outline, typeof name === "string" ? runManagerName(name) : "")];
}

/** Of what is no agent none: the schema tells that. */
function outlineOfAgent(agent: unknown, index: number): AgentOutline[] {
  if (!isAgent(agent)) return [];
  const { name, skills, capacity = 1, team, votes = false } = definitionOf(agent).description;
  const path = ["agents", index];
  return [
    {
      path,
      name,
      skills: skillsOf(skills),
      capacity,
      votes,
      ...(team === undefined
        ? {}
        : { team: team.map((member, at) => ({ name: member, path: [...path, "team", at] })) }),
    },
  ];
}

/** Resources, amounts and budgets may be Maps; what is checked, and told by paths, are objects. */
function withPlainRecords(spec: unknown): unknown {
  if (!isRecord(spec)) return spec;
  const { tasks } = spec;
  const plainTasks = Array.isArray(tasks) ? tasks.map((task: unknown) => withPlain(task, "resources")) : tasks;
  const plain = { ...spec, ...(tasks === undefined ? {} : { tasks: plainTasks }) };
  return withPlain(withPlain(plain, "resources"), "budgets");
}

function withPlain(holder: unknown, key: "resources" | "budgets"): unknown {
  if (!isRecord(holder)) return holder;
  const given = holder[key];
  if (!(given instanceof Map)) return holder;
  const plain = nullRecord<unknown>();
  for (const [id, value] of given) plain[String(id)] = value;
  return { ...holder, [key]: plain };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
