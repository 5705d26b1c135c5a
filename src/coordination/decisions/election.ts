import type { RecordOf } from "../structures/types.ts";

/** How votes are counted: {@link tally} says it of each. */
export type VotingMethod =
  | "majority"
  | "weighted"
  | "unanimous"
  | "approval"
  | "score"
  | "borda"
  | "instant-runoff"
  | "schulze"
  | "ranked-pairs";

/** A choice; a ranking, the best first (or, for approval, a set); scores of at most nine decimals. */
export type Vote<O extends string = string> = O | readonly O[] | Readonly<Partial<Record<O, number>>>;

/**
 * What is done about a tie: nothing (`"none"`); the first in the order of the options; the option that the chair voted
 * for, if it is tied (of a ranking the highest that is, of a set or scores the one above all others that are); or a choice that depends on nothing but the seed, an integer, and on which options are tied.
 */
export type TieBreak = "none" | "first" | { readonly chair: string } | { readonly seed: number };

/** A number from 0 to 1 must be exceeded; `atLeast` takes an exact fraction such as "2/3", which must be reached. */
export type Threshold = number | { readonly atLeast: string };

/** A number from 0 to 1, or an exact fraction such as "2/3"; either must be reached. */
export type Quorum = number | { readonly atLeast: string };

/** What is put to the vote, who voted how, and how it is counted. */
export interface Election<O extends string> {
  /** What can be voted for: distinct strings, at least one. */
  readonly options: readonly O[];
  /** Votes by voter; `undefined` is an abstention. */
  readonly votes: RecordOf<Vote<O> | undefined>;
  readonly method: VotingMethod;
  /** Each ≥ 0 with at most nine decimals; who has none weighs 1. Every method but majority and unanimous uses them. */
  readonly weights?: RecordOf<number>;
  /** Who may vote. Default: everybody in `votes`. */
  readonly electorate?: readonly string[];
  /** The least share of the electorate (by weight for `weighted`, else by head) that must have voted validly. Default: one vote. */
  readonly quorum?: Quorum;
  /** The share of the valid votes or their weight that the leader needs. For majority, weighted and approval only. Default: none. */
  readonly threshold?: Threshold;
  /** Default: `"none"`. */
  readonly tieBreak?: TieBreak;
  /** Passed through to the decision. */
  readonly question?: string;
}

/** What came of an election. All that is by voter is in the order of their ids, whatever order the votes came in. */
export interface Decision<O extends string = string> {
  readonly outcome: "decided" | "tied" | "no_majority" | "no_consensus" | "no_quorum";
  /** The winner, when `outcome` is `"decided"`. */
  readonly decision: O | undefined;
  /** The options between which a tie stands, in option order, when `outcome` is `"tied"`. */
  readonly tied?: readonly O[];
  /** What each option got, in option order: votes, weight, points or victories, as the method counts. */
  readonly tally: readonly { readonly option: O; readonly score: number }[];
  readonly method: VotingMethod;
  /** The votes that were counted; the record has no prototype. */
  readonly votes: Readonly<Record<string, Vote<O>>>;
  /** Those of the electorate that gave no vote. */
  readonly abstained: readonly string[];
  /** Those whose vote was of a wrong kind, for what is not offered, or not theirs to give: counted nowhere. */
  readonly invalid: readonly string[];
  /** The weight of each of the electorate, where the method uses weights; the record has no prototype. */
  readonly weightsUsed?: Readonly<Record<string, number>>;
  readonly question?: string;
}
