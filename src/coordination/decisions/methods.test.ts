/** Each method against elections whose results are published, or are counted by hand here. */
import { describe, expect, test } from "vitest";
import { elect, type Group, NEAREST, rankings, scoresOf, TENNESSEE, winnersOf } from "./ballots.fixture.ts";
import type { TieBreak, Vote, VotingMethod } from "./election.ts";
import { tally } from "./tally.ts";

const ABC = ["a", "b", "c"];

describe("approval", () => {
  test("counts every option that a voter approves of", () => {
    const nearTwo = NEAREST.map(([count, vote]): Group => [count, Array.isArray(vote) ? vote.slice(0, 2) : undefined]);
    const decision = elect("approval", TENNESSEE, nearTwo);
    expect(decision.decision).toBe("Nashville");
    expect(scoresOf(decision)).toEqual({ Memphis: 42, Nashville: 68, Chattanooga: 58, Knoxville: 32 });
  });

  test("a threshold is of all valid votes, also of those that approve of nothing", () => {
    const outcome = (groups: readonly Group[]) =>
      tally({
        options: ABC,
        votes: new Map(groups.map(([, vote], i) => [`v${i}`, vote])),
        method: "approval",
        threshold: { atLeast: "2/3" },
      }).outcome;
    expect(
      outcome([
        [1, ["a", "b"]],
        [1, ["c", "a"]],
        [1, []],
      ]),
    ).toBe("decided");
    expect(
      outcome([
        [1, ["a", "b"]],
        [1, []],
        [1, []],
      ]),
    ).toBe("no_majority");
  });
});

describe("score", () => {
  test("adds what the voters give, and nothing where they give nothing", () => {
    const decision = elect("score", ABC, [
      [2, { a: 10, b: 4 }],
      [3, { c: 5, b: 4 }],
      [1, {}],
    ]);
    expect(scoresOf(decision)).toEqual({ a: 20, b: 20, c: 15 });
    expect(decision.tied).toEqual(["a", "b"]);
  });

  test("is exact to nine decimals, also below zero", () => {
    const decision = elect("score", ABC, [
      [1, { a: 0.1, b: 0.3, c: -0.1 }],
      [1, { a: 0.2, c: -0.2 }],
    ]);
    expect(scoresOf(decision)).toEqual({ a: 0.3, b: 0.3, c: -0.3 });
    expect(decision.tied).toEqual(["a", "b"]);
  });

  test("is exact however large, also in what a chair prefers", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const votes = { x: { a: most, b: most }, y: { a: -4_194_304.000000001 }, z: { b: -4_194_304.000000002 } };
    expect(tally({ options: ABC, votes, method: "score" }).decision).toBe("a");
    const tied = { x: { a: most - 1, b: most }, y: { a: most, b: most - 1 } };
    expect(tally({ options: ABC, votes: tied, method: "score", tieBreak: { chair: "x" } }).decision).toBe("b");
  });

  test("among options that all get less than nothing, the least bad wins", () => {
    expect(elect("score", ["a", "b"], [[3, { a: -1, b: -2 }]]).decision).toBe("a");
  });
});

describe("borda", () => {
  test("the capital of Tennessee is Nashville, with the published points", () => {
    const decision = elect("borda", TENNESSEE, NEAREST);
    expect(decision.decision).toBe("Nashville");
    expect(scoresOf(decision)).toEqual({ Memphis: 126, Nashville: 194, Chattanooga: 173, Knoxville: 107 });
  });

  test("unranked options share the mean of what is left", () => {
    expect(scoresOf(elect("borda", ["a", "b", "c", "d"], rankings([1, "b"])))).toEqual({ a: 1, b: 3, c: 1, d: 1 });
    expect(scoresOf(elect("borda", ["a", "b", "c", "d"], rankings([1, "bc"])))).toEqual({ a: 0.5, b: 3, c: 2, d: 0.5 });
    expect(scoresOf(elect("borda", ABC, rankings([1, ""])))).toEqual({ a: 1, b: 1, c: 1 });
  });
});

