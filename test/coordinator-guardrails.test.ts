/** Guardrails at work: what they let pass, change and block, and what the log tells of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import {
  allOf,
  type Coordinator,
  type CoordinatorOptions,
  defineAgent,
  defineManager,
  type Guardrail,
  type Json,
  matchesSchema,
  noSecrets,
  type TaskSpec,
  type Verdict,
} from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { eventsOf, gate, historyOf, MortalJournal, opened, silent as quiet, rejection } from "./coordinator.fixture.ts";

function guardrail(name: string, on: Guardrail["on"], check: Guardrail["check"]): Guardrail {
  return { name, on, check };
}

const allows = (name: string, on: Guardrail["on"]): Guardrail => guardrail(name, on, () => ({ allow: true }));
const blocks = (name: string, on: Guardrail["on"], what: (value: Json) => boolean): Guardrail =>
  guardrail(name, on, ({ value }) => (what(value) ? { allow: false, reason: "it is bad" } : { allow: true }));

const echo = defineAgent({ name: "echo", capacity: 1_000, run: (task) => task.input });

/** What was said, in short. */
async function verdicts(coordinator: Coordinator): Promise<string[]> {
  return (await eventsOf(coordinator))
    .filter((event) => event.type === "guardrail.judged")
    .map((event) => `${event.guardrail} ${event.verdict} ${event.on} of ${event.taskId}`);
}

