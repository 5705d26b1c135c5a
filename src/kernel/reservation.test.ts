import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { Story, told } from "./story.fixture.ts";

/** A disk of 4, of which `held` holds 2; `big` wants 4 and waits. */
function behindBig(settings = {}, held = {}): Story {
  const story = new Story({ concurrency: 9, protectAfterMs: 1_000, ...settings });
  story.agent("ann", { capacity: 99 });
  story.resource("disk", 4);
  story.submit({ id: "held", preemptible: false, resources: { disk: 2 }, ...held });
  story.submit({ id: "big", resources: { disk: 4 } });
  return story;
}

describe("backfill and the one reservation", () => {
  test("what fits may start although something ahead of it does not", () => {
    const story = behindBig();
    expect(told(story.submit({ id: "small", resources: { disk: 1 } }))).toEqual(["small starts on ann"]);
  });

  test("from protectAfterMs on what the first in order needs is set aside", () => {
    const story = behindBig();
    story.after(999);
    expect(told(story.submit({ id: "before", resources: { disk: 1 } }))).toEqual(["before starts on ann"]);
    story.after(1);
    expect(told(story.submit({ id: "after", resources: { disk: 1 } }))).toEqual([]);
    expect(story.reasons("after")).toBe("reserved");
    expect(story.reasons("big")).toContain("reserved");
    story.complete("before");
    expect(told(story.complete("held"))).toEqual(["held completed", "big starts on ann"]);
  });

  test("protectAfterMs 0 is strict order", () => {
    const story = behindBig({ protectAfterMs: 0 });
    expect(told(story.submit({ id: "small", resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.complete("held"))).toEqual(["held completed", "big starts on ann"]);
  });

  test("protectAfterMs Infinity never protects", () => {
    const story = behindBig({ protectAfterMs: Number.POSITIVE_INFINITY });
    story.after(1_000_000_000);
    expect(told(story.submit({ id: "small", resources: { disk: 1 } }))).toEqual(["small starts on ann"]);
  });

  test("the default is 30 seconds", () => {
    const story = new Story();
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "held", resources: { disk: 1 } }, { id: "big", resources: { disk: 2 } });
    story.after(29_999);
    expect(told(story.submit({ id: "a", resources: { disk: 1 } }))).toEqual(["a starts on ann"]);
    story.complete("a");
    story.after(1);
    expect(told(story.submit({ id: "b", resources: { disk: 1 } }))).toEqual([]);
  });

  test("one that ends by its estimate before the predicted start may pass; one without an estimate may not", () => {
    const story = behindBig({}, { estimatedMs: 10_000 });
    story.after(1_000);
    expect(told(story.submit({ id: "unknown", resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.submit({ id: "long", resources: { disk: 1 }, estimatedMs: 9_001 }))).toEqual([]);
    expect(told(story.submit({ id: "short", resources: { disk: 1 }, estimatedMs: 9_000 }))).toEqual([
      "short starts on ann",
    ]);
  });

  test("tokens are not given back: who ends in time may use all that is set aside, but for those", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 99 });
    story.resource("disk", 4);
    story.resource("calls", 3, { kind: "api_call", per: 1_000_000_000 });
    story.submit({ id: "held", preemptible: false, resources: { disk: 2 }, estimatedMs: 10_000 });
    story.submit({ id: "big", resources: { disk: 4, calls: 2 } });
    story.after(1_000);
    const short = { estimatedMs: 1_000 };
    expect(told(story.submit({ id: "spends", ...short, resources: { calls: 2, disk: 1 } }))).toEqual([]);
    expect(story.reasons("spends")).toBe("reserved");
    expect(told(story.submit({ id: "little", ...short, resources: { calls: 1, disk: 2 } }))).toEqual([
      "little starts on ann",
    ]);
  });

  test("a running task without an estimate, or past it, is predicted never to end: nobody ends in time", () => {
    const story = behindBig();
    story.after(1_000);
    expect(told(story.submit({ id: "short", resources: { disk: 1 }, estimatedMs: 1 }))).toEqual([]);
    const other = behindBig({}, { estimatedMs: 2_000 });
    other.after(2_001);
    expect(told(other.submit({ id: "short", resources: { disk: 1 }, estimatedMs: 1 }))).toEqual([]);
  });

  test("who was let pass but overruns: the reservation stands, with a new prediction", () => {
    const story = behindBig({}, { estimatedMs: 10_000 });
    story.after(1_000);
    story.submit({ id: "short", resources: { disk: 2 }, estimatedMs: 1_000 });
    story.complete("held");
    expect(story.running).toBe("short");
    expect(told(story.submit({ id: "next", resources: { disk: 1 }, estimatedMs: 1 }))).toEqual(["next starts on ann"]);
    story.complete("next");
    story.after(2_000);
    expect(told(story.submit({ id: "last", resources: { disk: 1 }, estimatedMs: 1 }))).toEqual([]);
    expect(told(story.complete("short"))).toEqual(["short completed", "big starts on ann"]);
  });

  test("earlier keys are never held up by it", () => {
    const story = behindBig();
    story.after(1_000);
    expect(told(story.submit({ id: "urgent", priority: 9, resources: { disk: 1 } }))).toEqual(["urgent starts on ann"]);
  });

  test("what the reserved one leaves over is for all, and what does not touch it goes on", () => {
    const story = behindBig();
    story.resource("net", 1);
    story.after(1_000);
    expect(told(story.submit({ id: "other", resources: { net: 1 } }))).toEqual(["other starts on ann"]);
    expect(told(story.submit({ id: "plain" }))).toEqual(["plain starts on ann"]);
  });

  test("it sets one slot aside", () => {
    const story = behindBig({ concurrency: 3 });
    story.after(1_000);
    expect(told(story.submit({ id: "a" }, { id: "b" }))).toEqual(["a starts on ann"]);
    expect(told(story.complete("a"))).toEqual(["a completed", "b starts on ann"]);
    expect(told(story.complete("held"))).toEqual(["held completed", "big starts on ann"]);
  });

  test("it sets its room aside on the agent that is predicted free first, and on no other", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 2 });
    story.agent("bob", { capacity: 2 });
    story.submit({ id: "a", agent: "ann", preemptible: false, estimatedMs: 9_000 });
    story.submit({ id: "b", agent: "bob", preemptible: false, estimatedMs: 5_000 });
    story.submit({ id: "big", load: 2 });
    story.after(1_000);
    expect(told(story.submit({ id: "x", agent: "bob" }))).toEqual([]);
    expect(told(story.submit({ id: "y", agent: "ann" }))).toEqual(["y starts on ann"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "big starts on bob"]);
  });

  test("none predicted: room is set aside on the least utilized, then the earliest registered", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 4 });
    story.agent("bob", { capacity: 4 });
    story.submit({ id: "a", agent: "ann", load: 2, preemptible: false });
    story.submit({ id: "b", agent: "bob", preemptible: false });
    story.submit({ id: "big", load: 4 });
    expect(told(story.submit({ id: "x", agent: "bob" }, { id: "y", agent: "ann" }))).toEqual(["y starts on ann"]);
  });

  test("one at a time: the second in line is not protected", () => {
    const story = behindBig();
    story.resource("net", 2);
    story.submit({ id: "net0", preemptible: false, resources: { net: 1 } });
    story.submit({ id: "second", resources: { net: 2 } });
    story.after(5_000);
    expect(told(story.submit({ id: "small", resources: { net: 1 } }))).toEqual(["small starts on ann"]);
  });

  test("a reserved one that is held, cancelled or started frees others at once", () => {
    const story = behindBig();
    story.after(1_000);
    story.submit({ id: "small", resources: { disk: 1 } });
    expect(told(story.do({ type: "task.pause", taskId: "big" }))).toEqual(["small starts on ann"]);
    story.do({ type: "task.resume", taskId: "big" });
    story.after(1_000);
    expect(told(story.submit({ id: "next", resources: { disk: 1 } }))).toEqual([]);
    expect(told(story.do({ type: "task.cancel", taskId: "big" }))).toEqual(["big cancelled", "next starts on ann"]);
  });

  test("one that lacks more than slots, room and capacity holds no reservation", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.agent("bob", { skills: ["x"] });
    story.do({ type: "agent.unregister", agent: "bob" });
    story.resource("disk", 2);
    story.submit({ id: "offline", skills: ["x"], resources: { disk: 2 } });
    expect(told(story.submit({ id: "a", resources: { disk: 1 } }))).toEqual(["a starts on ann"]);
  });

  test("nobody starves: under an endless stream of small ones the big one starts when those before it have ended", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 99 });
    story.resource("disk", 3);
    story.submit({ id: "s0", resources: { disk: 1 } }, { id: "s1", resources: { disk: 1 } });
    story.submit({ id: "big", resources: { disk: 3 } });
    let rounds = 0;
    for (let next = 2; story.status("big") !== "running"; next++) {
      rounds += 1;
      story.submit({ id: `s${next}`, resources: { disk: 1 } });
      story.after(500);
      const [oldest = ""] = story.running.split(" ");
      story.complete(oldest);
    }
    expect(rounds).toBeLessThan(8);
  });

  test("the same for tokens of a rate: a big request is not starved by small ones", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 99 });
    story.resource("calls", 4, { per: 4_000 });
    story.submit({ id: "first", resources: { calls: 4 } });
    story.submit({ id: "big", resources: { calls: 4 } });
    story.after(1_000);
    expect(told(story.submit({ id: "small", resources: { calls: 1 } }))).toEqual([]);
    expect(told(story.after(3_000))).toEqual(["big starts on ann"]);
  });

  test("the order in which a reservation was waited for survives a restart, without the time in between", () => {
    const story = behindBig();
    story.after(600);
    story.crash(50_000, { concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 99 });
    story.after(0);
    expect(story.task("held").attempts.at(-1)?.end).toBe("lost");
  });

  test("no room is set aside on an agent that it avoids", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 1 });
    story.agent("bob", { capacity: 2 });
    story.submit({ id: "held", agent: "bob", load: 2, preemptible: false });
    story.submit({ id: "again", retry: { initialMs: 100, jitter: false } });
    story.fail("again");
    story.after(100);
    expect(story.reasons("again")).toBe("room reserved");
    expect(told(story.submit({ id: "a", agent: "ann" }))).toEqual(["a starts on ann"]);
  });

  test("where more is taken than is there, what is given back makes up for that first", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 4);
    story.resource("net", 1);
    story.submit({ id: "ends", preemptible: false, resources: { disk: 2 }, estimatedMs: 10_000 });
    story.submit({ id: "stays", preemptible: false, resources: { disk: 2 } });
    story.resource("disk", 2);
    story.submit({ id: "big", resources: { disk: 2, net: 1 } });
    expect(told(story.submit({ id: "short", resources: { net: 1 }, estimatedMs: 1_000 }))).toEqual([]);
  });

  test("what is promised to somebody else is not predicted to come free for it", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.resource("net", 1);
    story.submit({ id: "held", priority: 8, resources: { disk: 2 }, estimatedMs: 10_000 });
    story.submit({ id: "big", resources: { disk: 2, net: 1 } });
    expect(told(story.submit({ id: "urgent", priority: 9, resources: { disk: 2 } }))).toEqual([
      "held stops: preempted for urgent",
    ]);
    expect(told(story.submit({ id: "short", resources: { net: 1 }, estimatedMs: 1_000 }))).toEqual([]);
  });

  test("it holds for requests of running attempts too when no slot is free", () => {
    const story = new Story({ concurrency: 1, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "firm", preemptible: false });
    story.submit({ id: "next", priority: 6, resources: { disk: 1 } });
    expect(told(story.ask("firm", { disk: 2 }, { wait: true }))).toEqual(["firm queues for 2 disk"]);
  });

  test("its room is chosen when those ahead of it have started", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { skills: ["x"], capacity: 2 });
    story.agent("bob", { skills: ["x"], capacity: 2 });
    story.agent("cy", { skills: ["y"] });
    story.resource("disk", 1);
    story.submit({ id: "held", skills: ["y"], preemptible: false, resources: { disk: 1 } });
    story.submit({ id: "reserved", skills: ["x"], priority: 7, resources: { disk: 1 } });
    story.after(1_000);
    expect(
      told(
        story.submit(
          { id: "nobody", skills: ["z"], priority: 9 },
          { id: "ahead", skills: ["x"], priority: 8 },
          { id: "behind", agent: "ann" },
        ),
      ),
    ).toEqual(["ahead starts on ann", "behind starts on ann"]);
  });

  test("nobody starves of room: whatever overruns, it starts when those that ran on its agent have ended", () => {
    expect(startOfBig(overrunning())).toBe(200);
  });

  test("it stays where it is when the kernel is written down and restored", () => {
    const story = overrunning();
    story.kernel = restored(story.kernel);
    expect(startOfBig(story)).toBe(200);
  });

  test("overruns of those that were let pass let no others pass: after what was foreseen at first nobody ends in time", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.submit({ id: "held", preemptible: false, resources: { disk: 1 }, estimatedMs: 1_000 });
    story.submit({ id: "big", resources: { disk: 2 } });
    story.after(500);
    story.submit({ id: "passes", preemptible: false, resources: { disk: 1 }, estimatedMs: 500 });
    story.complete("held");
    story.after(100);
    story.submit({ id: "ahead", priority: 9, preemptible: false, resources: { disk: 1 }, estimatedMs: 9_000 });
    story.complete("passes");
    expect(story.running).toBe("ahead");
    story.after(300);
    expect(told(story.submit({ id: "long", resources: { disk: 1 }, estimatedMs: 101 }))).toEqual([]);
    expect(told(story.submit({ id: "short", resources: { disk: 1 }, estimatedMs: 100 }))).toEqual([
      "short starts on ann",
    ]);
  });

  test("of what one task waits for its seat comes first, which is then what is reserved for it", () => {
    const story = new Story({ concurrency: 1, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 1);
    story.submit({ id: "a" });
    story.spawn("a", { id: "0", preemptible: false, resources: { disk: 1 } });
    story.await("a", "a/0");
    story.ask("a", { disk: 1 }, { wait: true });
    story.submit({ id: "firm", priority: 9, preemptible: false, resources: { disk: 1 } });
    story.complete("a/0");
    story.after(1_000);
    expect(story.reasons("a")).toBe("concurrency reserved resource");
  });

  test("how long one has waited is known to a kernel that is restored", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("ann", { capacity: 9 });
    story.resource("disk", 2);
    story.resource("net", 1);
    story.submit({ id: "held", preemptible: false, resources: { disk: 1, net: 1 } });
    story.submit({ id: "asks", preemptible: false });
    story.ask("asks", { disk: 2 }, { wait: true });
    story.after(600);
    expect(told(story.submit({ id: "before", resources: { disk: 1 } }))).toEqual(["before starts on ann"]);
    story.complete("before");
    story.kernel = restored(story.kernel);
    story.after(400);
    expect(told(story.submit({ id: "behind", resources: { disk: 1 } }))).toEqual([]);
  });
});

