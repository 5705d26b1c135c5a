import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { judgement, Story, told } from "./story.fixture.ts";

const INPUTS = { guardrails: { input: ["size", "secrets"] } };
const OUTPUTS = { guardrails: { output: ["last"] } };

function open(settings: ConstructorParameters<typeof Story>[0]): Story {
  const story = new Story(settings);
  story.agent("ann", { capacity: 9 });
  return story;
}

function rows(kernel: Kernel): Json[] {
  return JSON.parse(JSON.stringify([...kernel.snapshot()]));
}

describe("an input", () => {
  test("is kept from agents until all guardrails have let it pass", () => {
    const story = open(INPUTS);
    expect(told(story.submit({ id: "a", input: 1 }))).toEqual([]);
    expect(story.status("a")).toBe("pending");
    expect(story.task("a")).toMatchObject({ awaitsJudgement: true, input: 1 });
    expect(told(story.judge("a"))).toEqual([
      "size allows an input of a",
      "secrets allows an input of a",
      "the input of a is accepted",
      "a starts on ann",
    ]);
    expect(story.task("a").awaitsJudgement).toBe(false);
  });

  test("that is blocked fails its task with who blocked it and why, and skips what depends on it", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    expect(told(story.judge("a", { blocks: "too large" }))).toEqual([
      "size blocks an input of a",
      "a failed: GUARDRAIL_BLOCKED",
      "b skipped for a",
    ]);
    expect(story.task("a").error).toEqual({
      code: "GUARDRAIL_BLOCKED",
      message: "guardrail size blocked its input: too large",
      retryable: false,
      details: { guardrail: "size", on: "input" },
    });
    expect(story.why("a")).toMatchObject({ verdict: "refused", status: "failed" });
  });

  test("that is blocked before what its task depends on has ended is tried again after that, and not before", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
    story.judge("b", { blocks: "too large" });
    story.judge("a");
    expect(story.refusal({ type: "task.retry", taskId: "b" }).code).toBe("INVALID_STATE");
    story.complete("a");
    story.do({ type: "task.retry", taskId: "b" });
    expect(told(story.judge("b")).at(-1)).toBe("b starts on ann");
  });

  test("that is blocked so is tried again within a plan, too", () => {
    const story = open(INPUTS);
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    story.judge("m");
    story.plan("m", { id: "a" }, { id: "b", dependsOn: ["a"] }, { id: "c" });
    story.judge("m/b", { blocks: "too large" });
    story.judge("m/a");
    story.complete("m/a");
    story.do({ type: "task.retry", taskId: "m/b" });
    expect(told(story.judge("m/b")).at(-1)).toBe("m/b starts on ann");
  });

  test("that was changed is what agents get, while what was submitted is what is submitted again", () => {
    const story = open(INPUTS);
    story.submit({ id: "a", input: "long" });
    story.judge("a", { input: null });
    expect(story.task("a").input).toBe(null);
    expect(story.submit({ id: "a", input: "long" })).toEqual([]);
    expect(story.refusal({ type: "task.submit", tasks: [{ id: "a", input: null }] }).code).toBe("DUPLICATE_ID");
  });

  test("waits no longer than its task: a deadline or a person may end that before", () => {
    const story = open(INPUTS);
    story.submit({ id: "a", deadlineMs: 50 }, { id: "b" });
    expect(told(story.after(50))).toEqual(["a failed: TIMEOUT"]);
    story.do({ type: "task.cancel", taskId: "b" });
    expect(story.kernel.awaitingJudgement()).toEqual([]);
  });

  test("that nobody can be given is no reason to give up before it was looked at", () => {
    const story = new Story({ ...INPUTS, unroutableMs: 1_000 });
    story.submit({ id: "a", skills: ["none"] });
    expect(told(story.after(5_000))).toEqual([]);
    story.judge("a");
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: NO_QUALIFIED_AGENT"]);
  });

  test("of a task that is held is looked at all the same, and starts it when it is resumed", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" });
    story.do({ type: "task.pause", taskId: "a" });
    expect(told(story.judge("a"))).not.toContain("a starts on ann");
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a starts on ann"]);
  });

  test("of a subtask is looked at as any other, and a blocked one counts as failed in its round", () => {
    const story = new Story(INPUTS);
    story.manager("boss", ["ann"], { skills: ["lead"], minSuccess: "any" });
    story.agent("ann");
    story.submit({ id: "m", skills: ["lead"] });
    story.judge("m");
    story.plan("m", { id: "one" }, { id: "two" });
    expect(story.kernel.awaitingJudgement()).toEqual(["m/one", "m/two"]);
    story.judge("m/one", { blocks: "no" });
    story.judge("m/two");
    expect(told(story.complete("m/two"))).toContain("m aggregates on boss");
  });

  test("keeps the coordinator from being idle", () => {
    const story = open(INPUTS);
    story.submit({ id: "a", skills: ["none"] });
    expect(story.kernel.idle()).toBe(false);
    story.do({ type: "coordinator.close" });
    expect(story.kernel.idle()).toBe(true);
  });
});

