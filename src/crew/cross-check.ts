/** Whether what a crew's parts refer to is there, and whether somebody in the crew can do each task. */
import { show } from "../coordination/structures/arguments.ts";
import { findCycle } from "../coordination/structures/dependency-graph.ts";
import { textOf } from "../coordination/structures/money.ts";
import { limits } from "../kernel/limits.ts";
import { type Flaw, formatPath, type Path } from "./fault.ts";
import {
  type AgentOutline,
  type BudgetOutline,
  type CrewOutline,
  DEFAULT_BUDGET,
  type NameAt,
  type TaskOutline,
} from "./outline.ts";

/** The run itself is a manager above all others. */
const MAX_TEAM_DEPTH = limits.managerDepth - 1;
/** More are not looked for: each costs a search of the whole graph. */
const MAX_CYCLES = 20;

/** All wrong references of a crew. `runName` is kept for the run itself. */
export function crossCheck(crew: CrewOutline, runName: string): Flaw[] {
  const agents = new Map<string, AgentOutline>();
  for (const agent of crew.agents) if (!agents.has(agent.name)) agents.set(agent.name, agent);
  return [
    ...duplicateNames(crew.agents, runName),
    ...crew.agents.flatMap((agent) => checkTeam(agent, agents)),
    ...checkTeams(crew.agents),
    ...checkBudgets(crew.budgets),
    ...checkTasks(
      crew.tasks.map((task) => paidFromDefault(task, crew)),
      crew,
      agents,
      agents,
    ),
    ...crew.agents.flatMap((agent) => checkPlan(agent, crew, agents)),
  ];
}

function duplicateNames(agents: readonly AgentOutline[], runName: string): Flaw[] {
  const first = new Map<string, AgentOutline>();
  return agents.flatMap((agent): Flaw[] => {
    const path = [...agent.path, "name"];
    if (agent.name === "") return [];
    if (agent.name === runName) {
      return [
        { path, message: `${formatPath(path)} is ${show(agent.name)}, which names the run itself — another name` },
      ];
    }
    const other = first.get(agent.name);
    if (other === undefined) {
      first.set(agent.name, agent);
      return [];
    }
    const message = `${formatPath(path)} is ${show(agent.name)}, as ${formatPath(other.path)} is — a name of its own`;
    return [{ path, message }];
  });
}

function checkTeam(manager: AgentOutline, agents: ReadonlyMap<string, AgentOutline>): Flaw[] {
  const seen = new Set<string>();
  return (manager.team ?? []).flatMap(({ name, path }): Flaw[] => {
    if (!agents.has(name)) {
      return [
        { path, message: `${formatPath(path)} is ${show(name)}, whom nobody is called — ${listed(agents.keys())}` },
      ];
    }
    if (seen.has(name)) return [{ path, message: `${formatPath(path)} is ${show(name)} again — each name once` }];
    seen.add(name);
    return [];
  });
}

/** Teams within teams must end, and not too deep. */
function checkTeams(agents: readonly AgentOutline[]): Flaw[] {
  const teams = new Map(agents.map((agent) => [agent.name, agent.team ?? []]));
  const cycles = cyclesIn(teams, "the teams go round");
  if (cycles.length > 0) return cycles;
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const team = teams.get(name) ?? [];
    const depth = team.length === 0 ? 0 : 1 + Math.max(...team.map((member) => depthOf(member.name)));
    depths.set(name, depth);
    return depth;
  };
  const tooDeep = agents.filter(({ name }) => depthOf(name) === MAX_TEAM_DEPTH + 1);
  return tooDeep.map((agent) => {
    const path = [...agent.path, "team"];
    return { path, message: `${formatPath(path)} is ${MAX_TEAM_DEPTH + 1} teams deep — at most ${MAX_TEAM_DEPTH}` };
  });
}

/** Cycles that share nothing with one another; told where the first in it names the next. */
function cyclesIn(graph: ReadonlyMap<string, readonly NameAt[]>, what: string): Flaw[] {
  const left = new Map(graph);
  const flaws: Flaw[] = [];
  while (flaws.length < MAX_CYCLES) {
    const cycle = findCycle(left.keys(), (name) => (left.get(name) ?? []).map((need) => need.name));
    const [first, second = first] = cycle ?? [];
    if (cycle === undefined || first === undefined || second === undefined) break;
    const at = left.get(first)?.find(({ name }) => name === second);
    const way = [...cycle, first].join(" → ");
    const path = at?.path ?? [];
    flaws.push({ path, message: `${formatPath(path)} is ${show(second)}: ${what} (${way}) — no cycle` });
    for (const name of cycle) left.delete(name);
  }
  return flaws;
}

