/** Tasks of one `cacheKey`: one runs, the others have its output. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskRequest } from "./commands.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Story, told, verdictOnOffer } from "./story.fixture.ts";

const page = { cacheKey: "page" } as const;

function open(settings = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { capacity: 9, skills: ["x", "y"] });
  story.agent("bob", { capacity: 9, skills: ["x"] });
  story.resource("disk", 2);
  return story;
}

/** The same log, replayed; and the same state, from its snapshot. */
function again(story: Story): readonly Kernel[] {
  const replayed = new Kernel();
  for (const event of JSON.parse(JSON.stringify(story.log)) as KernelEvent[]) replayed.replay(event);
  return [replayed, Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])))];
}

describe("while one is under way", () => {
  test("others of its key wait for its output, and have it when it completes", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    expect(told(story.submit({ id: "b", ...page }, { id: "c", ...page }))).toEqual(["b follows a", "c follows a"]);
    expect(story.status("a", "b", "c")).toBe("running waiting waiting");
    expect(told(story.complete("a", { words: 7 }))).toEqual(["a completed", "b completed by a", "c completed by a"]);
    expect(story.task("c")).toMatchObject({ status: "completed", output: { words: 7 }, via: "cache", attempts: [] });
    expect(story.task("a").via).toBe("agent");
    expect(story.why("b")).toMatchObject({
      verdict: "ended",
      text: "completed with the output of a, which has the same cacheKey",
    });
  });

  test("of those that a person lets go on together the first leads, in whatever order", () => {
    const story = open();
    story.submit({ id: "first" }, ...["a", "b"].map((id) => ({ id, ...page, dependsOn: ["first"] })));
    for (const taskId of ["a", "b"]) story.do({ type: "task.pause", taskId });
    story.complete("first");
    const resumed = story.do(...["b", "a"].map((taskId) => ({ type: "task.resume" as const, taskId })));
    expect(told(resumed).slice(0, 2)).toEqual(["a leads", "b follows a"]);
  });

  test("who leads waits for what it depends on, and not for itself; the others wait for it", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "busy" }, { id: "a", ...page }, { id: "b", ...page });
    expect(story.status("a", "b")).toBe("pending waiting");
    expect(["a", "b"].map((id) => story.kernel.aheadOf(id))).toEqual([[], ["a"]]);
  });

  test("of those that become ready at once the first leads", () => {
    const story = open();
    expect(told(story.submit({ id: "a", ...page }, { id: "b", ...page }))).toEqual([
      "a leads",
      "b follows a",
      "a starts on ann",
    ]);
  });

  test("also an output that nobody may have later, or that is too large to keep, answers those who wait", () => {
    const story = open();
    story.submit({ id: "a", ...page, cacheMs: 0 }, { id: "b", ...page, cacheMs: 0 });
    expect(told(story.complete("a", "x".repeat(100)))).toEqual(["a completed", "b completed by a"]);
    expect(told(story.submit({ id: "c", ...page, cacheMs: 0 }))).toEqual(["c leads", "c starts on ann"]);
  });

  test("one that is tried again, was preempted or is slow to stop is under way still", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "a", ...page, retry: { initialMs: 1_000, jitter: false } });
    story.submit({ id: "b", ...page });
    expect(told(story.fail("a"))).toEqual(["a attempt failed"]);
    story.after(1_000);
    expect(story.running).toBe("a");
    story.submit({ id: "high", priority: 9 });
    expect(told(story.fail("a"))).toEqual(["a attempt preempted", "high starts on ann"]);
    expect(story.status("a", "b")).toBe("paused waiting");
    story.complete("high");
    story.do({ type: "task.cancel", taskId: "a" });
    expect(story.status("a", "b")).toBe("running waiting");
    expect(told(story.after(5_000))).toEqual(["a attempt abandoned", "a cancelled", "b leads", "b starts on ann"]);
  });

  test("it has the priority of the most important of those who wait for it", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "busy", priority: 8 }, { id: "a", ...page, priority: 1 }, { id: "other", priority: 6 });
    story.submit({ id: "b", ...page, priority: 7 });
    expect(story.task("a").effectivePriority).toBe(7);
    expect(told(story.complete("busy")).at(-1)).toBe("a starts on ann");
    story.do({ type: "task.cancel", taskId: "b" });
    expect(story.task("a").effectivePriority).toBe(1);
  });

  test("it loses the priority of who is paused, and passes those of the others on when it is paused itself", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "busy", priority: 9 }, { id: "a", ...page, priority: 1 });
    story.submit(
      { id: "b", ...page, priority: 7 },
      { id: "c", ...page, priority: 3 },
      { id: "d", ...page, priority: 5 },
    );
    story.do({ type: "task.pause", taskId: "b" });
    expect(story.task("a").effectivePriority).toBe(5);
    story.do({ type: "task.pause", taskId: "a" });
    expect([story.task("a").effectivePriority, story.task("c").effectivePriority]).toEqual([1, 5]);
  });

  test("what waits for a follower goes on when that is answered", () => {
    const story = open();
    story.submit({ id: "a", ...page }, { id: "b", ...page }, { id: "after", dependsOn: ["b"] });
    expect(told(story.complete("a"))).toEqual(["a completed", "b completed by a", "after starts on ann"]);
  });
});

