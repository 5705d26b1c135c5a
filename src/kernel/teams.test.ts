import { describe, expect, test } from "vitest";
import { register, Story, told } from "./story.fixture.ts";

describe("teams", () => {
  test("a manager may be on another's team, and be pinned", () => {
    const story = new Story();
    story.agent("ann", { skills: ["x"] });
    story.manager("sub", ["ann"], { skills: ["lead"] });
    story.manager("boss", ["sub"], { skills: ["lead"] });
    story.submit({ id: "m", agent: "boss" });
    expect(told(story.plan("m", { skills: ["lead"] }))).toEqual(["m/0 plans on sub"]);
    expect(told(story.plan("m/0", { agent: "ann" }))).toEqual(["m/0/0 starts on ann"]);
  });

  test("a circle of managers is TEAM_CYCLE, by registering and by setTeam", () => {
    const story = new Story();
    story.manager("a", ["b"]).manager("b", ["c"]);
    expect(story.refusal({ type: "agent.register", agent: { name: "c", kind: "manager", team: ["a"] } })).toMatchObject(
      {
        code: "TEAM_CYCLE",
        details: { cycle: ["c", "a", "b"] },
      },
    );
    story.manager("c", []);
    expect(story.refusal({ type: "team.set", manager: "c", team: ["a"] }).code).toBe("TEAM_CYCLE");
    expect(story.refusal({ type: "team.set", manager: "a", team: ["a"] }).code).toBe("TEAM_CYCLE");
  });

  test("a team may name agents that come later", () => {
    const story = new Story();
    story.manager("boss", ["late"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    story.plan("m", { skills: ["x"] });
    expect(story.reasons("m/0")).toBe("skills");
    expect(told(story.agent("late", { skills: ["x"] }))).toEqual(["m/0 starts on late"]);
  });

  test("only a manager has a team", () => {
    const story = new Story();
    story.agent("ann");
    expect(story.refusal({ type: "team.set", manager: "ann", team: [] }).code).toBe("INVALID_ARGUMENT");
    expect(story.refusal({ type: "team.set", manager: "eve", team: [] }).code).toBe("UNKNOWN_AGENT");
  });

  test("registering a known name rebinds it: its work goes on, with what it is now", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"], capacity: 1 });
    story.agent("bob", { skills: ["x"], capacity: 1 });
    story.submit(
      { id: "a", agent: "ann" },
      { id: "b", agent: "ann", skills: ["x"] },
      { id: "c", skills: ["y"], agent: "ann" },
    );
    expect(told(story.agent("ann", { skills: ["y"], capacity: 2 }))).toEqual(["c starts on ann"]);
    expect(story.running).toBe("a c");
    expect(story.reasons("b")).toBe("skills");
    story.complete("a");
    expect(told(story.agent("ann", { skills: ["x"], capacity: 9 }))).toEqual(["b starts on ann"]);
  });

  test("rebinding keeps the order of registration", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 2 });
    story.agent("bob", { capacity: 2 });
    story.do(register("ann", { capacity: 2 }));
    expect(told(story.submit({ id: "a" }))).toEqual(["a starts on ann"]);
  });

  test("a lowered capacity takes nothing back: it grants nothing until it fits", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 2 });
    story.submit({ id: "a" }, { id: "b" }, { id: "c" });
    story.agent("ann", { capacity: 1 });
    expect(story.kernel.agents(story.now)[0]).toMatchObject({ load: 2, capacity: 1, utilization: 2, running: 2 });
    expect(told(story.complete("a"))).toEqual(["a completed"]);
    expect(told(story.complete("b"))).toEqual(["b completed", "c starts on ann"]);
  });

  test("an agent that is unregistered gets nothing more; what runs there goes on", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a" });
    story.do({ type: "agent.unregister", agent: "ann" });
    story.submit({ id: "b" });
    expect(story.running).toBe("a");
    expect(story.reasons("b")).toBe("offline");
    story.complete("a");
    expect(story.status("a")).toBe("completed");
  });

  test("one that awaits others may regain its seat on an agent that went offline: its code is still there", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a" });
    story.spawn("a", { id: "0" });
    story.await("a", "a/0");
    story.do({ type: "agent.unregister", agent: "ann" });
    expect(told(story.complete("a/0"))).toEqual(["a/0 completed", "a regains its seat"]);
  });
});

test("patience for a subtask counts from when the one who could do it left the team, though others stay", () => {
  const story = new Story({ unroutableMs: 1_000 });
  story.agent("ann", { skills: ["x"] });
  story.agent("bob");
  story.manager("boss", ["ann", "bob"], { skills: ["lead"] });
  story.submit({ id: "m", skills: ["lead"] }, { id: "held", agent: "ann", preemptible: false });
  story.plan("m", { skills: ["x"] });
  story.after(5_000);
  story.do({ type: "team.set", manager: "boss", team: ["bob"] });
  expect(told(story.after(999))).toEqual([]);
  expect(told(story.after(1))).toContain("m/0 failed: NO_QUALIFIED_AGENT");
});
