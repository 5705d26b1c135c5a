import { describe, expect, test } from "vitest";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import { TaskArbitrator } from "./task-arbitrator.ts";

function refusal(call: () => unknown): SafeguardsError {
  try {
    call();
  } catch (error) {
    if (error instanceof SafeguardsError) return error;
    throw error;
  }
  throw new Error("the call was accepted");
}

const codeOf = (call: () => unknown): ErrorCode => refusal(call).code;

/** An arbitrator with these tasks, each `[id, priority]` or a spec, registered at time 0 in this order. */
function arbitrator(
  options: ConstructorParameters<typeof TaskArbitrator>[0],
  ...tasks: (string | Parameters<TaskArbitrator["register"]>[0])[]
): TaskArbitrator {
  const made = new TaskArbitrator(options);
  for (const task of tasks) made.register(typeof task === "string" ? { id: task } : task, 0);
  return made;
}

describe("order", () => {
  test("at most maxConcurrent run, 5 by default, the highest priority first, then the earliest registered", () => {
    const tasks = arbitrator({}, "a", "b", { id: "urgent", priority: 9 }, "c", "d", "e");
    expect(tasks.startReady(0)).toEqual(["urgent", "a", "b", "c", "d"]);
    expect(tasks.running()).toEqual(["urgent", "a", "b", "c", "d"]);
    expect(tasks.status("e")).toBe("pending");
  });

  test("with aging one step of priority is worth agingMs of waiting", () => {
    const tasks = new TaskArbitrator({ maxConcurrent: 1, agingMs: 100, preempt: false });
    tasks.register({ id: "running" }, 0);
    tasks.startReady(0);
    tasks.register({ id: "patient", priority: 1 }, 0);
    tasks.register({ id: "late", priority: 2 }, 101);
    tasks.register({ id: "early", priority: 3 }, 199);
    expect(tasks.complete("running", 200)).toEqual(["early"]);
    expect(tasks.complete("early", 200)).toEqual(["patient"]);
  });

  test("registering starts nothing, and completing one starts exactly the next", () => {
    const tasks = arbitrator({ maxConcurrent: 2 }, "a", "b", "c", "d");
    expect(tasks.running()).toEqual([]);
    expect(tasks.startReady(0)).toEqual(["a", "b"]);
    expect(tasks.complete("a", 1)).toEqual(["c"]);
    expect(tasks.running()).toEqual(["b", "c"]);
  });
});

describe("dependencies", () => {
  test("a task is blocked until all that it depends on has completed", () => {
    const tasks = arbitrator({}, "a", "b", { id: "c", dependsOn: ["a", "b", "a"] });
    expect(tasks.status("c")).toBe("blocked");
    tasks.startReady(0);
    expect(tasks.complete("a", 1)).toEqual([]);
    expect(tasks.complete("b", 2)).toEqual(["c"]);
  });

  test("a cycle is refused and named, each id depending on the next, instead of waiting for ever", () => {
    const tasks = arbitrator({}, "a", { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: ["b"] });
    const error = refusal(() => tasks.addDependency("a", "c"));
    expect(error.code).toBe("DEPENDENCY_CYCLE");
    expect(error.details).toEqual({ cycle: ["c", "b", "a"] });
    expect(tasks.startReady(0)).toEqual(["a"]);
  });

  test("a long cycle is named in short, and told whole", () => {
    const ids = Array.from({ length: 11 }, (_, i) => `a task with a name as long as this ${i}`);
    const tasks = arbitrator({}, ...ids.map((id, i) => ({ id, dependsOn: ids.slice(Math.max(0, i - 1), i) })));
    const [first = "", last = ""] = [ids.at(0), ids.at(-1)];
    const { message, details } = refusal(() => tasks.addDependency(first, last));
    expect(message).toHaveLength("tasks would wait for each other for ever: ".length + 200 + "… (11 tasks)".length);
    expect(message).toMatch(/… \(11 tasks\)$/);
    expect(details).toEqual({ cycle: ids.toReversed() });
  });

  test("a dependency on itself is a cycle of one", () => {
    const tasks = arbitrator({}, "a");
    expect(refusal(() => tasks.addDependency("a", "a")).details).toEqual({ cycle: ["a"] });
    expect(refusal(() => tasks.register({ id: "b", dependsOn: ["b"] }, 0)).details).toEqual({ cycle: ["b"] });
  });

  test("a failed or cancelled dependency skips its dependents, transitively, instead of leaving them pending", () => {
    for (const end of ["fail", "cancel"]) {
      const tasks = arbitrator({}, "a", { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: ["b"] }, "d");
      tasks.pause("b", 0);
      tasks.startReady(0);
      if (end === "fail") tasks.complete("a", 1, { success: false });
      else tasks.cancel("a", 1);
      expect(["b", "c", "d"].map((id) => tasks.status(id))).toEqual(["skipped", "skipped", "running"]);
    }
  });

  test("a task registered on one that has failed is skipped; on one that has completed it can start", () => {
    const tasks = arbitrator({}, "bad", "good");
    tasks.startReady(0);
    tasks.complete("bad", 1, { success: false });
    tasks.complete("good", 1);
    tasks.register({ id: "x", dependsOn: ["good", "bad"] }, 2);
    tasks.register({ id: "y", dependsOn: ["good"] }, 2);
    expect([tasks.status("x"), tasks.status("y")]).toEqual(["skipped", "pending"]);
  });

  test("a pending task that gets a dependency is blocked by it, and skipped when that has failed", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "bad", "a", "b", { id: "c", dependsOn: ["b"] });
    tasks.startReady(0);
    tasks.addDependency("b", "a");
    expect(tasks.status("b")).toBe("blocked");
    tasks.complete("bad", 1, { success: false });
    tasks.addDependency("b", "bad");
    expect([tasks.status("b"), tasks.status("c")]).toEqual(["skipped", "skipped"]);
  });

  test("a task that runs or has ended gets no dependency", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a", "b");
    tasks.startReady(0);
    expect(codeOf(() => tasks.addDependency("a", "b"))).toBe("INVALID_STATE");
    tasks.complete("a", 1);
    expect(codeOf(() => tasks.addDependency("a", "b"))).toBe("INVALID_STATE");
  });

  test("a chain of 50 000 is skipped from its first to its last", () => {
    const tasks = arbitrator({}, "0");
    for (let i = 1; i < 50_000; i++) tasks.register({ id: `${i}`, dependsOn: [`${i - 1}`] }, 0);
    expect(codeOf(() => tasks.addDependency("0", "49999"))).toBe("DEPENDENCY_CYCLE");
    tasks.cancel("0", 1);
    expect(tasks.status("49999")).toBe("skipped");
  });
});