describe("a leader that ends without an output", () => {
  type End = readonly [string, (story: Story) => readonly KernelEvent[]];

  function waiting(how: string): Story {
    const story = open(how === "fails" ? {} : { concurrency: 1 });
    if (how !== "fails") story.submit({ id: "busy", priority: 9 });
    const needs = how.startsWith("asks") ? { resources: { disk: 1 } } : {};
    story.submit({ id: "a", ...page, deadlineMs: 2_000, ...needs }, { id: "b", ...page }, { id: "c", ...page });
    return story;
  }

  const failures: readonly End[] = [
    ["fails", (story) => story.fail("a", { retryable: false })],
    ["runs out of time", (story) => story.after(2_000)],
    ["asks for what there is no longer", (story) => story.resource("disk", 0)],
  ];
  test.each(failures)("that %s is followed by nobody any more: all who waited go on, each for itself", (how, end) => {
    const story = waiting(how);
    expect(told(end(story)).filter((line) => line.includes("leads"))).toEqual(["b leads", "c leads alone"]);
    if (how !== "fails") story.complete("busy");
    expect(told(story.submit({ id: "d", ...page }))).toEqual(["d follows b"]);
    expect(told(story.complete("b")).slice(0, 2)).toEqual(["b completed", "d completed by b"]);
    expect(story.status("b", "c", "d")).toBe("completed running completed");
  });

  const others: readonly End[] = [
    ["is cancelled before it starts", (story) => story.do({ type: "task.cancel", taskId: "a" })],
    ["is paused by a person", (story) => story.do({ type: "task.pause", taskId: "a" })],
  ];
  test.each(others)("that %s is followed by the first who waits, and the others follow that one", (how, end) => {
    const story = waiting(how);
    expect(told(end(story))).toContain("b leads");
    expect(story.why("c").reasons).toMatchObject([{ code: "dependencies", who: ["b"] }]);
    story.complete("busy");
    expect(told(story.complete("b"))).toEqual(["b completed", "c completed by b"]);
  });

  test("falls back on others, or on a value, for itself alone", () => {
    const story = open();
    const fallback = { agent: "bob", value: "less" };
    const second = { ...page, skills: ["y"], retry: { maxAttempts: 1 } };
    story.submit({ id: "a", ...second, fallback }, ...["b", "c", "d"].map((id) => ({ id, ...second })));
    story.submit({ id: "e", ...second, fallback: { value: "less" } }, { id: "f", ...second });
    expect(told(story.fail("a")).slice(1)).toEqual([
      "a falls back on others: TASK_FAILED",
      "b leads",
      ...["c", "d", "e", "f"].map((id) => `${id} leads alone`),
      "a starts on bob",
      ...["b", "c", "d", "e", "f"].map((id) => `${id} starts on ann`),
    ]);
    story.complete("a", "other");
    expect(told(story.submit({ id: "g", ...second }))).toEqual(["g follows b"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "g completed by b"]);
  });

  test("falls back on a value for itself alone, and frees all who waited", () => {
    const story = open();
    const once = { ...page, retry: { maxAttempts: 1 } };
    story.submit({ id: "a", ...once, fallback: { value: "less" } }, ...["b", "c"].map((id) => ({ id, ...once })));
    expect(told(story.fail("a")).slice(1, 5)).toEqual([
      "a falls back on a value: TASK_FAILED",
      "a completed via fallback",
      "b leads",
      "c leads alone",
    ]);
  });

  test("passes the lead on for one event when it is cancelled, however many wait", () => {
    const story = open();
    story.submit(...Array.from({ length: 50 }, (_, i) => ({ id: `t${i}`, ...page, graceMs: 0 })));
    story.do({ type: "task.cancel", taskId: "t0" });
    const types = story.log.slice(story.log.findIndex(({ type }) => type === "task.cancelled")).map(({ type }) => type);
    expect(types).toEqual(["task.cancelled", "flight.led", "task.started"]);
  });

  test("costs those who wait one event each, and one series of attempts, when all that they try fails", () => {
    const most = 50;
    const story = open({ concurrency: most });
    story.submit(...Array.from({ length: most }, (_, i) => ({ id: `t${i}`, ...page, retry: { maxAttempts: 1 } })));
    for (let i = 0; i < most; i++) if (story.status(`t${i}`) === "running") story.fail(`t${i}`);
    story.after(1);
    const count = (type: KernelEvent["type"]) => story.log.filter((event) => event.type === type).length;
    expect([count("task.failed"), count("task.started"), count("flight.led"), count("flight.joined")]).toEqual([
      most,
      most,
      most,
      most - 1,
    ]);
  });

  test("and that others went on without is of no help to them, but to those who come later", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "a", ...page }, { id: "b", ...page }, { id: "c", ...page, cacheMs: 0 });
    story.fail("a", { retryable: false });
    story.complete("b", "it");
    expect(story.status("b", "c")).toBe("completed running");
    expect(told(story.submit({ id: "d", ...page }))).toEqual(["d completed by b"]);
  });

  test("when nobody can do it, all fail, one after the other and as soon as the first", () => {
    const story = open({ unroutableMs: 1_000 });
    story.submit({ id: "a", ...page, skills: ["none"] }, { id: "b", ...page, skills: ["none"] });
    expect(told(story.after(1_000))).toEqual([
      "a failed: NO_QUALIFIED_AGENT",
      "b leads",
      "b failed: NO_QUALIFIED_AGENT",
    ]);
  });

  test("when its process died and it is tried no more, the next one leads after the restart", () => {
    const story = open();
    story.submit({ id: "a", ...page, retry: { maxAttempts: 1 } }, { id: "b", ...page });
    expect(told(story.crash(10))).toEqual(["a attempt lost", "a failed: TASK_FAILED", "b leads"]);
  });
});

