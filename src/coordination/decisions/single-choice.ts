import { type Amount, add, equal, larger, ZERO } from "../structures/amount.ts";
import type { Vote } from "./election.ts";
import type { Ballot, Count, Score } from "./voting-rule.ts";

/** A vote for one option: the option itself. */
export function readChoice<O extends string>(vote: unknown, offered: ReadonlyMap<unknown, O>): O | undefined {
  return offered.get(vote);
}

/** The weight of the ballots for each option, in option order. */
export function scoreChoices<O extends string>(ballots: readonly Ballot<O>[], options: readonly O[]): Score<O>[] {
  const scores = new Map<Vote<O>, Amount>();
  for (const { vote, weight } of ballots) scores.set(vote, add(scores.get(vote) ?? ZERO, weight));
  return options.map((option) => ({ option, score: scores.get(option) ?? ZERO }));
}

/** The options with the highest score win. */
export function countChoices<O extends string>(ballots: readonly Ballot<O>[], options: readonly O[]): Count<O> {
  const scores = scoreChoices(ballots, options);
  const highest = scores.reduce((best, { score }) => larger(best, score), ZERO);
  return { scores, winners: scores.filter(({ score }) => equal(score, highest)) };
}
