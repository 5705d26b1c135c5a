/** A task between its submission and its end, and how it ends. */
import { breakerSucceeded } from "../../coordination/circuit-breaker.ts";
import { dropClaim } from "../claims.ts";
import type {
  TaskCancelledEvent,
  TaskCompletedEvent,
  TaskEndingEvent,
  TaskFailedEvent,
  TaskPausedEvent,
  TaskPlannedEvent,
  TaskPrioritizedEvent,
  TaskResumedEvent,
  TaskSkippedEvent,
} from "../events/tasks.ts";
import type { EventHead } from "../events.ts";
import { flightKey, leaveFlight } from "../flights.ts";
import { endAttempt } from "../holdings.ts";
import { liveOf, taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import { report } from "../reports.ts";
import { familyOf, revive } from "../settling.ts";
import type { State } from "../state.ts";
import { askedOf, FIRST_SERIES, giversOf, rootOf, subtasksNow, type Task } from "../task.ts";
import { becomePending, readyAt, setStatus } from "../task-status.ts";
import { askBelowAnew } from "./approvals.ts";
import { attemptCompleted } from "./attempts.ts";
import { countChild, terminal } from "./ending.ts";
import { judgedAnew } from "./guardrails.ts";

export function taskCompleted(
  state: State,
  event: TaskCompletedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, event.taskId);
  const { token, output, at, via, from } = event;
  // The attempt whose output was approved has ended before.
  if (token !== undefined && (task.approval?.state !== "given" || task.live !== undefined))
    attemptCompleted(state, token, at, observer);
  if (from !== undefined) state.outputs.touch(flightKey(state, task));
  else if (task.spec.cacheKey !== undefined && via === undefined)
    state.outputs.put(flightKey(state, task), { taskId: task.id, at, output, givers: giversOf(task) });
  terminal(
    state,
    task,
    "completed",
    {
      at,
      output,
      error: undefined,
      via,
      ...(from === undefined ? {} : { from }),
      ...(via === "fallback" && token === undefined ? { isValue: true } : {}),
    },
    observer,
  );
}

export function taskFailed(
  state: State,
  event: TaskFailedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const { at, error } = event;
  terminal(state, taskOf(state, event.taskId), "failed", { at, output: undefined, error, via: undefined }, observer);
}

export function taskSkipped(
  state: State,
  event: TaskSkippedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const { at, error } = event;
  terminal(state, taskOf(state, event.taskId), "skipped", { at, output: undefined, error, via: undefined }, observer);
}

export function taskCancelled(
  state: State,
  event: TaskCancelledEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const { at } = event;
  const error = { code: "CANCELLED", message: event.reason ?? "cancelled" } as const;
  terminal(state, taskOf(state, event.taskId), "cancelled", { at, output: undefined, error, via: undefined }, observer);
}

/** It will end so when its attempt and its subtree have ended. */
export function taskEnding(state: State, event: TaskEndingEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  task.ending = { as: event.as, error: event.error, reason: event.reason, fallback: event.fallback };
  // What it was allowed it may still fall back with.
  if (askedOf(task) !== undefined) task.approval = undefined;
  if (task.live === undefined) setStatus(state, task, "waiting");
  dropClaim(state, task, observer);
  observer?.task(task);
}

/** A person holds it. */
export function taskPaused(state: State, event: TaskPausedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  task.held = true;
  if (task.status === "blocked" || task.status === "pending" || state.flights.waits(task))
    setStatus(state, task, "paused");
  if (task.status === "paused") leaveFlight(state, task, observer);
  dropClaim(state, task, observer);
  observer?.task(task);
  if (task.live !== undefined) observer?.live(task.live);
}

export function taskResumed(
  state: State,
  event: TaskResumedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, event.taskId);
  task.held = false;
  if (task.status === "paused") {
    if (task.missing > 0) setStatus(state, task, "blocked");
    else becomePending(state, task, event.at, observer);
  }
  observer?.task(task);
  if (task.live === undefined) return;
  task.live.seatMs = state.openMs(event.at);
  observer?.live(task.live);
}

export function taskPrioritized(state: State, event: TaskPrioritizedEvent, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  const before = task.priority;
  task.priority = event.priority;
  observer?.priority(task, before);
}

/** A manager's phase has ended with subtasks; it waits for them, if there are any. */
export function taskPlanned(
  state: State,
  event: TaskPlannedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, event.token);
  const { task } = live;
  report(live, breakerSucceeded, state.openMs(event.at));
  endAttempt(state, live, "completed", event.at, observer);
  task.round = event.round;
  task.checkpoint = undefined;
  task.phase = "aggregate";
  if (event.count > 0) setStatus(state, task, "waiting");
  else becomePending(state, task, event.at, observer);
  observer?.task(task);
}

/** Others do it from now on, in a series of their own; what the first knew of it, and left for a next attempt, is theirs. */
export function fellBack(state: State, task: Task, at: number, observer: StateObserver | undefined): void {
  task.series = { ...task.series, failures: 0, fallback: subtasksNow(task) };
  task.phase = "run";
  task.checkpoint = undefined;
  task.notBefore = 0;
  task.ending = undefined;
  // What was to be set aside for it is of agents that it is for no more.
  dropClaim(state, task, observer);
  // What others give is no answer to those who ask for whom it was meant for.
  leaveFlight(state, task, observer);
  becomePending(state, task, at, observer);
  observer?.asksAnew(task);
}

export function retried(state: State, id: string, at: number, observer: StateObserver | undefined): void {
  const task = state.tasks.get(id) ?? revive(state, id);
  setStatus(state, task, "pending");
  // It is tried again when nothing is in its way that it depends on.
  task.missing = 0;
  task.judgement = judgedAnew(state, task.judgement);
  // Who planned goes on with its plan; else it begins again with those whom it was meant for.
  const { fallback, before, retries = 0 } = task.series;
  const goesOn = task.phase === "aggregate";
  const since = goesOn ? before : task.round === 0 ? undefined : subtasksNow(task);
  task.series = {
    ...FIRST_SERIES,
    retries: retries + 1,
    ...(goesOn && fallback !== undefined ? { fallback } : {}),
    ...(since === undefined ? {} : { before: since }),
  };
  task.ended = undefined;
  task.approval = undefined;
  readyAt(state, task, at);
  const { parent } = task;
  if (parent !== undefined) {
    const family = familyOf(parent);
    family.openChildren += 1;
    familyOf(rootOf(parent)).openBelow += 1;
    if (task.spec.round !== undefined) {
      countChild(parent, task, "failed", -1);
      family.openRound += 1;
      if (parent.status === "waiting") observer?.waits(parent, [task]);
    }
  }
  observer?.task(task);
  askBelowAnew(task, observer);
}
