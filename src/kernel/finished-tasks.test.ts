import { describe, expect, test } from "vitest";
import type { Command } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";
import { Story } from "./story.fixture.ts";

const WORKER = { type: "agent.register", agent: { name: "ann", kind: "agent", capacity: 9 } } as const;

/** A kernel that keeps so much of what has ended; tasks that were asked to are completed in turn. */
class Keeping extends Story {
  readonly departed: string[] = [];
  readonly archive: Map<string, string> = new Map();

  constructor(settings: ConstructorParameters<typeof Story>[0]) {
    super(settings);
    this.do(WORKER);
  }

  override send(...envelopes: Parameters<Story["send"]>): ReturnType<Story["send"]> {
    const recalled = new Map(this.archive);
    const { events, answers, departed } = this.kernel.batch(
      envelopes.map((envelope) => ({ ...envelope, recalled })),
      this.now,
    );
    for (const { id, row } of departed) {
      this.departed.push(id);
      this.archive.set(id, row);
    }
    this.log.push(...events);
    return { events: [...events], answers };
  }

  finish(...ids: string[]): void {
    for (const id of ids) {
      this.do({ type: "task.submit", tasks: [{ id }] });
      this.do(this.completion(id));
    }
  }
}

describe("of what has ended", () => {
  test("so much is kept, and what was there first leaves first", () => {
    const story = new Keeping({ keepCount: 2 });
    story.finish("a", "b", "c", "d");
    expect(story.departed).toEqual(["a", "b"]);
    expect(story.kernel.tasks().map(({ id }) => id)).toEqual(["c", "d"]);
    expect(story.kernel.task("a")).toBe(undefined);
    expect(story.task("d").status).toBe("completed");
  });

  test("nothing is kept where nothing is to be", () => {
    const story = new Keeping({ keepCount: 0 });
    story.finish("a");
    expect(story.departed).toEqual(["a"]);
    expect(story.kernel.counts().completed).toBe(1);
  });

  test("what is old enough leaves when the next task ends", () => {
    const story = new Keeping({ keepMs: 1_000 });
    story.finish("a", "b");
    story.now += 999;
    story.finish("c");
    expect(story.departed).toEqual([]);
    story.now += 1;
    story.finish("d");
    expect(story.departed).toEqual(["a", "b"]);
  });

  test("a smaller limit is reached step by step", () => {
    const story = new Keeping({});
    story.finish(...Array.from({ length: 9 }, (_, i) => `a${i}`));
    story.do({ type: "coordinator.close" });
    story.do({ type: "coordinator.open", keepCount: 1 }, WORKER);
    story.finish("b");
    expect(story.departed).toHaveLength(4);
    story.finish("c", "d");
    expect(story.kernel.tasks().map(({ id }) => id)).toEqual(["d"]);
  });

  test("a tree leaves whole, once all of it has ended", () => {
    const story = new Keeping({ keepCount: 0 });
    const lead = { name: "lead", kind: "manager", skills: ["lead"], team: ["ann"] } as const;
    story.do({ type: "agent.register", agent: lead });
    story.do({ type: "task.submit", tasks: [{ id: "m", skills: ["lead"] }] });
    story.do({ type: "attempt.plan", ...story.from("m"), tasks: [{ id: "x" }, { id: "y" }] });
    story.do(story.completion("m/x"), story.completion("m/y"));
    expect(story.departed).toEqual([]);
    expect(story.task("m/x").status).toBe("completed");
    story.do(story.completion("m"));
    expect(story.departed).toEqual(["m", "m/x", "m/y"]);
    expect(story.kernel.finishedTask(story.archive.get("m") ?? "").children).toEqual(["m/x", "m/y"]);
  });

  test("a failed task that is kept can be tried again, with its relatives", () => {
    const story = new Keeping({});
    const lead = { name: "lead", kind: "manager", skills: ["lead"], team: ["ann"] } as const;
    story.do({ type: "agent.register", agent: lead });
    story.do({ type: "task.submit", tasks: [{ id: "m", skills: ["lead"], retry: { maxAttempts: 1 } }] });
    const tasks = [{ id: "x", retry: { maxAttempts: 1 } }, { id: "y" }];
    story.do({ type: "attempt.plan", ...story.from("m"), tasks });
    story.do(story.failure("m/x"), story.completion("m/y"));
    expect(story.task("m").status).toBe("failed");
    story.do({ type: "task.retry", taskId: "m/x" });
    story.do(story.completion("m/x"));
    story.do({ type: "task.retry", taskId: "m" });
    expect(story.task("m")).toMatchObject({ status: "running", children: ["m/x", "m/y"], planned: 2 });
    story.do(story.completion("m"));
    expect(story.kernel.tasks().map(({ id, status }) => `${id} ${status}`)).toEqual([
      "m completed",
      "m/x completed",
      "m/y completed",
    ]);
  });

  test("a tree that was tried again leaves by its last end", () => {
    const story = new Keeping({ keepCount: 2 });
    story.do({ type: "task.submit", tasks: [{ id: "a", retry: { maxAttempts: 1 } }] });
    story.do(story.failure("a"));
    story.finish("b");
    story.do({ type: "task.retry", taskId: "a" });
    story.do(story.completion("a"));
    story.finish("c");
    expect(story.departed).toEqual(["b"]);
    const twin = Kernel.restore([...story.kernel.snapshot()]);
    expect([...twin.snapshot()]).toEqual([...story.kernel.snapshot()]);
    story.finish("d");
    expect(story.departed).toEqual(["b", "a"]);
  });
});

