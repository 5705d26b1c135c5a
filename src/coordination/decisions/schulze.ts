import { integerAt } from "../structures/at.ts";
import { readList } from "./option-list.ts";
import { MOST_COMPARED, victories } from "./pairwise.ts";
import { firstPick } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/**
 * The option that no other has a stronger path to than it has back wins. A path goes from option to option by victories in
 * pairs and is as strong as the weakest of them, a victory as strong as the votes (or the weight) for it: winning votes. A
 * ranking prefers what it lists to what comes later and to all that it leaves out. Several that nobody beats are tied. The
 * score of an option is how many others it beats by paths. Takes at most 250 options.
 *
 * Source: M. Schulze, "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
 * election method", Social Choice and Welfare 36 (2011).
 */
export const schulze: VotingRule = {
  method: "schulze",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: false,
  mostOptions: MOST_COMPARED,
  read: readList,
  count(ballots, size) {
    const paths = strongestPaths(victories(ballots, size), size);
    const beats = (i: number, j: number) => integerAt(paths, i * size + j) > integerAt(paths, j * size + i);
    const all = Array.from({ length: size }, (_, place) => place);
    return {
      scores: all.map((i) => all.filter((j) => beats(i, j)).length),
      winners: all.filter((i) => !all.some((j) => beats(j, i))),
    };
  },
  favourite: firstPick,
};

/** The strength of the strongest path between any two (Floyd & Warshall's order of looking, with minimum and maximum). */
function strongestPaths(links: Int32Array, size: number): Int32Array {
  const paths = links.slice();
  for (let via = 0; via < size; via += 1) {
    for (let from = 0; from < size; from += 1) {
      const first = integerAt(paths, from * size + via);
      if (first === 0 || from === via) continue;
      for (let to = 0; to < size; to += 1) {
        const second = integerAt(paths, via * size + to);
        const strength = Math.min(first, second);
        const cell = from * size + to;
        if (to !== from && strength > integerAt(paths, cell)) paths[cell] = strength;
      }
    }
  }
  return paths;
}