function checkPlan(manager: AgentOutline, crew: CrewOutline, agents: ReadonlyMap<string, AgentOutline>): Flaw[] {
  const team = new Map<string, AgentOutline>();
  for (const { name } of manager.team ?? []) {
    const member = agents.get(name);
    if (member !== undefined) team.set(name, member);
  }
  return checkTasks(manager.plan ?? [], crew, agents, team);
}

/** The tasks of one list: of the crew, or of a manager's plan, which only its `team` does. */
function checkTasks(
  tasks: readonly TaskOutline[],
  crew: CrewOutline,
  agents: ReadonlyMap<string, AgentOutline>,
  team: ReadonlyMap<string, AgentOutline>,
): Flaw[] {
  const ids = new Map<string, TaskOutline>();
  const flaws: Flaw[] = [];
  for (const task of tasks.filter(({ hasOwnId }) => hasOwnId)) {
    const other = ids.get(task.id);
    if (other === undefined) ids.set(task.id, task);
    else flaws.push(duplicateId(task, other));
  }
  for (const task of tasks) if (!ids.has(task.id)) ids.set(task.id, task);
  for (const task of tasks) {
    flaws.push(
      ...unknownDependencies(task, ids),
      ...checkResources(task, crew),
      ...checkPayment(task, crew),
      ...checkAgents(task, agents, team),
      ...checkBallot(task, agents),
    );
  }
  const needs = new Map([...ids].map(([id, task]) => [id, task.dependsOn]));
  flaws.push(...cyclesIn(needs, "the tasks wait for one another"));
  return flaws;
}

function duplicateId(task: TaskOutline, other: TaskOutline): Flaw {
  const path = [...task.path, "id"];
  const message = `${formatPath(path)} is ${show(task.id)}, as that of ${formatPath(other.path)} is — an id of its own`;
  return { path, message };
}

function unknownDependencies(task: TaskOutline, ids: ReadonlyMap<string, TaskOutline>): Flaw[] {
  const unknown = task.dependsOn.filter(({ name }) => !ids.has(name));
  return unknown.map(({ name, path }) => {
    return {
      path,
      message: `${formatPath(path)} is ${show(name)}, which no task of this list is called — ${listed(ids.keys())}`,
    };
  });
}

/** Those who are to vote are there, have a voter, and are named once. */
function checkBallot({ ballot, voters }: TaskOutline, agents: ReadonlyMap<string, AgentOutline>): Flaw[] {
  const voting = [...agents.values()].filter(({ votes }) => votes).map(({ name }) => name);
  if (ballot !== undefined && voters.length === 0 && voting.length === 0)
    return [{ path: ballot, message: `${formatPath(ballot)} is a ballot, and no agent here votes — person` }];
  const seen = new Map<string, Path>();
  return voters.flatMap(({ name, path }): Flaw[] => {
    const before = seen.get(name);
    seen.set(name, path);
    const what = `${formatPath(path)} is ${show(name)}`;
    if (!agents.has(name)) return [{ path, message: `${what}, whom nobody is called — ${listed(agents.keys())}` }];
    if (before !== undefined) return [{ path, message: `${what}, as ${formatPath(before)} is — each voter once` }];
    if (voting.includes(name)) return [];
    return [
      {
        path,
        message: `${what}, who has no voter — ${voting.length === 0 ? "person instead of a ballot" : listed(voting)}`,
      },
    ];
  });
}

function checkResources(task: TaskOutline, crew: CrewOutline): Flaw[] {
  return [...task.resources].flatMap(([id, amount]): Flaw[] => {
    const path = [...task.path, "resources", id];
    if (!crew.resources.has(id)) {
      const message = `${formatPath(path)}: no resource is called ${show(id)} — ${listed(crew.resources.keys())}`;
      return [{ path, at: "key", message }];
    }
    const capacity = crew.resources.get(id);
    if (capacity === undefined || amount <= capacity) return [];
    return [{ path, message: `${formatPath(path)} is ${amount} — at most ${capacity}, all there is of it` }];
  });
}

/** Each is part of one that is there, and none of itself. */
function checkBudgets(budgets: CrewOutline["budgets"]): Flaw[] {
  const parents = [...budgets.values()].flatMap(({ parent }) => parent ?? []);
  const unknown = parents.filter(({ name }) => !budgets.has(name)).map((parent) => unknownBudget(parent, budgets));
  const above = new Map([...budgets].map(([id, { parent }]) => [id, parent === undefined ? [] : [parent]]));
  return [...unknown, ...cyclesIn(above, "the budgets are part of one another")];
}