test("what ends because its process died leaves with the opening that finds it", () => {
  const story = new Keeping({ keepCount: 0 });
  story.do({
    type: "task.submit",
    tasks: [
      { id: "a", retry: { maxAttempts: 1 } },
      { id: "b", dependsOn: ["a"] },
    ],
  });
  story.crash(10, { keepCount: 0 });
  expect(story.departed).toEqual(["a", "b"]);
  expect(story.kernel.finishedTask(story.archive.get("a") ?? "").status).toBe("failed");
});

test("a log that does not say how much is kept keeps all", () => {
  const story = new Keeping({ keepCount: 1 });
  story.finish("a", "b", "c");
  const kernel = new Kernel();
  for (const event of story.log) {
    const old = { ...event };
    if (old.type === "coordinator.opened") Reflect.deleteProperty(old, "keepCount");
    kernel.replay(old);
  }
  expect(kernel.tasks().map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("of a chain of which each is submitted before the one before has ended, none keeps those before it", () => {
  const state = new State();
  const kernel = new Kernel(state);
  const send = (...commands: Command[]) =>
    kernel.batch(
      commands.map((command) => ({ command })),
      1,
    );
  send({ type: "coordinator.open", keepCount: 0 }, WORKER, { type: "task.submit", tasks: [{ id: "n0" }] });
  for (let n = 1; n < 5; n++) {
    send({ type: "task.submit", tasks: [{ id: `n${n}`, dependsOn: [`n${n - 1}`] }] });
    const token = state.tasks.get(`n${n - 1}`)?.live?.token ?? 0;
    send({ type: "attempt.complete", taskId: `n${n - 1}`, token, output: null });
  }
  const [last] = state.tasks.values();
  expect([last?.id, last?.dependsOn.map(({ id, dependsOn }) => [id, dependsOn.length])]).toEqual(["n4", [["n3", 0]]]);
});

describe("what has left memory", () => {
  function gone(): Keeping {
    const story = new Keeping({ keepCount: 0 });
    story.do({ type: "task.submit", tasks: [{ id: "good" }, { id: "bad", retry: { maxAttempts: 1 } }] });
    story.do(story.completion("good"), story.failure("bad"));
    expect(story.departed).toEqual(["good", "bad"]);
    return story;
  }

  test("is the same task again for whoever submits it again, and is refused to another", () => {
    const story = gone();
    expect(story.do({ type: "task.submit", tasks: [{ id: "good" }] })).toEqual([]);
    expect(story.refusal({ type: "task.submit", tasks: [{ id: "good", name: "other" }] }).code).toBe("DUPLICATE_ID");
  });

  test("can be depended on, as it ended, also when that is replayed", () => {
    const story = gone();
    story.do({
      type: "task.submit",
      tasks: [
        { id: "a", dependsOn: ["good"] },
        { id: "b", dependsOn: ["good", "bad"] },
        { id: "c", dependsOn: ["bad"], onDependencyFailure: "run" },
      ],
    });
    expect(story.task("a").status).toBe("running");
    expect(story.archive.has("b")).toBe(true);
    expect(story.kernel.finishedTask(story.archive.get("b") ?? "")).toMatchObject({
      status: "skipped",
      error: { code: "DEPENDENCY_FAILED", details: { dependency: "bad", cause: { code: "TASK_FAILED" } } },
    });
    expect(story.task("c").status).toBe("running");
    const replayed = new Kernel();
    for (const event of story.log) replayed.replay(event);
    expect([...replayed.snapshot()]).toEqual([...story.kernel.snapshot()]);
  });

  test("is known to what comes later in the same batch", () => {
    const story = new Keeping({ keepCount: 0 });
    story.do({ type: "task.submit", tasks: [{ id: "a" }] });
    story.do(story.completion("a"), { type: "task.submit", tasks: [{ id: "b", dependsOn: ["a"] }] });
    expect(story.task("b").status).toBe("running");
  });

  test("is not known where the archive was not asked", () => {
    const story = gone();
    story.archive.clear();
    expect(story.refusal({ type: "task.submit", tasks: [{ dependsOn: ["good"] }] }).code).toBe("UNKNOWN_TASK");
    expect(story.refusal({ type: "task.retry", taskId: "bad" }).code).toBe("UNKNOWN_TASK");
  });
});

test("a tree that was tried again and again stands in the line by its last end only", () => {
  const story = new Keeping({ keepCount: 2 });
  story.do({ type: "task.submit", tasks: [{ id: "a", retry: { maxAttempts: 1 } }] });
  story.do(story.failure("a"));
  for (let again = 0; again < 3; again++) {
    story.do({ type: "task.retry", taskId: "a" });
    story.do(story.failure("a"));
  }
  story.finish("b");
  const twin = Kernel.restore([...story.kernel.snapshot()]);
  expect([...twin.snapshot()]).toEqual([...story.kernel.snapshot()]);
  expect(story.departed).toEqual([]);
  story.finish("c", "d", "e");
  expect(story.departed).toEqual(["a", "b", "c"]);
});

test("the lines are what archives hold, and stay as they are", () => {
  const story = new Keeping({ keepCount: 0 });
  const lead = { name: "lead", kind: "manager", skills: ["lead"], team: ["ann"], minSuccess: 0 } as const;
  story.do({ type: "agent.register", agent: lead });
  story.do({ type: "task.submit", tasks: [{ id: "plain" }, { id: "m", skills: ["lead"], priority: 3 }] });
  story.now += 4;
  story.do(story.completion("plain", { x: 1 }));
  expect(story.archive.get("plain")).toBe('[0,1,1000000,{"taskId":"plain"},[["ann",1,0,4,0]],4,{"x":1}]');
  story.do({ type: "task.submit", from: story.from("m"), tasks: [{ id: "own" }] });
  story.do({ type: "attempt.plan", ...story.from("m"), tasks: [{ id: "x", retry: { maxAttempts: 1 } }, { id: "y" }] });
  story.do({ type: "task.prioritize", taskId: "m", priority: 8 });
  story.do({ type: "task.cancel", taskId: "m/y" }, story.failure("m/x"), story.completion("m/own"));
  story.after(5_000);
  story.do(story.completion("m", [1]));
  expect(["m", "m/x", "m/y"].map((id) => story.archive.get(id))).toEqual([
    '[0,2,1000000,{"taskId":"m","skills":["lead"],"priority":3},[["lead",2,0,4,0,1],["lead",6,5004,0,0,2]],5004,[1],' +
      '{"priority":8,"phase":"aggregate","round":1,"children":["m/x","m/y","m/own"],"planned":2}]',
    '[1,4,1000004,{"taskId":"m/x","priority":3,"retry":{"maxAttempts":1},"parentId":"m","round":1,"scope":"lead"},' +
      '[["ann",4,0,0,1,0,{"code":"TASK_FAILED","message":"no"}]],0,null,{"error":{"code":"TASK_FAILED","message":"no",' +
      '"retryable":false,"details":{"cause":{"code":"TASK_FAILED","message":"no"}}}}]',
    '[3,5,1000004,{"taskId":"m/y","priority":3,"parentId":"m","round":1,"scope":"lead"},[["ann",5,0,5000,6]],5000,null,' +
      '{"error":{"code":"CANCELLED","message":"cancelled"}}]',
  ]);
  expect(story.kernel.finishedTask(story.archive.get("m") ?? "")).toMatchObject({
    endedAt: 1_005_004,
    round: 1,
    priority: 8,
    output: [1],
    attempts: [{ phase: "plan" }, { phase: "aggregate", startedAt: 1_005_004 }],
  });
  story.do({ type: "coordinator.close" });
  story.now += 60;
  story.do({ type: "coordinator.open", keepCount: 0 }, WORKER);
  story.finish("later");
  expect(story.archive.get("later")).toBe('[0,6,1005064,{"taskId":"later"},[["ann",7,0,0,0]],0,null,{"closedMs":60}]');
  const failed = story.kernel.finishedTask(story.archive.get("m/x") ?? "");
  expect([failed.output, failed.endedAt]).toEqual([undefined, 1_000_004]);
});

test("a line tells of a task what the task told", () => {
  const story = new Keeping({});
  story.do({ type: "resource.set", resource: "disk", kind: "storage", capacity: 3 });
  story.do({
    type: "task.submit",
    tasks: [
      {
        id: "all",
        name: "everything",
        input: { __proto__: null, x: [1] },
        context: "why",
        priority: 7,
        resources: { disk: 0.5 },
        timeoutMs: 900,
        deadlineMs: 90_000,
        retry: { maxAttempts: 2, initialMs: 10, jitter: false },
      },
    ],
  });
  story.now += 5;
  story.do({ type: "task.prioritize", taskId: "all", priority: 9 }, story.failure("all"));
  story.after(20);
  const running = story.task("all");
  const twin = Kernel.restore([...story.kernel.snapshot()]);
  story.now += 7;
  story.do(story.completion("all"));
  const { attempts, ...rest } = story.task("all");
  expect(rest).toMatchObject({ input: { x: [1] }, context: "why", priority: 9, deadlineAt: running.deadlineAt });
  expect(attempts).toEqual([running.attempts[0], { ...running.attempts[1], end: "completed", endedAt: story.now }]);
  expect(rest.submittedAt).toBe(running.submittedAt);
  expect(twin.task("all")).toEqual(running);
});
