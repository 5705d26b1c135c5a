import { integerAt, itemAt } from "../structures/at.ts";

/** Each round tells apart who stands differently to those told apart before; nearly always all are after two or three. */
const MOST_ROUNDS = 8;

/**
 * The places of the options in an order that neither their names nor their own order have any part in: only whom they beat, whom
 * they lose to, and how strongly (colour refinement, after Weisfeiler & Leman 1968). Options that stand alike to all kinds of
 * others keep their order among themselves.
 *
 * What is looked through in this order is looked through alike, however the options are handed in: also where looking ends
 * before all has been seen.
 */
export function placesByVictories(strengths: Int32Array, size: number): readonly number[] {
  const places = Array.from({ length: size }, (_, place) => place);
  let kinds: readonly number[] = places.map(() => 0);
  let count = Math.min(size, 1);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const standings = places.map((place) => standingOf(place, kinds, strengths));
    const distinct = [...new Set(standings)].sort();
    const kindOf = new Map(distinct.map((standing, kind) => [standing, kind]));
    kinds = standings.map((standing) => kindOf.get(standing) ?? 0);
    if (distinct.length === count) break;
    count = distinct.length;
  }
  return places.sort((a, b) => itemAt(kinds, a) - itemAt(kinds, b) || a - b);
}

/** Its own kind, then how it stands to each other, as a text that does not tell which is which but by its kind. */
function standingOf(place: number, kinds: readonly number[], strengths: Int32Array): string {
  const size = kinds.length;
  const others: string[] = [];
  for (let other = 0; other < size; other += 1) {
    if (other === place) continue;
    const [won, lost] = [integerAt(strengths, place * size + other), integerAt(strengths, other * size + place)];
    others.push(`${itemAt(kinds, other)} ${won} ${lost}`);
  }
  return [itemAt(kinds, place), ...others.sort()].join();
}
