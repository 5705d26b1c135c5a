import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { Story, told } from "./story.fixture.ts";

const breaker = { failureThreshold: 2, resetMs: 1_000 };
const hasty = { retry: { maxAttempts: 99, initialMs: 0 } };

function world(settings = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { capacity: 9 });
  story.agent("bob", { capacity: 9 });
  story.resource("shaky", 3, { breaker });
  return story;
}

/** The breaker of `shaky` has opened on the failures of `a`, on two agents. */
function opened(settings = {}): Story {
  const story = world(settings);
  story.submit({ id: "a", resources: { shaky: 1 }, ...hasty });
  expect(told(story.fail("a"))).toEqual(["a attempt failed", "a starts on bob"]);
  expect(told(story.fail("a"))).toEqual(["a attempt failed", "shaky open"]);
  return story;
}

function statusOf(story: Story): string | undefined {
  return story.kernel.resources(story.now).find(({ id }) => id === "shaky")?.breaker;
}

describe("the breaker of a resource", () => {
  test("opens on failures of those that held it, whoever did them: nobody gets it, others go on", () => {
    const story = opened();
    expect(statusOf(story)).toBe("open");
    expect(story.reasons("a")).toBe("breaker");
    expect(told(story.submit({ id: "b", resources: { shaky: 1 } }, { id: "c" }))).toEqual(["c starts on ann"]);
    expect(told(story.after(999))).toEqual([]);
  });

  test("lets one probe through when it has rested, and is closed by its success", () => {
    const story = opened();
    story.submit({ id: "b", resources: { shaky: 1 } });
    expect(told(story.after(1_000))).toEqual(["shaky half-open", "a starts on ann"]);
    expect(statusOf(story)).toBe("half-open");
    expect(story.reasons("b")).toBe("breaker");
    expect(told(story.complete("a"))).toEqual(["a completed", "shaky closed", "b starts on ann"]);
    expect(statusOf(story)).toBe("closed");
  });

  test("a failed probe opens it again, from then on", () => {
    const story = opened();
    story.after(1_500);
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "shaky open"]);
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["shaky half-open", "a starts on bob"]);
  });

  test("a probe that is stopped gives its place back after resetMs", () => {
    const story = opened();
    story.submit({ id: "b", resources: { shaky: 1 } });
    story.after(1_000);
    story.do({ type: "task.cancel", taskId: "a" });
    story.fail("a");
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b starts on ann"]);
  });

  test("opens by ratio, over all calls of the window in whatever order", () => {
    const story = world();
    story.resource("shaky", 3, { breaker: { ratio: 0.5, minCalls: 4, windowMs: 1_000 } });
    const one = (id: string, how: "complete" | "fail"): string[] => {
      story.submit({ id, resources: { shaky: 1 }, retry: { maxAttempts: 1 } });
      return told(story[how](id));
    };
    expect(one("a", "fail")).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
    one("b", "fail");
    story.after(1_001);
    one("c", "fail");
    one("d", "complete");
    one("e", "complete");
    expect(statusOf(story)).toBe("closed");
    expect(one("f", "fail")).toEqual(["f attempt failed", "shaky open", "f failed: TASK_FAILED"]);
  });

  test("counts what was asked for in the course of an attempt and is still held, not what was given back", () => {
    const story = world();
    story.resource("shaky", 3, { breaker: { failureThreshold: 1 } });
    story.submit({ id: "a", ...hasty }, { id: "b", ...hasty });
    story.ask("a", { shaky: 1 });
    story.ask("b", { shaky: 1 });
    story.do({ type: "attempt.release", ...story.from("b"), allocationId: "a2", allocationToken: 4 });
    expect(told(story.fail("b"))).toEqual(["b attempt failed", "b starts on ann"]);
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "shaky open", "a starts on bob"]);
  });

  test("keeps an attempt waiting that asks for more, and counts that as a probe", () => {
    const story = opened();
    story.submit({ id: "b" }, { id: "c" });
    story.do({ type: "task.cancel", taskId: "a" });
    story.ask("b", { shaky: 1 }, { wait: true });
    story.ask("c", { shaky: 1 }, { wait: true });
    expect(story.reasons("b")).toBe("breaker");
    expect(told(story.after(1_000))).toEqual(["shaky half-open", "b gets 1 shaky"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "shaky closed", "c gets 1 shaky"]);
  });

  test("is no reason to stop anybody, and nothing is set aside for who waits for it", () => {
    const story = opened({ protectAfterMs: 0 });
    story.submit({ id: "low", priority: 1, load: 9, agent: "ann" });
    story.submit({ id: "high", priority: 9, load: 9, agent: "ann", resources: { shaky: 3 } });
    expect(story.status("low", "high")).toBe("running pending");
    expect(story.reasons("high")).toContain("breaker");
    expect(told(story.submit({ id: "later", agent: "bob" }))).toEqual(["later starts on bob"]);
  });

  test("guards a rate too", () => {
    const story = world();
    story.resource("calls", 9, { per: 1_000, breaker });
    story.submit({ id: "a", resources: { calls: 1 }, ...hasty });
    story.fail("a");
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "calls open"]);
    expect(told(story.after(1_000))).toEqual(["calls half-open", "a starts on ann"]);
  });

  test("does not count lost, stopped and cancelled attempts", () => {
    const story = world();
    story.resource("shaky", 3, { breaker: { failureThreshold: 1 } });
    story.submit({ id: "a", resources: { shaky: 1 } }, { id: "b", resources: { shaky: 1 } });
    story.do({ type: "task.pause", taskId: "b" });
    story.fail("b");
    story.crash(100);
    expect(statusOf(story)).toBe("closed");
  });

  test("time without a coordinator does not count", () => {
    const story = opened();
    story.after(500);
    story.agent("ann");
    story.crash(100_000);
    story.agent("ann");
    expect(told(story.after(499))).toEqual([]);
    expect(told(story.after(1))).toEqual(["shaky half-open", "a starts on ann"]);
  });

  test("stays as it is when the resource is set again with the same, or without one, and goes with null", () => {
    const story = opened();
    expect(story.resource("shaky", 3, { breaker: { ...breaker } })).toEqual([]);
    expect(story.resource("shaky", 3)).toEqual([]);
    expect(told(story.resource("shaky", 4, { breaker }))).toEqual([]);
    expect(story.resource("shaky", 2)).toMatchObject([{ type: "resource.set", capacity: 2, breaker }]);
    expect(statusOf(story)).toBe("open");
    expect(told(story.after(1_000))).toEqual(["shaky half-open", "a starts on ann"]);
    story.fail("a");
    expect(story.resource("shaky", 2, { breaker: null })[0]).not.toHaveProperty("breaker");
    expect(story.running).toBe("a");
    expect(statusOf(story)).toBeUndefined();
    expect(story.resource("shaky", 2, { breaker: null })).toEqual([]);
    story.resource("shaky", 3);
    expect(statusOf(story)).toBeUndefined();
  });

  test("stays open under another policy that counts alike, and begins anew under one that does not", () => {
    const story = opened();
    story.resource("shaky", 3, { breaker: { failureThreshold: 9, resetMs: 2_000 } });
    story.after(1_999);
    expect(statusOf(story)).toBe("open");
    story.resource("shaky", 3, { breaker: { ratio: 0.5, resetMs: 2_000 } });
    expect(statusOf(story)).toBe("closed");
  });

  test("is the same after a snapshot", () => {
    const story = opened();
    const rows = [...story.kernel.snapshot()];
    story.kernel = Kernel.restore(rows);
    expect([...story.kernel.snapshot()]).toEqual(rows);
    story.do({ type: "coordinator.open", concurrency: 9 });
    story.agent("ann");
    expect(statusOf(story)).toBe("open");
    expect(told(story.after(1_000))).toEqual(["shaky half-open", "a starts on ann"]);
  });
});

