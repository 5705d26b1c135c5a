import { readList } from "./option-list.ts";
import { countPicks } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/**
 * The most approved option wins: a vote is the set of all options that its voter approves of, as a list in any order, and
 * counts what the voter weighs for each of them. An empty list is a vote that approves of nothing. A threshold is a share of
 * the weight of all valid votes. As a chair's vote, a set is for a tied option when it holds exactly one of them.
 *
 * Source: S. J. Brams & P. C. Fishburn, "Approval Voting", American Political Science Review 72 (1978).
 */
export const approval: VotingRule = {
  method: "approval",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: true,
  needsEverybody: false,
  read: readList,
  count: countPicks,
  favourite({ picks }, tied) {
    let one: number | undefined;
    for (const place of picks) {
      if (!tied.includes(place)) continue;
      // No further look at the others: there may be many.
      if (one !== undefined) return undefined;
      one = place;
    }
    return one;
  },
};
