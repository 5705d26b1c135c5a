import { describe, expect, test } from "vitest";
import { limits } from "./limits.ts";
import { register, Story, told } from "./story.fixture.ts";

function slots(concurrency: number, settings = {}): Story {
  const story = new Story({ concurrency, ...settings });
  story.agent("ann", { capacity: 100 });
  return story;
}

describe("preemption", () => {
  test("a task that lacks a slot takes that of a lower one, when that one has stopped", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    expect(told(story.submit({ id: "high", priority: 9 }))).toEqual(["low stops: preempted for high"]);
    expect(story.status("low", "high")).toBe("running pending");
    expect(told(story.fail("low"))).toEqual(["low attempt preempted", "high starts on ann"]);
    expect(story.status("low")).toBe("paused");
  });

  test("it resumes by itself when it is its turn, from its last checkpoint", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.do({ type: "attempt.checkpoint", ...story.from("low"), state: { at: 3 } });
    story.submit({ id: "high", priority: 9 });
    story.fail("low");
    expect(told(story.complete("high"))).toEqual(["high completed", "low starts on ann"]);
    expect(story.task("low").checkpoint).toEqual({ at: 3 });
    expect(story.task("low").attempts.map((attempt) => attempt.end)).toEqual(["preempted", undefined]);
  });

  test("equal priorities never displace each other, in any order of arrival", () => {
    const story = slots(1);
    story.submit({ id: "a" });
    expect(told(story.submit({ id: "b" }))).toEqual([]);
  });

  test("with aging, one of lower priority but earlier key keeps its slot: it would come first again", () => {
    const story = slots(1, { agingMs: 1_000 });
    story.submit({ id: "old", priority: 1 });
    story.after(5_000);
    expect(told(story.submit({ id: "young", priority: 5 }))).toEqual([]);
    expect(told(story.submit({ id: "urgent", priority: 9 }))).toEqual(["old stops: preempted for urgent"]);
  });

  test("who was displaced never displaces in turn, while priorities stand", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    story.fail("low");
    expect(told(story.after(60_000))).toEqual([]);
    expect(story.running).toBe("high");
  });

  test("what is non-preemptible is never told to stop", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1, preemptible: false });
    expect(told(story.submit({ id: "high", priority: 9 }))).toEqual([]);
    expect(story.reasons("high")).toBe("concurrency");
  });

  test("after 3 preemptions it is shielded", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    for (let i = 0; i < limits.preemptions; i++) {
      story.submit({ id: `high${i}`, priority: 9 });
      story.fail("low");
      story.complete(`high${i}`);
    }
    expect(story.running).toBe("low");
    expect(told(story.submit({ id: "last", priority: 9 }))).toEqual([]);
    expect(story.task("low").attempts).toHaveLength(4);
  });

  test("the lowest priority goes first, and among equals the latest started", () => {
    const story = slots(3);
    story.submit({ id: "a", priority: 2 });
    story.submit({ id: "b", priority: 1 });
    story.submit({ id: "c", priority: 1 });
    expect(told(story.submit({ id: "high", priority: 9 }))).toEqual(["c stops: preempted for high"]);
    expect(told(story.submit({ id: "higher", priority: 10 }))).toEqual(["b stops: preempted for higher"]);
  });

  test("no more are stopped than are needed: one that frees enough spares those found before it", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 4);
    story.submit({ id: "large", priority: 2, resources: { disk: 3 } });
    story.submit({ id: "small", priority: 1, resources: { disk: 1 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 3 } }))).toEqual([
      "large stops: preempted for high",
    ]);
  });

  test("of those that are not needed the highest priority is spared first, then the earliest token", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 4);
    story.submit({ id: "early", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "late", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "better", priority: 2, resources: { disk: 1 } });
    story.submit({ id: "other", priority: 1, resources: { disk: 1 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 2 } }))).toEqual([
      "other stops: preempted for high",
      "late stops: preempted for high",
    ]);
  });

  test("where one of two is enough beside a third, the one of higher priority is spared", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 7);
    story.submit({ id: "low", priority: 1, resources: { disk: 2 } });
    story.submit({ id: "mid", priority: 2, resources: { disk: 2 } });
    story.submit({ id: "large", priority: 3, resources: { disk: 3 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 5 } }))).toEqual([
      "low stops: preempted for high",
      "large stops: preempted for high",
    ]);
  });

  test("the earliest started is spared where either would do", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 4);
    story.submit({ id: "early", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "late", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "large", priority: 2, resources: { disk: 2 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 3 } }))).toEqual([
      "late stops: preempted for high",
      "large stops: preempted for high",
    ]);
  });

  test("where the first of its kind finds nobody, a later one that asks for less may", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "firm", priority: 1, preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "low", priority: 1, resources: { disk: 2 } });
    expect(
      told(
        story.submit(
          { id: "large", priority: 9, resources: { disk: 3 } },
          { id: "small", priority: 8, resources: { disk: 2 } },
        ),
      ),
    ).toEqual(["low stops: preempted for small"]);
  });

  test("no set that would let it start: nobody is stopped", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "low", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "firm", priority: 1, preemptible: false, resources: { disk: 1 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 3 } }))).toEqual([]);
  });

  test("room on an agent is taken where that agent qualifies, not elsewhere", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"], capacity: 1 });
    story.agent("bob", { skills: ["y"], capacity: 1 });
    story.submit({ id: "x", priority: 2, skills: ["x"] }, { id: "y", priority: 1, skills: ["y"] });
    expect(told(story.submit({ id: "high", priority: 9, skills: ["x"] }))).toEqual(["x stops: preempted for high"]);
  });

  test("several on one agent make room together", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 2 });
    story.submit({ id: "a", priority: 1 }, { id: "b", priority: 1 });
    expect(told(story.submit({ id: "high", priority: 9, load: 2 }))).toEqual([
      "b stops: preempted for high",
      "a stops: preempted for high",
    ]);
  });

  test("rate tokens are never taken back, so nobody is stopped for them", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("calls", 2, { per: 1_000 });
    story.submit({ id: "low", priority: 1, resources: { calls: 2 } });
    expect(told(story.submit({ id: "high", priority: 9, resources: { calls: 2 } }))).toEqual([]);
    expect(told(story.after(1_000))).toEqual(["high starts on ann"]);
  });

  test("nobody is stopped for one that an offline agent or an open breaker keeps from starting", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.agent("bob", { skills: ["x"] });
    story.do({ type: "agent.unregister", agent: "bob" });
    story.submit({ id: "low", priority: 1, agent: "ann" });
    expect(told(story.submit({ id: "high", priority: 9, skills: ["x"] }))).toEqual([]);
    expect(story.reasons("high")).toContain("offline");
  });

  test("at most preemptScan are looked at", () => {
    const story = new Story({ concurrency: 1_000 });
    story.agent("ann", { capacity: 1_000 });
    story.resource("disk", 1);
    story.submit({ id: "holder", priority: 1, resources: { disk: 1 } });
    story.submit(...Array.from({ length: limits.preemptScan }, (_, i) => ({ id: `n${i}`, priority: 1 })));
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.complete("n0"))).toEqual(["n0 completed", "holder stops: preempted for high"]);
  });

  test("one that completes within its grace has completed", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    expect(told(story.complete("low", "done"))).toEqual(["low completed", "high starts on ann"]);
    expect(story.task("low")).toMatchObject({ status: "completed", output: "done" });
  });

  test("one that is deaf is abandoned at the end of its grace: its books are free, and what it says later is FENCED", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1, graceMs: 700 });
    story.submit({ id: "high", priority: 9 });
    expect(told(story.after(699))).toEqual([]);
    const late = story.completion("low", "late");
    expect(told(story.after(1))).toEqual(["low attempt abandoned", "high starts on ann"]);
    expect(story.refusal(late).code).toBe("FENCED");
    expect(story.status("low")).toBe("paused");
  });

  test("the default grace is 5 seconds", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    expect(told(story.after(4_999))).toEqual([]);
    expect(told(story.after(1))).toContain("low attempt abandoned");
  });

  test("what is freed is promised: nobody else takes it meanwhile", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 3);
    story.submit({ id: "a", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "b", priority: 1, resources: { disk: 1 } });
    story.submit({ id: "high", priority: 9, resources: { disk: 3 } });
    expect(told(story.submit({ id: "mid", priority: 8, resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.fail("a"))).toEqual(["a attempt preempted"]);
    expect(told(story.fail("b"))).toEqual(["b attempt preempted", "high starts on ann"]);
  });

  test("the promise goes back to all when the claimant is cancelled; who was told to stop still stops", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    story.submit({ id: "mid", priority: 5 });
    story.do({ type: "task.cancel", taskId: "high" });
    expect(told(story.fail("low"))).toEqual(["low attempt preempted", "mid starts on ann"]);
  });

  test("the promise goes back to all when the claimant is paused, or its deadline passes", () => {
    const story = slots(1);
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9, deadlineMs: 1_000 });
    story.submit({ id: "mid", priority: 5 });
    expect(told(story.after(1_000))).toEqual(["high failed: TIMEOUT"]);
    expect(told(story.fail("low"))).toEqual(["low attempt preempted", "mid starts on ann"]);
    story.submit({ id: "higher", priority: 9 });
    story.do({ type: "task.pause", taskId: "higher" });
    expect(told(story.fail("mid"))).toEqual(["mid attempt preempted", "mid starts on ann"]);
  });

  test("a person pauses a running task: it stops, and is held until resumed", () => {
    const story = slots(1);
    story.submit({ id: "a" }, { id: "b" });
    expect(told(story.do({ type: "task.pause", taskId: "a" }))).toEqual(["a stops: paused"]);
    expect(told(story.fail("a"))).toEqual(["a attempt preempted", "b starts on ann"]);
    expect(told(story.complete("b"))).toEqual(["b completed"]);
    expect(story.reasons("a")).toBe("held");
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a starts on ann"]);
  });

  test("a pending or a blocked task is held too", () => {
    const story = slots(1);
    story.submit({ id: "a" }, { id: "b" }, { id: "c", dependsOn: ["a"] });
    story.do({ type: "task.pause", taskId: "b" }, { type: "task.pause", taskId: "c" });
    expect(story.status("b", "c")).toBe("paused paused");
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.do({ type: "task.resume", taskId: "c" }))).toEqual(["c starts on ann"]);
    story.do({ type: "task.resume", taskId: "b" });
    expect(story.status("b")).toBe("pending");
  });

  test("resuming a task whose dependencies have not ended makes it blocked again", () => {
    const story = slots(1);
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    story.do({ type: "task.pause", taskId: "b" });
    story.do({ type: "task.resume", taskId: "b" });
    expect(story.status("b")).toBe("blocked");
  });

  test("one that awaits others and is paused does not go on until it is resumed", () => {
    const story = slots(2);
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.do({ type: "task.pause", taskId: "a" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed"]);
    expect(story.reasons("a")).toContain("held");
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a regains its seat"]);
  });

  test("where more load is taken than there is room for, nobody is stopped for what would not be enough", () => {
    const story = slots(9);
    story.submit({ id: "a" }, { id: "b" });
    const large = { id: "large", priority: 9, load: 2 };
    expect(told(story.do(register("ann", { capacity: 1 }), { type: "task.submit", tasks: [large] }))).toEqual([]);
  });

  test("where more of a resource is taken than is there, nobody is stopped for what would not be enough", () => {
    const story = slots(9);
    story.resource("disk", 4);
    story.submit({ id: "firm", preemptible: false, resources: { disk: 2 } });
    story.submit({ id: "low", priority: 1, resources: { disk: 2 } });
    story.resource("disk", 2);
    expect(told(story.submit({ id: "high", priority: 9, resources: { disk: 2 } }))).toEqual([]);
  });

  test("behind a reservation for which no slot is free there is none to leave to it", () => {
    const story = slots(2, { protectAfterMs: 0 });
    story.resource("disk", 1);
    story.submit({ id: "firm", preemptible: false, resources: { disk: 1 } }, { id: "low", priority: 1 });
    expect(told(story.submit({ id: "reserved", priority: 9, resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.submit({ id: "mid", priority: 6 }))).toEqual(["low stops: preempted for mid"]);
  });

  test("one that ends before the reserved one starts needs nothing given back for what it may use", () => {
    const story = slots(9, { protectAfterMs: 0 });
    story.resource("disk", 4);
    story.submit({ id: "firm", preemptible: false, resources: { disk: 2 }, estimatedMs: 10_000 });
    story.submit({ id: "low", priority: 1, resources: { disk: 1 }, estimatedMs: 10_000 });
    expect(told(story.submit({ id: "reserved", priority: 9, resources: { disk: 4 } }))).toEqual([]);
    expect(told(story.submit({ id: "mid", priority: 6, resources: { disk: 2 }, estimatedMs: 1_000 }))).toEqual([
      "low stops: preempted for mid",
    ]);
  });

  test("who was passed over is not looked at again when a later one starts, and does not stop it at once", () => {
    const story = slots(3, { protectAfterMs: 0 });
    story.resource("disk", 1);
    story.submit({ id: "firm", preemptible: false, resources: { disk: 1 }, estimatedMs: 10_000 });
    story.submit({ id: "other", preemptible: false }, { id: "reserved", priority: 9, resources: { disk: 1 } });
    expect(told(story.submit({ id: "mid" }, { id: "short", priority: 1, estimatedMs: 1_000 }))).toEqual([
      "short starts on ann",
    ]);
  });

  test("one whose promise cannot be kept on an agent that has left the team takes what it needs from another", () => {
    const story = new Story();
    story.agent("ann");
    story.agent("bob");
    story.manager("boss", ["ann", "bob"], { skills: ["lead"] });
    story.submit({ id: "a", agent: "ann", priority: 1 }, { id: "b", agent: "bob", priority: 1 });
    story.submit({ id: "m", skills: ["lead"], priority: 9 });
    expect(told(story.plan("m", {}))).toEqual(["b stops: preempted for m/0"]);
    story.do({ type: "team.set", manager: "boss", team: ["ann"] });
    expect(told(story.complete("b"))).toEqual(["b completed", "m/0 loses its promise", "a stops: preempted for m/0"]);
  });

  test("one with a promise, however little it asks for, ends no search for others who could preempt", () => {
    const story = slots(2);
    story.submit({ id: "low", priority: 1 }, { id: "lower", priority: 1 });
    expect(told(story.submit({ id: "large", load: 999 }, { id: "first" }))).toEqual([
      "lower stops: preempted for first",
    ]);
    expect(told(story.submit({ id: "second" }))).toEqual(["low stops: preempted for second"]);
  });

  test("what those who make way give back beyond what is promised there is seen at once", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 2 });
    story.agent("bob", { capacity: 9 });
    story.resource("disk", 1);
    story.resource("net", 1);
    story.submit({ id: "low", agent: "bob", priority: 1, resources: { net: 1 } });
    story.submit({ id: "lower", agent: "ann", priority: 1, resources: { disk: 1 } });
    expect(told(story.submit({ id: "x", agent: "ann", priority: 9, resources: { net: 1 } }))).toEqual([
      "low stops: preempted for x",
    ]);
    expect(told(story.submit({ id: "z", agent: "ann", priority: 1 }))).toEqual([]);
    expect(told(story.submit({ id: "y", agent: "bob", priority: 9, resources: { disk: 1 } }))).toEqual([
      "lower stops: preempted for y",
      "z starts on ann",
    ]);
  });

  test("who becomes less important may be stopped for what was granted to it besides", () => {
    const story = slots(9);
    story.resource("disk", 1);
    story.submit({ id: "a" });
    story.ask("a", { disk: 1 });
    story.agent("bob");
    story.submit({ id: "b", agent: "bob", resources: { disk: 1 } });
    expect(told(story.do({ type: "task.prioritize", taskId: "a", priority: 3 }))).toEqual(["a stops: preempted for b"]);
  });

  test("behind one that keeps to another agent, a larger one may displace where it is too large for that agent", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 4 });
    story.agent("bob", { capacity: 2 });
    const retry = { initialMs: 100, jitter: false };
    story.submit({ id: "firm", agent: "bob", load: 2, preemptible: false });
    story.submit({ id: "small", retry }, { id: "large", load: 3, retry });
    story.do(story.failure("small"), story.failure("large"));
    story.submit({ id: "low", agent: "ann", priority: 1, load: 3 });
    expect(told(story.after(100))).toEqual(["low stops: preempted for large"]);
    expect(story.reasons("small")).toBe("room");
  });
});

test("of two alike, each displaces whom it needs", () => {
  const story = new Story({ concurrency: 2 });
  story.agent("ann", { capacity: 9 });
  story.submit({ id: "a", priority: 3 }, { id: "b", priority: 3 });
  story.submit({ id: "c", priority: 5 }, { id: "d", priority: 5 });
  expect(story.why("a").text).toContain("told to stop (preempted) for d");
  expect(story.why("b").text).toContain("told to stop (preempted) for c");
});
