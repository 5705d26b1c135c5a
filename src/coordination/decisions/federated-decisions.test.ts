import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FederatedDecisions as PublicDecisions } from "../../coordination-entry.ts";
import { isSafeguardsError, type SafeguardsError } from "../../errors.ts";
import type { Vote } from "./election.ts";
import { FederatedDecisions, type FederatedDecisionsOptions, type VoterWith } from "./federated-decisions.ts";
import type { PollHost } from "./poll.ts";
import { tally } from "./tally.ts";

interface Signal {
  readonly reason: SafeguardsError | undefined;
}

/** Timers that fire when the test says so. */
class Host implements PollHost<Signal> {
  readonly timers = new Map<() => void, number>();

  after(ms: number, run: () => void): () => void {
    this.timers.set(run, ms);
    return () => this.timers.delete(run);
  }

  now(): number {
    return 0;
  }

  abortable() {
    const signal: { reason: SafeguardsError | undefined } = { reason: undefined };
    return {
      signal,
      abort: (reason: SafeguardsError) => {
        signal.reason = reason;
      },
    };
  }

  timeIsUp(): void {
    for (const run of this.timers.keys()) run();
    this.timers.clear();
  }
}

function board(voters: Record<string, VoterWith<Signal>>, options?: FederatedDecisionsOptions) {
  const host = new Host();
  const decisions = new FederatedDecisions(host, options);
  for (const [agentId, voter] of Object.entries(voters)) decisions.register(agentId, voter);
  return { host, decisions };
}

