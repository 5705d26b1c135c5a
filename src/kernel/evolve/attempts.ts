/** Attempts, from when they take what they need until they have given it back. */
import { breakerAdmitted, breakerFailed, breakerSucceeded } from "../../coordination/circuit-breaker.ts";
import { NO_MONEY } from "../../coordination/structures/money.ts";
import type { AttemptRecord, LiveAttempt } from "../attempt.ts";
import { batchOf } from "../batches.ts";
import { dropClaim } from "../claims.ts";
import type {
  AttemptEndedEvent,
  AttemptRegainedEvent,
  AttemptStoppingEvent,
  AttemptWaitingEvent,
  TaskStartedEvent,
} from "../events/attempts.ts";
import type { EventHead } from "../events.ts";
import { leaveFlight } from "../flights.ts";
import { endAttempt, keepHeld, seat, take, unseat } from "../holdings.ts";
import { known, liveOf, taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import { report } from "../reports.ts";
import { setAside } from "../spending.ts";
import type { State } from "../state.ts";
import { openChildrenOf } from "../task.ts";
import { becomePending, readyAt, setStatus } from "../task-status.ts";

export function started(state: State, event: TaskStartedEvent & EventHead, observer: StateObserver | undefined): void {
  const { at } = event;
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
  if (task.attempts.length === 0) task.attempts = [record];
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

/** An attempt has given its task's output. */
export function attemptCompleted(state: State, token: number, at: number, observer: StateObserver | undefined): void {
  const live = liveOf(state, token);
  report(live, breakerSucceeded, state.openMs(at));
  endAttempt(state, live, "completed", at, observer);
}

export function attemptEnded(
  state: State,
  event: AttemptEndedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, event.token);
  const { task } = live;
  const { at } = event;
  const reason = live.stopping?.reason;
  live.record.error = event.error;
  if (counts(event, live)) {
    const { failures, losses, excluded } = task.series;
    if (event.end === "lost" && event.missed !== true)
      task.series = { ...task.series, failures: failures + 1, losses: losses + 1 };
    else {
      const { name } = live.agent;
      const avoided = excluded.at(-1) === name ? excluded : [...excluded.filter((other) => other !== name), name];
      task.series = { ...task.series, failures: failures + 1, excluded: avoided };
      report(live, breakerFailed, state.openMs(at));
    }
  } else if (reason === "preempted") {
    task.series = { ...task.series, preemptions: task.series.preemptions + 1 };
  }
  if (event.keeps === true) keepHeld(state, live, observer);
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

export function attemptStopping(
  state: State,
  { token, reason, graceUntil, for: claimant }: AttemptStoppingEvent,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, token);
  live.stopping = { reason, graceUntil, for: claimant };
  observer?.live(live);
}

/** It awaits others, without its slot and load. */
export function attemptWaiting(state: State, event: AttemptWaitingEvent, observer: StateObserver | undefined): void {
  const live = liveOf(state, event.token);
  live.awaiting = new Set(event.on.map((id) => taskOf(state, id)));
  unseat(state, live, observer);
  setStatus(state, live.task, "waiting");
  observer?.live(live);
  if (observer !== undefined) for (const on of live.awaiting) observer.waits(live.task, [on]);
}

export function attemptRegained(state: State, event: AttemptRegainedEvent, observer: StateObserver | undefined): void {
  const live = liveOf(state, event.token);
  dropClaim(state, live.task, observer);
  live.awaiting = undefined;
  seat(state, live, observer);
  setStatus(state, live.task, "running");
  observer?.live(live);
}
