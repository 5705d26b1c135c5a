/** What voters learn when the truth becomes known, and what that makes of their next votes. */
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { ballotRow } from "./ballot-row.ts";
import type { BallotRequest, Command } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Story } from "./story.fixture.ts";

const LN2 = Number("0.693147181");

/** Ballots are numbered from 1 on, those that were open before counted too. */
class Crew extends Story {
  #ballots = 0;

  constructor(...names: string[]) {
    super();
    for (const name of names) this.agent(name, { votes: true, weight: 7 });
  }

  vote(votes: Readonly<Record<string, Json | undefined>>, more: Partial<BallotRequest> = {}): string {
    const ballotId = `b${++this.#ballots}`;
    const options = ["yes", "no"];
    this.do({ type: "ballot.open", question: "?", options, voters: Object.keys(votes), method: "weighted", ...more });
    for (const [voter, vote] of Object.entries(votes))
      this.do({ type: "ballot.cast", ballotId, voter, ...(vote === undefined ? {} : { vote }) });
    return ballotId;
  }

  reveal(ballotId: string, truth: string): void {
    this.do(revealing(ballotId, truth));
  }

  accuracies(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.kernel.agents(this.now).map(({ name, accuracy }) => [name, accuracy]));
  }

  weights(ballotId: string): unknown {
    return this.kernel.ballot(ballotId)?.decision.weightsUsed;
  }
}

function revealing(ballotId: string, truth: string): Command {
  return { type: "ballot.reveal", ballotId, truth };
}

const learned = { weights: "reputation" } as const;

describe("what was revealed", () => {
  test("teaches each who voted validly; of the others nothing is known", () => {
    const crew = new Crew("ann", "bob", "cy", "dan", "eve");
    const ballot = crew.vote({ ann: "yes", bob: "no", cy: undefined, dan: "perhaps" });
    expect(crew.accuracies()).toEqual({});
    crew.reveal(ballot, "yes");
    expect(crew.accuracies()).toEqual({ ann: 2 / 3, bob: 1 / 3 });
    expect(crew.log.at(-1)).toMatchObject({
      type: "ballot.revealed",
      ballotId: "b1",
      truth: "yes",
      learned: { ann: { right: 1, wrong: 0 }, bob: { right: 0, wrong: 1 } },
    });
    crew.reveal(crew.vote({ ann: "yes" }), "no");
    expect(crew.accuracies()).toEqual({ ann: 1 / 2, bob: 1 / 3 });
  });

  test("is known of a ballot that nobody decided, too, and teaches nobody where nobody voted", () => {
    const crew = new Crew("ann", "bob");
    crew.reveal(crew.vote({ ann: "yes", bob: "no" }), "no");
    crew.reveal(crew.vote({ ann: undefined }), "yes");
    expect(crew.accuracies()).toEqual({ ann: 1 / 3, bob: 2 / 3 });
  });

  test("teaches who put one option above all others, and nobody who did not", () => {
    const crew = new Crew("ann", "bob", "cy", "dan");
    crew.reveal(crew.vote({ ann: ["yes"], bob: ["yes", "no"], cy: ["no"] }, { method: "approval" }), "yes");
    expect(crew.accuracies()).toEqual({ ann: 2 / 3, cy: 1 / 3 });
    crew.reveal(crew.vote({ bob: ["yes", "no"], dan: ["no", "yes"] }, { method: "borda" }), "yes");
    expect(crew.accuracies()).toEqual({ ann: 2 / 3, bob: 2 / 3, cy: 1 / 3, dan: 1 / 3 });
    crew.reveal(crew.vote({ ann: { no: 2 }, cy: { yes: 3, no: 3 } }, { method: "score" }), "yes");
    expect(crew.accuracies()).toMatchObject({ ann: 2 / 4, cy: 1 / 3 });
  });

  test("stays known of an agent that is registered again, or gone", () => {
    const crew = new Crew("ann");
    crew.reveal(crew.vote({ ann: "yes" }), "yes");
    crew.agent("ann", { votes: true });
    crew.do({ type: "agent.unregister", agent: "ann" });
    expect(crew.accuracies()).toEqual({ ann: 2 / 3 });
  });

  test("asked for again under the same command id, is one reveal", () => {
    const crew = new Crew("ann");
    const envelope = { id: "c", command: revealing(crew.vote({ ann: "yes" }), "yes") };
    expect(crew.send(envelope).events).toHaveLength(1);
    expect(crew.send(envelope)).toEqual({ answers: [{ ok: true, ids: [] }], events: [] });
  });
});

