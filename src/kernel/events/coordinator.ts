/** A coordinator was opened, and closed. */
import type { GuardrailNames } from "./guardrails.ts";
import type { LayoutsOf } from "./layout.ts";

export interface OpenedEvent {
  readonly type: "coordinator.opened";
  readonly v: 1;
  readonly concurrency: number;
  /** Absent: aging is off. */
  readonly agingMs?: number;
  /** Absent: never. */
  readonly protectAfterMs?: number;
  readonly unroutableMs: number;
  /** How many ended tasks are kept in memory; absent: all. */
  readonly keepCount?: number;
  /** For how long at most; absent: for ever. */
  readonly keepMs?: number;
  /** Whether an abandoned attempt keeps its resources until its code has ended. */
  readonly strict?: true;
  readonly guardrails?: GuardrailNames;
}

export interface ClosedEvent {
  readonly type: "coordinator.closed";
  readonly v: 1;
}

export type CoordinatorEvent = OpenedEvent | ClosedEvent;

export const COORDINATOR_EVENTS: LayoutsOf<CoordinatorEvent> = {
  "coordinator.opened": {
    code: 1,
    v: 1,
    fields: ["concurrency", "agingMs", "protectAfterMs", "unroutableMs", "keepCount", "keepMs", "strict", "guardrails"],
  },
  "coordinator.closed": { code: 2, v: 1, fields: [] },
};
