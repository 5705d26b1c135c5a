import { expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

const ONCE = { maxAttempts: 1 };

/** A manager that has planned two subtasks, both of which run. */
function planned(manager = {}): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  story.manager("meg", ["ann"], manager);
  story.submit({ id: "m", agent: "meg" });
  story.plan("m", { id: "0", retry: ONCE }, { id: "1", retry: ONCE });
  return story;
}

test("a manager waits for a subtask that a person has tried again", () => {
  const story = planned({ minSuccess: "any" });
  story.fail("m/0");
  expect(told(story.do({ type: "task.retry", taskId: "m/0" }))).toEqual(["m/0 starts on ann"]);
  expect(told(story.complete("m/1"))).toEqual(["m/1 completed"]);
  expect(story.status("m")).toBe("waiting");
  expect(told(story.complete("m/0"))).toEqual(["m/0 completed", "m aggregates on meg"]);
});

test("what failed and is tried again counts as open, also for a manager that fails fast", () => {
  const story = planned({ minSuccess: 1, failFast: true });
  story.fail("m/0");
  story.do({ type: "task.retry", taskId: "m/0" });
  expect(told(story.fail("m/1"))).toEqual(["m/1 attempt failed", "m/1 failed: TASK_FAILED"]);
  expect(told(story.fail("m/0"))).toContain("m failed: TASK_FAILED");
});
