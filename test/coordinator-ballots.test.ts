import { once } from "node:events";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Coordinator, defineAgent, type Vote, type Voter } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { limits } from "../src/kernel/limits.ts";
import { aborted, eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

function voter(name: string, vote: Voter, weight = 1) {
  return defineAgent({ name, vote, weight });
}

describe("decide", () => {
  it("asks everybody that has a vote, at the same time", async () => {
    const coordinator = await opened();
    const asked: string[] = [];
    const all = gate();
    const vote: Voter = async ({ voterId, options, question, context }) => {
      expect([question, options, context]).toEqual(["Ship it?", ["yes", "no"], { version: 3 }]);
      asked.push(voterId);
      if (asked.length === 3) all.resolve();
      await all.promise;
      return voterId === "c" ? "no" : "yes";
    };
    for (const name of ["a", "b", "c"]) await coordinator.register(voter(name, vote));
    await coordinator.register(defineAgent({ name: "mute", run: () => null }));
    const decision = await coordinator.decide({
      question: "Ship it?",
      options: ["yes", "no"],
      context: { version: 3 },
    });
    expect(decision).toMatchObject({
      outcome: "decided",
      decision: "yes",
      method: "majority",
      votes: { a: "yes", b: "yes", c: "no" },
      abstained: [],
    });
    expect(await coordinator.ballots()).toMatchObject([{ ballotId: decision.ballotId, open: false, decision: "yes" }]);
  });

  it("lets one who throws, gives nothing, or is late, abstain; what is no vote at all is invalid", async () => {
    const coordinator = await opened();
    const told = gate<unknown>();
    await coordinator.register(voter("good", () => "yes"));
    await coordinator.register(
      voter("thrower", () => {
        throw new Error("no idea");
      }),
    );
    const strange = [new Map(), Number.NaN, 1n, Symbol("a"), () => "yes", ["yes", undefined], null, 42];
    for (const [i, vote] of strange.entries()) await coordinator.register(voter(`strange ${i}`, () => vote as never));
    await coordinator.register(voter("silent", () => undefined));
    await coordinator.register(
      voter("late", async ({ signal }) => {
        await aborted(signal);
        told.resolve(signal.aborted);
        return "no";
      }),
    );
    await coordinator.register(voter("wrong", () => "perhaps" as never));
    const decision = await coordinator.decide({ question: "?", options: ["yes", "no"], deadlineMs: 30 });
    expect(decision).toMatchObject({
      decision: "yes",
      votes: { good: "yes" },
      abstained: ["late", "silent", "thrower"],
      invalid: [...strange.map((_, i) => `strange ${i}`), "wrong"],
    });
    expect(await told.promise).toBe(true);
    await coordinator.idle();
    expect((await eventsOf(coordinator)).filter(({ voter: name }) => name === "late")).toEqual([]);
  });

  it("uses the agents' weights, or those that are given", async () => {
    const coordinator = await opened();
    await coordinator.register(voter("light", () => "a", 1));
    await coordinator.register(voter("heavy", () => "b", 3));
    const ballot = { question: "?", options: ["a", "b"], method: "weighted" } as const;
    expect((await coordinator.decide(ballot)).decision).toBe("b");
    expect((await coordinator.decide({ ...ballot, weights: { light: 9 } })).decision).toBe("a");
    expect((await coordinator.decide({ ...ballot, weights: new Map([["light", 9]]) })).decision).toBe("a");
  });

  it("refuses voters that are nobody or have no vote, and options that are not as described", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "mute", run: () => null }));
    const question = "?";
    const options = ["a"];
    const refused = [
      coordinator.decide({ question, options, voters: ["nobody"] }),
      coordinator.decide({ question, options, voters: ["mute"] }),
      coordinator.decide({ question, options: [] }),
      coordinator.decide({ question, options, weights: "fame" as never }),
      coordinator.decide({ question, options, chair: "a" } as never),
    ];
    const codes = await Promise.all(refused.map(async (one) => Reflect.get(Object(await rejection(one)), "code")));
    expect(codes).toEqual([
      "UNKNOWN_AGENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
    ]);
  });

  it("does not wait for those who were unregistered", async () => {
    const coordinator = await opened();
    for (const name of ["a", "gone", "b"]) await coordinator.register(voter(name, () => "yes"));
    await coordinator.unregister("gone");
    const ballot = {
      question: "?",
      options: ["yes", "no"],
      method: "unanimous",
      quorum: 1,
      deadlineMs: 600_000,
    } as const;
    expect(await coordinator.decide(ballot)).toMatchObject({
      decision: "yes",
      votes: { a: "yes", b: "yes" },
      abstained: [],
    });
  });

  it("is no_quorum without a vote, never the first option", async () => {
    const coordinator = await opened();
    const decision = await coordinator.decide({ question: "?", options: ["a", "b"] });
    expect(decision).toMatchObject({ outcome: "no_quorum", decision: undefined });
  });

  it("asks again after a restart who had not voted, and nobody else", async () => {
    const journal = new MortalJournal();
    const first = await opened({ journal });
    await first.register(voter("quick", () => "a"));
    const asked = gate();
    await first.register(
      voter("slow", () => {
        asked.resolve();
        return new Promise<never>(() => undefined);
      }),
    );
    void first.decide({ question: "?", options: ["a", "b"], deadlineMs: 60_000 }).catch(() => undefined);
    await asked.promise;
    while (!(await eventsOf(first)).some((event) => event.type === "ballot.cast")) await first.stats();
    const second = await opened({ journal: await journal.die() });
    let quickAsked = false;
    await second.register(
      voter("quick", () => {
        quickAsked = true;
        return "b";
      }),
    );
    await second.register(voter("slow", () => "a"));
    for await (const event of second.events({ follow: true })) if (event.type === "ballot.decided") break;
    expect(await second.ballots()).toMatchObject([{ open: false, votes: { quick: "a", slow: "a" } }]);
    expect(quickAsked).toBe(false);
  });

  it("recounts what is kept after a reopening", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    await first.register(voter("a", () => "yes"));
    const { ballotId, ...decision } = await first.decide({ question: "?", options: ["yes", "no"] });
    await first.close();
    expect(await (await opened({ journal })).ballots()).toEqual([{ ...decision, ballotId, open: false }]);
  });

  it("takes rankings, sets and scores, with every method", async () => {
    const coordinator = await opened();
    const votes: Record<string, Vote> = { borda: ["b", "a"], approval: ["c", "b"], score: { b: 2, c: -1 } };
    const vote: Voter = ({ question }) => votes[question] ?? ["b"];
    for (const name of ["x", "y"]) await coordinator.register(voter(name, vote, 0.5));
    await coordinator.register(voter("bad", () => ["b", "b"]));
    for (const method of ["approval", "score", "borda", "instant-runoff", "schulze", "ranked-pairs"] as const) {
      const question = method;
      const decision = await coordinator.decide({
        question,
        options: ["a", "b", "c"],
        method,
        tieBreak: { chair: "x" },
      });
      const given = votes[method] ?? ["b"];
      expect(decision).toMatchObject({ method, votes: { x: given, y: given }, invalid: ["bad"] });
      expect(decision.decision).toBe(method === "approval" ? undefined : "b");
      expect(decision.weightsUsed).toEqual({ bad: 1, x: 0.5, y: 0.5 });
    }
  });

  it("counts scores that are no finite numbers nowhere, and tells them as invalid, also over a restart", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    const scores: Record<string, Vote> = {
      good: { b: 1 },
      nan: { a: Number.NaN },
      endless: { a: Number.POSITIVE_INFINITY },
    };
    for (const [name, vote] of Object.entries(scores)) await first.register(voter(name, () => vote));
    const { ballotId } = await first.decide({ question: "?", options: ["a", "b"], method: "score" });
    const counted = { decision: "b", abstained: [], invalid: ["endless", "nan"], votes: { good: { b: 1 } } };
    expect(await first.recount(ballotId)).toMatchObject(counted);
    await first.close();
    expect(await (await opened({ journal })).recount(ballotId)).toMatchObject(counted);
  });

  it("takes exact fractions as quorum and threshold, and refuses a threshold where there is none", async () => {
    const coordinator = await opened();
    for (const name of ["x", "y"]) await coordinator.register(voter(name, () => "a"));
    await coordinator.register(voter("z", () => undefined));
    const asked = (atLeast: string) =>
      coordinator.decide({ question: "?", options: ["a", "b"], quorum: { atLeast }, threshold: { atLeast: "1/1" } });
    expect((await asked("2/3")).outcome).toBe("decided");
    expect((await asked("3/4")).outcome).toBe("no_quorum");
    const refused = coordinator.decide({ question: "?", options: ["a"], method: "borda", threshold: 0.5 });
    expect(await rejection(refused)).toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a process that is kept busy past the deadline", () => {
  const question = { question: "?", options: ["yes", "no"], deadlineMs: 200 };

  /** Nothing else happens until then, by `performance.now()`. */
  function block(until: number): void {
    while (performance.now() < until);
  }

  /** One that is done a while before the deadline. */
  function givenAfter(ms: number): Voter {
    return async () => {
      await sleep(ms);
      return "yes";
    };
  }

  /** One that hears of its vote from elsewhere, a while before the deadline. */
  async function informed(): Promise<Voter> {
    const elsewhere = new Worker(
      `const { parentPort } = require("node:worker_threads");
      parentPort.on("message", () => setTimeout(() => parentPort.postMessage("yes"), 50));
      parentPort.postMessage("ready");`,
      { eval: true },
    );
    onTestFinished(() => elsewhere.terminate().then(() => undefined));
    await once(elsewhere, "message");
    return async () => {
      elsewhere.postMessage("go");
      const [vote] = (await once(elsewhere, "message")) as [Vote];
      // As one does that reads what has come in pieces.
      for (let piece = 0; piece < 3; piece++) await immediate();
      return vote;
    };
  }

  it.each([
    { does: "votes", end: (): Vote => "no", votes: { busy: "no" }, abstained: [] },
    {
      does: "throws",
      end: (): Vote => {
        throw new Error("no idea");
      },
      votes: {},
      abstained: ["busy"],
    },
  ])("takes nobody's vote away when a voter does it and then $does", async ({ end, votes, abstained }) => {
    const coordinator = await opened();
    const busy: Voter = async () => {
      await sleep(10);
      block(performance.now() + 500);
      return end();
    };
    const others = { b: givenAfter(100), e: givenAfter(50), i: await informed() };
    for (const [name, vote] of Object.entries({ busy, ...others })) await coordinator.register(voter(name, vote));
    expect(await coordinator.decide(question)).toMatchObject({
      outcome: "decided",
      decision: "yes",
      votes: { ...votes, b: "yes", e: "yes", i: "yes" },
      abstained,
    });
  });

  it.each([-1, 0, 1, 2])("takes nobody's vote away when it ends %s ms after the deadline", async (ms) => {
    const coordinator = await opened();
    const busy: Voter = async () => {
      const opening = (await eventsOf(coordinator)).find(({ type }) => type === "ballot.opened");
      await sleep(10);
      block(performance.now() + Number(opening?.deadlineAt) - Date.now() + ms);
      return undefined;
    };
    for (const [name, vote] of Object.entries({ busy, b: givenAfter(100), e: givenAfter(50) }))
      await coordinator.register(voter(name, vote));
    expect(await coordinator.decide(question)).toMatchObject({ votes: { b: "yes", e: "yes" }, abstained: ["busy"] });
  });

  it("takes nobody's vote away when an agent does it that has none, whatever it asks for then", async () => {
    const coordinator = await opened();
    await coordinator.register(voter("b", givenAfter(100)));
    await coordinator.register(voter("e", givenAfter(50)));
    const worker = defineAgent({
      name: "worker",
      skills: ["work"],
      run: async (_, { checkpoint }) => {
        await sleep(10);
        block(performance.now() + 500);
        await checkpoint("done");
        return null;
      },
    });
    await coordinator.register(worker);
    const deciding = coordinator.decide(question);
    await coordinator.submit({ skills: ["work"] });
    expect(await deciding).toMatchObject({ decision: "yes", votes: { b: "yes", e: "yes" }, abstained: [] });
  });

  it("closes every ballot at last, also when it is kept busy again and again", async () => {
    const coordinator = await opened();
    const busy: Voter = async ({ signal }) => {
      while (!signal.aborted) {
        await sleep(1);
        block(performance.now() + 30);
      }
      return "no";
    };
    const silent: Voter = ({ signal }) => aborted(signal).then(() => undefined);
    for (const [name, vote] of Object.entries({ busy, silent, e: givenAfter(50) }))
      await coordinator.register(voter(name, vote));
    const decisions = await Promise.all(
      [100, 110, 200].map((deadlineMs) => coordinator.decide({ ...question, deadlineMs })),
    );
    for (const decision of decisions)
      expect(decision).toMatchObject({ votes: { e: "yes" }, abstained: ["busy", "silent"] });
  });
});

