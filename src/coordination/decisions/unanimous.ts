import { amountToNumber, isZero } from "../structures/amount.ts";
import { firstPick, placesWhere, readChoice, weigh } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/** What everybody votes for wins: one option has all valid votes, and nobody of a given electorate is missing. */
export const unanimous: VotingRule = {
  method: "unanimous",
  weighs: false,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: true,
  read: readChoice,
  count(ballots, size) {
    const votes = weigh(ballots, size);
    const chosen = placesWhere(votes, (count) => !isZero(count));
    return { scores: votes.map(amountToNumber), winners: chosen.length === 1 ? chosen : [] };
  },
  favourite: firstPick,
};
