/** Tasks of one `batchKey`: given to an agent together, on one slot. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountToNumber } from "../coordination/structures/amount.ts";
import type { TaskRequest } from "./commands.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";
import { Story, told } from "./story.fixture.ts";

const pages = { batchKey: "pages" } as const;

/** `many` takes three tasks together and has room for 4, on one slot of two. */
function open(settings = {}, description = {}): Story {
  const story = new Story({ concurrency: 2, ...settings });
  story.agent("many", { capacity: 4, maxBatch: 3, ...description });
  return story;
}

/** Tasks `a`, `b`, … of the key. */
function tasks(count: number, more: TaskRequest = {}): TaskRequest[] {
  return Array.from({ length: count }, (_, i) => ({ id: String.fromCharCode(97 + i), ...pages, ...more }));
}

/** Which attempts were given together: ids by batch; who was given alone, alone. */
function batches(events: readonly KernelEvent[]): string[] {
  const together = new Map<number, string>();
  for (const event of events) {
    if (event.type !== "task.started") continue;
    const id = event.batch ?? event.token;
    together.set(id, `${together.get(id) ?? ""}${event.taskId}`);
  }
  return [...together.values()];
}

/** The load of `many` and the slots in use, by the state that the log gives. */
function books(story: Story): string {
  const state = new State();
  const kernel = new Kernel(state);
  for (const event of JSON.parse(JSON.stringify(story.log)) as KernelEvent[]) kernel.replay(event);
  const load = state.agents.get("many")?.load;
  return `${state.slots} slots, load ${load === undefined ? "?" : amountToNumber(load)}`;
}

describe("those of one key", () => {
  test("that are ready together start together, as many as the agent takes, in order", () => {
    const story = open();
    expect(batches(story.submit(...tasks(5, { load: 1 })))).toEqual(["abc", "de"]);
    expect(books(story)).toBe("2 slots, load 2");
  });

  test("take one slot, and room for the largest of their loads, until the last of them has ended", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "a", ...pages, load: 1 }, { id: "b", ...pages, load: 3 }, { id: "c", ...pages, load: 2 });
    expect(books(story)).toBe("1 slots, load 3");
    story.complete("b");
    story.fail("a", { retryable: false });
    expect(books(story)).toBe("1 slots, load 3");
    story.complete("c");
    expect(books(story)).toBe("0 slots, load 0");
  });

  test("do not take room that is not there: who is too large starts by itself later", () => {
    const story = open({}, { capacity: 3 });
    story.submit({ id: "other", load: 1 });
    expect(
      batches(
        story.submit({ id: "a", ...pages, load: 1 }, { id: "b", ...pages, load: 3 }, { id: "c", ...pages, load: 2 }),
      ),
    ).toEqual(["ac"]);
    expect(story.reasons("b")).toBe("room concurrency");
  });

  test("take their own resources, and who cannot have them stays behind", () => {
    const story = open();
    story.resource("disk", 2);
    expect(batches(story.submit(...tasks(3, { resources: { disk: 1 } })))).toEqual(["ab"]);
    expect(told(story.complete("a"))).toEqual(["a completed", "c starts on many"]);
  });

  test("of other skills, agents or keys, or whom that agent failed, are not together", () => {
    const story = open({ concurrency: 9 }, { skills: ["x"] });
    story.agent("other", { capacity: 9, maxBatch: 9, skills: ["x"] });
    const pin = { agent: "many" } as const;
    const given = story.submit(
      { id: "a", ...pages, ...pin },
      { id: "b", batchKey: "more", ...pin },
      { id: "c", ...pages, ...pin, skills: ["x"] },
      { id: "d", ...pages, ...pin },
    );
    expect(batches(given)).toEqual(["ad", "b", "c"]);
  });

  test("are told to an agent with only run one by one, as any task", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("one", { capacity: 9 });
    expect(batches(story.submit(...tasks(3, { batchWaitMs: 1_000 })))).toEqual(["a", "b", "c"]);
  });

  test("without a key come alone, also to one that takes several", () => {
    expect(batches(open().submit({ id: "a" }, { id: "b" }))).toEqual(["a", "b"]);
  });
});

