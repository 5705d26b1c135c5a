/** Tasks that share one output: one leads, others follow, and an output is offered. */
import type { FlightJoinedEvent, FlightLedEvent, OutputOfferedEvent } from "../events/sharing.ts";
import { follow, lead, offer } from "../flights.ts";
import { taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { State } from "../state.ts";
import { setStatus } from "../task-status.ts";

export function flightLed(state: State, event: FlightLedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  if (state.flights.waits(task)) setStatus(state, task, "pending");
  lead(state, task, event.alone === true, observer);
  observer?.task(task);
}

export function flightJoined(state: State, event: FlightJoinedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  setStatus(state, task, "waiting");
  follow(state, task, taskOf(state, event.leader), observer);
  observer?.task(task);
}

export function outputOffered(state: State, event: OutputOfferedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  setStatus(state, task, "waiting");
  const { from, output, givers } = event;
  offer(state, task, { from, output, ...(givers === undefined ? {} : { givers }) }, observer);
  observer?.task(task);
}
