import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { register, Story, told } from "./story.fixture.ts";

function ready(settings = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { capacity: 9 });
  return story;
}

describe("retries", () => {
  test("a failed attempt is tried again, three times in all by default, then the task fails with its cause", () => {
    const story = ready();
    story.submit({ id: "a" });
    for (let i = 0; i < 2; i++) {
      story.fail("a", { message: "broken", details: { n: i } });
      story.after(60_000);
    }
    expect(told(story.fail("a", { message: "broken", details: { n: 2 } }))).toEqual([
      "a attempt failed",
      "a failed: TASK_FAILED",
    ]);
    expect(story.task("a").error).toMatchObject({
      message: "broken",
      details: { cause: { code: "TASK_FAILED", details: { n: 2 } } },
    });
  });

  test("backoff grows by the factor up to maxMs; without jitter it is exactly that", () => {
    const story = ready();
    story.submit({ id: "a", retry: { maxAttempts: 5, initialMs: 100, factor: 3, maxMs: 500, jitter: false } });
    for (const delay of [100, 300, 500, 500]) {
      story.fail("a");
      expect(story.reasons("a")).toBe("backoff");
      expect(told(story.after(delay - 1))).toEqual([]);
      expect(told(story.after(1))).toEqual(["a starts on ann"]);
    }
  });

  test("with jitter the delay is between 0 and that, not the same for all, and the same for the same log", () => {
    const delays = (): number[] => {
      const story = ready();
      return Array.from({ length: 20 }, (_, i) => {
        story.submit({ id: `a${i}` });
        const [event] = story.fail(`a${i}`);
        return event?.type === "attempt.ended" ? (event.notBefore ?? 0) - story.now : -1;
      });
    };
    const first = delays();
    expect(delays()).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(10);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first)).toBeLessThan(1_000);
  });

  test.each([
    [["ann"], ["ann", "ann", "ann"]],
    [
      ["ann", "bob"],
      ["ann", "bob", "ann", "bob", "ann", "bob"],
    ],
    [
      ["ann", "bob", "cy"],
      ["ann", "bob", "cy", "ann", "bob", "cy", "ann"],
    ],
  ])(
    "another qualified agent is tried when there is one: of %j, who has not failed it for longest",
    (names, starts) => {
      const story = new Story({ concurrency: 9 });
      for (const name of names) story.agent(name, { skills: ["x"] });
      const tried = told(story.submit({ id: "a", skills: ["x"], retry: { maxAttempts: 9, initialMs: 0 } }));
      while (tried.length < starts.length) tried.push(...told(story.fail("a")).slice(1));
      expect(tried).toEqual(starts.map((name) => `a starts on ${name}`));
    },
  );

  test("when all have failed it, it waits for the one whose turn it is, and another takes it when that one is gone", () => {
    const story = new Story({ concurrency: 9 });
    for (const name of ["ann", "bob", "cy"]) story.agent(name, { skills: ["x"] });
    story.submit({ id: "a", skills: ["x"], retry: { maxAttempts: 9, initialMs: 0 } });
    story.fail("a");
    story.fail("a");
    story.submit({ id: "b", agent: "ann", preemptible: false });
    expect(told(story.fail("a"))).toEqual(["a attempt failed"]);
    expect(story.why("a").text).toContain("bob and cy aside");
    expect(told(story.do({ type: "agent.unregister", agent: "ann" }))).toContain("a starts on bob");
  });

  test("whose turn it is stays so in a snapshot", () => {
    const story = new Story({ concurrency: 9 });
    const names = ["ann", "bob"];
    for (const name of names) story.agent(name, { skills: ["x"] });
    story.submit({ id: "a", skills: ["x"], retry: { maxAttempts: 9, initialMs: 1_000, factor: 1, jitter: false } });
    for (let failures = 0; failures < 3; failures++) {
      story.fail("a");
      if (failures < 2) story.after(1_000);
    }
    const rows = [...story.kernel.snapshot()];
    story.kernel = Kernel.restore(rows);
    expect([...story.kernel.snapshot()]).toEqual(rows);
    story.do({ type: "coordinator.open", concurrency: 9 });
    for (const name of names) story.agent(name, { skills: ["x"] });
    expect(told(story.after(1_000))).toEqual(["a starts on bob"]);
  });

  test("it waits for the other while that one has no room, and goes back when that one leaves or loses the skill", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { skills: ["x"] });
    story.agent("bob", { skills: ["x"] });
    story.submit({ id: "b", agent: "bob", preemptible: false });
    story.submit({ id: "a", skills: ["x"], retry: { initialMs: 0 } });
    expect(told(story.fail("a"))).toEqual(["a attempt failed"]);
    expect(story.why("a").text).toContain("ann aside");
    expect(told(story.agent("bob", { skills: ["y"] }))).toEqual(["a starts on ann"]);
  });

  test("one too small for its load is no other: it goes back to the one that is large enough", () => {
    const story = new Story({ concurrency: 9 });
    story.agent("large", { skills: ["x"], capacity: 3 });
    story.agent("small", { skills: ["x"], capacity: 1 });
    story.submit({ id: "a", skills: ["x"], load: 3, retry: { initialMs: 0 } });
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a starts on large"]);
  });

  test.each(["INVALID_ARGUMENT", "BUDGET_EXCEEDED", "GUARDRAIL_BLOCKED"] as const)(
    "%s is never tried again",
    (code) => {
      const story = ready();
      story.submit({ id: "a" });
      expect(told(story.fail("a", { code }))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
      expect(story.task("a").error?.details?.cause).toMatchObject({ code });
    },
  );

  test("an error with retryable false is never tried again", () => {
    const story = ready();
    story.submit({ id: "a" });
    expect(told(story.fail("a", { retryable: false }))).toContain("a failed: TASK_FAILED");
  });

  test("an attempt past its timeout is told to stop, counts when it has, and the last one fails the task with TIMEOUT", () => {
    const story = ready();
    story.submit({ id: "a", timeoutMs: 1_000, graceMs: 500, retry: { maxAttempts: 2, initialMs: 0 } });
    expect(told(story.after(1_000))).toEqual(["a stops: timeout"]);
    expect(told(story.fail("a"))).toEqual(["a attempt timeout", "a starts on ann"]);
    expect(told(story.after(1_500))).toEqual(["a stops: timeout", "a attempt abandoned", "a failed: TIMEOUT"]);
  });

  test("an output that comes after the timeout, within the grace, comes too late", () => {
    const story = ready();
    story.submit({ id: "a", timeoutMs: 1_000, retry: { maxAttempts: 1 } });
    story.after(1_000);
    expect(told(story.complete("a", "late"))).toEqual(["a attempt timeout", "a failed: TIMEOUT"]);
  });

  test("a throw after being told to stop is a stop: it does not count", () => {
    const story = ready();
    story.submit({ id: "a", retry: { maxAttempts: 1 } });
    story.do({ type: "task.pause", taskId: "a" });
    story.fail("a", { message: "aborted" });
    expect(story.status("a")).toBe("paused");
    story.do({ type: "task.resume", taskId: "a" });
    expect(story.status("a")).toBe("running");
  });

  test("one that made way, was paused, or whose coordinator closed has not counted either", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a", priority: 1, retry: { maxAttempts: 1 } });
    story.submit({ id: "high", priority: 9 });
    expect(told(story.fail("a"))).toEqual(["a attempt preempted", "high starts on ann"]);
    expect(told(story.complete("high"))).toEqual(["high completed", "a starts on ann"]);
    expect(told(story.do({ type: "coordinator.close" }))).toEqual(["a attempt preempted"]);
    story.crash(0, { concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "a failed: TASK_FAILED"]);
    expect(story.task("a").attempts.map(({ end }) => end)).toEqual(["preempted", "preempted", "failed"]);
  });

  test("a deadline is wall time: it passes while nothing is open, and ends what waits and what runs", () => {
    const story = new Story({ concurrency: 1 });
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "a", deadlineMs: 10_000 }, { id: "b", deadlineMs: 10_000 });
    expect(told(story.after(10_000))).toEqual(["a is ending", "a stops: deadline", "b failed: TIMEOUT"]);
    expect(told(story.complete("a", "late"))).toEqual(["a attempt timeout", "a failed: TIMEOUT"]);
    story.submit({ id: "c", deadlineMs: 10_000, skills: ["nobody"] });
    expect(told(story.crash(10_000))).toEqual(["c failed: TIMEOUT"]);
  });

  test("a deadline that passes is no failure of the agent", () => {
    const story = new Story();
    story.agent("ann", { breaker: { failureThreshold: 1 } });
    story.submit({ id: "a", deadlineMs: 10 });
    story.after(10);
    story.fail("a");
    expect(story.kernel.agents(story.now)[0]?.breaker).toBe("closed");
  });

  test("three attempts lost with their process make poison", () => {
    const story = ready();
    story.submit({ id: "a", retry: { maxAttempts: 99 } });
    for (let i = 1; i < limits.losses; i++) {
      expect(told(story.crash(1_000))).toContain("a attempt lost");
      story.agent("ann", { capacity: 9 });
      story.after(60_000);
      expect(story.status("a")).toBe("running");
    }
    expect(told(story.crash(1_000))).toEqual(["a attempt lost", "a failed: TASK_FAILED"]);
    expect(story.task("a").error?.message).toContain("poison");
  });

  test("a person's retry is a new series of attempts; skipped dependents stay skipped", () => {
    const story = ready();
    story.submit({ id: "a", retry: { maxAttempts: 1 } }, { id: "b", dependsOn: ["a"] });
    story.fail("a");
    expect(told(story.do({ type: "task.retry", taskId: "a" }))).toEqual(["a starts on ann"]);
    story.complete("a");
    expect(story.status("a", "b")).toBe("completed skipped");
    expect(story.refusal({ type: "task.retry", taskId: "a" }).code).toBe("INVALID_STATE");
    expect(story.refusal({ type: "task.retry", taskId: "b" }).code).toBe("INVALID_STATE");
  });

  test("an agent that answers twice, or with a foreign token, is FENCED", () => {
    const story = ready();
    story.submit({ id: "a" }, { id: "b" });
    const answer = story.completion("a");
    story.do(answer);
    expect(story.refusal(answer).code).toBe("FENCED");
    expect(story.refusal({ type: "attempt.complete", taskId: "a", token: story.token("b"), output: 1 }).code).toBe(
      "FENCED",
    );
    expect(story.refusal({ type: "attempt.checkpoint", taskId: "b", token: 99, state: 1 }).code).toBe("FENCED");
  });
});

