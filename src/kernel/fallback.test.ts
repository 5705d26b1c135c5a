import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../errors.ts";
import type { TaskRequest } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

const once = { retry: { maxAttempts: 1 } } as const;

function world(settings = {}): Story {
  const story = new Story({ concurrency: 9, unroutableMs: 5_000, ...settings });
  story.agent("ann", { capacity: 9, skills: ["x"] });
  story.agent("bob", { capacity: 9, skills: ["y"] });
  return story;
}

/** `a`, for those who can do x. */
function submitted(fallback: TaskRequest["fallback"], more: Partial<TaskRequest> = {}, story: Story = world()): Story {
  story.submit({ id: "a", skills: ["x"], ...once, ...more, ...(fallback === undefined ? {} : { fallback }) });
  return story;
}

describe("when its attempts are spent", () => {
  test("another agent does it, in a series of its own", () => {
    const story = submitted({ agent: "bob" }, { retry: { maxAttempts: 2, initialMs: 0 } });
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a starts on ann"]);
    expect(told(story.fail("a"))).toEqual([
      "a attempt failed",
      "a falls back on others: TASK_FAILED",
      "a starts on bob",
    ]);
    expect(story.why("a").text).toBe("runs on bob as attempt 3, as its fallback");
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a starts on bob"]);
    expect(told(story.complete("a", 7))).toEqual(["a completed via fallback"]);
    expect(story.task("a")).toMatchObject({ status: "completed", output: 7, via: "fallback", agent: "bob" });
    expect(story.why("a").text).toBe("completed by bob, its fallback, in attempt 4");
  });

  test("whoever has other skills does it", () => {
    const story = submitted({ skills: ["y"] });
    expect(told(story.fail("a")).slice(1)).toEqual(["a falls back on others: TASK_FAILED", "a starts on bob"]);
  });

  test("who failed it is avoided by the fallback, too, while others can do it", () => {
    const story = world();
    story.agent("cy", { capacity: 9, skills: ["x", "y"] });
    submitted({ skills: ["y"] }, { agent: "cy" }, story);
    expect(told(story.fail("a")).at(-1)).toBe("a starts on bob");
  });

  test("a value is its output", () => {
    const story = submitted({ value: { rough: true } });
    expect(told(story.fail("a"))).toEqual([
      "a attempt failed",
      "a falls back on a value: TASK_FAILED",
      "a completed via fallback",
    ]);
    expect(story.task("a")).toMatchObject({ status: "completed", output: { rough: true }, via: "fallback" });
    expect(story.why("a").text).toBe("completed with the value of its fallback, after 1 attempt");
  });

  test("first others, then the value; what waits for it goes on", () => {
    const story = submitted({ agent: "bob", value: null });
    story.submit({ id: "after", dependsOn: ["a"] });
    story.fail("a");
    expect(told(story.fail("a"))).toEqual([
      "a attempt failed",
      "a falls back on a value: TASK_FAILED",
      "a completed via fallback",
      "after starts on ann",
    ]);
  });

  test("others that fail as well make it fail, with the last error", () => {
    const story = submitted({ agent: "bob" });
    story.fail("a");
    expect(told(story.fail("a", { message: "neither" }))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
    expect(story.task("a").error?.message).toBe("neither");
  });

  test("its last attempt's time counts as spent, and abandoned code as ended", () => {
    const story = submitted({ value: 0 }, { timeoutMs: 100, graceMs: 10 });
    story.after(100);
    expect(told(story.after(10))).toEqual([
      "a attempt abandoned",
      "a falls back on a value: TIMEOUT",
      "a completed via fallback",
    ]);
  });

  test("neither the checkpoint nor the resources go astray: those begin anew, these are held again", () => {
    const story = world();
    story.resource("disk", 1);
    submitted({ agent: "bob" }, { resources: { disk: 1 } }, story);
    story.do({ type: "attempt.checkpoint", ...story.from("a"), state: { half: true } });
    story.fail("a");
    expect(story.task("a").checkpoint).toBeUndefined();
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 1, holders: [{ holder: "a" }] });
  });

  test("paused meanwhile, it waits for its resumption", () => {
    const story = submitted({ agent: "bob" }, { graceMs: 100, timeoutMs: 50 });
    story.after(50);
    story.do({ type: "task.pause", taskId: "a" });
    expect(told(story.fail("a"))).toEqual(["a attempt timeout", "a falls back on others: TIMEOUT"]);
    expect(story.status("a")).toBe("paused");
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a starts on bob"]);
  });

  test("a person's retry begins again with those whom it was meant for", () => {
    const story = submitted({ agent: "bob" });
    story.fail("a");
    story.fail("a");
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a starts on ann"]);
    expect(told(story.fail("a")).at(-1)).toBe("a starts on bob");
  });
});

