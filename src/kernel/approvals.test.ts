import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../coordination/structures/canonical-json.ts";
import { sha256 } from "../coordination/structures/sha256.ts";
import type { TaskRequest } from "./commands.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";
import { Story, told } from "./story.fixture.ts";

const run = { id: "a", approval: {} } as const;
const output = { id: "a", approval: { before: "output" } } as const;

/** `ann` and `bob` do anything, `vic`, `vera` and `val` only vote. */
function crew(): Story {
  const story = new Story({ concurrency: 4 });
  story.agent("ann", { capacity: 4 });
  story.agent("bob", { capacity: 4 });
  for (const name of ["vic", "vera", "val"]) story.agent(name, { capacity: 0, votes: true });
  return story;
}

function submitted(...tasks: TaskRequest[]): Story {
  const story = crew();
  story.submit(...tasks);
  return story;
}

function hashOf(story: Story, id = "a"): string {
  const [info] = story.kernel.tasks({ status: "waiting" }).filter((task) => task.id === id);
  return info?.approval?.hash ?? `${id} asks for nothing`;
}

/** It goes on from its snapshot. */
function restored(story: Story): void {
  story.kernel = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
}

function vote(story: Story, ...votes: readonly (readonly [voter: string, vote?: string])[]): KernelEvent[] {
  const ballot = story.kernel.ballots().findLast(({ open }) => open);
  if (ballot === undefined) throw new Error("no ballot is open");
  return story.do(
    ...votes.map(([voter, given]) => ({
      type: "ballot.cast" as const,
      ballotId: ballot.ballotId,
      voter,
      ...(given === undefined ? {} : { vote: given }),
    })),
  );
}