describe("instant-runoff", () => {
  test("the capital of Tennessee is Knoxville: Chattanooga leaves, then Nashville", () => {
    const decision = elect("instant-runoff", TENNESSEE, NEAREST);
    expect(decision.decision).toBe("Knoxville");
    expect(scoresOf(decision)).toEqual({ Memphis: 42, Nashville: 26, Chattanooga: 15, Knoxville: 58 });
  });

  test("who is second in the first round can win (Bob, Bill and Sue)", () => {
    const decision = elect(
      "instant-runoff",
      ["bob", "sue", "bill"],
      [
        [2, ["bob", "bill", "sue"]],
        [1, ["sue", "bob", "bill"]],
        [1, ["bill", "sue", "bob"]],
        [1, ["sue", "bill", "bob"]],
      ],
    );
    expect(decision.decision).toBe("sue");
  });

  test("exhausted ballots count no more, so that less than half of all can win", () => {
    const decision = elect("instant-runoff", ["a", "b", "c", "d"], rankings([4, "a"], [3, "b"], [2, "c"], [1, "d"]));
    expect(decision.decision).toBe("a");
    expect(scoresOf(decision)).toEqual({ a: 4, b: 3, c: 2, d: 1 });
  });

  test("all tied for last leave together", () => {
    // One after the other would hand over c's vote to b, or b's to c, and make a tie.
    const decision = elect("instant-runoff", ABC, rankings([2, "a"], [1, "bc"], [1, "cb"]));
    expect(decision.decision).toBe("a");
  });

  test("unless that would be all: these are tied", () => {
    expect(elect("instant-runoff", ABC, rankings([1, "ab"], [1, "bc"], [1, "ca"])).tied).toEqual(["a", "b", "c"]);
    expect(elect("instant-runoff", ABC, rankings([2, "a"], [2, "b"], [1, "c"])).tied).toEqual(["a", "b"]);
    expect(elect("instant-runoff", ABC, rankings([2, ""])).tied).toEqual(["a", "b", "c"]);
  });
});

/** M. Schulze (2011), the first example: 45 voters. */
const SCHULZE_45 = rankings(
  [5, "ACBED"],
  [5, "ADECB"],
  [8, "BEDAC"],
  [3, "CABED"],
  [7, "CAEBD"],
  [2, "CBADE"],
  [7, "DCEBA"],
  [8, "EBADC"],
);
const ABCDE = ["A", "B", "C", "D", "E"];

describe("schulze", () => {
  test("the example of its author: E, A, C, B, D", () => {
    const decision = elect("schulze", ABCDE, SCHULZE_45);
    expect(decision.decision).toBe("E");
    expect(scoresOf(decision)).toEqual({ E: 4, A: 3, C: 2, B: 1, D: 0 });
  });

  test("the capital of Tennessee is Nashville, which beats each of the others", () => {
    expect(scoresOf(elect("schulze", TENNESSEE, NEAREST))).toEqual({
      Memphis: 0,
      Nashville: 3,
      Chattanooga: 2,
      Knoxville: 1,
    });
  });

  test("victories count by the votes for them, not by their margins, as with ranked pairs", () => {
    // c over a by 8 to 3, a over b by 6 to 5, b over c by 5 to 3: the last is the weakest, though its margin is not.
    for (const method of ["schulze", "ranked-pairs"] as const)
      expect(elect(method, ABC, rankings([5, "bca"], [3, "cab"], [3, "a"])).decision).toBe("c");
  });
});

describe("ranked-pairs", () => {
  test("the capital of Tennessee is Nashville, and the scores are the ranking", () => {
    expect(scoresOf(elect("ranked-pairs", TENNESSEE, NEAREST))).toEqual({
      Memphis: 0,
      Nashville: 3,
      Chattanooga: 2,
      Knoxville: 1,
    });
  });

  test("a circle is opened at its weakest victory", () => {
    // a over b 7, b over c 6, c over a 5 (E. Gorr's third example has the same shape).
    const decision = elect("ranked-pairs", ABC, rankings([4, "abc"], [2, "bca"], [3, "cab"]));
    expect(decision.decision).toBe("a");
    expect(scoresOf(decision)).toEqual({ a: 2, b: 1, c: 0 });
  });

  test("where it decides otherwise than schulze (its author's 45 voters): A", () => {
    expect(elect("ranked-pairs", ABCDE, SCHULZE_45).decision).toBe("A");
  });

  test("of equal pairs any may be locked first: all that win in some order are tied, and no others", () => {
    expect(elect("ranked-pairs", ABC, rankings([1, "abc"], [1, "bca"], [1, "cab"])).tied).toEqual(["a", "b", "c"]);
    // d loses to all, in every order.
    const withLoser = rankings([1, "abcd"], [1, "bcad"], [1, "cabd"]);
    expect(elect("ranked-pairs", ["d", ...ABC], withLoser).tied).toEqual(["a", "b", "c"]);
  });

  test("equal pairs that close no circle change nothing", () => {
    expect(elect("ranked-pairs", ABC, rankings([3, "abc"])).decision).toBe("a");
  });

  test("where there is too much to look through, the order of the options still changes nothing", () => {
    // With a bound on looking that depended on it, n was held to lose by the second order only.
    const votes = rankings(
      [1, "eklcbdapnhfjmgoi"],
      [1, "cjenladhgmokipbf"],
      [1, "pfcehknobmlgajdi"],
      [1, "bgaofijmhdklnpce"],
      [1, "lganjhdmfeobkcpi"],
    );
    const orders = ["abcdefghijklmnop", "ponmlkjihgfedcba", "fgjildmeaohnckpb"];
    const winners = orders.map((order) => winnersOf(elect("ranked-pairs", order.split(""), votes)).toSorted());
    expect(winners).toEqual([winners[0], winners[0], winners[0]]);
    expect(winners[0]).toEqual(expect.arrayContaining(["c", "e", "l"]));
  });

  test("a circle of fifty equal pairs is opened at any of them, without looking through all orders", () => {
    const options = Array.from({ length: 50 }, (_, at) => `o${at}`);
    const groups = options.map((_, at): Group => [1, [...options.slice(at), ...options.slice(0, at)]]);
    expect(elect("ranked-pairs", options, groups).tied).toEqual(options);
  });
});

