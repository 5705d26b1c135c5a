import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

/** One slot, one agent with much room. */
function oneSlot(settings = {}): Story {
  const story = new Story({ concurrency: 1, ...settings });
  story.agent("ann", { capacity: 100 });
  return story;
}

/** Completes whatever runs until nothing does; the order of starts. */
function startsOf(story: Story): string[] {
  const order: string[] = [];
  while (story.running !== "") {
    const [id = ""] = story.running.split(" ");
    order.push(id);
    story.complete(id);
  }
  return order;
}

describe("the order", () => {
  test("the highest priority goes first, and among equals who was submitted first", () => {
    const story = oneSlot();
    story.submit({ id: "held", preemptible: false, priority: 9 });
    story.submit({ id: "a", priority: 5 }, { id: "b", priority: 7 }, { id: "c" }, { id: "d", priority: 7 });
    expect(startsOf(story)).toEqual(["held", "b", "d", "a", "c"]);
  });

  test("with aging, a step of priority is worth agingMs of waiting", () => {
    const story = oneSlot({ agingMs: 1_000 });
    story.submit({ id: "held", preemptible: false, priority: 9 });
    story.submit({ id: "old", priority: 1 });
    story.after(1_999);
    story.submit({ id: "almost", priority: 3 });
    story.after(1);
    story.submit({ id: "young", priority: 3 });
    story.after(1);
    story.submit({ id: "younger", priority: 3 });
    expect(startsOf(story)).toEqual(["held", "almost", "old", "young", "younger"]);
  });

  test("agingMs 0 is the order of arrival", () => {
    const story = oneSlot({ agingMs: 0 });
    story.submit({ id: "held", preemptible: false });
    story.submit({ id: "a", priority: 1 });
    story.submit({ id: "b", priority: 9 });
    expect(startsOf(story)).toEqual(["held", "a", "b"]);
  });

  test("arrival is when it was submitted: a retry and a preemption keep it", () => {
    const story = oneSlot();
    story.submit({ id: "a", retry: { initialMs: 0 } });
    story.submit({ id: "b" });
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a starts on ann"]);
    story.submit({ id: "urgent", priority: 9 });
    story.fail("a");
    expect(story.running).toBe("urgent");
    expect(told(story.complete("urgent"))).toEqual(["urgent completed", "a starts on ann"]);
  });

  test("with aging too: one that is tried again late keeps what it has waited", () => {
    const story = oneSlot({ agingMs: 1_000 });
    story.submit({ id: "old", retry: { initialMs: 5_000, jitter: false } });
    story.after(1_000);
    story.fail("old");
    story.submit({ id: "held", preemptible: false });
    story.after(3_000);
    story.submit({ id: "young", priority: 6 });
    story.after(3_000);
    expect(startsOf(story)).toEqual(["held", "old", "young"]);
  });

  test("a change of priority moves a waiting task, with its old arrival", () => {
    const story = oneSlot();
    story.submit({ id: "held", preemptible: false, priority: 9 });
    story.submit({ id: "a" }, { id: "b" }, { id: "c", priority: 6 });
    story.do({ type: "task.prioritize", taskId: "b", priority: 6 });
    expect(startsOf(story)).toEqual(["held", "b", "c", "a"]);
  });

  test("classes do not matter to the order: tasks that ask for different things are one queue", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { skills: ["x", "y"], capacity: 9 });
    story.resource("disk", 9);
    story.submit({ id: "held", preemptible: false });
    story.submit({ id: "a", skills: ["x"] }, { id: "b", skills: ["y"] }, { id: "c" });
    story.submit(
      { id: "d", resources: { disk: 1 }, priority: 6 },
      { id: "e", skills: ["x"] },
      { id: "f", agent: "ann" },
    );
    expect(startsOf(story)).toEqual(["held", "d", "a", "b", "c", "e", "f"]);
  });

  test("what is submitted together is weighed together: the first of a batch does not take the slot of its better", () => {
    const story = oneSlot();
    const events = story.do(
      { type: "task.submit", tasks: [{ id: "a", priority: 1 }] },
      { type: "task.submit", tasks: [{ id: "b", priority: 9 }] },
    );
    expect(told(events)).toEqual(["b starts on ann"]);
  });

  test("what ends together is weighed together: who needs both gets both", () => {
    const story = new Story({ concurrency: 3, protectAfterMs: Number.POSITIVE_INFINITY });
    story.agent("ann", { capacity: 2 });
    story.submit({ id: "a", preemptible: false }, { id: "b", preemptible: false });
    story.submit({ id: "big", load: 2, priority: 6 }, { id: "small" });
    expect(told(story.do(story.completion("a"), story.completion("b")))).toEqual([
      "a completed",
      "b completed",
      "big starts on ann",
    ]);
  });

  test("generated ids count on and skip those taken", () => {
    const story = oneSlot();
    story.submit({ id: "t2" });
    const { answers } = story.try({ type: "task.submit", tasks: [{}, {}, { id: "own" }, {}] });
    expect(answers).toEqual([{ ok: true, ids: ["t3", "t4", "own", "t5"] }]);
    expect(story.try({ type: "task.submit", tasks: [{ id: "t7" }, {}, {}] }).answers).toEqual([
      { ok: true, ids: ["t7", "t6", "t8"] },
    ]);
  });

  test("amounts are exact: ten tenths fill a capacity of one, and nothing is left over", () => {
    const story = new Story({ concurrency: 20 });
    story.agent("ann", { capacity: 1 });
    story.resource("disk", 1);
    const ids = Array.from({ length: 11 }, (_, i) => `a${i}`);
    story.submit(...ids.map((id) => ({ id, load: 0.1, resources: { disk: 0.1 } })));
    expect(story.running.split(" ")).toHaveLength(10);
    for (const id of ids.slice(0, 10)) story.complete(id);
    story.complete("a10");
    expect(story.kernel.agents(story.now)[0]).toMatchObject({ load: 0, utilization: 0 });
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 0, available: 1 });
  });
});

