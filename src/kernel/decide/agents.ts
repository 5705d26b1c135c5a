/** Registering agents and shaping teams. */
import { breakerRule } from "../../coordination/circuit-breaker.ts";
import { amountToNumber } from "../../coordination/structures/amount.ts";
import {
  checkAmount,
  checkId,
  checkInteger,
  checkKeys,
  entriesOf,
  invalid,
  nullRecord,
} from "../../coordination/structures/arguments.ts";
import { findCycle } from "../../coordination/structures/dependency-graph.ts";
import type { AgentDescription, Answer, Command } from "../commands.ts";
import type { AgentRegisteredEvent } from "../events/agents.ts";
import { limits } from "../limits.ts";
import type { State } from "../state.ts";
import { agentNamed, type Desk, DONE, refused } from "./desk.ts";
import { checkLevel } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const KEYS = [
  "name",
  "kind",
  "description",
  "skills",
  "capacity",
  "weight",
  "team",
  "breaker",
  "votes",
  "minSuccess",
  "failFast",
  "maxBatch",
];

export function register(desk: Desk, command: CommandOf<"agent.register">): Answer {
  const event = described(command.agent);
  const { state } = desk;
  if (!state.agents.has(event.agent) && state.agents.size >= limits.agents)
    throw refused("QUEUE_FULL", `there is no place for agent ${event.agent}: ${limits.agents} are the most`, {
      agent: event.agent,
    });
  if (event.team !== undefined) checkTeams(state, event.agent, event.team);
  desk.emit(event);
  return DONE;
}

/** The event that registers it, with its shape checked and defaults filled in. */
function described(agent: AgentDescription): AgentRegisteredEvent {
  checkKeys(agent, KEYS, "agent");
  const { kind, description, team, breaker, votes, minSuccess, failFast, maxBatch } = agent;
  const name = checkId(agent.name, "agent name");
  const skills = nullRecord<number>();
  if (isList(agent.skills)) for (const skill of agent.skills) skills[checkId(skill, "skill")] = 1;
  else if (agent.skills !== undefined)
    for (const [skill, level] of entriesOf(agent.skills, "skills")) skills[skill] = checkLevel(level, skill);
  if (Object.keys(skills).length > limits.skillsPerAgent)
    throw invalid("the number of skills", Object.keys(skills).length, `at most ${limits.skillsPerAgent}`);
  if (description !== undefined && (typeof description !== "string" || description.length > limits.messageLength))
    throw invalid("description", description, `a string of at most ${limits.messageLength} characters`);
  if (kind !== "agent" && kind !== "manager") throw invalid("kind", kind, '"agent" or "manager"');
  if (votes !== undefined && typeof votes !== "boolean") throw invalid("votes", votes, "true or false");
  if (failFast !== undefined && typeof failFast !== "boolean") throw invalid("failFast", failFast, "true or false");
  if (maxBatch !== undefined) checkInteger(maxBatch, "maxBatch", 1, limits.batchedTasks);
  if (maxBatch !== undefined && kind === "manager") throw invalid("maxBatch", maxBatch, "left out for a manager");
  if (breaker !== undefined) breakerRule(breaker);
  if (minSuccess !== undefined && !isMinSuccess(minSuccess))
    throw invalid("minSuccess", minSuccess, `"all", "any" or an integer from 0 to ${limits.tasksPerSubmit}`);
  return {
    type: "agent.registered",
    v: 1,
    agent: name,
    kind,
    skills,
    capacity: amountToNumber(checkAmount(agent.capacity ?? 1, "capacity", { zero: true })),
    weight: amountToNumber(checkAmount(agent.weight ?? 1, "weight", { zero: true })),
    ...(description === undefined ? {} : { description }),
    ...(team === undefined ? {} : { team: checkTeam(team) }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(votes === true ? { votes } : {}),
    ...(minSuccess === undefined ? {} : { minSuccess }),
    ...(failFast === true ? { failFast } : {}),
    ...(maxBatch === undefined ? {} : { maxBatch }),
  };
}

function isMinSuccess(value: NonNullable<AgentDescription["minSuccess"]>): boolean {
  if (typeof value === "string") return value === "all" || value === "any";
  return Number.isSafeInteger(value) && value >= 0 && value <= limits.tasksPerSubmit;
}

/** Array.isArray does not narrow readonly lists. */
function isList(skills: AgentDescription["skills"]): skills is readonly string[] {
  return Array.isArray(skills);
}

export function unregister(desk: Desk, command: CommandOf<"agent.unregister">): Answer {
  const agent = agentNamed(desk.state, checkId(command.agent, "agent name"));
  if (agent.online) desk.emit({ type: "agent.unregistered", v: 1, agent: agent.name });
  return DONE;
}

export function setTeam(desk: Desk, command: CommandOf<"team.set">): Answer {
  const name = checkId(command.manager, "manager");
  const team = checkTeam(command.team);
  const manager = agentNamed(desk.state, name);
  if (manager.kind !== "manager")
    throw refused("INVALID_ARGUMENT", `${name} is not a manager: it has no team`, { agent: name });
  checkTeams(desk.state, name, team);
  desk.emit({ type: "team.changed", v: 1, agent: name, team });
  return DONE;
}

function checkTeam(team: readonly string[]): readonly string[] {
  if (!Array.isArray(team) || team.length > limits.agents) throw invalid("team", team, "a list of agents' names");
  return [...new Set(team.map((member) => checkId(member, "team member")))];
}

/** No manager may be on a team below its own, and no tree deeper than allowed. */
function checkTeams(state: State, manager: string, team: readonly string[]): void {
  const teamOf = (name: string): readonly string[] => (name === manager ? team : (state.agents.get(name)?.team ?? []));
  const cycle = findCycle([manager], teamOf);
  if (cycle !== undefined)
    throw refused("TEAM_CYCLE", `managers would manage one another in a circle: ${[...cycle, cycle[0]].join(" → ")}`, {
      cycle: [...cycle],
    });
}
