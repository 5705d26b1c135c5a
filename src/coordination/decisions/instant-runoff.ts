import { type Amount, add, amountToNumber, atMost, equal, smaller, subtract, ZERO } from "../structures/amount.ts";
import { itemAt } from "../structures/at.ts";
import { readList } from "./option-list.ts";
import { firstPick } from "./single-choice.ts";
import type { Ballot, VotingRule } from "./voting-rule.ts";

/**
 * Round by round, each ballot counts for the highest in its ranking that is still in; the option with the least leaves,
 * until one has more than half of what counts. Ballots whose options have all left are exhausted and count no more. All that
 * are tied for last leave together, unless that would be all that are left: these are tied. The score of an option is what
 * it had when it left, or in the last round.
 *
 * Source: N. Tideman, "The Single Transferable Vote", Journal of Economic Perspectives 9 (1995), with one seat. The rule for
 * ties depends on no name and on no lot.
 */
export const instantRunoff: VotingRule = {
  method: "instant-runoff",
  weighs: true,
  quorumByWeight: false,
  hasThreshold: false,
  needsEverybody: false,
  read: readList,
  count(ballots, size) {
    const run = new Runoff(ballots, size);
    while (!run.isOver()) run.dropLast();
    return { scores: run.totals.map(amountToNumber), winners: run.leaders() };
  },
  favourite: firstPick,
};

/** Where the ballots stand. Each is looked at again only when the option that it counts for leaves. */
class Runoff {
  /** What each place has, or had when it left. */
  readonly totals: Amount[];
  #left: number[];
  /** By place: the ballots that count for it, each with the rank at which it does. */
  readonly #piles: { readonly ballot: Ballot; readonly rank: number }[][];
  readonly #isOut: boolean[];
  /** What is not exhausted. */
  #counting: Amount = ZERO;

  constructor(ballots: readonly Ballot[], size: number) {
    this.totals = new Array<Amount>(size).fill(ZERO);
    this.#left = this.totals.map((_, place) => place);
    this.#piles = this.totals.map(() => []);
    this.#isOut = this.totals.map(() => false);
    for (const ballot of ballots) this.#hand(ballot, 0);
  }

  isOver(): boolean {
    const [first = 0, ...others] = this.#left;
    const total = this.#total(first);
    if (others.every((place) => equal(this.#total(place), total))) return true;
    return this.#left.some((place) => this.#isMoreThanHalf(this.#total(place)));
  }

  leaders(): readonly number[] {
    const half = this.#left.filter((place) => this.#isMoreThanHalf(this.#total(place)));
    return half.length === 1 ? half : this.#left;
  }

  dropLast(): void {
    const least = this.#left.map((place) => this.#total(place)).reduce(smaller);
    const last = this.#left.filter((place) => equal(this.#total(place), least));
    this.#left = this.#left.filter((place) => !equal(this.#total(place), least));
    for (const place of last) this.#isOut[place] = true;
    for (const place of last) {
      this.#counting = subtract(this.#counting, this.#total(place));
      for (const { ballot, rank } of itemAt(this.#piles, place)) this.#hand(ballot, rank + 1);
    }
  }

  /** To its highest option from that rank on that is still in. */
  #hand(ballot: Ballot, from: number): void {
    const { picks, weight } = ballot;
    for (let rank = from; rank < picks.length; rank += 1) {
      const place = itemAt(picks, rank);
      if (this.#isOut[place]) continue;
      this.totals[place] = add(this.#total(place), weight);
      this.#counting = add(this.#counting, weight);
      itemAt(this.#piles, place).push({ ballot, rank });
      return;
    }
  }

  #isMoreThanHalf(total: Amount): boolean {
    return !atMost(total, subtract(this.#counting, total));
  }

  #total(place: number): Amount {
    return itemAt(this.totals, place);
  }
}