function unknownBudget({ name, path }: NameAt, budgets: CrewOutline["budgets"]): Flaw {
  const message = `${formatPath(path)} is ${show(name)}, which is no budget — ${listed(budgets.keys())}`;
  return { path, message };
}

/** What a task is paid from that names no budget: a subtask from what its parent is, a task of the crew from `default`. */
function paidFromDefault(task: TaskOutline, { budgets }: CrewOutline): TaskOutline {
  if (task.budget !== undefined || !budgets.has(DEFAULT_BUDGET)) return task;
  return { ...task, budget: { name: DEFAULT_BUDGET, path: [...task.path, "budget"] } };
}

/** Whether what it is to be paid from is there, and large enough all the way up. */
function checkPayment({ budget, cost, path }: TaskOutline, { budgets }: CrewOutline): Flaw[] {
  if (budget === undefined) return [];
  if (!budgets.has(budget.name)) return [unknownBudget(budget, budgets)];
  const seen = new Set<string>();
  for (let id: string | undefined = budget.name; id !== undefined && !seen.has(id); ) {
    seen.add(id);
    const { limit, parent }: BudgetOutline = budgets.get(id) ?? {};
    if (cost !== undefined && limit?.lt(cost)) {
      const at = [...path, "cost"];
      const message = `${formatPath(at)} is ${textOf(cost)} — at most ${textOf(limit)}, the limit of budget ${show(id)}`;
      return [{ path: at, message }];
    }
    id = parent?.name;
  }
  return [];
}

/** Whether an agent that is allowed to do it can: is there, has the skills, and has the capacity. */
function checkAgents(
  task: TaskOutline,
  agents: ReadonlyMap<string, AgentOutline>,
  team: ReadonlyMap<string, AgentOutline>,
): Flaw[] {
  const { agent: pin, fallback, path } = task;
  const strangers = [pin, fallback].filter((named) => named !== undefined && !team.has(named.name));
  const flaws = strangers.flatMap((named): Flaw[] => {
    if (named === undefined) return [];
    const why = agents.has(named.name) ? "who is not on the team" : "whom nobody is called";
    const message = `${formatPath(named.path)} is ${show(named.name)}, ${why} — ${listed(team.keys())}`;
    return [{ path: named.path, message }];
  });
  if (flaws.length > 0) return flaws;
  const allowed = pin === undefined ? [...team.values()] : [...team.values()].filter(({ name }) => name === pin.name);
  const whose = pin === undefined ? (team === agents ? "nobody in the crew" : "nobody on the team") : show(pin.name);
  const qualified = allowed.filter((agent) => hasSkills(agent, task.skills));
  if (allowed.length === 0)
    return [{ path, message: `${formatPath(path)}: there is ${whose} to do it — at least one agent` }];
  if (qualified.length === 0) {
    const at = [...path, "skills"];
    const needs = [...task.skills].map(([skill, level]) => (level === 0 ? show(skill) : `${show(skill)} at ${level}`));
    const has = pin === undefined ? "has" : "does not have";
    return [{ path: at, message: `${formatPath(at)}: ${whose} ${has} ${needs.join(" and ")} — ${abilities(allowed)}` }];
  }
  const room = Math.max(...qualified.map(({ capacity }) => capacity));
  if (task.load <= room) return [];
  const at = [...path, "load"];
  return [
    { path: at, message: `${formatPath(at)} is ${task.load} — at most ${room}, the capacity of those who can do it` },
  ];
}

function hasSkills(agent: AgentOutline, required: ReadonlyMap<string, number>): boolean {
  const { skills } = agent;
  if (skills === undefined) return true;
  return [...required].every(([skill, level]) => skills.has(skill) && (skills.get(skill) ?? 0) >= level);
}

function abilities(agents: readonly AgentOutline[]): string {
  const best = new Map<string, number>();
  for (const { skills } of agents) {
    for (const [skill, level] of skills ?? []) best.set(skill, Math.max(level, best.get(skill) ?? 0));
  }
  return listed([...best].map(([skill, level]) => (level === 1 ? skill : `${skill} (${level})`)));
}

const LISTED = 12;

function listed(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "there is none";
  const shown = all.slice(0, LISTED).map((name) => show(name).slice(1, -1));
  return `one of ${shown.join(", ")}${all.length > LISTED ? `, and ${all.length - LISTED} more` : ""}`;
}
