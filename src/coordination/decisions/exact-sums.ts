import { mean } from "../structures/amount.ts";
import { placesWhere } from "./single-choice.ts";
import type { Count } from "./voting-rule.ts";

export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** The places with the highest sum win. `perUnit` billions of what is summed are one point; sums may be negative. */
export function countSums(sums: readonly bigint[], perUnit: number): Count {
  const highest = sums.reduce(larger);
  const scores = sums.map((sum) => (sum < 0n ? -mean(-sum, perUnit) : mean(sum, perUnit)));
  return { scores, winners: placesWhere(sums, (sum) => sum === highest) };
}
