/**
 * How tasks end, and what follows from it: dependents are skipped, subtrees wound down, managers judged.
 *
 * 1. A task ends once in a series of attempts, when it has no live attempt and, unless it completed, no open children.
 * 2. Whoever depended on a task that did not succeed is skipped with the cause, transitively, unless it runs anyway.
 * 3. Nothing here recurses along dependencies: chains of any length end in constant stack. Trees are at most
 *    `limits.managerDepth` deep.
 */
import type { Json } from "../../coordination/structures/types.ts";
import type { LiveAttempt } from "../attempt.ts";
import type { StopReason } from "../events/attempts.ts";
import type { Failure } from "../events/failure.ts";
import type { TaskSkippedEvent } from "../events/tasks.ts";
import type { EventBody } from "../events.ts";
import { namesAgents } from "../fallback.ts";
import type { Flight } from "../flights.ts";
import type { KeptOutput } from "../kept-outputs.ts";
import { defaults } from "../limits.ts";
import { known } from "../named.ts";
import type { AgentState } from "../state.ts";
import { askedOf, childrenOf, giversOf, isTerminal, openChildrenOf, othersPlans, type Task } from "../task.ts";
import { ask, type GivenOutput } from "./asking.ts";
import type { Desk } from "./desk.ts";

type TerminalEvent = Extract<EventBody, { type: "task.completed" | "task.failed" | "task.cancelled" | "task.skipped" }>;

/** Ends a task, and all that ends with it. */
export function end(desk: Desk, task: Task, body: TerminalEvent): void {
  // A round is judged when it ends: what ends again after a person's retry, while its manager is at work or waits to be, is not.
  if (body.type === "task.completed") {
    const judges = task.parent?.status === "waiting";
    const flight = body.via === undefined ? ledBy(desk, task) : undefined;
    const givers = flight === undefined ? [] : giversOf(task);
    desk.emit(body);
    if (task.parent !== undefined) afterChild(desk, task.parent, task, judges);
    if (flight !== undefined) answerAll(desk, flight, { taskId: task.id, output: body.output, givers });
    return;
  }
  const flight = body.type === "task.failed" ? ledBy(desk, task) : undefined;
  const ending: { readonly task: Task; readonly body: TerminalEvent }[] = [{ task, body }];
  const judges = new Set<Task>();
  for (const one of ending) {
    if (isTerminal(one.task.status)) continue;
    const dependents = one.task.dependents ?? [];
    if (one.task.parent?.status === "waiting") judges.add(one.task.parent);
    desk.emit(one.body);
    for (const dependent of dependents) {
      if (isTerminal(dependent.status) || dependent.spec.onDependencyFailure === "run") continue;
      ending.push({ task: dependent, body: skipped(dependent, one.task) });
    }
  }
  for (const { task: child } of ending)
    if (child.parent !== undefined) afterChild(desk, child.parent, child, judges.has(child.parent));
  if (flight !== undefined) admitAll(desk, flight);
}

/** The task has an output, which counts once it is approved where that is asked for. */
export function giveOutput(desk: Desk, task: Task, given: GivenOutput): void {
  if (task.spec.approval?.before === "output") ask(desk, task, given);
  else end(desk, task, { type: "task.completed", v: 1, taskId: task.id, ...given });
}

function ledBy({ state }: Desk, task: Task): Flight | undefined {
  return task.spec.cacheKey !== undefined && state.flights.leads(task) ? state.flights.of(task) : undefined;
}

/**
 * Who led it has failed: each that waited goes on for itself, so that failures cost no more than without sharing. The first
 * leads those who come from now on.
 */
function admitAll(desk: Desk, flight: Flight): void {
  for (const task of [...flight.followers]) {
    if (!flight.followers.has(task)) continue;
    const kept = keptFor(desk, task, flight.key);
    if (kept !== undefined) answer(desk, task, kept);
    else if (flight.leader === undefined) desk.emit({ type: "flight.led", v: 1, taskId: task.id });
    else desk.emit({ type: "flight.led", v: 1, taskId: task.id, alone: true });
  }
}

/** An output that is young enough for the task. */
export function keptFor({ state, now }: Desk, task: Task, key: string): KeptOutput | undefined {
  const kept = state.outputs.get(key);
  return kept !== undefined && now - kept.at < (task.spec.cacheMs ?? defaults.cacheMs) ? kept : undefined;
}

function answerAll(desk: Desk, flight: Flight, given: Given): void {
  for (const follower of [...flight.followers]) if (flight.followers.has(follower)) answer(desk, follower, given);
}

