/** All options compared two by two: what rankings say of each pair. */
import { doubleAt, integerAt } from "../structures/at.ts";
import type { Ballot } from "./voting-rule.ts";

const NANOS = 1_000_000_000;

/**
 * The most options that are compared with each other: the pairs of so many are counted in a few milliseconds a thousand
 * ballots, and paths through them are found in a tenth of a second.
 */
export const MOST_COMPARED = 250;

/**
 * Who beats whom, and how strongly: in row i at column j, 0 where i does not beat j, else the place of the votes (or the
 * weight) for i over j among all votes of victories, 1 for the fewest. Only these places are compared, so that strengths are
 * as exact as weights are. Unranked options are below all that are ranked, and level with each other.
 */
export function victories(ballots: readonly Ballot[], size: number): Int32Array {
  const { wholes, nanos } = preferences(ballots, size);
  // Whether the victory in one cell is by fewer votes than that in another.
  const compare = (a: number, b: number) =>
    doubleAt(wholes, a) - doubleAt(wholes, b) || doubleAt(nanos, a) - doubleAt(nanos, b);
  const won: number[] = [];
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) if (compare(i * size + j, j * size + i) > 0) won.push(i * size + j);
  }
  won.sort(compare);
  const strengths = new Int32Array(size * size);
  let strength = 0;
  let before: number | undefined;
  for (const cell of won) {
    if (before === undefined || compare(before, cell) !== 0) strength += 1;
    strengths[cell] = strength;
    before = cell;
  }
  return strengths;
}

/**
 * The weight of those who prefer i to j, in row i at column j, as wholes and billionths. Both are exact: all weights
 * together are less than 2^53, and fewer than nine million ballots have less than 2^53 billionths beside their wholes.
 */
function preferences(ballots: readonly Ballot[], size: number): { wholes: Float64Array; nanos: Float64Array } {
  const wholes = new Float64Array(size * size);
  const nanos = new Float64Array(size * size);
  const order = new Int32Array(size);
  for (const { picks, weight } of ballots) {
    arrange(picks, order);
    if (weight.whole > 0) addOrder(wholes, order, picks.length, weight.whole);
    if (weight.nano > 0) addOrder(nanos, order, picks.length, weight.nano);
  }
  for (let cell = 0; cell < nanos.length; cell += 1) {
    const carried = Math.floor(doubleAt(nanos, cell) / NANOS);
    if (carried === 0) continue;
    wholes[cell] = doubleAt(wholes, cell) + carried;
    nanos[cell] = doubleAt(nanos, cell) - carried * NANOS;
  }
  return { wholes, nanos };
}

/** First what is ranked, then the rest. */
function arrange(picks: readonly number[], order: Int32Array): void {
  order.set(picks);
  if (picks.length === order.length) return;
  const isRanked = new Uint8Array(order.length);
  for (const place of picks) isRanked[place] = 1;
  let end = picks.length;
  for (let place = 0; place < order.length; place += 1) {
    if (isRanked[place] === 1) continue;
    order[end] = place;
    end += 1;
  }
}

/** Adds the weight for each of the first so many over all that come after it. */
function addOrder(sums: Float64Array, order: Int32Array, ranked: number, weight: number): void {
  const size = order.length;
  for (let above = 0; above < ranked; above += 1) {
    const row = integerAt(order, above) * size;
    for (let below = above + 1; below < size; below += 1) {
      const cell = row + integerAt(order, below);
      sums[cell] = doubleAt(sums, cell) + weight;
    }
  }
}
