import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../../errors.ts";
import type { Decision, Election, TieBreak, Vote, VotingMethod } from "./election.ts";
import { tally } from "./tally.ts";

const OPTIONS = ["a", "b", "c"] as const;
type Option = (typeof OPTIONS)[number];

function majority(votes: Record<string, Option | undefined>, more: Partial<Election<Option>> = {}): Decision<Option> {
  return tally({ options: OPTIONS, votes, method: "majority", ...more });
}

function weighted(
  votes: Record<string, Option>,
  weights: Record<string, number>,
  more: Partial<Election<Option>> = {},
) {
  return tally<Option>({ options: OPTIONS, votes, weights, method: "weighted", ...more });
}

/** Hands in what the types forbid, as a JavaScript caller would. */
function tallyAnything(election: object): Decision {
  return Reflect.apply(tally, undefined, [election]);
}

const METHODS: readonly VotingMethod[] = [
  "majority",
  "weighted",
  "unanimous",
  "approval",
  "score",
  "borda",
  "instant-runoff",
  "schulze",
  "ranked-pairs",
];

/** For this option and no other, as the method wants it said. */
function only(method: VotingMethod, option: Option): Vote<Option> {
  if (method === "majority" || method === "weighted" || method === "unanimous") return option;
  return method === "score" ? { [option]: 1 } : [option];
}

describe("majority", () => {
  test("most votes win, and every option is in the tally, in option order", () => {
    const decision = majority({ x: "b", y: "b", z: "a" }, { question: "which?" });
    expect(decision).toEqual({
      outcome: "decided",
      decision: "b",
      tally: [
        { option: "a", score: 1 },
        { option: "b", score: 2 },
        { option: "c", score: 0 },
      ],
      method: "majority",
      votes: { x: "b", y: "b", z: "a" },
      abstained: [],
      invalid: [],
      question: "which?",
    });
  });

  test("weights count for nothing", () => {
    const decision = majority({ x: "a", y: "b", z: "b" }, { weights: { x: 100, y: 0 } });
    expect([decision.decision, decision.weightsUsed]).toEqual(["b", undefined]);
  });
});