describe("a batch that is not full", () => {
  test("goes when the first of them has waited for long enough", () => {
    const story = open();
    story.submit({ id: "a", ...pages, batchWaitMs: 100 });
    story.after(60);
    story.submit({ id: "b", ...pages, batchWaitMs: 100 });
    expect(story.why("b")).toMatchObject({
      verdict: "waiting",
      text: "waits: its batch fills: 2 of the 3 that many takes together are there; it starts in 40 ms at the latest",
    });
    expect(story.after(39)).toEqual([]);
    expect(batches(story.after(1))).toEqual(["ab"]);
  });

  test("goes at once when it is full, or when one of them waits for nobody", () => {
    const story = open();
    story.submit(...tasks(2, { batchWaitMs: 1_000 }));
    expect(batches(story.submit({ id: "z", ...pages, batchWaitMs: 1_000 }))).toEqual(["abz"]);
    story.submit({ id: "d", ...pages, batchWaitMs: 1_000 });
    expect(batches(story.submit({ id: "e", ...pages }))).toEqual(["de"]);
  });

  test("waits for nobody who has no room left, and goes elsewhere", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 1, maxBatch: 3, skills: ["x", "y"] });
    story.agent("one", { capacity: 1, skills: ["x"] });
    const given = story.submit(
      { id: "a", ...pages, skills: ["x"], batchWaitMs: 1_000, priority: 9 },
      { id: "b", skills: ["y"] },
    );
    expect(told(given)).toEqual(["b starts on many", "a starts on one"]);
  });

  test("of two that wait, the first in order goes elsewhere where others have taken their room", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 1, maxBatch: 3, skills: ["x", "y"] });
    story.agent("one", { capacity: 1, skills: ["x"] });
    const waits = { skills: ["x"], batchWaitMs: 1_000 } as const;
    const given = story.submit(
      { id: "a", batchKey: "first", ...waits, priority: 9 },
      { id: "b", batchKey: "second", ...waits, priority: 8 },
      { id: "c", skills: ["y"], priority: 1 },
    );
    expect(told(given)).toEqual(["c starts on many", "a starts on one"]);
  });

  test("is woken in time also where some of it went elsewhere", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 10, maxBatch: 3 });
    story.agent("one", { capacity: 40 });
    const waits = { ...pages, batchWaitMs: 1_000 } as const;
    story.submit({ id: "other", agent: "one", load: 32 });
    story.submit(
      { id: "b", ...waits, load: 1, priority: 9 },
      { id: "a", ...waits, load: 5, priority: 8 },
      { id: "c", agent: "many", load: 7.5 },
    );
    expect(story.status("a", "b", "c")).toBe("running pending running");
    expect(story.kernel.nextWakeAt()).toBe(story.now + 1_000);
    expect(told(story.after(1_000))).toEqual(["b starts on many"]);
  });

  test("goes elsewhere also where its room is promised to others", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 1, maxBatch: 3, skills: ["x", "y"] });
    story.agent("one", { capacity: 1, skills: ["x"] });
    story.agent("other", { capacity: 1, skills: ["z"] });
    story.resource("disk", 1);
    story.submit({ id: "low", skills: ["z"], resources: { disk: 1 }, priority: 1 });
    const given = story.submit(
      { id: "a", ...pages, skills: ["x"], batchWaitMs: 1_000, priority: 9 },
      { id: "b", skills: ["y"], resources: { disk: 1 } },
    );
    expect(told(given)).toEqual(["low stops: preempted for b", "a starts on one"]);
  });

  test("keeps nobody of it from making others give way to it, but those who took its room at that instant", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 2, maxBatch: 3, skills: ["x", "y"] });
    story.submit({ id: "low", skills: ["y"], load: 1, priority: 1 });
    const waits = { ...pages, skills: ["x"], batchWaitMs: 1_000 } as const;
    const given = story.submit(
      { id: "a", ...waits, load: 1, priority: 9 },
      { id: "b", ...waits, load: 2, priority: 8 },
    );
    expect(told(given)).toEqual(["low stops: preempted for b"]);
    const other = new Story({ concurrency: 9 });
    other.agent("many", { capacity: 1, maxBatch: 3, skills: ["x", "y"] });
    const taken = other.submit({ id: "a", ...waits, priority: 9 }, { id: "low", skills: ["y"], priority: 1 });
    expect(told(taken)).toEqual(["low starts on many"]);
  });

  test("has nothing set aside for it, however long it waits, and holds up nobody", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 0 });
    story.agent("many", { capacity: 3, maxBatch: 3, skills: ["x", "y"] });
    story.resource("disk", 1);
    story.submit({ id: "busy", skills: ["y"], load: 1, preemptible: false });
    const waits = { ...pages, skills: ["x"], resources: { disk: 1 }, batchWaitMs: 1_000, priority: 9 } as const;
    story.submit({ id: "a", ...waits, load: 1 }, { id: "b", ...waits, load: 4 });
    expect(told(story.submit({ id: "c", skills: ["y"], load: 2, priority: 1 }))).toEqual(["c starts on many"]);
    expect(told(story.complete("c"))).toEqual(["c completed"]);
    expect(told(story.ask("busy", { disk: 1 }))).toEqual(["busy gets 1 disk"]);
  });

  test("is as large as those that are to be given together, without whom something is promised", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("many", { capacity: 2, maxBatch: 2 });
    story.submit({ id: "low", load: 1, priority: 1 });
    story.agent("few", { capacity: 1, maxBatch: 2 });
    const waits = { ...pages, batchWaitMs: 1_000 } as const;
    expect(told(story.submit({ id: "big", ...waits, load: 2, priority: 9 }))).toEqual(["low stops: preempted for big"]);
    expect(told(story.submit({ id: "a", ...waits, load: 1 }))).toEqual([]);
    expect(story.why("a").text).toContain("its batch fills: 1 of the 2 that few takes together are there");
  });

  test("waits also where others could start only in what is set aside for who has waited long", () => {
    const story = new Story({ concurrency: 9, protectAfterMs: 1_000 });
    story.agent("many", { capacity: 4, maxBatch: 3, skills: ["x"] });
    story.agent("one", { capacity: 4, skills: ["x", "y"] });
    const firm = { preemptible: false } as const;
    story.submit({ id: "busy", agent: "many", load: 2, ...firm }, { id: "held", agent: "one", load: 1, ...firm });
    story.submit({ id: "big", skills: ["y"], load: 4 });
    story.after(1_000);
    expect(told(story.submit({ id: "a", ...pages, skills: ["x"], batchWaitMs: 500 }))).toEqual([]);
    expect(story.why("a").text).toContain("its batch fills: 1 of the 3 that many takes together");
    expect(told(story.after(500))).toEqual(["a starts on many"]);
  });

  test("keeps waiting over a restart, as long as a coordinator is open", () => {
    const story = open();
    story.submit({ id: "a", ...pages, batchWaitMs: 100 });
    story.crash(1_000, { concurrency: 2 });
    story.agent("many", { capacity: 4, maxBatch: 3 });
    expect(story.after(99)).toEqual([]);
    expect(batches(story.after(1))).toEqual(["a"]);
  });
});

