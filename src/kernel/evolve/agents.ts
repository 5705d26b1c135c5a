/** Agents come, go and change, and managers' teams with them. */

import { BREAKER_CLOSED, breakerRule } from "../../coordination/circuit-breaker.ts";
import { NO_STANDING } from "../../coordination/reputation.ts";
import { ZERO } from "../../coordination/structures/amount.ts";
import { NO_MONEY } from "../../coordination/structures/money.ts";
import type { AgentRegisteredEvent, AgentUnregisteredEvent, TeamChangedEvent } from "../events/agents.ts";
import type { EventHead } from "../events.ts";
import { amount, known } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { AgentState, State } from "../state.ts";

const NONE: readonly never[] = [];

export function agentRegistered(
  state: State,
  event: AgentRegisteredEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const before = state.agents.get(event.agent);
  const fresh = registeredAs(event);
  if (before !== undefined) {
    noteSkills(state, before, fresh.skills, event.at);
    noteTeam(state, before, fresh.teamSet, event.at);
    if (event.breaker === undefined || event.breaker.ratio !== before.breakerPolicy?.ratio)
      before.breaker = BREAKER_CLOSED;
  }
  const agent = before === undefined ? newcomer(state, event.agent, fresh) : Object.assign(before, fresh);
  state.agents.set(event.agent, agent);
  observer?.agent(agent, "other");
  observer?.team(agent);
}

type Registered = ReturnType<typeof registeredAs>;

/** What an agent is registered as: all that another registration changes. */
function registeredAs(event: AgentRegisteredEvent) {
  const team = event.team ?? NONE;
  return {
    kind: event.kind,
    skills: new Map(Object.entries(event.skills)),
    capacity: amount(event.capacity),
    weight: event.weight,
    description: event.description,
    team,
    teamSet: new Set(team),
    votes: event.votes ?? false,
    maxBatch: event.maxBatch ?? 0,
    minSuccess: event.minSuccess ?? "all",
    failFast: event.failFast ?? false,
    breakerPolicy: event.breaker,
    breakerRule: event.breaker === undefined ? undefined : breakerRule(event.breaker),
    online: true,
  };
}

function newcomer(state: State, name: string, fresh: Registered): AgentState {
  return {
    name,
    seq: ++state.registrations,
    ...fresh,
    load: ZERO,
    running: 0,
    breaker: BREAKER_CLOSED,
    standing: NO_STANDING,
    spent: NO_MONEY,
    claimed: ZERO,
    returning: ZERO,
    teamLostMs: 0,
    memberships: [],
  };
}

export function agentUnregistered(
  state: State,
  event: AgentUnregisteredEvent,
  observer: StateObserver | undefined,
): void {
  const agent = known(state.agents.get(event.agent), "agent", event.agent);
  agent.online = false;
  observer?.agent(agent, "other");
}

export function teamChanged(
  state: State,
  event: TeamChangedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const agent = known(state.agents.get(event.agent), "agent", event.agent);
  const teamSet = new Set(event.team);
  noteTeam(state, agent, teamSet, event.at);
  agent.team = event.team;
  agent.teamSet = teamSet;
  observer?.team(agent);
}

/** Until now somebody may have been able to do what needs a skill that it loses, or a higher level of one. */
function noteSkills(state: State, agent: AgentState, skills: ReadonlyMap<string, number>, at: number): void {
  for (const [skill, level] of agent.skills)
    if ((skills.get(skill) ?? 0) < level) state.skillsLost.set(skill, state.openMs(at));
}

/** Who leaves a team may have been the only one who could do what is asked of it. */
function noteTeam(state: State, manager: AgentState, team: ReadonlySet<string>, at: number): void {
  if (manager.team.some((member) => !team.has(member))) manager.teamLostMs = state.openMs(at);
}