describe("a ballot with learned weights", () => {
  test("is decided by whom was right before", () => {
    const crew = new Crew("ann", "bob", "cy");
    for (let i = 0; i < 3; i++) crew.reveal(crew.vote({ ann: "yes", bob: "no", cy: i < 2 ? "yes" : "no" }), "yes");
    const ballot = crew.vote({ ann: "yes", bob: "no", cy: "no" }, learned);
    expect(crew.weights(ballot)).toEqual({ ann: Number("1.386294361"), bob: 0, cy: Number("0.405465108") });
    expect(crew.kernel.ballot(ballot)?.decision).toMatchObject({ decision: "yes" });
  });

  test("weighs all alike where nothing was learned, and says so, whatever the agents weigh", () => {
    const crew = new Crew("ann", "bob");
    expect(crew.weights(crew.vote({ ann: "yes", bob: "no" }, learned))).toEqual({ ann: 1, bob: 1 });
    const three = { ...learned, options: ["yes", "no", "later"] };
    expect(crew.weights(crew.vote({ ann: "yes", bob: "no" }, three))).toEqual({ ann: LN2, bob: LN2 });
  });

  test("weighs all alike when nobody does better than guessing, and only those who vote count", () => {
    const crew = new Crew("ann", "bob", "cy");
    crew.reveal(crew.vote({ ann: "no", bob: "no", cy: "yes" }), "yes");
    expect(crew.weights(crew.vote({ ann: "yes", bob: "no" }, learned))).toEqual({ ann: 1, bob: 1 });
    expect(crew.weights(crew.vote({ ann: "yes", cy: "no" }, learned))).toEqual({ ann: 0, cy: LN2 });
  });

  test("weighs approvals and rankings, too", () => {
    const crew = new Crew("ann", "bob", "cy");
    crew.reveal(crew.vote({ ann: "yes", bob: "no", cy: "no" }), "yes");
    for (const method of ["approval", "schulze", "instant-runoff"]) {
      const ballot = crew.vote({ ann: ["yes"], bob: ["no"], cy: ["no"] }, { method, ...learned });
      expect(crew.kernel.ballot(ballot)?.decision).toMatchObject({
        decision: "yes",
        weightsUsed: { ann: LN2, bob: 0, cy: 0 },
      });
    }
  });

  test("keeps the weights that it was opened with", () => {
    const crew = new Crew("ann", "bob");
    crew.do({ type: "ballot.open", question: "?", options: ["yes", "no"], method: "weighted", ...learned });
    const other = new Crew("ann", "bob");
    expect(other.weights("b1")).toBeUndefined();
    crew.do({ type: "ballot.open", question: "?", options: ["yes", "no"], voters: ["ann"] });
    crew.do({ type: "ballot.cast", ballotId: "b2", voter: "ann", vote: "yes" }, revealing("b2", "yes"));
    expect(crew.weights("b1")).toEqual({ ann: 1, bob: 1 });
  });

  test("carries them, so that replaying it takes no logarithm", () => {
    const crew = new Crew("ann", "bob");
    crew.reveal(crew.vote({ ann: "yes", bob: "no" }), "yes");
    const ballot = crew.vote({ ann: "yes", bob: "no" }, learned);
    const { log } = Math;
    try {
      Math.log = () => {
        throw new Error("a logarithm was taken");
      };
      crew.crash(1);
      expect(crew.weights(ballot)).toEqual({ ann: LN2, bob: 0 });
      expect(crew.accuracies()).toEqual({ ann: 2 / 3, bob: 1 / 3 });
      const restored = Kernel.restore(JSON.parse(JSON.stringify([...crew.kernel.snapshot()])));
      expect(restored.agents(crew.now)).toEqual(crew.kernel.agents(crew.now));
      expect(() => crew.vote({ ann: "yes" }, learned)).toThrow("a logarithm was taken");
    } finally {
      Math.log = log;
    }
  });
});

describe("a ballot that has left memory", () => {
  function departed(): { readonly crew: Crew; readonly row: string } {
    const crew = new Crew("ann", "bob");
    crew.vote({ ann: "yes", bob: "no" });
    const { opened, openedAt } = crew.kernel.ballot("b1") ?? {};
    if (opened === undefined || openedAt === undefined) throw new Error("no ballot");
    const votes = new Map([
      ["ann", "yes"],
      ["bob", "no"],
    ]);
    const row = ballotRow({ id: "b1", opened, at: openedAt, votes, open: false, truth: undefined, counted: undefined });
    const asked = { type: "ballot.open", question: "?", options: ["a"], voters: [] } as const;
    const { departed: left } = crew.kernel.batch(
      Array.from({ length: limits.keptBallots }, () => ({ command: asked })),
      crew.now,
    );
    expect(left).toEqual([{ kind: "ballot", id: "b1", row }]);
    expect(crew.kernel.hasDepartures("ballot")).toBe(true);
    return { crew, row };
  }

  test("is revealed once, as the archive tells of it, and put there anew", () => {
    const { crew, row } = departed();
    const envelope = { command: revealing("b1", "yes"), recalled: new Map([["b1", row]]) };
    const { answers, departed: left, events } = crew.kernel.batch([envelope, envelope], crew.now);
    expect(answers).toMatchObject([{ ok: true }, { ok: false, refusal: { code: "INVALID_STATE" } }]);
    expect(events).toHaveLength(1);
    expect(crew.accuracies()).toEqual({ ann: 2 / 3, bob: 1 / 3 });
    expect(left).toHaveLength(1);
    const recalled = new Map(left.map(({ id, row: anew }) => [id, anew]));
    const again = crew.kernel.batch([{ ...envelope, recalled }], crew.now);
    expect(again.answers).toMatchObject([{ ok: false, refusal: { code: "INVALID_STATE" } }]);
  });

  test("replays without the archive", () => {
    const { crew, row } = departed();
    const before = crew.kernel.snapshot();
    const replayed = Kernel.restore(JSON.parse(JSON.stringify([...before])));
    const envelope = { command: revealing("b1", "no"), recalled: new Map([["b1", row]]) };
    const { events } = crew.kernel.batch([envelope], crew.now);
    for (const event of events) replayed.replay(event);
    expect([...replayed.snapshot()]).toEqual([...crew.kernel.snapshot()]);
  });
});
