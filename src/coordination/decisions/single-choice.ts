import { type Amount, AmountSum, amountToNumber, equal, larger, ZERO } from "../structures/amount.ts";
import type { Ballot, Count, Offer, Reading } from "./voting-rule.ts";

/** A vote for one option: the option itself. */
export function readChoice<O extends string>(vote: unknown, { choices }: Offer<O>): Reading<O> | undefined {
  return choices.get(vote);
}

/** The weight of the ballots that pick each place. */
export function weigh(ballots: readonly Ballot[], size: number): Amount[] {
  const sums = Array.from({ length: size }, () => new AmountSum());
  for (const { picks, weight } of ballots) for (const place of picks) sums[place]?.add(weight);
  return sums.map((sum) => sum.total());
}

/** The places with the most weight win. */
export function countPicks(ballots: readonly Ballot[], size: number): Count {
  const weights = weigh(ballots, size);
  const lead = weights.reduce(larger, ZERO);
  return { scores: weights.map(amountToNumber), winners: placesWhere(weights, (weight) => equal(weight, lead)), lead };
}

/** The first of the picks that is tied: the choice, or the highest in a ranking. */
export function firstPick({ picks }: Reading<string>, tied: readonly number[]): number | undefined {
  return picks.find((place) => tied.includes(place));
}

/** The places whose value is as asked, ascending. */
export function placesWhere<T>(values: readonly T[], isAsked: (value: T, place: number) => boolean): number[] {
  const places: number[] = [];
  values.forEach((value, place) => {
    if (isAsked(value, place)) places.push(place);
  });
  return places;
}