/** What takes so long. */
const TAKES_MS = 300;

/**
 * One that needs a whole agent, reserved for on ann, and many that take half of one and twice as long as they say: started so
 * that always the other of two agents is predicted to be free first.
 */
function overrunning(): Story {
  const story = new Story({ concurrency: 99, protectAfterMs: 0 });
  story.agent("ann", { capacity: 2 });
  story.agent("bob", { capacity: 2 });
  const half = { preemptible: false, estimatedMs: TAKES_MS / 2 };
  story.submit({ id: "b", agent: "bob", ...half });
  story.after(100);
  story.submit({ id: "a", agent: "ann", ...half });
  story.after(100);
  story.submit({ id: "big", load: 2 }, ...Array.from({ length: 40 }, (_, i) => ({ id: `half${i}`, ...half })));
  return story;
}

/** How long it waited: milliseconds. */
function startOfBig(story: Story): number {
  const since = story.now;
  while (story.status("big") !== "running" && story.now < since + 10 * TAKES_MS) {
    story.after(100);
    for (const id of story.running.split(" "))
      if ((story.task(id).attempts.at(-1)?.startedAt ?? 0) + TAKES_MS <= story.now) story.complete(id);
  }
  return story.now - since;
}

function restored(kernel: Kernel): Kernel {
  return Kernel.restore(JSON.parse(JSON.stringify([...kernel.snapshot()])));
}