describe("a follower", () => {
  test("ends by its own deadline, or is cancelled, and the others stay", () => {
    const story = open();
    story.submit(
      { id: "a", ...page },
      { id: "b", ...page, deadlineMs: 100 },
      { id: "c", ...page },
      { id: "d", ...page },
    );
    expect(told(story.after(100))).toEqual(["b failed: TIMEOUT"]);
    expect(told(story.do({ type: "task.cancel", taskId: "c" }))).toEqual(["c cancelled"]);
    expect(told(story.complete("a"))).toEqual(["a completed", "d completed by a"]);
  });

  test("that a person pauses is answered when it is resumed, or follows again", () => {
    const story = open();
    story.submit({ id: "a", ...page }, { id: "b", ...page });
    const pause = { type: "task.pause", taskId: "b" } as const;
    const resume = { type: "task.resume", taskId: "b" } as const;
    story.do(pause);
    expect(story.status("b")).toBe("paused");
    expect(told(story.do(resume))).toEqual(["b follows a"]);
    story.do(pause);
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.do(resume))).toEqual(["b completed by a"]);
  });
});

describe("an earlier output", () => {
  test("answers as long as it is younger than the task's own cacheMs", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    story.complete("a", 1);
    story.after(999);
    expect(told(story.submit({ id: "b", ...page, cacheMs: 1_000 }))).toEqual(["b completed by a"]);
    expect(told(story.submit({ id: "c", ...page, cacheMs: 999 }))).toEqual(["c leads", "c starts on ann"]);
    story.complete("c", 2);
    expect(told(story.submit({ id: "d", ...page, cacheMs: 999 }))).toEqual(["d completed by c"]);
    story.after(3_600_000 - 1);
    expect(told(story.submit({ id: "e", ...page }))).toEqual(["e completed by c"]);
    story.after(1);
    expect(told(story.submit({ id: "f", ...page }))).toEqual(["f leads", "f starts on ann"]);
  });

  test("answers nobody before what that one depends on has ended", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    story.complete("a");
    story.submit({ id: "before" });
    expect(story.submit({ id: "b", ...page, dependsOn: ["before"] }).map(({ type }) => type)).toEqual([
      "task.submitted",
    ]);
    expect(told(story.complete("before"))).toEqual(["before completed", "b completed by a"]);
  });

  test("needs no slot, no agent and no time", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "a", ...page });
    story.complete("a", "it");
    story.submit({ id: "busy" });
    story.do({ type: "agent.unregister", agent: "ann" }, { type: "agent.unregister", agent: "bob" });
    story.submit({ id: "b", ...page });
    expect(story.task("b").output).toBe("it");
  });

  test("answers when the task that gave it has left memory, and after a restart", () => {
    const story = open({ keepCount: 0 });
    story.submit({ id: "a", ...page });
    story.complete("a", "it");
    expect(story.kernel.task("a")).toBeUndefined();
    story.crash(10, { keepCount: 9 });
    expect(told(story.submit({ id: "b", ...page }))).toEqual(["b completed by a"]);
    for (const kernel of again(story)) expect(kernel.task("b")).toMatchObject({ via: "cache", output: "it" });
  });

  test("is not what failed, nor what an answer repeats: its age is that of the attempt's", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    story.fail("a", { retryable: false });
    expect(told(story.submit({ id: "b", ...page }))).toEqual(["b leads", "b starts on ann"]);
    story.complete("b");
    story.after(900);
    story.submit({ id: "c", ...page, cacheMs: 1_000 });
    story.after(900);
    expect(told(story.submit({ id: "d", ...page, cacheMs: 1_000 }))).toEqual(["d leads", "d starts on ann"]);
  });

  test("of too many, the one that was not asked for the longest goes", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    const give = (key: string, output = ""): void => {
      story.submit({ id: `of-${key}`, cacheKey: key });
      story.complete(`of-${key}`, output);
    };
    const half = "x".repeat(limits.cachedBytes / 2 - 100);
    give("a", half);
    give("b", half);
    expect(told(story.submit({ id: "again", cacheKey: "a" }))).toEqual(["again completed by of-a"]);
    give("c", "x".repeat(200));
    expect(told(story.submit({ id: "a2", cacheKey: "a" }))).toEqual(["a2 completed by of-a"]);
    expect(told(story.submit({ id: "b2", cacheKey: "b" }))[0]).toBe("b2 leads");
    story.complete("b2", "x".repeat(limits.cachedBytes));
    expect(told(story.submit({ id: "b3", cacheKey: "b" }))[0]).toBe("b3 leads");
  });
});

