/** Laws of the methods, and each against a slow count that is as its definition says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scoresOf, winnersOf } from "./ballots.fixture.ts";
import type { Decision, Vote, VotingMethod } from "./election.ts";
import { tally } from "./tally.ts";

const OPTIONS = ["a", "b", "c", "d", "e"];
type Ranking = readonly string[];

function electionOf(size: number) {
  const options = OPTIONS.slice(0, size);
  return fc.record({
    options: fc.constant(options),
    rankings: fc.array(fc.shuffledSubarray(options), { maxLength: 9 }),
  });
}

/** Up to five options, up to nine voters, who rank all of them or some: ties of all kinds are frequent. */
const elections = fc.integer({ min: 1, max: 5 }).chain(electionOf);

function count(method: VotingMethod, options: Ranking, votes: readonly Vote[]): Decision {
  return tally({ options, votes: new Map(votes.map((vote, at) => [`v${at}`, vote])), method });
}

/** How many prefer x to y: who ranks x, and y lower or not at all. */
function preferring(rankings: readonly Ranking[], x: string, y: string): number {
  const rank = (ranking: Ranking, option: string) => (ranking.includes(option) ? ranking.indexOf(option) : 99);
  return rankings.filter((ranking) => rank(ranking, x) < rank(ranking, y)).length;
}

function victory(rankings: readonly Ranking[], x: string, y: string): number {
  const votes = preferring(rankings, x, y);
  return votes > preferring(rankings, y, x) ? votes : 0;
}

/** All ways from x to y, each as strong as its weakest victory. */
function strongest(
  rankings: readonly Ranking[],
  options: Ranking,
  x: string,
  y: string,
  passed: Ranking = [x],
): number {
  const ways = options
    .filter((next) => !passed.includes(next))
    .map((next) => {
      const step = victory(rankings, x, next);
      if (next === y || step === 0) return step;
      return Math.min(step, strongest(rankings, options, next, y, [...passed, next]));
    });
  return Math.max(0, ...ways);
}

function slowSchulze(options: Ranking, rankings: readonly Ranking[]): Ranking {
  const path = (x: string, y: string) => strongest(rankings, options, x, y);
  return options.filter((x) => options.every((y) => x === y || path(x, y) >= path(y, x)));
}

/** Every order of equal pairs is tried. */
function slowRankedPairs(options: Ranking, rankings: readonly Ranking[]): Ranking {
  const pairs = options.flatMap((x) => options.map((y) => ({ x, y, votes: victory(rankings, x, y) })));
  const winners = new Set<string>();
  const tried = new Set<string>();
  const leadsTo = (locked: Ranking, x: string, y: string): boolean =>
    x === y || locked.some((pair) => pair[0] === x && leadsTo(locked, pair[1] ?? "", y));
  const go = (locked: Ranking, left: typeof pairs): void => {
    const key = `${[...locked].sort()} ${left.map(({ x, y }) => x + y)}`;
    if (tried.has(key)) return;
    tried.add(key);
    const most = Math.max(...left.map(({ votes }) => votes));
    for (const pair of left) {
      if (pair.votes < most) continue;
      const closes = leadsTo(locked, pair.y, pair.x);
      go(
        closes ? locked : [...locked, pair.x + pair.y],
        left.filter((other) => other !== pair),
      );
    }
    if (left.length > 0) return;
    for (const x of options) if (!locked.some((pair) => pair[1] === x)) winners.add(x);
  };
  go(
    [],
    pairs.filter(({ votes }) => votes > 0),
  );
  return options.filter((option) => winners.has(option));
}

/** All ballots are counted anew each round, to the last option. */
function slowRunoff(options: Ranking, rankings: readonly Ranking[]): Ranking {
  let left = options;
  for (;;) {
    const tops = rankings.map((ranking) => ranking.find((option) => left.includes(option)));
    const votes = new Map(left.map((option) => [option, tops.filter((top) => top === option).length]));
    const least = Math.min(...votes.values());
    const stay = left.filter((option) => votes.get(option) !== least);
    if (stay.length === 0) return left;
    left = stay;
  }
}

