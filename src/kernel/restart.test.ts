import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { register, Story, told } from "./story.fixture.ts";

function open(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  return story;
}

describe("a restart", () => {
  test("ends what ran as lost, and makes everybody offline until registered", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 0 } }, { id: "b", dependsOn: ["a"] });
    expect(told(story.crash(1_000))).toEqual(["a attempt lost"]);
    expect(story.reasons("a")).toBe("offline");
    expect(told(story.agent("ann", { capacity: 9 }))).toEqual(["a starts on ann"]);
  });

  test("what completed stays completed", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    story.complete("a", 1);
    story.crash(1_000);
    story.agent("ann", { capacity: 9 });
    story.after(1_000);
    expect(story.task("a")).toMatchObject({ status: "completed", output: 1 });
    expect(story.running).toBe("b");
  });

  test("one that was stopping is no loss: it has stopped", () => {
    const story = open();
    story.submit({ id: "a" }, { id: "b", timeoutMs: 10 }, { id: "c" });
    story.do({ type: "task.pause", taskId: "a" }, { type: "task.cancel", taskId: "c" });
    story.after(10);
    expect(told(story.crash(1_000))).toEqual([
      "a attempt preempted",
      "b attempt timeout",
      "c attempt cancelled",
      "c cancelled",
    ]);
    expect(story.status("a")).toBe("paused");
  });

  test("one that awaited others is lost, and finds what it submitted when it runs again", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 0 } });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.crash(1_000);
    expect(told(story.agent("ann", { capacity: 9 }))).toContain("a starts on ann");
    expect(told(story.spawn("a", { id: "0" }))).toEqual([]);
  });

  test("extra allocations and queued requests end with their attempts", () => {
    const story = open();
    story.resource("disk", 1);
    story.submit({ id: "a" }, { id: "b" });
    story.ask("a", { disk: 1 }, { leaseMs: 1_000 });
    story.ask("b", { disk: 1 }, { wait: true });
    story.crash(10);
    expect(story.kernel.resources(story.now)[0]).toMatchObject({ allocated: 0, waiting: 0 });
  });

  test("a promise ends with the attempts that made way, and the better one still goes first", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "low", priority: 1 });
    story.submit({ id: "high", priority: 9 });
    story.crash(10, { concurrency: 1 });
    expect(told(story.agent("ann", { capacity: 9 }))).toEqual(["high starts on ann"]);
  });

  test("waiting while nothing is open does not count for aging", () => {
    const story = new Story({ concurrency: 1, agingMs: 1_000 });
    story.submit({ id: "old", priority: 1 });
    story.crash(100_000, { concurrency: 1, agingMs: 1_000 });
    story.submit({ id: "young", priority: 2 });
    expect(told(story.agent("ann"))).toEqual(["young starts on ann"]);
  });

  test("other settings from now on order and protect anew", () => {
    const story = new Story({ concurrency: 1 });
    story.submit({ id: "a", priority: 1 }, { id: "b", priority: 9 });
    story.crash(10, { concurrency: 1, agingMs: 0 });
    expect(told(story.agent("ann"))).toEqual(["a starts on ann"]);
  });

  test("closing puts what runs back in the queue: it did nothing wrong", () => {
    const story = open();
    story.submit({ id: "a" });
    expect(told(story.do({ type: "coordinator.close" }))).toEqual(["a attempt preempted"]);
    expect(story.task("a")).toMatchObject({ status: "pending" });
    expect(story.refusal({ type: "task.submit", tasks: [{}] }).code).toBe("CLOSED");
    expect(story.kernel.nextWakeAt()).toBeUndefined();
    expect(told(story.crash(1_000))).toEqual([]);
    expect(told(story.agent("ann"))).toEqual(["a starts on ann"]);
  });

  test("tokens only grow over restarts", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 0 } });
    const before = story.token("a");
    story.crash(0);
    story.agent("ann");
    expect(story.token("a")).toBeGreaterThan(before);
  });

  test("time that runs backwards is refused: it is never guessed around", () => {
    const story = open();
    expect(() => story.kernel.batch([{ command: { type: "tick" } }], story.now - 1)).toThrow(RangeError);
  });

  test("asking why before the first command is told by the time of the log, not by none", () => {
    const story = open();
    story.submit({ id: "a", retry: { initialMs: 60_000, jitter: false } });
    story.fail("a");
    const kernel = Kernel.restore([...story.kernel.snapshot()]);
    expect(kernel.explain("a", story.now)?.reasons.map(({ code }) => code)).toEqual(["backoff"]);
    const { events } = kernel.batch([{ command: { type: "tick" } }], story.now + 60_000);
    expect(told(events)).toEqual(["a starts on ann"]);
  });

  test("registering again without a change is harmless", () => {
    const story = open();
    story.submit({ id: "a" });
    expect(told(story.do(register("ann", { capacity: 9 })))).toEqual([]);
    expect(story.running).toBe("a");
  });

  test("registering with other skills, or another capacity, is an event, and what waits is looked at again", () => {
    const story = open();
    story.submit({ id: "a", skills: ["x"] });
    const [skills] = story.do(register("ann", { capacity: 9, skills: { x: 0.5 } }));
    expect(skills).toMatchObject({ type: "agent.registered", agent: "ann", skills: { x: 0.5 } });
    expect(story.running).toBe("a");
    const [capacity] = story.do(register("ann", { capacity: 3, skills: { x: 0.5 } }));
    expect(capacity).toMatchObject({ type: "agent.registered", agent: "ann", capacity: 3 });
  });

  test("drained: what runs goes on and ends, nothing more is started until it is opened again", () => {
    const story = open();
    story.agent("ann", { capacity: 1 });
    story.submit({ id: "a", retry: { initialMs: 0 } }, { id: "b" });
    expect(told(story.do({ type: "coordinator.drain" }))).toEqual([]);
    expect(story.running).toBe("a");
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.submit({ id: "c" }))).toEqual([]);
    expect(told(story.after(60_000))).toEqual([]);
    expect(story.why("b")).toMatchObject({ verdict: "waiting", text: expect.stringContaining("drains") });
    expect(story.reasons("b")).toBe("offline");
    story.do({ type: "coordinator.open" });
    expect(told(story.agent("ann", { capacity: 1 }))).toEqual(["b starts on ann"]);
  });

  test("drained: nobody makes way for what is not going to start", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "low", priority: 1 });
    story.do({ type: "coordinator.drain" });
    expect(told(story.submit({ id: "high", priority: 9 }))).toEqual([]);
  });
});

test("what was leased when the process died is no sign that it was open since", () => {
  const story = new Story({ unroutableMs: 5_000 });
  story.agent("ann");
  story.resource("disk", 1);
  story.submit({ id: "holder" }, { id: "nobodys", skills: ["unknown"] });
  story.after(3_000);
  story.ask("holder", { disk: 1 }, { leaseMs: 500 });
  story.crash(60_000, { unroutableMs: 5_000 });
  expect(story.status("nobodys")).toBe("pending");
  story.after(1_999);
  expect(story.status("nobodys")).toBe("pending");
  story.after(1);
  expect(story.task("nobodys").error?.code).toBe("NO_QUALIFIED_AGENT");
});
