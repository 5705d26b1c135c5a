/** What stands in the rows of a snapshot: an entity a row. */
import type { BreakerState } from "../coordination/circuit-breaker.ts";
import type { Standing } from "../coordination/reputation.ts";
import type { RateBucketState } from "../coordination/structures/rate-bucket.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { AttemptRecord } from "./attempt.ts";
import type { Cast } from "./ballot-row.ts";
import type { AgentRegisteredEvent, BreakerPolicy } from "./events/agents.ts";
import type { Phase, StopReason } from "./events/attempts.ts";
import type { OpenedEvent } from "./events/coordinator.ts";
import type { ResourceKind } from "./events/resources.ts";
import type { Offer } from "./flights.ts";
import type { KeptOutput } from "./kept-outputs.ts";
import type { KeptMessage, Reading } from "./mailroom.ts";
import type { Reserved } from "./state.ts";
import type { Approval, Ended, Judgement, Series, Submitted, Task, TaskStatus } from "./task.ts";
import type { Entry } from "./versioned-state.ts";

/** Another number for other rows: who reads a snapshot of another format replays instead. */
export const FORMAT = 3;

export interface MetaRow {
  readonly row: "meta";
  readonly format: number;
  readonly seq: number;
  readonly at: number;
  readonly open: boolean;
  readonly settings: OpenedEvent | null;
  readonly closedMs: number;
  readonly counters: readonly number[];
  readonly skillsLost: readonly (readonly [string, number])[];
  /** How many tasks have ended so, those among them that have left memory too. */
  readonly ended: Readonly<Partial<Record<TaskStatus, number>>>;
}
export interface AgentRow {
  readonly row: "agent";
  readonly seq: number;
  readonly registered: AgentRegisteredEvent;
  readonly breaker: BreakerState;
  readonly online: boolean;
  readonly teamLostMs: number;
  /** Absent: nothing is known of its votes. */
  readonly standing?: Standing;
  readonly spent?: string;
}
export interface ResourceRow {
  readonly row: "resource";
  readonly id: string;
  readonly kind: ResourceKind;
  readonly capacity: number;
  readonly rate: RateBucketState | null;
  /** Of one with a breaker. */
  readonly breaker?: { readonly policy: BreakerPolicy; readonly state: BreakerState };
}
export interface BudgetRow {
  readonly row: "budget";
  readonly id: string;
  readonly limit: string;
  readonly spent: string;
  readonly parent?: string;
}
/** A task of a tree that has ended: its id and its line of text. The root's comes first, and says how many follow. */
export interface FinishedRow {
  readonly row: "finished";
  readonly id: string;
  readonly text: string;
  readonly below?: number;
}
export interface TaskRow {
  readonly row: "task";
  readonly seq: number;
  readonly spec: Submitted;
  readonly closedMs: number;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly readyAfter: number;
  readonly round: number;
  readonly phase: Phase;
  readonly numbers: readonly number[];
  readonly attempts: readonly AttemptRecord[];
  readonly series: Series;
  /** What it no longer waits for, though that is tried again. */
  readonly seen?: readonly string[];
  readonly held?: boolean;
  readonly judgement?: Judgement;
  readonly checkpoint?: Json;
  readonly approval?: Approval;
  readonly ending?: Task["ending"];
  readonly ended?: Partial<Ended> & { readonly at: number };
}
export interface LiveRow {
  readonly row: "live";
  readonly taskId: string;
  readonly seated: boolean;
  readonly batch?: { readonly id: number; readonly load: number };
  readonly stopping?: { readonly reason: StopReason; readonly graceUntil: number; readonly for?: string };
  readonly awaiting?: readonly string[];
  readonly seatMs?: number;
  readonly reserved?: string;
  readonly extra: readonly {
    readonly id: string;
    readonly token: number;
    readonly amounts: Readonly<Record<string, number>>;
    readonly expiresAt?: number;
  }[];
  readonly request?: {
    readonly id: string;
    readonly amounts: Readonly<Record<string, number>>;
    readonly leaseMs?: number;
    readonly askedMs: number;
  };
}
/** What an abandoned attempt keeps. */
export interface KeptRow {
  readonly row: "kept";
  readonly taskId: string;
  readonly token: number;
  readonly needs: readonly HeldAmount[];
  readonly leases?: readonly {
    readonly id: string;
    readonly token: number;
    readonly needs: readonly HeldAmount[];
    readonly expiresAt?: number;
  }[];
}
type HeldAmount = readonly [resource: string, amount: number];
export interface ClaimRow {
  readonly row: "claim";
  readonly taskId: string;
  readonly agent: string;
  readonly victims: readonly number[];
}
export interface FlightRow {
  readonly row: "flight";
  readonly key: string;
  readonly leader?: string;
  readonly followers: readonly string[];
  readonly open: boolean;
}
/** An output that waits for a verdict before it answers. */
export interface OfferRow extends Offer {
  readonly row: "offer";
  readonly taskId: string;
}
/** An output that may answer later tasks. */
export interface OutputRow extends Omit<KeptOutput, "givers"> {
  readonly row: "output";
  readonly key: string;
  readonly givers?: readonly string[];
}
export interface ReservationRow {
  readonly row: "reservation";
  readonly taskId: string;
  readonly what: Reserved["what"];
  readonly agent?: string;
  readonly startsAt?: number;
}
export interface BallotRow extends Cast {
  readonly row: "ballot";
  readonly open: boolean;
}
/** A message that is kept. */
export interface MessageRow extends KeptMessage {
  readonly row: "message";
}
/** How far an agent has read a topic. */
export interface ReadingRow extends Reading {
  readonly row: "reading";
}
/** A key of the shared state. */
export interface EntryRow extends Entry {
  readonly row: "entry";
  readonly key: string;
}
/** The number of the last message, and the highest version of any key that was deleted. */
export interface TalkRow {
  readonly row: "talk";
  readonly lastMessage: number;
  readonly deletedUpTo: number;
}
export interface RememberedRow {
  readonly row: "command" | "key";
  readonly id: string;
  readonly ids: readonly string[];
  readonly type: string;
}
export type Row =
  | MetaRow
  | AgentRow
  | ResourceRow
  | BudgetRow
  | FinishedRow
  | TaskRow
  | LiveRow
  | KeptRow
  | ClaimRow
  | FlightRow
  | OfferRow
  | OutputRow
  | ReservationRow
  | BallotRow
  | MessageRow
  | ReadingRow
  | EntryRow
  | TalkRow
  | RememberedRow;