describe("guardrails on inputs", () => {
  it("let pass, and the verdict of each is in the log before the task starts", async () => {
    const coordinator = await opened({ guardrails: [allows("one", "input"), allows("two", "input")] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: 7 });
    expect(await handle.result()).toBe(7);
    expect(await historyOf(coordinator, "a")).toEqual([
      "task.submitted",
      "guardrail.judged",
      "guardrail.judged",
      "input.accepted",
      "task.started",
      "task.completed",
    ]);
    expect(await verdicts(coordinator)).toEqual(["one allow input of a", "two allow input of a"]);
  });

  it("block before any agent is given it, and those behind the first that blocks are not asked", async () => {
    const seen: Json[] = [];
    const asked: string[] = [];
    const watcher = guardrail("watcher", "input", ({ task }) => {
      asked.push(task.id);
      return { allow: true };
    });
    const coordinator = await opened({ guardrails: [blocks("no-bad", "input", (value) => value === "bad"), watcher] });
    coordinator.register(defineAgent({ name: "worker", run: (task) => void seen.push(task.input) }));
    const [bad, good, after] = await coordinator.submit([
      { id: "x", input: "bad" },
      { id: "y", input: "good" },
      { id: "z", dependsOn: ["x"] },
    ]);
    expect(await rejection(bad?.result() ?? Promise.resolve())).toMatchObject({
      code: "GUARDRAIL_BLOCKED",
      retryable: false,
      message: expect.stringContaining("guardrail no-bad blocked its input: it is bad"),
    });
    expect(await good?.outcome()).toMatchObject({ status: "completed" });
    expect(await after?.outcome()).toMatchObject({ status: "skipped", error: { code: "DEPENDENCY_FAILED" } });
    expect(seen).toEqual(["good"]);
    expect(asked).toEqual(["y", "z"]);
    expect(await bad?.outcome()).toMatchObject({ status: "failed", attempts: [] });
    expect(await bad?.explain()).toMatchObject({ verdict: "refused" });
  });

  it("feed what they change to the next, and in the end to the agent, while the same submit still gives the same handle", async () => {
    const append = (name: string): Guardrail =>
      guardrail(name, "input", ({ value }) => ({ allow: true, value: `${value}${name}` }));
    const coordinator = await opened({ guardrails: [append("1"), allows("quiet", "input"), append("2")] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: "in" });
    expect(await handle.result()).toBe("in12");
    expect((await coordinator.submit({ id: "a", input: "in" })).id).toBe("a");
    expect(await rejection(coordinator.submit({ id: "a", input: "in12" }))).toMatchObject({ code: "DUPLICATE_ID" });
    expect(await verdicts(coordinator)).toEqual([
      "1 change input of a",
      "quiet allow input of a",
      "2 change input of a",
    ]);
    expect((await eventsOf(coordinator)).find((event) => event.type === "input.accepted")).toMatchObject({
      input: "in12",
    });
  });

  it("look at what managers plan and what agents submit", async () => {
    const coordinator = await opened({ guardrails: [blocks("no-bad", "input", (value) => value === "bad")] });
    await coordinator
      .register(
        defineManager({
          name: "boss",
          skills: ["lead"],
          team: ["echo"],
          minSuccess: "any",
          plan: () => [
            { id: "bad", input: "bad", agent: "echo" },
            { id: "good", input: "good", agent: "echo" },
          ],
          aggregate: (_, outcomes) => outcomes.map(({ status, error }) => error?.code ?? status),
        }),
      )
      .catch(() => undefined);
    await coordinator.register(echo);
    await coordinator.register(
      defineAgent({
        name: "asker",
        skills: ["ask"],
        run: async (_, ctx) => {
          const sub = await ctx.submit({ input: "bad", agent: "echo" });
          return (await sub.outcome()).error?.code ?? "none";
        },
      }),
    );
    expect(await (await coordinator.submit({ skills: ["lead"] })).result()).toEqual(["GUARDRAIL_BLOCKED", "completed"]);
    expect(await (await coordinator.submit({ skills: ["ask"] })).result()).toBe("GUARDRAIL_BLOCKED");
  });

  it("keep a task back with that as its explanation, and idle waits for them", async () => {
    const answer = gate<Verdict>();
    const coordinator = await opened({ guardrails: [guardrail("slow", "input", () => answer.promise)] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: 1 });
    expect(await handle.status()).toBe("pending");
    expect(await handle.explain()).toMatchObject({
      verdict: "waiting",
      reasons: [{ code: "approval", who: ["slow"], text: "its input waits for the verdict of the guardrail slow" }],
    });
    let isIdle = false;
    const idle = coordinator.idle().then(() => {
      isIdle = true;
    });
    await coordinator.stats();
    expect(isIdle).toBe(false);
    answer.resolve({ allow: true });
    await idle;
    expect(await handle.status()).toBe("completed");
  });

  it("drop the verdict on what was cancelled meanwhile", async () => {
    const answer = gate<Verdict>();
    const coordinator = await opened({ guardrails: [guardrail("slow", "input", () => answer.promise)] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: 1 });
    await handle.cancel();
    answer.resolve({ allow: true });
    await coordinator.idle();
    expect(await historyOf(coordinator, "a")).toEqual(["task.submitted", "task.cancelled"]);
  });

  it("look again when a person has a blocked task tried again", async () => {
    let open = false;
    const coordinator = await opened({ guardrails: [blocks("door", "input", () => !open)] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: 1 });
    expect(await handle.outcome()).toMatchObject({ status: "failed" });
    open = true;
    await handle.retry();
    expect(await handle.result()).toBe(1);
    expect(await verdicts(coordinator)).toEqual(["door block input of a", "door allow input of a"]);
  });

  it("judge as many as are submitted at once, in their order", async () => {
    const asked: Json[] = [];
    const coordinator = await opened({
      guardrails: [
        guardrail("counts", "input", async ({ value }) => {
          asked.push(value);
          await Promise.resolve();
          return { allow: true };
        }),
      ],
    });
    coordinator.register(echo);
    const handles = await coordinator.submit(Array.from({ length: 2_000 }, (_, i) => ({ input: i })));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i),
    );
    expect(asked).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  });
});

describe("a guardrail that is an instance of a class", () => {
  class Quota implements Guardrail {
    name = "quota";
    readonly on = "input";
    readonly most: number;
    #asked = 0;

    constructor(most: number) {
      this.most = most;
    }

    check(): Verdict {
      this.#asked += 1;
      this.name = `quota after ${this.#asked}`;
      return this.#asked > this.most ? { allow: false, reason: `more than ${this.most}` } : { allow: true };
    }
  }

  it("has fields and a state of its own, and the name that it had at first", async () => {
    const coordinator = await opened({ guardrails: [new Quota(1)] });
    await coordinator.register(echo);
    const [first, second] = await coordinator.submit([{ id: "a" }, { id: "b" }]);
    expect(await first?.result()).toBeNull();
    expect(await second?.outcome()).toMatchObject({ error: { code: "GUARDRAIL_BLOCKED" } });
    expect(await verdicts(coordinator)).toEqual(["quota allow input of a", "quota block input of b"]);
  });

  it("works inside of another, too", async () => {
    const both = allOf({ name: "both", guardrails: [new Quota(1), allows("more", "input")] });
    const coordinator = await opened({ guardrails: [both] });
    await coordinator.register(echo);
    const handles = await coordinator.submit([{ id: "a" }, { id: "b" }]);
    const codes = await Promise.all(handles.map(async (handle) => (await handle.outcome()).error?.message ?? "none"));
    expect(codes).toEqual(["none", expect.stringContaining("quota: more than 1")]);
  });
});

