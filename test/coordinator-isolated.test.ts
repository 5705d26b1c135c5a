import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AgentSpec,
  type Coordinator,
  type CoordinatorOptions,
  defineAgent,
  type Guardrail,
  type Json,
  type TaskSpec,
} from "../src/index.ts";
import { threadSeats } from "../src/runtime/isolated-thread.ts";
import { runtimeLimits } from "../src/runtime/limits.ts";
import { eventsOf, gate, opened, rejection, silent } from "./coordinator.fixture.ts";

const module = new URL("isolated-agent.fixture.ts", import.meta.url).href;
const once = { retry: { maxAttempts: 1 } } as const;

function isolated(more: Partial<AgentSpec["isolated"] & object> = {}) {
  return defineAgent({ name: "inside", capacity: 9, isolated: { module, ...more } });
}

/** Asks the isolated agent for this while another agent goes on: that one must come to no harm. */
async function asked(
  order: string,
  {
    agent = isolated(),
    task = {},
    ...options
  }: { agent?: ReturnType<typeof isolated>; task?: TaskSpec } & Pick<CoordinatorOptions, "strict" | "guardrails"> = {},
) {
  const coordinator = await opened(options);
  await coordinator.register(agent);
  await coordinator.register(defineAgent({ name: "beside", capacity: 9, run: () => "fine" }));
  const handle = await coordinator.submit({ id: "x", agent: "inside", input: { do: order }, ...once, ...task });
  expect(await (await coordinator.submit({ agent: "beside" })).result()).toBe("fine");
  const outcome = await handle.outcome();
  expect(await (await coordinator.submit({ agent: "beside" })).result()).toBe("fine");
  return { coordinator, outcome, last: outcome.attempts.at(-1) };
}

/** The isolated agent loops for ever, and holds the disk. */
async function looping(options: { strict?: boolean }) {
  const begun = gate();
  const logger = { ...silent, debug: () => begun.resolve() };
  const coordinator = await opened({ ...options, logger, resources: { disk: { type: "storage", capacity: 1 } } });
  await coordinator.register(isolated());
  const handle = await coordinator.submit({
    agent: "inside",
    resources: { disk: 1 },
    input: { do: "loop" },
    graceMs: 50,
  });
  await begun.promise;
  return { coordinator, handle };
}

describe("an isolated attempt for which there is no thread", () => {
  const busy = new AbortController().signal;

  /** All threads but one are taken. */
  function almostFull(): void {
    for (let n = 1; n < runtimeLimits.isolatedThreads; n++) expect(threadSeats.take(busy)).toBe(undefined);
    onTestFinished(() => {
      for (let n = 1; n < runtimeLimits.isolatedThreads; n++) threadSeats.giveBack();
    });
  }

  it("waits for one, and does not fail", async () => {
    almostFull();
    const coordinator = await opened();
    await coordinator.register(isolated());
    const handles = await coordinator.submit(
      [1, 2, 3].map((n) => ({ agent: "inside", input: { do: "echo", with: n }, ...once })),
    );
    for (const handle of handles)
      expect(await handle.outcome()).toMatchObject({ status: "completed", attempts: [{ end: "completed" }] });
  });

  it("stops at once when it is told to", async () => {
    almostFull();
    const { coordinator, handle } = await looping({});
    const waiting = await coordinator.submit({ agent: "inside", input: { do: "echo" }, graceMs: 60_000, ...once });
    expect(await waiting.status()).toBe("running");
    await waiting.cancel();
    expect(await waiting.outcome()).toMatchObject({ status: "cancelled", attempts: [{ end: "cancelled" }] });
    await handle.cancel();
    await handle.outcome();
  });
});

