/** A coordinator is opened, perhaps with other settings. */

import type { OpenedEvent } from "../events/coordinator.ts";
import type { EventHead } from "../events.ts";
import { leaveUnjudged } from "../flights.ts";
import type { StateObserver } from "../observer.ts";
import type { State } from "../state.ts";
import { setStatus } from "../task-status.ts";
import { judgeAllAnew } from "./guardrails.ts";

export function opened(state: State, event: OpenedEvent & EventHead, observer: StateObserver | undefined): void {
  if (state.settings !== undefined) state.closedMs += Math.max(0, event.at - state.at);
  const wasGuarded = state.settings?.guardrails?.input !== undefined;
  state.settings = event;
  state.open = true;
  if (wasGuarded || event.guardrails?.input !== undefined) {
    judgeAllAnew(state);
    for (const task of leaveUnjudged(state, observer)) setStatus(state, task, "pending");
  }
  for (const agent of state.agents.values()) {
    agent.online = false;
    observer?.agent(agent, "other");
  }
}
