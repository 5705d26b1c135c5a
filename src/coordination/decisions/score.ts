import { nanosOf } from "../structures/amount.ts";
import { nullRecord } from "../structures/arguments.ts";
import { itemAt } from "../structures/at.ts";
import { countSums } from "./exact-sums.ts";
import type { Offer, Reading, VotingRule } from "./voting-rule.ts";

const NANOS = 1_000_000_000;
/** The largest score, either way: so that it is still a whole number of billionths as a double. */
const LARGEST_SCORE = 1_000_000;

/**
 * The option with the highest sum of scores wins (range voting): a vote gives any of the options a number, counted times
 * what its voter weighs; what it leaves out gets 0. Scores are from -1 000 000 to 1 000 000 and count to nine decimals. What
 * range they should have, 0 to 10 perhaps, is for the voters to be told: a voter who scores higher counts more. As a chair's
 * vote, scores are for the tied option that they put above all other tied ones.
 *
 * Source: W. D. Smith, "Range Voting" (2000).
 */
export const score: VotingRule = {
  method: "score",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: false,
  read: readScores,
  count(ballots, size) {
    const sums = new Array<bigint>(size).fill(0n);
    for (const { picks, points = [], weight } of ballots) {
      const nanos = nanosOf(weight);
      picks.forEach((place, at) => {
        sums[place] = itemAt(sums, place) + BigInt(itemAt(points, at)) * nanos;
      });
    }
    return countSums(sums, NANOS);
  },
  favourite({ picks, points = [] }, tied) {
    const given = new Map(picks.map((place, at) => [place, itemAt(points, at)]));
    const scores = tied.map((place) => given.get(place) ?? 0);
    const highest = Math.max(...scores);
    const best = tied.filter((_, at) => scores[at] === highest);
    return best.length === 1 ? best[0] : undefined;
  },
};

/** A plain object with options as keys and scores as values; `undefined` is no score. */
function readScores<O extends string>(vote: unknown, { options, places }: Offer<O>): Reading<O> | undefined {
  if (typeof vote !== "object" || vote === null || Array.isArray(vote)) return undefined;
  if (Object.prototype.toString.call(vote) !== "[object Object]") return undefined;
  const entries = Object.entries(vote);
  if (entries.length > options.length) return undefined;
  const copy = nullRecord<number>();
  const picks: number[] = [];
  const points: number[] = [];
  for (const [key, value] of entries) {
    const place = places.get(key);
    if (place === undefined) return undefined;
    if (value === undefined) continue;
    if (typeof value !== "number" || !(Math.abs(value) <= LARGEST_SCORE)) return undefined;
    picks.push(place);
    points.push(Math.round(value * NANOS));
    copy[key] = value;
  }
  // Its keys have all been found among the options.
  return { vote: copy as Readonly<Partial<Record<O, number>>>, picks, points };
}