/** What a task gave. */
interface Given {
  readonly taskId: string;
  readonly output: Json;
  /** Who made it, where it has to be approved. */
  readonly givers?: readonly string[];
}

/** The task has its output from another of its `cacheKey`, if guardrails let that pass for it too. */
export function answer(desk: Desk, task: Task, given: Given): void {
  const { taskId, output, givers = [] } = given;
  if (desk.state.settings?.guardrails?.output === undefined) answered(desk, task, given);
  else desk.emit({ type: "output.offered", v: 1, taskId: task.id, from: taskId, output, ...named(givers) });
}

export function answered(desk: Desk, task: Task, { taskId, output, givers = [] }: Given): void {
  giveOutput(desk, task, { output, via: "cache", from: taskId, ...named(givers) });
}

function named(givers: readonly string[]): { readonly givers?: readonly string[] } {
  return givers.length === 0 ? {} : { givers };
}

export function skipped(task: Task, dependency: Task): TaskSkippedEvent {
  const how =
    dependency.status === "failed" ? "failed" : dependency.status === "cancelled" ? "was cancelled" : "was skipped";
  const error = dependency.ended?.error;
  const cause = error && { cause: { code: error.code, message: error.message } };
  return {
    type: "task.skipped",
    v: 1,
    taskId: task.id,
    dependency: dependency.id,
    error: {
      code: "DEPENDENCY_FAILED",
      message: `${dependency.id}, on which it depends, ${how}`,
      retryable: false,
      details: { dependency: dependency.id, ...cause },
    },
  };
}

/** A failure on its way; what of the task's fallback may take its place, if anything may. */
interface Failing {
  readonly as: "failed";
  readonly error: Failure;
  readonly fallback?: "any" | "value";
}

/** Whether the task's fallback takes the place of its failure. What is cancelled, too late or refused falls back on nothing. */
function fallBack(desk: Desk, task: Task, { error, fallback: which }: Failing): boolean {
  const { fallback, deadlineAt } = task.spec;
  if (which === undefined || fallback === undefined) return false;
  const tellsOf = { type: "task.fell-back", v: 1, taskId: task.id, error } as const;
  // What takes the place of its own output is nobody's but its.
  const flight = ledBy(desk, task);
  const inTime = deadlineAt === undefined || desk.now < deadlineAt;
  if (which === "any" && inTime && task.series.fallback === undefined && namesAgents(fallback)) {
    desk.emit({ ...tellsOf, to: "agents" });
    if (flight !== undefined) admitAll(desk, flight);
    return true;
  }
  if (fallback.value === undefined) return false;
  desk.emit({ ...tellsOf, to: "value" });
  giveOutput(desk, task, { output: fallback.value, via: "fallback" });
  if (flight !== undefined) admitAll(desk, flight);
  return true;
}

/** Ends the task as soon as its attempt and its subtree have ended; tells them to stop. */
export function windDown(
  desk: Desk,
  task: Task,
  how: Failing | { readonly as: "cancelled"; readonly reason?: string },
  stop: StopReason,
): void {
  if (isTerminal(task.status) || task.ending !== undefined) return;
  const open = openChildrenOf(task) > 0 ? childrenOf(task).filter((child) => !isTerminal(child.status)) : [];
  if (task.live === undefined && open.length === 0) {
    if (how.as === "cancelled" || !fallBack(desk, task, how)) end(desk, task, terminalOf(task, how));
    return;
  }
  desk.emit({
    type: "task.ending",
    v: 1,
    taskId: task.id,
    as: how.as,
    ...(how.as === "failed" ? { error: how.error } : how.reason === undefined ? {} : { reason: how.reason }),
    ...(how.as === "failed" && how.fallback !== undefined ? { fallback: how.fallback } : {}),
  });
  if (task.live !== undefined && task.live.stopping === undefined) stopAttempt(desk, task.live, stop);
  for (const child of open)
    windDown(
      desk,
      child,
      {
        as: "cancelled",
        reason: `${task.id}, of which it is a part, ${how.as === "failed" ? "failed" : "was cancelled"}`,
      },
      "cancelled",
    );
}

function terminalOf(
  task: Task,
  how:
    | { readonly as: "failed"; readonly error: Failure }
    | { readonly as: "cancelled"; readonly reason?: string | undefined },
): TerminalEvent {
  if (how.as === "failed") return { type: "task.failed", v: 1, taskId: task.id, error: how.error };
  return { type: "task.cancelled", v: 1, taskId: task.id, ...(how.reason === undefined ? {} : { reason: how.reason }) };
}

