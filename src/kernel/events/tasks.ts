/** A task from its submission to its end. */
import type { Json, SkillRequirement } from "../../coordination/structures/types.ts";
import type { ApprovalPolicy } from "./approvals.ts";
import type { Failure } from "./failure.ts";
import type { LayoutsOf } from "./layout.ts";

/** How often and after how long a failed task is tried again: exponential backoff. */
export interface RetryPolicy {
  readonly maxAttempts?: number;
  readonly initialMs?: number;
  readonly maxMs?: number;
  readonly factor?: number;
  readonly jitter?: boolean;
}

/**
 * What takes the place of a failure: a series of attempts by whom this describes, then the value. Each may be left out, but not
 * all.
 */
export interface FallbackPolicy {
  /** The only agent that may do it then. */
  readonly agent?: string;
  /** What its agent must be able to do then. Left out, with an agent: nothing. */
  readonly skills?: readonly SkillRequirement[];
  /** The output when nobody has given one. */
  readonly value?: Json;
}

/** Who gave an output that its task's own agents did not give. */
export type Substitute = "fallback" | "cache";

/** What a task asks for, with defaults left out. Amounts are numbers of at most nine places. */
export interface TaskFields {
  readonly name?: string;
  readonly input?: Json;
  readonly context?: Json;
  readonly skills?: readonly SkillRequirement[];
  /** A pin. */
  readonly agent?: string;
  readonly priority?: number;
  readonly load?: number;
  /** Global ids. */
  readonly dependsOn?: readonly string[];
  /** The same as they were written, where that differs. */
  readonly dependsOnAs?: readonly string[];
  readonly onDependencyFailure?: "run";
  readonly resources?: Readonly<Record<string, number>>;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly estimatedMs?: number;
  readonly graceMs?: number;
  readonly retry?: RetryPolicy;
  readonly preemptible?: false;
  /** From what it is paid: its own, or its parent's. */
  readonly budget?: string;
  /** What an attempt is thought to cost: a decimal above 0. */
  readonly cost?: string;
  readonly fallback?: FallbackPolicy;
  /** Tasks of one key, that the same agents may do, share one output. */
  readonly cacheKey?: string;
  /** How old an output may be to answer it. */
  readonly cacheMs?: number;
  /** `before` is always told; `by` only where it is a ballot. */
  readonly approval?: ApprovalPolicy;
  /** Tasks of one key, that ask for the same, are given to an agent together if it takes them so. */
  readonly batchKey?: string;
  /** For how long, from when it is ready, it waits for others of its key. */
  readonly batchWaitMs?: number;
}

export interface TaskSubmittedEvent extends TaskFields {
  readonly type: "task.submitted";
  readonly v: 1;
  readonly taskId: string;
  readonly parentId?: string;
  /** The round of the parent's plan that it belongs to; absent: submitted by an agent's own code. */
  readonly round?: number;
  /** The manager whose team may do it. */
  readonly scope?: string;
  /** Epoch milliseconds by which it must have ended; own or inherited, whichever is earlier. */
  readonly deadlineAt?: number;
  /** The idempotency key of the call. */
  readonly key?: string;
  /** How those of its dependencies ended that had left memory. */
  readonly archived?: Readonly<Record<string, "completed" | "failed" | "skipped" | "cancelled">>;
}

export interface TaskCompletedEvent {
  readonly type: "task.completed";
  readonly v: 1;
  readonly taskId: string;
  /** The attempt that gave the output; absent: none did. */
  readonly token?: number;
  readonly output: Json;
  /** Absent: one of the agents that it was meant for. */
  readonly via?: Substitute;
  /** The task whose output answers it, by their `cacheKey`. */
  readonly from?: string;
}

/** What it was meant for is spent, or is not to be had: from now on its fallback does it, or stands for it. */
export interface TaskFellBackEvent {
  readonly type: "task.fell-back";
  readonly v: 1;
  readonly taskId: string;
  /** Other agents try it from now on; or the value is its output, and `task.completed` follows. */
  readonly to: "agents" | "value";
  /** What it would have failed with. */
  readonly error: Failure;
}