describe("keys are apart", () => {
  const others: readonly (readonly [string, TaskRequest])[] = [
    ["another key", { cacheKey: "other" }],
    ["other skills", { ...page, skills: ["x", "y"] }],
    ["a pin", { ...page, skills: ["x"], agent: "ann" }],
    ["no skills", page],
    ["no key", { skills: ["x"] }],
    ["an output to be approved", { ...page, skills: ["x"], approval: { before: "output" } }],
  ];
  test.each(others)("of %s", (_, request) => {
    const story = open();
    story.submit({ id: "a", ...page, skills: ["x"] });
    expect(told(story.submit({ id: "b", ...request })).at(-1)).toMatch(/^b starts on/);
  });

  test("of other people", () => {
    const story = open();
    const submit = (id: string, by?: string) =>
      told(
        story.kernel.batch(
          [{ command: { type: "task.submit", tasks: [{ id, ...page }] }, ...(by === undefined ? {} : { by }) }],
          story.now,
        ).events,
      )[0];
    expect(submit("a", "eve")).toBe("a leads");
    expect(submit("b", "mallory")).toBe("b leads");
    expect(submit("c")).toBe("c leads");
    expect(submit("d", "eve")).toBe("d follows a");
  });

  test("of budgets are not: who runs pays for all", () => {
    const story = open();
    story.do({ type: "budget.set", budget: "money", limit: 9 }, { type: "budget.set", budget: "other", limit: 9 });
    story.submit({ id: "a", ...page, budget: "money" });
    expect(told(story.submit({ id: "b", ...page, budget: "other" }))).toEqual(["b follows a"]);
  });

  test("of the teams of different managers; skills in another order are the same", () => {
    const story = open();
    story.manager("m1", ["ann"], { skills: ["lead1"] }).manager("m2", ["ann", "bob"], { skills: ["lead2"] });
    story.submit({ id: "one", skills: ["lead1"] }, { id: "two", skills: ["lead2"] });
    story.plan("one", { id: "s", ...page, skills: ["x", "y"] });
    expect(told(story.plan("two", { id: "s", ...page, skills: ["y", "x"] }))).toContain("two/s leads");
    story.submit({ id: "three", skills: ["lead1"] });
    expect(told(story.plan("three", { id: "s", ...page, skills: ["y", "x"] }))).toEqual(["three/s follows one/s"]);
    story.complete("one/s", [1]);
    expect(story.status("three", "three/s")).toBe("pending completed");
  });
});

