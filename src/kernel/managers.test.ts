import { describe, expect, test } from "vitest";
import type { Command } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

/** A manager `boss` of `ann` and `bob`, whose task `m` is being planned. */
function crew(settings = {}, manager = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { skills: ["x"], capacity: 9 });
  story.agent("bob", { skills: ["y"], capacity: 9 });
  story.agent("eve", { skills: ["x", "y"], capacity: 9 });
  story.manager("boss", ["ann", "bob"], { skills: ["lead"], ...manager });
  story.submit({ id: "m", skills: ["lead"] });
  return story;
}

describe("managers", () => {
  test("a plan becomes subtasks of the team; aggregate follows when all have ended; its output is the task's", () => {
    const story = crew();
    expect(told(story.plan("m", { skills: ["x"] }, { skills: ["y"] }))).toEqual([
      "m/0 starts on ann",
      "m/1 starts on bob",
    ]);
    expect(story.status("m")).toBe("waiting");
    story.complete("m/0", 1);
    expect(told(story.complete("m/1", 2))).toEqual(["m/1 completed", "m aggregates on boss"]);
    story.complete("m", 3);
    expect(story.task("m")).toMatchObject({ status: "completed", output: 3, children: ["m/0", "m/1"], round: 1 });
  });

  test("no subtask is dropped: more than the team has members wait their turn", () => {
    const story = crew();
    story.agent("ann", { skills: ["x"], capacity: 1 });
    story.plan("m", ...Array.from({ length: 5 }, () => ({ skills: ["x"] })));
    for (let i = 0; i < 5; i++) story.complete(`m/${i}`);
    expect(story.task("m").children).toHaveLength(5);
    expect(story.status("m", "m/4")).toBe("running completed");
  });

  test("subtasks inherit priority (unless higher), deadline, and context, merged", () => {
    const story = new Story();
    story.agent("ann", { capacity: 9 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", agent: "boss", priority: 7, deadlineMs: 10_000, context: { a: 1, b: 1 } });
    story.after(1_000);
    story.plan("m", { priority: 2, context: { b: 2 } }, { priority: 9, deadlineMs: 2_000 }, { deadlineMs: 60_000 });
    expect(story.task("m/0")).toMatchObject({ priority: 7, deadlineAt: 1_010_000, context: { a: 1, b: 2 } });
    expect(story.task("m/1")).toMatchObject({ priority: 9, deadlineAt: 1_003_000, context: { a: 1, b: 1 } });
    expect(story.task("m/2").deadlineAt).toBe(1_010_000);
  });

  test("a context that has no keys stands for itself, below as above", () => {
    const story = new Story();
    story.agent("ann", { capacity: 9 });
    story.manager("boss", ["ann"], { skills: ["lead"], capacity: 9 });
    story.submit({ id: "m", agent: "boss", context: ["list"] }, { id: "n", agent: "boss", context: { a: 1 } });
    story.plan("m", {}, { context: { b: 2 } });
    story.plan("n", {}, { context: "text" }, { context: null });
    const contexts = ["m/0", "m/1", "n/0", "n/1", "n/2"].map((id) => story.task(id).context);
    expect(contexts).toEqual([["list"], { b: 2 }, { a: 1 }, "text", null]);
  });

  test("a context may have any key, and none is merged into what it does not own", () => {
    const story = new Story();
    story.agent("ann");
    story.manager("boss", ["ann"], { skills: ["lead"] });
    const context = JSON.parse('{"__proto__":{"polluted":true}}');
    story.submit({ id: "m", agent: "boss", context });
    story.plan("m", { context: { own: 1 } });
    expect(JSON.stringify(story.task("m/0").context)).toBe('{"__proto__":{"polluted":true},"own":1}');
  });

  test("a pin outside the team is refused, and so is the whole plan", () => {
    const story = crew();
    const refusal = story.refusal({ type: "attempt.plan", ...story.from("m"), tasks: [{}, { agent: "eve" }] });
    expect(refusal).toMatchObject({ code: "INVALID_ARGUMENT", details: { agent: "eve" } });
    expect(story.status("m")).toBe("running");
  });

  test("who is not on the team gets no subtask, though it could do it", () => {
    const story = crew();
    story.plan("m", { skills: ["x", "y"] });
    expect(story.reasons("m/0")).toBe("skills");
    expect(told(story.do({ type: "team.set", manager: "boss", team: ["ann", "eve"] }))).toEqual(["m/0 starts on eve"]);
  });

  test("what an ordinary agent's code submits stays within the team that it belongs to", () => {
    const story = crew();
    story.plan("m", { skills: ["x"] });
    story.spawn("m/0", { id: "sub", skills: ["x", "y"] });
    expect(story.reasons("m/0/sub")).toBe("skills");
  });

  test("dependsOn resolves siblings first, then any task; ctx.dependencies is keyed as written", () => {
    const story = crew();
    story.submit({ id: "a" }, { id: "other" });
    story.plan("m", { id: "a", skills: ["x"] }, { id: "b", skills: ["x"], dependsOn: ["a", "other"] });
    expect(story.task("m/b").dependencies).toEqual([
      { id: "m/a", as: "a" },
      { id: "other", as: "other" },
    ]);
    story.complete("m/a");
    expect(story.status("m/b")).toBe("blocked");
    expect(told(story.complete("other"))).toEqual(["other completed", "m/b starts on ann"]);
  });

  test("ids default to the index, counted on over all rounds, and later rounds may depend on earlier ones", () => {
    const story = crew();
    story.plan("m", { skills: ["x"] }, { id: "named", skills: ["x"] }, { skills: ["x"] });
    expect(story.task("m").children).toEqual(["m/0", "m/named", "m/2"]);
    story.do(story.completion("m/0"), story.completion("m/named"), story.completion("m/2"));
    story.plan("m", { skills: ["x"], dependsOn: ["named"] });
    expect(story.task("m").children.at(-1)).toBe("m/3");
    expect(story.running).toBe("m/3");
  });

  test("a manager holds nothing while it waits: any depth works with concurrency 1", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("w", { skills: ["work"] });
    for (let depth = 9; depth >= 0; depth--)
      story.manager(`m${depth}`, [depth === 9 ? "w" : `m${depth + 1}`], { skills: [`s${depth}`] });
    story.submit({ id: "t", skills: ["s0"] });
    let id = "t";
    for (let depth = 0; depth < 9; depth++) {
      story.plan(id, { id: "s", skills: [`s${depth + 1}`] });
      id += "/s";
    }
    story.plan(id, { id: "w", skills: ["work"] });
    expect(story.kernel.agents(story.now).map(({ load }) => load)).toEqual([1, ...Array.from({ length: 10 }, () => 0)]);
    story.complete(`${id}/w`);
    for (; id !== ""; id = id.slice(0, Math.max(0, id.lastIndexOf("/")))) story.complete(id);
    expect(story.status("t")).toBe("completed");
  });

  test("a manager's own resources and slot are free while it waits", () => {
    const story = new Story({ concurrency: 1 });
    story.resource("disk", 1);
    story.agent("ann", { capacity: 9 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"], resources: { disk: 1 } });
    expect(told(story.plan("m", { resources: { disk: 1 } }))).toEqual(["m/0 starts on ann"]);
    story.complete("m/0");
    expect(story.running).toBe("m");
  });

  test("aggregate may ask for more rounds, at most 100", () => {
    const story = crew();
    for (let round = 0; round < limits.rounds; round++) {
      story.plan("m", { skills: ["x"] });
      story.complete(`m/${round}`);
    }
    expect(story.task("m").round).toBe(100);
    expect(story.refusal({ type: "attempt.plan", ...story.from("m"), tasks: [{}] }).code).toBe("INVALID_ARGUMENT");
    story.complete("m");
    expect(story.status("m")).toBe("completed");
  });

  test("a plan with no subtasks goes straight to aggregate", () => {
    const story = crew();
    expect(told(story.plan("m"))).toEqual(["m aggregates on boss"]);
  });

  test.each(["any", 1] as const)("a plan with no subtasks is short of minSuccess %s", (minSuccess) => {
    const story = crew({}, { minSuccess });
    expect(told(story.plan("m"))).toEqual(["m failed: TASK_FAILED"]);
    const again = crew({}, { minSuccess });
    again.plan("m", { skills: ["x"] });
    again.complete("m/0");
    // What succeeded in rounds before is enough for one that is empty.
    expect(told(again.plan("m"))).toEqual(["m aggregates on boss"]);
  });

  test("a subtask that is there already cannot be planned again, so that none is dropped in silence", () => {
    const story = crew();
    story.spawn("m", { id: "side", skills: ["x"] });
    const plan = (id: string): Command => ({
      type: "attempt.plan",
      ...story.from("m"),
      tasks: [{ id, skills: ["x"] }],
    });
    const refusal = { code: "DUPLICATE_ID", details: { taskId: "m/side" } };
    expect(story.refusal(plan("side"))).toMatchObject(refusal);
    story.plan("m", { id: "a", skills: ["x"] });
    story.complete("m/a");
    expect(story.refusal(plan("a"))).toMatchObject({ code: "DUPLICATE_ID", details: { taskId: "m/a" } });
    expect(story.task("m")).toMatchObject({ status: "running", round: 1 });
  });

  test("the manager that planned aggregates, though others could do the task", () => {
    const story = new Story();
    story.agent("ann", { skills: ["x"] });
    story.manager("boss", ["ann"], { skills: ["lead"], capacity: 2 });
    story.manager("rival", ["ann"], { skills: ["lead"], capacity: 9 });
    story.agent("plain", { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    expect(story.task("m").agent).toBe("boss");
    story.submit({ id: "ballast", agent: "boss" });
    story.plan("m", { skills: ["x"] });
    expect(told(story.complete("m/0"))).toEqual(["m/0 completed", "m aggregates on boss"]);
  });

  test("a retry repeats only the phase that failed", () => {
    const story = crew();
    story.do(story.failure("m"));
    expect(told(story.after(1_000))).toEqual(["m plans on boss"]);
    story.plan("m", { skills: ["x"] });
    story.complete("m/0", "kept");
    story.fail("m");
    expect(told(story.after(2_000))).toEqual(["m aggregates on boss"]);
    expect(story.task("m/0").attempts).toHaveLength(1);
    story.complete("m");
    expect(story.task("m").attempts.map(({ phase, end }) => `${phase} ${end}`)).toEqual([
      "plan failed",
      "plan completed",
      "aggregate failed",
      "aggregate completed",
    ]);
  });

  test("minSuccess all (the default): one that fails fails the manager when the round has ended, with every cause", () => {
    const story = crew();
    story.plan("m", { id: "a", skills: ["x"], retry: { maxAttempts: 1 } }, { id: "b", skills: ["y"] });
    expect(told(story.fail("m/a", { message: "broken" }))).toEqual(["m/a attempt failed", "m/a failed: TASK_FAILED"]);
    expect(told(story.complete("m/b"))).toEqual(["m/b completed", "m failed: TASK_FAILED"]);
    expect(story.task("m").error?.details?.causes).toEqual([
      { taskId: "m/a", status: "failed", code: "TASK_FAILED", message: "broken" },
    ]);
  });

  test("failFast fails as soon as it is certain, and cancels the rest", () => {
    const story = crew({}, { failFast: true });
    story.plan("m", { id: "a", skills: ["x"], retry: { maxAttempts: 1 } }, { id: "b", skills: ["y"] });
    expect(told(story.fail("m/a"))).toEqual([
      "m/a attempt failed",
      "m/a failed: TASK_FAILED",
      "m is ending",
      "m/b is ending",
      "m/b stops: cancelled",
    ]);
    expect(told(story.fail("m/b"))).toEqual(["m/b attempt cancelled", "m/b cancelled", "m failed: TASK_FAILED"]);
  });

  test.each([
    ["any", ["fail", "ok"], "aggregates"],
    ["any", ["fail", "fail"], "failed"],
    [2, ["ok", "fail", "ok"], "aggregates"],
    [2, ["ok", "fail", "fail"], "failed"],
    [0, ["fail"], "aggregates"],
    [3, ["ok", "ok"], "failed"],
  ] as const)("minSuccess %s with %j: %s", (minSuccess, ends, expected) => {
    const story = crew({}, { minSuccess });
    story.plan("m", ...ends.map(() => ({ skills: ["x"], retry: { maxAttempts: 1 } })));
    const events = ends.flatMap((end, i) => told(end === "ok" ? story.complete(`m/${i}`) : story.fail(`m/${i}`)));
    expect(events.at(-1)).toContain(expected);
  });

  test("minSuccess is of all subtasks, over all rounds", () => {
    const story = crew({}, { minSuccess: 2 });
    const spec = { skills: ["x"], retry: { maxAttempts: 1 } };
    story.plan("m", spec, spec, spec);
    story.complete("m/0");
    story.complete("m/1");
    story.fail("m/2");
    story.plan("m", spec);
    expect(told(story.fail("m/3")).at(-1)).toBe("m aggregates on boss");
  });

  test("a skipped subtask counts as one that did not succeed", () => {
    const story = crew();
    story.plan(
      "m",
      { id: "a", skills: ["x"], retry: { maxAttempts: 1 } },
      { id: "b", skills: ["y"], dependsOn: ["a"] },
    );
    expect(told(story.fail("m/a"))).toEqual([
      "m/a attempt failed",
      "m/a failed: TASK_FAILED",
      "m/b skipped for m/a",
      "m failed: TASK_FAILED",
    ]);
    expect(story.task("m").error?.details?.causes).toHaveLength(2);
  });

  test("cancelling a manager cancels its subtree; it has ended when every attempt has ended or been abandoned", () => {
    const story = crew();
    story.plan("m", { skills: ["x"], graceMs: 300 }, { skills: ["y"] }, { skills: ["nobody"] });
    expect(told(story.do({ type: "task.cancel", taskId: "m", reason: "no more" }))).toEqual([
      "m is ending",
      "m/0 is ending",
      "m/0 stops: cancelled",
      "m/1 is ending",
      "m/1 stops: cancelled",
      "m/2 cancelled",
    ]);
    story.fail("m/1");
    expect(story.status("m", "m/1")).toBe("waiting cancelled");
    expect(told(story.after(300))).toEqual(["m/0 attempt abandoned", "m/0 cancelled", "m cancelled"]);
  });

  test("a manager whose own attempt fails for good takes what its code submitted with it", () => {
    const story = crew();
    story.spawn("m", { id: "side", skills: ["x"] });
    story.fail("m", { retryable: false });
    expect(story.status("m", "m/side")).toBe("waiting running");
    story.fail("m/side");
    expect(story.status("m", "m/side")).toBe("failed cancelled");
  });

  test("an ordinary agent has no plan to give, and a plan phase no output", () => {
    const story = crew();
    expect(story.refusal(story.completion("m")).code).toBe("INVALID_STATE");
    story.plan("m", { skills: ["x"] });
    expect(story.refusal({ type: "attempt.plan", ...story.from("m/0"), tasks: [] }).code).toBe("INVALID_STATE");
  });

  test("at most 32 tasks above one another are those of others", () => {
    const story = new Story();
    story.agent("ann", { capacity: 99 });
    story.submit({ id: "0" });
    let id = "0";
    for (let above = 1; above <= limits.managerDepth; above++) {
      story.spawn(id, { id: "s" });
      id += "/s";
    }
    expect(story.refusal({ type: "task.submit", from: story.from(id), tasks: [{ id: "s" }] }).code).toBe(
      "INVALID_ARGUMENT",
    );
  });

  test("32 managers may stand above one another, each with a plan, and no more", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("w");
    for (let level = 33; level > 0; level--) story.manager(`m${level}`, [level === 33 ? "w" : `m${level + 1}`]);
    story.submit({ id: "t", agent: "m1" });
    let id = "t";
    for (let level = 1; level <= 32; level++) {
      story.plan(id, { id: "s" });
      id += "/s";
    }
    expect(story.running).toBe(id);
    const plan: Command = { type: "attempt.plan", ...story.from(id), tasks: [{ id: "s" }] };
    expect(story.refusal(plan)).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("a manager survives a restart between any two events: nothing done is done again", () => {
    const story = crew();
    story.plan("m", { skills: ["x"] }, { skills: ["x"] });
    story.complete("m/0", "first");
    story.crash(1_000);
    story.agent("ann", { skills: ["x"], capacity: 9 });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    expect(told(story.after(1_000))).toEqual(["m/1 starts on ann"]);
    expect(told(story.complete("m/1"))).toEqual(["m/1 completed", "m aggregates on boss"]);
    story.crash(1_000);
    story.manager("boss", ["ann"], { skills: ["lead"] });
    expect(told(story.after(1_000))).toEqual(["m aggregates on boss"]);
    expect(story.task("m/0").attempts).toHaveLength(1);
  });

  test("a person's retry of a failed subtask, then of the manager, goes on from there", () => {
    const story = crew();
    story.plan("m", { skills: ["x"], retry: { maxAttempts: 1 } });
    story.fail("m/0");
    expect(story.refusal({ type: "task.retry", taskId: "m" }).code).toBe("INVALID_STATE");
    expect(told(story.do({ type: "task.retry", taskId: "m/0" }))).toEqual(["m/0 starts on ann"]);
    story.complete("m/0");
    expect(told(story.do({ type: "task.retry", taskId: "m" }))).toEqual(["m aggregates on boss"]);
  });

  test("failFast does not begin a round that cannot be enough", () => {
    const story = crew({}, { failFast: true, minSuccess: 3 });
    expect(told(story.plan("m", { skills: ["x"] }, { skills: ["y"] }))).toEqual([
      "m is ending",
      "m/0 cancelled",
      "m/1 cancelled",
      "m failed: TASK_FAILED",
    ]);
  });
});

test("a round is judged when all of it is there, also when one of it is skipped at once", () => {
  const story = crew({}, { minSuccess: 1 });
  story.submit({ id: "gone", skills: ["x"] });
  story.fail("gone", { retryable: false });
  story.plan("m", { id: "skipped", skills: ["x"], dependsOn: ["gone"] }, { id: "does", skills: ["x"] });
  expect(story.status("m", "m/skipped", "m/does")).toBe("waiting skipped running");
  expect(told(story.complete("m/does"))).toEqual(["m/does completed", "m aggregates on boss"]);
});

test("a round is judged once, when it ends: not again when one of it that was tried again fails", () => {
  const story = crew({}, { minSuccess: 1 });
  story.plan("m", { id: "does", skills: ["x"] }, { id: "fails", skills: ["x"], retry: { maxAttempts: 1 } });
  story.fail("m/fails");
  story.do({ type: "task.pause", taskId: "m" });
  story.complete("m/does");
  story.do({ type: "task.retry", taskId: "m/fails" });
  story.manager("boss", ["ann", "bob"], { skills: ["lead"], minSuccess: "all" });
  expect(told(story.fail("m/fails"))).toEqual(["m/fails attempt failed", "m/fails failed: TASK_FAILED"]);
  expect(told(story.do({ type: "task.resume", taskId: "m" }))).toEqual(["m aggregates on boss"]);
});

describe("a restart after any step, and another after the next", () => {
  const steps: readonly ((story: Story) => unknown)[] = [
    (story) => story.submit({ id: "m", agent: "boss" }),
    (story) => story.plan("m", { id: "a", skills: ["x"] }, { id: "sub", agent: "under" }),
    (story) => story.complete("m/a", "a"),
    (story) => story.plan("m/sub", { id: "b", skills: ["x"] }, { id: "c", skills: ["x"], dependsOn: ["b"] }),
    (story) => story.complete("m/sub/b", "b"),
    (story) => story.complete("m/sub/c", "c"),
    (story) => story.complete("m/sub", "sub"),
    (story) => story.plan("m", { id: "d", skills: ["x"], dependsOn: ["a"] }),
    (story) => story.complete("m/d", "d"),
    (story) => story.complete("m", "all"),
  ];

  function crewOf(story: Story): void {
    story.agent("ann", { skills: ["x"], capacity: 9 });
    story.manager("under", ["ann"]);
    story.manager("boss", ["ann", "under"]);
  }

  /** What was done, and not again, in the order of the tasks. */
  function done(story: Story): readonly string[] {
    return ["m", "m/a", "m/sub", "m/sub/b", "m/sub/c", "m/d"].map((id) => {
      const { output, attempts } = story.task(id);
      return `${id}=${output}: ${attempts.filter(({ end }) => end === "completed").map(({ phase }) => phase)}`;
    });
  }

  const whens = [...steps.keys()];
  test.each(whens.flatMap((when) => (["log", "snapshot"] as const).map((from) => ({ when, from }))))(
    "does nothing again that is done: after step $when, from the $from",
    ({ when, from }) => {
      const story = new Story({ concurrency: 9 });
      crewOf(story);
      for (const [at, step] of steps.entries()) {
        step(story);
        // No more: a task whose process dies three times is given up.
        if (at !== when && at !== when + 1) continue;
        if (from === "snapshot") story.kernel = Kernel.restore([...story.kernel.snapshot()]);
        if (from === "snapshot") story.do({ type: "coordinator.open" });
        else story.crash(1_000);
        crewOf(story);
        // Those whose attempts were lost are tried again.
        story.after(60_000);
      }
      expect(done(story)).toEqual([
        "m=all: plan,aggregate,aggregate",
        "m/a=a: run",
        "m/sub=sub: plan,aggregate",
        "m/sub/b=b: run",
        "m/sub/c=c: run",
        "m/d=d: run",
      ]);
    },
  );
});
