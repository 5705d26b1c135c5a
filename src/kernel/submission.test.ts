import { describe, expect, test } from "vitest";
import type { Command, TaskRequest } from "./commands.ts";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

function open(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { skills: ["x"], capacity: 99 });
  return story;
}

function submit(...tasks: TaskRequest[]): Command {
  return { type: "task.submit", tasks };
}

test("generated ids skip those that are taken, and no number is too large for a name", () => {
  const story = open();
  story.submit({ id: "t2" }, { id: `t${Number.MAX_SAFE_INTEGER}` }, { id: `t${2 ** 48}` });
  story.submit({}, {});
  expect(story.kernel.tasks().map(({ id }) => id)).toEqual(["t2", "t9007199254740991", "t281474976710656", "t3", "t4"]);
});

describe("dependencies", () => {
  test("tasks of one submit may name each other in any order", () => {
    const story = open();
    story.submit({ id: "c", dependsOn: ["a", "b"] }, { id: "b", dependsOn: ["a"] }, { id: "a" });
    expect(story.status("a", "b", "c")).toBe("running blocked blocked");
    story.complete("a");
    expect(told(story.complete("b"))).toEqual(["b completed", "c starts on ann"]);
  });

  test("an unknown one is refused", () => {
    expect(open().refusal(submit({ id: "a", dependsOn: ["b"] }))).toMatchObject({
      code: "UNKNOWN_TASK",
      details: { taskId: "a", dependsOn: "b" },
    });
  });

  test.each([
    [[{ id: "a", dependsOn: ["a"] }], ["a"]],
    [
      [
        { id: "a", dependsOn: ["b"] },
        { id: "b", dependsOn: ["a"] },
      ],
      ["a", "b"],
    ],
    [
      [{ id: "x" }, { id: "a", dependsOn: ["c", "x"] }, { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: ["b"] }],
      ["a", "c", "b"],
    ],
  ])("a cycle is refused and named: %j", (tasks, cycle) => {
    expect(open().refusal(submit(...tasks))).toMatchObject({ code: "DEPENDENCY_CYCLE", details: { cycle } });
  });

  test("so is one that closes through a manager, which waits for its subtasks", () => {
    const story = open();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] }, { id: "after", dependsOn: ["m"] });
    const plan = { type: "attempt.plan", ...story.from("m"), tasks: [{ id: "s", dependsOn: ["after"] }] } as const;
    expect(story.refusal(plan)).toMatchObject({ code: "DEPENDENCY_CYCLE", details: { cycle: ["m", "m/s", "after"] } });
    expect(story.refusal({ ...plan, tasks: [{ id: "s", dependsOn: ["m"] }] }).code).toBe("DEPENDENCY_CYCLE");
  });

  test("and through a manager above the manager", () => {
    const story = open();
    story.manager("sub", ["ann"], { skills: ["sub"] });
    story.manager("boss", ["sub"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] }, { id: "after", dependsOn: ["m"] });
    story.plan("m", { id: "s", skills: ["sub"] });
    const plan = { type: "attempt.plan", ...story.from("m/s"), tasks: [{ id: "t", dependsOn: ["after"] }] } as const;
    expect(story.refusal(plan)).toMatchObject({ code: "DEPENDENCY_CYCLE" });
  });

  test("a dependency that did not succeed makes dependents skipped, transitively, with the cause", () => {
    const story = open();
    story.submit({ id: "a", retry: { maxAttempts: 1 } }, { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: ["b"] });
    expect(told(story.fail("a"))).toEqual([
      "a attempt failed",
      "a failed: TASK_FAILED",
      "b skipped for a",
      "c skipped for b",
    ]);
    expect(story.task("c").error).toMatchObject({
      code: "DEPENDENCY_FAILED",
      details: { dependency: "b", cause: { code: "DEPENDENCY_FAILED" } },
    });
  });

  test("one that depends on two that are skipped is skipped once, with the first as the cause", () => {
    const story = open();
    story.submit(
      { id: "a", retry: { maxAttempts: 1 } },
      { id: "b", dependsOn: ["a"] },
      { id: "c", dependsOn: ["a"] },
      { id: "d", dependsOn: ["c", "b"] },
    );
    expect(told(story.fail("a")).slice(2)).toEqual(["b skipped for a", "c skipped for a", "d skipped for b"]);
  });

  test("a chain of ten thousand is skipped without recursion", () => {
    const story = open();
    const ids = Array.from({ length: 10_000 }, (_, i) => `n${i}`);
    story.submit({ id: "start" }, ...ids.map((id, i) => ({ id, dependsOn: [ids[i - 1] ?? "start"] })));
    story.do({ type: "task.cancel", taskId: "start" });
    story.fail("start");
    expect(story.kernel.counts()).toMatchObject({ cancelled: 1, skipped: 10_000 });
  });

  test("onDependencyFailure run opts out; it runs after all have ended, however", () => {
    const story = open();
    story.submit({ id: "a", retry: { maxAttempts: 1 } }, { id: "b" });
    story.submit({ id: "c", dependsOn: ["a", "b"], onDependencyFailure: "run" });
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "c starts on ann"]);
  });

  test("on a task that has ended already: well, it starts; else, it is skipped at once", () => {
    const story = open();
    story.submit({ id: "good" }, { id: "bad", retry: { maxAttempts: 1 } });
    story.complete("good");
    story.fail("bad");
    expect(told(story.submit({ id: "a", dependsOn: ["good"] }))).toEqual(["a starts on ann"]);
    expect(told(story.submit({ id: "b", dependsOn: ["bad"] }, { id: "c", dependsOn: ["b"] }))).toEqual([
      "b skipped for bad",
      "c skipped for b",
    ]);
  });
});

