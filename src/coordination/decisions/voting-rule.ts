import type { Amount } from "../structures/amount.ts";
import type { Vote, VotingMethod } from "./election.ts";

/** A valid vote and what it weighs: 1 where the rule does not weigh. */
export interface Ballot<O extends string> {
  readonly vote: Vote<O>;
  readonly weight: Amount;
}

/** What an option got. */
export interface Score<O extends string> {
  readonly option: O;
  readonly score: Amount;
}

/** What a rule makes of the ballots. */
export interface Count<O extends string> {
  /** One for each option, in option order. */
  readonly scores: readonly Score<O>[];
  /** In option order: one, several that are tied, or none when the ballots do not agree as the rule demands. */
  readonly winners: readonly Score<O>[];
}

/**
 * One way of counting votes. A rule reads a vote, counts ballots, and says which of the common terms it knows; quorum,
 * threshold and ties are judged for all of them by `tally`. A rule sees the ballots in no particular order.
 */
export interface VotingRule {
  readonly method: VotingMethod;
  /** Whether weights count. */
  readonly weighs: boolean;
  /** Whether the quorum is a share of the electorate's weight; else of its heads. */
  readonly quorumByWeight: boolean;
  /** Whether a threshold may be asked for. */
  readonly hasThreshold: boolean;
  /** Whether everybody of an electorate that was given must have voted validly. */
  readonly needsEverybody: boolean;
  /** The vote as it is counted; `undefined` when it is of a wrong kind or for something that is not among `offered`. */
  read<O extends string>(vote: unknown, offered: ReadonlyMap<unknown, O>): Vote<O> | undefined;
  count<O extends string>(ballots: readonly Ballot<O>[], options: readonly O[]): Count<O>;
}