describe("weighted", () => {
  test("most weight wins, and who has no weight weighs 1", () => {
    const decision = weighted({ x: "a", y: "b", z: "b" }, { x: 2.5 });
    expect(decision.decision).toBe("a");
    expect(decision.weightsUsed).toEqual({ x: 2.5, y: 1, z: 1 });
  });

  test("decimals are added exactly: 0.1 and 0.2 tie with 0.3", () => {
    const decision = weighted({ x: "a", y: "a", z: "b" }, { x: 0.1, y: 0.2, z: 0.3 });
    expect([decision.outcome, decision.tied]).toEqual(["tied", ["a", "b"]]);
  });

  test("any decimals that add up to the same tie, and a billionth more wins", () => {
    const nanos = fc.array(fc.integer({ min: 1, max: 10_000_000_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(nanos, (parts) => {
        const votes: Record<string, Option> = { whole: "b" };
        const total = parts.reduce((sum, part) => sum + part, 0);
        const weights: Record<string, number> = { whole: total / 1e9 };
        parts.forEach((part, i) => {
          votes[`p${i}`] = "a";
          weights[`p${i}`] = part / 1e9;
        });
        expect(weighted(votes, weights).outcome).toBe("tied");
        expect(weighted(votes, { ...weights, whole: (total + 1) / 1e9 }).decision).toBe("b");
      }),
    );
  });

  test("weights are counted exactly up to 2^53 - 1 of all who may vote, and refused above", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const decision = weighted({ x: "a", y: "b", z: "b" }, { x: most - 2, y: 0.999999999, z: 1, stranger: most });
    expect(decision.tally.map(({ score }) => score)).toEqual([most - 2, 1.999999999, 0]);
    expect(weighted({ x: "a" }, { x: most }).decision).toBe("a");
    const refusal = expect.toSatisfy((error: unknown) => isSafeguardsError(error, "INVALID_ARGUMENT"));
    expect(() => weighted({ x: "a", y: "b" }, { x: most })).toThrow(refusal);
    expect(() => weighted({ x: "a" }, { x: most }, { electorate: ["x", "y"] })).toThrow(refusal);
    expect(
      tally({ options: ["a"], votes: { x: "a", y: "a" }, method: "majority", weights: { x: most } }).decision,
    ).toBe("a");
  });

  test("when nobody who voted weighs anything there is no quorum", () => {
    expect(weighted({ x: "a", y: "b" }, { x: 0, y: 0 }).outcome).toBe("no_quorum");
    expect(weighted({ x: "a" }, { x: 0 }, { electorate: ["x", "y"] }).outcome).toBe("no_quorum");
  });

  test("the weights of the whole electorate are told, and of nobody else", () => {
    const decision = weighted({ x: "a", out: "b" }, { y: 3, out: 4, away: 5 }, { electorate: ["y", "x"] });
    expect(decision.weightsUsed).toEqual({ x: 1, y: 3 });
  });
});

describe("unanimous", () => {
  function unanimous(votes: Record<string, string | undefined>, electorate?: string[]) {
    return tallyAnything({ options: OPTIONS, votes, method: "unanimous", ...(electorate ? { electorate } : {}) });
  }

  test("one vote for something else breaks it", () => {
    expect(unanimous({ x: "a", y: "a" })).toMatchObject({ outcome: "decided", decision: "a" });
    expect(unanimous({ x: "a", y: "b" })).toMatchObject({ outcome: "no_consensus", decision: undefined });
  });

  test("an option that was never offered is not accepted, even if all agree on it (the sketch accepts it)", () => {
    expect(unanimous({ x: "z", y: "z" })).toMatchObject({
      outcome: "no_quorum",
      decision: undefined,
      invalid: ["x", "y"],
    });
  });

  test("without an electorate only valid votes count", () => {
    expect(unanimous({ x: "a", y: undefined, z: "nothing" })).toMatchObject({ outcome: "decided", decision: "a" });
  });

  test("with one, any elector who is silent, invalid or absent breaks it, and an outsider does not", () => {
    expect(unanimous({ x: "a", y: undefined }, ["x", "y"]).outcome).toBe("no_consensus");
    expect(unanimous({ x: "a", y: "z" }, ["x", "y"]).outcome).toBe("no_consensus");
    expect(unanimous({ x: "a" }, ["x", "y"]).outcome).toBe("no_consensus");
    expect(unanimous({ x: "a", y: "a", out: "b" }, ["x", "y"])).toMatchObject({ decision: "a", invalid: ["out"] });
  });
});

describe("who voted", () => {
  test("abstentions and invalid votes are told apart, and only valid votes are in `votes`", () => {
    const votes = {
      ok: "a",
      none: undefined,
      foreign: "z",
      list: ["a"],
      scores: { a: 1 },
      nothing: null,
      number: 1,
      out: "a",
    };
    const electorate = ["ok", "none", "foreign", "list", "scores", "nothing", "number", "absent"];
    const decision = tallyAnything({ options: OPTIONS, votes, method: "majority", electorate });
    expect(decision.votes).toEqual({ ok: "a" });
    expect(decision.abstained).toEqual(["absent", "none"]);
    expect(decision.invalid).toEqual(["foreign", "list", "nothing", "number", "out", "scores"]);
    expect(decision.tally[0]).toEqual({ option: "a", score: 1 });
  });

  test("an outsider who gives no vote is nobody's business", () => {
    expect(majority({ x: "a", out: undefined }, { electorate: ["x"] })).toMatchObject({ abstained: [], invalid: [] });
  });

  test("votes and weights may be Maps, and any name is a legal id or option", () => {
    const decision = tally({
      options: ["constructor", "__proto__"],
      votes: new Map([
        ["__proto__", "__proto__"],
        ["constructor", "__proto__"],
      ]),
      weights: new Map([["__proto__", 2]]),
      method: "weighted",
    });
    expect(decision.decision).toBe("__proto__");
    expect(decision.tally).toEqual([
      { option: "constructor", score: 0 },
      { option: "__proto__", score: 3 },
    ]);
    expect(Object.getPrototypeOf(decision.votes)).toBe(null);
    expect(Object.entries(decision.votes)).toEqual([
      ["__proto__", "__proto__"],
      ["constructor", "__proto__"],
    ]);
    expect(Object.entries(decision.weightsUsed ?? {})).toEqual([
      ["__proto__", 2],
      ["constructor", 1],
    ]);
  });

  test("a plain record has no votes but its own", () => {
    expect(majority({}).invalid).toEqual([]);
    expect(
      tallyAnything({ options: ["toString"], votes: { x: "toString" }, method: "majority", weights: {} }).decision,
    ).toBe("toString");
  });
});

describe("quorum", () => {
  test("no valid vote is no quorum with every method, never the first option (the sketch elects it)", () => {
    for (const method of METHODS) {
      for (const tieBreak of ["none", "first", { seed: 1 }] as const) {
        const empty = tally({ options: OPTIONS, votes: {}, method, tieBreak, quorum: 0 });
        expect([empty.outcome, empty.decision]).toEqual(["no_quorum", undefined]);
        expect(tallyAnything({ options: OPTIONS, votes: { x: undefined, y: "z" }, method, tieBreak }).outcome).toBe(
          "no_quorum",
        );
      }
    }
  });

  test("is reached, not exceeded, by heads that voted validly", () => {
    const electorate = ["w", "x", "y", "z"];
    const two = { w: "a", x: "a" } as const;
    expect(majority(two, { electorate, quorum: 0.5 }).outcome).toBe("decided");
    expect(majority(two, { electorate, quorum: 0.50000001 }).outcome).toBe("no_quorum");
    expect(majority({ w: "a", x: undefined }, { quorum: 0.5 }).outcome).toBe("decided");
    expect(
      tallyAnything({ options: OPTIONS, votes: { w: "a", x: "z", y: "z" }, method: "majority", quorum: 0.5 }).outcome,
    ).toBe("no_quorum");
  });

  test("two thirds are two of three, as a fraction", () => {
    const electorate = ["x", "y", "z"];
    expect(majority({ x: "a", y: "a" }, { electorate, quorum: { atLeast: "2/3" } }).outcome).toBe("decided");
    expect(majority({ x: "a" }, { electorate, quorum: { atLeast: "2/3" } }).outcome).toBe("no_quorum");
  });

  test("is by weight for weighted, and still by head for unanimous", () => {
    const weights = { x: 0.3, y: 0.7 };
    const electorate = ["x", "y"];
    expect(weighted({ x: "a" }, weights, { electorate, quorum: 0.3 }).outcome).toBe("decided");
    expect(weighted({ x: "a" }, weights, { electorate, quorum: 0.300000001 }).outcome).toBe("no_quorum");
    const votes = { x: "a", y: undefined } as const;
    expect(tally({ options: OPTIONS, votes, weights, quorum: 0.5, method: "unanimous" }).outcome).toBe("decided");
  });

  test("is judged before consensus, threshold and ties", () => {
    const electorate = ["x", "y", "z", "w", "v"];
    for (const method of METHODS) {
      const votes = { x: only(method, "a"), y: only(method, "b") };
      const judged = (quorum: number) =>
        tally({ options: OPTIONS, votes, electorate, method, quorum, tieBreak: "first" }).outcome;
      expect([judged(0.5), judged(0.4)]).toEqual(["no_quorum", method === "unanimous" ? "no_consensus" : "decided"]);
    }
    const votes = { x: "a", y: "b" } as const;
    expect(majority(votes, { electorate, quorum: 0.5, threshold: 0.9 }).outcome).toBe("no_quorum");
  });
});

describe("threshold", () => {
  function share(forA: number, of: number, threshold: Election<Option>["threshold"]) {
    const votes = new Map(Array.from({ length: of }, (_, i): [string, Option] => [`v${i}`, i < forA ? "a" : "b"]));
    return tally<Option>({ options: OPTIONS, votes, method: "majority", threshold: threshold ?? 0 }).outcome;
  }

  test("a number must be exceeded", () => {
    expect([share(2, 3, 0.5), share(2, 4, 0.5), share(3, 4, 0.5)]).toEqual(["decided", "no_majority", "decided"]);
    expect([share(3, 3, 1), share(3, 3, 0.999999999)]).toEqual(["no_majority", "decided"]);
  });

  test("a fraction must be reached, exactly", () => {
    const twoThirds = { atLeast: "2/3" };
    expect([share(2, 3, twoThirds), share(199, 300, twoThirds), share(200, 300, twoThirds)]).toEqual([
      "decided",
      "no_majority",
      "decided",
    ]);
    expect(share(3, 3, { atLeast: "1/1" })).toBe("decided");
  });

  test("a number is the decimal that it prints as: 2/3 in doubles is a little less than two thirds, so two of three exceed it", () => {
    expect([String(2 / 3), share(2, 3, 2 / 3), share(2, 3, 0.6666666666666667)]).toEqual([
      "0.6666666666666666",
      "decided",
      "no_majority",
    ]);
    expect(weighted({ x: "a", y: "b", z: "c" }, { x: 0.4, y: 0.3, z: 0.3 }, { threshold: 0.4 }).outcome).toBe(
      "no_majority",
    );
    expect(weighted({ x: "a", y: "b", z: "c" }, { x: 0.400000001, y: 0.3, z: 0.3 }, { threshold: 0.4 }).outcome).toBe(
      "decided",
    );
    expect(weighted({ x: "a", y: "b" }, { x: 1e-7, y: 1e-9 }, { threshold: 5e-324 }).outcome).toBe("decided");
    expect(weighted({ x: "a", y: "b" }, { x: 9_999_998, y: 2 }, { threshold: 0.9999998 }).outcome).toBe("no_majority");
  });

  test("every share of hundredths is judged as whole numbers would judge it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(100), (forA, percent) => {
        const votes = { x: "a", y: "b", z: "c" } as const;
        const weights = { x: forA / 100, y: (100 - forA) / 200, z: (100 - forA) / 200 };
        fc.pre(forA > (100 - forA) / 2);
        const exceeded = forA > percent;
        const reached = forA >= percent;
        expect(weighted(votes, weights, { threshold: percent / 100 }).outcome).toBe(
          exceeded ? "decided" : "no_majority",
        );
        const atLeast = `${percent}/100`;
        expect(weighted(votes, weights, { threshold: { atLeast } }).outcome).toBe(reached ? "decided" : "no_majority");
      }),
    );
  });

  test("is of the valid votes, not of the electorate", () => {
    expect(majority({ x: "a", y: undefined }, { electorate: ["x", "y", "z"], threshold: 0.5 }).outcome).toBe("decided");
  });

  test("is judged before the tie, which no tie-break saves", () => {
    expect(majority({ x: "a", y: "b" }, { threshold: 0.5, tieBreak: "first" }).outcome).toBe("no_majority");
    expect(majority({ x: "a", y: "b" }, { threshold: 0.4, tieBreak: "first" }).decision).toBe("a");
  });
});

