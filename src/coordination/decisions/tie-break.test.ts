import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision, Election, TieBreak } from "./election.ts";
import { tally } from "./tally.ts";

const OPTIONS = ["a", "b", "c"] as const;
type Option = (typeof OPTIONS)[number];

function majority(votes: Record<string, Option | undefined>, more: Partial<Election<Option>> = {}): Decision<Option> {
  return tally({ options: OPTIONS, votes, method: "majority", ...more });
}

describe("ties", () => {
  const tie = { x: "c", y: "a", z: "b", w: "a", v: "c" } as const;

  test("stand, with all that are tied in option order and no decision (the sketch hides them)", () => {
    const decision = majority(tie);
    expect([decision.outcome, decision.decision, decision.tied]).toEqual(["tied", undefined, ["a", "c"]]);
  });

  test("`first` takes the first in option order", () => {
    const decision = majority(tie, { tieBreak: "first", options: ["c", "b", "a"] });
    expect([decision.outcome, decision.decision, decision.tied]).toEqual(["decided", "c", undefined]);
  });

  test("a chair decides who voted for a tied option; with another vote, none, or no right to vote the tie stands", () => {
    const chaired = (chair: string, more: Partial<Election<Option>> = {}) =>
      majority({ ...tie, quiet: undefined }, { tieBreak: { chair }, ...more }).decision;
    expect([chaired("x"), chaired("y")]).toEqual(["c", "a"]);
    expect([chaired("z"), chaired("quiet"), chaired("nobody")]).toEqual([undefined, undefined, undefined]);
    expect(chaired("x", { electorate: ["y", "z"], votes: { x: "a", y: "a", z: "b" } })).toBe(undefined);
  });

  test("no tie-break touches what is not a tie", () => {
    const breaks: TieBreak[] = ["none", "first", { chair: "x" }, { seed: 3 }];
    for (const tieBreak of breaks) expect(majority({ x: "a", y: "b", z: "b" }, { tieBreak }).decision).toBe("b");
  });
});

describe("a seed", () => {
  function drawn(options: readonly string[], seed: number): string | undefined {
    const votes = Object.fromEntries(options.map((option, i) => [`v${i}`, option]));
    return tally({ options, votes, method: "majority", tieBreak: { seed } }).decision;
  }

  test("with the same tied options draws the same winner, whatever their order and whatever else is offered", () => {
    const names = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(names, fc.maxSafeInteger(), fc.infiniteStream(fc.nat()), (options, seed, keys) => {
        const shuffled = options.map((option) => ({ option, key: keys.next().value })).sort((a, b) => a.key - b.key);
        const winner = drawn(options, seed);
        expect(options).toContain(winner);
        expect(
          drawn(
            shuffled.map(({ option }) => option),
            seed,
          ),
        ).toBe(winner);
        const votes = Object.fromEntries(options.map((option, i) => [`v${i}`, option]));
        const more = tally({ options: ["\u0000 not tied", ...options], votes, method: "majority", tieBreak: { seed } });
        expect(more.decision).toBe(winner);
      }),
    );
  });

  test("draws each option about equally often", () => {
    for (const options of [
      ["a", "b"],
      ["left", "middle", "right"],
      ["1", "2", "3", "4", "5", "6", "7"],
    ]) {
      const draws = 7_000;
      const times = new Map<string | undefined, number>();
      for (let seed = 0; seed < draws; seed += 1) {
        const winner = drawn(options, seed);
        times.set(winner, (times.get(winner) ?? 0) + 1);
      }
      const expected = draws / options.length;
      const spread = options.reduce((sum, option) => sum + ((times.get(option) ?? 0) - expected) ** 2 / expected, 0);
      // Chi-square: 22.5 is exceeded once in a thousand for six degrees of freedom, and more rarely for fewer.
      expect(spread).toBeLessThan(22.5);
    }
  });

  test("goes on drawing what it draws today", () => {
    const seeds = [0, 1, 2, 3, -1, 2 ** 53 - 1];
    const winners = ["stop", "ship", "wait", "wait", "stop", "wait"];
    expect(seeds.map((seed) => drawn(["ship", "wait", "stop"], seed))).toEqual(winners);
  });
});