describe("before it runs", () => {
  test("a task waits when its turn comes, and runs when it is approved", () => {
    const story = crew();
    expect(told(story.submit(run))).toEqual(["a asks for approval of its run"]);
    expect(story.status("a")).toBe("waiting");
    const events = story.approve("a", { by: "rita" });
    expect(told(events)).toEqual(["a is approved", "a starts on ann"]);
    expect(events[0]).toMatchObject({ type: "approval.given", by: "rita", who: ["rita"] });
    story.complete("a", 1);
    expect(story.task("a")).toMatchObject({ status: "completed", output: 1 });
  });

  test("it is asked for only when what the task depends on is done", () => {
    const story = submitted({ id: "first" }, { ...run, dependsOn: ["first"] });
    expect(story.status("a")).toBe("blocked");
    expect(told(story.complete("first"))).toEqual(["first completed", "a asks for approval of its run"]);
  });

  test("a rejected task fails with who rejected it and why, is not tried again, and takes its dependents with it", () => {
    const story = submitted(run, { id: "b", dependsOn: ["a"] });
    const hash = hashOf(story);
    const events = story.approve("a", { by: "rita", reason: "too dear" });
    expect(told(events)).toEqual(["a is rejected", "a failed: UNAUTHORIZED", "b skipped for a"]);
    expect(story.task("a").error).toEqual({
      code: "UNAUTHORIZED",
      message: "its run was rejected by rita: too dear",
      retryable: false,
      details: { approval: "run", hash, reason: "too dear", who: ["rita"] },
    });
    expect(story.kernel.nextWakeAt()).toBeUndefined();
  });

  test("attempts of one series need one approval; a new series needs a new one", () => {
    const story = submitted({ ...run, retry: { maxAttempts: 2, initialMs: 1, jitter: false } });
    story.approve("a");
    story.fail("a");
    expect(told(story.after(10))).toEqual(["a starts on bob"]);
    story.fail("a");
    expect(story.status("a")).toBe("failed");
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a asks for approval of its run"]);
  });

  test("who approved it does not run it, though nobody else could", () => {
    const story = submitted({ ...run, skills: ["x"] });
    story.agent("ann", { skills: ["x"], capacity: 4 });
    story.agent("bob", { skills: ["x"], capacity: 0.5 });
    story.approve("a", { by: "ann" });
    story.agent("bob");
    expect(story.why("a").reasons).toMatchObject([
      {
        code: "skills",
        who: ["ann"],
        text: "ann could do it but approved it, and who approves a task does not run it",
      },
    ]);
    expect(told(story.agent("bob", { skills: ["x"], capacity: 4 }))).toEqual(["a starts on bob"]);
  });

  test("nor when a person has approved the like whose name reads as theirs together", () => {
    const story = crew();
    const skilled = { skills: ["x"], capacity: 4, votes: true };
    for (const name of ["ann", "bob"]) story.agent(name, skilled);
    story.submit({ ...run, skills: ["x"] });
    story.approve("a", { by: "ann/bob" });
    story.submit({ id: "b", skills: ["x"], approval: { by: { ballot: "majority", voters: ["ann", "bob"] } } });
    expect(told(vote(story, ["ann", "approve"], ["bob", "approve"])).at(-1)).toBe("b is approved");
    expect(story.why("b").reasons).toMatchObject([{ code: "skills", who: ["ann", "bob"] }]);
  });

  test("should nobody else come, it says so when it fails", () => {
    const story = submitted({ ...run, skills: ["x"] });
    story.agent("ann", { skills: ["x"] });
    story.agent("bob", { skills: ["x"], capacity: 0.5 });
    story.approve("a", { by: "ann" });
    story.agent("bob");
    story.after(60_000);
    expect(story.task("a").error).toMatchObject({
      code: "NO_QUALIFIED_AGENT",
      message: "those who could do it (ann) approved it, and nobody else came within 60000 ms",
    });
  });

  test("who alone can do it does not approve it, online or not", () => {
    const story = submitted({ ...run, skills: ["x"] });
    story.agent("ann", { skills: ["x"], capacity: 4 });
    story.do({ type: "agent.unregister", agent: "ann" });
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "ann")).toMatchObject({
      code: "UNAUTHORIZED",
      message: '"ann" decides nothing about task a: nobody else can do it',
    });
    story.approve("a", { by: "bob" });
    expect(told(story.agent("ann", { skills: ["x"], capacity: 4 }))).toEqual(["a starts on ann"]);
  });

  test("nor has who alone can do it a vote on it", () => {
    const story = crew();
    story.agent("ann", { skills: ["x"], votes: true });
    story.submit({ ...run, skills: ["x"], approval: { by: { ballot: "majority" } } });
    expect(story.kernel.ballots()[0]?.opened.electorate).toEqual(["vic", "vera", "val"]);
  });

  describe("who approved it does nothing of it", () => {
    /** `boss` leads `a`, which `leaf` of its team has approved. */
    function led(team: readonly string[] = ["leaf", "ann"], settings = {}): Story {
      const story = new Story({ concurrency: 4, ...settings });
      story.agent("leaf", { capacity: 4 });
      story.agent("ann", { capacity: 4 });
      story.manager("boss", [...team], { skills: ["lead"] });
      story.manager("chief", [...team], { skills: ["lead"], capacity: 0.5 });
      story.submit({ ...run, skills: ["lead"] });
      story.approve("a", { by: "leaf" });
      return story;
    }

    test("neither what its manager plans, at any depth", () => {
      const story = led();
      expect(told(story.plan("a", { id: "s" })).at(-1)).toBe("a/s starts on ann");
      expect(told(story.spawn("a/s", { id: "t" })).at(-1)).toBe("a/s/t starts on ann");
    });

    test("nor by any other way when nobody else is there: explain and the failure say so", () => {
      const story = led(["leaf"]);
      story.plan("a", { id: "s" });
      const text = "leaf could do it but approved a, of which it is a part, and who approves a task does not run it";
      expect(story.why("a/s").reasons).toMatchObject([{ code: "skills", who: ["leaf"], text }]);
      story.after(60_000);
      expect(story.task("a/s").error?.message).toBe(
        "those who could do it (leaf) approved a, of which it is a part, and nobody else came within 60000 ms",
      );
    });

    test("of those who approved it only who could do it else is told, in order of registration, and what they approved", () => {
      const story = led();
      for (const name of ["cy", "dan"]) story.agent(name, { skills: name === "cy" ? ["x"] : [] });
      story.agent("leaf", { skills: ["x"] });
      story.do({ type: "team.set", manager: "boss", team: ["leaf", "ann", "cy", "dan"] });
      story.plan("a", { id: "s", approval: {}, agent: "ann" });
      story.approve("a/s", { by: "cy" });
      story.spawn("a/s", { id: "t", skills: ["x"], approval: {} });
      story.approve("a/s/t", { by: "dan" });
      const [reason] = story.why("a/s/t").reasons;
      expect(reason?.who).toEqual(["leaf", "cy"]);
      story.after(60_000);
      expect(story.task("a/s/t").error?.message).toBe(
        "those who could do it (leaf and cy) approved it or what it is a part of, and nobody else came within 60000 ms",
      );
    });

    test("nor what goes on below it when it has ended, or is tried again when all of it has", () => {
      const story = led(undefined, { keepCount: 100 });
      story.submit({ id: "b", approval: {} });
      story.approve("b", { by: "leaf" });
      story.spawn("b", { id: "s", retry: { maxAttempts: 1 } });
      story.complete("b");
      restored(story);
      story.fail("b/s");
      expect(story.status("b", "b/s")).toBe("completed failed");
      restored(story);
      expect(told(story.do({ type: "task.retry", taskId: "b/s" })).at(-1)).toBe("b/s starts on ann");
    });

    test("what waits below goes by who approves it when it is tried again itself", () => {
      const story = new Story({ concurrency: 2 });
      story.agent("ann", { capacity: 4 });
      story.agent("bob", { capacity: 4 });
      story.submit({ ...run, retry: { maxAttempts: 1 } });
      story.approve("a", { by: "rita" });
      story.spawn("a", { id: "s", skills: ["x"] });
      story.do({ type: "task.cancel", taskId: "a/s" });
      story.spawn("a", { id: "t", skills: ["x"], retry: { maxAttempts: 1 } });
      story.agent("bob", { capacity: 4, skills: ["x"] });
      story.fail("a/t");
      story.agent("bob", { capacity: 0.5, skills: ["x"] });
      story.fail("a");
      story.do({ type: "task.retry", taskId: "a/t" });
      story.do({ type: "task.retry", taskId: "a" });
      story.agent("cy", { capacity: 0.5, skills: ["x"] });
      story.approve("a", { by: "cy" });
      const before = story.why("a/t").reasons;
      restored(story);
      expect(story.why("a/t").reasons).toEqual(before);
      story.agent("cy", { capacity: 4, skills: ["x"] });
      expect(story.status("a/t")).toBe("pending");
    });

    test("nor is it given what others are being stopped for by then: that goes back to them", () => {
      const story = new Story({ concurrency: 9 });
      story.agent("ann", { capacity: 4 });
      story.agent("bob", { capacity: 1, skills: ["x"] });
      story.submit({ ...run, agent: "ann", retry: { maxAttempts: 1 } });
      story.approve("a", { by: "rita" });
      story.spawn("a", { id: "t", skills: ["x"], retry: { maxAttempts: 1 } });
      story.fail("a/t");
      story.fail("a");
      story.agent("bob", { capacity: 0.5, skills: ["x"] });
      story.agent("cy", { capacity: 1, skills: ["x"] });
      story.submit({ id: "low", skills: ["x"], priority: 1 });
      expect(told(story.do({ type: "task.retry", taskId: "a/t" }))).toEqual(["low stops: preempted for a/t"]);
      story.do({ type: "task.retry", taskId: "a" });
      story.approve("a", { by: "cy" });
      expect(story.task("a").status).toBe("running");
      restored(story);
      expect(told(story.fail("low"))).toEqual(["low attempt preempted", "a/t loses its promise", "low starts on cy"]);
      expect(story.status("a/t", "low")).toBe("pending running");
    });
  });

  test("one that a person holds asks when it is resumed, and one that waits to be approved stays held", () => {
    const story = submitted({ id: "first" }, { ...run, dependsOn: ["first"] });
    story.do({ type: "task.pause", taskId: "a" });
    expect(told(story.complete("first"))).toEqual(["first completed"]);
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a asks for approval of its run"]);
    story.do({ type: "task.pause", taskId: "a" });
    expect(story.reasons("a")).toBe("held approval");
    expect(told(story.approve("a"))).toEqual(["a is approved"]);
    expect(story.status("a")).toBe("paused");
    expect(told(story.do({ type: "task.resume", taskId: "a" }))).toEqual(["a starts on ann"]);
  });

  test("a manager is asked for once, not for each phase and round", () => {
    const story = crew();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ ...run, skills: ["lead"] });
    story.approve("a");
    story.plan("a", { id: "s" });
    story.complete("a/s");
    expect(told(story.complete("a"))).toEqual(["a completed"]);
  });
});

