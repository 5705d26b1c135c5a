/** What is set aside for a task before it starts. */
import type { LayoutsOf } from "./layout.ts";

/** What the stopped attempts free, and what is free already, is set aside for this task on this agent. */
export interface TaskPromisedEvent {
  readonly type: "task.promised";
  readonly v: 1;
  readonly taskId: string;
  readonly agent: string;
  /** Tokens of the attempts that make way. */
  readonly victims: readonly number[];
}

export interface PromiseDroppedEvent {
  readonly type: "promise.dropped";
  readonly v: 1;
  readonly taskId: string;
}

/** It has waited long enough: what it needs is set aside for it, its room on this agent, until it has it or is dropped. */
export interface ReservationMadeEvent {
  readonly type: "reservation.made";
  readonly v: 1;
  readonly taskId: string;
  /** What of it: its next attempt, its attempt's seat, or more of a resource for its attempt. */
  readonly what: "start" | "regain" | "request";
  readonly agent?: string;
  /** When it could start, by the estimates of what runs: epoch milliseconds. Absent: they do not tell. */
  readonly startsAt?: number;
}

/** Nothing is set aside any more. */
export interface ReservationDroppedEvent {
  readonly type: "reservation.dropped";
  readonly v: 1;
  readonly taskId: string;
}

export type PromiseEvent = TaskPromisedEvent | PromiseDroppedEvent | ReservationMadeEvent | ReservationDroppedEvent;

export const PROMISE_EVENTS: LayoutsOf<PromiseEvent> = {
  "task.promised": { code: 16, v: 1, fields: ["taskId", "agent", "victims"] },
  "promise.dropped": { code: 17, v: 1, fields: ["taskId"] },
  "reservation.made": { code: 34, v: 1, fields: ["taskId", "what", "agent", "startsAt"] },
  "reservation.dropped": { code: 35, v: 1, fields: ["taskId"] },
};
