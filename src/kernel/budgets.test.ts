import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { Story, told } from "./story.fixture.ts";

/** `ann` has room for nine; `all` is 10, and `team`, a part of it, 5. */
function open(settings = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { capacity: 9 });
  story.budget("all", 10);
  story.budget("team", "5.00", "all");
  return story;
}

const once = { retry: { maxAttempts: 1 } } as const;
const silence = { type: "attempt.lose", message: "nothing was heard of it" } as const;

describe("an attempt", () => {
  test("has its estimate set aside at every level while it runs, and gives back what it did not spend", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: "2.50" });
    expect(story.money).toBe("all 0+2.5/10 7.5, team 0+2.5/5 2.5");
    story.spend("a", "0.75", "tokens");
    expect(story.money).toBe("all 0.75+1.75/10 7.5, team 0.75+1.75/5 2.5");
    story.complete("a");
    expect(story.money).toBe("all 0.75+0/10 9.25, team 0.75+0/5 4.25");
    expect(story.task("a")).toMatchObject({ cost: "0.75", attempts: [{ cost: "0.75" }] });
  });

  test("that spends more than was set aside takes what is left, and is refused what is not, before it is spent", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 1 }, { id: "b", budget: "all", cost: 4 });
    story.spend("a", 3);
    expect(story.money).toBe("all 3+4/10 3, team 3+0/5 2");
    expect(story.refusal({ type: "attempt.spend", ...story.from("a"), amount: "2.01" }).code).toBe("BUDGET_EXCEEDED");
    story.spend("a", 2);
    expect(story.money).toBe("all 5+4/10 1, team 5+0/5 0");
  });

  test("starts and spends only what the budgets above its own have left, too", () => {
    const story = open();
    story.submit({ id: "a", budget: "all", cost: 8 }, { id: "b", budget: "team", cost: 1 });
    story.submit({ id: "c", budget: "team", cost: "1.01" });
    expect([story.status("c"), story.reasons("c")]).toEqual(["pending", "budget"]);
    const refusal = story.refusal({ type: "attempt.spend", ...story.from("b"), amount: "2.01" });
    expect(refusal).toMatchObject({ code: "BUDGET_EXCEEDED", details: { budget: "all", need: "1.01", left: "1" } });
    story.spend("b", 2);
    expect(story.money).toBe("all 2+8/10 0, team 2+0/5 0");
  });

  test("without an estimate has nothing set aside, and may spend what is left", () => {
    const story = open();
    story.submit({ id: "a", budget: "team" });
    story.spend("a", 5);
    story.complete("a");
    expect(story.money).toBe("all 5+0/10 5, team 5+0/5 0");
  });

  test("that spends what was set aside for it beyond a limit that was lowered tells by how much, at every level", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 4 });
    story.budget("team", 1);
    expect(told(story.spend("a", 1))).toEqual(["a spends 1"]);
    expect(told(story.spend("a", 2))).toEqual(["a spends 2", "a overruns team by 2"]);
    story.budget("all", "2.5");
    expect(told(story.spend("a", "0.5"))).toEqual(["a spends 0.5", "a overruns team by 2.5", "a overruns all by 1"]);
    expect(told(story.complete("a"))).toEqual(["a completed"]);
  });

  test("of which nobody knows what it spent tells by how much what is assumed is beyond a limit", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 4, ...once });
    story.budget("team", 1);
    expect(told(story.crash(10))).toEqual(["a attempt lost", "a overruns team by 3", "a failed: TASK_FAILED"]);
  });

  test("adds what it spends, or is taken to have, to the sum of its agent, which a snapshot keeps", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 4, ...once }, { id: "b" });
    story.spend("a", "0.1");
    story.spend("b", "0.2");
    expect([story.kernel.spentBy("ann"), story.kernel.spentBy("nobody")]).toEqual(["0.3", "0"]);
    story.crash(10);
    const rows = JSON.parse(JSON.stringify([...story.kernel.snapshot()]));
    expect(Kernel.restore(rows).spentBy("ann")).toBe("4.2");
  });

  test("without a budget may spend what it likes, and it is told what that was", () => {
    const story = open();
    story.submit({ id: "a", cost: 1 });
    story.spend("a", "99.5");
    story.complete("a");
    expect([story.task("a").cost, story.money]).toEqual(["99.5", "all 0+0/10 10, team 0+0/5 5"]);
  });

  test.each([
    ["fails", (story: Story) => story.fail("a"), "team 1+0/5 4"],
    [
      "is cancelled",
      (story: Story) => [story.do({ type: "task.cancel", taskId: "a" }), story.fail("a")],
      "team 1+0/5 4",
    ],
    ["is paused", (story: Story) => [story.do({ type: "task.pause", taskId: "a" }), story.fail("a")], "team 1+0/5 4"],
    [
      "is deaf to a pause",
      (story: Story) => [story.do({ type: "task.pause", taskId: "a" }), story.after(9_000)],
      "team 1+0/5 4",
    ],
    ["is closed with its coordinator", (story: Story) => story.do({ type: "coordinator.close" }), "team 1+0/5 4"],
    ["is lost with its process", (story: Story) => story.crash(10), "team 3+0/5 2"],
    [
      "is lost while it was told to stop",
      (story: Story) => [story.do({ type: "task.pause", taskId: "a" }), story.crash(10)],
      "team 3+0/5 2",
    ],
    ["is heard of no more", (story: Story) => story.do({ ...silence, ...story.from("a") }), "team 3+0/5 2"],
    [
      "is heard of no more when it was told to stop",
      (story: Story) => [story.do({ type: "task.pause", taskId: "a" }), story.do({ ...silence, ...story.from("a") })],
      "team 3+0/5 2",
    ],
  ])("that %s is settled once", (_, ends, money) => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 3, ...once });
    story.spend("a", 1);
    ends(story);
    expect(story.money.split(", ")[1]).toBe(money);
  });

  test("that was lost says what is only assumed", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 3 }, { id: "b", budget: "team", cost: 1 });
    story.spend("a", 1);
    story.spend("b", 1);
    const ended = story.crash(10).filter((event) => event.type === "attempt.ended");
    expect(ended.map(({ taskId, assumed }) => [taskId, assumed])).toEqual([
      ["a", "2"],
      ["b", undefined],
    ]);
    expect(story.task("a").attempts).toMatchObject([{ end: "lost", cost: "3" }]);
  });

  test("each at one task has the estimate set aside anew; what they spent adds up", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 2, retry: { initialMs: 0 } });
    story.spend("a", "0.1");
    story.fail("a");
    expect(story.money).toContain("team 0.1+2/5 2.9");
    story.spend("a", "0.2");
    story.complete("a");
    const { cost, attempts } = story.task("a");
    expect([cost, attempts.map((attempt) => attempt.cost)]).toEqual(["0.3", ["0.1", "0.2"]]);
  });

  test("that fails for want of money is not tried again", () => {
    const story = open();
    story.submit({ id: "a", budget: "team" });
    expect(told(story.fail("a", { code: "BUDGET_EXCEEDED" }))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
  });

  test("that awaits others keeps what is set aside for it", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 3 });
    story.spawn("a", { id: "0", cost: 2 });
    story.await("a", "a/0");
    expect(story.money).toContain("team 0+5/5 0");
  });

  test("is refused to await what can only be paid with what is set aside for it", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 3 });
    story.spawn("a", { id: "0", cost: "2.5" });
    expect(story.status("a/0")).toBe("pending");
    expect(story.refusal({ type: "attempt.await", ...story.from("a"), on: ["a/0"] }).code).toBe("WOULD_DEADLOCK");
    story.complete("a");
    expect(story.status("a/0")).toBe("running");
  });
});

