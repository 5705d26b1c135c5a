/** A task's life, as events tell it: submitted, started, ended attempt by attempt, and over. */
import { breakerAdmitted, breakerFailed, breakerSucceeded } from "../coordination/circuit-breaker.ts";
import { NO_MONEY } from "../coordination/structures/money.ts";
import { batchOf } from "./batches.ts";
import { dropClaim } from "./claims.ts";
import type {
  ApprovalAskedEvent,
  AttemptEndedEvent,
  EventHead,
  InputAcceptedEvent,
  TaskStartedEvent,
  TaskSubmittedEvent,
} from "./events.ts";
import { statusIn } from "./finished-row.ts";
import { leaveFlight } from "./flights.ts";
import { endAttempt, keepHeld, seat, take } from "./holdings.ts";
import { amount, known, liveOf, needsOf, taskOf } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import { report } from "./reports.ts";
import { enter, familyOf, revive, settle } from "./settling.ts";
import { fundingOf, setAside } from "./spending.ts";
import {
  ACCEPTED,
  type AttemptRecord,
  AWAITED,
  arrivedMs,
  askedOf,
  type Ended,
  FIRST_SERIES,
  isReady,
  isTerminal,
  type Judgement,
  type LiveAttempt,
  openChildrenOf,
  rootOf,
  type State,
  type Submitted,
  type Task,
  type TaskStatus,
} from "./state.ts";

const NONE: readonly never[] = [];

/** Shared by all tasks that depend on nothing. */
const NO_TASKS: Task[] = [];

/** Shared by all tasks that were never started. */
const NO_ATTEMPTS: AttemptRecord[] = [];

/** How a task that is not among those that go on has ended; undefined: there is none yet. */
function endedStatus(state: State, event: TaskSubmittedEvent, id: string): TaskStatus | undefined {
  const row = state.finished.row(id);
  return row === undefined ? event.archived?.[id] : statusIn(row);
}

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

/** What was let pass stays so; anything else is looked at by the guardrails that there are now. */
function judgedAnew(state: State, before: Judgement | undefined): Judgement | undefined {
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
  { taskId, input }: InputAcceptedEvent,
  at: number,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, taskId);
  task.judgement = input === undefined ? ACCEPTED : { kind: "accepted", input };
  // What was approved, or is asked for, was another: guardrails came with a later opening.
  if (input !== undefined && task.approval !== undefined && task.spec.approval?.before === "run") {
    const isAsked = task.approval.state === "asked";
    task.approval = undefined;
    if (isAsked) becomePending(state, task, at, observer);
  }
  if (isReady(task)) readyAt(state, task, Math.max(at, task.notBefore));
  observer?.task(task);
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

export function started(state: State, event: TaskStartedEvent, at: number, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  const agent = known(state.agents.get(event.agent), "agent", event.agent);
  dropClaim(state, task, observer);
  const record: AttemptRecord = {
    number: event.attempt,
    agent: event.agent,
    token: event.token,
    phase: event.phase,
    startedAt: at,
    endedAt: undefined,
    end: undefined,
    error: undefined,
    cost: undefined,
  };
  const live: LiveAttempt = {
    task,
    agent,
    token: event.token,
    phase: event.phase,
    startedAt: at,
    record,
    seated: false,
    batch: event.batch === undefined ? undefined : batchOf(state, event.batch, agent),
    stopping: undefined,
    awaiting: undefined,
    seatMs: 0,
    extra: undefined,
    request: undefined,
    reserved: NO_MONEY,
    place: undefined,
    wish: undefined,
    timer: undefined,
  };
  if (task.attempts === NO_ATTEMPTS) task.attempts = [record];
  else task.attempts.push(record);
  task.live = live;
  task.notBefore = 0;
  task.phase = event.phase;
  state.live.set(event.token, live);
  state.lastToken = event.token;
  report(live, breakerAdmitted, state.openMs(at));
  for (const need of task.needs) take(need, at, observer);
  setAside(live);
  seat(state, live, observer);
  setStatus(state, task, "running");
  observer?.task(task);
  observer?.live(live);
}

export function attemptEnded(
  state: State,
  event: AttemptEndedEvent,
  at: number,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, event.token);
  const { task } = live;
  const reason = live.stopping?.reason;
  live.record.error = event.error;
  if (counts(event, live)) {
    const { failures, losses, excluded } = task.series;
    if (event.end === "lost" && event.missed !== true)
      task.series = { ...task.series, failures: failures + 1, losses: losses + 1 };
    else {
      const { name } = live.agent;
      const avoided = excluded.includes(name) ? excluded : [...excluded, name];
      task.series = { ...task.series, failures: failures + 1, excluded: avoided };
      report(live, breakerFailed, state.openMs(at));
    }
  } else if (reason === "preempted") {
    task.series = { ...task.series, preemptions: task.series.preemptions + 1 };
  }
  if (event.keeps === true) keepHeld(state, live);
  endAttempt(state, live, event.end, at, observer, event.assumed);
  observer?.agent(live.agent, "other");
  task.notBefore = event.notBefore ?? 0;
  if (task.ending !== undefined) {
    if (openChildrenOf(task) > 0) setStatus(state, task, "waiting");
  } else if (reason === "preempted" || reason === "paused" || task.held) {
    setStatus(state, task, "paused");
    readyAt(state, task, at);
    if (task.held) leaveFlight(state, task, observer);
  } else {
    becomePending(state, task, at, observer);
  }
  observer?.task(task);
}

