import { integerAt, itemAt } from "../structures/at.ts";
import { LockedPairs, type Pair } from "./locked-pairs.ts";
import { readList } from "./option-list.ts";
import { OrdersOfEqualPairs, settle } from "./orders-of-equal-pairs.ts";
import { victories } from "./pairwise.ts";
import { firstPick } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/**
 * Victories in pairs are locked one after the other, the one with the most votes (or weight) for it first: winning votes.
 * One that would close a circle with those that are locked is left out. What nothing is locked above wins. A ranking prefers
 * what it lists to what comes later and to all that it leaves out.
 *
 * Equal pairs can be locked in any order, and it can matter in which. All options that win in one order or another are
 * tied, and the tie-break chooses among these orders by whom they let win. Finding them is NP-complete (Brill & Fischer,
 * "The Price of Neutrality for the Ranked Pairs Method", AAAI 2012): the answer is exact for as long as
 * 20 million looks at pairs (`MOST_LOOKS`) are enough. They are wherever the order of equal pairs hardly matters, and
 * wherever there are up to about 20 options; a few voters who disagree about many more can need longer. Then an option that
 * is not shown to lose counts as tied, so that nothing is called decided that is a tie.
 *
 * The score of an option is how many others are below it by all that is locked before the order of equal pairs first
 * matters: where it never does, the scores are the whole ranking. Takes at most 100 options.
 *
 * Source: T. N. Tideman, "Independence of Clones as a Criterion for Voting Rules", Social Choice and Welfare 4 (1987);
 * T. M. Zavist & T. N. Tideman, "Complete Independence of Clones in the Ranked Pairs Rule", ibid. 6 (1989).
 */
export const rankedPairs: VotingRule = {
  method: "ranked-pairs",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: false,
  mostOptions: 100,
  read: readList,
  count(ballots, size) {
    const strengths = victories(ballots, size);
    const groups = equalPairs(strengths, size);
    const locked = new LockedPairs(size);
    let winners: readonly number[] | undefined;
    for (const [at, group] of groups.entries()) {
      const contested = settle(locked, group);
      if (contested.length === 0) continue;
      winners = new OrdersOfEqualPairs(strengths, groups, { locked, at, open: contested, out: [] }).winners();
      break;
    }
    const scores = Array.from({ length: size }, (_, place) => locked.below(place));
    return { scores, winners: winners ?? locked.top() };
  },
  favourite: firstPick,
};

/** Victories of the same strength, the strongest first. */
function equalPairs(strengths: Int32Array, size: number): readonly (readonly Pair[])[] {
  const groups: Pair[][] = [];
  for (let winner = 0; winner < size; winner += 1) {
    for (let loser = 0; loser < size; loser += 1) {
      const strength = integerAt(strengths, winner * size + loser);
      if (strength === 0) continue;
      groups[strength - 1] ??= [];
      itemAt(groups, strength - 1).push({ winner, loser });
    }
  }
  return groups.reverse();
}
