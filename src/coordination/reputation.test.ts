import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tally } from "./decisions/tally.ts";
import { accuracyOf, learnedWeights, Reputation, type Standing, votingWeightOf } from "./reputation.ts";
import { amountOf } from "./structures/amount.ts";

/** ln 2 to nine places. */
const LN2 = Number("0.693147181");

describe("accuracy and weight", () => {
  const cases: readonly (readonly [right: number, wrong: number, options: number, accuracy: number, weight: number])[] =
    [
      [0, 0, 2, 0.5, 0],
      [1, 0, 2, 2 / 3, LN2],
      [3, 1, 2, 2 / 3, LN2],
      [8, 0, 2, 0.9, 2.197224577],
      [0, 3, 2, 0.2, 0],
      [0, 3, 9, 0.2, LN2],
      [0, 0, 3, 0.5, LN2],
      [0, 1, 3, 1 / 3, 0],
      [7, 0, 1, 8 / 9, 0],
      [999_999, 0, 1_000, 1_000_000 / 1_000_001, 20.722265337],
    ];
  test.each(cases)("%i right, %i wrong, %i options", (right, wrong, options, accuracy, weight) => {
    expect(accuracyOf({ right, wrong })).toBeCloseTo(accuracy, 15);
    expect(votingWeightOf({ right, wrong }, options)).toBe(weight);
  });

  test("learning is by agent, in any order, for two options unless it is said", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "__proto__"), fc.boolean())), fc.nat(), (list, seed) => {
        const reputation = new Reputation();
        for (const [agent, correct] of list) reputation.record(agent, correct);
        const other = new Reputation();
        const turn = seed % (list.length + 1);
        for (const [agent, correct] of [...list.slice(turn), ...list.slice(0, turn)]) other.record(agent, correct);
        for (const agent of ["a", "b", "__proto__", "nobody"]) {
          const right = list.filter(([of, correct]) => of === agent && correct).length;
          const wrong = list.filter(([of, correct]) => of === agent && !correct).length;
          for (const one of [reputation, other]) {
            expect(one.accuracy(agent)).toBe((1 + right) / (2 + right + wrong));
            expect(one.weight(agent)).toBe(votingWeightOf({ right, wrong }, 2));
            expect(one.weight(agent, 5)).toBe(votingWeightOf({ right, wrong }, 5));
          }
        }
      }),
    );
  });

  test("a weight is a nine-place decimal, more for the more accurate and for more options", () => {
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(count, count, fc.integer({ min: 1, max: 1_000 }), (right, wrong, options) => {
        const weight = votingWeightOf({ right, wrong }, options);
        expect(amountOf(weight)).toBeDefined();
        expect(votingWeightOf({ right: right + 1, wrong }, options)).toBeGreaterThanOrEqual(weight);
        expect(votingWeightOf({ right, wrong: wrong + 1 }, options)).toBeLessThanOrEqual(weight);
        expect(votingWeightOf({ right, wrong }, options + 1)).toBeGreaterThanOrEqual(weight);
      }),
    );
  });
});

describe("the weights of voters", () => {
  const of = (...standings: readonly Standing[]) => new Map(standings.map((one, i) => [`v${i}`, one]));

  test("are all 1 when all would be 0, and only then", () => {
    const bad = { right: 0, wrong: 4 };
    expect([...learnedWeights(of(bad, { right: 0, wrong: 0 }), 2).values()]).toEqual([1, 1]);
    expect([...learnedWeights(of(bad, { right: 1, wrong: 0 }), 2).values()]).toEqual([0, LN2]);
    expect([...learnedWeights(of(), 2)]).toEqual([]);
  });

  test("decide as rightly as any rule can, where accuracies are known (Nitzan & Paroush 1982)", () => {
    // Of 2^5 profiles of votes, the weighted majority takes the side under which the profile is the more probable.
    const standings = of(
      { right: 8, wrong: 0 },
      { right: 5, wrong: 2 },
      { right: 5, wrong: 3 },
      { right: 2, wrong: 1 },
      { right: 11, wrong: 8 },
    );
    const weights = learnedWeights(standings, 2);
    const accuracies = [...standings.values()].map(accuracyOf);
    for (let profile = 0; profile < 32; profile++) {
      const yes = accuracies.map((_, i) => ((profile >> i) & 1) === 1);
      const likelihood = (truth: boolean) =>
        accuracies.reduce((product, p, i) => product * (yes[i] === truth ? p : 1 - p), 1);
      const votes = new Map(yes.map((one, i) => [`v${i}`, one ? "yes" : "no"] as const));
      const { decision } = tally({ options: ["yes", "no"], votes, weights, method: "weighted" });
      expect([profile, decision]).toEqual([profile, likelihood(true) > likelihood(false) ? "yes" : "no"]);
    }
  });
});