export interface TaskFailedEvent {
  readonly type: "task.failed";
  readonly v: 1;
  readonly taskId: string;
  readonly error: Failure;
}

export interface TaskSkippedEvent {
  readonly type: "task.skipped";
  readonly v: 1;
  readonly taskId: string;
  /** The dependency that did not succeed. */
  readonly dependency: string;
  readonly error: Failure;
}

export interface TaskCancelledEvent {
  readonly type: "task.cancelled";
  readonly v: 1;
  readonly taskId: string;
  readonly reason?: string;
}

/** The task will end so as soon as its attempt and its subtree have ended. */
export interface TaskEndingEvent {
  readonly type: "task.ending";
  readonly v: 1;
  readonly taskId: string;
  readonly as: "failed" | "cancelled";
  readonly error?: Failure;
  readonly reason?: string;
  /** Which of its fallback may take the place of the failure then. Absent: nothing. */
  readonly fallback?: "any" | "value";
}

export interface TaskPausedEvent {
  readonly type: "task.paused";
  readonly v: 1;
  readonly taskId: string;
}

export interface TaskResumedEvent {
  readonly type: "task.resumed";
  readonly v: 1;
  readonly taskId: string;
}

export interface TaskPrioritizedEvent {
  readonly type: "task.prioritized";
  readonly v: 1;
  readonly taskId: string;
  readonly priority: number;
}

export interface TaskRetriedEvent {
  readonly type: "task.retried";
  readonly v: 1;
  readonly taskId: string;
}

/** A manager's phase ended with subtasks (their `task.submitted` follow); it waits for them and holds nothing. */
export interface TaskPlannedEvent {
  readonly type: "task.planned";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly round: number;
  /** Subtasks of this round. */
  readonly count: number;
}

export type TaskEvent =
  | TaskSubmittedEvent
  | TaskCompletedEvent
  | TaskFellBackEvent
  | TaskFailedEvent
  | TaskSkippedEvent
  | TaskCancelledEvent
  | TaskEndingEvent
  | TaskPausedEvent
  | TaskResumedEvent
  | TaskPrioritizedEvent
  | TaskRetriedEvent
  | TaskPlannedEvent;

export const TASK_EVENTS: LayoutsOf<TaskEvent> = {
  "task.submitted": {
    code: 7,
    v: 1,
    fields: [
      "taskId",
      "input",
      "skills",
      "priority",
      "name",
      "context",
      "agent",
      "load",
      "dependsOn",
      "dependsOnAs",
      "onDependencyFailure",
      "resources",
      "timeoutMs",
      "deadlineMs",
      "estimatedMs",
      "graceMs",
      "retry",
      "preemptible",
      "parentId",
      "round",
      "scope",
      "deadlineAt",
      "key",
      "archived",
      "budget",
      "cost",
      "fallback",
      "cacheKey",
      "cacheMs",
      "approval",
      "batchKey",
      "batchWaitMs",
    ],
  },
  "task.completed": { code: 9, v: 1, fields: ["taskId", "token", "output", "via", "from"] },
  "task.fell-back": { code: 52, v: 1, fields: ["taskId", "to", "error"] },
  "task.failed": { code: 10, v: 1, fields: ["taskId", "error"] },
  "task.skipped": { code: 11, v: 1, fields: ["taskId", "dependency", "error"] },
  "task.cancelled": { code: 12, v: 1, fields: ["taskId", "reason"] },
  "task.ending": { code: 13, v: 1, fields: ["taskId", "as", "error", "reason", "fallback"] },
  "task.paused": { code: 18, v: 1, fields: ["taskId"] },
  "task.resumed": { code: 19, v: 1, fields: ["taskId"] },
  "task.prioritized": { code: 20, v: 1, fields: ["taskId", "priority"] },
  "task.retried": { code: 21, v: 1, fields: ["taskId"] },
  "task.planned": { code: 23, v: 1, fields: ["taskId", "token", "round", "count"] },
};
