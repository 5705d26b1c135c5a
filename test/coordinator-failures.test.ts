import { describe, expect, it } from "vitest";
import { type AgentContext, defineAgent, isSafeguardsError, SafeguardsError } from "../src/index.ts";
import { aborted, eventsOf, gate, historyOf, opened, rejection, silent } from "./coordinator.fixture.ts";

const fast = { initialMs: 1, jitter: false } as const;

describe("an agent that throws", () => {
  it("is tried again with the same idempotency key and a new token", async () => {
    const coordinator = await opened();
    const seen: { attempt: number; token: number; key: string }[] = [];
    await coordinator.register(
      defineAgent({
        name: "flaky",
        run: (_, { attempt, token, idempotencyKey: key }) => {
          seen.push({ attempt, token, key });
          if (attempt < 3) throw new Error(`no ${attempt}`);
          return "yes";
        },
      }),
    );
    const handle = await coordinator.submit({ id: "x", retry: fast });
    expect(await handle.result()).toBe("yes");
    expect(seen.map(({ attempt, key }) => [attempt, key])).toEqual([
      [1, "x"],
      [2, "x"],
      [3, "x"],
    ]);
    expect(new Set(seen.map(({ token }) => token)).size).toBe(3);
    expect((await handle.outcome()).attempts.map(({ end, error }) => [end, error?.message])).toEqual([
      ["failed", "no 1"],
      ["failed", "no 2"],
      ["completed", undefined],
    ]);
  });

  it("fails the task when its attempts are spent, with the very error as the cause", async () => {
    const coordinator = await opened();
    const thrown = new TypeError("boom");
    await coordinator.register(
      defineAgent({
        name: "bad",
        run: async () => {
          throw thrown;
        },
      }),
    );
    const handle = await coordinator.submit({ id: "x", retry: { ...fast, maxAttempts: 2 } });
    const error = await rejection(handle.result());
    expect(isSafeguardsError(error, "TASK_FAILED")).toBe(true);
    expect(error).toMatchObject({ message: "task x failed: boom", cause: thrown, retryable: false });
    const outcome = await handle.outcome();
    expect(outcome.attempts).toHaveLength(2);
    expect(outcome.error?.cause).toBe(thrown);
  });

  it("is not tried again when its error says so, or when its code says that it is no use", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "bad",
        capacity: 9,
        run: (task) => {
          if (task.input === "own") throw Object.assign(new Error("for good"), { retryable: false });
          throw new SafeguardsError("INVALID_ARGUMENT", "what is that?");
        },
      }),
    );
    const handles = await coordinator.submit([{ input: "own" }, { input: "code" }]);
    for (const handle of handles) expect((await handle.outcome()).attempts).toHaveLength(1);
    expect(await rejection(handles[1]?.result() ?? Promise.resolve())).toMatchObject({
      code: "TASK_FAILED",
      cause: { code: "INVALID_ARGUMENT", message: "what is that?" },
    });
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a string", "just text"],
    [
      "an object with a hostile message",
      {
        get message() {
          throw new Error("no message");
        },
      },
    ],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          get() {
            throw new Error("no");
          },
        },
      ),
    ],
    ["an error with a huge message", new Error("x".repeat(100_000))],
    ["TIMEOUT of its own", new SafeguardsError("TIMEOUT", "the service did not answer")],
  ])("may throw %s: TASK_FAILED, and nothing else is harmed", async (_, thrown) => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "bad",
        run: () => {
          throw thrown;
        },
      }),
    );
    await coordinator.register(defineAgent({ name: "good", run: () => "fine" }));
    const [bad, good] = await coordinator.submit([{ agent: "bad", retry: { maxAttempts: 1 } }, { agent: "good" }]);
    expect(await rejection(bad?.result() ?? Promise.resolve())).toMatchObject({ code: "TASK_FAILED" });
    expect(await good?.result()).toBe("fine");
  });

  it("is replaced by another that can do it", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "bad",
        run: () => {
          throw new Error("no");
        },
      }),
    );
    await coordinator.register(defineAgent({ name: "good", run: () => "fine" }));
    const handle = await coordinator.submit({ retry: fast });
    expect(await handle.outcome()).toMatchObject({ agent: "good", output: "fine", attempts: [{ agent: "bad" }, {}] });
  });

  it("skips what depends on it, with the cause, and runs what is to run anyway", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 9,
        run: (task, { dependencies }) => {
          if (task.id === "bad") throw new Error("boom");
          return Object.keys(dependencies);
        },
      }),
    );
    const [, skipped, second, anyway] = await coordinator.submit([
      { id: "bad", retry: { maxAttempts: 1 } },
      { id: "skipped", dependsOn: ["bad"] },
      { id: "second", dependsOn: ["skipped"] },
      { id: "anyway", dependsOn: ["bad"], onDependencyFailure: "run" },
    ]);
    expect(await skipped?.outcome()).toMatchObject({
      status: "skipped",
      error: { code: "DEPENDENCY_FAILED", cause: { message: "boom" } },
    });
    expect(await rejection(second?.result() ?? Promise.resolve())).toMatchObject({ code: "DEPENDENCY_FAILED" });
    expect(await anyway?.result()).toEqual([]);
  });

  it("is tried again by a person's retry, also when that is not awaited", async () => {
    const coordinator = await opened();
    let broken = true;
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: () => {
          if (broken) throw new Error("broken");
          return "mended";
        },
      }),
    );
    const handle = await coordinator.submit({ retry: { maxAttempts: 1 } });
    expect(await rejection(handle.result())).toMatchObject({ code: "TASK_FAILED" });
    broken = false;
    void handle.retry();
    expect(await handle.result()).toBe("mended");
    await expect(handle.retry()).rejects.toMatchObject({ code: "INVALID_STATE" });
  });
});

