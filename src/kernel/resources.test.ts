import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

function world(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 99 });
  story.resource("disk", 3);
  story.resource("net", 2);
  return story;
}

describe("resources", () => {
  test("all that a task names is granted, or nothing: it holds nothing while it waits", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { net: 2 } });
    story.submit({ id: "b", resources: { disk: 3, net: 1 } });
    expect(told(story.submit({ id: "c", resources: { disk: 3 } }))).toEqual(["c starts on ann"]);
    expect(story.why("b").reasons.map(({ need }) => need)).toEqual([
      { resource: "disk", amount: 3 },
      { resource: "net", amount: 1 },
    ]);
  });

  test("what waits waits with its own amounts", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { disk: 2 } });
    story.submit({ id: "b", resources: { disk: 3 } });
    expect(told(story.submit({ id: "c", resources: { disk: 1 } }))).toEqual(["c starts on ann"]);
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.complete("c"))).toEqual(["c completed", "b starts on ann"]);
  });

  test("more than the capacity is CAPACITY_EXCEEDED at once, and an unknown name UNKNOWN_RESOURCE", () => {
    const story = world();
    expect(story.refusal({ type: "task.submit", tasks: [{ resources: { disk: 3.000_000_001 } }] }).code).toBe(
      "CAPACITY_EXCEEDED",
    );
    expect(story.refusal({ type: "task.submit", tasks: [{ resources: { tape: 1 } }] }).code).toBe("UNKNOWN_RESOURCE");
    expect(story.refusal({ type: "task.submit", tasks: [{ resources: { tape: 0 } }] }).code).toBe("INVALID_ARGUMENT");
  });

  test("waiters that a lowered capacity makes impossible end with it; others go on, and nothing is taken back", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { disk: 3 } });
    story.submit({ id: "b", resources: { disk: 3 } }, { id: "c", resources: { disk: 2 } });
    expect(told(story.resource("disk", 2))).toEqual(["b failed: CAPACITY_EXCEEDED"]);
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 3, available: 0, capacity: 2, waiting: 1 });
    expect(told(story.complete("a"))).toEqual(["a completed", "c starts on ann"]);
  });

  test("a blocked or held one that became impossible ends when it would be its turn", () => {
    const story = world();
    story.submit(
      { id: "a" },
      { id: "b", dependsOn: ["a"], resources: { disk: 3 } },
      { id: "c", resources: { disk: 3 } },
    );
    story.do({ type: "task.pause", taskId: "c" });
    story.fail("c");
    expect(told(story.resource("disk", 1))).toEqual([]);
    expect(told(story.complete("a"))).toEqual(["a completed", "b failed: CAPACITY_EXCEEDED"]);
    expect(told(story.do({ type: "task.resume", taskId: "c" }))).toEqual(["c failed: CAPACITY_EXCEEDED"]);
  });

  test("a capacity that is lowered and raised in one batch harms nobody", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { disk: 3 } }, { id: "b", resources: { disk: 3 } });
    story.do(
      { type: "resource.set", resource: "disk", kind: "compute", capacity: 1 },
      { type: "resource.set", resource: "disk", kind: "compute", capacity: 3 },
    );
    expect(story.status("b")).toBe("pending");
  });

  test("a raised capacity starts what it lets", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { disk: 2 } }, { id: "b", resources: { disk: 2 } });
    expect(told(story.resource("disk", 4))).toEqual(["b starts on ann"]);
  });

  test("a rate can get another pace; what was taken from it is held by nobody", () => {
    const story = world();
    const calls = () => story.kernel.resources(story.now).find(({ id }) => id === "calls");
    story.resource("calls", 4, { kind: "api_call", per: 1_000 });
    story.submit({ id: "a", resources: { calls: 2 } });
    story.ask("a", { calls: 1, disk: 1 });
    expect(calls()).toMatchObject({ available: 1, allocated: 3, holders: [] });
    story.submit({ id: "b", resources: { calls: 4 } });
    story.resource("calls", 4, { kind: "api_call", per: 30 });
    expect(story.resource("calls", 4, { kind: "api_call", per: 30 })).toEqual([]);
    expect(told(story.after(22))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b starts on ann"]);
  });

  test("a rate refills continuously, in integers: a third of a token is not lost", () => {
    const story = world();
    story.resource("calls", 1, { per: 3 });
    story.submit(
      { id: "a", resources: { calls: 1 } },
      { id: "b", resources: { calls: 1 } },
      { id: "c", resources: { calls: 0.5 } },
    );
    expect(story.running).toBe("a");
    expect(told(story.after(2))).toEqual(["c starts on ann"]);
    expect(story.kernel.resources(story.now).at(-1)).toMatchObject({ available: 0.166666666 });
    expect(told(story.after(2))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b starts on ann"]);
    expect(told(story.complete("a"))).toEqual(["a completed"]);
  });
});

