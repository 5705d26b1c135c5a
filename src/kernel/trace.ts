import type { EventBody } from "./events.ts";
import { traceIn } from "./finished-row.ts";
import type { State } from "./state.ts";
import type { Task } from "./task.ts";

/**
 * The trace that an event belongs to: that of its task; of a subtask that is submitted, its parent's. Where no task has a
 * trace, nothing is looked up.
 */
export function traceOf(state: State, body: EventBody): string | undefined {
  if (body.type === "task.retried") {
    const row = state.finished.row(body.taskId);
    if (row !== undefined) return traceIn(row);
  }
  if (!state.traced) return undefined;
  const task = taskOf(state, body);
  if (task !== undefined) return task.spec.trace;
  if (body.type !== "task.submitted" || body.parentId === undefined) return undefined;
  return state.tasks.get(body.parentId)?.spec.trace;
}

function taskOf(state: State, body: EventBody): Task | undefined {
  if ("taskId" in body) return state.tasks.get(body.taskId);
  if ("allocationId" in body) return state.allocations.get(body.allocationId)?.live.task;
  if ("requestId" in body) return state.requests.get(body.requestId)?.live.task;
  return undefined;
}
