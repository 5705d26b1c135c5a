import { expect, test } from "vitest";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { Story } from "./story.fixture.ts";

function opened(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  story.manager("boss", ["ann"], { skills: ["lead"] });
  story.resource("disk", 2);
  return story;
}

function submit(story: Story, trace: string | undefined, ...ids: string[]): void {
  const command = {
    type: "task.submit",
    tasks: ids.map((id) => ({ id, ...(id === "m" ? { skills: ["lead"] } : {}) })),
  } as const;
  const { events } = story.kernel.batch([trace === undefined ? { command } : { command, trace }], story.now);
  story.log.push(...events);
}

function traces(events: readonly KernelEvent[]): (string | undefined)[] {
  return [...new Set(events.map(({ trace }) => trace))];
}

test("every event about a task belongs to its trace, until the task has ended", () => {
  const story = opened();
  submit(story, "t-1", "a", "b");
  submit(story, undefined, "plain");
  const before = story.log.length;
  story.ask("a", { disk: 1 });
  story.ask("b", { disk: 2 }, { wait: true });
  story.do({ type: "attempt.checkpoint", ...story.from("a"), state: 1 });
  story.do({ type: "message.send", ...story.from("a"), to: "ann", body: 1 });
  story.do({
    type: "attempt.release",
    ...story.from("a"),
    allocationId: "a1",
    allocationToken:
      story.log.flatMap((event) => (event.type === "resource.granted" ? [event.allocationToken] : []))[0] ?? 0,
  });
  story.fail("b");
  story.after(60_000);
  story.complete("a");
  expect(traces(story.log.slice(before))).toEqual(["t-1"]);
  expect(traces(story.complete("plain"))).toEqual([undefined]);
});

test("subtasks belong to the trace of the task that they come from, over a restoration too", () => {
  const story = opened();
  submit(story, "t-1", "m");
  const planned = story.plan("m", { id: "s" });
  expect(traces(planned)).toEqual(["t-1"]);
  story.kernel = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
  expect(traces(story.spawn("m/s", { id: "0" }))).toEqual(["t-1"]);
});

test("a failed task that is tried again still belongs to its trace", () => {
  const story = opened();
  submit(story, "t-1", "a");
  story.fail("a", { retryable: false });
  const restored = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
  for (const kernel of [story.kernel, restored]) {
    const { events } = kernel.batch([{ command: { type: "task.retry", taskId: "a" } }], story.now);
    expect(events.map(({ type, trace }) => [type, trace])).toEqual([
      ["task.retried", "t-1"],
      ["task.started", "t-1"],
    ]);
  }
});
