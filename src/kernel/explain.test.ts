import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

function open(): Story {
  const story = new Story({ concurrency: 2, protectAfterMs: 1_000 });
  story.agent("ann", { capacity: 9 });
  story.resource("disk", 2);
  return story;
}

describe("why", () => {
  test("what runs says where, as which attempt, and that it was told to stop", () => {
    const story = open();
    story.submit({ id: "a" });
    expect(story.why("a")).toMatchObject({
      verdict: "running",
      agent: "ann",
      reasons: [],
      text: "runs on ann as attempt 1",
    });
    story.do({ type: "task.pause", taskId: "a" });
    expect(story.why("a").text).toContain("told to stop (paused)");
  });

  test("all that a task lacks is named together, with how much is needed, how much is there, and who has it", () => {
    const story = open();
    story.submit({ id: "a", preemptible: false, resources: { disk: 2 } }, { id: "b", preemptible: false });
    story.submit({ id: "c", load: 8, resources: { disk: 1 } });
    expect(story.why("c").reasons).toMatchObject([
      { code: "concurrency", need: 1, have: 0 },
      { code: "resource", need: { resource: "disk", amount: 1 }, have: { resource: "disk", amount: 0 }, who: ["a"] },
      { code: "room", need: 8, have: 7, who: ["ann"] },
    ]);
  });

  test("dependencies, subtasks and awaited tasks are named", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    expect(story.why("b").reasons).toMatchObject([{ code: "dependencies", who: ["a"] }]);
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    expect(story.why("a").reasons).toMatchObject([{ code: "dependencies", who: ["a/0"] }]);
  });

  test("a promise names those that make way", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    expect(story.why("high")).toMatchObject({
      verdict: "waiting",
      text: expect.stringMatching(/^waits until low made way/),
    });
  });

  test("asking changes nothing: neither the state, nor what is decided next", () => {
    const tell = (ask: boolean): string[] => {
      const story = new Story({ concurrency: 9 });
      story.agent("ann", { skills: ["x"], capacity: 2 });
      story.agent("bob", { skills: ["y"], capacity: 9 });
      story.resource("disk", 3);
      story.submit({ id: "low", skills: ["x"], priority: 1 }, { id: "other", agent: "ann" });
      story.submit({ id: "high", skills: ["x"], priority: 9, load: 2 });
      story.complete("other");
      if (ask) for (const { id } of story.kernel.tasks()) story.why(id);
      const events = told(story.submit({ id: "sneak", skills: ["x"], priority: 2 }));
      if (ask) for (const { id } of story.kernel.tasks()) story.why(id);
      return [...events, ...told(story.fail("low"))];
    };
    expect(tell(true)).toEqual(tell(false));
    expect(tell(true)).toEqual(["low attempt preempted", "high starts on ann"]);
  });

  test("what ended says how; what was never tried for want of anybody is refused", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", retry: { maxAttempts: 1 } });
    story.complete("a");
    story.fail("b", { message: "broken" });
    expect(story.why("a").text).toBe("completed by ann in attempt 1");
    expect(story.why("b")).toMatchObject({ verdict: "ended", text: "failed (TASK_FAILED): broken" });
  });

  test("an unknown task has no explanation", () => {
    expect(open().kernel.explain("x", 2_000_000)).toBeUndefined();
  });

  test("who waits on others and is held by a person says both; once it is ending nobody can let it go on", () => {
    const story = new Story({ concurrency: 2 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.agent("ann", { skills: ["x"], capacity: 9 });
    story.submit({ id: "m", skills: ["lead"] });
    story.plan("m", { id: "s", skills: ["x"] });
    story.do({ type: "task.pause", taskId: "m" });
    expect(story.reasons("m")).toBe("held dependencies");
    story.spawn("m/s", { id: "0", skills: ["x"] });
    story.await("m/s", "m/s/0");
    story.do({ type: "task.pause", taskId: "m/s" });
    expect(story.reasons("m/s")).toBe("held dependencies");
    story.do({ type: "task.cancel", taskId: "m" });
    expect(story.reasons("m")).toBe("dependencies");
  });

  test("the reservation is told of the one that has it, not of one that others make way for", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "low", resources: { disk: 3 } });
    story.submit({ id: "high", priority: 9, resources: { disk: 3 } });
    story.submit({ id: "next", priority: 5, resources: { disk: 3 } });
    expect(story.reasons("high")).toBe("resource");
    expect(story.reasons("next")).toBe("resource reserved");
  });

  test("while nobody has opened, that is why", () => {
    const story = open();
    story.submit({ id: "a" });
    story.do({ type: "coordinator.close" });
    expect(story.why("a")).toMatchObject({
      verdict: "waiting",
      reasons: [{ code: "offline", text: "no coordinator is open" }],
    });
  });

  test("one that waits for its seat is not told to wait for its other subtasks", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"] });
    story.agent("bob", { skills: ["y"], capacity: 9 });
    story.submit({ id: "a", skills: ["x"] });
    story.spawn("a", { id: "0", skills: ["y"] }, { id: "1", skills: ["y"] });
    story.await("a", "a/0");
    story.submit({ id: "other", skills: ["x"], preemptible: false });
    story.complete("a/0");
    expect(story.reasons("a")).toBe("room");
  });

  test("the reservation told of is the one by which was decided, even when nobody could make it any more", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.agent("bob", { capacity: 9, breaker: { failureThreshold: 1, resetMs: 1_000, halfOpenMax: 1 } });
    story.resource("disk", 2);
    story.submit({ id: "held", agent: "ann", preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "broken", agent: "bob", retry: { maxAttempts: 1 } });
    story.fail("broken");
    story.submit({ id: "reserved", agent: "bob", priority: 9, resources: { disk: 2 } });
    story.submit({ id: "probe", agent: "bob" });
    story.do(
      { type: "task.submit", tasks: [{ id: "small", agent: "ann", resources: { disk: 1 } }] },
      { type: "task.pause", taskId: "small" },
    );
    story.now += 1_000;
    expect(told(story.do({ type: "task.resume", taskId: "small" }))).toEqual(["bob half-open", "probe starts on bob"]);
    expect(story.why("small").reasons).toMatchObject([{ code: "reserved", who: ["reserved"] }]);
    expect(story.reasons("reserved")).toBe("resource breaker reserved");
  });
});

