import { expect, test } from "vitest";
import type { Vote, VotingMethod } from "./election.ts";
import { favouritesIn } from "./tally.ts";
import { checkTerms } from "./terms.ts";

const cases: readonly (readonly [method: VotingMethod, vote: unknown, favourite: string | undefined])[] = [
  ["majority", "a", "a"],
  ["unanimous", "b", "b"],
  ["weighted", "d", undefined],
  ["weighted", ["a"], undefined],
  ["borda", ["b", "a"], "b"],
  ["schulze", ["c"], "c"],
  ["ranked-pairs", ["b", "b"], undefined],
  ["instant-runoff", [], undefined],
  ["approval", ["b", "a"], undefined],
  ["approval", ["b"], "b"],
  ["approval", [], undefined],
  ["score", { a: 1, b: 3, c: 2 }, "b"],
  ["score", { a: 3, b: 3, c: 2 }, undefined],
  ["score", { a: -1, b: -2 }, "c"],
  ["score", { a: 0 }, undefined],
  ["score", { a: 1, d: 2 }, undefined],
];
test.each(cases)("by %s, %j puts above all others: %s", (method, vote, favourite) => {
  const terms = checkTerms({ options: ["a", "b", "c"], method, electorate: ["ann", "bob"] });
  const votes = new Map<string, unknown>([
    ["eve", "a" satisfies Vote],
    ["ann", vote],
    ["bob", undefined],
  ]);
  expect([...favouritesIn(terms, votes)]).toEqual(favourite === undefined ? [] : [["ann", favourite]]);
});
