import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { evolve } from "./evolve.ts";
import { Kernel } from "./kernel.ts";
import { restoreState } from "./restore.ts";
import { snapshotRows } from "./snapshot.ts";
import { State } from "./state.ts";
import { Story } from "./story.fixture.ts";

/** A kernel that knows everything there is to know. */
function full(): Story {
  const settings = { concurrency: 4, agingMs: 60_000, protectAfterMs: 1_000 };
  const story = new Story(settings);
  story.crash(700, settings);
  story.agent("ann", { skills: { x: 0.5 }, capacity: 9, votes: true, description: "does", weight: 2 });
  story.agent("bob", { capacity: 9, votes: true, breaker: { failureThreshold: 1 } });
  story.manager("boss", ["ann"], { skills: ["lead"], minSuccess: 1, failFast: true });
  story.do({ type: "team.set", manager: "boss", team: ["bob"] });
  story.agent("ann", { skills: { x: 0.4 }, capacity: 9, votes: true, description: "does", weight: 2 });
  story.submit({ id: "again", agent: "ann", retry: { initialMs: 20_000, jitter: false } });
  story.fail("again");
  story.resource("disk", 3);
  story.resource("calls", 3, { per: 7 });
  story.do({ type: "ballot.open", question: "?", options: ["a", "b"] });
  story.do(
    { type: "ballot.cast", ballotId: "b1", voter: "ann", vote: "a" },
    { type: "ballot.cast", ballotId: "b1", voter: "bob" },
  );
  story.do({ type: "ballot.reveal", ballotId: "b1", truth: "b" });
  story.do({ type: "ballot.open", question: "?", options: ["a", "b"], deadlineMs: 9_000 });
  story.do({ type: "ballot.extend", ballotId: "b2", ms: 500 });
  story.do({ type: "ballot.cast", ballotId: "b2", voter: "bob" });
  story.submit({ id: "m", skills: ["lead"] });
  story.plan("m", { id: "s", context: { c: 1 } });
  story.do({ type: "task.submit", tasks: [{ id: "a", resources: { disk: 1 }, agent: "ann" }], key: "k" });
  story.send({
    id: "c1",
    command: { type: "task.submit", tasks: [{ id: "b", agent: "ann", priority: 1, resources: { calls: 2 } }] },
  });
  story.spawn("a", { id: "0" });
  story.do(
    { type: "message.send", ...story.from("a"), to: "bob", body: { hi: 1 } },
    { type: "message.send", ...story.from("a"), topic: "news", body: null },
    { type: "message.send", ...story.from("a"), topic: "news", body: [2] },
    { type: "message.read", ...story.from("b"), ids: ["m3"] },
    { type: "state.set", ...story.from("a"), key: "k", value: 1 },
    { type: "state.set", ...story.from("a"), key: "gone", value: 1 },
    { type: "state.delete", ...story.from("a"), key: "gone" },
  );
  story.ask("b", { disk: 1 }, { leaseMs: 60_000 });
  story.ask("b", { disk: 2 }, { wait: true, leaseMs: 500 });
  story.now += 3;
  story.do({ type: "attempt.checkpoint", ...story.from("a"), state: { at: 1 } });
  story.await("a", "a/0");
  story.fail("m/s", { message: "broken" });
  story.submit(
    { id: "bad", retry: { maxAttempts: 1 } },
    { id: "anyway", dependsOn: ["bad", "a"], onDependencyFailure: "run" },
  );
  story.fail("bad", { message: "worse" });
  story.do({ type: "task.retry", taskId: "bad" });
  story.submit({ id: "high", priority: 9, resources: { disk: 2 }, agent: "ann" });
  story.submit({ id: "held" }, { id: "late", deadlineMs: 50_000, timeoutMs: 7, skills: [{ skill: "x", level: 0.1 }] });
  story.do({ type: "task.pause", taskId: "held" }, { type: "task.cancel", taskId: "m" });
  return story;
}

function rows(kernel: Kernel): Json[] {
  return JSON.parse(JSON.stringify([...kernel.snapshot()]));
}

describe("a snapshot", () => {
  test("restored gives the same rows, through JSON", () => {
    const story = full();
    const before = rows(story.kernel);
    expect(rows(Kernel.restore(before))).toEqual(before);
    expect(new Set(before.map((row) => Reflect.get(Object(row), "row")))).toEqual(
      new Set([
        "meta",
        "agent",
        "resource",
        "finished",
        "task",
        "live",
        "claim",
        "ballot",
        "command",
        "key",
        "message",
        "reading",
        "entry",
        "talk",
      ]),
    );
  });

  test("restored is the state that replay gives, in every part", () => {
    const replayed = new State();
    for (const event of full().log) evolve(replayed, event, undefined);
    const restored = restoreState(JSON.parse(JSON.stringify([...snapshotRows(replayed)])));
    // What had ended before is looked at no more, whether it is linked or not.
    for (const state of [replayed, restored])
      for (const { dependsOn } of state.tasks.values())
        dependsOn.splice(0, dependsOn.length, ...dependsOn.filter((one) => state.tasks.get(one.id) === one));
    expect(restored).toEqual(replayed);
  });

  test("equals what replay gives", () => {
    const story = full();
    const replayed = new Kernel();
    for (const event of story.log) replayed.replay(JSON.parse(JSON.stringify(event)));
    expect(rows(replayed)).toEqual(rows(story.kernel));
  });

  test("goes on as the live kernel does: time passes, everything ends", () => {
    const story = full();
    const twin = Kernel.restore(rows(story.kernel));
    for (let i = 0; i < 60; i++) {
      story.now += 1_500;
      const { events } = twin.batch([{ command: { type: "tick" } }], story.now);
      expect(events).toEqual(story.do({ type: "tick" }));
    }
    expect(rows(twin)).toEqual(rows(story.kernel));
  });

  test("answers repeated commands and keys as before", () => {
    const story = full();
    story.kernel = Kernel.restore(rows(story.kernel));
    expect(story.send({ id: "c1", command: { type: "task.submit", tasks: [{ id: "b" }] } })).toMatchObject({
      answers: [{ ok: true, ids: ["b"] }],
      events: [],
    });
    expect(story.try({ type: "task.submit", tasks: [{ id: "a" }], key: "k" }).events).toEqual([]);
  });

  test("tells views as before", () => {
    const story = full();
    const twin = Kernel.restore(rows(story.kernel));
    for (const { id } of story.kernel.tasks()) {
      expect(twin.task(id)).toEqual(story.task(id));
      expect(twin.explain(id, story.now)).toEqual(story.why(id));
    }
    expect(twin.agents(story.now)).toEqual(story.kernel.agents(story.now));
    expect(twin.resources(story.now)).toEqual(story.kernel.resources(story.now));
    expect(twin.ballots()).toEqual(story.kernel.ballots());
    expect(twin.counts()).toEqual(story.kernel.counts());
  });

  test("without counters it is none", () => {
    expect(() => Kernel.restore([])).toThrow(RangeError);
  });
});