describe("before its output counts", () => {
  test("the attempt ends and gives back what it held; approved, its output is the task's", () => {
    const story = crew();
    story.resource("disk", 1);
    story.submit({ ...output, resources: { disk: 1 } }, { id: "next", resources: { disk: 1 } });
    expect(told(story.complete("a", { n: 1 }))).toEqual(["a asks for approval of its output", "next starts on ann"]);
    expect(story.task("a")).toMatchObject({ status: "waiting", attempts: [{ end: "completed" }] });
    expect(story.task("a").output).toBeUndefined();
    expect(told(story.approve("a"))).toEqual(["a is approved", "a completed"]);
    expect(story.task("a")).toMatchObject({ status: "completed", output: { n: 1 }, via: "agent" });
  });

  test("a rejected output is never the task's, and a person's retry gives another that asks anew", () => {
    const story = submitted(output, { id: "b", dependsOn: ["a"] });
    story.complete("a", "bad");
    const first = hashOf(story);
    expect(told(story.approve("a", { reason: "bad" }))).toEqual([
      "a is rejected",
      "a failed: UNAUTHORIZED",
      "b skipped for a",
    ]);
    expect(story.task("a").output).toBeUndefined();
    story.do({ type: "task.retry", taskId: "a" });
    story.complete("a", "bad");
    expect(hashOf(story)).not.toBe(first);
    expect(story.refusal({ type: "task.approve", taskId: "a", hash: first })).toMatchObject({ code: "INVALID_STATE" });
    expect(told(story.approve("a", { hash: hashOf(story) }))).toEqual(["a is approved", "a completed"]);
  });

  test("a manager's subtasks that go on are cancelled when its output is rejected, before it fails", () => {
    const story = crew();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ ...output, skills: ["lead"] });
    story.plan("a");
    story.spawn("a", { id: "beside" });
    story.complete("a");
    expect(told(story.approve("a", { reason: "no" }))).toEqual([
      "a is rejected",
      "a is ending",
      "a/beside is ending",
      "a/beside stops: cancelled",
    ]);
    expect(story.refusal({ type: "task.approve", taskId: "a" })).toMatchObject({ code: "INVALID_STATE" });
    expect(told(story.fail("a/beside"))).toEqual([
      "a/beside attempt cancelled",
      "a/beside cancelled",
      "a failed: UNAUTHORIZED",
    ]);
  });

  test("a manager's stays as it is when a person has one of its subtasks tried again meanwhile", () => {
    const story = crew();
    story.manager("boss", ["ann"], { skills: ["lead"], minSuccess: "any" });
    story.submit({ ...output, skills: ["lead"] });
    story.plan("a", { id: "one", retry: { maxAttempts: 1 } }, { id: "two" });
    story.fail("a/one");
    story.complete("a/two");
    story.complete("a", 1);
    story.do({ type: "task.retry", taskId: "a/one" });
    expect(told(story.complete("a/one"))).toEqual(["a/one completed"]);
    expect(told(story.approve("a"))).toEqual(["a is approved", "a completed"]);
  });

  test("an attempt that has to stop gives nothing to approve", () => {
    const story = submitted({ ...output, timeoutMs: 10, retry: { maxAttempts: 1 } });
    story.after(10);
    expect(told(story.complete("a", 1))).toEqual(["a attempt timeout", "a failed: TIMEOUT"]);
  });
});

