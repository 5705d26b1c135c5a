import type { Amount } from "../structures/amount.ts";
import type { Vote, VotingMethod } from "./election.ts";

/** What is offered. A place is an option's index. */
export interface Offer<O extends string> {
  readonly options: readonly O[];
  /** By option; whatever else is looked up is not offered. */
  readonly places: ReadonlyMap<unknown, number>;
  /** The vote for that option alone, one for all who give it. */
  readonly choices: ReadonlyMap<unknown, Reading<O>>;
}

/** A valid vote. */
export interface Reading<O extends string> {
  /** As the decision tells it: what the voter gave, but nobody else's to change. */
  readonly vote: Vote<O>;
  /** Places: of the option that is chosen; of those approved or scored; or ranked, the best first. Each at most once. */
  readonly picks: readonly number[];
  /** The score of each pick in billionths, where there are scores. */
  readonly points: readonly bigint[] | undefined;
}

/** A valid vote and what it weighs: 1 where the rule does not weigh. */
export interface Ballot {
  readonly picks: readonly number[];
  readonly points: readonly bigint[] | undefined;
  readonly weight: Amount;
}

/** What a rule makes of the ballots. */
export interface Count {
  /** One for each place. */
  readonly scores: readonly number[];
  /** Places, ascending: one, several that are tied, or none when the ballots do not agree as the rule demands. */
  readonly winners: readonly number[];
  /** The votes or the weight behind each of the winners, for rules that take a threshold. */
  readonly lead?: Amount;
}

/**
 * One way of counting votes. A rule reads a vote, counts ballots, and says which of the common terms it knows; quorum,
 * threshold and ties are judged for all of them by `tally`. A rule counts places, in ballots that come in no particular
 * order: it cannot favour a voter, or an option for its name.
 */
export interface VotingRule {
  readonly method: VotingMethod;
  /** Whether weights count. Where they do not, a vote is for one option. */
  readonly weighs: boolean;
  /** Whether the quorum is a share of the electorate's weight; else of its heads. */
  readonly quorumByWeight: boolean;
  /** Whether a threshold may be asked for. */
  readonly hasThreshold: boolean;
  /** Whether everybody of an electorate that was given must have voted validly. */
  readonly needsEverybody: boolean;
  /** How many options it counts in a bearable time; without it, any number. */
  readonly mostOptions?: number;
  /** The vote as it is counted; `undefined` when it is of a wrong kind or for something that is not offered. May throw: then it is invalid too. */
  read<O extends string>(vote: unknown, offer: Offer<O>): Reading<O> | undefined;
  /** Counts ballots over that many options. */
  count(ballots: readonly Ballot[], size: number): Count;
  /** The one of the tied places that a voter put above all the others; `undefined` when there is none. */
  favourite(reading: Reading<string>, tied: readonly number[]): number | undefined;
}
