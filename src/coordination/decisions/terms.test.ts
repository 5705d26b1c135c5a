import { expect, test } from "vitest";
import { isSafeguardsError } from "../../errors.ts";
import type { Decision } from "./election.ts";
import { tally } from "./tally.ts";

/** Hands in what the types forbid, as a JavaScript caller would. */
function tallyAnything(election: object): Decision {
  return Reflect.apply(tally, undefined, [election]);
}

const refusal = expect.toSatisfy((error: unknown) => isSafeguardsError(error, "INVALID_ARGUMENT"));

test.each<[string, object]>([
  ["no election", []],
  ["an unknown key", { treshold: 0.5 }],
  ["an unknown method", { method: "plurality" }],
  ["no options", { options: [] }],
  ["an option twice", { options: ["a", "b", "a"] }],
  ["an option that is not a string", { options: ["a", 1] }],
  ["options that are no list", { options: "ab" }],
  ["votes that are no record", { votes: ["a"] }],
  ["no votes at all", { votes: undefined }],
  ["a voter whose name is no id", { votes: { "x/y": "a" } }],
  ["an elector twice", { electorate: ["x", "x"] }],
  ["an elector that is no id", { electorate: [""] }],
  ["an electorate that is no list", { electorate: "x" }],
  ["a negative weight", { weights: { x: -1 } }],
  ["an infinite weight", { weights: { x: Number.POSITIVE_INFINITY } }],
  ["a weight with ten decimals", { weights: { x: 0.0000000001 } }],
  ["weights that are too much together", { method: "weighted", weights: { x: 2 ** 53 - 1 }, electorate: ["x", "y"] }],
  ["a weight over 2^53 - 1", { weights: { x: 2 ** 53 } }],
  ["a weight that is wrong where weights count for nothing", { weights: { x: -1 }, method: "unanimous" }],
  ["a negative quorum", { quorum: -0.1 }],
  ["a quorum over 1", { quorum: 1.1 }],
  ["a quorum that is no number", { quorum: Number.NaN }],
  ["a quorum of another kind", { quorum: "1/2" }],
  ["a fraction without a denominator", { quorum: { atLeast: "1" } }],
  ["a fraction over 1", { threshold: { atLeast: "4/3" } }],
  ["a fraction by zero", { threshold: { atLeast: "0/0" } }],
  ["a fraction with an unknown key", { threshold: { atLeast: "1/2", above: true } }],
  ["a threshold over 1", { threshold: 50 }],
  ["a threshold with unanimous", { method: "unanimous", threshold: 0.5 }],
  ["an unknown tie-break", { tieBreak: "last" }],
  ["a tie-break of another kind", { tieBreak: {} }],
  ["no tie-break at all", { tieBreak: null }],
  ["a tie-break of two kinds", { tieBreak: { seed: 1, chair: "x" } }],
  ["a chair that is no id", { tieBreak: { chair: "" } }],
  ["a seed that is no integer", { tieBreak: { seed: 0.5 } }],
  ["a question that is no text", { question: 42 }],
])("refuses %s", (_, wrong) => {
  const election = Array.isArray(wrong)
    ? wrong
    : { options: ["a", "b"], votes: { x: "a" }, method: "majority", ...wrong };
  expect(() => tallyAnything(election)).toThrow(refusal);
});

test("an unknown method is refused with all that there are", () => {
  expect(() => tallyAnything({ options: ["a"], votes: {}, method: "plurality" })).toThrow(
    'method is "plurality"; it must be one of majority, weighted, unanimous, approval, score, borda, instant-runoff, schulze, ranked-pairs',
  );
});

test("a threshold is for majority, weighted and approval only", () => {
  for (const method of ["majority", "weighted", "approval"] as const)
    expect(tally({ options: ["a"], votes: {}, method, threshold: 0.5 }).outcome).toBe("no_quorum");
  for (const method of ["unanimous", "score", "borda", "instant-runoff", "schulze", "ranked-pairs"] as const)
    expect(() => tally({ options: ["a"], votes: {}, method, threshold: 0.5 })).toThrow(
      `${method} takes no threshold; majority, weighted and approval do`,
    );
});

test("more options than can be compared in pairs are refused", () => {
  const options = Array.from({ length: 251 }, (_, at) => `${at}`);
  const few = (many: number) => options.slice(0, many);
  expect(() => tally({ options, votes: {}, method: "schulze" })).toThrow(
    "the number of options is 251; it must be at most 250 with schulze",
  );
  expect(() => tally({ options: few(101), votes: {}, method: "ranked-pairs" })).toThrow(
    "the number of options is 101; it must be at most 100 with ranked-pairs",
  );
  expect(tally({ options: few(250), votes: {}, method: "schulze" }).outcome).toBe("no_quorum");
  expect(tally({ options: few(100), votes: {}, method: "ranked-pairs" }).outcome).toBe("no_quorum");
  expect(tally({ options, votes: {}, method: "borda" }).outcome).toBe("no_quorum");
});