/** Unranked options are put in every order below the ranked ones, and the mean is taken. */
function slowBorda(options: Ranking, rankings: readonly Ranking[]): Record<string, number> {
  const points = (ranking: Ranking, option: string): number => {
    const rank = ranking.indexOf(option);
    if (rank >= 0) return options.length - 1 - rank;
    const others = options.filter((other) => !ranking.includes(other));
    return others.reduce((sum, _, at) => sum + at, 0) / others.length;
  };
  const total = (option: string) => rankings.reduce((sum, ranking) => sum + points(ranking, option), 0);
  return Object.fromEntries(options.map((option) => [option, total(option)]));
}

describe("as its definition says", () => {
  const slow: readonly [VotingMethod, (options: Ranking, rankings: readonly Ranking[]) => Ranking][] = [
    ["schulze", slowSchulze],
    ["ranked-pairs", slowRankedPairs],
    ["instant-runoff", slowRunoff],
  ];
  test.each(slow)("%s elects whom the slow count elects", (method, counted) => {
    fc.assert(
      fc.property(elections, ({ options, rankings }) => {
        fc.pre(rankings.length > 0);
        expect(winnersOf(count(method, options, rankings))).toEqual(counted(options, rankings));
      }),
      { numRuns: 500 },
    );
  });

  test("borda gives the points that the slow count gives", () => {
    fc.assert(
      fc.property(elections, ({ options, rankings }) => {
        expect(scoresOf(count("borda", options, rankings))).toEqual(slowBorda(options, rankings));
      }),
    );
  });
});

describe("laws", () => {
  test("whoever beats each other option wins schulze and ranked pairs, with no other", () => {
    fc.assert(
      fc.property(elections, ({ options, rankings }) => {
        const best = options.find((x) => options.every((y) => x === y || victory(rankings, x, y) > 0));
        fc.pre(best !== undefined && rankings.length > 0);
        for (const method of ["schulze", "ranked-pairs"] as const)
          expect(count(method, options, rankings).decision).toBe(best);
      }),
    );
  });

  test("who wins does not lose by being ranked higher, or scored more; instant-runoff promises no such thing", () => {
    const places = fc.tuple(fc.nat(8), fc.nat(4));
    for (const method of ["borda", "schulze", "ranked-pairs", "score"] as const) {
      const vote = (options: Ranking, ranking: Ranking): Vote =>
        method === "score" ? Object.fromEntries(ranking.map((option, at) => [option, options.length - at])) : ranking;
      fc.assert(
        fc.property(elections, places, ({ options, rankings }, [voter, rise]) => {
          fc.pre(voter < rankings.length);
          const before = count(
            method,
            options,
            rankings.map((ranking) => vote(options, ranking)),
          );
          const winner = before.decision ?? "";
          fc.pre(before.decision !== undefined);
          const raised = rankings.map((ranking, at) => (at === voter ? raise(ranking, winner, rise) : ranking));
          const after = count(
            method,
            options,
            raised.map((ranking) => vote(options, ranking)),
          );
          expect(winnersOf(after)).toContain(winner);
        }),
      );
    }
  });

  test("instant-runoff: more first votes can make a winner lose (the failure that its literature knows)", () => {
    const abc = ["a", "b", "c"];
    const groups = (raised: boolean): Ranking[] => [
      ...Array.from({ length: 8 }, () => ["a", "b", "c"]),
      ...Array.from({ length: 5 }, () => ["b", "c", "a"]),
      ...Array.from({ length: 2 }, () => (raised ? ["a", "b", "c"] : ["b", "a", "c"])),
      ...Array.from({ length: 6 }, () => ["c", "a", "b"]),
    ];
    expect(count("instant-runoff", abc, groups(false)).decision).toBe("a");
    expect(count("instant-runoff", abc, groups(true)).decision).toBe("c");
  });

  test("cloned voters change nothing", () => {
    fc.assert(
      fc.property(
        elections,
        fc.constantFrom("borda", "schulze", "ranked-pairs", "instant-runoff"),
        (election, method) => {
          const { options, rankings } = election;
          const twice = count(method, options, [...rankings, ...rankings]);
          expect(winnersOf(twice)).toEqual(winnersOf(count(method, options, rankings)));
        },
      ),
    );
  });
});

/** By as many ranks, or onto the ranking's end. */
function raise(ranking: Ranking, option: string, by: number): Ranking {
  const others = ranking.filter((other) => other !== option);
  const rank = ranking.includes(option) ? ranking.indexOf(option) : ranking.length;
  return others.toSpliced(Math.max(0, rank - by), 0, option);
}