describe("admission", () => {
  test("never passes a limit, lets cheaper ones pass dearer ones, and goes on as money comes back", () => {
    const story = open();
    story.submit(
      { id: "a", budget: "team", cost: 3 },
      { id: "dear", budget: "team", cost: 3 },
      { id: "cheap", budget: "team", cost: 2 },
      { id: "none", budget: "team" },
    );
    expect(story.running).toBe("a cheap none");
    expect(story.reasons("dear")).toBe("budget");
    expect(told(story.complete("cheap"))).toEqual(["cheap completed", "dear starts on ann"].slice(0, 1));
    story.spend("a", 1);
    expect(told(story.complete("a"))).toEqual(["a completed", "dear starts on ann"]);
    expect(story.money).toBe("all 1+3/10 6, team 1+3/5 1");
  });

  test("a raised limit lets those start who waited, whichever level it is", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 4 }, { id: "b", budget: "all", cost: 6 });
    story.submit({ id: "c", budget: "team", cost: 2 });
    expect(story.reasons("c")).toBe("budget budget");
    expect(told(story.budget("all", 12))).toEqual([]);
    expect(told(story.budget("team", 6))).toEqual(["c starts on ann"]);
  });

  test("a limit that is lowered takes nothing back, and closes the budget until it covers what runs", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 3 });
    story.spend("a", 1);
    story.budget("team", 2);
    expect(story.kernel.budgets()[1]).toMatchObject({
      limit: "2",
      spent: "1",
      reserved: "2",
      overrun: "1",
      available: "0",
    });
    story.submit({ id: "none", budget: "team" });
    expect(story.reasons("none")).toBe("budget");
    story.spend("a", 2);
    // All that is set aside is spent within what was set aside; what is spent never comes back.
    expect(story.status("none")).toBe("failed");
    expect(story.task("none").error?.code).toBe("BUDGET_EXCEEDED");
  });

  test("who costs more than can be left fails, the dearest too; who may still have it waits", () => {
    const story = open();
    story.submit({ id: "a", budget: "team", cost: 4 });
    story.submit({ id: "b", budget: "team", cost: "1.5" }, { id: "c", budget: "team", cost: "3.5" });
    expect(told(story.spend("a", "2"))).toEqual(["a spends 2", "c failed: BUDGET_EXCEEDED"]);
    expect(story.why("c")).toMatchObject({
      verdict: "refused",
      text: 'failed (BUDGET_EXCEEDED): it costs 3.5; of budget "team" 2 of 5 is spent, and never more than 3 left',
    });
    expect(told(story.complete("a"))).toEqual(["a completed", "b starts on ann"]);
  });

  test("who is beyond the reach of two fails also when the limit of one of them is raised at once", () => {
    const story = open();
    story.submit({ id: "a", budget: "team" }, { id: "b", budget: "all" });
    story.spend("a", 5);
    story.spend("b", 4);
    const late = { type: "task.submit", tasks: [{ id: "late", budget: "team", cost: 2 }] } as const;
    const events = story.do(late, { type: "budget.set", budget: "team", limit: 9 });
    expect(told(events)).toEqual(["late failed: BUDGET_EXCEEDED"]);
  });

  test("who becomes ready when it is too late fails then, and is tried again by a person once there is more", () => {
    const story = open();
    story.submit({ id: "a", budget: "team" }, { id: "b", budget: "team", cost: 2, dependsOn: ["a"] });
    story.spend("a", 4);
    expect(told(story.complete("a"))).toEqual(["a completed", "b failed: BUDGET_EXCEEDED"]);
    story.budget("team", 6);
    expect(told(story.do({ type: "task.retry", taskId: "b" }))).toEqual(["b starts on ann"]);
  });

  test("nobody is stopped for want of money", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "low", priority: 1, budget: "team", cost: 5 });
    expect(told(story.submit({ id: "high", priority: 9, budget: "team", cost: 1 }))).toEqual([]);
    expect(told(story.submit({ id: "free", priority: 9, budget: "all", cost: 1 }))).toEqual([
      "low stops: preempted for free",
    ]);
  });

  test("nothing is kept for who could not pay, however long it has waited", () => {
    const story = open({ protectAfterMs: 1_000 });
    story.submit({ id: "a", budget: "team", cost: 5, preemptible: false });
    story.submit({ id: "poor", priority: 9, load: 9, budget: "team", cost: 1 });
    story.after(5_000);
    expect(told(story.submit({ id: "b", load: 8 }))).toEqual(["b starts on ann"]);
  });

  test("nothing is kept for who has waited long when what was left is taken before its turn", () => {
    const story = open({ protectAfterMs: 1_000 });
    story.agent("bob", { skills: ["y"] });
    story.submit({ id: "busy", skills: ["y"], priority: 9, preemptible: false });
    story.submit({ id: "long", skills: ["y"], priority: 1, budget: "team", cost: 3 });
    story.after(1_000);
    expect(story.reasons("long")).toBe("room reserved");
    expect(told(story.submit({ id: "rich", budget: "team", cost: 4 }))).toEqual(["rich starts on ann"]);
    expect(story.reasons("long")).toBe("room budget");
  });

  test("nor for who costs nothing, while the budget is over its limit", () => {
    const story = open({ protectAfterMs: 1_000 });
    story.submit({ id: "a", budget: "team", cost: 4, preemptible: false });
    story.budget("team", 3);
    story.submit({ id: "poor", priority: 9, load: 9, budget: "team" });
    story.after(5_000);
    expect(told(story.submit({ id: "b", load: 8 }))).toEqual(["b starts on ann"]);
  });

  test("who could pay displaces others though one ahead that costs a little more could not", () => {
    const tasks = ["0.000000000002", "0.000000000001"].map((cost, i) => ({ id: `t${i}`, budget: "small", cost }));
    const story = open({ concurrency: 2 });
    story.budget("small", "0.000000000002");
    story.submit({ id: "payer", priority: 9, preemptible: false, budget: "small", cost: "0.000000000001" });
    story.submit({ id: "low", priority: 1 });
    expect(told(story.submit(...tasks.map((task) => ({ ...task, priority: 8 }))))).toEqual([
      "low stops: preempted for t1",
    ]);
  });

  test("money that differs only behind the ninth place is told apart", () => {
    const story = open();
    story.budget("small", "1.000000000001");
    story.submit({ id: "a", budget: "small", cost: "1" });
    story.submit(
      { id: "dear", budget: "small", cost: "0.000000000002" },
      { id: "cheap", budget: "small", cost: "0.000000000001" },
    );
    expect(story.running).toBe("a cheap");
  });
});