function recordOf<V>(entries: readonly (readonly [string, V])[]): Record<string, V> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function isList(vote: Vote): vote is readonly string[] {
  return Array.isArray(vote);
}

describe("whatever the votes", () => {
  const voters = fc.uniqueArray(fc.constantFrom("v1", "v2", "v3", "v4", "v5", "v6", "__proto__", "constructor"));
  const option = fc.constantFrom("a", "b", "c", "not offered");
  const points = fc.constantFrom(0, 0.1, 0.2, 0.3, -1, 7);
  const vote = fc.oneof(
    fc.constantFrom<Vote | undefined>("a", "b", "c", "not offered", undefined),
    fc.uniqueArray(option, { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(option, points), { selector: ([key]) => key }).map((pairs) => recordOf(pairs)),
  );
  const elections = fc.record({
    method: fc.constantFrom(...METHODS),
    votes: voters.chain((ids) => fc.tuple(...ids.map((id) => fc.tuple(fc.constant(id), vote)))),
    weights: fc.dictionary(fc.constantFrom("v1", "v2", "v3", "v4"), fc.constantFrom(0, 0.1, 0.2, 0.3, 1, 7)),
    electorate: fc.option(voters, { nil: undefined }),
    tieBreak: fc.constantFrom<TieBreak>("none", "first", { chair: "v1" }, { seed: 7 }),
    quorum: fc.option(fc.constantFrom(0, 0.3, 0.5, 1), { nil: undefined }),
  });
  type Drawn = typeof elections extends fc.Arbitrary<infer E> ? E : never;

  function count(drawn: Drawn, more: object = {}): Decision {
    const { electorate, quorum, votes, ...rest } = drawn;
    const optional = { ...(electorate ? { electorate } : {}), ...(quorum === undefined ? {} : { quorum }) };
    return tallyAnything({ options: OPTIONS, votes: new Map(votes), ...rest, ...optional, ...more });
  }

  test("their order and the electorate's change nothing at all in the decision", () => {
    fc.assert(
      fc.property(elections, (drawn) => {
        const reversed = { ...drawn, votes: [...drawn.votes].reverse(), electorate: drawn.electorate?.toReversed() };
        expect(JSON.stringify(count(reversed))).toBe(JSON.stringify(count(drawn)));
      }),
    );
  });

  test("new names for the options change nothing but the names, without `first` and seeds", () => {
    const renamed = new Map([
      ["a", "zebra"],
      ["b", "__proto__"],
      ["c", ""],
    ]);
    const rename = <T>(name: T): T | string => renamed.get(String(name)) ?? name;
    const renameAll = (given: Vote | undefined) => {
      if (typeof given !== "object") return rename(given);
      if (isList(given)) return given.map(rename);
      return recordOf(Object.entries(given).map(([key, value]) => [String(rename(key)), value]));
    };
    fc.assert(
      fc.property(elections, (drawn) => {
        fc.pre(drawn.tieBreak !== "first" && !(typeof drawn.tieBreak === "object" && "seed" in drawn.tieBreak));
        const before = count(drawn);
        const votes = new Map(drawn.votes.map(([voter, given]) => [voter, renameAll(given)]));
        const after = count(drawn, { options: OPTIONS.map(rename), votes });
        expect(after.outcome).toBe(before.outcome);
        expect(after.decision).toBe(rename(before.decision));
        expect(after.tied).toEqual(before.tied?.map(rename));
        expect(after.tally).toEqual(before.tally.map(({ option, score }) => ({ option: rename(option), score })));
      }),
    );
  });

  test("another order of options changes who wins with `first` only", () => {
    fc.assert(
      fc.property(elections, (drawn) => {
        fc.pre(drawn.tieBreak !== "first");
        const before = count(drawn);
        const after = count(drawn, { options: OPTIONS.toReversed() });
        expect([after.outcome, after.decision, after.tied]).toEqual([
          before.outcome,
          before.decision,
          before.tied?.toReversed(),
        ]);
      }),
    );
  });

  test("every vote given is valid or invalid, every elector without one abstained, and scores add up", () => {
    fc.assert(
      fc.property(elections, (drawn) => {
        const decision = count(drawn);
        const given = drawn.votes.filter(([, option]) => option !== undefined).map(([voter]) => voter);
        expect([...Object.keys(decision.votes), ...decision.invalid].sort()).toEqual(given.sort());
        const electorate = drawn.electorate ?? drawn.votes.map(([voter]) => voter);
        expect(decision.abstained).toEqual(electorate.filter((voter) => !given.includes(voter)).sort());
        expect(decision.decision === undefined).toBe(decision.outcome !== "decided");
        if (!["majority", "weighted", "unanimous"].includes(drawn.method)) return;
        const cast = Object.keys(decision.votes).map((voter) => decision.weightsUsed?.[voter] ?? 1);
        const scores = decision.tally.map(({ score }) => score);
        const sum = (list: number[]) => Math.round(list.reduce((a, b) => a + b, 0) * 1e9);
        expect(sum(scores)).toBe(sum(cast));
      }),
    );
  });
});