describe("breakers", () => {
  const breaker = { failureThreshold: 2, resetMs: 1_000 };
  const hasty = { retry: { maxAttempts: 99, initialMs: 0 } };

  /** Ann's breaker has opened. */
  function opened(): Story {
    const story = new Story({ concurrency: 9 });
    story.agent("ann", { capacity: 9, breaker });
    story.submit({ id: "a", ...hasty });
    story.fail("a");
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "ann open"]);
    return story;
  }

  test("failures in a row open it: the agent gets nothing, and that is why what waits waits", () => {
    const story = opened();
    expect(story.reasons("a")).toBe("breaker");
    expect(told(story.after(999))).toEqual([]);
  });

  test("half-open after resetMs lets one probe through; a success closes it", () => {
    const story = opened();
    story.submit({ id: "b" });
    expect(told(story.after(1_000))).toEqual(["ann half-open", "a starts on ann"]);
    expect(story.reasons("b")).toBe("breaker");
    expect(told(story.complete("a"))).toEqual(["a completed", "ann closed", "b starts on ann"]);
  });

  test("a failed probe opens it again, from then on", () => {
    const story = opened();
    story.after(1_500);
    expect(told(story.fail("a"))).toEqual(["a attempt failed", "ann open"]);
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["ann half-open", "a starts on ann"]);
  });

  test("a probe that nobody reports on gives its place back after resetMs, without being told twice", () => {
    const story = opened();
    story.submit({ id: "b" });
    story.after(1_000);
    expect(told(story.after(999))).toEqual([]);
    expect(told(story.after(1))).toEqual(["b starts on ann"]);
  });

  test("time without a coordinator does not count", () => {
    const story = opened();
    story.after(500);
    story.do({ type: "task.pause", taskId: "a" });
    story.crash(100_000);
    story.do(register("ann", { capacity: 9, breaker }), { type: "task.resume", taskId: "a" });
    expect(told(story.after(499))).toEqual([]);
    expect(told(story.after(1))).toEqual(["ann half-open", "a starts on ann"]);
  });

  test("others who can do it get it meanwhile", () => {
    const story = opened();
    expect(told(story.agent("bob"))).toEqual(["a starts on bob"]);
  });
});
