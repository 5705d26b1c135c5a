/** A task stands still until it is allowed to go on. */
import { dropClaim } from "../claims.ts";
import type { ApprovalAskedEvent, ApprovalGivenEvent, ApprovalRejectedEvent } from "../events/approvals.ts";
import type { EventHead } from "../events.ts";
import { leaveFlight } from "../flights.ts";
import { taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { State } from "../state.ts";
import { childrenOf, isTerminal, openChildrenOf, type Task } from "../task.ts";
import { becomePending, setStatus } from "../task-status.ts";
import { attemptCompleted } from "./attempts.ts";

/** It stands still until somebody allows it to go on. */
export function approvalAsked(
  state: State,
  event: ApprovalAskedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, event.taskId);
  const { before, hash, seq, at, expiresAt, token, output, via, from, givers } = event;
  if (token !== undefined) attemptCompleted(state, token, at, observer);
  // Nobody waits for what it may never give; it has what it waited for.
  else if (task.spec.cacheKey !== undefined) leaveFlight(state, task, observer);
  dropClaim(state, task, observer);
  task.ending = undefined;
  const given = { token, output, via, from, givers };
  task.approval = { state: "asked", before, hash, seq, at, expiresAt, ballotId: undefined, ...given };
  setStatus(state, task, "waiting");
  observer?.task(task);
}

export function approvalGiven(
  state: State,
  { taskId, before, who, at }: ApprovalGivenEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, taskId);
  task.approval = { state: "given", who };
  if (before === "run") becomePending(state, task, at, observer);
  observer?.task(task);
  askBelowAnew(task, observer);
}

/** Who may do what is below it depends on who approved it: mostly nothing is there before that. */
export function askBelowAnew(task: Task, observer: StateObserver | undefined): void {
  if (observer === undefined || openChildrenOf(task) === 0) return;
  const below = [...childrenOf(task)];
  for (const one of below) {
    if (!isTerminal(one.status)) observer.asksAnew(one);
    below.push(...childrenOf(one));
  }
}

export function approvalRejected(
  state: State,
  { taskId }: ApprovalRejectedEvent,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, taskId);
  task.approval = undefined;
  observer?.task(task);
}
