import { describe, expect, test } from "vitest";
import { limits } from "./limits.ts";
import { Story, told } from "./story.fixture.ts";

const silence = { type: "attempt.lose", message: "nothing was heard of ann" } as const;

function running(more: object = {}): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9, breaker: { failureThreshold: 2 } });
  story.agent("bob", { capacity: 9 });
  story.submit({ id: "a", retry: { maxAttempts: 99, initialMs: 0 }, ...more });
  return story;
}

describe("an attempt whose lease has run out", () => {
  test("is lost, and tried again by another; what it says later is FENCED", () => {
    const story = running();
    const late = story.completion("a");
    expect(told(story.do({ ...silence, ...story.from("a") }))).toEqual(["a attempt lost", "a starts on bob"]);
    expect(story.task("a").attempts[0]?.error?.message).toBe("nothing was heard of ann");
    expect(story.refusal(late).code).toBe("FENCED");
    expect(story.refusal({ ...silence, taskId: "a", token: 1 }).code).toBe("FENCED");
  });

  test("is its agent's failure, and no poison: its process lives", () => {
    const story = running({ agent: "ann" });
    story.do({ ...silence, ...story.from("a") });
    expect(told(story.do({ ...silence, ...story.from("a") }))).toEqual(["a attempt lost", "ann open"]);
    for (let i = 2; i <= limits.losses; i++) {
      story.after(60_000);
      story.do({ ...silence, ...story.from("a") });
    }
    expect(story.status("a")).toBe("pending");
  });

  test("makes no poison of a task that was lost with its process twice", () => {
    const story = running();
    for (let i = 1; i < limits.losses; i++) {
      story.crash(10);
      story.agent("ann");
    }
    story.do({ ...silence, ...story.from("a") });
    expect(story.status("a")).not.toBe("failed");
  });

  test("counts towards the attempts", () => {
    const story = running({ retry: { maxAttempts: 1 } });
    expect(told(story.do({ ...silence, ...story.from("a") }))).toEqual(["a attempt lost", "a failed: TASK_FAILED"]);
  });

  test("has stopped, if it was told to", () => {
    const story = running();
    story.do({ type: "task.cancel", taskId: "a" });
    expect(told(story.do({ ...silence, ...story.from("a") }))).toEqual(["a attempt cancelled", "a cancelled"]);
  });

  test("has the same past after a restart", () => {
    const story = running();
    story.do({ ...silence, ...story.from("a") });
    story.crash(100);
    expect(told(story.agent("bob"))).toEqual(["a starts on bob"]);
  });
});