describe("what it falls back on", () => {
  test.each<[ErrorCode, string]>([
    ["TASK_FAILED", "a falls back on others: TASK_FAILED"],
    ["INVALID_ARGUMENT", "a falls back on others: TASK_FAILED"],
    ["BUDGET_EXCEEDED", "a falls back on a value: TASK_FAILED"],
    ["GUARDRAIL_BLOCKED", "a failed: TASK_FAILED"],
  ])("after %s", (code, what) => {
    const story = submitted({ agent: "bob", value: 0 });
    expect(told(story.fail("a", { code }))[1]).toBe(what);
  });

  test("when it has killed its process three times, the value alone", () => {
    const story = submitted({ agent: "bob", value: 0 }, { retry: { maxAttempts: 99, initialMs: 0 } });
    for (let i = 0; i < limits.losses; i++) {
      if (i > 0) story.agent("ann", { skills: ["x"] });
      const events = told(story.crash(10));
      if (i === limits.losses - 1) expect(events).toContain("a falls back on a value: TASK_FAILED");
    }
    expect(story.task("a")).toMatchObject({ status: "completed", output: 0 });
  });

  test("when it asks for more than there is any more, the value alone", () => {
    const story = world();
    story.resource("disk", 2);
    story.submit({ id: "busy", resources: { disk: 2 }, preemptible: false });
    submitted({ agent: "bob", value: 0 }, { resources: { disk: 2 } }, story);
    expect(told(story.resource("disk", 1))).toEqual([
      "a falls back on a value: CAPACITY_EXCEEDED",
      "a completed via fallback",
    ]);
  });

  test("nothing when it is cancelled, skipped, or too late", () => {
    const story = submitted({ value: 0 }, { deadlineMs: 100 });
    story.submit({ id: "b", ...once }, { id: "c", dependsOn: ["b"], fallback: { value: 0 } });
    story.submit({ id: "d", fallback: { value: 0 } });
    story.fail("b");
    story.do({ type: "task.cancel", taskId: "d" });
    story.fail("d");
    story.after(100);
    story.fail("a");
    expect(story.status("a", "c", "d")).toBe("failed skipped cancelled");
  });

  test("others only as long as its deadline has not passed", () => {
    const story = submitted({ agent: "bob", value: 0 }, { deadlineMs: 100, graceMs: 1_000 });
    story.submit({ id: "b", skills: ["x"], ...once, deadlineMs: 100, fallback: { agent: "bob" } });
    const failure = story.failure("b");
    story.now += 100;
    expect(told(story.do(failure))).toContain("b failed: TASK_FAILED");
  });
});

/** Why it fell back, in words. */
function whyOther({ log }: Story, id: string): string | undefined {
  const fall = log.find((event) => event.type === "task.fell-back" && event.taskId === id);
  return fall?.type === "task.fell-back" ? fall.error.message : undefined;
}

