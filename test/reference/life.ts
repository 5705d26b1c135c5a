/** How tasks and their attempts end, and what follows: retries, skips, the end of a round, the end of a tree. */

import type { AttemptEnd, StopReason } from "../../src/kernel/events.ts";
import { breakerState } from "./books.ts";
import { type Agent, isTerminal, type Model, type Task } from "./model.ts";

const LOSSES = 3;
const NEVER_AGAIN: readonly string[] = ["INVALID_ARGUMENT", "BUDGET_EXCEEDED", "GUARDRAIL_BLOCKED"];

/** Ready to be started, when its backoff is over, or held where a person wants it so. */
export function becomePending(model: Model, task: Task): void {
  task.status = task.held ? "paused" : "pending";
  task.readyAt = Math.max(model.now, task.notBefore) - model.closedMs;
}

/** Frees what an attempt holds, and books how it ended. */
export function closeAttempt(model: Model, task: Task, end: AttemptEnd): void {
  const { attempt } = task;
  if (attempt === undefined) return;
  task.ended.push({ token: attempt.token, agent: attempt.agent.name, phase: attempt.phase, end });
  task.attempt = undefined;
  model.running = model.running.filter((other) => other !== task);
  task.promise = undefined;
  task.notBefore = 0;
  for (const { promise } of model.tasks)
    if (promise !== undefined) promise.victims = promise.victims.filter((victim) => victim !== task);
}

export function breakerSucceeded(model: Model, agent: Agent): void {
  if (agent.breaker === undefined || breakerState(model, agent) === "open") return;
  agent.failures = 0;
  agent.openedAt = undefined;
}

function breakerFailed(model: Model, agent: Agent): void {
  // What is reported while it is open is of calls from before.
  if (agent.breaker === undefined || breakerState(model, agent) === "open") return;
  agent.failures += 1;
  if (agent.openedAt === undefined && agent.failures < agent.breaker.threshold) return;
  agent.openedAt = model.openMs;
  agent.probes = [];
}

/** Tells an attempt to stop, if it has not been told. */
export function stop(model: Model, task: Task, reason: StopReason): void {
  const { attempt } = task;
  if (attempt?.stopping === undefined && attempt !== undefined)
    attempt.stopping = { reason, graceUntil: model.now + task.graceMs };
}

/** An attempt failed, ran out of time, or was lost: again, if there is an again. */
export function attemptFailed(
  model: Model,
  task: Task,
  end: "failed" | "timeout" | "lost" | "abandoned",
  error: { readonly code: string; readonly retryable?: boolean } | undefined,
): void {
  const { attempt } = task;
  if (attempt === undefined) return;
  // Told to make way or to pause, it keeps its place in the queue as one that did.
  const reason = attempt.stopping?.reason;
  closeAttempt(model, task, end);
  task.spent += 1;
  // That its process died is not the agent's fault.
  if (end === "lost") task.losses += 1;
  else {
    task.avoid.push(attempt.agent.name);
    breakerFailed(model, attempt.agent);
  }
  if (task.ending !== undefined) {
    settle(model, task);
    return;
  }
  const again =
    task.spent < task.maxAttempts &&
    task.losses < LOSSES &&
    error?.retryable !== false &&
    !NEVER_AGAIN.includes(error?.code ?? "");
  if (!again) {
    endAs(model, task, "failed");
    return;
  }
  task.notBefore = model.now + Math.floor(Math.min(task.maxMs, task.initialMs * task.factor ** (task.spent - 1)));
  putBack(model, task, reason);
}

/** It stopped because it was told to. */
export function attemptStopped(model: Model, task: Task): void {
  const reason = task.attempt?.stopping?.reason;
  if (reason === "timeout") attemptFailed(model, task, "timeout", undefined);
  else {
    closeAttempt(model, task, reason === "deadline" ? "timeout" : reason === "cancelled" ? "cancelled" : "preempted");
    uncounted(model, task, reason);
  }
}

/** Its grace is over. */
export function attemptAbandoned(model: Model, task: Task): void {
  const reason = task.attempt?.stopping?.reason;
  if (reason === "timeout") attemptFailed(model, task, "abandoned", undefined);
  else {
    closeAttempt(model, task, "abandoned");
    uncounted(model, task, reason);
  }
}

