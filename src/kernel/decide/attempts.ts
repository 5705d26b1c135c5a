/** How attempts end: completed, failed and tried again, stopped, abandoned, lost. */
import { breakerStatus } from "../../coordination/circuit-breaker.ts";
import { invalid } from "../../coordination/structures/arguments.ts";
import { textOf } from "../../coordination/structures/money.ts";
import type { LiveAttempt, Need } from "../attempt.ts";
import type { Answer, Command } from "../commands.ts";
import type { AttemptEnd } from "../events/attempts.ts";
import type { Failure } from "../events/failure.ts";
import type { RetryPolicy } from "../events/tasks.ts";
import { defaults, limits } from "../limits.ts";
import { type Watched, watchedBy } from "../reports.ts";
import type { Resource } from "../state.ts";
import type { Task } from "../task.ts";
import { tellOverruns } from "./budgets.ts";
import { type Desk, DONE, refused, speaker } from "./desk.ts";
import { giveOutput, settle, stopAttempt, windDown } from "./endings.ts";
import { noted, requireAll } from "./guardrails.ts";
import { noteRead } from "./messages.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const NEVER_RETRIED: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "BUDGET_EXCEEDED", "GUARDRAIL_BLOCKED"]);

export function complete(desk: Desk, command: CommandOf<"attempt.complete">): Answer {
  const live = speaker(desk.state, command);
  if (live.phase === "plan")
    throw refused(
      "INVALID_STATE",
      `task ${live.task.id} is being planned: a plan ends with subtasks, not with an output`,
    );
  const { task } = live;
  const { output, verdicts = [] } = command;
  requireAll(desk, "output", task.id, verdicts);
  const blocked = noted(desk, { taskId: task.id, on: "output", token: live.token, agent: live.agent.name }, verdicts);
  if (mustStop(live)) {
    stopped(desk, live);
    return DONE;
  }
  if (blocked !== undefined) {
    counted(desk, live, "failed", blocked, { last: blocked });
    return DONE;
  }
  noteRead(desk, live, command.read);
  watchingBreakers(desk, live, () => {
    const { token } = live;
    const via = task.series.fallback === undefined ? {} : { via: "fallback" as const };
    giveOutput(desk, task, { token, output, ...via });
  });
  return DONE;
}

/** Whether what it gives comes too late: one told to make way or to pause may still complete, one whose time is over may not. */
function mustStop(live: LiveAttempt): boolean {
  if (live.task.ending !== undefined) return true;
  const reason = live.stopping?.reason;
  return reason === "cancelled" || reason === "timeout" || reason === "deadline";
}

export function fail(desk: Desk, command: CommandOf<"attempt.fail">): Answer {
  const { error } = command;
  if (typeof error?.code !== "string" || typeof error.message !== "string")
    throw invalid("error", error, "an error's code and message");
  const live = speaker(desk.state, command);
  if (live.stopping !== undefined || live.task.ending !== undefined) stopped(desk, live);
  else counted(desk, live, "failed", error);
  return DONE;
}

export function checkpoint(desk: Desk, command: CommandOf<"attempt.checkpoint">): Answer {
  const live = speaker(desk.state, command);
  desk.emit({ type: "attempt.checkpointed", v: 1, taskId: live.task.id, token: live.token, state: command.state });
  return DONE;
}

/** What is told of one that kept nothing, or is no more, changes nothing. */
export function gone(desk: Desk, { taskId, token }: CommandOf<"attempt.gone">): Answer {
  if (desk.state.kept.get(token)?.taskId === taskId) desk.emit({ type: "attempt.gone", v: 1, taskId, token });
  return DONE;
}

/** It did what it was told: it stopped. `died`: its process did, so that nobody knows what it spent. */
export function stopped(desk: Desk, live: LiveAttempt, { died = false }: { readonly died?: boolean } = {}): void {
  const reason = live.stopping?.reason;
  if (reason === "timeout") counted(desk, live, "timeout", timedOut(live.task), { died });
  else
    uncounted(
      desk,
      live,
      reason === "preempted" || reason === "paused" ? "preempted" : reason === "deadline" ? "timeout" : "cancelled",
      died,
    );
}