describe("who can do it", () => {
  test("a pin to a name never seen is UNKNOWN_AGENT; to one that is offline, it waits", () => {
    const story = open();
    expect(story.refusal(submit({ agent: "eve" })).code).toBe("UNKNOWN_AGENT");
    story.do({ type: "agent.unregister", agent: "ann" });
    story.submit({ id: "a", agent: "ann" });
    story.after(1_000_000);
    expect(story.reasons("a")).toBe("offline");
    expect(told(story.agent("ann"))).toEqual(["a starts on ann"]);
  });

  test("what nobody registered can do waits with that as its reason, and fails after unroutableMs", () => {
    const story = new Story({ unroutableMs: 1_000 });
    story.submit({ id: "a", skills: ["x", { skill: "y", level: 0.5 }] });
    expect(story.why("a").reasons).toMatchObject([{ code: "skills", need: ["x", "y at 0.5"] }]);
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
    expect(story.why("a").verdict).toBe("refused");
  });

  test("60 seconds by default, counting only time in which a coordinator was open", () => {
    const story = new Story();
    story.submit({ id: "a", skills: ["x"] });
    story.after(30_000);
    story.do({ type: "task.prioritize", taskId: "a", priority: 6 });
    story.crash(1_000_000);
    expect(told(story.after(29_999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
  });

  test("each in its own time, also when the coordinator was closed meanwhile", () => {
    const story = new Story({ unroutableMs: 1_000 });
    story.submit({ id: "a", skills: ["x"] });
    story.after(400);
    story.submit({ id: "b", skills: ["x"] });
    story.crash(1_000_000, { unroutableMs: 1_000 });
    expect(told(story.after(599))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
    expect(told(story.after(399))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b failed: NO_QUALIFIED_AGENT"]);
  });

  test("those for whom it is too late at once fail in order of arrival, whatever they lack", () => {
    const story = new Story({ unroutableMs: 1_000 });
    const skills = ["x", "y", "x", "z", "y"];
    story.submit(...skills.map((skill, at) => ({ id: `t${at}`, skills: [skill] })));
    expect(told(story.after(1_000))).toEqual(skills.map((_, at) => `t${at} failed: NO_QUALIFIED_AGENT`));
  });

  test("each in its own time, also when all slots are taken", () => {
    const story = new Story({ concurrency: 1, unroutableMs: 1_000 });
    story.agent("ann");
    story.submit({ id: "held" }, { id: "a", skills: ["x"] });
    story.after(400);
    story.submit({ id: "b", skills: ["x"] });
    expect(told(story.after(600))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
    expect(told(story.after(400))).toEqual(["b failed: NO_QUALIFIED_AGENT"]);
  });

  test("the time counts from when the last who could do it lost the skill, and others who lose other skills change nothing", () => {
    const story = new Story({ concurrency: 1, unroutableMs: 1_000 });
    story.agent("ann", { skills: ["x"] });
    story.agent("bob", { skills: ["y"] });
    story.submit({ id: "held", agent: "bob" }, { id: "a", skills: ["x"] });
    story.after(5_000);
    story.agent("ann", { skills: [] });
    story.after(500);
    story.agent("bob", { skills: [] });
    expect(told(story.after(499))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
  });

  test("the same when who could do it leaves the team", () => {
    const story = new Story({ unroutableMs: 1_000 });
    story.agent("ann", { skills: ["x"] });
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] }, { id: "held", agent: "ann", preemptible: false });
    story.plan("m", { skills: ["x"] });
    story.after(5_000);
    story.do({ type: "team.set", manager: "boss", team: [] });
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toContain("m/0 failed: NO_QUALIFIED_AGENT");
  });

  test("whoever it is that never came is told of, where no skill is asked for too", () => {
    const story = new Story({ unroutableMs: 1_000 });
    story.manager("boss", [], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] }, { id: "x", skills: ["y", { skill: "x", level: 0.5 }] });
    story.plan("m", {});
    story.after(1_000);
    const messages = ["x", "m/0"].map((id) => story.task(id).error?.message);
    expect(messages).toEqual([
      "no registered agent can do it (x at 0.5, y), and none came within 1000 ms",
      "no registered agent can do it, and none came within 1000 ms",
    ]);
  });

  test("a skill that is asked for twice is asked for once, at the highest level", () => {
    const story = new Story();
    story.agent("ann", { skills: { x: 0.4 } });
    story.agent("bob", { skills: { x: 0.6 } });
    const twice = ["x", { skill: "x", level: 0.5 }, { skill: "x", level: 0.3 }];
    expect(told(story.submit({ id: "a", skills: twice }))).toEqual(["a starts on bob"]);
    story.submit({ id: "b", skills: [...twice, { skill: "x", level: 0.7 }] });
    expect(story.why("b").reasons).toMatchObject([{ code: "skills", need: ["x at 0.7"], have: ["x at 0.6"] }]);
  });

  test("somebody who comes in time takes it, and nothing is left to wake for", () => {
    const story = new Story({ unroutableMs: 1_000 });
    story.submit({ id: "a", skills: ["x"] });
    story.after(999);
    story.agent("ann", { skills: ["x"] });
    story.complete("a");
    expect(story.kernel.nextWakeAt()).toBeUndefined();
    story.submit({ id: "b", skills: ["y"] });
    story.do({ type: "task.cancel", taskId: "b" });
    expect(story.kernel.idle()).toBe(true);
  });
});

describe("submitting", () => {
  const refused: readonly (readonly [string, readonly TaskRequest[]])[] = [
    ["an unknown agent", [{ id: "new" }, { agent: "eve" }]],
    ["an unknown resource", [{ id: "new" }, { resources: { tape: 1 } }]],
    ["two of one id", [{ id: "new" }, { id: "same" }, { id: "same" }]],
    ["another task of that id", [{ id: "new" }, { id: "taken", priority: 1 }]],
    ["a cycle", [{ id: "new" }, { id: "a", dependsOn: ["a"] }]],
    ["a wrong shape", [{ id: "new" }, { priority: 1.5 }]],
  ];
  test.each(refused)("is all or nothing: %s leaves the state as it was", (_, tasks) => {
    const story = open();
    story.submit({ id: "taken" });
    const before = JSON.stringify([...story.kernel.snapshot()]);
    story.refusal(submit(...tasks));
    expect(JSON.stringify([...story.kernel.snapshot()])).toBe(before);
  });

  test("the same id with an equal spec is the task that exists, whatever became of it", () => {
    const story = open();
    const spec = { id: "a", input: { b: 1, a: [1, 2] }, skills: ["x"], load: 1, priority: 5, resources: {} };
    story.submit(spec);
    const { answers, events } = story.try(submit({ skills: ["x"], input: { a: [1, 2], b: 1 }, id: "a" }));
    expect([answers, events]).toEqual([[{ ok: true, ids: ["a"] }], []]);
    story.complete("a");
    expect(story.try(submit(spec)).answers).toEqual([{ ok: true, ids: ["a"] }]);
    story.crash(0);
    expect(story.try(submit(spec)).answers).toEqual([{ ok: true, ids: ["a"] }]);
  });

  test("what is given as it is by default is left out", () => {
    const story = open();
    story.submit({ id: "a" });
    const given = {
      id: "a",
      skills: [],
      priority: 5,
      load: 1,
      dependsOn: [],
      onDependencyFailure: "skip",
      resources: {},
      preemptible: true,
    } as const;
    expect(story.try(submit(given))).toEqual({ answers: [{ ok: true, ids: ["a"] }], events: [] });
  });

  test.each([{ input: 2 }, { skills: ["y"] }, { load: 2 }, { deadlineMs: 5 }, { preemptible: false }, { name: "n" }])(
    "with a different one it is DUPLICATE_ID: %j",
    (other) => {
      const story = open();
      story.submit({ id: "a", input: 1 });
      expect(story.refusal(submit({ id: "a", input: 1, ...other })).code).toBe("DUPLICATE_ID");
    },
  );

  test("a repeated attempt's code finds the tasks that it submitted before", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 0 } });
    story.spawn("a", { id: "0", input: 1 });
    story.fail("a");
    expect(told(story.spawn("a", { id: "0", input: 1 }))).toEqual([]);
    const other = { type: "task.submit", from: story.from("a"), tasks: [{ id: "0", input: 2 }] } as const;
    expect(story.refusal(other).code).toBe("DUPLICATE_ID");
  });

  test("a key makes a whole call idempotent, also after a restart", () => {
    const story = open();
    const call = { type: "task.submit", tasks: [{}, { id: "own" }], key: "k" } as const;
    const first = story.try(call).answers;
    expect(first).toEqual([{ ok: true, ids: ["t1", "own"] }]);
    expect(story.try(call)).toMatchObject({ answers: first, events: [] });
    story.crash(0);
    expect(story.try(call)).toMatchObject({ answers: first, events: [] });
  });

  test("a key whose call comes with more tasks than it had gives those that it made", () => {
    const story = open();
    story.do({ type: "task.submit", tasks: [{}], key: "k" });
    const more = { type: "task.submit", tasks: [{}, {}], key: "k" } as const;
    expect(story.try(more)).toMatchObject({ answers: [{ ok: true, ids: ["t1"] }], events: [] });
  });

  test("a command id is answered as the first time, with those ids too that existed before, also after a restart", () => {
    const story = open();
    story.submit({ id: "old" });
    const envelope = { id: "c1", command: submit({}, { id: "old" }, { id: "new" }, {}) };
    const { answers } = story.send(envelope);
    expect(answers).toEqual([{ ok: true, ids: ["t1", "old", "new", "t2"] }]);
    expect(story.send(envelope)).toEqual({ answers, events: [] });
    story.crash(0);
    expect(story.send(envelope)).toEqual({ answers, events: [] });
  });

  test("so is a plan, an awaiting, and a grant while it stands; a refused one is decided anew", () => {
    const story = open();
    story.resource("disk", 1);
    story.submit({ id: "a" }, { id: "b" });
    story.spawn("a", { id: "0" });
    const ask = { id: "ask", command: { type: "attempt.request", ...story.from("a"), amounts: { disk: 1 } } } as const;
    const refused = { ...ask, id: "b", command: { ...ask.command, ...story.from("b") } };
    const wait = { id: "wait", command: { type: "attempt.await", ...story.from("a"), on: ["a/0"] } } as const;
    const { answers } = story.send(ask, refused, wait);
    expect(answers.map((answer) => answer.ok)).toEqual([true, false, true]);
    expect(story.send(ask, refused, wait)).toEqual({ answers, events: [] });
    story.complete("a/0");
    story.complete("a");
    expect(story.send(refused).answers).toMatchObject([{ ok: true }]);
  });

  test("so is what an attempt submitted, a plan, a ballot, and a request that waits or whose allocation is gone", () => {
    const story = open();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.resource("disk", 2);
    story.submit({ id: "m", skills: ["lead"] }, { id: "a" }, { id: "b" });
    story.spawn("a", { id: "old" });
    const ask = { type: "attempt.request", amounts: { disk: 2 } } as const;
    const commands: readonly Command[] = [
      { type: "task.submit", from: story.from("a"), tasks: [{}, { id: "old" }, { id: "new" }] },
      { type: "attempt.plan", ...story.from("m"), tasks: [{ id: "s" }, {}] },
      { type: "ballot.open", question: "?", options: ["yes"], voters: [], context: { why: "so" } },
      { ...ask, ...story.from("a") },
      { ...ask, ...story.from("b"), wait: true },
    ];
    const envelopes = commands.map((command, i) => ({ id: `c${i}`, command }));
    const { answers, events } = story.send(...envelopes);
    const ids = [["a/0", "a/old", "a/new"], ["m/s", "m/1"], ["b1"], ["a1"], ["a2"]];
    expect(answers.map((answer) => (answer.ok ? answer.ids : answer.refusal))).toEqual(ids);
    expect(events).toContainEqual(expect.objectContaining({ type: "ballot.opened", context: { why: "so" } }));
    expect(story.send(...envelopes)).toEqual({ answers, events: [] });
    story.complete("a");
    const again = story.send(...envelopes);
    expect(again.answers.map((answer) => (answer.ok ? answer.ids : answer.refusal))).toEqual(ids);
    expect(again.answers[3]).not.toHaveProperty("allocation");
  });

  test("who asks, and the trace that it belongs to, stand in every event of a command and in no other", () => {
    const story = open();
    story.submit({ id: "a" });
    const command = { type: "task.cancel", taskId: "a" } as const;
    const { events } = story.kernel.batch(
      [{ id: "c1", by: "eve", trace: "t-1", command }, { command: submit({ id: "b" }) }],
      story.now,
    );
    expect(events.map(({ type, by, trace }) => [type, by, trace])).toEqual([
      ["task.ending", "eve", "t-1"],
      ["attempt.stopping", "eve", "t-1"],
      ["task.submitted", undefined, undefined],
      ["task.started", undefined, undefined],
    ]);
  });

  test("the same command twice in one batch has one effect", () => {
    const story = open();
    const envelope = { id: "c1", command: submit({}) };
    expect(story.send(envelope, envelope).answers).toEqual([
      { ok: true, ids: ["t1"] },
      { ok: true, ids: ["t1"] },
    ]);
  });

  test("nothing of Object's prototype is an id, a key or a resource by accident", () => {
    const story = open();
    for (const id of ["__proto__", "constructor", "toString"]) {
      expect(story.kernel.task(id)).toBeUndefined();
      story.resource(id, 1);
      story.do({ type: "task.submit", tasks: [{ id, resources: new Map([[id, 1]]) }], key: id });
      expect(story.task(id).status).toBe("running");
    }
    story.crash(0);
    expect(story.kernel.counts().pending).toBe(3);
  });
});