describe("nobody waits for what waits for it", () => {
  test("a subtask of the key of its manager goes alone, and so does what such a subtask depends on", () => {
    const story = open();
    story.manager("boss", ["ann"], {});
    story.submit({ id: "m", agent: "boss", cacheKey: "k" });
    story.plan("m", { id: "a", agent: "ann", cacheKey: "k" });
    story.submit({ id: "x", agent: "ann" });
    story.submit({ id: "n", agent: "boss", cacheKey: "k" });
    expect(story.status("m", "n")).toBe("waiting waiting");
    story.complete("m/a");
    story.complete("m");
    expect(story.task("n").via).toBe("cache");
  });

  test("a task that its leader awaits goes alone", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    expect(told(story.spawn("a", { id: "sub", ...page }))).toEqual(["a/sub leads alone", "a/sub starts on bob"]);
    story.submit({ id: "free", ...page });
    story.await("a", "a/sub");
    expect(story.status("a", "a/sub", "free")).toBe("waiting running waiting");
    story.complete("a/sub");
    expect(told(story.complete("a"))).toEqual(["a completed", "free completed by a"]);
  });

  test("one that follows goes alone as soon as a subtask of its leader depends on it", () => {
    const story = open();
    story.submit({ id: "a", ...page }, { id: "b", ...page }, { id: "between", dependsOn: ["b"] });
    expect(told(story.spawn("a", { id: "sub", dependsOn: ["between"] }))).toEqual(["b leads alone", "b starts on bob"]);
    story.await("a", "a/sub");
    story.complete("b");
    story.complete("between");
    story.complete("a/sub");
    expect(story.status("a")).toBe("running");
  });

  test("one that becomes ready when a subtask of the leader depends on what depends on it goes alone", () => {
    const story = open();
    story.submit({ id: "first" }, { id: "a", ...page }, { id: "b", ...page, dependsOn: ["first"] });
    story.submit({ id: "between", dependsOn: ["b"] }, { id: "else", dependsOn: ["b"] });
    story.spawn("a", { id: "sub", dependsOn: ["between"] });
    expect(told(story.complete("first")).slice(1)).toEqual(["b leads alone", "b starts on ann"]);
  });

  test("one on which nothing waits but what has ended follows", () => {
    const story = open();
    story.submit({ id: "first" }, { id: "a", ...page }, { id: "b", ...page, dependsOn: ["first"] });
    story.spawn("a", { id: "sub", dependsOn: ["b"] });
    story.do({ type: "task.cancel", taskId: "a/sub" });
    expect(told(story.complete("first")).slice(1)).toEqual(["b follows a"]);
  });

  test("one that is awaited by the leader of what a subtask of its own leader depends on goes alone", () => {
    const story = open();
    const text = { cacheKey: "text" };
    story.submit({ id: "other", ...text }, { id: "follows", ...text }, { id: "a", ...page });
    story.spawn("a", { id: "sub", dependsOn: ["follows"] });
    expect(told(story.spawn("other", { id: "part", ...page }))[0]).toBe("other/part leads alone");
  });

  test("one that is awaited by what has set aside money goes alone when its leader is paid, too, and follows when it is not", () => {
    const story = open();
    story.budget("all", 2);
    const paid = { budget: "all", cost: 1 };
    story.submit({ id: "holds", ...paid });
    const gates = [{ id: "gate" }, { id: "door" }];
    const parts = [
      { id: "sub", ...page, dependsOn: ["gate"] },
      { id: "free", cacheKey: "text", dependsOn: ["door"] },
    ];
    story.submit({ id: "pays", ...page, ...paid }, { id: "owes", cacheKey: "text" });
    story.spawn("holds", ...gates, ...parts);
    story.await("holds", "holds/sub", "holds/free");
    expect(told(story.complete("holds/gate")).slice(1, 2)).toEqual(["holds/sub leads alone"]);
    expect(told(story.complete("holds/door")).slice(1)).toEqual(["holds/free follows owes"]);
  });

  test("one that is awaited by what holds something that its leader does not need follows", () => {
    const story = open();
    story.resource("net", 1);
    story.submit({ id: "holds", resources: { net: 1 }, preemptible: false });
    story.submit({ id: "busy", resources: { disk: 2 }, priority: 9 }, { id: "lacks", ...page, resources: { disk: 1 } });
    story.spawn("holds", { id: "gate" }, { id: "sub", ...page, dependsOn: ["gate"] });
    story.await("holds", "holds/sub");
    expect(told(story.complete("holds/gate")).slice(1)).toEqual(["holds/sub follows lacks"]);
  });

  test("one that has subtasks of its own already goes alone", () => {
    const story = open();
    story.submit({ id: "a", ...page, retry: { maxAttempts: 1 } });
    story.spawn("a", { id: "sub" });
    story.complete("a/sub");
    story.fail("a");
    story.submit({ id: "b", ...page });
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a leads alone", "a starts on bob"]);
  });

  test("one that is awaited by what holds the resource that its leader lacks goes alone", () => {
    const story = open();
    story.submit({ id: "holds", resources: { disk: 2 }, preemptible: false });
    story.submit({ id: "lacks", ...page, resources: { disk: 1 } });
    story.spawn("holds", { id: "gate" }, { id: "sub", ...page, dependsOn: ["gate"] });
    story.await("holds", "holds/sub");
    expect(told(story.complete("holds/gate")).slice(1)).toEqual(["holds/sub leads alone", "holds/sub starts on ann"]);
  });

  test("what awaits a follower whose leader lacks what it holds is refused", () => {
    const story = open();
    story.submit({ id: "holds", resources: { disk: 2 }, preemptible: false });
    story.submit({ id: "lacks", ...page, resources: { disk: 1 } });
    story.spawn("holds", { id: "sub", ...page });
    expect(story.status("holds/sub")).toBe("waiting");
    const refusal = story.refusal({ type: "attempt.await", ...story.from("holds"), on: ["holds/sub"] });
    expect(refusal.code).toBe("WOULD_DEADLOCK");
  });
});

