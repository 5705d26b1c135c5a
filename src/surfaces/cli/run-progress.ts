/**
 * How far a run is, folded from the log: one event at a time, in time that does not grow with the number of tasks.
 *
 * 1. Every task of the run is in exactly one of: waiting, running, aggregated by others (a manager that waits), ended.
 * 2. Times count only while a coordinator was open: what lies between a process's death and the next one's start is no
 *    waiting and no work.
 * 3. What is kept to be listed (the latest ends, the first failures) has a fixed length.
 */

import type { Phase } from "../../kernel/events/attempts.ts";
import type { KernelEvent } from "../../kernel/events.ts";
import type { StoredEvent } from "../../runtime/event-feed.ts";

export type End = "completed" | "failed" | "skipped" | "cancelled";

/** A task that runs now. */
export interface RunningTask {
  readonly taskId: string;
  readonly agent: string;
  readonly phase: Phase;
  readonly attempt: number;
  /** How much of the agent's capacity it takes. */
  readonly load: number;
  /** By the run's own clock. */
  readonly since: number;
}

/** A task that has ended. */
export interface EndedTask {
  readonly taskId: string;
  readonly end: End;
  readonly agent: string | undefined;
  /** Milliseconds that its last attempt ran. */
  readonly ms: number;
  readonly message: string | undefined;
}

/** What an agent has done. Milliseconds weigh with the load of what was done in them. */
export interface AgentWork {
  busyMs: number;
  attempts: number;
  completed: number;
  /** Attempts that ended in another way. */
  lost: number;
}

/** `managing`: a manager's task, while its subtasks are done. */
type State = End | "waiting" | "running" | "managing";

interface KnownTask {
  state: State;
  readonly parentId: string | undefined;
  readonly load: number;
  /** Whether a person has to approve something of it. */
  readonly asksPeople: boolean;
  /** Dependencies that have not ended. */
  missing: number;
  dependents: KnownTask[] | undefined;
  /** When it could have started; by the run's own clock. */
  readyAt: number;
  live: (RunningTask & { readonly token: number; workedSince: number | undefined; workedMs: number }) | undefined;
  lastAgent: string | undefined;
  lastMs: number;
}

const LATEST = 20;
const FAILURES = 20;

