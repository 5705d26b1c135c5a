/**
 * What the thread of an isolated attempt and the coordinator tell each other: each message is one JSON text, on a port that
 * the agent's code is not shown.
 */
import type { MessagePort } from "node:worker_threads";
import type { Task } from "../agents/agent.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { Failure } from "../kernel/events/failure.ts";

/** What the thread is handed before all else. */
export interface Handover {
  readonly port: MessagePort;
  /** How much of what it tells has been heard: `isolated-backlog.ts`. */
  readonly backlog: SharedArrayBuffer;
}

/** What the thread is to do: once. */
export interface Assignment {
  readonly agent: string;
  /** URL of the module with its code. */
  readonly module: string;
  /** Milliseconds between two signs of life. */
  readonly beatMs: number;
  readonly task: Task;
  readonly token: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly dependencies: Readonly<Record<string, Json>>;
  readonly resumeFrom?: Json;
}

export type ToThread =
  | { readonly tell: "run"; readonly assignment: Assignment }
  | { readonly tell: "stop"; readonly reason: Failure }
  | { readonly tell: "answer"; readonly id: number; readonly value?: Json; readonly error?: Failure };

/** Members of an attempt's context that its thread can ask for: they take and give JSON. */
export const ASKED = [
  "checkpoint",
  "heartbeat",
  "request",
  "release",
  "send",
  "publish",
  /** The next message of a loop over messages: the loop's number, and its options. */
  "messages",
  "state.get",
  "state.set",
  "state.delete",
  "budget.spend",
] as const;
export type Asked = (typeof ASKED)[number];

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export type FromThread =
  /** The agent's code is there and begins. */
  | { readonly tell: "begun" }
  | { readonly tell: "alive" }
  | { readonly tell: "ask"; readonly id: number; readonly what: Asked; readonly args: readonly Json[] }
  /** A loop over messages has been left. */
  | { readonly tell: "left"; readonly reader: number }
  | { readonly tell: "progress"; readonly fraction: number; readonly note?: string }
  | {
      readonly tell: "log";
      readonly level: Level;
      readonly facts: Readonly<Record<string, Json>>;
      readonly text?: string;
    }
  | { readonly tell: "returned"; readonly output: Json }
  | { readonly tell: "threw"; readonly failure: Failure };
