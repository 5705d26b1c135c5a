/** How tasks and their attempts end, and what follows: retries, skips, the end of a round, the end of a tree. */

import type { AttemptEnd, StopReason } from "../../src/kernel/events/attempts.ts";
import { tellBreakers } from "./breakers.ts";
import { flightKey, lead, leave, ledBy } from "./flights.ts";
import { type Attempt, type Flight, type Given, isTerminal, type Model, type Task } from "./model.ts";

const LOSSES = 3;
const NEVER_AGAIN: readonly string[] = ["INVALID_ARGUMENT", "BUDGET_EXCEEDED", "GUARDRAIL_BLOCKED"];

/** Ready to be started, when its backoff is over, or held where a person wants it so. */
export function becomePending(model: Model, task: Task): void {
  task.status = task.held ? "paused" : "pending";
  if (task.held) leave(model, task);
  task.readyAt = Math.max(model.now, task.notBefore) - model.closedMs;
}

/** Frees what an attempt holds, and books how it ended. */
export function closeAttempt(model: Model, task: Task, end: AttemptEnd): void {
  const { attempt } = task;
  if (attempt === undefined) return;
  if (end === "abandoned" && model.settings.strict) keep(model, task, attempt);
  task.ended.push({ token: attempt.token, agent: attempt.agent.name, phase: attempt.phase, end });
  task.attempt = undefined;
  model.running = model.running.filter((other) => other !== task);
  task.promise = undefined;
  task.notBefore = 0;
  for (const { promise } of model.tasks)
    if (promise !== undefined) promise.victims = promise.victims.filter((victim) => victim !== task);
}

/** Its code goes on: what it holds is not free before that has ended too, or its lease has. */
function keep(model: Model, task: Task, { token, allocations }: Attempt): void {
  for (const { amounts, expiresAt } of [{ amounts: task.needs, expiresAt: undefined }, ...allocations]) {
    const held = [...amounts].filter(([id]) => model.resource(id)?.rate === false);
    if (held.length > 0) model.kept.push({ taskId: task.id, token, amounts: new Map(held), expiresAt });
  }
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
  /** That its process died is nobody's fault; where that lives, what runs it has fallen silent. */
  { isSilent = false }: { readonly isSilent?: boolean } = {},
): void {
  const { attempt } = task;
  if (attempt === undefined) return;
  // Told to make way or to pause, it keeps its place in the queue as one that did.
  const reason = attempt.stopping?.reason;
  const died = end === "lost" && !isSilent;
  if (!died) tellBreakers(model, task, attempt, "failed");
  closeAttempt(model, task, end);
  task.spent += 1;
  if (died) task.losses += 1;
  else task.avoid.push(attempt.agent.name);
  if (task.ending !== undefined) {
    settle(model, task);
    return;
  }
  // Who is held leads nobody once its attempt has ended, whatever becomes of it.
  if (task.held) leave(model, task);
  const again =
    task.spent < task.maxAttempts &&
    task.losses < LOSSES &&
    error?.retryable !== false &&
    !NEVER_AGAIN.includes(error?.code ?? "");
  if (!again) {
    endAs(model, task, "failed", { instead: task.losses >= LOSSES ? "value" : insteadOf(error?.code) });
    return;
  }
  task.notBefore = model.now + Math.floor(Math.min(task.maxMs, task.initialMs * task.factor ** (task.spent - 1)));
  putBack(model, task, reason);
}

/** What is refused is not to be got by another way; who has no money left cannot pay others. */
function insteadOf(code: string | undefined): Task["instead"] {
  if (code === "GUARDRAIL_BLOCKED") return undefined;
  return code === "BUDGET_EXCEEDED" ? "value" : "any";
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
  if (task.held) leave(model, task);
  task.readyAt = model.openMs;
}

/** It will have failed, or have been cancelled, as soon as its attempt and its subtree have ended. */
export function endAs(
  model: Model,
  task: Task,
  as: "failed" | "cancelled",
  { reason = "cancelled", instead }: { readonly reason?: StopReason; readonly instead?: Task["instead"] } = {},
): void {
  if (isTerminal(task) || task.ending !== undefined) return;
  task.ending = as;
  task.askedUntil = undefined;
  task.instead = instead;
  task.promise = undefined;
  if (task.attempt === undefined) task.status = "waiting";
  stop(model, task, reason);
  for (const child of task.children) endAs(model, child, "cancelled");
  settle(model, task);
}

/** It ends, if all that it waited for has. */
function settle(model: Model, task: Task): void {
  if (task.ending === undefined || task.attempt !== undefined) return;
  if (!task.children.every(isTerminal)) task.status = "waiting";
  else if (task.ending === "cancelled") finish(model, task, "cancelled");
  else {
    const flight = ledBy(model, task);
    if (!fallBack(model, task)) finish(model, task, "failed");
    admitAll(model, flight);
  }
}