describe("what is approved", () => {
  test("a reason and a name of the most characters that there may be are taken", () => {
    const story = submitted({ ...run, retry: { maxAttempts: 1 } });
    const [reason, rita] = ["x".repeat(4_096), "r".repeat(256)];
    expect(told(story.approve("a", { by: rita, reason }))[0]).toBe("a is rejected");
    expect(story.task("a").error?.message).toBe(`its run was rejected by ${rita}: ${reason}`);
  });

  test("is the task as it was submitted, and anybody can make the hash again from what explain tells", () => {
    const story = submitted({ ...run, input: { z: 1, a: [1, "é"] }, context: { c: 1 }, skills: [], priority: 7 });
    const need = story.why("a").reasons[0]?.need as {
      readonly hash: string;
      readonly subject: { readonly spec: object };
    };
    expect(need.subject).toMatchObject({
      before: "run",
      taskId: "a",
      spec: { input: { z: 1, a: [1, "é"] }, context: { c: 1 }, priority: 7 },
    });
    expect(createHash("sha256").update(canonicalJson(need.subject)).digest("hex")).toBe(need.hash);
  });

  test("is the output and who gave it", () => {
    const story = submitted(output);
    story.complete("a", [1]);
    const need = story.why("a").reasons[0]?.need as { readonly hash: string; readonly subject: object };
    expect(need.subject).toMatchObject({ before: "output", taskId: "a", agent: "ann", output: [1] });
    expect(createHash("sha256").update(canonicalJson(need.subject)).digest("hex")).toBe(need.hash);
  });
});

describe("beside guardrails", () => {
  test("what they make of the input is what is approved", () => {
    const story = new Story({ guardrails: { input: ["mask"] } });
    story.agent("ann");
    story.submit({ ...run, input: "secret" });
    expect(story.why("a").reasons).toMatchObject([{ code: "approval", who: ["mask"] }]);
    const verdicts = [{ guardrail: "mask", verdict: "change" }] as const;
    const events = story.do({ type: "task.judge", taskId: "a", verdicts, input: "***" });
    expect(told(events)).toContain("a asks for approval of its run");
    expect(story.kernel.approvalOf("a")).toMatchObject({ spec: { input: "***" } });
  });

  test.each(["asked", "given"])(
    "an approval that was %s before they changed the input is void, and asked for anew",
    (how) => {
      const story = new Story();
      story.submit({ ...run, input: "secret" });
      const hash = hashOf(story);
      if (how === "given") story.approve("a");
      story.crash(5, { guardrails: { input: ["mask"] } });
      const verdicts = [{ guardrail: "mask", verdict: "change" }] as const;
      const events = story.do({ type: "task.judge", taskId: "a", verdicts, input: "***" });
      expect(told(events)).toContain("a asks for approval of its run");
      expect(story.refusal({ type: "task.approve", taskId: "a", hash })).toMatchObject({ code: "INVALID_STATE" });
      expect(story.kernel.approvalOf("a")).toMatchObject({ spec: { input: "***" } });
    },
  );

  test("an output is looked at by them first: what they block is not asked about", () => {
    const story = new Story({ guardrails: { output: ["size"] } });
    story.agent("ann");
    story.submit(output);
    const verdicts = [{ guardrail: "size", verdict: "block", reason: "too large" }] as const;
    const events = story.do({ type: "attempt.complete", ...story.from("a"), output: "x", verdicts });
    expect(told(events)).toContain("a failed: GUARDRAIL_BLOCKED");
    expect(events.map(({ type }) => type)).not.toContain("approval.asked");
  });
});

describe("beside fallbacks", () => {
  const once = { maxAttempts: 1 } as const;

  test("a value that stands for an output needs the approval too, and is nobody's work", () => {
    const story = submitted({ ...output, retry: once, fallback: { value: "none" } });
    expect(told(story.fail("a"))).toContain("a asks for approval of its output");
    expect(story.kernel.approvalOf("a")).toMatchObject({ via: "fallback", output: "none" });
    expect(told(story.approve("a"))).toEqual(["a is approved", "a completed via fallback"]);
    expect(story.task("a")).toMatchObject({ output: "none", via: "fallback" });
  });

  test.each(["run", "output"] as const)("a %s that is rejected or late falls back on nothing", (before) => {
    const fallback = { agent: "bob", value: "none" };
    const asked = (): Story => {
      const story = submitted({ id: "a", approval: { before, expiresMs: 1_000 }, retry: once, fallback });
      if (before === "output") story.complete("a", "bad");
      return story;
    };
    const rejected = asked();
    rejected.approve("a", { reason: "bad" });
    expect(rejected.task("a")).toMatchObject({ status: "failed", error: { code: "UNAUTHORIZED" } });
    const late = asked();
    late.after(1_000);
    expect(late.task("a")).toMatchObject({ status: "failed", error: { code: "TIMEOUT" } });
  });

  test("agents that it may fall back on do it with the same approval, and have none to give", () => {
    const story = submitted({ ...run, agent: "ann", retry: once, fallback: { agent: "bob" } });
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "bob")).toMatchObject({ code: "UNAUTHORIZED" });
    story.approve("a", { by: "rita" });
    expect(told(story.fail("a"))).toContain("a starts on bob");
  });

  test("those also do who have to wait until what its code submitted has stopped", () => {
    const story = submitted({ ...run, agent: "ann", retry: once, fallback: { agent: "bob" } });
    story.approve("a", { by: "rita" });
    story.spawn("a", { id: "sub", agent: "ann" });
    expect(told(story.fail("a"))).toContain("a is ending");
    expect(told(story.fail("a/sub"))).toContain("a starts on bob");
  });
});

