import { expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

function ready(): Story {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 9 });
  return story;
}

test("a task may depend on one that comes later in its submit", () => {
  const story = ready();
  expect(told(story.submit({ id: "a", dependsOn: ["b"] }, { id: "b" }))).toEqual(["b starts on ann"]);
  expect(story.why("a").reasons).toMatchObject([{ code: "dependencies", who: ["b"] }]);
  expect(told(story.complete("b"))).toEqual(["b completed", "a starts on ann"]);
});

test("a cancelled task whose attempt has stopped waits for those that it submitted", () => {
  const story = ready();
  story.submit({ id: "a" });
  story.spawn("a", { id: "0" });
  story.do({ type: "task.cancel", taskId: "a" });
  expect(told(story.fail("a"))).toEqual(["a attempt cancelled"]);
  expect(story.status("a", "a/0")).toBe("waiting running");
  expect(told(story.fail("a/0"))).toEqual(["a/0 attempt cancelled", "a/0 cancelled", "a cancelled"]);
});

test("one whose parts stop first is running until it has stopped", () => {
  const story = ready();
  story.submit({ id: "a" });
  story.spawn("a", { id: "0" });
  story.do({ type: "task.cancel", taskId: "a" });
  expect(told(story.fail("a/0"))).toEqual(["a/0 attempt cancelled", "a/0 cancelled"]);
  expect(story.status("a")).toBe("running");
  expect(told(story.fail("a"))).toEqual(["a attempt cancelled", "a cancelled"]);
});
