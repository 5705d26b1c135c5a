import { describe, expect, test } from "vitest";
import { limits } from "./limits.ts";
import { Story } from "./story.fixture.ts";

describe("what is remembered is bounded", () => {
  test("of commands with an id the oldest is forgotten, and decided anew", () => {
    const story = new Story();
    story.agent("ann");
    story.submit({ id: "a" });
    const checkpoint = { type: "attempt.checkpoint", ...story.from("a"), state: 1 } as const;
    const envelopes = Array.from({ length: limits.commandMemory }, (_, i) => ({ id: `c${i}`, command: checkpoint }));
    for (let i = 0; i < envelopes.length; i += 10_000) story.send(...envelopes.slice(i, i + 10_000));
    expect(story.send({ id: "c0", command: checkpoint }).events).toEqual([]);
    expect(story.send({ id: "last", command: checkpoint }).events).toHaveLength(1);
    expect(story.send({ id: "c1", command: checkpoint }).events).toEqual([]);
    expect(story.send({ id: "c0", command: checkpoint }).events).toHaveLength(1);
  });

  test("of ballots that are closed the oldest leaves; one that is open stays", () => {
    const story = new Story();
    story.agent("ann", { votes: true });
    const open = { type: "ballot.open", question: "?", options: ["a"] } as const;
    story.do(open);
    const opened = Array.from({ length: limits.keptBallots - 1 }, () => open);
    story.do(...opened);
    const vote = (number: number) =>
      ({ type: "ballot.cast", ballotId: `b${number}`, voter: "ann", vote: "a" }) as const;
    story.do(...opened.map((_, i) => vote(i + 2)));
    story.do(open, vote(limits.keptBallots + 1));
    expect(story.kernel.ballot("b2")?.open).toBe(false);
    story.do(open, vote(limits.keptBallots + 2));
    expect(story.kernel.ballot("b1")?.open).toBe(true);
    expect(story.kernel.ballot("b2")).toBeUndefined();
    expect(story.kernel.ballot("b3")?.open).toBe(false);
  });
});

test("a ballot that is asked for again under the same command id is the one that there is", () => {
  const story = new Story();
  story.agent("ann", { votes: true });
  const envelope = { id: "c", command: { type: "ballot.open", question: "?", options: ["a"] } } as const;
  const { answers } = story.send(envelope);
  expect(answers).toEqual([{ ok: true, ids: ["b1"] }]);
  expect(story.send(envelope)).toEqual({ answers, events: [] });
});