test("what is asked for is hashed by what the kernel was handed, once for each asking and never when it is replayed", () => {
  let asked = 0;
  const digest = (text: string): string => {
    asked += 1;
    return sha256(text);
  };
  const story = new Story();
  story.kernel = new Kernel(new State(), digest);
  story.log.length = 0;
  story.do({ type: "coordinator.open" });
  story.agent("ann");
  story.submit(output);
  story.complete("a", "x".repeat(100));
  expect(asked).toBe(1);
  const hash = hashOf(story);
  const replayed = new Kernel(new State(), digest);
  for (const event of story.log) replayed.replay(event);
  expect([asked, replayed.approvalOf("a")]).toEqual([1, story.kernel.approvalOf("a")]);
  expect(sha256(canonicalJson(replayed.approvalOf("a")))).toBe(hash);
});

describe("beside shared outputs", () => {
  const shared = { cacheKey: "k" } as const;

  test("an output of another task needs the approval of each task that asks for one", () => {
    const story = submitted({ ...output, ...shared }, { ...output, ...shared, id: "b" });
    expect(story.running).toBe("a");
    expect(told(story.complete("a", 7))).toEqual(["a asks for approval of its output"]);
    expect(story.status("b")).toBe("waiting");
    story.approve("a");
    expect(story.status("a", "b")).toBe("completed waiting");
    expect(story.kernel.approvalOf("b")).toMatchObject({ via: "cache", from: "a", output: 7 });
    story.approve("b");
    expect(story.task("b")).toMatchObject({ status: "completed", output: 7, via: "cache" });
  });

  describe("who made what answers a task does not approve it there", () => {
    function refusal(story: Story, by: string): unknown {
      return story.refusal({ type: "task.approve", taskId: "b" }, by);
    }

    test("neither when it waited for that, nor those who work for it", () => {
      const story = crew();
      story.manager("boss", ["ann"], { skills: ["lead"] });
      const led = { ...output, ...shared, skills: ["lead"] };
      story.submit(led, { ...led, id: "b" });
      story.plan("a", { id: "s" });
      story.complete("a/s");
      story.complete("a", 7);
      story.approve("a", { by: "rita" });
      expect(refusal(story, "boss")).toMatchObject({
        code: "UNAUTHORIZED",
        message: '"boss" decides nothing about task b: it worked on a, which gave the output',
      });
      expect(refusal(story, "ann")).toMatchObject({ code: "UNAUTHORIZED" });
      expect(told(story.approve("b", { by: "bob" }))).toEqual(["b is approved", "b completed by a"]);
    });

    test.each([
      ["a crash", (story: Story) => story.crash(5, { keepCount: 0 })],
      ["a snapshot", (story: Story) => restored(story)],
    ])("nor when that was kept from before, after %s and when the task has left memory", (_, happens) => {
      const story = new Story({ concurrency: 4, keepCount: 0 });
      story.agent("ann");
      story.submit({ ...output, ...shared });
      story.complete("a", 7);
      story.approve("a");
      happens(story);
      story.agent("ann", { votes: true });
      story.agent("vic", { capacity: 0, votes: true });
      story.submit({ ...output, ...shared, id: "b" });
      restored(story);
      expect(refusal(story, "ann")).toMatchObject({ code: "UNAUTHORIZED" });
      story.approve("b", { by: "vic" });
      expect(story.kernel.task("b")?.status ?? "completed").toBe("completed");
    });

    test("nor has it a vote on it", () => {
      const story = crew();
      story.agent("ann", { capacity: 4, votes: true });
      const voted = { ...output, ...shared, approval: { before: "output", by: { ballot: "majority" } } } as const;
      story.submit(voted, { ...voted, id: "b" });
      story.complete("a", 7);
      vote(story, ["vic", "approve"], ["vera", "approve"], ["val", "approve"]);
      expect(story.kernel.ballots().at(-1)?.opened).toMatchObject({
        approves: "b",
        electorate: ["vic", "vera", "val"],
      });
    });

    test("nor when guardrails have to let it pass first", () => {
      const story = new Story({ concurrency: 4, guardrails: { output: ["size"] } });
      story.agent("ann");
      story.submit({ ...output, ...shared }, { ...output, ...shared, id: "b" });
      const verdicts = [{ guardrail: "size", verdict: "allow" }] as const;
      story.do({ type: "attempt.complete", ...story.from("a"), output: 7, verdicts });
      story.approve("a");
      restored(story);
      story.do({ type: "task.answer", taskId: "b", from: "a", verdicts });
      expect(refusal(story, "ann")).toMatchObject({ code: "UNAUTHORIZED" });
      expect(story.log.find(({ type }) => type === "output.offered")).toMatchObject({ givers: ["ann"] });
    });
  });

  test("a rejected output answers nobody: the next does it itself", () => {
    const story = submitted({ ...output, ...shared }, { ...output, ...shared, id: "b" });
    story.complete("a", "bad");
    expect(told(story.approve("a", { reason: "bad" }))).toContain("b starts on ann");
  });

  test("one whose output waits stays as it is when guardrails on inputs come with a later opening", () => {
    const story = submitted({ ...output, ...shared }, { ...output, ...shared, id: "b" });
    story.complete("a", 7);
    story.crash(5, { guardrails: { input: ["mask"] } });
    expect(story.status("a", "b")).toBe("waiting pending");
    story.approve("a");
    expect(story.task("a")).toMatchObject({ status: "completed", output: 7 });
  });

  test("one that may not run yet leads nobody", () => {
    const story = submitted({ ...run, ...shared }, { ...run, ...shared, id: "b" });
    story.approve("b");
    expect(story.running).toBe("b");
    story.complete("b", 7);
    story.approve("a");
    expect(story.task("a")).toMatchObject({ status: "completed", output: 7, via: "cache" });
  });
});

