/** A task is there: what it waits for, and who waited for it. */

import type { AttemptRecord } from "../attempt.ts";
import type { TaskSubmittedEvent } from "../events/tasks.ts";
import { statusIn } from "../finished-row.ts";
import { amount, needsOf, taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import { enter } from "../settling.ts";
import { fundingOf } from "../spending.ts";
import type { State } from "../state.ts";
import { FIRST_SERIES, isTerminal, type Submitted, type Task, type TaskStatus } from "../task.ts";
import { judgedAnew } from "./guardrails.ts";

const NONE: readonly never[] = [];

/** Shared by all tasks that depend on nothing. */
const NO_TASKS: Task[] = [];

/** Shared by all tasks that were never started. */
const NO_ATTEMPTS: AttemptRecord[] = [];

export function submitted(state: State, event: Submitted, observer: StateObserver | undefined): void {
  const parent = event.parentId === undefined ? undefined : taskOf(state, event.parentId);
  const dependsOn: Task[] = event.dependsOn === undefined ? NO_TASKS : [];
  const runsAnyway = event.onDependencyFailure === "run";
  const later: string[] = [];
  let missing = 0;
  for (const id of event.dependsOn ?? NONE) {
    const dependency = state.tasks.get(id);
    const status = dependency?.status ?? endedStatus(state, event, id);
    if (dependency !== undefined) dependsOn.push(dependency);
    else if (status === undefined) later.push(id);
    if (status !== "completed" && !(runsAnyway && status !== undefined && isTerminal(status))) missing += 1;
  }
  const task: Task = {
    id: event.taskId,
    seq: ++state.arrivals,
    spec: event,
    parent,
    load: amount(event.load ?? 1),
    needs: needsOf(state, event.resources),
    funding: fundingOf(state, event),
    dependsOn,
    closedMs: state.closedMs,
    status: missing > 0 ? "blocked" : "pending",
    priority: event.priority ?? 5,
    missing,
    dependents: undefined,
    family: undefined,
    round: 0,
    phase: "run",
    judgement: judgedAnew(state, undefined),
    held: false,
    readyAfter: 0,
    notBefore: 0,
    live: undefined,
    attempts: NO_ATTEMPTS,
    series: FIRST_SERIES,
    checkpoint: undefined,
    claim: undefined,
    approval: undefined,
    ending: undefined,
    ended: undefined,
    wish: undefined,
  };
  state.tasks.set(task.id, task);
  if (event.trace !== undefined) state.traced = true;
  state.counts[task.status] += 1;
  const number = generatedNumber(task.id);
  if (number > state.lastTaskNumber) state.lastTaskNumber = number;
  for (const dependency of dependsOn) {
    if (isTerminal(dependency.status)) continue;
    dependency.dependents ??= [];
    dependency.dependents.push(task);
  }
  for (const id of later) {
    const waiters = state.expected.get(id);
    if (waiters === undefined) state.expected.set(id, [task]);
    else waiters.push(task);
  }
  const waiters = state.expected.get(task.id);
  if (waiters !== undefined) {
    state.expected.delete(task.id);
    task.dependents = waiters;
    for (const waiter of waiters) {
      waiter.dependsOn.push(task);
      observer?.waits(waiter, [task]);
    }
  }
  if (parent !== undefined) enter(parent, task);
  if (observer !== undefined) {
    const open = dependsOn.filter((dependency) => !isTerminal(dependency.status));
    if (open.length > 0) observer.waits(task, open);
    if (parent !== undefined && event.round !== undefined && parent.status === "waiting")
      observer.waits(parent, [task]);
    observer.task(task);
  }
}

/** How a task that is not among those that go on has ended; undefined: there is none yet. */
function endedStatus(state: State, event: TaskSubmittedEvent, id: string): TaskStatus | undefined {
  const row = state.finished.row(id);
  return row === undefined ? event.archived?.[id] : statusIn(row);
}

/** More than there will ever be tasks: what a user names with a larger number is never generated. */
const MOST_GENERATED = 2 ** 48;

/** The n of `tn`, 0 for other ids. */
function generatedNumber(id: string): number {
  if (id.charCodeAt(0) !== 116) return 0;
  const digits = id.slice(1);
  const number = Number(digits);
  return Number.isInteger(number) && number > 0 && number < MOST_GENERATED && String(number) === digits ? number : 0;
}
