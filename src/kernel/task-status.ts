/** The status of a task, and when it became ready. */

import { leaveFlight } from "./flights.ts";
import type { StateObserver } from "./observer.ts";
import type { State } from "./state.ts";
import { arrivedMs, type Task, type TaskStatus } from "./task.ts";

export function setStatus(state: State, task: Task, status: TaskStatus): void {
  state.counts[task.status] -= 1;
  task.status = status;
  state.counts[status] += 1;
}

/** Ready to be started, or held where a person wants it so. */
export function becomePending(state: State, task: Task, at: number, observer: StateObserver | undefined): void {
  setStatus(state, task, task.held ? "paused" : "pending");
  if (task.held) leaveFlight(state, task, observer);
  readyAt(state, task, Math.max(at, task.notBefore));
}

export function readyAt(state: State, task: Task, at: number): void {
  task.readyAfter = state.openMs(at) - arrivedMs(task);
}
