import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { defineAgent, type Logger, logEvents } from "../src/index.ts";
import { opened, rejection } from "./coordinator.fixture.ts";

interface Told {
  readonly level: string;
  readonly message: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

function listener(): { readonly logger: Logger; readonly told: Told[] } {
  const told: Told[] = [];
  const at = (level: string) => (o: object, message?: string) => void told.push({ level, message, facts: { ...o } });
  return { told, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

describe("logEvents", () => {
  it("tells every event once, by what it means, without what users handed in or got out", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "cook",
        run: async ({ input }, ctx) => {
          await ctx.checkpoint("canary-state");
          await ctx.send("cook", "canary-message");
          await ctx.state.set("mood", "canary-value");
          if (input === "canary-bad") throw new Error("burnt");
          return "canary-output";
        },
        vote: () => "canary-vote",
      }),
    );
    const shared = { cacheKey: "canary-key", batchKey: "canary-batch", fallback: { value: "canary-fallback" } };
    const good = { id: "good", input: "canary-good", context: "canary-context", ...shared };
    const [first] = await coordinator.submit([good, { id: "bad", input: "canary-bad", retry: { maxAttempts: 1 } }]);
    await first?.result();
    await coordinator.idle();
    await coordinator.decide({ question: "?", options: ["yes"], context: "canary-context" });
    const { logger, told } = listener();
    await logEvents(coordinator, logger);
    expect(told.map(({ facts }) => facts.seq)).toEqual(told.map((_, i) => i + 1));
    expect(told.length).toBe((await coordinator.stats()).seq);
    expect(JSON.stringify(told)).not.toContain("canary");
    const levelOf = (message: string, taskId?: string) =>
      told.find((one) => one.message === message && one.facts.taskId === taskId)?.level;
    expect(levelOf("coordinator.opened")).toBe("debug");
    expect(levelOf("task.completed", "good")).toBe("info");
    expect(levelOf("attempt.checkpointed", "good")).toBe("debug");
    expect(levelOf("attempt.ended", "bad")).toBe("warn");
    expect(levelOf("task.failed", "bad")).toBe("warn");
  });

  it("warns of breakers that open and of budgets that are overrun", async () => {
    const coordinator = await opened({
      budgets: { team: { limit: 2 } },
      resources: { stove: { type: "compute", capacity: 1, breaker: { failureThreshold: 1 } } },
    });
    await coordinator.register(
      defineAgent({
        name: "cook",
        breaker: { failureThreshold: 1 },
        run: async (_, { budget }) => {
          await coordinator.setBudget("team", { limit: 1 });
          await budget.spend(2);
          throw new Error("burnt");
        },
      }),
    );
    const paid = { budget: "team", cost: 2, resources: { stove: 1 }, retry: { maxAttempts: 1 } };
    await (await coordinator.submit({ id: "a", ...paid })).outcome();
    const { logger, told } = listener();
    await logEvents(coordinator, logger);
    expect(told.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
      "budget.overrun",
      "attempt.ended",
      "breaker.changed",
      "resource.breaker-changed",
      "task.failed",
    ]);
  });

  it("goes on with what is to come, until it is aborted, and a logger that throws harms nobody", async () => {
    const coordinator = await opened();
    const controller = new AbortController();
    const { logger, told } = listener();
    const seen = Promise.withResolvers<void>();
    const angry: Logger = {
      ...logger,
      info: (o, m) => {
        logger.info(o, m);
        if (m === "task.cancelled") seen.resolve();
        throw new Error("no more");
      },
    };
    const logging = logEvents(coordinator, angry, { from: 2, follow: true, signal: controller.signal });
    const task = await coordinator.submit({ id: "t", skills: ["none"] });
    await task.cancel();
    await seen.promise;
    controller.abort();
    await logging;
    expect(told.map(({ message }) => message)).toEqual(["task.submitted", "task.cancelled"]);
  });

  it("refuses what is no logger, and wrong options", async () => {
    const coordinator = await opened();
    const wrong: unknown = { debug: 1 };
    expect(await rejection(logEvents(coordinator, wrong as Logger))).toMatchObject({ code: "INVALID_ARGUMENT" });
    const { logger } = listener();
    expect(await rejection(logEvents(coordinator, logger, { from: 0 }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it.each([undefined, null, 5, {}])("refuses to follow %j", async (followed) => {
    expect(await rejection(logEvents(followed as never, listener().logger))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `coordinator is ${JSON.stringify(followed)}; it must be a Coordinator`,
    });
  });
});

describe("the logger of an attempt", () => {
  it("says whose lines they are, whatever its code says, and works when its members are taken out", async () => {
    const { logger, told } = listener();
    const coordinator = await opened({ logger });
    await coordinator.register(
      defineAgent({
        name: "cook",
        run: (_, { log: { info, warn } }) => {
          info({ n: 1, taskId: "other", agent: "boss" }, "hot");
          warn(null as never);
        },
      }),
    );
    await (await coordinator.submit({ id: "soup" })).result();
    const facts = { taskId: "soup", agent: "cook", attempt: 1 };
    expect(told).toEqual([
      { level: "info", message: "hot", facts: { ...facts, n: 1 } },
      { level: "warn", message: undefined, facts },
    ]);
  });
});

it("a logger whose promises are rejected harms nobody either", async () => {
  const late = async (): Promise<void> => {
    throw new Error("no more");
  };
  const coordinator = await opened({ logger: { debug: late, info: late, warn: late, error: late } });
  const run = (_: unknown, { log }: { readonly log: Logger }) => log.info({}, "hot");
  await coordinator.register(defineAgent({ name: "cook", run }));
  expect(await (await coordinator.submit({})).outcome()).toMatchObject({ status: "completed" });
});

describe("the default logger", () => {
  it("writes warnings as lines of JSON to stderr, and nothing else", () => {
    const program = `
      import { Coordinator, defineAgent } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const coordinator = await Coordinator.open();
      await coordinator.register(defineAgent({ name: "shy", run: () => null, vote: () => { throw new Error("no"); } }));
      await coordinator.decide({ question: "?", options: ["a", "b"] });
      await coordinator.close();
    `;
    const { stderr, stdout } = spawned(program);
    expect(stdout).toBe("");
    const lines: Told["facts"][] = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ level: 40, name: "safeguards", voter: "shy", error: "no" }]);
  });
});

function spawned(program: string): { readonly stdout: string; readonly stderr: string } {
  const script = `import { spawnSync } from "node:child_process";
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(program)}], { encoding: "utf8" });
    console.log(JSON.stringify({ stdout, stderr }));`;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" }));
}
