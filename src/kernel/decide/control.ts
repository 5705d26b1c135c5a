/** What a person does with a task: cancel, pause, resume, prioritize, retry. */
import { checkKeys, checkPriority, invalid } from "../../coordination/structures/arguments.ts";
import type { Answer, Command } from "../commands.ts";
import { statusIn } from "../finished-row.ts";
import { limits } from "../limits.ts";
import { thawedTree } from "../settling.ts";
import { isTerminal, type Task } from "../task.ts";
import { type Desk, DONE, refused, taskNamed } from "./desk.ts";
import { enoughSucceeded, isPlanTooShort, shortOf, stopAttempt, windDown } from "./endings.ts";
import { checkGlobalId } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

function running(desk: Desk, id: string, what: string): Task {
  const task = taskNamed(desk.state, checkGlobalId(id, "task id"));
  if (isTerminal(task.status))
    throw refused("INVALID_STATE", `task ${task.id} is ${task.status}: it cannot be ${what}`, {
      taskId: task.id,
      status: task.status,
    });
  return task;
}

/** Cancelling what was cancelled already changes nothing. */
export function cancel(desk: Desk, command: CommandOf<"task.cancel">): Answer {
  checkKeys(command, ["type", "taskId", "reason"], "cancel");
  const { reason } = command;
  if (reason !== undefined && (typeof reason !== "string" || reason.length > limits.messageLength))
    throw invalid("reason", reason, `a string of at most ${limits.messageLength} characters`);
  const known = taskNamed(desk.state, checkGlobalId(command.taskId, "task id"));
  if (known.status === "cancelled" || known.ending?.as === "cancelled") return DONE;
  const task = running(desk, command.taskId, "cancelled");
  windDown(desk, task, { as: "cancelled", ...(reason === undefined ? {} : { reason }) }, "cancelled");
  return DONE;
}

/** Pausing what is held already changes nothing. */
export function pause(desk: Desk, command: CommandOf<"task.pause">): Answer {
  const task = running(desk, command.taskId, "paused");
  if (task.ending !== undefined) throw refused("INVALID_STATE", `task ${task.id} is ending: it cannot be paused`);
  if (task.held) return DONE;
  desk.emit({ type: "task.paused", v: 1, taskId: task.id });
  const { live } = task;
  if (live?.seated && live.stopping === undefined) stopAttempt(desk, live, "paused");
  return DONE;
}

/** Resuming what is not held changes nothing. */
export function resume(desk: Desk, command: CommandOf<"task.resume">): Answer {
  const task = running(desk, command.taskId, "resumed");
  if (task.held) desk.emit({ type: "task.resumed", v: 1, taskId: task.id });
  return DONE;
}

export function prioritize(desk: Desk, command: CommandOf<"task.prioritize">): Answer {
  const priority = checkPriority(command.priority);
  const task = running(desk, command.taskId, "given another priority");
  if (priority !== task.priority) desk.emit({ type: "task.prioritized", v: 1, taskId: task.id, priority });
  return DONE;
}

export function retry(desk: Desk, command: CommandOf<"task.retry">): Answer {
  const { status } = taskNamed(desk.state, checkGlobalId(command.taskId, "task id"));
  if (status !== "failed")
    throw refused("INVALID_STATE", `task ${command.taskId} is ${status}: only a failed task is tried again`, {
      taskId: command.taskId,
      status,
    });
  const task = desk.state.tasks.get(command.taskId) ?? thawedTree(desk.state, command.taskId).task;
  const { deadlineAt } = task.spec;
  if (deadlineAt !== undefined && deadlineAt <= desk.now)
    throw refused("INVALID_STATE", `the deadline of task ${task.id} has passed: submit it anew`, { taskId: task.id });
  for (let above = task.parent; above !== undefined; above = above.parent) {
    if (above.status === "cancelled" || above.ending !== undefined)
      throw refused("INVALID_STATE", `${above.id}, of which task ${task.id} is a part, was cancelled or is ending`, {
        taskId: task.id,
      });
  }
  if (task.phase === "aggregate" && enoughSucceeded(desk, task) !== "yes") {
    const remedy = isPlanTooShort(desk, task) ? "its plan has too few: submit it anew" : "try those again first";
    throw refused("INVALID_STATE", `${shortOf(task).message}; ${remedy}`, { taskId: task.id });
  }
  const before = unmetOf(desk, task);
  if (before !== undefined)
    throw refused(
      "INVALID_STATE",
      `task ${task.id} depends on ${before}, which has not ended well: try it again then`,
      {
        taskId: task.id,
        dependency: before,
      },
    );
  desk.emit({ type: "task.retried", v: 1, taskId: task.id });
  return DONE;
}

/** Of one that failed before it was ever ready, as when guardrails refused its input: what it still depends on. */
function unmetOf({ state }: Desk, { attempts, spec }: Task): string | undefined {
  if (attempts.length > 0) return undefined;
  const runsAnyway = spec.onDependencyFailure === "run";
  return spec.dependsOn?.find((id) => {
    const row = state.finished.row(id);
    // What has left memory by now had ended before.
    const status = state.tasks.get(id)?.status ?? (row === undefined ? "completed" : statusIn(row));
    return status !== "completed" && !(runsAnyway && isTerminal(status));
  });
}