describe("an agent with a breaker", () => {
  /** Its first two attempts fail, which opens it. */
  async function flaky(resetMs: number) {
    const coordinator = await opened();
    const run = (_: unknown, { attempt }: AgentContext): string => {
      if (attempt < 3) throw new Error("down");
      return "up";
    };
    await coordinator.register(defineAgent({ name: "flaky", breaker: { failureThreshold: 2, resetMs }, run }));
    const handle = await coordinator.submit({ id: "x", retry: { maxAttempts: 9, initialMs: 0 } });
    return { coordinator, handle };
  }

  it("gets nothing while that is open, which is why its tasks wait", async () => {
    const { coordinator, handle } = await flaky(60_000);
    for await (const { type } of coordinator.events({ follow: true })) if (type === "breaker.changed") break;
    expect(await coordinator.agents()).toMatchObject([{ name: "flaky", breaker: "open", running: 0 }]);
    expect((await handle.explain()).reasons).toMatchObject([{ code: "breaker", who: ["flaky"] }]);
  });

  it("is tried again after resetMs, and closes it with a success", async () => {
    const { coordinator, handle } = await flaky(10);
    const states: unknown[] = [];
    for await (const event of coordinator.events({ follow: true })) {
      if (event.type === "breaker.changed") states.push(event.state);
      if (states.at(-1) === "closed") break;
    }
    expect(states).toEqual(["open", "half-open", "closed"]);
    expect((await handle.outcome()).attempts.map(({ end }) => end)).toEqual(["failed", "failed", "completed"]);
    expect(await coordinator.agents()).toMatchObject([{ breaker: "closed" }]);
  });
});

describe("a result that nobody awaits", () => {
  it("leaves no unhandled rejection, nor do a context's promises", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const coordinator = await opened();
      const late = gate();
      await coordinator.register(
        defineAgent({
          name: "bad",
          run: (_, { checkpoint, submit, heartbeat, cache }) => {
            void checkpoint(Number.NaN);
            void heartbeat();
            void cache("key", 1, async () => 1);
            void late.promise.then(() => void submit({}));
            throw new Error("boom");
          },
        }),
      );
      const handle = await coordinator.submit({ retry: { maxAttempts: 1 } });
      void handle.result();
      const result = handle.result();
      await handle.outcome();
      late.resolve();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await rejection(result)).toMatchObject({ code: "TASK_FAILED" });
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });
});