describe("subtasks", () => {
  test("are paid from their parent's budget, or from a part of it", () => {
    const story = open();
    story.submit({ id: "a", budget: "all" });
    story.spawn("a", { id: "0", cost: 1 }, { id: "1", budget: "team", cost: 2 });
    expect(story.money).toBe("all 0+3/10 7, team 0+2/5 3");
  });

  test("of a task that has no budget may name any", () => {
    const story = open();
    story.submit({ id: "a" });
    story.spawn("a", { id: "0", budget: "team", cost: 1 });
    expect(story.money).toContain("team 0+1/5 4");
  });

  test("count towards the cost of all that they are part of, over a restart and once they have ended too", () => {
    const story = open();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"], budget: "team" });
    story.spend("m", "0.5");
    story.plan("m", { id: "x" }, { id: "y" });
    story.spend("m/x", 1);
    story.spawn("m/x", { id: "z" });
    story.spend("m/x/z", "0.25");
    const costs = (): (readonly string[])[] => story.kernel.tasks().map(({ id, cost }) => [id, cost]);
    const expected = [
      ["m", "1.75"],
      ["m/x", "1.25"],
      ["m/y", "0"],
      ["m/x/z", "0.25"],
    ];
    expect(costs()).toEqual(expected);
    story.crash(10);
    expect(costs()).toEqual(expected);
    story.do({ type: "task.cancel", taskId: "m" });
    expect(story.task("m").status).toBe("cancelled");
    expect(costs()).toEqual(expected);
    expect(story.task("m")).toMatchObject({ cost: "1.75", attempts: [{ cost: "0.5" }] });
  });
});

