import { isZero } from "../structures/amount.ts";
import { readChoice, scoreChoices } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/** What everybody votes for wins: one option has all valid votes, and nobody of a given electorate is missing. */
export const unanimous: VotingRule = {
  method: "unanimous",
  weighs: false,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: true,
  read: readChoice,
  count(ballots, options) {
    const scores = scoreChoices(ballots, options);
    const chosen = scores.filter(({ score }) => !isZero(score));
    return { scores, winners: chosen.length === 1 ? chosen : [] };
  },
};
