import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

function strict(concurrency = 9): Story {
  const story = new Story({ concurrency, protectAfterMs: 0 });
  story.agent("ann", { capacity: 9 });
  return story;
}

test("more load than any agent has room for when empty holds no reservation", () => {
  const story = strict();
  story.resource("disk", 2);
  story.submit({ id: "held", preemptible: false, resources: { disk: 1 } });
  story.submit({ id: "big", load: 9, resources: { disk: 2 } });
  story.agent("ann", { capacity: 8 });
  expect(told(story.submit({ id: "small", resources: { disk: 1 } }))).toEqual(["small starts on ann"]);
});

describe("when the reserved one could start", () => {
  test("when as many have ended as leave it room on one agent together", () => {
    const story = strict();
    story.agent("bob", { skills: ["x"], capacity: 2 });
    story.resource("net", 1);
    story.submit({ id: "a", agent: "bob", preemptible: false, estimatedMs: 2_000 });
    story.submit({ id: "b", agent: "bob", preemptible: false, estimatedMs: 4_000 });
    story.submit({ id: "big", skills: ["x"], load: 2, resources: { net: 1 } });
    const short = { resources: { net: 1 }, agent: "ann" };
    expect(told(story.submit({ id: "long", ...short, estimatedMs: 4_001 }))).toEqual([]);
    expect(told(story.submit({ id: "short", ...short, estimatedMs: 4_000 }))).toEqual(["short starts on ann"]);
  });

  test("when the last of what it lacks is there: resources, tokens, room", () => {
    const story = strict();
    story.agent("bob", { skills: ["x"] });
    story.resource("disk", 2);
    story.resource("calls", 3, { per: 3_000 });
    story.submit({ id: "disk", agent: "ann", preemptible: false, resources: { disk: 1 }, estimatedMs: 2_000 });
    story.submit({ id: "room", agent: "bob", preemptible: false, resources: { calls: 3 }, estimatedMs: 1_000 });
    story.submit({ id: "big", skills: ["x"], resources: { disk: 2, calls: 3 } });
    const short = { resources: { disk: 1 }, agent: "ann" };
    expect(told(story.submit({ id: "long", ...short, estimatedMs: 3_001 }))).toEqual([]);
    expect(told(story.submit({ id: "short", ...short, estimatedMs: 3_000 }))).toEqual(["short starts on ann"]);
  });

  test("never by what is not estimated, although all else is there", () => {
    const story = strict();
    story.agent("bob", { skills: ["x"] });
    story.resource("net", 1);
    story.resource("disk", 1);
    story.submit({ id: "room", agent: "bob", preemptible: false });
    story.submit({ id: "disk", agent: "ann", preemptible: false, resources: { disk: 1 }, estimatedMs: 5_000 });
    story.submit({ id: "big", skills: ["x"], resources: { net: 1, disk: 1 } });
    expect(told(story.submit({ id: "short", agent: "ann", resources: { net: 1 }, estimatedMs: 1 }))).toEqual([]);
  });
});

test("one that wants its seat back does not count as ending in time: its estimate was for all of it", () => {
  const story = strict();
  story.agent("bob", { skills: ["x"] });
  story.submit({ id: "a", agent: "bob", estimatedMs: 1_000 });
  story.spawn("a", { id: "0", agent: "ann" });
  story.await("a", "a/0");
  story.submit({ id: "firm", agent: "bob", priority: 6, preemptible: false, estimatedMs: 9_000 });
  story.agent("bob", { skills: ["x"], capacity: 2 });
  story.submit({ id: "big", skills: ["x"], priority: 6, load: 2 });
  expect(told(story.complete("a/0"))).toEqual(["a/0 completed"]);
  expect(told(story.complete("firm"))).toEqual(["firm completed", "big starts on bob"]);
});
