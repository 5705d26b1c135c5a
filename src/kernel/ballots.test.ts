import { describe, expect, test } from "vitest";
import { tally } from "../coordination/decisions/tally.ts";
import type { BallotRequest, Command } from "./commands.ts";
import { Story, told } from "./story.fixture.ts";

function voters(...names: string[]): Story {
  const story = new Story();
  for (const [i, name] of names.entries()) story.agent(name, { votes: true, weight: i + 1 });
  return story;
}

function ask(more: Partial<BallotRequest> = {}): Command {
  return { type: "ballot.open", question: "ship?", options: ["yes", "no"], ...more };
}

function cast(voter: string, vote?: string): Command {
  return { type: "ballot.cast", ballotId: "b1", voter, ...(vote === undefined ? {} : { vote }) };
}

describe("ballots", () => {
  test("close when everybody has voted, with the count", () => {
    const story = voters("ann", "bob", "cy");
    expect(story.try(ask()).answers).toEqual([{ ok: true, ids: ["b1"] }]);
    story.do(cast("ann", "yes"), cast("bob", "no"));
    expect(told(story.do(cast("cy", "yes")))).toEqual(["b1 decided yes"]);
    expect(story.kernel.ballot("b1")).toMatchObject({ open: false, decision: { outcome: "decided", decision: "yes" } });
  });

  test("close at their deadline: who has not voted has abstained; and nothing is left to wake for", () => {
    const story = voters("ann", "bob");
    story.do(ask({ deadlineMs: 1_000 }), cast("ann", "no"));
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b1 decided no"]);
    expect(story.kernel.ballot("b1")?.decision.abstained).toEqual(["bob"]);
    expect(story.kernel.idle()).toBe(true);
  });

  test("one that closed before its deadline leaves nothing to wake for", () => {
    const story = voters("ann");
    story.do(ask(), cast("ann", "yes"));
    expect(story.kernel.nextWakeAt()).toBeUndefined();
    expect(story.kernel.idle()).toBe(true);
  });

  test("30 seconds by default", () => {
    const story = voters("ann");
    story.do(ask());
    expect(story.kernel.ballot("b1")?.opened.deadlineAt).toBe(story.now + 30_000);
  });

  test("one vote a voter: the last before closing", () => {
    const story = voters("ann", "bob");
    story.do(ask(), cast("ann", "yes"), cast("ann", "no"));
    expect(told(story.do(cast("bob", "no")))).toEqual(["b1 decided no"]);
  });

  test("saying that one gives none is an abstention, also after a vote", () => {
    const story = voters("ann", "bob");
    story.do(ask(), cast("ann", "yes"), cast("ann"));
    expect(told(story.do(cast("bob", "no")))).toEqual(["b1 decided no"]);
  });

  test("votes that come as it closes count, however late that is; what comes after it is refused", () => {
    const story = voters("ann", "bob", "cy");
    story.do(ask({ deadlineMs: 1_000 }), cast("ann", "yes"));
    story.now += 5_000;
    expect(told(story.do(cast("bob", "no"), cast("bob", "yes")))).toEqual(["b1 decided yes"]);
    expect(story.kernel.ballot("b1")?.decision).toMatchObject({ votes: { ann: "yes", bob: "yes" }, abstained: ["cy"] });
    expect(story.refusal(cast("cy", "no")).code).toBe("INVALID_STATE");
  });

  test("it stays open for votes that one batch has no room for, and for nothing else that is due", () => {
    const story = voters("ann", "bob");
    story.do(ask({ deadlineMs: 1_000 }));
    story.do({ type: "task.submit", tasks: [{ id: "t", skills: ["nobody"], deadlineMs: 1_000 }] });
    story.now += 2_000;
    const { kernel } = story;
    const first = kernel.batch([{ command: cast("ann", "no") }], story.now, story.now - 1_001);
    expect(told(first.events)).toEqual(["t failed: TIMEOUT"]);
    expect(kernel.nextWakeAt()).toBe(story.now - 1_000);
    const second = kernel.batch([{ command: { type: "tick" } }], story.now, story.now - 1_000);
    expect(told(second.events)).toEqual(["b1 decided no"]);
  });

  test("it is put off by as long as its voters were kept from voting, also over a restart", () => {
    const story = voters("ann", "bob");
    story.do(ask({ deadlineMs: 1_000 }), cast("ann", "no"));
    story.do({ type: "ballot.extend", ballotId: "b1", ms: 500 });
    story.crash(100);
    expect(story.kernel.ballot("b1")?.opened.deadlineAt).toBe(story.now + 1_400);
    expect(told(story.after(1_399))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b1 decided no"]);
    expect(story.kernel.nextWakeAt()).toBeUndefined();
  });

  test("one that was to close by now and is put off in the same batch stays open", () => {
    const story = voters("ann");
    story.do(ask({ deadlineMs: 1_000 }));
    story.now += 1_000;
    expect(told(story.do({ type: "ballot.extend", ballotId: "b1", ms: 1_000 }))).toEqual([]);
    expect(story.kernel.nextWakeAt()).toBe(story.now + 1_000);
  });

  test("who is not in the electorate has no vote, and an unknown ballot is UNKNOWN_BALLOT", () => {
    const story = voters("ann", "bob");
    story.do(ask({ voters: ["ann"] }));
    expect(story.refusal(cast("bob", "no")).code).toBe("INVALID_ARGUMENT");
    expect(story.refusal({ type: "ballot.cast", ballotId: "b9", voter: "ann" }).code).toBe("UNKNOWN_BALLOT");
  });

  test("who is offline has a vote where it is named, and else none", () => {
    const story = voters("ann", "bob", "cy");
    story.do({ type: "agent.unregister", agent: "bob" });
    story.do(ask(), ask({ voters: ["ann", "bob"] }));
    expect(story.kernel.ballots().map(({ opened }) => opened.electorate)).toEqual([
      ["ann", "cy"],
      ["ann", "bob"],
    ]);
    story.crash(1_000);
    story.agent("bob", { votes: true });
    story.do(ask());
    expect(story.kernel.ballot("b3")?.opened.electorate).toEqual(["bob"]);
  });

  test("electorate and weights are fixed at opening", () => {
    const story = voters("ann", "bob");
    story.do(ask({ method: "weighted" }));
    story.agent("eve", { votes: true, weight: 99 });
    story.agent("ann", { votes: true, weight: 99 });
    story.do(cast("ann", "yes"));
    expect(told(story.do(cast("bob", "no")))).toEqual(["b1 decided no"]);
    expect(story.kernel.ballot("b1")?.opened).toMatchObject({
      electorate: ["ann", "bob"],
      weights: { ann: 1, bob: 2 },
    });
  });

  test("weights that are given stand before those of the agents", () => {
    const story = voters("ann", "bob");
    story.do(ask({ method: "weighted", weights: { ann: 9 } }), cast("ann", "yes"));
    expect(told(story.do(cast("bob", "no")))).toEqual(["b1 decided yes"]);
  });

  test("an elector that abstains breaks unanimity; a tie is tied unless a tie-break is asked for", () => {
    const story = voters("ann", "bob");
    story.do(ask({ method: "unanimous" }), cast("ann", "yes"));
    expect(told(story.do(cast("bob")))).toEqual(["b1 no_consensus"]);
    const again = (ballotId: string, voter: string, vote: string): Command => ({
      type: "ballot.cast",
      ballotId,
      voter,
      vote,
    });
    expect(told(story.do(ask(), again("b2", "ann", "yes"), again("b2", "bob", "no")))).toEqual(["b2 tied"]);
    const first = told(story.do(ask({ tieBreak: "first" }), again("b3", "ann", "no"), again("b3", "bob", "yes")));
    expect(first).toEqual(["b3 decided yes"]);
  });

  test("an invalid vote is counted nowhere and reported; nobody's vote is no_quorum", () => {
    const story = voters("ann", "bob");
    story.do(ask(), cast("ann", "maybe"));
    expect(told(story.do(cast("bob")))).toEqual(["b1 no_quorum"]);
    expect(story.kernel.ballot("b1")?.decision).toMatchObject({ invalid: ["ann"], abstained: ["bob"] });
  });

  const wrong: readonly Partial<BallotRequest>[] = [
    { options: [] },
    { options: ["a", "a"] },
    { method: "magic" },
    { method: "unanimous", threshold: 0.5 },
    { quorum: 2 },
    { threshold: { atLeast: "3/2" } },
    { tieBreak: "coin" },
    { weights: { ann: -1 } },
    { deadlineMs: 0 },
    { voters: ["mute"] },
  ];
  test.each(wrong)("nobody is asked when the question could not be decided: %j", (more) => {
    const story = voters("ann");
    story.agent("mute");
    expect(story.refusal(ask(more)).code).toBe("INVALID_ARGUMENT");
  });

  test("an unknown voter is UNKNOWN_AGENT", () => {
    expect(voters("ann").refusal(ask({ voters: ["eve"] })).code).toBe("UNKNOWN_AGENT");
  });

  test.each<Partial<BallotRequest>>([
    { options: ["a", "a"] },
    { method: "magic" },
    { method: "borda", threshold: 0.5 },
    { quorum: -1 },
    { tieBreak: "coin" },
    { voters: ["eve", "eve"] },
    { voters: ["eve", "a/b"] },
  ])("what is wrong with the question itself is told before who is not there: %j", (more) => {
    const nobody = { voters: ["eve"], weights: { eve: 2 } };
    expect(voters("ann").refusal(ask({ ...nobody, ...more })).code).toBe("INVALID_ARGUMENT");
  });

  test("open ballots, their votes and the recount survive a restart", () => {
    const story = voters("ann", "bob", "cy");
    story.do(ask({ deadlineMs: 60_000 }), cast("ann", "yes"), cast("bob", "yes"));
    story.crash(10_000);
    expect(story.kernel.ballot("b1")).toMatchObject({ open: true, voted: ["ann", "bob"] });
    expect(told(story.do(cast("cy", "no")))).toEqual(["b1 decided yes"]);
    const { decision } = story.kernel.ballot("b1") ?? {};
    story.crash(10_000);
    expect(story.kernel.ballot("b1")?.decision).toEqual(decision);
  });

  test("a deadline that passed while nothing was open closes the ballot on opening", () => {
    const story = voters("ann", "bob");
    story.do(ask({ deadlineMs: 1_000 }), cast("ann", "yes"));
    expect(told(story.crash(10_000))).toEqual(["b1 decided yes"]);
  });
});

/** A vote that tells how often it was looked at. */
function watched(): { readonly vote: string[]; looks(): number } {
  let looks = 0;
  const vote = new Proxy(["approve"], {
    get: (target, key, receiver) => {
      if (key === "length") looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { vote, looks: () => looks };
}

describe("counting", () => {
  const terms = { options: ["approve", "reject"], method: "approval" } as const;
  const once = watched();
  tally({ ...terms, votes: { ann: once.vote } });

  test("is done once when a ballot closes, and what was counted is what is shown", () => {
    const story = voters("ann");
    const { vote, looks } = watched();
    story.do({ ...ask(), ...terms }, { ...cast("ann"), vote } as Command);
    expect(looks()).toBe(once.looks());
    expect(story.kernel.ballots()).toMatchObject([{ decision: { decision: "approve" } }]);
    expect(story.kernel.ballot("b1")?.decision).toBe(story.kernel.ballots()[0]?.decision);
    expect(looks()).toBe(once.looks());
  });

  test("is done once where the ballot decides on a task", () => {
    const story = voters("ann");
    story.agent("bob");
    story.submit({ id: "t", approval: { by: { ballot: "approval" } } });
    const { vote, looks } = watched();
    story.do({ ...cast("ann"), vote } as Command);
    expect(story.kernel.ballot("b1")?.decision.decision).toBe("approve");
    expect(looks()).toBe(once.looks());
  });

  test("is done again for a recount, and for another vote", () => {
    const story = voters("ann", "bob");
    const { vote, looks } = watched();
    story.do({ ...ask(), ...terms }, { ...cast("ann"), vote } as Command);
    expect(story.kernel.ballot("b1")?.decision.abstained).toEqual(["bob"]);
    expect(looks()).toBe(once.looks());
    story.do({ ...cast("bob"), vote: [] } as Command);
    expect(looks()).toBe(2 * once.looks());
    expect(story.kernel.recount("b1")).toEqual(story.kernel.ballot("b1"));
    expect(looks()).toBe(3 * once.looks());
  });

  test("gives what nobody can change", () => {
    const story = voters("ann");
    story.do({ ...ask(), ...terms }, { ...cast("ann"), vote: ["approve"] } as Command);
    const { votes, tally: counted } = story.kernel.ballot("b1")?.decision ?? {};
    expect(() => Object.assign(votes ?? {}, { ann: ["reject"] })).toThrow(TypeError);
    expect(() => Reflect.apply(Array.prototype.push, votes?.ann, ["reject"])).toThrow(TypeError);
    expect(() => Object.assign(counted?.[0] ?? {}, { score: 9 })).toThrow(TypeError);
  });
});