/** It is deaf: from now on it counts as ended, and what it still gives is discarded. */
export function abandon(desk: Desk, live: LiveAttempt): void {
  if (live.stopping?.reason === "timeout") counted(desk, live, "abandoned", timedOut(live.task));
  else uncounted(desk, live, "abandoned");
}

/** Its process died. */
export function lose(desk: Desk, live: LiveAttempt): void {
  counted(desk, live, "lost", { code: "TASK_FAILED", message: "the process in which it ran is gone" }, { died: true });
}

/** Its lease ran out: nothing was heard for too long of what runs it, and this process lives. */
export function loseHeard(desk: Desk, command: CommandOf<"attempt.lose">): Answer {
  const { message } = command;
  if (typeof message !== "string") throw invalid("message", message, "a string");
  const live = speaker(desk.state, command);
  if (live.stopping !== undefined || live.task.ending !== undefined) stopped(desk, live, { died: true });
  else counted(desk, live, "lost", { code: "TASK_FAILED", message }, { died: true, missed: true });
  return DONE;
}

function timedOut(task: Task): Failure {
  return { code: "TIMEOUT", message: `no result within ${task.spec.timeoutMs} ms` };
}

/** Time is up for an attempt: told to stop, or given up when it was told before. */
export function attemptDue(desk: Desk, live: LiveAttempt): void {
  if (live.stopping === undefined) stopAttempt(desk, live, "timeout");
  else abandon(desk, live);
}

/** The task's own time is up. */
export function deadlineDue(desk: Desk, task: Task): void {
  windDown(
    desk,
    task,
    { as: "failed", error: { code: "TIMEOUT", message: "its deadline has passed", retryable: false } },
    "deadline",
  );
}

/** What it had not spent by all that is known, where that is not known: taken as spent. */
function assumedOf({ reserved }: LiveAttempt, died: boolean): { readonly assumed?: string } {
  return died && reserved.gt(0) ? { assumed: textOf(reserved) } : {};
}

function uncounted(desk: Desk, live: LiveAttempt, how: AttemptEnd, died = false): void {
  const assumed = assumedOf(live, died);
  desk.emit({
    type: "attempt.ended",
    v: 1,
    taskId: live.task.id,
    token: live.token,
    end: how,
    ...(keeps(desk, live, how) ? { keeps: true as const } : {}),
    ...assumed,
  });
  if (assumed.assumed !== undefined) tellOverruns(desk, live);
  settle(desk, live.task);
}

/** Whether its code, which goes on, keeps what the attempt held. */
function keeps(desk: Desk, { task, extra }: LiveAttempt, how: AttemptEnd): boolean {
  if (how !== "abandoned" || desk.state.settings?.strict !== true) return false;
  const isHeld = ({ resource }: Need): boolean => resource.rate === undefined;
  return task.needs.some(isHeld) || [...(extra?.values() ?? [])].some(({ needs }) => needs.some(isHeld));
}

/** An attempt that counts towards the policy's: tried again, or the task fails, with `last` if that is given. */
function counted(
  desk: Desk,
  live: LiveAttempt,
  how: AttemptEnd,
  error: Failure,
  {
    last,
    died = false,
    missed = false,
  }: { readonly last?: Failure; readonly died?: boolean; readonly missed?: boolean } = {},
): void {
  const { task } = live;
  const policy = task.spec.retry ?? {};
  const losses = task.series.losses + (how === "lost" && !missed ? 1 : 0);
  const poison = losses >= limits.losses;
  const again =
    task.ending === undefined &&
    !poison &&
    error.retryable !== false &&
    !NEVER_RETRIED.has(error.code) &&
    task.series.failures + 1 < (policy.maxAttempts ?? defaults.maxAttempts);
  const failure: Failure =
    error.message.length <= limits.messageLength
      ? error
      : { ...error, message: `${error.message.slice(0, limits.messageLength - 1)}…` };
  const assumed = assumedOf(live, died);
  watchingBreakers(desk, live, () => {
    desk.emit({
      type: "attempt.ended",
      v: 1,
      taskId: task.id,
      token: live.token,
      end: how,
      error: failure,
      ...(keeps(desk, live, how) ? { keeps: true as const } : {}),
      ...(again ? { notBefore: desk.now + backoff(policy, task.series.failures + 1, task.seq) } : {}),
      ...assumed,
      ...(missed ? { missed: true as const } : {}),
    });
  });
  if (assumed.assumed !== undefined) tellOverruns(desk, live);
  if (task.ending !== undefined) settle(desk, task);
  else if (!again) {
    const fallback = poison ? "value" : fallbackFor(failure);
    const ending = { as: "failed", error: poison ? poisoned(task) : (last ?? finalError(failure)) } as const;
    windDown(desk, task, fallback === undefined ? ending : { ...ending, fallback }, "cancelled");
  }
}