describe("rankings, sets and scores", () => {
  const LISTS = ["approval", "borda", "instant-runoff", "schulze", "ranked-pairs"] as const;
  const hostile = new Proxy([], {
    get: () => {
      throw new Error("look at me");
    },
  });

  function invalidOf(method: VotingMethod, votes: Record<string, unknown>): readonly string[] {
    const decision = Reflect.apply(tally, undefined, [{ options: ABC, votes, method }]);
    return decision.invalid;
  }

  test.each(LISTS)("%s takes a list of what is offered, without doubles; the rest is invalid", (method) => {
    const bad = {
      choice: "a",
      scores: { a: 1 },
      double: ["a", "a"],
      foreign: ["a", "z"],
      tiedGroups: [["a", "b"], "c"],
      hole: new Array(1),
      tooLong: ["a", "b", "c", "a"],
      number: 1,
      nothing: null,
      hostile,
      set: new Set(["a"]),
    };
    const good = { one: ["a"], all: ["c", "a", "b"], none: [] };
    expect(invalidOf(method, { ...bad, ...good })).toEqual(Object.keys(bad).sort());
  });

  test("score takes numbers for what is offered; the rest is invalid", () => {
    const bad = {
      choice: "a",
      list: ["a"],
      foreign: { z: 1 },
      text: { a: "1" },
      nan: { a: Number.NaN },
      infinite: { a: Number.POSITIVE_INFINITY },
      huge: { a: -(2 ** 53) },
      tenPlaces: { a: 0.0000000001 },
      third: { a: 1 / 3 },
      nothing: null,
      null: { a: null },
      map: new Map([["a", 1]]),
      date: new Date(0),
      hostile: new Proxy({}, { ownKeys: () => Reflect.ownKeys(Reflect.get(hostile, 0)) }),
      inherited: { toString: 1 },
    };
    const good = { some: { a: 1, b: undefined }, none: {}, most: { c: -(2 ** 53 - 1) }, sum: { a: 0.1 + 0.2 } };
    expect(invalidOf("score", { ...bad, ...good })).toEqual(Object.keys(bad).sort());
  });

  test("the decision tells copies of them", () => {
    const ranking = ["b", "a"];
    const scores = { b: 2, a: 1 };
    const told = elect("borda", ABC, [[1, ranking]]).votes["g0 v0"];
    const toldScores = elect("score", ABC, [[1, scores]]).votes["g0 v0"];
    ranking.reverse();
    scores.b = 9;
    expect([told, toldScores]).toEqual([["b", "a"], { b: 2, a: 1 }]);
  });

  test("bad votes never change what the good ones decide", () => {
    for (const method of [...LISTS, "score"] as const) {
      const vote: Vote = method === "score" ? { b: 1 } : ["b"];
      const decision = Reflect.apply(tally, undefined, [
        { options: ABC, votes: { good: vote, double: ["a", "a"], hostile, odd: { a: "much" } }, method },
      ]);
      expect([decision.decision, decision.votes]).toEqual(["b", { good: vote }]);
    }
  });
});

