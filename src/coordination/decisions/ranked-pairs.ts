import { integerAt, itemAt } from "../structures/at.ts";
import { LockedPairs, type Pair } from "./locked-pairs.ts";
import { readList } from "./option-list.ts";
import { OrdersOfEqualPairs, type Progress, settle } from "./orders-of-equal-pairs.ts";
import { victories } from "./pairwise.ts";
import { placesByVictories } from "./places-by-victories.ts";
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
 * were in every one of thousands of random elections of up to a dozen options; a few voters who disagree about more can need
 * longer, rarely with up to twenty, often with thirty. Then an option that is not shown to lose counts as tied, so that nothing
 * is called decided that is a tie. How the options are ordered or named has no part in how far looking comes, but among options
 * that stand alike to all others.
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
    const { locked, from } = lockUntilContested(strengths, size);
    const scores = Array.from({ length: size }, (_, place) => locked.below(place));
    return { scores, winners: from === undefined ? locked.top() : winnersInSomeOrder(strengths, size) };
  },
  favourite: firstPick,
};

interface Locking {
  readonly locked: LockedPairs;
  readonly groups: readonly (readonly Pair[])[];
  /** From where on the order of equal pairs matters; `undefined`: it never does. */
  readonly from: Progress | undefined;
}

function lockUntilContested(strengths: Int32Array, size: number): Locking {
  const groups = equalPairs(strengths, size);
  const locked = new LockedPairs(size);
  for (const [at, group] of groups.entries()) {
    const open = settle(locked, group);
    if (open.length > 0) return { locked, groups, from: { locked, at, open, out: [] } };
  }
  return { locked, groups, from: undefined };
}

/** Ascending. The places are numbered anew, so that how far looking comes does not depend on how the options are handed in. */
function winnersInSomeOrder(strengths: Int32Array, size: number): readonly number[] {
  const places = placesByVictories(strengths, size);
  const renumbered = new Int32Array(strengths.length);
  places.forEach((winner, i) => {
    places.forEach((loser, j) => {
      renumbered[i * size + j] = integerAt(strengths, winner * size + loser);
    });
  });
  const { locked, groups, from } = lockUntilContested(renumbered, size);
  const winners = from === undefined ? locked.top() : new OrdersOfEqualPairs(renumbered, groups, from).winners();
  return winners.map((i) => itemAt(places, i)).sort((a, b) => a - b);
}

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
