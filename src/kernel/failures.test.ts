import { describe, expect, test } from "vitest";
import type { Failure } from "./events/failure.ts";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

const ONCE = { maxAttempts: 1 };

function ready(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  return story;
}

/** What the last attempt ended with, as its record and its task tell. */
function lastError(story: Story, id: string): Failure | undefined {
  return story.task(id).attempts.at(-1)?.error;
}

describe("what a task fails with", () => {
  test("the error of its last attempt, as the cause", () => {
    const story = ready();
    story.submit({ id: "a", retry: ONCE }, { id: "b", retry: ONCE });
    story.fail("a", { code: "TASK_FAILED", message: "broken", details: { n: 2 } });
    story.fail("b", { code: "GUARDRAIL_BLOCKED", message: "no such thing" });
    expect(story.task("a").error).toEqual({
      code: "TASK_FAILED",
      message: "broken",
      retryable: false,
      details: { cause: { code: "TASK_FAILED", message: "broken", details: { n: 2 } } },
    });
    expect(story.task("b").error).toEqual({
      code: "TASK_FAILED",
      message: "no such thing",
      retryable: false,
      details: { cause: { code: "GUARDRAIL_BLOCKED", message: "no such thing" } },
    });
  });

  test.each(["INVALID_ARGUMENT", "BUDGET_EXCEEDED", "GUARDRAIL_BLOCKED"] as const)(
    "%s is never tried again",
    (code) => {
      const story = ready();
      story.submit({ id: "a" });
      expect(told(story.do({ type: "attempt.fail", ...story.from("a"), error: { code, message: "no" } }))).toEqual([
        "a attempt failed",
        "a failed: TASK_FAILED",
      ]);
    },
  );

  test("its timeout, and its deadline", () => {
    const story = ready();
    story.submit({ id: "a", timeoutMs: 100, retry: ONCE }, { id: "b", deadlineMs: 200, preemptible: false });
    story.after(100);
    story.fail("a", { message: "too late" });
    expect(story.task("a").error).toEqual({ code: "TIMEOUT", message: "no result within 100 ms", retryable: false });
    expect(lastError(story, "a")).toEqual({ code: "TIMEOUT", message: "no result within 100 ms" });
    story.after(100);
    story.fail("b");
    expect(story.task("b").error).toEqual({ code: "TIMEOUT", message: "its deadline has passed", retryable: false });
    expect(story.task("b").attempts.at(-1)?.end).toBe("timeout");
  });

  test("poison, when its process died under it too often", () => {
    const story = ready();
    story.submit({ id: "a", retry: { maxAttempts: 99 } });
    for (let i = 0; i < limits.losses; i++) {
      story.after(60_000);
      story.crash(1_000);
      expect(lastError(story, "a")).toEqual({
        code: "TASK_FAILED",
        message: "the process in which it ran is gone",
      });
      if (i < limits.losses - 1) story.agent("ann", { capacity: 9 });
    }
    expect(story.task("a").error).toEqual({
      code: "TASK_FAILED",
      message: `poison: ${limits.losses} attempts were lost with the process that ran them`,
      retryable: false,
      details: { poison: true, losses: limits.losses },
    });
  });

  test("a message is cut where it is longer than is journaled", () => {
    const story = ready();
    const most = "x".repeat(limits.messageLength);
    story.submit({ id: "a" }, { id: "b" });
    story.fail("a", { message: most });
    story.fail("b", { message: `${most}x` });
    expect(lastError(story, "a")?.message).toBe(most);
    expect(lastError(story, "b")?.message).toBe(`${most.slice(1)}…`);
  });

  test("the dependency that failed, was cancelled or was skipped itself", () => {
    const story = ready();
    story.submit({ id: "a", retry: ONCE }, { id: "b", dependsOn: ["a"] }, { id: "c", dependsOn: ["b"] });
    story.submit({ id: "x" }, { id: "y", dependsOn: ["x"] });
    story.fail("a", { message: "broken" });
    story.do({ type: "task.cancel", taskId: "x" });
    story.fail("x");
    const skipped = { code: "DEPENDENCY_FAILED", retryable: false };
    expect(story.task("b").error).toEqual({
      ...skipped,
      message: "a, on which it depends, failed",
      details: { dependency: "a", cause: { code: "TASK_FAILED", message: "broken" } },
    });
    expect(story.task("c").error).toEqual({
      ...skipped,
      message: "b, on which it depends, was skipped",
      details: { dependency: "b", cause: { code: "DEPENDENCY_FAILED", message: "a, on which it depends, failed" } },
    });
    expect(story.task("y").error).toMatchObject({
      ...skipped,
      message: "x, on which it depends, was cancelled",
      details: { dependency: "x" },
    });
  });

  test("a manager: all of its subtasks that did not succeed, and nothing else that was submitted under it", () => {
    const story = ready();
    story.manager("meg", ["ann"], { capacity: 9 });
    story.submit({ id: "m", agent: "meg" });
    story.spawn("m", { id: "besides", retry: ONCE });
    story.fail("m/besides");
    story.plan("m", { id: "0", retry: ONCE }, { id: "1" }, { id: "2" });
    story.do({ type: "task.cancel", taskId: "m/1" });
    story.fail("m/1");
    story.fail("m/0", { message: "broken" });
    story.complete("m/2");
    expect(story.task("m").error).toEqual({
      code: "TASK_FAILED",
      message: "too few of its subtasks succeeded: 2 of 3 did not",
      retryable: false,
      details: {
        causes: [
          { taskId: "m/0", status: "failed", code: "TASK_FAILED", message: "broken" },
          expect.objectContaining({ taskId: "m/1", status: "cancelled" }),
        ],
      },
    });
  });

  test("what was a part of it is cancelled, and told of what", () => {
    const story = ready();
    story.manager("meg", ["ann"], { capacity: 9, failFast: true });
    story.submit({ id: "m", agent: "meg" }, { id: "n", agent: "meg" });
    story.plan("m", { id: "0", retry: ONCE }, { id: "1", dependsOn: ["0"] }, { id: "2" });
    story.plan("n", { id: "0" });
    const failing = story.fail("m/0");
    const cancelling = story.do({ type: "task.cancel", taskId: "n", reason: "not now" });
    expect(failing).toContainEqual(
      expect.objectContaining({ type: "task.ending", taskId: "m/2", reason: "m, of which it is a part, failed" }),
    );
    expect(cancelling).toContainEqual(
      expect.objectContaining({
        type: "task.ending",
        taskId: "n/0",
        reason: "n, of which it is a part, was cancelled",
      }),
    );
    expect(story.fail("n/0")).toContainEqual(
      expect.objectContaining({ type: "task.cancelled", taskId: "n", reason: "not now" }),
    );
  });
});

test("the delay before another attempt is drawn the same on every machine", () => {
  const story = ready();
  const delays = Array.from({ length: 4 }, (_, i) => {
    const id = `a${i % 2}`;
    if (i < 2) story.submit({ id, retry: { initialMs: 1_000_000, maxMs: 4_000_000 } });
    else story.after(4_000_000);
    const [event] = story.fail(id);
    return event?.type === "attempt.ended" ? (event.notBefore ?? 0) - story.now : -1;
  });
  // As it was drawn when this was written.
  expect(delays).toEqual([259_409, 268_938, 75_905, 330_516]);
});
