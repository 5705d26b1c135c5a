import { expect, test } from "vitest";
import { defineAgent } from "../../agents/function.ts";
import { defineManager } from "../../agents/manager.ts";
import { defineCrew } from "../../crew/crew.ts";
import { beginRun } from "../../crew/run.ts";
import { SafeguardsError } from "../../errors.ts";
import { Coordinator } from "../../runtime/coordinator.ts";
import type { StoredEvent } from "../../runtime/event-feed.ts";
import { PlainView } from "./plain-view.ts";
import { RunProgress } from "./run-progress.ts";

const crew = defineCrew({
  name: "x",
  agents: [
    defineAgent({ name: "good", skills: ["good"], capacity: 2, run: () => "ok" }),
    defineAgent({
      name: "bad",
      skills: ["bad"],
      run: () => {
        throw new SafeguardsError("TASK_FAILED", "no\u001b[31m luck", { retryable: false });
      },
    }),
    defineAgent({
      name: "late",
      skills: ["late"],
      run: (_, ctx) => (ctx.attempt > 1 ? "ok" : Promise.reject(new Error("again"))),
    }),
    defineManager({
      name: "lead",
      skills: ["lead"],
      team: ["good", "late"],
      plan: () => [{ skills: ["good"] }, { skills: ["late"], retry: { initialMs: 1 } }],
    }),
  ],
  tasks: [
    { id: "managed", skills: ["lead"] },
    { id: "fails", skills: ["bad"] },
    { id: "skipped", skills: ["good"], dependsOn: ["fails"] },
    { id: "after", skills: ["good"], dependsOn: ["managed"] },
  ],
});

async function eventsOfRun(): Promise<{ events: StoredEvent[]; statuses: Record<string, number> }> {
  await using coordinator = await Coordinator.open();
  const loaded = { crew, file: "x.ts", hash: "0".repeat(64), isCode: true, programs: [] };
  const { handle } = await beginRun(coordinator, loaded, { input: null });
  expect(await handle.outcome()).toMatchObject({ status: "completed" });
  const events: StoredEvent[] = [];
  for await (const event of coordinator.events()) events.push(event);
  const statuses: Record<string, number> = {};
  for (const { id, status } of await coordinator.tasks())
    if (id !== "r1") statuses[status] = (statuses[status] ?? 0) + 1;
  return { events, statuses };
}

const { events, statuses } = await eventsOfRun();

test("at its end the folded log counts what the coordinator counts", () => {
  const progress = new RunProgress("r1");
  for (const event of events) progress.apply(event);
  const { completed, failed, skipped, ...open } = progress.counts;
  expect({ completed, failed, skipped }).toEqual(statuses);
  expect(open).toEqual({ waiting: 0, running: 0, managing: 0, cancelled: 0 });
  expect(progress.end).toBe("completed");
  expect(
    [...progress.agents].map(([name, work]) => [name, work.attempts, work.completed, work.lost]).toSorted(),
  ).toEqual([
    ["bad", 1, 0, 1],
    ["good", 2, 2, 0],
    ["late", 2, 1, 1],
    ["lead", 2, 2, 0],
  ]);
  expect(progress.failures.map(({ taskId, agent }) => [taskId, agent])).toEqual([["r1/fails", "bad"]]);
});

test("after every event each task is counted once, and those that run or wait are listed", () => {
  const progress = new RunProgress("r1");
  for (const event of events) {
    progress.apply(event);
    const { counts } = progress;
    expect(Object.values(counts).reduce((sum, number) => sum + number)).toBe(progress.total);
    expect(Math.min(...Object.values(counts))).toBeGreaterThanOrEqual(0);
    expect(progress.running.size).toBe(counts.running);
    expect(progress.waiting.size).toBe(counts.waiting);
  }
});

test("what lies between two sessions is neither work nor waiting", () => {
  const at = (seq: number, time: number, type: string, fields: object = {}): StoredEvent => ({
    seq,
    at: time,
    type,
    v: 1,
    ...fields,
  });
  const task = { taskId: "r1/a", parentId: "r1" };
  const started = { taskId: "r1/a", agent: "g", attempt: 1, phase: "run" };
  const progress = new RunProgress("r1");
  for (const event of [
    at(1, 0, "coordinator.opened"),
    at(2, 0, "task.submitted", { taskId: "r1" }),
    at(3, 0, "task.submitted", task),
    at(4, 10, "task.started", { ...started, token: 1 }),
    at(5, 30, "attempt.checkpointed", { taskId: "r1/a", token: 1 }),
    at(6, 100_030, "coordinator.opened"),
    at(7, 100_030, "attempt.ended", { taskId: "r1/a", token: 1, end: "lost" }),
    at(8, 100_035, "task.started", { ...started, token: 2, attempt: 2 }),
    at(9, 100_040, "task.completed", { taskId: "r1/a", token: 2, output: null }),
    at(10, 100_041, "task.completed", { taskId: "r1", token: 3, output: null }),
  ]) {
    progress.apply(event);
  }
  expect(progress.runMs).toBe(20 + 5);
  expect(progress.queueWaitMs).toBe(10 + 5);
  expect(progress.elapsedMs(999_999)).toBe(41);
});

test("a log line tells each start and end, with nothing in it that could act on a terminal", () => {
  const progress = new RunProgress("r1");
  const view = new PlainView("r1", progress);
  const lines = events.flatMap((event) => {
    progress.apply(event);
    return view.lines(event);
  });
  const told = lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, "").replace(/after [\d.]+ m?s/, "after …"));
  expect(told).toContain("r1/managed has 2 subtasks");
  expect(told).toContain("r1/managed/1 started on late, attempt 2");
  expect(told).toContain("r1/fails failed on bad after …: no\\x1b[31m luck");
  expect(told.filter((line) => line.startsWith("r1/skipped skipped: "))).toHaveLength(1);
  expect(told.at(-1)).toMatch(/^r1\//);
});

test("thousands of events in a second make a few lines, and a count of those left out", () => {
  const progress = new RunProgress("r1");
  const view = new PlainView("r1", progress);
  const lines: string[] = [];
  for (let n = 0; n < 5_000; n++) {
    const event = {
      seq: n + 1,
      at: n < 4_999 ? 5_000 : 6_000,
      type: "task.started",
      v: 1,
      taskId: `r1/${n}`,
      agent: "a",
      attempt: 1,
      phase: "run",
    };
    progress.apply(event);
    lines.push(...view.lines(event));
  }
  expect(lines.length).toBeLessThan(30);
  expect(lines.some((line) => line.includes("and 4979 more lines"))).toBe(true);
});