describe("preemption", () => {
  test("a higher priority stops the lowest, the latest started among equals", () => {
    const tasks = arbitrator(
      { maxConcurrent: 3 },
      { id: "a", priority: 2 },
      { id: "b", priority: 1 },
      { id: "c", priority: 1 },
    );
    tasks.startReady(0);
    tasks.register({ id: "urgent", priority: 3 }, 1);
    expect(tasks.start("urgent", 1)).toEqual({ started: true, preempted: "c" });
    expect(tasks.status("c")).toBe("paused");
  });

  test("what was stopped keeps its place and resumes by itself", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "first", "second");
    tasks.startReady(0);
    tasks.register({ id: "urgent", priority: 9 }, 1);
    expect(tasks.startReady(1)).toEqual(["urgent"]);
    expect(tasks.complete("urgent", 2)).toEqual(["first"]);
    expect(tasks.status("second")).toBe("pending");
  });

  test("an equal priority, a task that is not preemptible, and preempt: false stop nobody", () => {
    const equal = arbitrator({ maxConcurrent: 1 }, "a", "b");
    equal.startReady(0);
    expect(equal.start("b", 0)).toEqual({ started: false, reason: "concurrency" });
    const fixed = arbitrator({ maxConcurrent: 1 }, { id: "a", preemptible: false });
    const off = arbitrator({ maxConcurrent: 1, preempt: false }, "a");
    for (const tasks of [fixed, off]) {
      tasks.startReady(0);
      tasks.register({ id: "urgent", priority: 9 }, 0);
      expect(tasks.start("urgent", 0)).toEqual({ started: false, reason: "concurrency" });
      expect(tasks.startReady(0)).toEqual([]);
    }
  });

  test("a lower priority that has waited so long that its key is earlier is not stopped", () => {
    const tasks = new TaskArbitrator({ maxConcurrent: 1, agingMs: 10 });
    tasks.register({ id: "old", priority: 1 }, 0);
    tasks.startReady(0);
    tasks.register({ id: "urgent", priority: 9 }, 1_000);
    expect(tasks.start("urgent", 1_000)).toEqual({ started: false, reason: "concurrency" });
  });

  test("with aging, one that is not the first in order may be the one that goes before a running task", () => {
    const tasks = new TaskArbitrator({ maxConcurrent: 1, agingMs: 100 });
    tasks.register({ id: "root" }, 0);
    tasks.register({ id: "old", priority: 1, dependsOn: ["root"] }, 0);
    tasks.startReady(0);
    tasks.register({ id: "running", priority: 3 }, 500);
    tasks.pause("running", 500);
    tasks.complete("root", 500);
    tasks.pause("old", 500);
    tasks.resume("running", 500);
    tasks.register({ id: "urgent", priority: 9 }, 900);
    // Keys: old −100, urgent 0, running 200; old has the lower priority, so it stops nobody, and urgent does.
    expect(tasks.resume("old", 900)).toEqual(["urgent"]);
    expect(tasks.status("running")).toBe("paused");
  });

  test("after three preemptions a task is shielded", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "victim");
    tasks.startReady(0);
    for (let i = 1; i <= 3; i++) {
      tasks.register({ id: `urgent${i}`, priority: 9 }, i);
      expect(tasks.start(`urgent${i}`, i)).toEqual({ started: true, preempted: "victim" });
      expect(tasks.complete(`urgent${i}`, i)).toEqual(["victim"]);
    }
    tasks.register({ id: "urgent4", priority: 9 }, 4);
    expect(tasks.start("urgent4", 4)).toEqual({ started: false, reason: "concurrency" });
  });
});

