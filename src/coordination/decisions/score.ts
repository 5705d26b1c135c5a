import { amountOf, nanosOf } from "../structures/amount.ts";
import { nullRecord } from "../structures/arguments.ts";
import { itemAt } from "../structures/at.ts";
import { countSums, larger } from "./exact-sums.ts";
import type { Offer, Reading, VotingRule } from "./voting-rule.ts";

const NANOS = 1_000_000_000;

/**
 * The option with the highest sum of scores wins (range voting): a vote gives any of the options a number, counted times
 * what its voter weighs; what it leaves out gets 0. Scores are decimals of at most nine places, up to 2^53 - 1 either way. What
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
        sums[place] = itemAt(sums, place) + itemAt(points, at) * nanos;
      });
    }
    return countSums(sums, NANOS);
  },
  favourite({ picks, points = [] }, tied) {
    const given = new Map(picks.map((place, at) => [place, itemAt(points, at)]));
    const scores = tied.map((place) => given.get(place) ?? 0n);
    const highest = scores.reduce(larger);
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
  const points: bigint[] = [];
  for (const [key, value] of entries) {
    const place = places.get(key);
    if (place === undefined) return undefined;
    if (value === undefined) continue;
    const score = billionthsOf(value);
    if (score === undefined) return undefined;
    picks.push(place);
    points.push(score);
    copy[key] = value;
  }
  // Its keys have all been found among the options.
  return { vote: copy as Readonly<Partial<Record<O, number>>>, picks, points };
}

/** Of what is no number of at most nine places, as weights are, though perhaps below 0: `undefined`. */
function billionthsOf(value: unknown): bigint | undefined {
  if (typeof value !== "number") return undefined;
  const size = amountOf(Math.abs(value));
  if (size === undefined) return undefined;
  return value < 0 ? -nanosOf(size) : nanosOf(size);
}