/** If it was only waiting for its attempt and its subtree, it ends now. */
export function settle(desk: Desk, task: Task): void {
  const { ending } = task;
  if (ending === undefined || task.live !== undefined || openChildrenOf(task) > 0) return;
  if (ending.as === "failed") {
    const { error = { code: "TASK_FAILED", message: "it failed" }, fallback } = ending;
    const how = { as: "failed", error, ...(fallback === undefined ? {} : { fallback }) } as const;
    if (!fallBack(desk, task, how)) end(desk, task, terminalOf(task, how));
  } else end(desk, task, terminalOf(task, { as: "cancelled", reason: ending.reason }));
}

export function stopAttempt(desk: Desk, live: LiveAttempt, reason: StopReason): void {
  desk.emit({
    type: "attempt.stopping",
    v: 1,
    taskId: live.task.id,
    token: live.token,
    reason,
    graceUntil: desk.now + (live.task.spec.graceMs ?? defaults.graceMs),
  });
}

/** A round is judged when it ends, not when one of it that a person had tried again does: its manager no longer waits then. */
function afterChild(desk: Desk, parent: Task, child: Task, judges: boolean): void {
  if (isTerminal(parent.status)) return;
  if (parent.ending !== undefined) {
    settle(desk, parent);
    return;
  }
  // Of several that end together the first may have made others begin anew: those are judged by what they plan. Whose output is
  // to be approved has been judged.
  const isPlanned = parent.phase === "aggregate" && parent.live === undefined && askedOf(parent) === undefined;
  if (child.spec.round === undefined || !isPlanned || !judges) return;
  if (parent.family?.openRound === 0) judgeRound(desk, parent);
  else failFast(desk, parent);
}

/** Ends a manager whose round has ended, when too few of its subtasks have succeeded. */
export function judgeRound(desk: Desk, task: Task): void {
  if (enoughSucceeded(desk, task) === "no")
    windDown(desk, task, { as: "failed", error: shortOf(task), fallback: "any" }, "cancelled");
}

/** Ends a manager that fails fast when too few of its subtasks can still succeed. */
export function failFast(desk: Desk, task: Task): void {
  if (judge(desk, task).failFast) judgeRound(desk, task);
}

/** The manager whose plan it is. */
function judge(desk: Desk, task: Task): AgentState {
  const { agent } = known(task.attempts.at(-1), "an attempt at", task.id);
  return known(desk.state.agents.get(agent), "agent", agent);
}

/** Whether enough subtasks have succeeded, can still, or cannot any more. */
export function enoughSucceeded(desk: Desk, task: Task): "yes" | "open" | "no" {
  const { all, needed, succeeded, failed } = standing(desk, task);
  if (succeeded >= needed) return "yes";
  return all - failed < needed ? "no" : "open";
}

/** Whether all subtasks together are too few. */
export function isPlanTooShort(desk: Desk, task: Task): boolean {
  const { all, needed } = standing(desk, task);
  return all < needed;
}

/** How many subtasks whoever leads it answers for, how many of them ended well or not, and how many have to. */
function standing(
  desk: Desk,
  task: Task,
): { readonly all: number; readonly needed: number; readonly succeeded: number; readonly failed: number } {
  const min = judge(desk, task).minSuccess;
  const { planned = 0, completedChildren = 0, failedChildren = 0 } = task.family ?? {};
  // What another planned, whose place it has taken, is not its to answer for.
  const before = othersPlans(task.series);
  const all = planned - (before?.planned ?? 0);
  return {
    all,
    needed: min === "all" ? all : min === "any" ? 1 : min,
    succeeded: completedChildren - (before?.completed ?? 0),
    failed: failedChildren - (before?.failed ?? 0),
  };
}

/** Why a manager fails, with every cause. */
export function shortOf(task: Task): Failure {
  const causes: Json[] = [];
  const { round: after = 0, planned: before = 0 } = othersPlans(task.series) ?? {};
  for (const child of childrenOf(task)) {
    const error = child.ended?.error;
    if (child.spec.round === undefined || child.spec.round <= after || error === undefined) continue;
    causes.push({ taskId: child.id, status: child.status, code: error.code, message: error.message });
  }
  return {
    code: "TASK_FAILED",
    message: `too few of its subtasks succeeded: ${causes.length} of ${(task.family?.planned ?? 0) - before} did not`,
    retryable: false,
    details: { causes },
  };
}
