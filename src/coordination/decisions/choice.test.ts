import { expect, test } from "vitest";
import { choiceOf } from "./choice.ts";
import type { Vote, VotingMethod } from "./election.ts";

const cases: readonly (readonly [vote: Vote, method: VotingMethod, choice: string | undefined])[] = [
  ["a", "majority", "a"],
  ["a", "approval", "a"],
  [["b", "a"], "borda", "b"],
  [["b", "a"], "schulze", "b"],
  [["b", "a"], "approval", undefined],
  [["b"], "approval", "b"],
  [[], "approval", undefined],
  [[], "instant-runoff", undefined],
  [{ a: 1, b: 3, c: 2 }, "score", "b"],
  [{ a: 3, b: 1, c: 2 }, "score", "a"],
  [{ a: 3, b: 3, c: 2 }, "score", undefined],
  [{ a: 2, b: 2, c: 3 }, "score", "c"],
  [{ a: 0 }, "score", undefined],
  [{}, "score", undefined],
];
test.each(cases)("%j by %s puts %s above all others", (vote, method, choice) => {
  expect(choiceOf(vote, method)).toBe(choice);
});