describe("inheritance", () => {
  test("a task has the priority of what waits for it, through others, for admission and for eviction", () => {
    const tasks = arbitrator(
      { maxConcurrent: 1 },
      { id: "middle", priority: 5 },
      { id: "low", priority: 1 },
      { id: "between", priority: 1, dependsOn: ["low"] },
      { id: "high", priority: 9, dependsOn: ["between"] },
    );
    expect(tasks.startReady(0)).toEqual(["low"]);
    expect(tasks.start("middle", 0)).toEqual({ started: false, reason: "concurrency" });
    expect(tasks.cancel("high", 1)).toEqual(["middle"]);
    expect(tasks.status("low")).toBe("paused");
  });

  test("a dependency added later lends its priority too", () => {
    const tasks = arbitrator(
      { maxConcurrent: 1 },
      { id: "a", priority: 5 },
      { id: "b", priority: 1 },
      { id: "c", priority: 9 },
    );
    tasks.pause("c", 0);
    tasks.addDependency("c", "b");
    expect(tasks.startReady(0)).toEqual(["b"]);
  });
});

describe("holding", () => {
  test("a paused task is held until resume, and another runs in its place", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a", "b");
    tasks.startReady(0);
    expect(tasks.pause("a", 1)).toEqual({ paused: true, started: ["b"] });
    expect(tasks.complete("b", 2)).toEqual([]);
    expect(tasks.start("a", 2)).toEqual({ started: false, reason: "held" });
    expect(tasks.resume("a", 3)).toEqual(["a"]);
  });

  test("a pending and a blocked task can be held, and go back to what they were", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a", "b", { id: "c", dependsOn: ["b"] });
    tasks.startReady(0);
    for (const id of ["b", "c"]) expect(tasks.pause(id, 1)).toEqual({ paused: true, started: [] });
    expect(["b", "c"].map((id) => tasks.status(id))).toEqual(["paused", "paused"]);
    for (const id of ["b", "c"]) expect(tasks.resume(id, 2)).toEqual([]);
    expect(["b", "c"].map((id) => tasks.status(id))).toEqual(["pending", "blocked"]);
  });

  test("a preempted task that a person then pauses does not resume by itself", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a");
    tasks.startReady(0);
    tasks.register({ id: "urgent", priority: 9 }, 1);
    tasks.startReady(1);
    tasks.pause("a", 2);
    expect(tasks.complete("urgent", 3)).toEqual([]);
    expect(tasks.resume("a", 4)).toEqual(["a"]);
  });

  test("a held task whose dependencies complete meanwhile starts only after resume", () => {
    const tasks = arbitrator({}, "a", { id: "b", dependsOn: ["a"] });
    tasks.startReady(0);
    tasks.pause("b", 0);
    expect(tasks.complete("a", 1)).toEqual([]);
    expect(tasks.status("b")).toBe("paused");
    expect(tasks.resume("b", 2)).toEqual(["b"]);
  });
});