/** The coordinator closes: what runs did nothing wrong. */
export function attemptClosed(model: Model, task: Task): void {
  if (task.attempt?.stopping !== undefined) attemptAbandoned(model, task);
  else {
    closeAttempt(model, task, "preempted");
    uncounted(model, task, undefined);
  }
}

function uncounted(model: Model, task: Task, reason: StopReason | undefined): void {
  if (reason === "preempted") task.preemptions += 1;
  if (task.ending === undefined) putBack(model, task, reason);
  else settle(model, task);
}

function putBack(model: Model, task: Task, reason: StopReason | undefined): void {
  if (reason !== "preempted" && reason !== "paused" && !task.held) {
    becomePending(model, task);
    return;
  }
  task.status = "paused";
  task.readyAt = model.openMs;
}

/** It will have failed, or have been cancelled, as soon as its attempt and its subtree have ended. */
export function endAs(model: Model, task: Task, as: "failed" | "cancelled", reason: StopReason = "cancelled"): void {
  if (isTerminal(task) || task.ending !== undefined) return;
  task.ending = as;
  task.promise = undefined;
  if (task.attempt === undefined) task.status = "waiting";
  stop(model, task, reason);
  for (const child of task.children) endAs(model, child, "cancelled");
  settle(model, task);
}

/** It ends, if all that it waited for has. */
function settle(model: Model, task: Task): void {
  if (task.ending === undefined || task.attempt !== undefined) return;
  if (task.children.every(isTerminal)) finish(model, task, task.ending);
  else task.status = "waiting";
}

/** The end of a task, of those that are skipped because of it, and then what it means for their managers. */
export function finish(model: Model, task: Task, status: "completed" | "failed" | "skipped" | "cancelled"): void {
  const ended = [task];
  close(model, task, status);
  for (const one of ended) {
    for (const dependent of model.tasks) {
      if (isTerminal(dependent) || !dependent.unmet.includes(one)) continue;
      if (one.status !== "completed" && !dependent.runsAnyway) {
        close(model, dependent, "skipped");
        ended.push(dependent);
        continue;
      }
      dependent.unmet = dependent.unmet.filter((other) => other !== one);
      if (dependent.unmet.length > 0) continue;
      dependent.readyAt = model.openMs;
      if (dependent.status === "blocked") dependent.status = "pending";
    }
  }
  for (const one of ended) if (one.parent !== undefined) childEnded(model, one.parent, one);
}

function close(model: Model, task: Task, status: "completed" | "failed" | "skipped" | "cancelled"): void {
  task.status = status;
  task.held = false;
  task.promise = undefined;
  if (model.reserved?.task === task) model.reserved = undefined;
  task.ending = undefined;
  task.notBefore = 0;
  const waiting = task.parent?.attempt;
  if (waiting === undefined || !waiting.awaiting.includes(task)) return;
  // It knows the result, also when a person has that tried again.
  waiting.awaiting = waiting.awaiting.filter((other) => other !== task);
  waiting.wishedAt = model.openMs;
}

function childEnded(model: Model, parent: Task, child: Task): void {
  if (isTerminal(parent)) return;
  if (parent.ending !== undefined) {
    settle(model, parent);
    return;
  }
  if (child.round !== undefined && parent.attempt === undefined && parent.status === "waiting") judge(model, parent);
}

/** Of a manager that waits for its plan: whether it goes on, or has failed. */
export function judge(model: Model, parent: Task): void {
  const planned = parent.children.filter(({ round }) => round !== undefined);
  const open = planned.some((one) => !isTerminal(one));
  const short = enoughSucceeded(parent) === "no";
  if (short && (!open || parent.manager?.failFast === true)) endAs(model, parent, "failed");
  else if (!open) becomePending(model, parent);
}

/** Whether enough of all subtasks have succeeded, can still, or cannot any more. */
export function enoughSucceeded(task: Task): "yes" | "open" | "no" {
  const planned = task.children.filter(({ round }) => round !== undefined);
  const good = planned.filter(({ status }) => status === "completed").length;
  const bad = planned.filter((child) => isTerminal(child) && child.status !== "completed").length;
  const least = task.manager?.minSuccess ?? "all";
  const needed = least === "all" ? planned.length : least === "any" ? 1 : least;
  if (good >= needed) return "yes";
  return planned.length - bad < needed ? "no" : "open";
}
