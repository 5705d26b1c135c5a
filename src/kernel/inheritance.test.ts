import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

describe("inheritance", () => {
  test("what a high task depends on is done before what is in between", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "held", preemptible: false, priority: 9 });
    story.submit({ id: "mid", priority: 5 }, { id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9, dependsOn: ["low"] });
    expect(story.task("low")).toMatchObject({ priority: 1, effectivePriority: 9 });
    expect(told(story.complete("held"))).toEqual(["held completed", "low starts on ann"]);
  });

  test("it is transitive, and recomputed when a waiter joins, leaves, ends or is given another priority", () => {
    const story = new Story({ concurrency: 1 });
    story.submit({ id: "a", priority: 1 }, { id: "b", priority: 2, dependsOn: ["a"] });
    expect(story.task("a").effectivePriority).toBe(2);
    story.submit({ id: "c", priority: 8, dependsOn: ["b"] });
    expect(story.task("a").effectivePriority).toBe(8);
    story.do({ type: "task.prioritize", taskId: "c", priority: 6 });
    expect(story.task("a").effectivePriority).toBe(6);
    story.do({ type: "task.cancel", taskId: "c" });
    expect(story.task("a").effectivePriority).toBe(2);
  });

  test("who waits for its place, for which others make way, and for more lends its priority to who holds that", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann");
    story.agent("bob", { skills: ["y"], capacity: 9 });
    story.resource("disk", 1);
    story.submit({ id: "holder", priority: 1, agent: "bob", preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "a", priority: 9, agent: "ann" });
    story.ask("a", { disk: 1 }, { wait: true });
    story.spawn("a", { id: "0", skills: ["y"] });
    story.await("a", "a/0");
    story.submit({ id: "other", agent: "ann" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "other stops: preempted for a"]);
    story.do({ type: "task.prioritize", taskId: "a", priority: 8 });
    expect(story.task("holder").effectivePriority).toBe(8);
    expect(story.reasons("a")).toBe("room resource");
  });

  test("what was seen to fail and is tried again inherits nothing from who no longer waits for it", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 2 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    story.plan(
      "m",
      { id: "bad", retry: { maxAttempts: 1 } },
      { id: "slow" },
      { id: "after", dependsOn: ["bad", "slow"], onDependencyFailure: "run" },
    );
    story.fail("m/bad");
    story.do({ type: "task.retry", taskId: "m/bad" });
    story.do({ type: "task.prioritize", taskId: "m/after", priority: 8 });
    expect([story.task("m/slow").effectivePriority, story.task("m/bad").effectivePriority]).toEqual([8, 5]);
    expect(story.why("m/after").reasons).toMatchObject([{ need: 2, have: 1, who: ["m/slow"] }]);
  });

  test("priority inversion through a held resource with awaited subtasks: the subtasks get done first", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 1);
    story.submit({ id: "low", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.spawn("low", { id: "0" });
    story.submit({ id: "mid", priority: 5, preemptible: false });
    story.await("low", "low/0");
    expect(story.running).toBe("mid");
    story.submit({ id: "mid2", priority: 5 });
    story.submit({ id: "high", priority: 9, resources: { disk: 1 } });
    expect(story.task("low").effectivePriority).toBe(9);
    expect(story.task("low/0").effectivePriority).toBe(9);
    expect(told(story.complete("mid"))).toEqual(["mid completed", "low/0 starts on ann"]);
    expect(told(story.complete("low/0"))).toEqual(["low/0 completed", "low regains its seat"]);
    expect(told(story.complete("low"))).toEqual(["low completed", "high starts on ann"]);
  });

  test("who waits for a resource that a non-preemptible task holds lends it its priority", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 1);
    story.submit({ id: "firm", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "high", priority: 9, resources: { disk: 1 } });
    expect(story.task("firm").effectivePriority).toBe(9);
    story.do({ type: "task.cancel", taskId: "high" });
    expect(story.task("firm").effectivePriority).toBe(1);
  });

  test("through a chain of resources: from who waits, over a firm holder that waits for more, to the awaited subtask", () => {
    const story = new Story({ concurrency: 3 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 1);
    story.resource("net", 1);
    story.submit({ id: "far", priority: 1, resources: { net: 1 } });
    story.spawn("far", { id: "0" });
    story.submit(
      { id: "x", preemptible: false },
      { id: "firm", priority: 2, preemptible: false, resources: { disk: 1 } },
    );
    story.await("far", "far/0");
    story.do({ type: "task.pause", taskId: "far/0" });
    story.fail("far/0");
    story.ask("firm", { net: 1 }, { wait: true });
    story.submit({ id: "high", priority: 9, resources: { disk: 1 } });
    expect(story.task("firm").effectivePriority).toBe(9);
    expect(story.task("far").effectivePriority).toBe(9);
    expect(story.task("far/0").effectivePriority).toBe(9);
  });

  test("who can be made to give up inherits nothing: it is displaced", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 1);
    story.submit({ id: "low", priority: 1, resources: { disk: 1 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 1 } }))).toEqual([
      "low stops: preempted for high",
    ]);
  });

  test("what merely names a held resource, and lacks something else, lends nothing", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "firm", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "high", priority: 9, resources: { disk: 1 } });
    expect(story.reasons("high")).toBe("concurrency");
    expect(story.task("firm").effectivePriority).toBe(1);
  });

  test("who no longer lacks it, or is held by a person, lends no more", () => {
    const story = new Story({ concurrency: 2 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "firm", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "other", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "high", priority: 9, resources: { disk: 1 } });
    expect(story.task("firm").effectivePriority).toBe(9);
    story.do({ type: "task.pause", taskId: "high" });
    expect(story.task("firm").effectivePriority).toBe(1);
    story.do({ type: "task.resume", taskId: "high" });
    expect(story.task("firm").effectivePriority).toBe(9);
    story.resource("disk", 3);
    expect([story.reasons("high"), story.task("firm").effectivePriority]).toEqual(["concurrency", 1]);
  });

  test("a holder is compared without what it inherits from the very waiter", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "parent", priority: 1, resources: { disk: 1 } });
    story.spawn("parent", { id: "0", resources: { disk: 2 } });
    story.await("parent", "parent/0");
    // Of the disk the awaited subtask holds 2 and its waiting parent 1: high waits for both, and lends to the one through the other.
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 2 } }))).toEqual([
      "parent/0 stops: preempted for high",
    ]);
  });

  test("a manager lends to its subtasks what others lend to it", () => {
    const story = new Story({ concurrency: 1 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.agent("ann", { skills: ["x"] });
    story.submit({ id: "m", skills: ["lead"], priority: 1 });
    story.plan("m", { id: "s", skills: ["x"] });
    story.do({ type: "task.pause", taskId: "m/s" });
    story.fail("m/s");
    story.submit({ id: "high", priority: 9, dependsOn: ["m"] });
    expect(story.task("m/s").effectivePriority).toBe(9);
  });

  test("it is the same after a restart", () => {
    const story = new Story({ concurrency: 1 });
    story.submit({ id: "a", priority: 1 }, { id: "b", priority: 7, dependsOn: ["a"] });
    story.crash(10);
    expect(story.task("a").effectivePriority).toBe(7);
  });

  test("what is promised to it it does not lack: a waiter lends nothing through it", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "low", priority: 1, resources: { disk: 1 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 2 } }))).toEqual([
      "low stops: preempted for high",
    ]);
    expect(story.task("low").effectivePriority).toBe(1);
  });

  test("a request is decided by what is lent now, not by what was lent before others ended", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "ends", priority: 7, resources: { disk: 2 }, retry: { maxAttempts: 1 } });
    story.submit({ id: "firm", preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "waits", priority: 6, resources: { disk: 2 } });
    expect(story.task("firm").effectivePriority).toBe(6);
    const { events, answers } = story.try(story.failure("ends"), {
      type: "attempt.request",
      ...story.from("firm"),
      amounts: { disk: 1 },
    });
    expect(answers[1]).toMatchObject({ ok: false, refusal: { code: "CAPACITY_EXCEEDED" } });
    expect(told(events)).toContain("waits starts on ann");
  });

  test("a subtask that is tried again has the priority of those who wait until its manager has ended", () => {
    const story = new Story({ concurrency: 9 });
    story.manager("boss", ["ann"], { skills: ["lead"], minSuccess: "any" });
    story.agent("ann", { skills: ["x"], capacity: 9 });
    story.submit({ id: "m", skills: ["lead"], retry: { maxAttempts: 1 } });
    story.plan("m", { id: "0", skills: ["x"], retry: { maxAttempts: 1 } }, { id: "1", skills: ["x"] });
    story.fail("m/0");
    story.complete("m/1");
    story.submit({ id: "high", priority: 9, dependsOn: ["m"] });
    story.do({ type: "task.retry", taskId: "m/0" });
    story.fail("m");
    expect(story.status("m")).toBe("waiting");
    expect(story.task("m/0").effectivePriority).toBe(9);
  });
});
