import { expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

test("to one that only wants its seat back nothing is promised of what it still holds", () => {
  const story = new Story({ concurrency: 9 });
  story.agent("ann", { capacity: 1 });
  story.agent("bob", { capacity: 9 });
  story.resource("disk", 2);
  story.submit({ id: "a", agent: "ann", priority: 9, resources: { disk: 1 } }, { id: "other", agent: "bob" });
  story.spawn("a", { id: "0", agent: "bob" });
  story.await("a", "a/0");
  story.submit({ id: "low", agent: "ann", priority: 1 });
  expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "low stops: preempted for a"]);
  expect(told(story.ask("other", { disk: 1 }))).toEqual(["other gets 1 disk"]);
});

test("who makes way may give back what it was granted besides; the rest still comes back for the promise", () => {
  const story = new Story({ concurrency: 1 });
  story.agent("ann");
  story.resource("disk", 1);
  story.submit({ id: "low", priority: 1 });
  const granted = story.try({ type: "attempt.request", ...story.from("low"), amounts: { disk: 1 } }).answers[0];
  const allocation = granted?.ok ? granted.allocation : undefined;
  if (allocation === undefined) throw new Error("it was not granted");
  story.submit({ id: "high", priority: 9 });
  const { id: allocationId, token: allocationToken } = allocation;
  story.do({ type: "attempt.release", ...story.from("low"), allocationId, allocationToken });
  expect(story.status("low", "high")).toBe("running pending");
  expect(told(story.fail("low"))).toEqual(["low attempt preempted", "high starts on ann"]);
});