describe("each of a batch ends on its own", () => {
  test("completed, failed and tried again, timed out, cancelled, paused", () => {
    const story = open({}, { maxBatch: 5 });
    story.submit(
      { id: "a", ...pages },
      { id: "b", ...pages, retry: { initialMs: 0 } },
      { id: "c", ...pages, timeoutMs: 100, graceMs: 0, retry: { maxAttempts: 1 } },
      { id: "d", ...pages },
      { id: "e", ...pages },
    );
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.fail("b"))).toEqual(["b attempt failed", "b starts on many"]);
    expect(told(story.after(100))).toEqual(["c stops: timeout", "c attempt abandoned", "c failed: TIMEOUT"]);
    expect(told(story.do({ type: "task.cancel", taskId: "d" }))).toEqual(["d is ending", "d stops: cancelled"]);
    expect(told(story.fail("d"))).toEqual(["d attempt cancelled", "d cancelled"]);
    expect(story.status("b", "e")).toBe("running running");
  });

  test("the agent's breaker counts each", () => {
    const story = open({}, { breaker: { failureThreshold: 2 } });
    story.submit(...tasks(3));
    story.fail("a", { retryable: false });
    expect(told(story.fail("b", { retryable: false }))).toContain("many open");
  });

  test("lost with their process, each is tried again", () => {
    const story = open();
    story.submit(...tasks(3, { retry: { initialMs: 0 } }));
    const lost = told(story.crash(10, { concurrency: 2 }));
    expect(lost).toEqual(["a attempt lost", "b attempt lost", "c attempt lost"]);
    expect(batches(story.agent("many", { capacity: 4, maxBatch: 3 }))).toEqual(["abc"]);
  });

  test("who awaits others leaves the batch, and comes back on a slot of its own", () => {
    const story = open({ concurrency: 1 });
    story.submit({ id: "a", ...pages, load: 2 }, { id: "b", ...pages });
    story.spawn("a", { id: "sub" });
    story.await("a", "a/sub");
    expect(books(story)).toBe("1 slots, load 2");
    expect(told(story.complete("b"))).toEqual(["b completed", "a/sub starts on many"]);
    expect(told(story.complete("a/sub"))).toEqual(["a/sub completed", "a regains its seat"]);
    expect(books(story)).toBe("1 slots, load 2");
  });
});

/** What may happen to one of a batch. */
const happening = fc.record({
  what: fc.constantFrom("complete", "fail", "fail for good", "cancel", "pause", "time", "checkpoint", "ask", "lose"),
  which: fc.nat(8),
});

