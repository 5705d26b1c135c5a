import {
  checkDuration,
  checkId,
  checkInteger,
  entriesOf,
  invalid,
  show,
} from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { type CoordinatorOptions, resourceOf } from "../runtime/coordinator-options.ts";
import { checkFunction, checkOptions } from "../runtime/options.ts";
import type { Outcome, TaskSpec } from "../runtime/task.ts";
import { takeInAll } from "../runtime/task-request.ts";
import type { Agent } from "./agent.ts";
import { definitionOf } from "./definition.ts";

/** A crew: who is on it, what it has, and what it is to do. */
export interface CrewSpec {
  /** 1 to 256 characters without `/`. */
  readonly name: string;
  /** At least one, each name once. */
  readonly agents: readonly Agent[];
  /** Its tasks, or what makes them of the run's input. */
  readonly tasks: readonly TaskSpec[] | ((input: Json) => readonly TaskSpec[] | Promise<readonly TaskSpec[]>);
  readonly resources?: NonNullable<CoordinatorOptions["resources"]>;
  /** As in {@link CoordinatorOptions}. */
  readonly concurrency?: number;
  readonly agingMs?: number;
  readonly protectAfterMs?: number;
  /** What to make of the outcomes at the end: the crew's own output. */
  readonly output?: (outcomes: readonly Outcome[]) => Json | Promise<Json>;
}

const KEYS = {
  known: ["name", "agents", "tasks", "resources", "concurrency", "agingMs", "protectAfterMs", "output"],
  later: ["budgets", "guardrails"],
};

/**
 * Checks a crew and gives it back: the default export of a crew file. INVALID_ARGUMENT for anything that is not as
 * {@link CrewSpec} says.
 *
 * @example
 * ```ts
 * import { command, defineAgent, defineCrew } from "safeguards";
 * export default defineCrew({
 *   name: "nightly",
 *   agents: [defineAgent({ name: "linter", skills: ["typescript"], run: command(["node", "tools/lint.mjs"]) })],
 *   tasks: [{ id: "lint", skills: ["typescript"], input: { path: "src" } }],
 *   concurrency: 4,
 * });
 * ```
 */
export function defineCrew(spec: CrewSpec): CrewSpec {
  checkOptions(spec, KEYS, "a crew");
  const name = checkId(spec.name, "the name of a crew");
  const what = `crew ${show(name)}`;
  checkAgents(spec.agents, what);
  if (typeof spec.tasks !== "function") takeInAll(spec.tasks, `tasks of ${what}`);
  if (spec.output !== undefined) checkFunction(spec.output, `output of ${what}`);
  for (const [id, resource] of entriesOf(spec.resources ?? {}, `resources of ${what}`)) resourceOf(id, resource);
  if (spec.concurrency !== undefined) checkInteger(spec.concurrency, `concurrency of ${what}`, 1, 1_000_000);
  for (const key of ["agingMs", "protectAfterMs"] as const) {
    if (spec[key] !== undefined) checkDuration(spec[key], `${key} of ${what}`, { infinity: true, zero: true });
  }
  return Object.freeze({ ...spec });
}

function checkAgents(agents: unknown, what: string): void {
  if (!Array.isArray(agents) || agents.length === 0)
    throw invalid(`agents of ${what}`, agents, "a list of at least one agent");
  const names = new Set<string>();
  for (const agent of agents) {
    const { name } = definitionOf(agent).description;
    if (names.has(name))
      throw new SafeguardsError("INVALID_ARGUMENT", `${what} has two agents with the name ${show(name)}`);
    names.add(name);
  }
}
