/** What waits to be allowed. */
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";
import type { Substitute } from "./tasks.ts";

/**
 * Whom a task must be allowed by. Before it runs: once for each series of attempts. Before its output counts: each output
 * anew, when the attempt that gave it has ended and holds nothing any more.
 */
export interface ApprovalPolicy {
  /** Default: `"run"`. */
  readonly before?: "run" | "output";
  /**
   * Default: `"person"`, which is whoever calls `approve` or `reject`. By ballot: of these voters, or of all agents that vote;
   * it is decided by this method over the options `approve` and `reject`, and whatever else comes of it is a rejection.
   */
  readonly by?: "person" | { readonly ballot: string; readonly voters?: readonly string[] };
  /** Milliseconds from when it is asked for: a person's approval that has not come by then fails the task with TIMEOUT, a ballot is closed. Default: never, for a ballot 30 000. */
  readonly expiresMs?: number;
}

/**
 * The task waits until it is allowed to go on. Before its output counts, `token` is the attempt that gave `output`: it has
 * completed, and what it held is free. Absent: a value stands for it.
 */
export interface ApprovalAskedEvent {
  readonly type: "approval.asked";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  /** Of what is to be approved: SHA-256 in hexadecimal. Never the same twice, since the number of this event is in it. */
  readonly hash: string;
  readonly token?: number;
  readonly output?: Json;
  /** Who gave the output, where that was not whom the task was meant for. */
  readonly via?: Substitute;
  /** The task of the same `cacheKey` that gave it. */
  readonly from?: string;
  /** The agents that made what another task gave: none of them approves it. Absent: none. */
  readonly givers?: readonly string[];
  /** Epoch milliseconds from which it is too late; where a ballot decides, that has the time. */
  readonly expiresAt?: number;
}

export interface ApprovalGivenEvent {
  readonly type: "approval.given";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  readonly hash: string;
  /** Who approved, as far as they have names: none of them runs the task, nor anything below it. */
  readonly who: readonly string[];
  readonly ballotId?: string;
}

/** The task fails: `task.failed`, or `task.ending` and then that, follows. */
export interface ApprovalRejectedEvent {
  readonly type: "approval.rejected";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  readonly hash: string;
  readonly reason: string;
  readonly who: readonly string[];
  readonly ballotId?: string;
}

export type ApprovalEvent = ApprovalAskedEvent | ApprovalGivenEvent | ApprovalRejectedEvent;

export const APPROVAL_EVENTS: LayoutsOf<ApprovalEvent> = {
  "approval.asked": {
    code: 42,
    v: 1,
    fields: ["taskId", "before", "hash", "token", "output", "expiresAt", "via", "from", "givers"],
  },
  "approval.given": { code: 43, v: 1, fields: ["taskId", "before", "hash", "who", "ballotId"] },
  "approval.rejected": { code: 44, v: 1, fields: ["taskId", "before", "hash", "reason", "who", "ballotId"] },
};
