/** Those who could do a task but for what they approved: its own run, or that of a task of which it is a part. */
import { qualifies } from "./agent-pools.ts";
import type { Requirement } from "./requirements.ts";
import type { AgentState, State } from "./state.ts";
import { runApproversOf, type Task } from "./task.ts";

/** In order of registration. */
export function withheldBy(state: State, requirement: Requirement): readonly AgentState[] {
  const { barred } = requirement;
  if (barred.length === 0) return [];
  const agents = barred.flatMap((name) => state.agents.get(name) ?? []).sort((a, b) => a.seq - b.seq);
  return agents.filter((agent) => qualifies(state, agent, { ...requirement, barred: [] }));
}

/** The only one that qualifies, online or not; undefined: nobody, or several. Looks no further than the second. */
export function onlyOneFor(state: State, requirement: Requirement): AgentState | undefined {
  let only: AgentState | undefined;
  for (const agent of state.agents.values()) {
    if (!qualifies(state, agent, requirement)) continue;
    if (only !== undefined) return undefined;
    only = agent;
  }
  return only;
}

/** What these have approved, to be told of the task: "it", or the nearest of which it is a part. */
export function whatApproved(task: Task, names: readonly string[]): string {
  for (let one: Task | undefined = task; one !== undefined; one = one.parent) {
    const approvers = runApproversOf(one);
    if (names.every((name) => approvers.includes(name)))
      return one === task ? "it" : `${one.id}, of which it is a part`;
  }
  return "it or what it is a part of";
}
