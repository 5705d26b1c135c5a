import { invalid, show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { checkFunction, checkOptional, checkOptions } from "../runtime/options.ts";
import type { Agent, ManagerSpec } from "./agent.ts";
import { agentOf, checkName, checkSize, checkSkills, type ManagerDefinition } from "./definition.ts";
import { merge } from "./merge.ts";

const KEYS = {
  known: ["name", "description", "skills", "team", "capacity", "plan", "aggregate", "minSuccess", "failFast"],
};

/**
 * A manager: it turns its task into subtasks for its team, and their outcomes into its output. While they run it holds
 * nothing. `INVALID_ARGUMENT` for anything that is not as {@link ManagerSpec} says.
 *
 * @example
 * ```ts
 * import { defineManager } from "safeguards";
 * const lead = defineManager<{ files: string[] }>({
 *   name: "lead",
 *   skills: ["review"],
 *   team: ["reviewer"],
 *   plan: (task) => task.input.files.map((path) => ({ input: { path } })),
 * });
 * ```
 */
export function defineManager<I extends Json = Json, O extends Json = Json>(spec: ManagerSpec<I, O>): Agent {
  checkOptions(spec, KEYS, "a manager");
  const name = checkName(spec.name);
  const { description, capacity, minSuccess, failFast } = spec;
  checkOptional(description, "string", `the description of manager ${show(name)}`);
  checkSize(capacity, `the capacity of manager ${show(name)}`);
  checkOptional(failFast, "boolean", `failFast of manager ${show(name)}`);
  checkMinSuccess(minSuccess, name);
  checkFunction(spec.plan, `plan of manager ${show(name)}`);
  if (spec.aggregate !== undefined) checkFunction(spec.aggregate, `aggregate of manager ${show(name)}`);
  const definition: ManagerDefinition = {
    kind: "manager",
    description: {
      name,
      kind: "manager",
      skills: checkSkills(spec.skills, name),
      team: checkTeam(spec.team, name),
      ...(description === undefined ? {} : { description }),
      ...(capacity === undefined ? {} : { capacity }),
      ...(minSuccess === undefined ? {} : { minSuccess }),
      ...(failFast === undefined ? {} : { failFast }),
    },
    plan: spec.plan.bind(spec),
    aggregate: spec.aggregate?.bind(spec) ?? ((_task, results) => merge(results)),
  };
  return agentOf(definition);
}

/** A list of names, each once. */
export function checkTeam(team: unknown, manager: string): readonly string[] {
  const what = `the team of manager ${show(manager)}`;
  if (!Array.isArray(team)) throw invalid(what, team, "a list of names of agents");
  const names = new Set<string>(team.map(checkName));
  if (names.size < team.length) throw invalid(what, team, "a list that names nobody twice");
  return [...names];
}

function checkMinSuccess(value: unknown, name: string): void {
  if (value === undefined || value === "all" || value === "any") return;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return;
  throw invalid(`minSuccess of manager ${show(name)}`, value, '"all", "any" or an integer of at least 0');
}