/** Those who waited for the output of one that failed go on, each for itself; the first leads who comes from now on. */
function admitAll(model: Model, flight: Flight | undefined): void {
  for (const task of flight === undefined ? [] : [...flight.followers]) {
    if (flight === undefined || !flight.followers.includes(task)) continue;
    if (!answerFromBefore(model, task, flight.key)) lead(model, task, { alone: flight.leader !== undefined });
  }
}

/** By an output that is young enough for it. */
export function answerFromBefore(model: Model, task: Task, key: string): boolean {
  const kept = model.outputs.get(key);
  if (kept === undefined || model.now - kept.at >= task.cacheMs) return false;
  answer(model, task, kept);
  return true;
}

/** It has an output, which counts once it is allowed where that is asked for. */
export function giveOutput(model: Model, task: Task, given: Task["given"], by: readonly string[] = []): void {
  task.given = given;
  task.givenBy = by;
  if (task.approval?.before !== "output") complete(model, task);
  else ask(model, task, task.approval.expiresMs);
}

/** Its output counts, also for those who wait for it. */
export function complete(model: Model, task: Task): void {
  const isOwn = task.given === "own" && task.cacheKey !== undefined;
  const flight = isOwn ? ledBy(model, task) : undefined;
  const output = { from: task.id, by: makersOf(task) };
  if (isOwn) model.outputs.set(flightKey(model, task), { ...output, at: model.now });
  finish(model, task, "completed");
  for (const follower of flight?.followers ?? [])
    if (flight?.followers.includes(follower) === true) answer(model, follower, output);
}

/** Who has had an attempt at it, or at anything below it. */
function makersOf(task: Task): readonly string[] {
  const { attempt, ended, children } = task;
  const own = [...ended.map(({ agent }) => agent), ...(attempt === undefined ? [] : [attempt.agent.name])];
  return [...own, ...children.flatMap(makersOf)];
}

/** It has the output of another, once guardrails have let that pass for it too. */
function answer(model: Model, task: Task, output: Given): void {
  if (model.settings.guardrails.output === undefined) giveOutput(model, task, "other", output.by);
  else {
    leave(model, task);
    model.offers.set(task, output);
    task.status = "waiting";
  }
}

/** It stands still until somebody allows it to go on. */
export function ask(model: Model, task: Task, expiresMs: number): void {
  // Nobody waits for what it may never give.
  if (task.approval?.before === "run" || task.given === "other") leave(model, task);
  task.askedUntil = model.now + expiresMs;
  task.ballot = undefined;
  task.status = "waiting";
  task.promise = undefined;
  task.ending = undefined;
  task.instead = undefined;
}

/** Others have a series of attempts of their own, or a value is its output. Whether something takes the place of its failure. */
function fallBack(model: Model, task: Task): boolean {
  const { fallback, instead, deadlineAt = Number.POSITIVE_INFINITY } = task;
  if (fallback === undefined || instead === undefined) return false;
  if (instead === "any" && model.now < deadlineAt && !task.fellBack && fallback.others !== undefined) {
    model.fallbacks.push(`${task.id} agents`);
    task.fellBack = true;
    task.since = task.rounds;
    task.ending = undefined;
    task.instead = undefined;
    task.manager = undefined;
    task.spent = 0;
    task.notBefore = 0;
    // What others give is no answer to those who ask for whom it was meant for.
    leave(model, task);
    becomePending(model, task);
    return true;
  }
  if (!fallback.hasValue) return false;
  model.fallbacks.push(`${task.id} value`);
  giveOutput(model, task, "other");
  return true;
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
  leave(model, task);
  task.held = false;
  task.promise = undefined;
  if (model.reserved?.task === task) model.reserved = undefined;
  task.ending = undefined;
  task.instead = undefined;
  task.askedUntil = undefined;
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
  const stands = parent.attempt === undefined && parent.status === "waiting" && parent.askedUntil === undefined;
  if (child.round !== undefined && stands) judge(model, parent);
}

/** Of a manager that waits for its plan: whether it goes on, or has failed. */
export function judge(model: Model, parent: Task): void {
  const planned = parent.children.filter(({ round }) => round !== undefined);
  const open = planned.some((one) => !isTerminal(one));
  const short = enoughSucceeded(parent) === "no";
  // Who is held leads nobody once its round has ended, whatever becomes of it.
  if (!open && parent.held) leave(model, parent);
  if (short && (!open || parent.manager?.failFast === true)) endAs(model, parent, "failed", { instead: "any" });
  else if (!open) becomePending(model, parent);
}

/** Whether enough of all subtasks have succeeded, can still, or cannot any more. */
export function enoughSucceeded(task: Task): "yes" | "open" | "no" {
  // What another planned, whose place its manager has taken, is not its to answer for.
  const planned = task.children.filter(({ round }) => round !== undefined && round > task.since);
  const good = planned.filter(({ status }) => status === "completed").length;
  const bad = planned.filter((child) => isTerminal(child) && child.status !== "completed").length;
  const least = task.manager?.minSuccess ?? "all";
  const needed = least === "all" ? planned.length : least === "any" ? 1 : least;
  if (good >= needed) return "yes";
  return planned.length - bad < needed ? "no" : "open";
}
