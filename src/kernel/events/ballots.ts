/** Ballots of the coordinator. */
import type { Standing } from "../../coordination/reputation.ts";
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";

export interface BallotOpenedEvent {
  readonly type: "ballot.opened";
  readonly v: 1;
  readonly ballotId: string;
  readonly question: string;
  readonly options: readonly string[];
  readonly method: string;
  readonly electorate: readonly string[];
  readonly weights: Readonly<Record<string, number>>;
  readonly quorum?: number | { readonly atLeast: string };
  readonly threshold?: number | { readonly atLeast: string };
  readonly tieBreak?: Json;
  readonly deadlineAt: number;
  readonly context?: Json;
  /** The task that waits for it: what is to be approved there is the voters' context. */
  readonly approves?: string;
}

export interface BallotCastEvent {
  readonly type: "ballot.cast";
  readonly v: 1;
  readonly ballotId: string;
  readonly voter: string;
  /** Absent: the voter gives none. */
  readonly vote?: Json;
}

/** It closes later than it was to: those who have a vote were kept from giving it. */
export interface BallotExtendedEvent {
  readonly type: "ballot.extended";
  readonly v: 1;
  readonly ballotId: string;
  readonly deadlineAt: number;
}

export interface BallotDecidedEvent {
  readonly type: "ballot.decided";
  readonly v: 1;
  readonly ballotId: string;
  readonly outcome: "decided" | "tied" | "no_majority" | "no_consensus" | "no_quorum";
  readonly decision?: string;
}

/** The truth became known: who voted for something has learned how often it is right. */
export interface BallotRevealedEvent {
  readonly type: "ballot.revealed";
  readonly v: 1;
  readonly ballotId: string;
  readonly truth: string;
  /** How those who were right or wrong stand from now on, this ballot among the others. */
  readonly learned: Readonly<Record<string, Standing>>;
}

export type BallotEvent =
  | BallotOpenedEvent
  | BallotCastEvent
  | BallotExtendedEvent
  | BallotDecidedEvent
  | BallotRevealedEvent;

export const BALLOT_EVENTS: LayoutsOf<BallotEvent> = {
  "ballot.opened": {
    code: 31,
    v: 1,
    fields: [
      "ballotId",
      "question",
      "options",
      "method",
      "electorate",
      "weights",
      "quorum",
      "threshold",
      "tieBreak",
      "deadlineAt",
      "context",
      "approves",
    ],
  },
  "ballot.cast": { code: 32, v: 1, fields: ["ballotId", "voter", "vote"] },
  "ballot.extended": { code: 70, v: 1, fields: ["ballotId", "deadlineAt"] },
  "ballot.decided": { code: 33, v: 1, fields: ["ballotId", "outcome", "decision"] },
  "ballot.revealed": { code: 62, v: 1, fields: ["ballotId", "truth", "learned"] },
};
