import { describe, expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

describe("a coordinator that drains", () => {
  test("starts nothing more, nor sets anything aside for what waits", () => {
    const story = new Story({ concurrency: 1, protectAfterMs: 1_000 });
    story.agent("ann");
    story.submit({ id: "busy" }, { id: "next" });
    story.after(1_000);
    story.do({ type: "coordinator.drain" });
    story.submit({ id: "late", priority: 9 });
    expect(told(story.complete("busy"))).toEqual(["busy completed"]);
    expect(told(story.after(60_000))).toEqual([]);
    expect(story.reasons("next")).toBe("offline");
    expect(told(story.do({ type: "coordinator.open" }))).toEqual([]);
    expect(told(story.agent("ann"))).toEqual(["late starts on ann"]);
  });

  test("lets what awaits others go on when those have ended", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.do({ type: "coordinator.drain" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "a regains its seat"]);
  });

  test("gives what runs the resources that it waits for, whoever else waits for them", () => {
    const story = new Story({ concurrency: 2 });
    story.agent("ann", { capacity: 2 });
    story.resource("disk", 1);
    story.submit({ id: "holder", resources: { disk: 1 } }, { id: "asks" });
    story.submit({ id: "first", priority: 9, resources: { disk: 1 }, preemptible: false });
    story.do({ type: "coordinator.drain" });
    story.ask("asks", { disk: 1 }, { wait: true });
    expect(told(story.complete("holder"))).toEqual(["holder completed", "first loses its promise", "asks gets 1 disk"]);
  });

  test("keeps no promise to start anything", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann");
    story.submit({ id: "low", priority: 1 });
    expect(told(story.submit({ id: "high", priority: 9 }))).toEqual(["low stops: preempted for high"]);
    story.do({ type: "coordinator.drain" });
    expect(told(story.fail("low"))).toEqual(["low attempt preempted", "high loses its promise"]);
    expect(story.reasons("high")).toBe("offline");
  });
});