describe("what a running attempt asks for", () => {
  test("is granted at once or refused at once", () => {
    const story = world();
    story.submit({ id: "a", resources: { disk: 1 } });
    expect(told(story.ask("a", { disk: 2 }))).toEqual(["a gets 2 disk"]);
    expect(story.refusal({ type: "attempt.request", ...story.from("a"), amounts: { disk: 1 } }).code).toBe(
      "CAPACITY_EXCEEDED",
    );
  });

  test("gets nothing of what the same batch frees that one who waits before it could be given", () => {
    const story = world();
    story.submit({ id: "held", resources: { disk: 3 } }, { id: "asks" });
    story.submit({ id: "first", priority: 6, preemptible: false });
    story.ask("first", { disk: 3 }, { wait: true });
    const { answers } = story.try(story.completion("held"), {
      type: "attempt.request",
      ...story.from("asks"),
      amounts: { disk: 1 },
    });
    expect(answers.map(({ ok }) => ok)).toEqual([true, false]);
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ holders: [{ holder: "first", amount: 3 }] });
  });

  test("gets what the same batch frees and nobody before it could be given", () => {
    const story = world();
    story.submit({ id: "held", resources: { disk: 2 } }, { id: "asks", resources: { disk: 1 } });
    story.submit({ id: "first", priority: 6, preemptible: false });
    story.ask("first", { disk: 3 }, { wait: true });
    const batch = story.try(story.completion("held"), {
      type: "attempt.request",
      ...story.from("asks"),
      amounts: { disk: 1 },
    });
    expect(batch.answers.map(({ ok }) => ok)).toEqual([true, true]);
  });

  test("is one allocation with its own token, and comes back when released or when the attempt ends", () => {
    const story = world();
    story.submit({ id: "a" });
    const { answers } = story.try({ type: "attempt.request", ...story.from("a"), amounts: { disk: 2, net: 1 } });
    const [answer] = answers;
    const allocation = answer?.ok ? answer.allocation : undefined;
    expect(allocation).toMatchObject({ id: "a1", holder: "a", amounts: { disk: 2, net: 1 } });
    const allocationToken = allocation?.token ?? 0;
    expect(allocationToken).toBeGreaterThan(story.token("a"));
    const release = { type: "attempt.release", ...story.from("a"), allocationId: "a1" } as const;
    expect(story.refusal({ ...release, allocationToken: 1 }).code).toBe("FENCED");
    story.do({ ...release, allocationToken });
    expect(story.refusal({ ...release, allocationToken }).code).toBe("FENCED");
    expect(story.refusal({ ...release, allocationId: "a9", allocationToken }).code).toBe("UNKNOWN_ALLOCATION");
    story.ask("a", { disk: 3 });
    story.complete("a");
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 0, holders: [] });
  });

  test("a lease is over when now reaches its end, before anything else is decided at that instant", () => {
    const story = world();
    story.submit({ id: "a" }, { id: "b" });
    story.ask("a", { disk: 3 }, { leaseMs: 500 });
    story.now += 499;
    expect(story.refusal({ type: "attempt.request", ...story.from("b"), amounts: { disk: 1 } }).code).toBe(
      "CAPACITY_EXCEEDED",
    );
    story.now += 1;
    expect(told(story.ask("b", { disk: 3 }))).toEqual(["a1 expired", "b gets 3 disk"]);
    const release = { type: "attempt.release", ...story.from("a"), allocationId: "a1", allocationToken: 3 } as const;
    expect(story.refusal(release).code).toBe("FENCED");
  });

  test("a queued grant's lease runs from the grant", () => {
    const story = world();
    story.submit({ id: "a" }, { id: "b" });
    story.ask("a", { disk: 3 }, { leaseMs: 500 });
    story.ask("b", { disk: 3 }, { wait: true, leaseMs: 400 });
    expect(told(story.after(500))).toEqual(["a1 expired", "b gets 3 disk"]);
    expect(told(story.after(399))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a2 expired"]);
  });

  test("waits with wait, in the one order with tasks", () => {
    const story = world();
    story.submit(
      { id: "a", preemptible: false, resources: { disk: 3 } },
      { id: "b", priority: 6 },
      { id: "c", priority: 4 },
    );
    story.submit({ id: "t", priority: 5, resources: { disk: 3 } });
    story.ask("c", { disk: 3 }, { wait: true });
    story.ask("b", { disk: 3 }, { wait: true });
    expect(told(story.complete("a"))).toEqual(["a completed", "b gets 3 disk"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "t starts on ann"]);
    expect(told(story.complete("t"))).toEqual(["t completed", "c gets 3 disk"]);
  });

  test("a queued request ends with a lowered capacity, and with its attempt", () => {
    const story = world();
    story.submit({ id: "a", preemptible: false, resources: { disk: 3 } }, { id: "b" }, { id: "c" });
    story.ask("b", { disk: 3 }, { wait: true });
    story.ask("c", { disk: 1 }, { wait: true });
    expect(told(story.resource("disk", 2))).toEqual(["a1 refused: CAPACITY_EXCEEDED"]);
    story.complete("c");
    expect(told(story.complete("a"))).toEqual(["a completed"]);
  });

  test("what would wait for ever is WOULD_DEADLOCK: two that hold what the other asks for", () => {
    const story = world();
    story.submit({ id: "a", resources: { disk: 3 } }, { id: "b", resources: { net: 2 } });
    story.ask("a", { net: 1 }, { wait: true });
    const refusal = story.refusal({ type: "attempt.request", ...story.from("b"), amounts: { disk: 1 }, wait: true });
    expect(refusal).toMatchObject({ code: "WOULD_DEADLOCK", details: { waiting: ["a"] } });
    expect(told(story.complete("b"))).toEqual(["b completed", "a gets 1 net"]);
  });

  test("and one that itself holds what it asks for beyond the rest", () => {
    const story = world();
    story.submit({ id: "a", resources: { disk: 2 } });
    expect(story.refusal({ type: "attempt.request", ...story.from("a"), amounts: { disk: 2 }, wait: true }).code).toBe(
      "WOULD_DEADLOCK",
    );
  });

  test("what is held under a lease comes back by itself: waiting for it is no deadlock", () => {
    const story = world();
    story.submit({ id: "a" }, { id: "b", resources: { net: 2 } });
    story.ask("a", { disk: 3 }, { leaseMs: 1_000 });
    story.ask("a", { net: 1 }, { wait: true });
    expect(told(story.ask("b", { disk: 1 }, { wait: true }))).toEqual(["b queues for 1 disk"]);
    expect(told(story.after(1_000))).toEqual(["a1 expired", "b gets 1 disk"]);
  });

  test("a ring of three is found, and one with a way out is not", () => {
    const story = world();
    story.resource("tape", 2);
    story.submit(
      { id: "a", resources: { disk: 3 } },
      { id: "b", resources: { net: 2 } },
      { id: "c", resources: { tape: 1 } },
    );
    story.ask("a", { net: 1 }, { wait: true });
    story.ask("b", { tape: 2 }, { wait: true });
    expect(story.refusal({ type: "attempt.request", ...story.from("c"), amounts: { disk: 1 }, wait: true }).code).toBe(
      "WOULD_DEADLOCK",
    );
    const out = world();
    out.resource("tape", 2);
    out.submit(
      { id: "a", resources: { disk: 3 } },
      { id: "b", resources: { net: 1 } },
      { id: "c", resources: { net: 1 } },
    );
    out.ask("a", { net: 1 }, { wait: true });
    expect(told(out.ask("b", { disk: 1 }, { wait: true }))).toEqual(["b queues for 1 disk"]);
  });

  test("one that is told to stop gets nothing more", () => {
    const story = world();
    story.submit({ id: "a" });
    story.do({ type: "task.cancel", taskId: "a" });
    expect(story.refusal({ type: "attempt.request", ...story.from("a"), amounts: { disk: 1 } }).code).toBe("CANCELLED");
  });

  test("a breaker that has rested has, for whatever is asked then", () => {
    const story = new Story({ protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.agent("bob", { breaker: { failureThreshold: 1, resetMs: 1_000 } });
    story.resource("disk", 3);
    story.submit({ id: "broken", agent: "bob", retry: { maxAttempts: 1 } });
    story.fail("broken");
    story.submit({ id: "a", agent: "ann" }, { id: "next", agent: "bob", priority: 9, resources: { disk: 3 } });
    story.now += 1_000;
    const { answers, events } = story.try({ type: "attempt.request", ...story.from("a"), amounts: { disk: 1 } });
    expect(told(events)).toEqual(["bob half-open", "next starts on bob"]);
    expect(answers).toMatchObject([{ ok: false, refusal: { code: "CAPACITY_EXCEEDED" } }]);
  });

  test("when all slots are taken, one that gets what it waited for holds up nobody behind it", () => {
    const story = new Story({ concurrency: 3, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "a", preemptible: false }, { id: "b", preemptible: false });
    story.submit({ id: "held", preemptible: false, resources: { disk: 2 } });
    story.ask("a", { disk: 1 }, { wait: true });
    story.ask("b", { disk: 1 }, { wait: true });
    story.submit({ id: "next", priority: 9, preemptible: false });
    expect(told(story.complete("held"))).toEqual([
      "held completed",
      "next starts on ann",
      "a gets 1 disk",
      "b gets 1 disk",
    ]);
  });
});

describe("awaiting what one has submitted", () => {
  test("gives up slot and load until they are regained, and keeps the resources", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 1 });
    story.resource("disk", 2);
    story.submit({ id: "a", resources: { disk: 1 } });
    story.spawn("a", { id: "0" });
    expect(story.running).toBe("a");
    expect(told(story.await("a", "a/0"))).toEqual(["a waits on a/0", "a/0 starts on ann"]);
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 1 });
    expect(story.status("a")).toBe("waiting");
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "a regains its seat"]);
  });

  test("regains in the one order", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a", priority: 7 });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.submit({ id: "high", priority: 9 }, { id: "low", priority: 1 });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "high starts on ann"]);
    expect(told(story.complete("high"))).toEqual(["high completed", "a regains its seat"]);
  });

  test("awaiting nothing that is open is answered at once, and foreign tasks are refused", () => {
    const story = world();
    story.submit({ id: "a" }, { id: "b" });
    story.spawn("a", { id: "0" });
    story.complete("a/0");
    expect(told(story.await("a", "a/0"))).toEqual([]);
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["b"] }).code).toBe("UNKNOWN_TASK");
  });

  test("a subtask that needs what its waiting ancestor holds is refused, when awaited and when submitted", () => {
    const story = world();
    story.submit({ id: "a", resources: { disk: 2 } });
    story.spawn("a", { id: "fits", resources: { disk: 1 } }, { id: "not", resources: { disk: 2 } }, { id: "deep" });
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["a/not"] }).code).toBe("WOULD_DEADLOCK");
    story.await("a", "a/fits", "a/deep");
    const refusal = story.refusal({
      type: "task.submit",
      from: story.from("a/deep"),
      tasks: [{ id: "x", resources: { disk: 2 } }],
    });
    expect(refusal).toMatchObject({ code: "WOULD_DEADLOCK", details: { holder: "a" } });
  });

  test("what the ancestor was granted on top counts too, but not under a lease", () => {
    const story = world();
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.ask("a", { disk: 3 });
    story.ask("a", { net: 2 }, { leaseMs: 1_000 });
    story.await("a", "a/0");
    const ask = (resources: Record<string, number>) =>
      ({ type: "task.submit", from: story.from("a/0"), tasks: [{ id: "x", resources }] }) as const;
    expect(story.refusal(ask({ disk: 1 })).code).toBe("WOULD_DEADLOCK");
    story.do(ask({ net: 1 }));
    expect(told(story.after(1_000))).toEqual(["a2 expired", "a/0/x starts on ann"]);
  });

  test("through what a manager that it awaits has planned, but not through what has ended", () => {
    const story = world();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "a", resources: { disk: 2 } }, { id: "done", agent: "ann" });
    story.complete("done");
    story.spawn(
      "a",
      { id: "m", skills: ["lead"] },
      { id: "after", dependsOn: ["done"], resources: { disk: 1 }, skills: ["nobody"] },
    );
    story.spawn("a/m", { id: "beside" });
    story.plan("a/m", { id: "s", skills: ["nobody"], resources: { disk: 2 } });
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["a/m"] }).code).toBe("WOULD_DEADLOCK");
    expect(told(story.await("a", "a/after"))).toEqual(["a waits on a/after"]);
  });

  test("one that wants its place back displaces who is less important, and gets it in its own priority's turn", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann");
    story.agent("bob", { skills: ["y"], capacity: 9 });
    story.submit({ id: "a", agent: "ann" });
    story.spawn("a", { id: "0", skills: ["y"] });
    story.await("a", "a/0");
    story.submit({ id: "other", agent: "ann" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed"]);
    const events = told(story.do({ type: "task.prioritize", taskId: "a", priority: 6 }));
    expect(events).toEqual(["other stops: preempted for a"]);
    expect(told(story.fail("other"))).toEqual(["other attempt preempted", "a regains its seat"]);
  });

  test("one that is told to stop while others make way for it loses its promise", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann");
    story.agent("bob", { skills: ["y"], capacity: 9 });
    story.submit({ id: "a", agent: "ann", priority: 6, timeoutMs: 1_000 });
    story.spawn("a", { id: "0", skills: ["y"] });
    story.await("a", "a/0");
    story.submit({ id: "other", agent: "ann" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "other stops: preempted for a"]);
    expect(told(story.after(1_000))).toEqual(["a stops: timeout", "a loses its promise"]);
    story.submit({ id: "next", agent: "ann", priority: 9 });
    expect(told(story.fail("other"))).toEqual(["other attempt preempted", "next starts on ann"]);
  });

  test("one that wants its place back and is cancelled wants it no more", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann");
    story.agent("bob", { skills: ["y"] });
    story.submit({ id: "a", agent: "ann" });
    story.spawn("a", { id: "0", skills: ["y"] });
    story.await("a", "a/0");
    story.submit({ id: "other", agent: "ann" });
    story.complete("a/0");
    expect(told(story.fail("a", { retryable: false }))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
    expect(told(story.complete("other"))).toEqual(["other completed"]);
  });

  test("through a running subtask that waits itself, and through what an awaited one depends on", () => {
    const story = world();
    story.submit({ id: "a", resources: { disk: 2 } }, { id: "last", skills: ["nobody"], resources: { disk: 2 } });
    story.spawn("a", { id: "0" }, { id: "1", dependsOn: ["last"] });
    story.spawn("a/0", { id: "x", resources: { disk: 2 } });
    story.await("a/0", "a/0/x");
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["a/0"] }).code).toBe("WOULD_DEADLOCK");
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["a/1"] }).code).toBe("WOULD_DEADLOCK");
  });
});

test("awaiting what has seen a dependency fail is not waiting for that one when it is tried again", () => {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  story.manager("boss", ["ann"], { skills: ["lead"] });
  story.resource("disk", 2);
  story.submit({ id: "m", skills: ["lead"] });
  const plan = { agent: "ann", retry: { maxAttempts: 1 } };
  story.plan("m", { id: "one", resources: { disk: 2 }, ...plan }, { id: "two", ...plan });
  story.fail("m/one");
  story.submit({ id: "holds", agent: "ann", resources: { disk: 2 }, preemptible: false });
  story.spawn("holds", { id: "late", agent: "ann", dependsOn: ["m/one"], onDependencyFailure: "run" });
  story.do({ type: "task.retry", taskId: "m/one" });
  expect(story.status("m/one", "holds/late")).toBe("pending running");
  story.do({ type: "task.pause", taskId: "holds/late" });
  story.fail("holds/late");
  story.await("holds", "holds/late");
  expect(story.status("holds")).toBe("waiting");
});