describe("in time", () => {
  test("those that come to be asked for together are, in order of arrival", () => {
    const ids = ["c", "a", "d", "b"];
    const story = submitted({ id: "first", agent: "ann" });
    story.submit(...ids.map((id, at) => ({ id, dependsOn: ["first"], priority: at, approval: {} })));
    expect(told(story.complete("first")).slice(1)).toEqual(ids.map((id) => `${id} asks for approval of its run`));
  });

  test("one that nobody approves in time fails with TIMEOUT", () => {
    const story = submitted({ ...run, approval: { expiresMs: 100 } });
    const hash = hashOf(story);
    expect(story.kernel.nextWakeAt()).toBe(story.now + 100);
    expect(told(story.after(99))).toEqual([]);
    expect(told(story.after(1))).toEqual(["a failed: TIMEOUT"]);
    expect(story.task("a").error).toMatchObject({
      message: "nobody approved its run within 100 ms",
      retryable: false,
      details: { approval: "run", hash },
    });
  });

  test("who becomes ready by that, and for whom there is nobody, falls back at once", () => {
    const story = submitted({ ...output, approval: { before: "output", expiresMs: 100 } });
    story.agent("cy", { skills: ["x"], breaker: { failureThreshold: 1 } });
    story.submit({ id: "broken", skills: ["x"], retry: { maxAttempts: 1 } });
    story.fail("broken");
    const anyway = { dependsOn: ["a"], onDependencyFailure: "run", fallback: { value: 0 } } as const;
    story.submit({ id: "b", skills: ["x"], ...anyway });
    story.complete("a", 1);
    story.now += 100;
    expect(told(story.do({ type: "tick" }))).toEqual([
      "a failed: TIMEOUT",
      "b falls back on a value: NO_QUALIFIED_AGENT",
      "b completed via fallback",
    ]);
  });

  test("an approval at the very instant is too late, whether its end was told or not", () => {
    const story = submitted({ ...run, approval: { expiresMs: 100 } });
    story.now += 100;
    expect(story.try({ type: "task.approve", taskId: "a" })).toMatchObject({
      answers: [{ ok: false, refusal: { message: "task a is waiting: it waits for no approval now" } }],
    });
    expect(story.status("a")).toBe("failed");
  });

  test("the task's own deadline comes first, where it is earlier", () => {
    const story = submitted({ ...run, deadlineMs: 50, approval: { expiresMs: 100 } });
    expect(told(story.after(100))).toEqual(["a failed: TIMEOUT"]);
    expect(story.task("a").error?.message).toBe("its deadline has passed");
  });
});

