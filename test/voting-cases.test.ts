/**
 * Elections from the test suite of Condorcet (a voting library in PHP), with the results that it expects. Those that were
 * recomputed by others and agree must be ours too; every other expectation is printed, with why it is not ours.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Decision, tally, type VotingMethod } from "../src/coordination-entry.ts";

interface Expectation {
  readonly method: string;
  readonly checked: string;
  /** Groups that are level, the best first; or the winners alone. */
  readonly ranking?: readonly (readonly string[])[];
  readonly winners?: readonly string[];
}

interface Case {
  readonly id: string;
  readonly candidates: readonly string[];
  readonly ballots: readonly (readonly [count: number, ranking: readonly (readonly string[])[]])[];
  /** Whether what a ballot leaves out is below all that it ranks, as it is here; else nothing is said of it. */
  readonly implicit_ranking: boolean;
  readonly expected: readonly Expectation[];
}

const data = process.env.SAFEGUARDS_DATA ?? "";

/** Ours, under the names that they have there. */
const METHODS: ReadonlyMap<string, VotingMethod> = new Map([
  ["Schulze Winning", "schulze"],
  ["Ranked Pairs Winning", "ranked-pairs"],
  ["Borda Count", "borda"],
]);

const OTHER_METHOD = "a method that is not offered";
/** Why what is expected of a method is not held to. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["CondorcetWinner", "a criterion, not a method; where there is one, Schulze and ranked pairs are held to it below"],
  ["CondorcetLoser", "a criterion, not a method"],
  ["smith_set", "a set of options, not a method of electing one"],
  ["schwartz_set", "a set of options, not a method of electing one"],
  ["Schulze", "which of the variants is meant is not said; with winning votes it is X too"],
  ["Schulze Ratio", "strengths are winning votes here, not ratios"],
  ["Ranked Pairs Margin", "strengths are winning votes here, not margins"],
  [
    "InstantRunoff",
    "not recomputed by others; it ranks those that leave as well, and breaks ties for last by earlier rounds",
  ],
  ["Fptp", "not recomputed by others; a ballot is a ranking there, and one option with majority here"],
  ...["Two Rounds", "Copeland", "DowdallSystem", "DodgsonQuick", "DodgsonTideman", "KemenyYoung"].map(
    (method) => [method, OTHER_METHOD] as const,
  ),
  ...["Minimax Winning", "Minimax Margin", "Minimax Opposition"].map((method) => [method, OTHER_METHOD] as const),
]);

test.for([
  ["Schulze Winning", 9],
  ["Ranked Pairs Winning", 6],
  ["Borda Count", 3],
] as const)("%s: all %i expectations that were checked hold", ([name, count], { skip }) => {
  skip(data === "", "the elections are not there: SAFEGUARDS_DATA names no folder");
  const method = METHODS.get(name) ?? "majority";
  const checked = expectations().filter(({ expected }) => expected.method === name && expected.checked === "agree");
  expect(checked).toHaveLength(count);
  for (const { of, expected } of checked) {
    const { winners, ranking } = expected;
    if (winners !== undefined) expect([of.id, winnersOf(elect(of, method)).toSorted()]).toEqual([of.id, winners]);
    if (ranking !== undefined) expect([of.id, rankingOf(of, method)]).toEqual([of.id, ranking]);
  }
});

test("an option that beats all others in pairs is elected by Schulze and by ranked pairs", ({ skip }) => {
  skip(data === "", "the elections are not there: SAFEGUARDS_DATA names no folder");
  const winners = expectations().filter(({ expected: { method, winners } }) => {
    return method === "CondorcetWinner" && winners?.length === 1;
  });
  expect(winners.length).toBeGreaterThan(0);
  for (const { of, expected } of winners)
    for (const method of ["schulze", "ranked-pairs"] as const)
      expect([of.id, winnersOf(elect(of, method))]).toEqual([of.id, expected.winners]);
});

test("every other expectation is printed with why it is not ours", ({ skip }) => {
  skip(data === "", "the elections are not there: SAFEGUARDS_DATA names no folder");
  const others = expectations().filter(({ expected }) => !METHODS.has(expected.method) || expected.checked !== "agree");
  const lines = others.map(({ of, expected: { method } }) => `${of.id}: ${method}: ${REASONS.get(method)}`);
  console.info(`${lines.length} expectations are not ours:\n  ${lines.join("\n  ")}`);
  expect(lines.filter((line) => line.endsWith("undefined"))).toEqual([]);
});

function expectations(): { readonly of: Case; readonly expected: Expectation }[] {
  const cases: readonly Case[] = JSON.parse(readFileSync(join(data, "voting-cases.json"), "utf8"));
  return cases.flatMap((of) => of.expected.map((expected) => ({ of, expected })));
}

function elect(of: Case, method: VotingMethod, options: readonly string[] = of.candidates): Decision {
  const votes = new Map<string, readonly string[]>();
  const weights = new Map<string, number>();
  const cast = (ranking: readonly string[], weight: number) => {
    weights.set(`v${votes.size}`, weight);
    votes.set(`v${votes.size}`, ranking);
  };
  for (const [count, groups] of of.ballots) {
    // Levels within a ranking cannot be said here; no election of our methods has any.
    if (groups.some((level) => level.length > 1)) throw new RangeError("a ballot has options that are level");
    const ranking = groups.flat().filter((option) => options.includes(option));
    const rest = options.filter((option) => !ranking.includes(option));
    for (let i = 0; i < count; i += 1) {
      if (of.implicit_ranking || rest.length !== 1) cast(ranking, 1);
      else {
        // Half for it above all others and half for it below says nothing of it, and all of the others.
        cast([...rest, ...ranking], 0.5);
        cast([...ranking, ...rest], 0.5);
      }
    }
  }
  return tally({ options, votes, method, weights });
}

function winnersOf({ decision, tied }: Decision): readonly string[] {
  return decision === undefined ? (tied ?? []) : [decision];
}

/** By score; where the order of equal pairs matters, by electing again and again among those that are left. */
function rankingOf(of: Case, method: VotingMethod): readonly (readonly string[])[] {
  const ranking: (readonly string[])[] = [];
  if (method === "ranked-pairs") {
    for (let left = of.candidates; left.length > 0; left = left.filter((option) => !ranking.flat().includes(option)))
      ranking.push(winnersOf(elect(of, method, left)).toSorted());
    return ranking;
  }
  const { tally: scores } = elect(of, method);
  for (const score of [...new Set(scores.map((entry) => entry.score))].sort((a, b) => b - a))
    ranking.push(scores.flatMap((entry) => (entry.score === score ? [entry.option] : [])).toSorted());
  return ranking;
}