test("a plan is a success, to the breakers of the manager and of what it held", () => {
  const story = world();
  story.manager("boss", ["ann"], { skills: ["lead"], breaker: { failureThreshold: 2 } });
  const hurried = { skills: ["lead"], resources: { shaky: 1 }, ...hasty };
  story.submit({ id: "m", ...hurried });
  story.fail("m");
  story.plan("m", { id: "sub", agent: "ann" });
  story.complete("m/sub");
  expect(told(story.fail("m"))).toEqual(["m attempt failed", "m aggregates on boss"]);
  expect([statusOf(story), story.kernel.agents(story.now)[2]?.breaker]).toEqual(["closed", "closed"]);
});

test("a plan that was a probe closes the breaker, and says so", () => {
  const story = new Story();
  story.manager("boss", [], { breaker: { failureThreshold: 1, resetMs: 1_000 } });
  story.submit({ id: "m", ...hasty });
  story.fail("m");
  expect(told(story.after(1_000))).toEqual(["boss half-open", "m plans on boss"]);
  expect(told(story.plan("m"))).toEqual(["boss closed", "m aggregates on boss"]);
});

test("the breaker of an agent opens by ratio, too", () => {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9, breaker: { ratio: 0.6, minCalls: 5, windowMs: 10_000, resetMs: 1_000 } });
  for (const id of ["a", "b", "c", "d", "e"]) story.submit({ id, retry: { maxAttempts: 1 } });
  story.fail("a");
  story.complete("b");
  story.fail("c");
  story.complete("d");
  expect(told(story.fail("e"))).toEqual(["e attempt failed", "ann open", "e failed: TASK_FAILED"]);
  expect(story.kernel.agents(story.now)[0]?.breaker).toBe("open");
  story.submit({ id: "f" });
  expect(told(story.after(1_000))).toEqual(["ann half-open", "f starts on ann"]);
});
