/** When nothing more can happen, whoever could run has run, whatever went wrong on the way. */
import { type Amount, amountOf, atMost, ZERO } from "../coordination/structures/amount.ts";
import { entriesOf, show } from "../coordination/structures/arguments.ts";
import type { SkillRequirement } from "../coordination/structures/types.ts";
import type { AgentInfo, ResourceInfo, TaskInfo } from "../kernel/views.ts";
import type { TaskSpec } from "../runtime/task.ts";

/** What there is when all has come to rest. */
export interface Rest {
  readonly tasks: readonly TaskInfo[];
  readonly agents: readonly AgentInfo[];
  readonly resources: readonly ResourceInfo[];
  readonly specs: ReadonlyMap<string, TaskSpec>;
  /** The tasks whose code will never answer, and that nothing stops. */
  readonly hanging: ReadonlySet<string>;
}

/** Who should not be where it is. */
export function stranded({ tasks, agents, resources, specs, hanging }: Rest): string[] {
  const open = new Set(tasks.filter(({ endedAt }) => endedAt === undefined).map(({ id }) => id));
  const capacities = new Map(resources.map(({ id, capacity }) => [id, capacity]));
  const mayStart = (spec: TaskSpec): boolean =>
    hanging.size === 0 && fits(spec, capacities) && agents.some((agent) => takes(agent, spec));
  return tasks.flatMap(({ id, status }) => {
    const spec = specs.get(id) ?? {};
    if (!open.has(id)) return [];
    if (status === "running") return hanging.has(id) ? [] : [`task ${show(id)} runs for ever`];
    if ((spec.dependsOn ?? []).some((on) => open.has(typeof on === "string" ? on : on.id))) return [];
    if (status === "blocked") return [`task ${show(id)} is blocked by nothing`];
    return mayStart(spec) ? [`task ${show(id)} waits for ever, and there is room for it`] : [];
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
