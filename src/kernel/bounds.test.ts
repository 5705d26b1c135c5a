/** What is kept has a bound; beyond it the oldest is forgotten, and nothing else changes. */
import { describe, expect, test } from "vitest";
import type { Command, TaskRequest } from "./commands.ts";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

describe("beyond its bound", () => {
  test("the oldest closed ballot is forgotten, never an open one", () => {
    const story = new Story();
    story.agent("ann", { votes: true });
    story.agent("bob", { votes: true });
    const ask = { type: "ballot.open", question: "?", options: ["yes"], voters: ["ann"] } as const;
    story.do(ask);
    story.do({ ...ask, voters: ["ann", "bob"] });
    story.do(
      { type: "ballot.cast", ballotId: "b2", voter: "ann", vote: "yes" },
      { type: "ballot.cast", ballotId: "b2", voter: "bob" },
    );
    for (let i = 3; i <= limits.keptBallots + 2; i++) {
      story.do(ask, { type: "ballot.cast", ballotId: `b${i}`, voter: "ann", vote: "yes" });
    }
    expect(story.kernel.ballot("b1")?.open).toBe(true);
    expect(story.kernel.ballot("b2")).toBeUndefined();
    expect(story.kernel.ballot("b3")?.open).toBe(false);
    expect(story.kernel.ballots()).toHaveLength(limits.keptBallots + 1);
  });

  test("the oldest command is forgotten: sent again, it is decided anew", () => {
    const story = new Story();
    story.submit({ id: "a" });
    const envelope = (i: number) => ({
      id: `c${i}`,
      command: { type: "task.prioritize", taskId: "a", priority: i % 2 } as const,
    });
    const count = limits.commandMemory + 1;
    story.kernel.batch(
      Array.from({ length: count }, (_, i) => envelope(i)),
      story.now,
    );
    expect(story.send(envelope(1)).events).toEqual([]);
    story.do({ type: "task.prioritize", taskId: "a", priority: 7 });
    expect(story.send(envelope(1)).events).toEqual([]);
    expect(story.send(envelope(0)).events).toMatchObject([{ type: "task.prioritized", priority: 0 }]);
  });

  test("what nobody asks for any more is made anew when somebody does, with all that changed meanwhile", () => {
    const story = new Story();
    story.agent("ann", { skills: ["s1", "s5"], capacity: 3 });
    story.resource("disk", 1);
    // One class that is still asked for when another with the same pool is forgotten, and one that asked for no agent.
    story.submit({ id: "holds", skills: ["s5"], resources: { disk: 1 } }, { id: "asks" });
    story.submit({ id: "kept", skills: ["s5"], resources: { disk: 1 } });
    story.ask("asks", { disk: 1 }, { wait: true });
    story.complete("holds");
    const asks = (skill: string): TaskRequest => ({ id: `${skill}-${story.kernel.seq}`, skills: [skill] });
    const busy = asks("s1");
    story.submit({ ...busy, preemptible: false });
    const count = limits.idleClasses + limits.idlePools + 2;
    const waiting = Array.from({ length: count }, (_, i) => ({ id: `n${i}`, skills: [`s${i}`] }));
    story.submit(...waiting);
    const cancels = waiting.map(({ id }): Command => ({ type: "task.cancel", taskId: id }));
    story.do(...cancels);
    story.agent("bob", { skills: ["s0", "s1", `s${count - 1}`], capacity: 9 });
    for (const skill of ["s0", "s1", `s${count - 1}`]) {
      const task = asks(skill);
      expect(told(story.submit(task))).toEqual([`${task.id} starts on bob`]);
    }
    story.agent("cy", { skills: ["s3000"] });
    const last = asks("s3000");
    expect(told(story.submit(last))).toEqual([`${last.id} starts on cy`]);
  });

  test("of many that wait for tokens the first gets them when they are there", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("calls", 1, { kind: "api_call", per: 1_000 });
    const ids = Array.from({ length: limits.backfillDepth + 9 }, (_, i) => `n${i}`);
    story.submit(...ids.map((id) => ({ id, resources: { calls: 1 } })));
    expect(story.running).toBe("n0");
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["n1 starts on ann"]);
  });

  test("of many that wait for what is held firmly one among the first lends its priority", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "held", priority: 1, preemptible: false, resources: { disk: 1.5 } });
    const ids = Array.from({ length: limits.backfillDepth + 9 }, (_, i) => `n${i}`);
    story.submit(...ids.map((id) => ({ id, priority: 3, resources: { disk: 2 } })));
    expect(story.task("held").effectivePriority).toBe(3);
    story.do({ type: "task.prioritize", taskId: "n7", priority: 8 });
    expect(story.task("held").effectivePriority).toBe(8);
  });
});