test("whatever happens to one of a batch happens to no other, and its slot is free when the last has ended", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.array(happening, { minLength: 1, maxLength: 30 }), (count, all) => {
      const story = open({}, { maxBatch: 6 });
      story.resource("disk", 9);
      const once = { retry: { maxAttempts: 2, initialMs: 60_000, jitter: false }, timeoutMs: 100, graceMs: 0 } as const;
      const given = tasks(count).map((task, i) => ({ ...task, ...once, timeoutMs: 100 * (i + 1) }));
      const first = story.submit(...given);
      expect(batches(first)).toHaveLength(1);
      const tokens = new Map(given.map(({ id = "" }) => [id, story.token(id)]));
      const inIt = new Set(tokens.keys());
      for (const { what, which } of all) {
        const id = [...inIt][which % Math.max(1, inIt.size)];
        if (id === undefined) break;
        let events: readonly KernelEvent[];
        if (what === "complete") events = story.complete(id);
        else if (what === "fail") events = story.fail(id);
        else if (what === "fail for good") events = story.fail(id, { retryable: false });
        else if (what === "cancel") events = story.do({ type: "task.cancel", taskId: id });
        else if (what === "pause") events = story.do({ type: "task.pause", taskId: id });
        else if (what === "time") events = story.after(20);
        else if (what === "checkpoint") events = story.do({ type: "attempt.checkpoint", ...story.from(id), state: 1 });
        else if (what === "ask") events = story.ask(id, { disk: 1 });
        else events = story.do({ type: "attempt.lose", ...story.from(id), message: "silent" });
        // Those without a grace end with what comes next.
        events = [...events, ...story.after(0)];
        if (what !== "time")
          expect(new Set(events.flatMap((event) => ("taskId" in event ? [event.taskId] : [])))).toEqual(new Set([id]));
        for (const event of events)
          if (event.type === "attempt.ended" || event.type === "task.completed") inIt.delete(event.taskId);
        for (const other of inIt) {
          expect([other, story.status(other)]).toEqual([other, "running"]);
          expect(story.token(other)).toBe(tokens.get(other));
        }
        expect(books(story)).toBe(inIt.size === 0 ? "0 slots, load 0" : "1 slots, load 1");
      }
    }),
    { numRuns: 200 },
  );
});

test("nobody is preempted while others are in its batch, and the last one is", () => {
  const story = open({ concurrency: 1 });
  story.submit(...tasks(2, { priority: 1 }));
  expect(told(story.submit({ id: "high", priority: 9 }))).toEqual([]);
  expect(told(story.complete("a"))).toEqual(["a completed", "b stops: preempted for high"]);
  expect(told(story.fail("b"))).toEqual(["b attempt preempted", "high starts on many"]);
});

test("the last of a batch gives back the room of the largest, also to who makes it give way", () => {
  const story = open({ concurrency: 9 });
  story.submit({ id: "a", ...pages, load: 3, priority: 1 }, { id: "b", ...pages, load: 1, priority: 1 });
  expect(told(story.submit({ id: "high", load: 3, priority: 9 }))).toEqual([]);
  // It lacked no slot: as soon as the last one is alone it is looked at again.
  expect(told(story.complete("a"))).toEqual(["a completed", "b stops: preempted for high"]);
  expect(told(story.submit({ id: "small", load: 1, priority: 2 }))).toEqual(["small starts on many"]);
  expect(told(story.fail("b"))).toEqual(["b attempt preempted", "high starts on many"]);
});

test("a batch is predicted to give back its slot and its room with the last of it, and resources with each", () => {
  const story = open({ concurrency: 9, protectAfterMs: 0 });
  story.resource("disk", 2);
  const each = { ...pages, load: 3, resources: { disk: 1 } } as const;
  story.submit({ id: "a", ...each, estimatedMs: 100 }, { id: "b", ...each, estimatedMs: 200 });
  story.submit({ id: "big", load: 4 });
  expect(story.why("big").text).toContain("by the estimates of what runs that is there in 200 ms");
  story.do({ type: "task.cancel", taskId: "big" });
  story.submit({ id: "one", load: 1, resources: { disk: 1 } });
  expect(story.why("one").text).toContain("by the estimates of what runs that is there in 100 ms");
});

test("a state that is restored from its snapshot has the same batches", () => {
  const story = open();
  story.submit({ id: "a", ...pages, load: 3 }, { id: "b", ...pages }, { id: "c", ...pages });
  story.complete("a");
  const rows = JSON.parse(JSON.stringify([...story.kernel.snapshot()]));
  story.kernel = Kernel.restore(rows);
  expect(JSON.parse(JSON.stringify([...story.kernel.snapshot()]))).toEqual(rows);
  expect(story.kernel.agents(story.now)).toMatchObject([{ name: "many", load: 3, running: 2 }]);
  story.complete("b");
  story.complete("c");
  expect(story.kernel.agents(story.now)).toMatchObject([{ load: 0, running: 0 }]);
});