test("a manager that falls back as its round ends, and whose lead another opening had taken away, leads nobody", () => {
  const story = new Story();
  const team = (): void => {
    for (const name of ["ann", "bob"]) story.agent(name, { capacity: 9 });
    story.manager("boss", ["ann"]);
  };
  story.do({ type: "coordinator.open" });
  team();
  const once = { retry: { maxAttempts: 1 } };
  story.submit({ id: "m", agent: "boss", cacheKey: "k", fallback: { agent: "bob" }, ...once });
  story.plan("m", { id: "one", agent: "ann", retry: { maxAttempts: 2, initialMs: 0 } });
  story.crash(10, { guardrails: { input: ["shape"] } });
  team();
  story.judge("m");
  story.judge("m/one");
  expect(told(story.fail("m/one"))).toEqual([
    "m/one attempt failed",
    "m/one failed: TASK_FAILED",
    "m falls back on others: TASK_FAILED",
    "m starts on bob",
  ]);
});

describe("guardrails on outputs", () => {
  const guardrails = { output: ["tone", "size"] } as const;
  const passed = guardrails.output.map((guardrail) => ({ guardrail, verdict: "allow" }) as const);

  /** `a` has given its output, and `b` and `c` are to be answered by it. */
  function offered(): Story {
    const story = open({ guardrails });
    story.submit({ id: "a", ...page }, { id: "b", ...page }, { id: "c", ...page });
    story.do({ type: "attempt.complete", ...story.from("a"), output: "raw", verdicts: passed });
    return story;
  }

  test("look at an output again for each that it is to answer", () => {
    const story = offered();
    expect(story.status("a", "b", "c")).toBe("completed waiting waiting");
    expect(story.kernel.offered()).toEqual(["b", "c"]);
    expect(story.kernel.idle()).toBe(false);
    expect(told(story.do(verdictOnOffer(story.kernel, "b")))).toEqual([
      "tone allows an output of b",
      "size allows an output of b",
      "b completed by a",
    ]);
    story.do(verdictOnOffer(story.kernel, "c", { output: "mild" }));
    expect([story.task("b").output, story.task("c").output]).toEqual(["raw", "mild"]);
    expect(told(story.submit({ id: "d", ...page }))).toEqual(["d is offered the output of a"]);
  });

  test("that block it let the task run, and one of several for all", () => {
    const story = offered();
    expect(told(story.do(verdictOnOffer(story.kernel, "b", { blocks: "rude" }))).slice(1)).toEqual([
      "b leads",
      "b starts on ann",
    ]);
    expect(told(story.do(verdictOnOffer(story.kernel, "c", { blocks: "rude" }))).slice(1)).toEqual(["c follows b"]);
    story.do({ type: "attempt.complete", ...story.from("b"), output: "kind", verdicts: passed });
    expect(story.task("c").offer).toEqual({ from: "b", output: "kind" });
  });

  test("are asked again when it was paused meanwhile, and not when it has ended", () => {
    const story = offered();
    story.do({ type: "task.pause", taskId: "b" }, { type: "task.cancel", taskId: "c" });
    expect(story.kernel.offered()).toEqual([]);
    expect(told(story.do({ type: "task.resume", taskId: "b" }))).toEqual(["b is offered the output of a"]);
  });

  test("are asked again after a restart; when there are none any more, it is answered", () => {
    const story = offered();
    for (const kernel of again(story)) expect(kernel.offered()).toEqual(["b", "c"]);
    story.crash(10, { guardrails });
    expect(story.kernel.offered()).toEqual(["b", "c"]);
    expect(told(story.crash(10))).toEqual(["b completed by a", "c completed by a"]);
  });

  test("wait for those on inputs that a restart brings: the task is answered, or runs, once these have let it pass", () => {
    const story = offered();
    const input = ["first"];
    const pass = { type: "task.judge", verdicts: [{ guardrail: "first", verdict: "allow" }] } as const;
    story.crash(10, { guardrails: { ...guardrails, input } });
    expect(story.kernel.offered()).toEqual([]);
    expect(story.status("b", "c")).toBe("pending pending");
    expect(story.kernel.awaitingJudgement()).toEqual(["b", "c"]);
    const block = [{ guardrail: "first", verdict: "block", reason: "no" }] as const;
    story.do({ type: "task.judge", taskId: "b", verdicts: block });
    expect(story.task("b").error?.code).toBe("GUARDRAIL_BLOCKED");
    expect(told(story.do({ ...pass, taskId: "c" })).at(-1)).toBe("c leads");
    for (const kernel of again(story)) expect(kernel.task("c")).toMatchObject({ status: "pending" });
  });

  test("that are gone when those on inputs come answer nobody either before these have let it pass", () => {
    const story = offered();
    expect(told(story.crash(10, { guardrails: { input: ["first"] } }))).toEqual([]);
    expect(story.status("b", "c")).toBe("pending pending");
  });

  test("that are others make other keys", () => {
    const story = offered();
    story.crash(10, { guardrails: { output: ["tone"] } });
    expect(told(story.submit({ id: "d", ...page }))).toEqual(["d leads"]);
  });
});

