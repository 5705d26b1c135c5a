/** When all has come to rest and nothing went wrong, whoever could run has run. */
import { type Amount, amountOf, atMost, ZERO } from "../coordination/structures/amount.ts";
import { entriesOf, show } from "../coordination/structures/arguments.ts";
import type { SkillRequirement } from "../coordination/structures/types.ts";
import type { AgentInfo, ResourceInfo, TaskInfo } from "../kernel/views.ts";
import type { TaskSpec } from "../runtime/task.ts";

/** What is wrong with a simulation without faults that has come to rest so. */
export function stranded(
  tasks: readonly TaskInfo[],
  specs: ReadonlyMap<string, TaskSpec>,
  agents: readonly AgentInfo[],
  resources: readonly ResourceInfo[],
): string[] {
  const capacities = new Map(resources.map(({ id, capacity }) => [id, capacity]));
  return tasks.flatMap(({ id, status }) => {
    if (status === "running") return [`task ${show(id)} is still running`];
    if (status !== "pending" && status !== "paused") return [];
    const spec = specs.get(id);
    if (spec === undefined || !fits(spec, capacities) || !agents.some((agent) => takes(agent, spec))) return [];
    return [`task ${show(id)} was never started, and there is room for it`];
  });
}

function fits({ resources }: TaskSpec, capacities: ReadonlyMap<string, number>): boolean {
  return entriesOf(resources ?? {}, "resources").every(([id, amount]) =>
    atMost(of(amount), of(capacities.get(id) ?? 0)),
  );
}

function takes({ name, skills, capacity }: AgentInfo, spec: TaskSpec): boolean {
  if (spec.agent !== undefined && spec.agent !== name) return false;
  return atMost(of(spec.load ?? 1), of(capacity)) && (spec.skills ?? []).every((required) => has(skills, required));
}

function has(skills: Readonly<Record<string, number>>, required: SkillRequirement): boolean {
  const { skill, level } = typeof required === "string" ? { skill: required, level: 0 } : required;
  return (skills[skill] ?? -1) >= level;
}

function of(value: number): Amount {
  return amountOf(value) ?? ZERO;
}