describe("weights", () => {
  const weights = { heavy: 2.000000001, light: 1, other: 1 };
  test.each<[VotingMethod, Vote, Vote]>([
    ["weighted", "a", "b"],
    ["approval", ["a"], ["b"]],
    ["score", { a: 1 }, { b: 1 }],
    ["borda", ["a", "b"], ["b", "a"]],
    ["instant-runoff", ["a"], ["b"]],
    ["schulze", ["a"], ["b"]],
    ["ranked-pairs", ["a"], ["b"]],
  ])("%s: a billionth more wins, and as much ties", (method, mine, theirs) => {
    const votes = { heavy: mine, light: theirs, other: theirs };
    const decision = tally({ options: ["a", "b"], votes, method, weights });
    expect([decision.decision, decision.weightsUsed]).toEqual(["a", weights]);
    expect(tally({ options: ["a", "b"], votes, method, weights: { heavy: 2 } }).tied).toEqual(["a", "b"]);
    const none = { heavy: 0, light: 0, other: 0 };
    expect(tally({ options: ["a", "b"], votes, method, weights: none, tieBreak: "first" }).outcome).toBe("no_quorum");
  });

  test("are added exactly, however large and small", () => {
    for (const method of ["schulze", "ranked-pairs", "borda", "instant-runoff", "approval"] as const) {
      const decision = tally({
        options: ["a", "b"],
        votes: { x: ["a"], y: ["b"], z: ["b"] },
        method,
        weights: { x: 4_000_000_000_000_000, y: 3_999_999_999_999_999.5, z: 0.500000001 },
      });
      expect([method, decision.decision]).toEqual([method, "b"]);
    }
  });

  test("quorum is by head with every method but weighted", () => {
    for (const method of ["approval", "score", "borda", "instant-runoff", "schulze", "ranked-pairs"] as const) {
      const votes = { x: method === "score" ? { a: 1 } : ["a"], y: undefined };
      const judged = (quorum: number) =>
        tally({ options: ABC, votes, method, quorum, weights: { x: 7, y: 99 } }).outcome;
      expect([judged(0.5), judged(0.51)]).toEqual(["decided", "no_quorum"]);
    }
  });
});

describe("ties", () => {
  const tie: readonly [VotingMethod, Record<string, Vote>][] = [
    ["approval", { x: ["c"], y: ["a"], z: ["c", "a"] }],
    ["score", { x: { c: 2, a: 1 }, y: { a: 2, c: 1 }, z: {} }],
    ["borda", { x: ["c", "a"], y: ["a", "c"], z: [] }],
    ["instant-runoff", { x: ["c", "a"], y: ["a"], z: [] }],
    ["schulze", { x: ["c", "a"], y: ["a", "c"], z: [] }],
    ["ranked-pairs", { x: ["c", "a"], y: ["a", "c"], z: ["b", "c"], w: ["b", "a"] }],
  ];

  test.each(tie)("%s: stand, or are broken by first, a chair, a seed", (method, votes) => {
    const broken = (tieBreak: TieBreak, options: readonly string[] = ABC) => {
      const decision = tally({ options, votes, method, tieBreak });
      return decision.decision ?? decision.tied;
    };
    const tied = broken("none");
    expect(tied).toEqual(method === "ranked-pairs" ? ["a", "b", "c"] : ["a", "c"]);
    expect([broken("first"), broken("first", ["c", "b", "a"])]).toEqual(["a", "c"]);
    expect([broken({ chair: "x" }), broken({ chair: "y" })]).toEqual(["c", "a"]);
    expect(broken({ chair: "nobody" })).toEqual(tied);
    for (let seed = 0; seed < 20; seed += 1) expect(broken({ seed }, ["b", "c", "a"])).toBe(broken({ seed }));
    if (method !== "ranked-pairs") {
      expect(broken({ chair: "z" })).toEqual(tied);
      const seeds = [1, 2, 3, 4, 5, 6].map((seed) => broken({ seed }));
      const plain = tally({ options: ABC, votes: { x: "a", y: "c" }, method: "majority", tieBreak: { seed: 5 } });
      expect(seeds[4]).toBe(plain.decision);
    }
  });

  test("a chair's ranking is for its highest tied option, not for its first", () => {
    const runoff = { x: ["b", "c", "a"], y: ["a"], z: ["a"], u: ["a"], v: ["c"], w: ["c"] };
    expect(tally({ options: ABC, votes: runoff, method: "instant-runoff" }).tied).toEqual(["a", "c"]);
    expect(tally({ options: ABC, votes: runoff, method: "instant-runoff", tieBreak: { chair: "x" } }).decision).toBe(
      "c",
    );
  });

  test("a chair that approves of, or scores, several tied options alike leaves the tie", () => {
    const sets = { x: ["a", "b"], y: ["a", "b"] };
    expect(tally({ options: ABC, votes: sets, method: "approval", tieBreak: { chair: "x" } }).tied).toEqual(["a", "b"]);
    const scores = { x: { a: 1, b: 1 }, y: { c: -1 } };
    expect(tally({ options: ABC, votes: scores, method: "score", tieBreak: { chair: "x" } }).tied).toEqual(["a", "b"]);
  });
});

test("a single option wins with every method", () => {
  for (const method of ["approval", "borda", "instant-runoff", "schulze", "ranked-pairs"] as const)
    expect(winnersOf(elect(method, ["a"], [[2, ["a"]]]))).toEqual(["a"]);
});