describe("when nobody is to be had", () => {
  test("because nobody registered can do it: after unroutableMs", () => {
    const story = submitted({ agent: "bob" }, { skills: ["z"] });
    expect(told(story.after(4_999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a falls back on others: NO_QUALIFIED_AGENT", "a starts on bob"]);
  });

  test("because nobody who can do it is online: after unroutableMs, where without a fallback it waits on", () => {
    const story = world();
    story.do({ type: "agent.unregister", agent: "ann" });
    submitted({ value: 0 }, {}, story);
    story.submit({ id: "waits", skills: ["x"] });
    expect(told(story.after(4_999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a falls back on a value: NO_QUALIFIED_AGENT", "a completed via fallback"]);
    expect(whyOther(story, "a")).toBe("nobody who can do it is online, and none came within 5000 ms");
    expect(told(story.after(60_000))).toEqual([]);
    expect(story.reasons("waits")).toBe("offline");
  });

  test("not when somebody comes in time", () => {
    const story = world();
    story.do({ type: "agent.unregister", agent: "ann" });
    submitted({ value: 0 }, {}, story);
    story.after(4_000);
    expect(told(story.agent("ann", { skills: ["x"] }))).toEqual(["a starts on ann"]);
    expect(told(story.after(5_000))).toEqual([]);
  });

  test("because no breaker lets it through: at once, also one that waited before", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"], breaker: { failureThreshold: 1, resetMs: 1_000 } });
    story.agent("bob", { skills: ["y"] });
    story.submit({ id: "first", skills: ["x"], ...once });
    submitted({ agent: "bob" }, {}, story);
    story.submit({ id: "plain", skills: ["x"] });
    expect(told(story.fail("first"))).toEqual([
      "first attempt failed",
      "ann open",
      "first failed: TASK_FAILED",
      "a falls back on others: NO_QUALIFIED_AGENT",
      "a starts on bob",
    ]);
    expect(whyOther(story, "a")).toBe("no breaker of those who can do it lets it through");
    expect(story.task("a").attempts).toHaveLength(1);
    expect(told(story.submit({ id: "b", skills: ["x"], fallback: { value: 0 } }))).toEqual([
      "b falls back on a value: NO_QUALIFIED_AGENT",
      "b completed via fallback",
    ]);
    // The probe goes to who has nothing else; while it is out nobody else gets through either.
    expect(told(story.after(1_000))).toEqual(["ann half-open", "plain starts on ann"]);
    expect(told(story.submit({ id: "c", skills: ["x"], fallback: { value: 0 } }))[0]).toMatch(/^c falls back/);
    story.complete("plain");
    expect(told(story.submit({ id: "d", skills: ["x"], fallback: { value: 0 } }))).toEqual(["d starts on ann"]);
  });

  test("also when that is so at the very instant at which it would have had the tokens that it lacks", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"], capacity: 2, breaker: { failureThreshold: 1 } });
    story.resource("calls", 1, { per: 1_000 });
    story.submit({ id: "first", skills: ["x"], resources: { calls: 1 }, ...once });
    submitted({ value: 0 }, { resources: { calls: 1 } }, story);
    const failure = story.failure("first");
    story.now += 1_000;
    expect(told(story.do(failure))).toEqual([
      "first attempt failed",
      "ann open",
      "first failed: TASK_FAILED",
      "a falls back on a value: NO_QUALIFIED_AGENT",
      "a completed via fallback",
    ]);
  });

  test("for whom others were to make way: that is for nobody then, and it looks for another way at once", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"], capacity: 2, breaker: { failureThreshold: 1 } });
    story.agent("bob", { skills: ["y"] });
    story.submit(
      { id: "low", skills: ["x"], priority: 1 },
      { id: "first", skills: ["x"], preemptible: false, ...once },
    );
    submitted({ agent: "bob" }, { priority: 9 }, story);
    expect(story.task("low").status).toBe("running");
    expect(story.why("a").text).toContain("waits for low to make way on ann");
    expect(told(story.fail("first"))).toEqual([
      "first attempt failed",
      "ann open",
      "first failed: TASK_FAILED",
      "a falls back on others: NO_QUALIFIED_AGENT",
      "a starts on bob",
    ]);
    expect(told(story.fail("low"))).toEqual(["low attempt preempted"]);
  });

  test("not because everybody is busy", () => {
    const story = world();
    story.submit({ id: "busy", skills: ["x"], load: 9 });
    submitted({ value: 0 }, {}, story);
    expect(told(story.after(60_000))).toEqual([]);
    expect(story.reasons("a")).toBe("room reserved");
  });

  test("of the fallback's agents either: the value", () => {
    const story = world();
    story.do({ type: "agent.unregister", agent: "bob" });
    submitted({ agent: "bob", value: 0 }, {}, story);
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a falls back on others: TASK_FAILED"]);
    expect(told(story.after(5_000))).toEqual([
      "a falls back on a value: NO_QUALIFIED_AGENT",
      "a completed via fallback",
    ]);
  });
});

describe("a manager's task", () => {
  function managed(fallback: TaskRequest["fallback"]): Story {
    const story = world();
    story.manager("boss", ["ann", "bob"], { skills: ["lead"] });
    story.manager("deputy", ["bob"], { skills: ["lead"] });
    story.submit({ id: "a", agent: "boss", ...once, ...(fallback === undefined ? {} : { fallback }) });
    story.plan("a", { id: "one", agent: "ann", ...once }, { id: "two", agent: "bob", ...once });
    return story;
  }

  test("whose subtasks fall short falls back when all of them have ended", () => {
    const story = managed({ value: "rough" });
    story.fail("a/one");
    expect(told(story.complete("a/two"))).toEqual([
      "a/two completed",
      "a falls back on a value: TASK_FAILED",
      "a completed via fallback",
    ]);
    expect(story.why("a").text).toBe("completed with the value of its fallback, after 1 attempt");
    expect(story.task("a")).not.toHaveProperty("agent");
  });

  test("that a person has tried again answers for none of the subtasks of before its fallback", () => {
    const story = managed({ agent: "ann" });
    story.fail("a/one");
    story.complete("a/two");
    expect(told(story.fail("a")).at(-1)).toBe("a failed: TASK_FAILED");
    story.do({ type: "task.retry", taskId: "a" });
    story.plan("a", { id: "three", agent: "ann", ...once });
    story.complete("a/three");
    expect(story.task("a")).toMatchObject({ status: "running" });
    story.kernel = Kernel.restore([...story.kernel.snapshot()]);
    expect(told(story.fail("a")).at(-1)).toBe("a starts on ann");
    story.fail("a");
    story.do({ type: "task.retry", taskId: "a" });
    story.plan("a", { id: "four", agent: "ann", ...once });
    story.complete("a/four");
    expect(told(story.complete("a"))).toEqual(["a completed"]);
  });

  test("is judged once when several of its subtasks end together", () => {
    const story = managed({ agent: "deputy" });
    story.submit({ id: "b", agent: "boss", ...once, fallback: { agent: "deputy" } });
    story.plan("b", { id: "one", agent: "ann", ...once }, { id: "after", dependsOn: ["one"] });
    expect(told(story.fail("b/one"))).toEqual([
      "b/one attempt failed",
      "b/one failed: TASK_FAILED",
      "b/after skipped for b/one",
      "b falls back on others: TASK_FAILED",
      "b plans on deputy",
    ]);
  });

  test("is planned anew by another manager, who answers for its own subtasks only", () => {
    const story = managed({ agent: "deputy" });
    story.fail("a/one");
    expect(told(story.complete("a/two")).slice(1)).toEqual([
      "a falls back on others: TASK_FAILED",
      "a plans on deputy",
    ]);
    expect(story.task("a")).toMatchObject({ fallback: true, othersPlans: { round: 1, planned: 2 } });
    expect(told(story.plan("a", { id: "three", ...once }))).toEqual(["a/three starts on bob"]);
    expect(told(story.complete("a/three"))).toEqual(["a/three completed", "a aggregates on deputy"]);
    story.complete("a", "done");
    expect(story.task("a")).toMatchObject({ via: "fallback", agent: "deputy", output: "done" });
  });

  test("may be planned with the names that the first has used: those subtasks are others, with a number behind", () => {
    const story = managed({ agent: "deputy" });
    story.fail("a/one");
    story.complete("a/two");
    const plan = [{ id: "one", ...once }, { id: "new" }, { id: "two", dependsOn: ["one", "new"] }];
    expect(told(story.plan("a", ...plan))).toEqual(["a/one~2 starts on bob", "a/new starts on bob"]);
    story.kernel = Kernel.restore([...story.kernel.snapshot()]);
    story.complete("a/new");
    expect(told(story.complete("a/one~2"))).toEqual(["a/one~2 completed", "a/two~2 starts on bob"]);
    expect(story.task("a/two~2").dependencies).toEqual([
      { id: "a/one~2", as: "one" },
      { id: "a/new", as: "new" },
    ]);
    story.complete("a/two~2");
    const again = { type: "attempt.plan", ...story.from("a"), tasks: [{ id: "one" }] } as const;
    expect(story.refusal(again)).toMatchObject({ code: "DUPLICATE_ID", details: { taskId: "a/one~2" } });
    expect(told(story.plan("a", { id: "more", dependsOn: ["two"] }))).toEqual(["a/more starts on bob"]);
    expect(story.task("a/more").dependencies).toEqual([{ id: "a/two~2", as: "two" }]);
    expect(story.task("a").children).toEqual(["a/one", "a/two", "a/one~2", "a/new", "a/two~2", "a/more"]);
  });

  test("is told the same names when the plan is asked for again under the same command id", () => {
    const story = managed({ agent: "deputy" });
    story.fail("a/one");
    story.complete("a/two");
    const command = { type: "attempt.plan", ...story.from("a"), tasks: [{ id: "one" }, {}, { id: "new" }] } as const;
    const answers = [{ ok: true, ids: ["a/one~2", "a/3", "a/new"] }];
    expect(story.send({ id: "c1", command }).answers).toEqual(answers);
    expect(story.send({ id: "c1", command }).answers).toEqual(answers);
  });

  test("may use the names of what the first has submitted beside its plan, too", () => {
    const story = world();
    story.manager("boss", ["ann", "bob"]);
    story.manager("deputy", ["bob"]);
    story.submit({ id: "a", agent: "boss", ...once, fallback: { agent: "deputy" } });
    story.spawn("a", { id: "side", agent: "ann" });
    story.complete("a/side");
    story.plan("a", { id: "one", agent: "ann", ...once });
    story.fail("a/one");
    story.plan("a", { id: "after", dependsOn: ["side"] }, { id: "side" });
    expect(story.task("a").children).toEqual(["a/one", "a/after", "a/side~2", "a/side"]);
    expect(story.task("a/after").dependencies).toEqual([{ id: "a/side~2", as: "side" }]);
  });

  test("says of a second failure how many of the second's subtasks did not succeed", () => {
    const story = managed({ agent: "deputy" });
    story.fail("a/one");
    story.complete("a/two");
    story.plan("a", { id: "three", ...once });
    story.fail("a/three");
    expect(story.task("a").error?.message).toBe("too few of its subtasks succeeded: 1 of 1 did not");
    expect(story.task("a").error?.details?.causes).toHaveLength(1);
  });

  test("that a person has tried again is aggregated again by the fallback's manager, also once it has left the present", () => {
    const story = managed({ agent: "deputy" });
    story.agent("cy", { skills: ["lead"] });
    story.fail("a/one");
    story.complete("a/two");
    story.plan("a", { id: "three", ...once });
    story.complete("a/three");
    expect(told(story.fail("a")).at(-1)).toBe("a failed: TASK_FAILED");
    story.kernel = Kernel.restore([...story.kernel.snapshot()]);
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a aggregates on deputy"]);
    expect(told(story.plan("a", { id: "four" }))).toEqual(["a/four starts on bob"]);
    expect(told(story.complete("a/four"))).toEqual(["a/four completed", "a aggregates on deputy"]);
    expect(told(story.complete("a"))).toEqual(["a completed via fallback"]);
  });

  test("does not count the first's subtasks, whatever becomes of them when a person has them tried again", () => {
    const story = managed({ agent: "deputy" });
    story.fail("a/one");
    story.complete("a/two");
    story.plan("a", { id: "three", ...once }, { id: "busy", agent: "bob" });
    story.do({ type: "task.retry", taskId: "a/one" });
    story.complete("a/one");
    story.fail("a/three");
    expect(told(story.complete("a/busy"))).toEqual(["a/busy completed", "a failed: TASK_FAILED"]);
  });

  test("that fails while subtasks of its code run falls back when they have stopped", () => {
    const story = submitted({ agent: "bob" });
    story.spawn("a", { id: "sub", agent: "bob" });
    expect(told(story.fail("a"))).toEqual([
      "a attempt failed",
      "a is ending",
      "a/sub is ending",
      "a/sub stops: cancelled",
    ]);
    const rows = [...story.kernel.snapshot()];
    expect([...Kernel.restore(rows).snapshot()]).toEqual(rows);
    expect(told(story.fail("a/sub"))).toEqual([
      "a/sub attempt cancelled",
      "a/sub cancelled",
      "a falls back on others: TASK_FAILED",
      "a starts on bob",
    ]);
  });
});

describe("what is known of it", () => {
  test("is the same after a restart, and after a snapshot", () => {
    const story = submitted({ agent: "bob", value: 1 });
    story.fail("a");
    const rows = [...story.kernel.snapshot()];
    story.kernel = Kernel.restore(rows);
    expect([...story.kernel.snapshot()]).toEqual(rows);
    expect(told(story.fail("a"))).toContain("a completed via fallback");
    const ended = Kernel.restore([...story.kernel.snapshot()]);
    expect(ended.task("a")).toMatchObject({ via: "fallback", output: 1 });
  });

  test("makes a task another one: the same id with another fallback is refused", () => {
    const story = submitted({ value: 1 });
    const again = { id: "a", skills: ["x"], ...once };
    expect(story.submit({ ...again, fallback: { value: 1 } })).toEqual([]);
    const refusal = story.refusal({ type: "task.submit", tasks: [{ ...again, fallback: { value: 2 } }] });
    expect(refusal.code).toBe("DUPLICATE_ID");
  });

  test("an agent that was never there, or is not on the team, is refused at once", () => {
    const story = world();
    story.manager("boss", ["ann"]);
    story.submit({ id: "m", agent: "boss" });
    const outside = { type: "task.submit", tasks: [{ fallback: { agent: "eve" } }] } as const;
    expect(story.refusal(outside).code).toBe("UNKNOWN_AGENT");
    const plan = { type: "attempt.plan", ...story.from("m"), tasks: [{ fallback: { agent: "bob" } }] } as const;
    expect(story.refusal(plan)).toMatchObject({ code: "INVALID_ARGUMENT", details: { agent: "bob" } });
  });
});