describe("recount", () => {
  const ballot = { question: "?", options: ["a", "b", "c"], method: "ranked-pairs", tieBreak: { seed: 3 } } as const;
  const rankings: Record<string, Vote> = { x: ["a", "b", "c"], y: ["b", "c", "a"], z: ["c", "a", "b"], bad: "a" };

  async function asked(coordinator: Coordinator) {
    for (const name of Object.keys(rankings)) await coordinator.register(voter(name, () => rankings[name], 0.5));
    return coordinator.decide(ballot);
  }

  it("gives what the decision was, and what the log says, also after a restart and a snapshot", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    const decision = await asked(first);
    expect(decision).toMatchObject({ outcome: "decided", invalid: ["bad"] });
    const { ballotId } = decision;
    expect(await first.recount(ballotId)).toEqual({ ...decision, open: false });
    const [logged] = (await eventsOf(first)).filter(({ type }) => type === "ballot.decided");
    expect(logged).toMatchObject({ ballotId, outcome: decision.outcome, decision: decision.decision });
    await first.snapshot();
    await first.close();
    expect(await (await opened({ journal })).recount(ballotId)).toEqual({ ...decision, open: false });
  });

  it("gives it still when the ballot has left memory for the archive", { timeout: 120_000 }, async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    const decision = await asked(first);
    const empty = { question: "?", options: ["a"], voters: [] };
    await Promise.all(Array.from({ length: limits.keptBallots }, () => first.decide(empty)));
    expect((await first.ballots()).some(({ ballotId }) => ballotId === decision.ballotId)).toBe(false);
    expect(await first.recount(decision.ballotId)).toEqual({ ...decision, open: false });
    await first.close();
    expect(await (await opened({ journal })).recount(decision.ballotId)).toEqual({ ...decision, open: false });
  });

  it("of an open ballot is the count as it stands, and of none that ever was UNKNOWN_BALLOT", async () => {
    const coordinator = await opened();
    await coordinator.register(voter("x", () => "a"));
    await coordinator.register(voter("slow", ({ signal }) => aborted(signal).then(() => undefined)));
    const closed = rejection(coordinator.decide({ question: "?", options: ["a", "b"], deadlineMs: 60_000 }));
    for await (const event of coordinator.events({ follow: true })) if (event.type === "ballot.cast") break;
    expect(await coordinator.recount("b1")).toMatchObject({ open: true, decision: "a", abstained: ["slow"] });
    expect(await rejection(coordinator.recount("b2"))).toMatchObject({ code: "UNKNOWN_BALLOT" });
    await coordinator.close();
    expect(await closed).toMatchObject({ code: "CLOSED" });
  });
});