describe("approvals", () => {
  const approval = { before: "output" } as const;

  test("are waited for by nobody who needs none: neither while somebody is asked, nor for what was approved", () => {
    const story = open();
    story.submit({ id: "a", ...page, approval });
    story.complete("a", "made to be approved");
    expect(story.status("a")).toBe("waiting");
    expect(told(story.submit({ id: "b", ...page }))).toEqual(["b leads", "b starts on ann"]);
    story.do({ type: "task.approve", taskId: "a" });
    story.complete("b", "made for all");
    story.submit({ id: "c", ...page });
    expect(story.task("c")).toMatchObject({ output: "made for all", via: "cache" });
  });

  test("are asked for by whoever needs one, never passed by with an output that was made without", () => {
    const story = open();
    story.submit({ id: "a", ...page });
    expect(told(story.submit({ id: "b", ...page, approval }))).toEqual(["b leads", "b starts on bob"]);
    story.complete("a", "made for all");
    story.complete("b", "made to be approved");
    expect(story.status("a", "b")).toBe("completed waiting");
  });

  test("of the same kind are asked for again, each for its own task", () => {
    const story = open();
    story.submit({ id: "a", ...page, approval }, { id: "b", ...page, approval });
    expect(story.status("b")).toBe("waiting");
    story.complete("a", "it");
    expect(story.kernel.approvalOf("b")).toBeUndefined();
    story.do({ type: "task.approve", taskId: "a" });
    expect(story.status("a", "b")).toBe("completed waiting");
    expect(story.kernel.approvalOf("b")).toMatchObject({ taskId: "b", from: "a", output: "it" });
    story.do({ type: "task.approve", taskId: "b" });
    expect(story.task("b")).toMatchObject({ status: "completed", output: "it", via: "cache" });
    story.submit({ id: "c", ...page, approval });
    expect(story.kernel.approvalOf("c")).toMatchObject({ taskId: "c", output: "it" });
  });

  test("that are others, by whom or until when, make other keys; that of a run does as well", () => {
    const story = open();
    const others = [{ before: "output" }, { before: "output", expiresMs: 9 }, { before: "run" }] as const;
    for (const [i, one] of others.entries()) story.submit({ id: `t${i}`, ...page, approval: one });
    story.do({ type: "task.approve", taskId: "t2" });
    expect(story.status("t0", "t1", "t2")).toBe("running running running");
    expect(told(story.submit({ id: "t3", ...page }))).toEqual(["t3 leads", "t3 starts on bob"]);
  });

  test("that were refused answer nobody: who waited goes on for itself", () => {
    const story = open();
    story.submit({ id: "a", ...page, approval }, { id: "b", ...page, approval }, { id: "c", ...page, approval });
    story.complete("a", "it");
    story.do({ type: "task.reject", taskId: "a", reason: "no" });
    expect(story.status("a", "b", "c")).toBe("failed running running");
  });
});