describe("who gets it", () => {
  test("the least utilized with room, then the earliest registered", () => {
    const story = new Story({ concurrency: 20 });
    story.agent("ann", { capacity: 2 });
    story.agent("bob", { capacity: 4 });
    const events = ["a", "b", "c", "d", "e", "f", "g"].flatMap((id) => told(story.submit({ id })));
    expect(events).toEqual([
      "a starts on ann",
      "b starts on bob",
      "c starts on bob",
      "d starts on ann",
      "e starts on bob",
      "f starts on bob",
    ]);
    expect(story.reasons("g")).toBe("room");
  });

  test("only who has every skill, at the level that is asked for; names are compared exactly", () => {
    const story = new Story();
    story.agent("ann", { skills: { js: 0.5, md: 1 } });
    story.agent("bob", { skills: ["JS", "md"] });
    story.agent("cy", { skills: { js: 0.8 } });
    expect(told(story.submit({ id: "a", skills: [{ skill: "js", level: 0.6 }] }))).toEqual(["a starts on cy"]);
    expect(told(story.submit({ id: "b", skills: ["js", "md"] }))).toEqual(["b starts on ann"]);
    expect(told(story.submit({ id: "c", skills: ["js", { skill: "md", level: 0.1 }] }))).toEqual([]);
    expect(story.reasons("c")).toBe("room");
  });

  test("a load above any room waits although others fit, and a drained agent gets nothing", () => {
    const story = new Story();
    story.agent("ann", { capacity: 2 });
    story.agent("idle", { capacity: 0 });
    story.submit({ id: "a" }, { id: "big", load: 2, priority: 4 }, { id: "b", priority: 3 });
    expect(story.running).toBe("a b");
    expect(story.reasons("big")).toContain("room");
  });
});
