/** Guardrails have let an input pass, or are others than they were. */

import type { InputAcceptedEvent } from "../events/guardrails.ts";
import type { EventHead } from "../events.ts";
import { taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { State } from "../state.ts";
import { ACCEPTED, AWAITED, isReady, type Judgement } from "../task.ts";
import { becomePending, readyAt } from "../task-status.ts";
import { askBelowAnew } from "./approvals.ts";

/** What was let pass stays so; anything else is looked at by the guardrails that there are now. */
export function judgedAnew(state: State, before: Judgement | undefined): Judgement | undefined {
  if (before?.kind === "accepted") return before;
  return state.settings?.guardrails?.input === undefined ? undefined : AWAITED;
}

/** A coordinator has been opened, perhaps with other guardrails: what none has let pass is looked at by these. */
export function judgeAllAnew(state: State): void {
  for (const task of state.tasks.values()) task.judgement = judgedAnew(state, task.judgement);
}

/** Ready from now on, unless something else is in its way. */
export function inputAccepted(
  state: State,
  { taskId, input, at }: InputAcceptedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, taskId);
  task.judgement = input === undefined ? ACCEPTED : { kind: "accepted", input };
  // What was approved, or is asked for, was another: guardrails came with a later opening.
  if (input !== undefined && task.approval !== undefined && task.spec.approval?.before === "run") {
    const isAsked = task.approval.state === "asked";
    task.approval = undefined;
    askBelowAnew(task, observer);
    if (isAsked) becomePending(state, task, at, observer);
  }
  if (isReady(task)) readyAt(state, task, Math.max(at, task.notBefore));
  observer?.task(task);
}