describe("what guardrails found", () => {
  it("is in no verdict, log line, error, explanation or snapshot, also when they throw it", async () => {
    const canary = "canary-4711";
    const lines: string[] = [];
    const note = (...line: unknown[]): void => {
      lines.push(JSON.stringify(line, (_, value) => (value instanceof Error ? String(value) : value)));
    };
    const guardrails: Guardrail[] = [
      noSecrets({ values: [canary] }),
      noSecrets({ on: "action", values: [canary] }),
      matchesSchema({ on: "output", schema: z.union([z.number(), z.literal("fine")]) }),
      guardrail("throws", "action", ({ value }) => {
        throw new Error(`what is ${JSON.stringify(value)}?`);
      }),
    ];
    const journal = new MemoryJournal();
    const coordinator = await opened({
      journal,
      guardrails,
      logger: { debug: () => undefined, info: note, warn: note, error: note },
    });
    await coordinator.register(
      defineAgent({
        name: "teller",
        run: async (task, ctx) => {
          if (task.id === "secret") return `the word is ${canary}`;
          if (task.id === "shape") return { [canary]: canary };
          if (task.id === "thrown")
            await ctx.act("tell", ["x", canary.slice(0, 6)], async () => 1).catch(() => undefined);
          return ctx.act("tell", canary, async () => 1);
        },
      }),
    );
    const ids = ["secret", "shape", "action", "thrown"];
    await coordinator.submit(ids.map((id) => ({ id, retry: { maxAttempts: 1 } })));
    await coordinator.idle();
    for (const id of ids) {
      const outcome = await (await coordinator.task(id)).outcome();
      expect(outcome.attempts[0]?.error?.code).toBe("GUARDRAIL_BLOCKED");
      note(outcome, outcome.error?.message, String(outcome.error?.cause), await coordinator.explain(id));
      note(outcome.error?.details);
    }
    await coordinator.snapshot();
    note(await eventsOf(coordinator));
    expect(lines.join("\n")).not.toContain("canary");
    expect(await verdicts(coordinator)).toEqual([
      "no-secrets block output of secret",
      "no-secrets block output of shape",
      "no-secrets block action of action",
      "no-secrets allow action of thrown",
      "throws block action of thrown",
      "no-secrets block action of thrown",
    ]);
    expect(lines.join("\n")).toContain('guardrail \\"throws\\" threw, and so blocks');
  });
});