/**
 * What may take the place of a failure for good. What a guardrail refuses is not to be got by another way; who has no money left
 * cannot pay others either. What killed its process three times is not handed on either.
 */
function fallbackFor({ code }: Failure): "any" | "value" | undefined {
  if (code === "GUARDRAIL_BLOCKED") return undefined;
  return code === "BUDGET_EXCEEDED" ? "value" : "any";
}

/** What the task fails with when its last attempt failed so. */
function finalError(error: Failure): Failure {
  if (error.code === "TIMEOUT") return { ...error, retryable: false };
  const details = {
    cause: {
      code: error.code,
      message: error.message,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
  return { code: "TASK_FAILED", message: error.message, retryable: false, details };
}

function poisoned(task: Task): Failure {
  return {
    code: "TASK_FAILED",
    message: `poison: ${limits.losses} attempts were lost with the process that ran them`,
    retryable: false,
    details: { poison: true, losses: task.series.losses },
  };
}

/**
 * Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015): a delay between 0 and what the
 * exponent allows, drawn from the task's number and the attempt's, so that the same log gives the same delays.
 */
function backoff(policy: RetryPolicy, failures: number, seed: number): number {
  const initial = policy.initialMs ?? defaults.retryInitialMs;
  const most = Math.min(
    policy.maxMs ?? Math.max(defaults.retryMaxMs, initial),
    initial * (policy.factor ?? defaults.retryFactor) ** (failures - 1),
  );
  return Math.floor(policy.jitter === false ? most : most * fraction(seed, failures));
}

/** A number in [0, 1) from two integers: a finalizer of 32 bits (the one of MurmurHash3), twice. */
function fraction(seed: number, round: number): number {
  return mix(mix(seed >>> 0) ^ (round * 0x9e3779b1)) / 0x1_0000_0000;
}

function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Tells when what is decided opens or closes the breaker of its agent, or of what it holds. */
export function watchingBreakers(desk: Desk, live: LiveAttempt, decision: () => void): void {
  const { agent } = live;
  const resources = watchedBy(live);
  if (agent.breakerRule === undefined && resources.length === 0) {
    decision();
    return;
  }
  const before = statusOf(desk, agent);
  const befores = resources.map((resource) => statusOf(desk, resource));
  decision();
  if (agent.breakerRule !== undefined) {
    const after = statusOf(desk, agent);
    desk.indexes.agent(agent, "other");
    if (before !== after) desk.emit({ type: "breaker.changed", v: 1, agent: agent.name, state: after });
  }
  for (const [i, resource] of resources.entries()) tellResource(desk, resource, befores[i]);
}

type Status = ReturnType<typeof breakerStatus>;

function statusOf(desk: Desk, { breakerRule, breaker }: Watched): Status {
  return breakerRule === undefined ? "closed" : breakerStatus(breakerRule, breaker, desk.state.openMs(desk.now));
}

function tellResource(desk: Desk, resource: Resource, before: Status | undefined): void {
  const after = statusOf(desk, resource);
  desk.indexes.resource(resource, "freed");
  if (before !== after) desk.emit({ type: "resource.breaker-changed", v: 1, resource: resource.id, state: after });
}