describe("time", () => {
  it("is up for an attempt: it is aborted, and tried again", async () => {
    const coordinator = await opened();
    const reasons: unknown[] = [];
    await coordinator.register(
      defineAgent({
        name: "slow",
        run: async (_, { signal, attempt }) => {
          if (attempt === 2) return "in time";
          reasons.push(await aborted(signal));
          throw signal.reason;
        },
      }),
    );
    const handle = await coordinator.submit({ timeoutMs: 20, retry: fast });
    expect(await handle.outcome()).toMatchObject({
      output: "in time",
      attempts: [{ end: "timeout" }, { end: "completed" }],
    });
    expect(reasons).toMatchObject([{ code: "TIMEOUT", details: { reason: "timeout" } }]);
  });

  it("is up for the last attempt: TIMEOUT", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "slow",
        run: async (_, { signal }) => {
          await aborted(signal);
          return "too late";
        },
      }),
    );
    const handle = await coordinator.submit({ timeoutMs: 10, retry: { maxAttempts: 1 } });
    expect(await rejection(handle.result())).toMatchObject({ code: "TIMEOUT" });
  });

  it("is up for all of it at its deadline, running or waiting", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({ name: "slow", run: async (_, { signal }) => void (await aborted(signal)) }),
    );
    const [running, waiting] = await coordinator.submit([
      { deadlineMs: 20 },
      { deadlineMs: 20, skills: ["nobody has this"] },
    ]);
    expect(await rejection(running?.result() ?? Promise.resolve())).toMatchObject({ code: "TIMEOUT" });
    expect(await rejection(waiting?.result() ?? Promise.resolve())).toMatchObject({ code: "TIMEOUT" });
  });

  it("is up for one that does not listen: it is abandoned, told as a warning, and what it gives is discarded", async () => {
    const warnings: object[] = [];
    const coordinator = await opened({ logger: { ...silent, warn: (facts) => void warnings.push(facts) } });
    const late = gate<string>();
    await coordinator.register(
      defineAgent({
        name: "deaf",
        run: (_, { attempt }) => (attempt === 1 ? late.promise : "second"),
      }),
    );
    const handle = await coordinator.submit({ id: "x", timeoutMs: 10, graceMs: 10, retry: fast });
    expect(await handle.outcome()).toMatchObject({
      output: "second",
      attempts: [{ end: "abandoned" }, { end: "completed" }],
    });
    late.resolve("first");
    await coordinator.idle();
    expect(await handle.result()).toBe("second");
    expect(warnings).toMatchObject([{ taskId: "x", agent: "deaf", attempt: 1 }]);
    expect((await historyOf(coordinator, "x")).filter((type) => type === "task.completed")).toHaveLength(1);
  });

  it("is up for a task that nobody can do", async () => {
    const coordinator = await opened({ unroutableMs: 10 });
    const handle = await coordinator.submit({ skills: ["flying"] });
    expect(await rejection(handle.result())).toMatchObject({ code: "NO_QUALIFIED_AGENT", retryable: false });
  });
});

describe("idle", () => {
  it("waits for retries that will come by themselves, not for tasks that wait for somebody", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "flaky",
        run: (_, { attempt }) => {
          if (attempt === 1) throw new Error("no");
          return null;
        },
      }),
    );
    await coordinator.submit([
      { id: "again", retry: { initialMs: 15, jitter: false } },
      { id: "held", dependsOn: ["again"] },
    ]);
    await (await coordinator.task("held")).pause();
    await coordinator.idle();
    expect((await coordinator.tasks()).map(({ status }) => status)).toEqual(["completed", "paused"]);
    expect((await eventsOf(coordinator)).at(-1)?.type).toBe("task.completed");
  });
});

describe("what answers no question about itself", () => {
  const trap = (): object =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error("no questions");
        },
        get() {
          throw new Error("no questions");
        },
      },
    );

  it.each([
    [
      "a promise",
      async () => {
        throw trap();
      },
    ],
    [
      "a call",
      () => {
        throw trap();
      },
    ],
  ])("fails no more than its own attempt when it is thrown by %s", async (_, run) => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "bad", run, vote: run }));
    await coordinator.register(defineAgent({ name: "good", skills: ["good"], run: () => "done", vote: () => "yes" }));
    const bad = await coordinator.submit({ agent: "bad", retry: { maxAttempts: 1 } });
    expect(await bad.outcome()).toMatchObject({ status: "failed", error: { code: "TASK_FAILED" } });
    expect(await (await coordinator.submit({ skills: ["good"] })).result()).toBe("done");
    const decision = await coordinator.decide({ question: "?", options: ["yes", "no"] });
    expect(decision).toMatchObject({ decision: "yes", abstained: ["bad"] });
    expect(isSafeguardsError(trap())).toBe(false);
  });

  it("is fenced when its attempt is over and it still says that it lives", async () => {
    const coordinator = await opened();
    let heartbeat: (() => Promise<void>) | undefined;
    const run = async (_: unknown, ctx: AgentContext): Promise<null> => {
      heartbeat = ctx.heartbeat;
      await ctx.heartbeat();
      return null;
    };
    await coordinator.register(defineAgent({ name: "a", run }));
    await (await coordinator.submit({})).result();
    expect(await rejection(heartbeat?.() ?? Promise.resolve())).toMatchObject({ code: "FENCED" });
  });
});