/** Whether an attempt that ended so counts towards the policy's attempts. */
function counts(event: AttemptEndedEvent, live: LiveAttempt): boolean {
  if (event.end === "abandoned" || event.end === "timeout") return live.stopping?.reason === "timeout";
  return event.end === "failed" || event.end === "lost";
}

/** Ready to be started, or held where a person wants it so. */
export function becomePending(state: State, task: Task, at: number, observer: StateObserver | undefined): void {
  setStatus(state, task, task.held ? "paused" : "pending");
  if (task.held) leaveFlight(state, task, observer);
  readyAt(state, task, Math.max(at, task.notBefore));
}

function readyAt(state: State, task: Task, at: number): void {
  task.readyAfter = state.openMs(at) - arrivedMs(task);
}

export function terminal(
  state: State,
  task: Task,
  status: "completed" | "failed" | "skipped" | "cancelled",
  how: Ended,
  observer: StateObserver | undefined,
): void {
  const { at } = how;
  dropClaim(state, task, observer);
  if (state.reserved?.task === task) state.reserved = undefined;
  setStatus(state, task, status);
  if (task.spec.cacheKey !== undefined) leaveFlight(state, task, observer);
  task.ended = how;
  task.ending = undefined;
  task.held = false;
  task.notBefore = 0;
  task.checkpoint = undefined;
  task.approval = undefined;
  const { dependents, parent, dependsOn } = task;
  task.dependents = undefined;
  // Else each of a chain would keep all before it.
  if (dependsOn.length > 0) dependsOn.length = 0;
  if (dependents !== undefined) {
    for (const dependent of dependents) {
      if (isTerminal(dependent.status)) continue;
      if (status !== "completed" && dependent.spec.onDependencyFailure !== "run") continue;
      dependent.missing -= 1;
      if (dependent.missing > 0) continue;
      readyAt(state, dependent, at);
      if (dependent.status === "blocked") setStatus(state, dependent, "pending");
      observer?.task(dependent);
    }
  }
  if (parent !== undefined) {
    const family = familyOf(parent);
    family.openChildren -= 1;
    familyOf(rootOf(parent)).openBelow -= 1;
    if (task.spec.round !== undefined) {
      countChild(parent, task, status === "completed" ? "completed" : "failed", 1);
      family.openRound -= 1;
      if (
        family.openRound === 0 &&
        parent.status === "waiting" &&
        parent.live === undefined &&
        parent.ending === undefined &&
        askedOf(parent) === undefined
      ) {
        becomePending(state, parent, at, observer);
        observer?.task(parent);
      }
    }
    const waiting = parent.live;
    if (waiting?.awaiting?.delete(task)) {
      waiting.seatMs = state.openMs(at);
      observer?.live(waiting);
    }
  }
  observer?.task(task);
  observer?.ended(task, dependents ?? NONE);
  settle(state, task, at);
}

/** Others do it from now on, in a series of their own; what the first knew of it, and left for a next attempt, is theirs. */
export function fellBack(state: State, task: Task, at: number, observer: StateObserver | undefined): void {
  const { family, round, series } = task;
  const { planned = 0, completedChildren: completed = 0, failedChildren: failed = 0 } = family ?? {};
  const { losses, preemptions, excluded } = series;
  task.series = { failures: 0, losses, preemptions, excluded, fallback: { round, planned, completed, failed } };
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

/** An attempt has given its task's output. */
export function attemptCompleted(state: State, token: number, at: number, observer: StateObserver | undefined): void {
  const live = liveOf(state, token);
  report(live, breakerSucceeded, state.openMs(at));
  endAttempt(state, live, "completed", at, observer);
}

/** It stands still until somebody allows it to go on. */
export function approvalAsked(
  state: State,
  event: ApprovalAskedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const task = taskOf(state, event.taskId);
  const { before, hash, seq, at, expiresAt, token, output, via, from } = event;
  if (token !== undefined) attemptCompleted(state, token, at, observer);
  // Nobody waits for what it may never give; it has what it waited for.
  else if (task.spec.cacheKey !== undefined) leaveFlight(state, task, observer);
  dropClaim(state, task, observer);
  task.ending = undefined;
  task.approval = { state: "asked", before, hash, seq, at, expiresAt, ballotId: undefined, token, output, via, from };
  setStatus(state, task, "waiting");
  observer?.task(task);
}

export function retried(state: State, id: string, at: number, observer: StateObserver | undefined): void {
  const task = state.tasks.get(id) ?? revive(state, id);
  setStatus(state, task, "pending");
  // It is tried again when nothing is in its way that it depends on.
  task.missing = 0;
  task.judgement = judgedAnew(state, task.judgement);
  // Who planned goes on with its plan; else it begins again with those whom it was meant for.
  const { fallback } = task.series;
  task.series = fallback === undefined || task.phase !== "aggregate" ? FIRST_SERIES : { ...FIRST_SERIES, fallback };
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
}

/** A planned subtask has ended so, or goes on after it had. What another had planned stays none of the present manager's. */
function countChild(parent: Task, { spec }: Task, how: "completed" | "failed", by: 1 | -1): void {
  const family = familyOf(parent);
  if (how === "completed") family.completedChildren += by;
  else family.failedChildren += by;
  const before = parent.series.fallback;
  if (before === undefined || (spec.round ?? 0) > before.round) return;
  parent.series = { ...parent.series, fallback: { ...before, [how]: before[how] + by } };
}

export function setStatus(state: State, task: Task, status: TaskStatus): void {
  state.counts[task.status] -= 1;
  task.status = status;
  state.counts[status] += 1;
}