test("a thousand who spend at the limit use all of it and no more", () => {
  const story = new Story({ concurrency: 1_000 });
  story.agent("ann", { capacity: 1_000 });
  story.budget("all", "33.3");
  story.submit(...Array.from({ length: 1_000 }, (_, i) => ({ id: `s${i}`, budget: "all" })));
  let spent = 0;
  for (let i = 0; i < 1_000; i++) {
    const { answers } = story.try({ type: "attempt.spend", ...story.from(`s${i}`), amount: 0.1 });
    if (answers[0]?.ok === true) spent += 1;
  }
  expect([spent, story.money]).toEqual([333, "all 33.3+0/33.3 0"]);
});

test("a thousand who wait for their turn use all of it and no more", () => {
  const story = new Story({ concurrency: 1_000 });
  story.agent("ann", { capacity: 1_000 });
  story.budget("all", "33.3");
  story.submit(...Array.from({ length: 1_000 }, (_, i) => ({ id: `s${i}`, budget: "all", cost: "0.3" })));
  for (let i = 0; i < 1_000; i++) {
    if (story.status(`s${i}`) !== "running") continue;
    story.spend(`s${i}`, 0.1);
    story.complete(`s${i}`);
  }
  const completed = story.kernel.counts().completed;
  expect([completed, story.kernel.counts().failed]).toEqual([331, 669]);
  expect(story.money).toBe("all 33.1+0/33.3 0.2");
});

test("setting the same limit again leaves no event", () => {
  const story = open();
  expect(story.budget("team", "5")).toEqual([]);
  expect(story.budget("team", 5, "all")).toEqual([]);
});