describe("by ballot", () => {
  const by = { ballot: "majority" } as const;

  test("those who vote decide, without the one who did it and those who work for it", () => {
    const story = crew();
    story.agent("ann", { capacity: 4, votes: true });
    story.manager("boss", ["val"], { skills: ["lead"] });
    story.submit({ ...output, skills: ["lead"], approval: { before: "output", by } });
    story.plan("a");
    story.complete("a", 1);
    const [ballot] = story.kernel.ballots();
    expect(ballot?.opened).toMatchObject({
      question: "May the output of task a count?",
      options: ["approve", "reject"],
      electorate: ["ann", "vic", "vera"],
      approves: "a",
    });
    expect(story.kernel.approvalOf("a")).toMatchObject({ output: 1 });
    const events = vote(story, ["vic", "approve"], ["ann", "reject"], ["vera", "approve"]);
    expect(told(events)).toEqual(["b1 decided approve", "a is approved", "a completed"]);
    expect(events.find(({ type }) => type === "approval.given")).toMatchObject({
      who: ["vic", "vera"],
      ballotId: "b1",
    });
  });

  test.each([
    [
      "rejected",
      [
        ["vic", "reject"],
        ["vera", "reject"],
        ["val", "approve"],
      ],
      "ballot b1 was for rejecting it",
      ["vic", "vera"],
    ],
    ["tied", [["vic", "reject"], ["vera", "approve"], ["val"]], "ballot b1 ended as tied", ["vic"]],
    ["no_quorum", [["vic"], ["vera", "perhaps"], ["val"]], "ballot b1 ended as no_quorum", []],
  ] as const)("%s is a rejection by those who did not approve", (_, votes, reason, who) => {
    const story = submitted({ ...run, approval: { by } });
    const hash = hashOf(story);
    expect(story.kernel.ballots()).toMatchObject([{ opened: { question: "May task a run?" } }]);
    expect(told(vote(story, ...votes)).slice(1)).toEqual(["a is rejected", "a failed: UNAUTHORIZED"]);
    expect(story.task("a").error).toMatchObject({
      message: `its run was rejected: ${reason}`,
      details: { approval: "run", hash, reason, who, ballotId: "b1" },
    });
  });

  test("who has not voted in time abstains", () => {
    const story = submitted({
      ...run,
      approval: { by: { ballot: "majority", voters: ["vic", "vera"] }, expiresMs: 100 },
    });
    vote(story, ["vic", "approve"]);
    expect(told(story.after(100))).toEqual(["b1 decided approve", "a is approved", "a starts on ann"]);
  });

  describe("who has begun to work on a part of it meanwhile has no vote any more", () => {
    /** \`a\`, whose output is asked about while what it submitted waits for \`vic\`. */
    function asked(ballot: "majority" | "unanimous"): Story {
      const story = crew();
      story.agent("vic", { skills: ["x"], votes: true });
      story.submit({ id: "busy", agent: "vic", preemptible: false });
      story.submit({ ...output, agent: "ann", approval: { before: "output", by: { ballot } } });
      story.spawn("a", { id: "part", skills: ["x"] });
      story.complete("a", 1);
      expect(told(story.complete("busy"))).toEqual(["busy completed", "a/part starts on vic"]);
      return story;
    }

    test.each(["majority", "unanimous"] as const)("others decide, by %s", (ballot) => {
      const story = asked(ballot);
      vote(story, ["vic", "reject"], ["vera", "approve"], ["val", "approve"]);
      expect(story.task("a")).toMatchObject({ status: "completed", output: 1 });
      expect(story.log.find(({ type }) => type === "approval.given")).toMatchObject({ who: ["vera", "val"] });
    });

    test("nor is said to have one", () => {
      const story = asked("majority");
      const text = (): string | undefined => story.why("a").reasons[0]?.text;
      expect(story.why("a").reasons[0]?.who).toEqual(["vera", "val"]);
      vote(story, ["vera", "approve"], ["val", "approve"]);
      expect(text()).toBe("its output must be approved by ballot b1: nobody else may vote; it closes within 30000 ms");
      story.after(30_000);
      expect(story.task("a").status).toBe("completed");
    });

    test("nor decides it alone", () => {
      const story = asked("majority");
      vote(story, ["vic", "approve"]);
      story.after(30_000);
      story.complete("a/part");
      expect(story.task("a").error?.message).toBe(
        "its output was rejected: ballot b1 ended as no_quorum without vic, who may have no vote by now",
      );
    });
  });

  test("without anybody who may vote it is rejected at once", () => {
    const story = new Story();
    story.agent("ann", { votes: true });
    story.submit({ ...run, agent: "ann", approval: { by: { ballot: "majority", voters: ["ann"] } } });
    expect(story.task("a")).toMatchObject({
      status: "failed",
      error: { message: "its run was rejected: ballot b1 ended as no_quorum" },
    });
  });

  test("no person can decide instead", () => {
    const story = submitted({ ...run, approval: { by } });
    expect(story.refusal({ type: "task.approve", taskId: "a" })).toMatchObject({ code: "INVALID_STATE" });
  });

  test("it is opened at once when a value takes the place of what can never run", () => {
    const story = crew();
    story.resource("disk", 2);
    story.submit({ id: "busy", resources: { disk: 2 } });
    story.submit({ ...output, approval: { before: "output", by }, resources: { disk: 2 }, fallback: { value: 0 } });
    story.resource("disk", 1);
    expect(story.kernel.ballots()).toMatchObject([{ opened: { approves: "a", electorate: ["vic", "vera", "val"] } }]);
  });

  test("a ballot that nobody waits for any more is closed, and decides nothing", () => {
    const story = submitted({ ...run, approval: { by } });
    const events = story.do({ type: "task.cancel", taskId: "a" });
    expect(told(events)).toEqual(["a cancelled", "b1 no_quorum"]);
    expect(story.kernel.idle()).toBe(true);
  });

  test("no more ballots are open than may be: the others are opened, in order, as those close", () => {
    const story = crew();
    story.do(
      ...Array.from({ length: 9_999 }, (_, i) => ({
        type: "ballot.open" as const,
        question: String(i),
        options: ["x"],
        voters: ["vic"],
        deadlineMs: 500,
      })),
    );
    const voters = ["vera"];
    const by = { ballot: "majority", voters };
    story.submit(...["a", "b", "c"].map((id) => ({ id, approval: { by, ...(id === "a" ? {} : { expiresMs: 100 }) } })));
    // The time of a ballot begins when it is opened.
    expect(told(story.after(200))).toEqual([]);
    expect(story.kernel.ballots().filter(({ opened }) => opened.approves !== undefined)).toHaveLength(1);
    expect(story.why("b").text).toBe(
      "waits: its run must be approved by a ballot, which is opened when one of 10000 others has closed",
    );
    expect(told(vote(story, ["vera", "approve"]))).toEqual([
      "b10000 decided approve",
      "a is approved",
      "a starts on ann",
    ]);
    expect(story.kernel.ballots().findLast(({ open }) => open)?.opened.approves).toBe("b");
  });

  test("votes that weigh too much together are a rejection, not a broken kernel", () => {
    const story = new Story();
    story.agent("ann");
    for (const name of ["vic", "vera"]) story.agent(name, { votes: true, weight: 2 ** 53 - 1 });
    story.submit({ ...run, approval: { by: { ballot: "weighted" } } });
    expect(story.task("a").error).toMatchObject({ code: "UNAUTHORIZED" });
    expect(story.task("a").error?.message).toContain("the weight of all voters together");
  });
});

