import { nanosOf } from "../structures/amount.ts";
import { itemAt } from "../structures/at.ts";
import { countSums } from "./exact-sums.ts";
import { readList } from "./option-list.ts";
import { firstPick } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/**
 * The option with the most points wins: among n options a ranking gives its first n - 1 points, its second n - 2, and so on
 * to 0, times what its voter weighs. Options that it leaves out share the mean of the points that are left.
 *
 * Source: J.-C. de Borda, "Mémoire sur les élections au scrutin" (1781); what is unranked is tied for the places that are
 * left, and has their mean as in M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945).
 */
export const borda: VotingRule = {
  method: "borda",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: false,
  read: readList,
  count(ballots, size) {
    // Twice the points, so that all are whole. What everybody would get as unranked is added once, at the end.
    const sums = new Array<bigint>(size).fill(0n);
    let unranked = 0n;
    for (const { picks, weight } of ballots) {
      const nanos = nanosOf(weight);
      const share = Math.max(0, size - picks.length - 1);
      unranked += BigInt(share) * nanos;
      picks.forEach((place, rank) => {
        sums[place] = itemAt(sums, place) + BigInt(2 * (size - 1 - rank) - share) * nanos;
      });
    }
    return countSums(
      sums.map((sum) => sum + unranked),
      2,
    );
  },
  favourite: firstPick,
};
