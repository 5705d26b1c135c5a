/** Attempts at a task. */
import type { Json } from "../../coordination/structures/types.ts";
import type { Failure } from "./failure.ts";
import type { LayoutsOf } from "./layout.ts";

/** Why an attempt was told to stop. */
export type StopReason = "preempted" | "paused" | "cancelled" | "timeout" | "deadline";

/** How an attempt ended. */
export type AttemptEnd = "completed" | "failed" | "timeout" | "preempted" | "cancelled" | "lost" | "abandoned";

/** What an attempt is asked to do: an ordinary agent's work, or one of a manager's two phases. */
export type Phase = "run" | "plan" | "aggregate";

/** An attempt begins: it holds a slot, room on the agent and all its resources from now on. */
export interface TaskStartedEvent {
  readonly type: "task.started";
  readonly v: 1;
  readonly taskId: string;
  readonly agent: string;
  /** Fencing token: grows with every grant and every attempt. */
  readonly token: number;
  readonly attempt: number;
  readonly phase: Phase;
  /** The token of the first attempt of those that the agent is given together; absent: it is given alone. */
  readonly batch?: number;
}

/** An attempt ended in another way than by giving the task's output. What it held is free. */
export interface AttemptEndedEvent {
  readonly type: "attempt.ended";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly end: AttemptEnd;
  readonly error?: Failure;
  /** When it may be tried again: epoch milliseconds. Absent: at once, or never. */
  readonly notBefore?: number;
  /** Of an abandoned one: its resources stay taken until `attempt.gone`; its slot and room are free. */
  readonly keeps?: true;
  /** What was still set aside for an attempt of which nobody knows what it spent: taken as spent. */
  readonly assumed?: string;
  /** Of a lost one: its lease ran out while its process lived, so that it is its agent's failure. */
  readonly missed?: true;
}

/** The code of an abandoned attempt that kept its resources has ended, or its process has: they are free. */
export interface AttemptGoneEvent {
  readonly type: "attempt.gone";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
}

export interface AttemptStoppingEvent {
  readonly type: "attempt.stopping";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly reason: StopReason;
  /** After this it is abandoned: epoch milliseconds. */
  readonly graceUntil: number;
  /** The task that it makes way for. */
  readonly for?: string;
}

export interface CheckpointedEvent {
  readonly type: "attempt.checkpointed";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly state: Json;
}

/** An attempt awaits other tasks: it gives up its slot and load, and keeps its resources. */
export interface AttemptWaitingEvent {
  readonly type: "attempt.waiting";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly on: readonly string[];
}

/** It has its slot and load again. */
export interface AttemptRegainedEvent {
  readonly type: "attempt.regained";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
}

export type AttemptEvent =
  | TaskStartedEvent
  | AttemptEndedEvent
  | AttemptGoneEvent
  | AttemptStoppingEvent
  | CheckpointedEvent
  | AttemptWaitingEvent
  | AttemptRegainedEvent;

export const ATTEMPT_EVENTS: LayoutsOf<AttemptEvent> = {
  "task.started": { code: 8, v: 1, fields: ["taskId", "agent", "token", "attempt", "phase", "batch"] },
  "attempt.ended": {
    code: 14,
    v: 1,
    fields: ["taskId", "token", "end", "error", "notBefore", "keeps", "assumed", "missed"],
  },
  "attempt.gone": { code: 51, v: 1, fields: ["taskId", "token"] },
  "attempt.stopping": { code: 15, v: 1, fields: ["taskId", "token", "reason", "graceUntil", "for"] },
  "attempt.checkpointed": { code: 22, v: 1, fields: ["taskId", "token", "state"] },
  "attempt.waiting": { code: 24, v: 1, fields: ["taskId", "token", "on"] },
  "attempt.regained": { code: 25, v: 1, fields: ["taskId", "token"] },
};
