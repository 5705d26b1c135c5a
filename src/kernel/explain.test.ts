import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

function open(): Story {
  const story = new Story({ concurrency: 2, protectAfterMs: 1_000 });
  story.agent("ann", { capacity: 9 });
  story.resource("disk", 2);
  return story;
}

describe("why", () => {
  test("what runs says where and as which attempt", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 0 } });
    story.fail("a");
    expect(story.why("a")).toEqual({
      taskId: "a",
      status: "running",
      verdict: "running",
      agent: "ann",
      reasons: [],
      text: "runs on ann as attempt 2",
      seq: story.kernel.seq,
    });
  });

  const stops: readonly (readonly [string, (story: Story) => unknown])[] = [
    ["(paused) within 5000 ms", (story) => story.do({ type: "task.pause", taskId: "a" })],
    ["(cancelled) within 5000 ms", (story) => story.do({ type: "task.cancel", taskId: "a" })],
    ["(timeout) within 5000 ms", (story) => story.after(700)],
    ["(deadline) within 5000 ms", (story) => story.after(600)],
    ["(preempted) for high within 5000 ms", (story) => story.submit({ id: "high", priority: 9 })],
  ];
  test.each(stops)("what was told to stop says why, for whom and for how long: %s", (how, stop) => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "a", ...(how.startsWith("(deadline)") ? { deadlineMs: 600 } : { timeoutMs: 700 }) });
    stop(story);
    expect(story.why("a")).toMatchObject({
      verdict: "running",
      text: `runs on ann as attempt 1 and was told to stop ${how}`,
      reasons: [],
    });
  });

  test("how long it still has is told as time goes by, until its grace is over", () => {
    const story = open();
    story.submit({ id: "a" });
    story.do({ type: "task.pause", taskId: "a" });
    expect(story.kernel.explain("a", story.now + 4_999)?.text).toContain("told to stop (paused) within 1 ms");
    expect(story.kernel.explain("a", story.now + 5_000)?.text).toContain("told to stop (paused) at once");
  });

  test("one that awaits others and was told to stop waits for nothing but its own end", () => {
    const story = open();
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.do({ type: "task.cancel", taskId: "a" });
    expect(story.why("a")).toMatchObject({
      verdict: "waiting",
      text: "waits: its own attempt was told to stop (cancelled) within 5000 ms and has not stopped yet",
      reasons: [{ code: "dependencies", need: 1, who: ["a"] }],
    });
  });

  test("what is to end says so, and what must end before it", () => {
    const story = open();
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.do({ type: "task.cancel", taskId: "a" });
    story.fail("a");
    expect(story.why("a")).toMatchObject({
      verdict: "waiting",
      text: "is to end as cancelled: its subtasks must end first: a/0 (running)",
    });
  });

  test("an attempt that runs and asked for more says what it waits for; so does one that awaits others", () => {
    const story = open();
    story.submit({ id: "held", resources: { disk: 2 }, preemptible: false }, { id: "a" });
    story.ask("a", { disk: 1 }, { wait: true });
    expect(story.why("a")).toMatchObject({
      verdict: "running",
      text: "runs on ann as attempt 1 and waits for more: 1 of disk is needed, 0 is free (held by held)",
      reasons: [{ code: "resource", who: ["held"] }],
    });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    expect(story.reasons("a")).toBe("dependencies resource");
    story.do({ type: "task.cancel", taskId: "a" });
    expect(story.why("a").reasons).toMatchObject([{ code: "dependencies", who: ["a"] }]);
  });

  test("all that a task lacks is named together: who could do it, then what is taken, then what is set aside", () => {
    const story = open();
    story.submit({ id: "a", preemptible: false, resources: { disk: 2 } }, { id: "b", preemptible: false });
    story.submit({ id: "c", load: 8, resources: { disk: 1 } });
    story.after(1_000);
    expect(story.why("c").reasons).toMatchObject([
      { code: "room", need: 8, have: 7, who: ["ann"] },
      { code: "concurrency", need: 1, have: 0, who: ["a", "b"] },
      { code: "resource", need: { resource: "disk", amount: 1 }, have: { resource: "disk", amount: 0 }, who: ["a"] },
      { code: "reserved", who: ["c"] },
    ]);
    const { text, reasons } = story.why("c");
    expect(text).toBe(`waits: ${reasons.map((reason) => reason.text).join("; ")}`);
  });

  test("a promise names those that make way, where, and what is not there yet", () => {
    const story = new Story({ concurrency: 2 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "low", priority: 1 }, { id: "lower", priority: 0 });
    story.submit({ id: "high", priority: 9, load: 8.5 });
    expect(story.why("high")).toMatchObject({
      verdict: "waiting",
      text: "waits for lower and low to make way on ann: room for 8.5 is needed; free is 7 of 9 on ann; all 2 slots are taken",
      reasons: [{ code: "room" }, { code: "concurrency" }],
    });
  });

  test("a promise for which all have made way is no more told of, though nobody keeps it", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    story.do({ type: "coordinator.drain" });
    story.fail("low");
    expect(story.why("high").text).toBe("waits: the coordinator drains: it starts nothing more");
  });

  test("what became able to start since the last admission waits for the next one", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a", retry: { initialMs: 1_000, jitter: false } });
    story.resource("calls", 1, { kind: "api_call", per: 1_000 });
    story.submit({ id: "b", resources: { calls: 1 } }, { id: "c", resources: { calls: 1 } });
    story.fail("a");
    for (const id of ["a", "c"])
      expect(story.kernel.explain(id, story.now + 1_000)).toMatchObject({
        verdict: "waiting",
        text: "waits for the next admission",
        reasons: [],
      });
    expect(told(story.after(1_000))).toEqual(["a starts on ann", "c starts on ann"]);
  });

  test("dependencies, subtasks and awaited tasks are named", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    expect(story.why("b").reasons).toMatchObject([{ code: "dependencies", who: ["a"] }]);
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    expect(story.why("a").reasons).toMatchObject([{ code: "dependencies", who: ["a/0"] }]);
  });

  test("one that awaits others and is told to stop waits for its own attempt, which has not stopped yet", () => {
    const story = open();
    story.submit({ id: "a", timeoutMs: 100, graceMs: 50 });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.after(100);
    expect(story.why("a")).toMatchObject({ verdict: "waiting", reasons: [{ code: "dependencies", who: ["a"] }] });
    expect(story.why("a").text).toContain("told to stop (timeout)");
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

  test("what ended says how", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", retry: { maxAttempts: 1 } }, { id: "after", dependsOn: ["b"] });
    story.complete("a");
    story.fail("b", { message: "broken" });
    story.submit({ id: "c", skills: ["none"] });
    story.do({ type: "task.cancel", taskId: "c", reason: "not needed" });
    const ends = ["a", "b", "after", "c"].map((id) => story.why(id));
    expect(ends.map(({ text }) => text)).toEqual([
      "completed by ann in attempt 1",
      "failed (TASK_FAILED): broken",
      "skipped (DEPENDENCY_FAILED): b, on which it depends, failed",
      "cancelled (CANCELLED): not needed",
    ]);
    expect(new Set(ends.map(({ verdict }) => verdict))).toEqual(new Set(["ended"]));
  });

  test("what ended within what goes on says how as well", () => {
    const story = open();
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.complete("a/0");
    expect(story.why("a/0")).toMatchObject({ verdict: "ended", text: "completed by ann in attempt 1" });
  });

  test("what was never tried, for want of anybody or of enough, was refused; what was tried before has ended", () => {
    const story = new Story({ concurrency: 9, unroutableMs: 1_000 });
    story.agent("ann", { skills: ["y"], capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "held", resources: { disk: 2 }, preemptible: false });
    story.submit({ id: "large", resources: { disk: 2 } }, { id: "odd", skills: ["x"] });
    story.submit({ id: "tried", skills: ["y"], retry: { initialMs: 0 } });
    story.agent("ann", { capacity: 9 });
    story.fail("tried");
    story.resource("disk", 1);
    story.after(1_000);
    expect(story.task("large").error?.details).toEqual({ resource: "disk", need: 2, capacity: 1 });
    expect(["large", "odd", "tried"].map((id) => story.why(id))).toMatchObject([
      {
        verdict: "refused",
        text: "failed (CAPACITY_EXCEEDED): it asks for 2 of disk, whose capacity is 1 now",
      },
      {
        verdict: "refused",
        text: "failed (NO_QUALIFIED_AGENT): no registered agent can do it (x), and none came within 1000 ms",
      },
      {
        verdict: "ended",
        text: "failed (NO_QUALIFIED_AGENT): no registered agent can do it (y), and none came within 1000 ms",
      },
    ]);
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
    expect(story.reasons("reserved")).toBe("breaker resource reserved");
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
    expect([ids({ parentId: "b" }), ids({ parentId: "nobody" })]).toEqual([[], []]);
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