describe("a coordinator that has joined", () => {
  it("submits what the guardrails of the one that writes look at", async () => {
    const folder = mkdtempSync(join(tmpdir(), "safeguards-guardrails-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const journal = `sqlite:${join(folder, "crew.db")}`;
    const writer = await opened({ journal, guardrails: [blocks("no-bad", "input", (value) => value === "bad")] });
    writer.register(echo);
    const joined = await opened({ journal, join: true });
    const handle = await joined.submit({ id: "a", input: "bad" });
    expect(await rejection(handle.result())).toMatchObject({ code: "GUARDRAIL_BLOCKED" });
    expect(await verdicts(joined)).toEqual(["no-bad block input of a"]);
  });
});

describe("guardrails on inputs, when the journal is opened again", () => {
  it("judge what was submitted and not judged when the process died", async () => {
    const journal = new MortalJournal();
    const first = await opened({ journal, guardrails: [guardrail("never", "input", () => gate<Verdict>().promise)] });
    await first.submit([
      { id: "bad", input: "bad" },
      { id: "good", input: "good" },
    ]);
    const kept = await journal.die();
    const seen: Json[] = [];
    const second = await opened({
      journal: kept,
      guardrails: [blocks("no-bad", "input", (value) => value === "bad")],
    });
    second.register(defineAgent({ name: "worker", run: (task) => void seen.push(task.input) }));
    await second.idle();
    expect(seen).toEqual(["good"]);
    expect(await (await second.task("bad")).outcome()).toMatchObject({ error: { code: "GUARDRAIL_BLOCKED" } });
  });

  it("keep what was changed, and ask no more about what was let pass", async () => {
    const journal = new MemoryJournal();
    let asked = 0;
    const mark = guardrail("mark", "input", () => {
      asked += 1;
      return { allow: true, value: "changed" };
    });
    const first = await opened({ journal, guardrails: [mark] });
    await first.submit({ id: "a", input: "original" });
    for await (const { type } of first.events({ follow: true })) if (type === "input.accepted") break;
    await first.snapshot();
    await first.close();
    const second = await opened({ journal, guardrails: [mark] });
    second.register(echo);
    expect(await (await second.task("a")).result()).toBe("changed");
    expect(asked).toBe(1);
  });

  it("look at what was submitted without them before anybody is given it, and let go when there are none any more", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    await first.submit({ id: "a", input: "bad" });
    await first.close();
    const second = await opened({ journal, guardrails: [guardrail("never", "input", () => gate<Verdict>().promise)] });
    second.register(echo);
    expect(await second.explain("a")).toMatchObject({ reasons: [{ code: "approval" }] });
    await second.close();
    const third = await opened({ journal });
    third.register(echo);
    expect(await (await third.task("a")).result()).toBe("bad");
  });
});

describe("guardrails on outputs", () => {
  it("let pass, change, and block what agents give: a blocked one fails its task and is not tried again", async () => {
    let runs = 0;
    const coordinator = await opened({
      guardrails: [
        blocks("no-bad", "output", (value) => value === "bad"),
        guardrail("louder", "output", ({ value, agent }) => ({ allow: true, value: `${value}! (${agent})` })),
      ],
    });
    coordinator.register(
      defineAgent({
        name: "worker",
        run: (task) => {
          runs += 1;
          return task.input;
        },
      }),
    );
    const [bad, good] = await coordinator.submit([
      { id: "bad", input: "bad" },
      { id: "good", input: "good" },
    ]);
    expect(await good?.result()).toBe("good! (worker)");
    expect(await rejection(bad?.result() ?? Promise.resolve())).toMatchObject({
      code: "GUARDRAIL_BLOCKED",
      retryable: false,
    });
    expect(await bad?.outcome()).toMatchObject({
      status: "failed",
      attempts: [{ end: "failed", error: { code: "GUARDRAIL_BLOCKED" } }],
    });
    expect(runs).toBe(2);
    expect(await historyOf(coordinator, "bad")).toEqual([
      "task.submitted",
      "task.started",
      "guardrail.judged",
      "attempt.ended",
      "task.failed",
    ]);
    expect(
      JSON.stringify((await eventsOf(coordinator)).filter((event) => event.type !== "task.submitted")),
    ).not.toContain('"bad"}');
  });

  it("look at what managers make of their subtasks' outputs", async () => {
    const coordinator = await opened({ guardrails: [blocks("no-lists", "output", Array.isArray)] });
    await coordinator.register(echo);
    await coordinator.register(
      defineManager({
        name: "boss",
        skills: ["lead"],
        team: ["echo"],
        plan: () => [{ input: 1 }],
        aggregate: (_, outcomes) => outcomes.map(({ output = null }) => output),
      }),
    );
    const handle = await coordinator.submit({ skills: ["lead"] });
    expect(await rejection(handle.result())).toMatchObject({ code: "GUARDRAIL_BLOCKED" });
  });

  it("look at each output of a batch by itself, and at those of a fallback's agents", async () => {
    const coordinator = await opened({ guardrails: [blocks("no-bad", "output", (value) => value === "bad")] });
    await coordinator.register(
      defineAgent({
        name: "batcher",
        skills: ["batch"],
        maxBatch: 2,
        runBatch: async (tasks) => tasks.map(({ input }) => ({ output: input })),
      }),
    );
    await coordinator.register(
      defineAgent({
        name: "broken",
        skills: ["fragile"],
        run: () => {
          throw new Error("broken");
        },
      }),
    );
    await coordinator.register(echo);
    const batched = { skills: ["batch"], batchKey: "k" };
    const handles = await coordinator.submit([
      { ...batched, input: "good" },
      { ...batched, input: "bad" },
      { skills: ["fragile"], input: "bad", retry: { maxAttempts: 1 }, fallback: { agent: "echo" } },
    ]);
    const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
    expect(outcomes.map(({ status, error }) => error?.code ?? status)).toEqual([
      "completed",
      "GUARDRAIL_BLOCKED",
      "GUARDRAIL_BLOCKED",
    ]);
    expect((await eventsOf(coordinator)).filter(({ batch }) => batch !== undefined)).toHaveLength(2);
  });

  it("leave the attempt running meanwhile, so that it can be stopped and its verdict comes too late", async () => {
    const answer = gate<Verdict>();
    const asked = gate();
    const slow = guardrail("slow", "output", () => {
      asked.resolve();
      return answer.promise;
    });
    const coordinator = await opened({ guardrails: [slow] });
    coordinator.register(echo);
    const handle = await coordinator.submit({ id: "a", input: 1, graceMs: 0 });
    await asked.promise;
    expect(await handle.status()).toBe("running");
    await handle.cancel();
    expect(await handle.outcome()).toMatchObject({ status: "cancelled" });
    answer.resolve({ allow: true });
    await coordinator.idle();
    expect(await verdicts(coordinator)).toEqual([]);
  });

  describe("whose verdict is not wanted any more", () => {
    /** `a` has returned, and waits for a verdict that does not come before `late`; its grace is long. */
    async function waiting(options: Partial<CoordinatorOptions> = {}, task: Partial<TaskSpec> = {}) {
      const asked = gate();
      const late = gate<Verdict>();
      let more = 0;
      const silent = guardrail("silent", "output", () => {
        asked.resolve();
        return late.promise;
      });
      const next = guardrail("next", "output", () => {
        more += 1;
        return { allow: true };
      });
      const warnings: string[] = [];
      const logger = { ...quiet, warn: (_: object, message = "") => warnings.push(message) };
      const coordinator = await opened({ concurrency: 1, guardrails: [silent, next], logger, ...options });
      await coordinator.register(echo);
      const handle = await coordinator.submit({
        id: "a",
        input: 1,
        graceMs: 60_000,
        retry: { maxAttempts: 1 },
        ...task,
      });
      await asked.promise;
      return { coordinator, handle, warnings, late, asked: () => more };
    }

    it("end at once as cancelled, and nobody else is asked", async () => {
      const { coordinator, handle, warnings, late, asked } = await waiting();
      await handle.cancel();
      expect(await handle.outcome()).toMatchObject({ status: "cancelled", attempts: [{ end: "cancelled" }] });
      late.resolve({ allow: true });
      await coordinator.idle();
      expect([warnings, asked()]).toEqual([[], 0]);
    });

    it("end at once as preempted, and are done again", async () => {
      const { coordinator, handle, warnings } = await waiting({}, { priority: 1 });
      const high = await coordinator.submit({ id: "high", priority: 9 });
      for await (const event of coordinator.events({ follow: true })) {
        if (event.type !== "attempt.ended") continue;
        expect(event).toMatchObject({ taskId: "a", end: "preempted" });
        break;
      }
      expect(await handle.status()).toBe("paused");
      await Promise.all([handle.cancel(), high.cancel()]);
      expect(warnings).toEqual([]);
    });

    it("end at once as timed out", async () => {
      const { handle, warnings } = await waiting({}, { timeoutMs: 20 });
      expect(await handle.outcome()).toMatchObject({ status: "failed", attempts: [{ end: "timeout" }] });
      expect(warnings).toEqual([]);
    });
  });
});

describe("guardrails on actions", () => {
  const agent = (act: (ctx: Parameters<NonNullable<Parameters<typeof defineAgent>[0]["run"]>>[1]) => Promise<Json>) =>
    defineAgent({ name: "actor", run: (_, ctx) => act(ctx) });

  it("without any an action is taken at once, and nothing is journaled", async () => {
    const coordinator = await opened();
    coordinator.register(agent((ctx) => ctx.act("add", { a: 1 }, async (args) => [args, 2])));
    expect(await (await coordinator.submit({ id: "a" })).result()).toEqual([{ a: 1 }, 2]);
    expect(await historyOf(coordinator, "a")).toEqual(["task.submitted", "task.started", "task.completed"]);
  });

  it("are asked before it is taken, and their verdicts are durable by then", async () => {
    const coordinator = await opened({
      guardrails: [
        guardrail("look", "action", ({ action, agent: name, value, task }) => ({
          allow: true,
          value: [action ?? "", name ?? "", value, task.id],
        })),
      ],
    });
    let before: string[] = [];
    coordinator.register(
      agent((ctx) =>
        ctx.act("fetch", { url: "x" }, async (args) => {
          before = await verdicts(coordinator);
          return args;
        }),
      ),
    );
    expect(await (await coordinator.submit({ id: "a" })).result()).toEqual(["fetch", "actor", { url: "x" }, "a"]);
    expect(before).toEqual(["look change action of a"]);
  });

  it("do not let it be taken as long as their verdicts are not durable", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal, guardrails: [allows("look", "action")] });
    const durable = gate();
    const order: string[] = [];
    await coordinator.register(
      agent(async (ctx) => {
        journal.slow = durable.promise;
        const acting = ctx.act("fetch", null, async () => order.push("taken"));
        // Asked after it, and told without the journal: by then the action would have been taken.
        await new Promise((resolve) => setImmediate(resolve));
        order.push("durable");
        journal.slow = undefined;
        durable.resolve();
        await acting;
        return null;
      }),
    );
    await (await coordinator.submit({ id: "a" })).result();
    expect(order).toEqual(["durable", "taken"]);
  });

  it("block an action, which is never called; the agent may catch that, and its task fails with it otherwise", async () => {
    let calls = 0;
    const coordinator = await opened({ guardrails: [blocks("no-bad", "action", (value) => value === "bad")] });
    const act = (ctx: { act(name: string, args: Json, action: () => Promise<number>): Promise<number> }) =>
      ctx.act("do", "bad", async () => ++calls);
    coordinator.register(defineAgent({ name: "careful", run: (_, ctx) => act(ctx).catch((error) => error.code) }));
    coordinator.register(defineAgent({ name: "careless", run: (_, ctx) => act(ctx) }));
    expect(await (await coordinator.submit({ agent: "careful" })).result()).toBe("GUARDRAIL_BLOCKED");
    const outcome = await (await coordinator.submit({ agent: "careless" })).outcome();
    expect(outcome).toMatchObject({
      error: { code: "TASK_FAILED", cause: { code: "GUARDRAIL_BLOCKED" } },
      attempts: [{ error: { code: "GUARDRAIL_BLOCKED" } }],
    });
    expect(calls).toBe(0);
    expect(await verdicts(coordinator)).toHaveLength(2);
  });

  it("may not change the arguments of an action that takes none", async () => {
    const coordinator = await opened({
      guardrails: [guardrail("other", "action", () => ({ allow: true, value: "other" }))],
    });
    let calls = 0;
    coordinator.register(agent((ctx) => ctx.act("do", "this", async () => ++calls)));
    const outcome = await (await coordinator.submit({ id: "a" })).outcome();
    expect(outcome.attempts[0]?.error?.message).toContain("it changed the arguments, and the action takes none");
    expect(calls).toBe(0);
    expect(await verdicts(coordinator)).toEqual(["other block action of a"]);
  });

  it.each([
    ["with guardrails", [allows("look", "action")]],
    ["without any", []],
  ])("an attempt that is over takes none, %s", async (_, guardrails) => {
    const coordinator = await opened({ guardrails });
    let calls = 0;
    const late = gate<() => Promise<number>>();
    await coordinator.register(
      agent(async (ctx) => {
        late.resolve(() => ctx.act("do", null, async () => ++calls));
        return null;
      }),
    );
    await (await coordinator.submit({ id: "a" })).result();
    const act = await late.promise;
    expect(await rejection(act())).toMatchObject({ code: "FENCED" });
    expect(calls).toBe(0);
    expect(await verdicts(coordinator)).toEqual([]);
  });

  it("one attempt takes at most 10 000", { timeout: 60_000 }, async () => {
    const coordinator = await opened({ guardrails: [allows("look", "action")] });
    await coordinator.register(
      agent(async (ctx) => {
        const acts = Array.from({ length: 10_001 }, () => ctx.act("do", null, async () => 1));
        const settled = await Promise.allSettled(acts);
        const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason.message] : []));
        return [settled.length - refused.length, ...refused];
      }),
    );
    const handle = await coordinator.submit({ id: "a" });
    expect(await handle.result()).toEqual([10_000, "an attempt takes at most 10000 actions that guardrails look at"]);
  });

  it("do not let an attempt act that was told to stop while they were asked", async () => {
    const answer = gate<Verdict>();
    const asked = gate();
    const tried = gate<unknown>();
    let calls = 0;
    const coordinator = await opened({
      guardrails: [
        guardrail("slow", "action", () => {
          asked.resolve();
          return answer.promise;
        }),
      ],
    });
    coordinator.register(
      agent(async (ctx) => {
        tried.resolve(await rejection(ctx.act("do", null, async () => ++calls)));
        return null;
      }),
    );
    const handle = await coordinator.submit({ id: "a" });
    await asked.promise;
    await handle.cancel();
    answer.resolve({ allow: true });
    expect(await tried.promise).toMatchObject({ code: "CANCELLED" });
    expect(calls).toBe(0);
  });
});