describe("shapes and limits", () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ["unknown key", { color: "red" }],
    ["id with a slash", { id: "a/b" }],
    ["empty id", { id: "" }],
    ["long id", { id: "a".repeat(limits.idLength + 1) }],
    ["load 0", { load: 0 }],
    ["load of ten decimals", { load: 0.0000000001 }],
    ["priority that is no integer", { priority: 0.5 }],
    ["amount 0", { resources: { disk: 0 } }],
    ["timeout 0", { timeoutMs: 0 }],
    ["infinite deadline", { deadlineMs: Number.POSITIVE_INFINITY }],
    ["maxAttempts 0", { retry: { maxAttempts: 0 } }],
    ["level above 1", { skills: [{ skill: "x", level: 2 }] }],
    ["skills that are no list", { skills: "x" }],
    ["too many dependencies", { dependsOn: Array.from({ length: limits.dependenciesPerTask + 1 }, (_, i) => `d${i}`) }],
  ];
  test.each(wrong)("%s is INVALID_ARGUMENT, before any name is looked up", (_, task) => {
    const story = open();
    const command = submit({ agent: "nobody" }, task as TaskRequest);
    expect(story.refusal(command).code).toBe("INVALID_ARGUMENT");
  });

  test("global ids have up to 4 096 characters", () => {
    const story = new Story({ concurrency: 99 });
    story.agent("ann", { capacity: 99 });
    const long = "a".repeat(256);
    story.submit({ id: long });
    let id = long;
    for (let i = 1; i < 15; i++) {
      story.spawn(id, { id: long });
      id += `/${long}`;
    }
    const command = (local: string): Command => ({ type: "task.submit", from: story.from(id), tasks: [{ id: local }] });
    expect(id).toHaveLength(15 * 256 + 14);
    expect(story.refusal(command("b".repeat(242))).code).toBe("INVALID_ARGUMENT");
    story.do(command("b".repeat(241)));
  });

  test("an attempt's long message is cut as it is journaled", () => {
    const story = open();
    story.submit({ id: "a", retry: { maxAttempts: 1 } });
    story.fail("a", { message: "x".repeat(10_000) });
    expect(story.task("a").error?.message).toHaveLength(limits.messageLength);
  });
});