describe("after another opening", () => {
  test("what was not looked at waits for it still, and what was is not looked at again", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" }, { id: "b" });
    story.judge("a", { input: 7 });
    story.crash(10, INPUTS);
    expect(story.kernel.awaitingJudgement()).toEqual(["b"]);
    expect(story.task("a").input).toBe(7);
  });

  test("what was submitted before there were guardrails is looked at before its next attempt", () => {
    const story = open({});
    story.submit({ id: "a" }, { id: "b" });
    story.crash(10, INPUTS);
    story.agent("ann");
    expect(story.running).toBe("");
    expect(told(story.judge("a")).at(-1)).toBe("the input of a is accepted");
    expect(story.kernel.awaitingJudgement()).toEqual(["b"]);
  });

  test("without guardrails nothing waits for one", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" });
    story.crash(10);
    expect(told(story.agent("ann"))).toEqual(["a starts on ann"]);
  });
});

describe("a task that a person has tried again", () => {
  test("is looked at again if its input was blocked, also after it has left the state", () => {
    const story = open(INPUTS);
    story.submit({ id: "a" });
    story.judge("a", { blocks: "no" });
    story.do({ type: "task.retry", taskId: "a" });
    expect(story.kernel.awaitingJudgement()).toEqual(["a"]);
    expect(told(story.judge("a"))).toContain("a starts on ann");
  });

  test("is not, if it was let pass: its attempts get what was made of it", () => {
    const story = open(INPUTS);
    story.submit({ id: "a", input: 1, retry: { maxAttempts: 1 } });
    story.judge("a", { input: 2 });
    story.fail("a");
    expect(story.task("a")).toMatchObject({ status: "failed", input: 2 });
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a starts on ann"]);
    expect(story.task("a").input).toBe(2);
  });
});

describe("an output", () => {
  const says = (verdict: "allow" | "block", reason?: string) =>
    [{ guardrail: "last", verdict, ...(reason === undefined ? {} : { reason }) }] as const;

  test("counts when all guardrails have let it pass", () => {
    const story = open(OUTPUTS);
    story.submit({ id: "a" });
    expect(told(story.do({ ...completion(story, "a"), verdicts: says("allow") }))).toEqual([
      "last allows an output of a",
      "a completed",
    ]);
  });

  test("that is blocked fails its task, which is not tried again", () => {
    const story = open(OUTPUTS);
    story.submit({ id: "a" });
    expect(told(story.do({ ...completion(story, "a"), verdicts: says("block", "rude") }))).toEqual([
      "last blocks an output of a",
      "a attempt failed",
      "a failed: GUARDRAIL_BLOCKED",
    ]);
    expect(story.task("a").error?.message).toBe("guardrail last blocked its output: rude");
    expect(story.log.find(({ type }) => type === "guardrail.judged")).toMatchObject({
      token: 1,
      agent: "ann",
      reason: "rude",
    });
  });

  test("that is blocked while its attempt makes way is blocked for good", () => {
    const story = open({ ...OUTPUTS, concurrency: 1 });
    story.submit({ id: "a", priority: 1 });
    story.submit({ id: "b" });
    expect(told(story.do({ ...completion(story, "a"), verdicts: says("block", "rude") }))).toContain(
      "a failed: GUARDRAIL_BLOCKED",
    );
  });

  test("of an attempt that was told to end is written down, and changes nothing", () => {
    const story = open(OUTPUTS);
    story.submit({ id: "a" });
    story.do({ type: "task.cancel", taskId: "a" });
    expect(told(story.do({ ...completion(story, "a"), verdicts: says("block", "rude") }))).toEqual([
      "last blocks an output of a",
      "a attempt cancelled",
      "a cancelled",
    ]);
  });

  function completion(story: Story, id: string) {
    return { type: "attempt.complete", ...story.from(id), output: 1 } as const;
  }
});

test("the verdicts on an action are written down with its name", () => {
  const story = open({ guardrails: { action: ["hosts"] } });
  story.submit({ id: "a" });
  const verdicts = [{ guardrail: "hosts", verdict: "block", reason: "x".repeat(2_000) }] as const;
  story.do({ type: "attempt.act", ...story.from("a"), action: "fetch", verdicts });
  expect(story.log.at(-1)).toMatchObject({
    type: "guardrail.judged",
    on: "action",
    action: "fetch",
    taskId: "a",
    agent: "ann",
    verdict: "block",
    reason: "x".repeat(limits.reasonLength),
  });
  expect(story.status("a")).toBe("running");
});

test("a snapshot tells what was let pass, what was changed and what waits, as replay does", () => {
  const story = open({ ...INPUTS, keepCount: 1 });
  story.submit({ id: "a" }, { id: "b", input: 1, skills: ["none"] }, { id: "c", input: 1, skills: ["none"] });
  story.judge("a", { input: 5 });
  story.judge("b", { input: 2 });
  story.complete("a");
  const before = rows(story.kernel);
  const restored = Kernel.restore(before);
  const replayed = new Kernel();
  for (const event of story.log) replayed.replay(JSON.parse(JSON.stringify(event)));
  for (const twin of [restored, replayed]) {
    expect(rows(twin)).toEqual(before);
    expect(twin.awaitingJudgement()).toEqual(["c"]);
    expect(["a", "b", "c"].map((id) => twin.task(id)?.input)).toEqual([5, 2, 1]);
  }
  const { answers } = restored.batch([{ command: judgement(restored, "c") }], story.now);
  expect(answers).toEqual([{ ok: true, ids: [] }]);
});