describe("states", () => {
  test("only what is running completes", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a", "b", { id: "c", dependsOn: ["a"] });
    tasks.startReady(0);
    for (const id of ["b", "c"]) expect(codeOf(() => tasks.complete(id, 0))).toBe("INVALID_STATE");
    tasks.pause("a", 0);
    expect(codeOf(() => tasks.complete("a", 0))).toBe("INVALID_STATE");
  });

  test("what has ended stays as it is", () => {
    const tasks = arbitrator({}, "a", "b", { id: "c", dependsOn: ["b"] }, "d");
    tasks.startReady(0);
    tasks.complete("a", 1);
    tasks.complete("b", 1, { success: false });
    tasks.cancel("d", 1);
    for (const [id, status] of Object.entries({ a: "completed", b: "failed", c: "skipped", d: "cancelled" })) {
      expect(tasks.start(id, 2)).toEqual({ started: false, reason: "finished" });
      expect(tasks.pause(id, 2)).toEqual({ paused: false, started: [] });
      expect(tasks.resume(id, 2)).toEqual([]);
      expect(tasks.cancel(id, 2)).toEqual([]);
      expect(codeOf(() => tasks.complete(id, 2))).toBe("INVALID_STATE");
      expect(tasks.status(id)).toBe(status);
    }
  });

  test("start says why not, and is true for what runs already", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, "a", "b", { id: "c", dependsOn: ["a"] });
    expect(tasks.start("a", 0)).toEqual({ started: true });
    expect(tasks.start("a", 0)).toEqual({ started: true });
    expect(tasks.start("b", 0)).toEqual({ started: false, reason: "concurrency" });
    expect(tasks.start("c", 0)).toEqual({ started: false, reason: "dependencies" });
  });

  test("start gives a free slot to the task that it names, whatever goes first", () => {
    const tasks = arbitrator({ maxConcurrent: 1 }, { id: "urgent", priority: 9 }, "a");
    expect(tasks.start("a", 0)).toEqual({ started: true });
  });
});

describe("refusals", () => {
  test.each<[ErrorCode, (tasks: TaskArbitrator) => unknown]>([
    ["DUPLICATE_ID", (tasks) => tasks.register({ id: "a" }, 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.register({ id: "b", dependsOn: ["nobody"] }, 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.addDependency("a", "nobody")],
    ["UNKNOWN_TASK", (tasks) => tasks.start("nobody", 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.pause("nobody", 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.resume("constructor", 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.complete("__proto__", 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.cancel("nobody", 0)],
    ["UNKNOWN_TASK", (tasks) => tasks.status("nobody")],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "" }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "a/b" }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "b", priority: 1.5 }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "b", priority: 1_000_001 }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "b", agentId: "" }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "b", estimatedMs: -1 }, 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register(Object.assign({ id: "b" }, { prio: 1 }), 0)],
    ["INVALID_ARGUMENT", (tasks) => tasks.register({ id: "b" }, Number.NaN)],
    ["INVALID_ARGUMENT", (tasks) => tasks.complete("a", 0, Object.assign({ success: true }, { ok: true }))],
    ["INVALID_ARGUMENT", () => new TaskArbitrator({ maxConcurrent: 0 })],
    ["INVALID_ARGUMENT", () => new TaskArbitrator({ agingMs: -1 })],
    ["INVALID_ARGUMENT", () => new TaskArbitrator(Object.assign({ preempt: true }, { concurrency: 1 }))],
  ])("%s: %s", (code, call) => {
    const tasks = arbitrator({}, "a");
    expect(codeOf(() => call(tasks))).toBe(code);
    expect(tasks.startReady(0)).toEqual(["a"]);
  });

  test("time that goes back is refused and changes nothing", () => {
    const tasks = arbitrator({}, "a");
    tasks.startReady(10);
    expect(codeOf(() => tasks.complete("a", 9))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => tasks.register({ id: "b" }, 9))).toBe("INVALID_ARGUMENT");
    expect(tasks.status("a")).toBe("running");
  });

  test("a refused call does not move time", () => {
    const tasks = arbitrator({}, "a");
    expect(codeOf(() => tasks.complete("a", 99))).toBe("INVALID_STATE");
    expect(codeOf(() => tasks.register({ id: "a" }, 99))).toBe("DUPLICATE_ID");
    expect(codeOf(() => tasks.cancel("nobody", 99))).toBe("UNKNOWN_TASK");
    expect(tasks.startReady(1)).toEqual(["a"]);
  });

  test("ids that objects inherit are ids like any other", () => {
    const tasks = arbitrator({}, "__proto__", { id: "constructor", dependsOn: ["__proto__"] });
    expect(tasks.startReady(0)).toEqual(["__proto__"]);
    expect(tasks.complete("__proto__", 0)).toEqual(["constructor"]);
  });
});

test("completing costs the logarithm of the pending tasks, not their number", () => {
  const visitsFor = (count: number): number => {
    const tasks = new TaskArbitrator();
    for (let i = 0; i < count; i++) tasks.register({ id: `${i}`, priority: (i * 7) % 10 }, 0);
    const running = [...tasks.startReady(0)];
    const before = tasks.visits;
    for (let i = 0; i < 50; i++) running.push(...tasks.complete(running[i] ?? "", 0));
    return (tasks.visits - before) / 50;
  };
  expect(visitsFor(10_000)).toBeLessThan(3 * visitsFor(100));
});