/** Lets everything run that only waits for promises. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await undefined;
}

const never = () => new Promise<Vote>(() => {});
const throws = () => {
  throw new Error("I will not say");
};

describe("asking", () => {
  test("everybody is asked before anybody has answered (the sketch asks one after the other)", async () => {
    const answers: ((vote: Vote) => void)[] = [];
    const slow = () => new Promise<Vote>((answer) => answers.push(answer));
    const { decisions } = board({ x: slow, y: slow, z: slow });
    const decision = decisions.decide("which?", ["a", "b"]);
    await settled();
    expect(answers.length).toBe(3);
    for (const answer of answers) answer("b");
    expect((await decision).decision).toBe("b");
  });

  test("each is told the question, the options, who it is and the context", async () => {
    const papers: unknown[] = [];
    const voter: VoterWith<Signal> = ({ signal, ...paper }) => {
      papers.push({ ...paper, reason: signal.reason });
      return "a";
    };
    const { decisions } = board({ x: voter, y: voter });
    await decisions.decide("which?", ["a", "b"], { context: { files: ["one"] } });
    await decisions.decide("and now?", ["a"]);
    const common = { question: "which?", options: ["a", "b"], context: { files: ["one"] }, reason: undefined };
    expect(papers).toEqual([
      { ...common, voterId: "x" },
      { ...common, voterId: "y" },
      { question: "and now?", options: ["a"], voterId: "x", reason: undefined },
      { question: "and now?", options: ["a"], voterId: "y", reason: undefined },
    ]);
    expect(papers[3]).not.toHaveProperty("context");
  });

  test("`vote` votes instead of all the agents' own voters", async () => {
    const { decisions } = board({ x: throws, y: throws });
    const vote: VoterWith<Signal> = ({ voterId }) => (voterId === "x" ? "a" : "b");
    expect((await decisions.decide("which?", ["a", "b"], { vote })).votes).toEqual({ x: "a", y: "b" });
  });
});

describe("one bad voter", () => {
  test("that throws, rejects or gives nothing has abstained, and ends nothing (in the sketch one exception ends it)", async () => {
    const { decisions } = board({
      throws,
      rejects: () => Promise.reject(new Error("no")),
      silent: () => undefined,
      thenable: () => new Proxy(Promise.resolve("b"), { get: throws }),
      good: () => "a",
    });
    const decision = await decisions.decide("which?", ["a", "b"]);
    expect(decision).toMatchObject({ outcome: "decided", decision: "a", votes: { good: "a" } });
    expect(decision.abstained).toEqual(["rejects", "silent", "thenable", "throws"]);
  });

  test("that votes for what is not offered is told as invalid", async () => {
    const { decisions } = board({ x: () => "z", y: async () => "a" });
    expect(await decisions.decide("which?", ["a", "b"])).toMatchObject({
      decision: "a",
      invalid: ["x"],
      abstained: [],
    });
  });

  test("cannot change what the others are asked", async () => {
    const meddler: VoterWith<Signal> = (paper) => {
      Object.assign(paper, { question: "changed" });
      Object.assign(paper.context ?? {}, { text: "changed" });
      Reflect.set(paper.options, 0, "changed");
      Object.assign(paper.options, ["changed"]);
      return "a";
    };
    const context = { text: "as it was" };
    const seen: unknown[] = [];
    const { decisions } = board({
      first: meddler,
      second: ({ question, options, context }) => {
        seen.push(question, options, context);
        return "a";
      },
    });
    const decision = await decisions.decide("which?", ["a", "b"], { context });
    expect(seen).toEqual(["which?", ["a", "b"], { text: "as it was" }]);
    expect(context.text).toBe("as it was");
    expect(decision).toMatchObject({ question: "which?", tally: [{ option: "a" }, { option: "b" }] });
  });
});

describe("time", () => {
  test("who is late has abstained, is told to stop, and a late vote changes nothing (the sketch waits for ever)", async () => {
    let voteLate: (vote: Vote) => void = () => {};
    const signals: Record<string, Signal> = {};
    const { decisions, host } = board({
      late: ({ signal }) => {
        signals.late = signal;
        return new Promise((resolve) => {
          voteLate = resolve;
        });
      },
      never: ({ signal }) => {
        signals.never = signal;
        return never();
      },
      timely: ({ signal }) => {
        signals.timely = signal;
        return "a";
      },
    });
    const pending = decisions.decide("which?", ["a", "b"]);
    await settled();
    host.timeIsUp();
    voteLate("b");
    const decision = await pending;
    const before = JSON.stringify(decision);
    expect(decision).toMatchObject({ decision: "a", votes: { timely: "a" }, abstained: ["late", "never"] });
    await settled();
    expect(JSON.stringify(decision)).toBe(before);
    expect([signals.late?.reason?.code, signals.never?.reason?.code]).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(signals.timely?.reason).toBe(undefined);
  });

  test("one timer is set for all, for as long as was asked, and taken back when all have voted", async () => {
    const answers: ((vote: Vote) => void)[] = [];
    const slow = () => new Promise<Vote>((answer) => answers.push(answer));
    for (const [given, override, used] of [
      [undefined, undefined, 30_000],
      [7, undefined, 7],
      [7, 9, 9],
    ] as const) {
      const { decisions, host } = board({ x: slow, y: slow }, given === undefined ? {} : { voteTimeoutMs: given });
      const pending = decisions.decide("which?", ["a"], override === undefined ? {} : { voteTimeoutMs: override });
      await settled();
      expect([...host.timers.values()]).toEqual([used]);
      for (const answer of answers.splice(0)) answer("a");
      await pending;
      expect(host.timers.size).toBe(0);
    }
  });

  test("one that keeps everything busy as it is asked takes neither votes nor time from others", async () => {
    const board = new PublicDecisions({ voteTimeoutMs: 40 });
    const turns = (count: number): Promise<void> =>
      count === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(() => turns(count - 1).then(resolve)));
    const yes = () => turns(3).then(() => "a");
    board.register("before", yes);
    board.register("busy", () => {
      const until = performance.now() + 60;
      while (performance.now() < until);
      return "b";
    });
    board.register("after", yes);
    board.register("at once", () => "a");
    const { votes } = await board.decide("which?", ["a", "b"]);
    expect(votes).toMatchObject({ before: "a", after: "a", "at once": "a" });
  });

  test("nobody registered is no quorum, at once", async () => {
    const { decisions, host } = board({});
    expect(await decisions.decide("which?", ["a"])).toMatchObject({ outcome: "no_quorum", decision: undefined });
    expect(host.timers.size).toBe(0);
  });
});

describe("the electorate", () => {
  test("is all who were registered when it began, whatever happens meanwhile", async () => {
    const { decisions } = board({ x: async () => "a", y: async () => "a" });
    const pending = decisions.decide("which?", ["a", "b"], { method: "weighted" });
    decisions.register("z", () => "b", 10);
    decisions.register("x", () => "b", 10);
    expect([decisions.unregister("y"), decisions.unregister("y")]).toEqual([true, false]);
    expect(await pending).toMatchObject({ decision: "a", votes: { x: "a", y: "a" }, weightsUsed: { x: 1, y: 1 } });
    expect(await decisions.decide("which?", ["a", "b"])).toMatchObject({ votes: { x: "b", z: "b" } });
  });

  test("cannot be changed by one of its voters", async () => {
    const { decisions } = board({
      x: () => {
        decisions.unregister("y");
        return "a";
      },
      y: () => "b",
    });
    expect(await decisions.decide("which?", ["a", "b"])).toMatchObject({ votes: { x: "a", y: "b" } });
  });

  test("counts for quorum and unanimity though some never answer", async () => {
    const { decisions, host } = board({ x: () => "a", y: () => "a", z: never });
    const decide = async (overrides: Parameters<typeof decisions.decide>[2]) => {
      const pending = decisions.decide("which?", ["a", "b"], overrides);
      await settled();
      host.timeIsUp();
      return (await pending).outcome;
    };
    expect(await decide({ method: "unanimous" })).toBe("no_consensus");
    expect(await decide({ quorum: 0.7 })).toBe("no_quorum");
    expect(await decide({ quorum: 0.6 })).toBe("decided");
  });
});

describe("how it is decided", () => {
  test("by the method of the board, or the one asked for, with the registered weights", async () => {
    const { decisions } = board({ y: () => "b", z: () => "b" }, { method: "weighted" });
    decisions.register("x", () => "a", 2.5);
    expect(await decisions.decide("which?", ["a", "b"])).toMatchObject({ decision: "a", method: "weighted" });
    expect(await decisions.decide("which?", ["a", "b"], { method: "majority" })).toMatchObject({ decision: "b" });
  });

  test("with the threshold and the tie-break asked for", async () => {
    const { decisions } = board({ x: () => "a", y: () => "b" });
    expect(await decisions.decide("which?", ["a", "b"])).toMatchObject({ outcome: "tied", tied: ["a", "b"] });
    expect(await decisions.decide("which?", ["a", "b"], { tieBreak: { chair: "y" } })).toMatchObject({ decision: "b" });
    expect(await decisions.decide("which?", ["a", "b"], { threshold: 0.5 })).toMatchObject({ outcome: "no_majority" });
  });

  test("as a tally of the timely votes decides, however the voters behave", async () => {
    const timely = new Map([..."abz"].map((vote) => [vote, vote])).set("slowly a", "a").set("slowly b", "b");
    const manners = fc.constantFrom(
      "a",
      "b",
      "z",
      "slowly a",
      "slowly b",
      "nothing",
      "throws",
      "rejects",
      "late",
      "never",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(manners, { maxLength: 8 }),
        fc.constantFrom("majority", "weighted", "unanimous", "approval", "score", "borda", "schulze", "ranked-pairs"),
        async (crew, method) => {
          const late: ((vote: Vote) => void)[] = [];
          const as = (option: string): Vote => {
            if (method === "score") return { [option]: 2, b: 1 };
            return ["majority", "weighted", "unanimous"].includes(method) ? option : [option];
          };
          const voters: Record<string, VoterWith<Signal>> = {
            "slowly a": async () => as("a"),
            "slowly b": () => settled().then(() => as("b")),
            nothing: () => undefined,
            throws,
            rejects: () => Promise.reject(new Error("no")),
            late: () => new Promise((resolve) => late.push(resolve)),
            never,
          };
          const votes = new Map<string, Vote | undefined>();
          const host = new Host();
          const decisions = new FederatedDecisions(host, { method });
          crew.forEach((manner, i) => {
            decisions.register(`v${i}`, voters[manner] ?? (() => as(manner)));
            const option = timely.get(manner);
            votes.set(`v${i}`, option === undefined ? undefined : as(option));
          });
          const pending = decisions.decide("which?", ["a", "b"]);
          for (let i = 0; i < 3; i += 1) await settled();
          host.timeIsUp();
          for (const vote of late) vote(as("a"));
          const expected = { options: ["a", "b"], votes, method, electorate: [...votes.keys()], question: "which?" };
          expect(await pending).toEqual(Reflect.apply(tally, undefined, [expected]));
        },
      ),
    );
  });
});

describe("what is refused", () => {
  const refusal = expect.toSatisfy((error: unknown) => isSafeguardsError(error, "INVALID_ARGUMENT"));
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;

  test.each<[string, unknown, unknown, unknown?]>([
    ["a question that is no text", undefined, ["a"]],
    ["no options", "which?", []],
    ["an option twice", "which?", ["a", "a"]],
    ["an unknown key", "which?", ["a"], { timeoutMs: 5 }],
    ["an unknown method", "which?", ["a"], { method: "plurality" }],
    ["a quorum over 1", "which?", ["a"], { quorum: 2 }],
    ["a threshold with unanimous", "which?", ["a"], { method: "unanimous", threshold: 0.5 }],
    ["an unknown tie-break", "which?", ["a"], { tieBreak: "last" }],
    ["no time at all", "which?", ["a"], { voteTimeoutMs: 0 }],
    ["more time than timers can wait", "which?", ["a"], { voteTimeoutMs: 2 ** 31 }],
    ["a vote that is no function", "which?", ["a"], { vote: "a" }],
    ["a context that is no JSON", "which?", ["a"], { context: () => {} }],
    ["a context without end", "which?", ["a"], { context: cycle }],
  ])("by decide: %s, before anybody is asked", async (_, question, options, overrides = {}) => {
    let asked = 0;
    const { decisions } = board({ x: () => String(asked++) });
    const pending: unknown = Reflect.apply(decisions.decide, decisions, [question, options, overrides]);
    await expect(pending).rejects.toEqual(refusal);
    expect(asked).toBe(0);
  });

  test("by the constructor and register: what is out of bounds", () => {
    const make = (options: object) => () => Reflect.construct(FederatedDecisions, [new Host(), options]);
    for (const options of [{ method: "loudest" }, { voteTimeoutMs: 0.5 }, { timeout: 3 }])
      expect(make(options)).toThrow(refusal);
    const { decisions } = board({});
    const register = (...args: unknown[]) => Reflect.apply(decisions.register, decisions, args);
    expect(() => register("a/b", () => "a")).toThrow(refusal);
    expect(() => register("x", "a")).toThrow(refusal);
    for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => register("x", () => "a", weight)).toThrow(refusal);
    }
    expect(decisions.unregister("x")).toBe(false);
  });
});