describe("what is told", () => {
  test("tasks by status, agent, parent and page", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b" }, { id: "c" });
    story.spawn("a", { id: "0" });
    const ids = (filter = {}): string[] => story.kernel.tasks(filter).map(({ id }) => id);
    expect(ids()).toEqual(["a", "b", "c", "a/0"]);
    expect(ids({ status: "pending" })).toEqual(["c", "a/0"]);
    expect(ids({ agent: "ann", limit: 1 })).toEqual(["a"]);
    expect(ids({ parentId: "a" })).toEqual(["a/0"]);
    expect(ids({ after: "b", limit: 1 })).toEqual(["c"]);
    expect(story.kernel.counts()).toMatchObject({ running: 2, pending: 2 });
  });

  test("idle is when nothing runs and no timer can start anything", () => {
    const story = open();
    expect(story.kernel.idle()).toBe(true);
    story.submit({ id: "a", retry: { initialMs: 100, jitter: false } });
    expect(story.kernel.idle()).toBe(false);
    story.fail("a");
    expect(story.kernel.idle()).toBe(false);
    story.after(100);
    story.do({ type: "task.pause", taskId: "a" });
    story.fail("a");
    expect(story.kernel.idle()).toBe(true);
  });

  test("idle does not wait for a breaker that nobody needs any more", () => {
    const story = new Story();
    story.agent("ann", { breaker: { failureThreshold: 1 } });
    story.submit({ id: "a", retry: { maxAttempts: 1 } });
    story.fail("a");
    expect(story.kernel.nextWakeAt()).toBeGreaterThan(story.now);
    expect(story.kernel.idle()).toBe(true);
  });
});