describe("never by", () => {
  test.each([
    ["the agent that the task is pinned to", { agent: "ann" }, "ann", "it does it"],
    [
      "somebody on the team of the manager that it is pinned to",
      { agent: "boss" },
      "bob",
      "it works for boss, who does it",
    ],
  ] as const)("%s, before it runs", (_, more, by, why) => {
    const story = crew();
    story.manager("boss", ["bob"]);
    story.submit({ ...run, ...more });
    expect(story.refusal({ type: "task.approve", taskId: "a" }, by)).toEqual({
      code: "UNAUTHORIZED",
      message: `"${by}" decides nothing about task a: ${why}`,
      details: { taskId: "a" },
    });
    expect(told(story.approve("a", { by: "rita" }))[0]).toBe("a is approved");
  });

  test("the agent that gave the output", () => {
    const story = submitted(output);
    story.complete("a");
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "ann")).toMatchObject({ code: "UNAUTHORIZED" });
    expect(story.refusal({ type: "task.reject", taskId: "a", reason: "no" }, "ann")).toMatchObject({
      code: "UNAUTHORIZED",
    });
    story.approve("a", { by: "bob" });
  });

  test("the agents by whose work the task was submitted, however far above", () => {
    const story = crew();
    story.manager("boss", ["ann", "bob"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    story.plan("m", { id: "w" });
    const [worker = ""] = story.task("m/w").attempts.map(({ agent }) => agent);
    story.spawn("m/w", { id: "a", approval: {} });
    for (const [by, on] of [
      ["boss", "m"],
      [worker, "m/w"],
    ] as const)
      expect(story.refusal({ type: "task.approve", taskId: "m/w/a" }, by)).toMatchObject({
        code: "UNAUTHORIZED",
        message: `"${by}" decides nothing about task m/w/a: it works on ${on}, by which it was submitted`,
      });
    story.approve("m/w/a", { by: "vic" });
  });

  test("an agent that worked below it", () => {
    const story = submitted(output);
    story.spawn("a", { id: "part" });
    const [worker = ""] = story.task("a/part").attempts.map(({ agent }) => agent);
    expect(worker).toBe("bob");
    story.complete("a/part");
    story.complete("a");
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "bob")).toMatchObject({
      code: "UNAUTHORIZED",
      message: '"bob" decides nothing about task a: it works on a/part, which is a part of it',
    });
  });

  test("an agent that worked below what is below it", () => {
    const story = crew();
    story.agent("cy", { skills: ["deep"] });
    story.submit(output);
    story.spawn("a", { id: "part" });
    story.spawn("a/part", { id: "deep", skills: ["deep"] });
    for (const id of ["a/part/deep", "a/part", "a"]) story.complete(id);
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "cy")).toMatchObject({
      message: '"cy" decides nothing about task a: it works on a/part/deep, which is a part of it',
    });
  });

  test("somebody on a team within the team of who does it", () => {
    const story = crew();
    story.manager("lead", ["bob"]);
    story.manager("boss", ["lead"]);
    story.submit({ ...run, agent: "boss" });
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "bob")).toMatchObject({
      message: '"bob" decides nothing about task a: it works for lead, who does it',
    });
  });

  test("who submitted it", () => {
    const story = crew();
    story.send({ command: { type: "task.submit", tasks: [run] }, by: "rita" });
    expect(story.refusal({ type: "task.approve", taskId: "a" }, "rita")).toMatchObject({
      code: "UNAUTHORIZED",
      message: '"rita" decides nothing about task a: it submitted it',
    });
  });
});

describe("through time", () => {
  test("waiting for a person is idle, also with an end to it; waiting for voters is not", () => {
    expect(submitted(run).kernel.idle()).toBe(true);
    expect(submitted({ ...run, approval: { expiresMs: 9 } }).kernel.idle()).toBe(true);
    expect(submitted({ ...run, approval: { by: { ballot: "majority" } } }).kernel.idle()).toBe(false);
  });

  test("cancelled while it waits, it is over, and what comes later is refused", () => {
    const story = submitted({ ...run, approval: { expiresMs: 100 } });
    expect(told(story.do({ type: "task.cancel", taskId: "a" }))).toEqual(["a cancelled"]);
    expect(story.refusal({ type: "task.approve", taskId: "a" })).toMatchObject({
      message: "task a is cancelled: it waits for no approval now",
    });
    expect(story.kernel.nextWakeAt()).toBeUndefined();
  });

  test("the same command twice changes nothing the second time", () => {
    const story = submitted(run);
    const envelope = { command: { type: "task.approve", taskId: "a" }, id: "x", by: "rita" } as const;
    expect(story.send(envelope).answers).toEqual([{ ok: true, ids: [] }]);
    expect(story.send(envelope)).toEqual({ events: [], answers: [{ ok: true, ids: [] }] });
  });

  test.each(["replayed", "restored"])("a kernel that is %s knows what was asked, given and to be voted on", (how) => {
    const voters = ["vic", "vera"];
    const story = submitted(
      { ...run, retry: { initialMs: 1 }, approval: { expiresMs: 10_000 } },
      { ...output, id: "o" },
      { id: "v", approval: { by: { ballot: "majority", voters }, expiresMs: 10_000 } },
      { ...run, id: "given" },
    );
    story.complete("o", { n: 1 });
    story.approve("given", { by: "rita" });
    vote(story, ["vic", "approve"]);
    const hash = hashOf(story);
    if (how === "restored") {
      const rows = JSON.parse(JSON.stringify([...story.kernel.snapshot()]));
      story.kernel = Kernel.restore(rows);
      expect([...story.kernel.snapshot()]).toEqual(rows);
      story.do({ type: "coordinator.open" });
    } else story.crash(5);
    expect(hashOf(story)).toBe(hash);
    story.agent("ann", { capacity: 4 });
    story.agent("bob", { capacity: 4 });
    for (const name of ["vic", "vera", "val"]) story.agent(name, { capacity: 0, votes: true });
    expect(told(story.after(5_000))).toContain("given starts on ann");
    expect(told(story.approve("o"))).toEqual(["o is approved", "o completed"]);
    expect(told(vote(story, ["vera", "approve"]))).toContain("v is approved");
    expect(told(story.after(10_000))).toContain("a failed: TIMEOUT");
  });
});