export class RunProgress {
  readonly counts: Record<State, number> = {
    waiting: 0,
    running: 0,
    managing: 0,
    completed: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
  total = 0;
  /** Sums over all attempts, in milliseconds. */
  queueWaitMs = 0;
  runMs = 0;
  /** How the run itself ended. */
  end: End | undefined;
  /** Newest last. */
  readonly latest: EndedTask[] = [];
  /** Oldest first. */
  readonly failures: EndedTask[] = [];
  readonly agents: Map<string, AgentWork> = new Map();
  readonly running: Map<string, RunningTask> = new Map();
  /** In order of submission. */
  readonly waiting: Set<string> = new Set();
  /** Those among them that wait for a person to approve something, in the order in which that was asked for. */
  readonly toApprove: Set<string> = new Set();
  readonly #runId: string;
  readonly #tasks: Map<string, KnownTask> = new Map();
  /** Milliseconds between sessions. */
  #closedMs = 0;
  #lastAt: number | undefined;
  #startedAt: number | undefined;
  #isOpen = true;

  constructor(runId: string) {
    this.#runId = runId;
  }

  /** An instant on the run's own clock, which stands still between sessions. */
  clock(at: number): number {
    return at - this.#closedMs;
  }

  /** Milliseconds since the run began, without those between sessions; up to its end, if it has ended. */
  elapsedMs(now: number): number {
    if (this.#startedAt === undefined) return 0;
    const until = this.end === undefined && this.#isOpen ? now : (this.#lastAt ?? now);
    return Math.max(0, this.clock(until) - this.#startedAt);
  }

  apply(stored: StoredEvent): void {
    if (this.end !== undefined) return;
    if (stored.type === "coordinator.opened" && this.#lastAt !== undefined) this.#closedMs += stored.at - this.#lastAt;
    this.#lastAt = stored.at;
    this.#isOpen = stored.type !== "coordinator.closed";
    this.#fold(kernelEvent(stored), this.clock(stored.at));
  }

  #fold(event: KernelEvent, at: number): void {
    switch (event.type) {
      case "task.submitted":
        this.#submitted(event, at);
        break;
      case "task.started":
        this.#started(event, at);
        break;
      case "task.planned":
        this.#stopped(event.taskId, event.token, at, "completed");
        this.#becomes(event.taskId, "managing", at);
        break;
      case "attempt.waiting":
        this.#pauses(this.#tasks.get(event.taskId), at);
        break;
      case "attempt.regained":
        this.#continues(this.#tasks.get(event.taskId), at);
        break;
      case "attempt.ended":
        if (!this.#stopped(event.taskId, event.token, at, "lost")) break;
        this.#becomes(event.taskId, "waiting", Math.max(at, this.clock(event.notBefore ?? 0)));
        break;
      case "approval.asked":
        if (event.token !== undefined) this.#stopped(event.taskId, event.token, at, "completed");
        this.#becomes(event.taskId, "waiting", at);
        if (this.#tasks.get(event.taskId)?.asksPeople === true) this.toApprove.add(event.taskId);
        break;
      // What others thought about is no waiting to be started.
      case "approval.given":
        this.#becomes(event.taskId, "waiting", at);
        break;
      case "task.retried":
        this.#becomes(event.taskId, "waiting", at);
        break;
      case "task.completed":
        if (event.token !== undefined) this.#stopped(event.taskId, event.token, at, "completed");
        this.#ended(event.taskId, "completed", undefined, at);
        break;
      case "task.failed":
      case "task.skipped":
        this.#ended(event.taskId, event.type === "task.failed" ? "failed" : "skipped", event.error.message, at);
        break;
      case "task.cancelled":
        this.#ended(event.taskId, "cancelled", event.reason, at);
        break;
    }
  }

  #submitted(event: Extract<KernelEvent, { type: "task.submitted" }>, at: number): void {
    const { taskId, parentId, dependsOn = [], load = 1, approval } = event;
    if (taskId === this.#runId) this.#startedAt = at;
    if (!taskId.startsWith(`${this.#runId}/`)) return;
    const open = dependsOn.flatMap((id) => this.#tasks.get(id) ?? []).filter((task) => !hasEnded(task));
    const task: KnownTask = {
      state: "waiting",
      parentId,
      load,
      asksPeople: approval !== undefined && typeof approval.by !== "object",
      missing: open.length,
      dependents: undefined,
      readyAt: at,
      live: undefined,
      lastAgent: undefined,
      lastMs: 0,
    };
    for (const dependency of open) {
      dependency.dependents ??= [];
      dependency.dependents.push(task);
    }
    this.#tasks.set(taskId, task);
    this.total += 1;
    this.counts.waiting += 1;
    this.waiting.add(taskId);
  }

  #started({ taskId, agent, token, phase, attempt }: Extract<KernelEvent, { type: "task.started" }>, at: number): void {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    this.queueWaitMs += Math.max(0, at - task.readyAt);
    this.#becomes(taskId, "running", at);
    task.live = { taskId, agent, token, phase, attempt, load: task.load, since: at, workedSince: at, workedMs: 0 };
    task.lastAgent = agent;
    this.running.set(taskId, task.live);
    this.#workOf(agent).attempts += 1;
  }

  #stopped(taskId: string, token: number, at: number, as: "completed" | "lost"): boolean {
    const task = this.#tasks.get(taskId);
    const live = task?.live;
    if (task === undefined || live === undefined || live.token !== token) return false;
    this.#pauses(task, at);
    const work = this.#workOf(live.agent);
    work[as] += 1;
    work.busyMs += live.workedMs * task.load;
    this.runMs += live.workedMs;
    task.lastMs = live.workedMs;
    task.live = undefined;
    this.running.delete(taskId);
    return true;
  }

  #pauses(task: KnownTask | undefined, at: number): void {
    const live = task?.live;
    if (live?.workedSince === undefined) return;
    live.workedMs += at - live.workedSince;
    live.workedSince = undefined;
  }

  #continues(task: KnownTask | undefined, at: number): void {
    if (task?.live !== undefined) task.live.workedSince ??= at;
  }

  #ended(taskId: string, end: End, message: string | undefined, at: number): void {
    if (taskId === this.#runId) this.end = end;
    const task = this.#tasks.get(taskId);
    if (task === undefined || hasEnded(task)) return;
    if (task.live !== undefined) this.#stopped(taskId, task.live.token, at, "lost");
    this.#becomes(taskId, end, at);
    for (const dependent of task.dependents ?? []) {
      dependent.missing -= 1;
      if (dependent.missing === 0) dependent.readyAt = at;
    }
    const parent = task.parentId === undefined ? undefined : this.#tasks.get(task.parentId);
    if (parent !== undefined && parent.live === undefined) parent.readyAt = at;
    const ended = { taskId, end, agent: task.lastAgent, ms: task.lastMs, message };
    this.latest.push(ended);
    if (this.latest.length > LATEST) this.latest.shift();
    if (end === "failed" && this.failures.length < FAILURES) this.failures.push(ended);
  }

  #becomes(taskId: string, state: State, readyAt: number): void {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    this.counts[task.state] -= 1;
    this.counts[state] += 1;
    if (state === "waiting") this.waiting.add(taskId);
    else this.waiting.delete(taskId);
    this.toApprove.delete(taskId);
    task.state = state;
    task.readyAt = readyAt;
  }

  #workOf(agent: string): AgentWork {
    let work = this.agents.get(agent);
    if (work === undefined) {
      work = { busyMs: 0, attempts: 0, completed: 0, lost: 0 };
      this.agents.set(agent, work);
    }
    return work;
  }
}

function hasEnded(task: KnownTask): boolean {
  return task.state !== "waiting" && task.state !== "running" && task.state !== "managing";
}

function kernelEvent(stored: StoredEvent): KernelEvent {
  // What is stored is what the kernel decided.
  return stored as object as KernelEvent;
}