describe("an isolated agent", () => {
  it("does its task in a thread of its own, with all that it needs to know", async () => {
    const coordinator = await opened();
    await coordinator.register(isolated());
    await coordinator.register(defineAgent({ name: "first", run: () => ({ __proto__: null, n: 1 }) as Json }));
    await coordinator.submit({ id: "before", agent: "first" });
    const handle = await coordinator.submit({
      id: "x",
      agent: "inside",
      input: { do: "echo", with: JSON.parse('{"__proto__":[1]}') },
      dependsOn: ["before"],
    });
    expect(JSON.stringify(await handle.result())).toBe(
      '{"input":{"__proto__":[1]},"attempt":1,"key":"x","needs":{"before":{"n":1}}}',
    );
  });

  it("may be one of several in its module, by its name", async () => {
    const coordinator = await opened();
    const both = `${new URL("isolated-named.fixture.ts", import.meta.url).href}`;
    await coordinator.register(defineAgent({ name: "named", isolated: { module: both } }));
    expect(await (await coordinator.submit({})).result()).toBe("by its name");
  });

  it.each([
    ["throws", "throw", { code: "TASK_FAILED", message: "inside" }],
    [
      "ends its process",
      "exit",
      { message: 'the thread of agent "inside" ended with exit code 3 before its task did' },
    ],
    ["ends its process later", "exit later", { message: expect.stringContaining("exit code 4") }],
    ["leaves a rejection", "reject later", { message: 'the thread of agent "inside" died: nobody looks' }],
    ["answers with a cycle", "cycle", { message: expect.stringContaining("JSON has no cycles") }],
    ["answers with 100 MB", "huge", { message: expect.stringContaining("larger than 16000000 bytes") }],
  ])("that %s harms nothing but its own attempt", async (_, order, error) => {
    const { outcome, last } = await asked(order);
    expect(outcome.status).toBe("failed");
    expect(last).toMatchObject({ end: "failed", error });
  });

  it.each(["hoard", "grab"])("that takes more memory than it may fails, and says so: %s", async (how) => {
    const { last } = await asked(how, { agent: isolated({ memoryMb: 32 }) });
    expect(last).toMatchObject({ end: "failed", error: { message: expect.stringContaining("more than the 32 MB") } });
  });

  it("that uses little may leave lie as much as it likes: that is collected before it counts", async () => {
    const { outcome } = await asked("litter", { agent: isolated({ memoryMb: 32 }) });
    expect(outcome).toMatchObject({ status: "completed", output: 3 });
  });

  it("that tells a line of 100 MB is heard as far as its coordinator can read without standing still", async () => {
    const lengths: number[] = [];
    const info = (_: object, text = ""): void => void (text.startsWith("x") && lengths.push(text.length));
    const coordinator = await opened({ logger: { ...silent, info } });
    await coordinator.register(isolated());
    expect(await (await coordinator.submit({ input: { do: "long line" }, ...once })).result()).toBe("told");
    expect(lengths).toEqual([runtimeLimits.inputBytes]);
  });

  it.each(["lines", "progress", "signs of life", "messages", "calls"])(
    "that floods its coordinator with %s keeps it from nothing else",
    async (what) => {
      const begun = gate();
      let inThisTurn = 0;
      let most = 0;
      const info = (): void => {
        if (inThisTurn === 0) setImmediate(() => (inThisTurn = 0));
        inThisTurn += 1;
        most = Math.max(most, inThisTurn);
      };
      const coordinator = await opened({ logger: { ...silent, debug: () => begun.resolve(), info } });
      await coordinator.register(isolated());
      await coordinator.register(defineAgent({ name: "beside", run: () => "fine" }));
      const handle = await coordinator.submit({ agent: "inside", input: { do: `flood of ${what}` }, graceMs: 50 });
      await begun.promise;
      for (let n = 0; n < 100; n++) {
        expect(await (await coordinator.submit({ agent: "beside" })).result()).toBe("fine");
      }
      await handle.cancel();
      expect((await handle.outcome()).status).toBe("cancelled");
      expect(most).toBeLessThanOrEqual(256);
      if (what === "lines") expect(most).toBeGreaterThan(0);
    },
  );

  it("is told when it waits for more answers than it may", async () => {
    const { outcome } = await asked("too many");
    expect(outcome).toMatchObject({ status: "completed", output: { given: 1_000, refused: ["QUEUE_FULL"] } });
  });

  it("that loops for ever is lost when its lease has run out, and its thread is ended", async () => {
    const { coordinator, outcome, last } = await asked("loop", { agent: isolated({ leaseMs: 300 }) });
    expect(last).toMatchObject({
      end: "lost",
      error: { message: 'nothing was heard of agent "inside" for 300 ms: its lease has run out' },
    });
    expect(outcome.error).toMatchObject({ code: "TASK_FAILED" });
    expect((await eventsOf(coordinator)).find(({ type }) => type === "attempt.ended")).toMatchObject({ missed: true });
  });

  it("that blocks its thread and tells that it is alive keeps its lease", async () => {
    const { outcome } = await asked("loop, alive", { agent: isolated({ leaseMs: 1_000 }) });
    expect(outcome).toMatchObject({ status: "completed", output: "done" });
  });

  it("that does not stop within its grace is abandoned, and its thread is ended", async () => {
    const { coordinator, handle } = await looping({});
    await handle.cancel();
    expect(await handle.outcome()).toMatchObject({ status: "cancelled", attempts: [{ end: "abandoned" }] });
    const next = await coordinator.submit({ agent: "inside", resources: { disk: 1 }, input: { do: "echo" } });
    expect(await next.result()).toMatchObject({ attempt: 1 });
  });

  it("gives back under strict what it held when its thread has ended", async () => {
    const { coordinator, handle } = await looping({ strict: true });
    await handle.cancel();
    const next = await coordinator.submit({ agent: "inside", resources: { disk: 1 }, input: { do: "echo" } });
    expect(await next.result()).toMatchObject({ attempt: 1 });
    expect((await eventsOf(coordinator)).map(({ type }) => type)).toContain("attempt.gone");
  });

  it.each([
    ["before its code is there", () => Promise.resolve()],
    ["while it runs", (begun: Promise<void>) => begun],
  ])("that is told to stop hears it, %s", async (_, when) => {
    const begun = gate();
    const logger = { ...silent, debug: () => begun.resolve() };
    const coordinator = await opened({ logger });
    await coordinator.register(isolated());
    const handle = await coordinator.submit({ agent: "inside", input: { do: "stop" } });
    while ((await handle.status()) !== "running") await handle.status();
    await when(begun.promise);
    await handle.cancel("enough");
    expect(await handle.outcome()).toMatchObject({ status: "cancelled", attempts: [{ end: "cancelled" }] });
  });

  it("tells its progress, writes log lines, keeps checkpoints and is tried again from there", async () => {
    const lines: unknown[] = [];
    const logger = { ...silent, info: (facts: object, text = "") => lines.push([text, Reflect.get(facts, "deep")]) };
    const coordinator = await opened({ logger });
    await coordinator.register(isolated());
    const handle = await coordinator.submit({
      agent: "inside",
      input: { do: "tell" },
      retry: { maxAttempts: 2, initialMs: 0 },
    });
    expect(await handle.result()).toEqual({ resumed: { at: 1 } });
    expect(lines).toContainEqual(["told", { n: 1 }]);
  });

  it("asks for resources and shares state", async () => {
    const coordinator = await opened({ resources: { disk: { type: "storage", capacity: 1 } } });
    await coordinator.register(isolated());
    const handle = await coordinator.submit({ id: "x", agent: "inside", input: { do: "ask" } });
    expect(await handle.result()).toMatchObject({ code: "CAPACITY_EXCEEDED", read: { from: "x" } });
    expect(await coordinator.resources()).toMatchObject([{ allocated: 0 }]);
  });

  it("spends what its task may, and no more", async () => {
    const coordinator = await opened({ budgets: { team: { limit: 1 } } });
    await coordinator.register(isolated());
    const task = { agent: "inside", budget: "team", cost: "0.5", input: { do: "spend" } };
    const outcome = await (await coordinator.submit(task)).outcome();
    expect(outcome).toMatchObject({ output: ["BUDGET_EXCEEDED", "INVALID_ARGUMENT", "spent"], cost: "1" });
    expect(await coordinator.budgets()).toMatchObject([{ spent: "1", reserved: "0" }]);
  });

  it("has its output looked at by guardrails like any other", async () => {
    const guardrail: Guardrail = {
      name: "none",
      on: "output",
      check: ({ agent }) => (agent === "inside" ? { allow: false, reason: "no" } : { allow: true }),
    };
    const { outcome } = await asked("echo", { guardrails: [guardrail] });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "GUARDRAIL_BLOCKED" } });
  });

  it("sends messages and reads them, and what it had in hand when it failed comes again", async () => {
    const coordinator = await opened();
    await coordinator.register(isolated());
    const handle = await coordinator.submit({
      agent: "inside",
      input: { do: "talk" },
      retry: { maxAttempts: 2, initialMs: 0 },
    });
    expect(await handle.result()).toEqual({
      heard: ["m2 two", "m3 null"],
      refused: 'the options of messages has the unknown key "from"; allowed: topic, timeoutMs',
    });
  });

  it("is told what it cannot have there", async () => {
    const { outcome } = await asked("absent");
    expect(outcome.output).toEqual([
      "ctx.submit is not available to an isolated agent",
      "ctx.act is not available to an isolated agent",
      "ctx.cache is not available to an isolated agent",
      expect.stringContaining("what ctx.checkpoint is given is 1n"),
    ]);
  });

  it("cannot speak past its context", async () => {
    const { outcome } = await asked("break in");
    expect(outcome).toMatchObject({ status: "completed", output: "honest" });
  });

  it("has its schemas checked, outside and inside", async () => {
    const text = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "string" ? { value } : { issues: [{ message: "a string is needed" }] },
      },
    };
    const agent = defineAgent({ name: "inside", isolated: { module }, output: text as never });
    const { last } = await asked("echo", { agent: agent as ReturnType<typeof isolated> });
    expect(last?.error?.message).toContain("a string is needed");
  });

  it.each([
    ["is not there", new URL("nowhere.ts", import.meta.url).href, /could not be imported/],
    ["has no agent", new URL("coordinator.fixture.ts", import.meta.url).href, /could not be imported|has no code/],
    [
      "has none with code",
      new URL("isolated-empty.fixture.ts", import.meta.url).href,
      /has no code for agent "inside"/,
    ],
  ])("whose module %s fails for good", async (_, missing, message) => {
    const { outcome, last } = await asked("echo", { agent: isolated({ module: missing }), task: { retry: {} } });
    expect(outcome.attempts).toHaveLength(1);
    expect(last?.error?.message).toMatch(message);
  });

  it("is ended when its coordinator closes", async () => {
    const coordinator: Coordinator = await opened();
    await coordinator.register(isolated());
    const handle = await coordinator.submit({ agent: "inside", input: { do: "stop" } });
    while ((await handle.status()) !== "running") await handle.status();
    await coordinator.close();
    expect(await rejection(handle.result())).toMatchObject({ code: "CLOSED" });
  });
});