test("a task that is tried again by a person is answered by what came since", () => {
  const story = open();
  story.submit({ id: "a", ...page });
  story.fail("a", { retryable: false });
  story.submit({ id: "b", ...page });
  story.complete("b", 3);
  expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a completed by b"]);
  expect(story.task("a")).toMatchObject({ via: "cache", output: 3 });
});

test("what is replayed to anywhere in between goes on to the same end", () => {
  const story = open();
  story.submit(
    { id: "a", ...page, retry: { maxAttempts: 1 } },
    { id: "b", ...page },
    { id: "c", ...page },
    { id: "d", ...page },
  );
  story.fail("a");
  story.do({ type: "task.pause", taskId: "c" });
  story.complete("b", "it");
  story.do({ type: "task.resume", taskId: "c" });
  for (let until = 1; until <= story.log.length; until++) {
    const other = new Story();
    other.kernel = new Kernel();
    for (const event of JSON.parse(JSON.stringify(story.log.slice(0, until))) as KernelEvent[])
      other.kernel.replay(event);
    other.now = story.now + 1_000;
    const register = { type: "agent.register", agent: { name: "ann", kind: "agent", capacity: 9 } } as const;
    other.do({ type: "coordinator.open", concurrency: 9 }, register);
    for (let left = 0; left < 9; left++) {
      for (const task of other.kernel.tasks())
        if (other.task(task.id).held) other.do({ type: "task.resume", taskId: task.id });
      for (const { id } of other.kernel.tasks({ status: "running" })) other.complete(id, "again");
      other.after(60_000);
    }
    const unended = other.kernel.tasks().filter(({ status }) => status !== "completed" && status !== "failed");
    expect([until, unended]).toEqual([until, []]);
  }
});

/** What may happen to tasks of two keys. */
const step = fc.record({ what: fc.nat(9), which: fc.nat(40) });

test("of a key one attempt runs at most besides those that go alone, and each that follows is answered once, whatever happens in between", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
      const story = open({ concurrency: 3 });
      let seen = 0;
      const keys = new Map<string, string | undefined>();
      const alone = new Set<string>();
      const live = () => story.kernel.tasks({ status: "running" });
      for (const { what, which } of steps) {
        const runs = live();
        const one = runs[which % Math.max(1, runs.length)]?.id;
        const open = story.kernel.tasks().filter(({ endedAt }) => endedAt === undefined);
        const any = open[which % Math.max(1, open.length)]?.id;
        const request = {
          cacheKey: `k${which % 2}`,
          priority: which % 5,
          cacheMs: 50 * (which % 3),
          retry: { maxAttempts: 2, initialMs: 10 },
        };
        if (what < 3) story.submit(request);
        else if (what < 5 && one !== undefined) story.complete(one, which);
        else if (what === 5 && one !== undefined) story.fail(one);
        else if (what === 6 && any !== undefined) story.do({ type: "task.cancel", taskId: any });
        else if (what === 7 && any !== undefined)
          story.try({ type: story.task(any).held ? "task.resume" : "task.pause", taskId: any });
        else if (what === 8) {
          story.crash(20, { concurrency: 3 });
          story.do({ type: "agent.register", agent: { name: "ann", kind: "agent", capacity: 9 } });
        } else story.after(20);
        for (const event of story.log.slice(seen)) {
          if (event.type === "task.submitted") keys.set(event.taskId, event.cacheKey);
          if (event.type !== "flight.led") continue;
          if (event.alone === true) alone.add(event.taskId);
          else alone.delete(event.taskId);
        }
        seen = story.log.length;
        const names = story.kernel.tasks().flatMap(({ id }) => {
          const last = story.task(id).attempts.at(-1);
          return last === undefined || last.end !== undefined || alone.has(id) ? [] : [keys.get(id)];
        });
        expect(new Set(names).size).toBe(names.length);
      }
      const completed = new Map<string, number>();
      for (const event of story.log)
        if (event.type === "task.completed") completed.set(event.taskId, (completed.get(event.taskId) ?? 0) + 1);
      expect([...completed.values()].every((times) => times === 1)).toBe(true);
      for (const event of story.log) {
        if (event.type !== "task.completed" || event.from === undefined) continue;
        const of = story.log.find((other) => other.type === "task.completed" && other.taskId === event.from);
        expect(of).toMatchObject({ output: event.output, token: expect.any(Number) });
      }
    }),
    { numRuns: 120 },
  );
});
