/** What is set aside for a task before it starts. */
import { claim } from "../claims.ts";
import type { ReservationMadeEvent, TaskPromisedEvent } from "../events/promises.ts";
import { known, liveOf, taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { State } from "../state.ts";

export function taskPromised(state: State, event: TaskPromisedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  const agent = known(state.agents.get(event.agent), "agent", event.agent);
  const victims = new Set(event.victims.map((token) => liveOf(state, token)));
  claim(state, { task, agent, victims });
  if (observer === undefined) return;
  observer.agent(agent, "taken");
  for (const need of task.needs) observer.resource(need.resource, "taken");
  // Who makes way gives back, perhaps more than was promised of it: others may see more now.
  for (const victim of victims) {
    observer.agent(victim.agent, "freed");
    for (const need of victim.task.needs) observer.resource(need.resource, "freed");
  }
}

export function reservationMade(state: State, event: ReservationMadeEvent): void {
  const { what, startsAt = Number.POSITIVE_INFINITY } = event;
  const agent = event.agent === undefined ? undefined : known(state.agents.get(event.agent), "agent", event.agent);
  state.reserved = { task: taskOf(state, event.taskId), what, agent, startsAt };
}
