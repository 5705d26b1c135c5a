/** Attempts as the state holds them, and what they hold. */

import type { Amount } from "../coordination/structures/amount.ts";
import type { HeapEntry } from "../coordination/structures/indexed-heap.ts";
import type { Sum } from "../coordination/structures/money.ts";
import type { Batch } from "./batches.ts";
import type { AttemptEnd, Phase, StopReason } from "./events/attempts.ts";
import type { Failure } from "./events/failure.ts";
import type { Wish } from "./ready-queue.ts";
import type { RunningPlace } from "./running-index.ts";
import type { AgentState, Resource } from "./state.ts";
import type { Task } from "./task.ts";
import type { Timer } from "./timers.ts";

/** One attempt, as it is told afterwards. */
export interface AttemptRecord {
  readonly number: number;
  readonly agent: string;
  readonly token: number;
  readonly phase: Phase;
  readonly startedAt: number;
  endedAt: number | undefined;
  end: AttemptEnd | undefined;
  error: Failure | undefined;
  /** What it has spent: a decimal; undefined: nothing. */
  cost: string | undefined;
}

/** So much of a resource. */
export interface Need {
  readonly resource: Resource;
  readonly amount: Amount;
}

/** An attempt that has not ended: what it holds. */
export interface LiveAttempt {
  readonly task: Task;
  readonly agent: AgentState;
  readonly token: number;
  readonly phase: Phase;
  readonly startedAt: number;
  readonly record: AttemptRecord;
  /** Whether it holds its slot and load; not while it awaits others. */
  seated: boolean;
  /** With whom it shares them; undefined: with nobody. */
  batch: Batch | undefined;
  stopping: { readonly reason: StopReason; readonly graceUntil: number; readonly for: string | undefined } | undefined;
  /** The tasks that it awaits and that have not ended; undefined when it awaits nothing. */
  awaiting: Set<Task> | undefined;
  /** When the last of them ended, or it was let go on, in open milliseconds: since then it wants its seat back. */
  seatMs: number;
  /** What it asked for beyond the task's own resources, by allocation id. */
  extra: Map<string, ExtraAllocation> | undefined;
  request: ExtraRequest | undefined;
  /** What is still set aside for it of its task's budget. */
  reserved: Sum;
  /** The scheduler's own marks: its place among those that may be preempted, its wish for a seat, its timer. */
  place: RunningPlace | undefined;
  wish: Wish | undefined;
  timer: HeapEntry<Timer> | undefined;
}

/** What an abandoned attempt keeps until its code has ended. */
export interface Kept {
  readonly taskId: string;
  readonly token: number;
  readonly needs: readonly Need[];
  /** What was given to it for a time, which is gone when that is over, whatever its code does. */
  readonly leases: Set<KeptLease>;
}

/** What was given to an attempt besides, also where its code only keeps that. */
export interface Allocation {
  readonly id: string;
  readonly token: number;
  readonly needs: readonly Need[];
  readonly expiresAt: number | undefined;
}

export interface KeptLease extends Allocation {
  readonly of: Kept;
}

export interface ExtraAllocation extends Allocation {
  readonly live: LiveAttempt;
}

export interface ExtraRequest {
  readonly id: string;
  readonly live: LiveAttempt;
  readonly needs: readonly Need[];
  readonly leaseMs: number | undefined;
  /** Since when it waits, in open milliseconds. */
  readonly askedMs: number;
  /** The scheduler's own mark. */
  wish: Wish | undefined;
}

/** Whether its attempt has nothing more to await and wants its slot and load back, and nobody holds it. */
export function wantsSeat(live: LiveAttempt): boolean {
  return (
    !live.seated &&
    live.stopping === undefined &&
    !live.task.held &&
    live.awaiting !== undefined &&
    live.awaiting.size === 0
  );
}
