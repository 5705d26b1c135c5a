/** Every event says who caused it, where that was not the program itself, and the trace that it belongs to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { defineAgent, defineManager } from "../src/index.ts";
import { eventsOf, opened, rejection } from "./coordinator.fixture.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

it("what an attempt brings about is by its agent; what the program asks for is by nobody else", async () => {
  const coordinator = await opened();
  await coordinator.register(
    defineAgent({
      name: "ann",
      capacity: 9,
      run: async ({ input }, ctx) => {
        if (input === "fail") throw new Error("no");
        if (input !== "work") return 1;
        await ctx.checkpoint(1);
        await ctx.send("ann", 1);
        await ctx.state.set("k", 1);
        await (await ctx.submit({ agent: "ann" })).result();
        return 2;
      },
      vote: () => "yes",
    }),
  );
  await (await coordinator.submit({ id: "w", agent: "ann", input: "work" })).result();
  await rejection(
    (await coordinator.submit({ id: "f", agent: "ann", input: "fail", retry: { maxAttempts: 1 } })).result(),
  );
  await coordinator.decide({ question: "?", options: ["yes"] });
  const by = new Map((await eventsOf(coordinator)).map((event) => [`${event.type} ${event.taskId ?? ""}`, event.by]));
  // Only if it had to wait.
  by.delete("attempt.waiting w");
  expect(Object.fromEntries([...by].filter(([, who]) => who !== undefined))).toEqual({
    "attempt.checkpointed w": "ann",
    "message.sent w": "ann",
    "state.set w": "ann",
    "task.submitted w/0": "ann",
    "task.completed w/0": "ann",
    "task.completed w": "ann",
    "attempt.ended f": "ann",
    "task.failed f": "ann",
    "ballot.cast ": "ann",
    "ballot.decided ": "ann",
  });
});

it("all events about a task and its subtasks belong to the trace that it was submitted with; others to none", async () => {
  const coordinator = await opened();
  coordinator.register(defineAgent({ name: "ann", capacity: 9, run: () => 1 }));
  coordinator.register(
    defineManager({ name: "boss", team: ["ann"], skills: ["lead"], plan: () => [{ agent: "ann" }, { agent: "ann" }] }),
  );
  const [traced, plain] = [
    await coordinator.submit({ id: "traced", skills: ["lead"] }, { trace: TRACE }),
    await coordinator.submit([{ id: "plain", skills: ["lead"] }]),
  ];
  await Promise.all([traced.result(), plain[0]?.result()]);
  const events = (await eventsOf(coordinator)).filter(({ taskId }) => typeof taskId === "string");
  expect(events.length).toBeGreaterThan(20);
  for (const { taskId, trace, type } of events)
    expect(trace, `${type} ${taskId}`).toBe(String(taskId).startsWith("traced") ? TRACE : undefined);
});

it("one who has joined gives a trace, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-trace-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const journal = `sqlite:${join(folder, "crew.db")}`;
  const coordinator = await opened({ journal });
  coordinator.register(defineAgent({ name: "ann", run: () => 1 }));
  const joined = await opened({ journal, join: true });
  await (await joined.submit({ id: "a" }, { trace: TRACE })).result();
  const events = (await eventsOf(coordinator)).filter(({ taskId }) => taskId === "a");
  expect(events.map(({ trace }) => trace)).toEqual([TRACE, TRACE, TRACE]);
});

it.each([[""], ["t".repeat(257)], [7]])("a trace that is %j is refused", async (trace) => {
  const coordinator = await opened();
  const refused = await rejection(coordinator.submit({}, { trace: trace as never }));
  expect(refused).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(/^trace is .*; it must be a string of 1 to 256/),
  });
});
