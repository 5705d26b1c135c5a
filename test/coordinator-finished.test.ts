/** Tasks that have ended and left memory, as those who use a coordinator see them; compaction and backups. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Coordinator, type CoordinatorOptions, defineAgent, defineManager, type Json } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "safeguards-finished-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const echo = defineAgent({
  name: "echo",
  capacity: 100,
  run: ({ input }, { dependencies }) => {
    if (input === "bad") throw new RangeError("boom");
    return { input, dependencies };
  },
});

/** Keeps nothing that has ended. */
async function forgetful(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const coordinator = await opened({ keepFinished: { count: 0 }, ...options });
  await coordinator.register(echo);
  return coordinator;
}

async function done(coordinator: Coordinator, id: string, input: Json = id): Promise<void> {
  const handle = await coordinator.submit({ id, input, retry: { maxAttempts: 1 } });
  await handle.outcome();
}

describe("a task that has left memory", () => {
  it("tells its result, outcome, status and explanation, also after a restart", async () => {
    const journal = `sqlite:${join(folder(), "j.db")}`;
    const first = await forgetful({ journal });
    const [good, bad] = await first.submit([
      { id: "good", name: "one", input: 1 },
      { id: "bad", input: "bad", retry: { maxAttempts: 1 } },
    ]);
    const told = [await good?.outcome(), await bad?.outcome()];
    expect(told[0]).toMatchObject({
      taskId: "good",
      name: "one",
      status: "completed",
      output: { input: 1 },
      agent: "echo",
    });
    expect(told[0]?.attempts).toMatchObject([{ number: 1, agent: "echo", end: "completed" }]);
    expect(await first.tasks()).toEqual([]);
    expect((await first.stats()).tasks).toMatchObject({ completed: 1, failed: 1 });
    expect(await (await first.task("good")).outcome()).toEqual(told[0]);
    await first.close();

    const second = await forgetful({ journal });
    const again = await second.task("good");
    expect(await again.result()).toEqual({ input: 1, dependencies: {} });
    expect(await again.outcome()).toEqual(told[0]);
    expect(await again.status()).toBe("completed");
    expect(await again.explain()).toMatchObject({ verdict: "ended", text: "completed by echo in attempt 1" });
    expect(await rejection((await second.task("bad")).result())).toMatchObject({
      code: "TASK_FAILED",
      cause: { name: "RangeError", message: "boom" },
    });
    expect((await second.stats()).tasks).toMatchObject({ completed: 1, failed: 1 });
    expect(await rejection(second.task("never"))).toMatchObject({ code: "UNKNOWN_TASK" });
    expect(await rejection(second.explain("never"))).toMatchObject({ code: "UNKNOWN_TASK" });
  });

  it("is the same task when it is submitted again, and no other is submitted under its id", async () => {
    const coordinator = await forgetful();
    await done(coordinator, "a", 1);
    const again = await coordinator.submit({ id: "a", input: 1, retry: { maxAttempts: 1 } });
    expect(await again.result()).toEqual({ input: 1, dependencies: {} });
    expect((await eventsOf(coordinator)).filter(({ type }) => type === "task.submitted")).toHaveLength(1);
    expect(await rejection(coordinator.submit({ id: "a", input: 2 }))).toMatchObject({ code: "DUPLICATE_ID" });
  });

  it("gives its output to those that depend on it, and skips them where it failed", async () => {
    const coordinator = await forgetful();
    await done(coordinator, "a", 1);
    await done(coordinator, "b", "bad");
    const [good, bad, anyway] = await coordinator.submit([
      { input: "x", dependsOn: ["a"] },
      { input: "y", dependsOn: ["a", "b"] },
      { input: "z", dependsOn: ["b"], onDependencyFailure: "run" },
    ]);
    expect(await good?.result()).toMatchObject({ dependencies: { a: { input: 1 } } });
    expect(await rejection(bad?.result() ?? Promise.resolve())).toMatchObject({ code: "DEPENDENCY_FAILED" });
    expect(await anyway?.result()).toEqual({ input: "z", dependencies: {} });
  });

  it("gives its output also where it leaves only after who depends on it has begun", async () => {
    const coordinator = await opened({ keepFinished: { count: 0 } });
    const held = gate();
    const entered = gate();
    await coordinator.register(echo);
    const slow = defineAgent({
      name: "slow",
      run: async (_, context) => {
        entered.resolve();
        await held.promise;
        return context.dependencies;
      },
    });
    const lead = defineManager({
      name: "lead",
      team: ["echo"],
      plan: () => [{ id: "part", input: 7, agent: "echo" }],
      aggregate: async () => {
        await entered.promise;
        return null;
      },
    });
    for (const agent of [slow, lead]) await coordinator.register(agent);
    const tree = await coordinator.submit({ id: "tree", agent: "lead" });
    await coordinator.submit({ id: "probe", agent: "echo", dependsOn: [] });
    for (;;) {
      const known = await coordinator.tasks({ parentId: "tree" });
      if (known.some(({ status }) => status === "completed")) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const after = await coordinator.submit({ agent: "slow", dependsOn: ["tree/part"] });
    await tree.outcome();
    expect((await coordinator.tasks()).map(({ id }) => id)).toEqual([after.id]);
    expect((await coordinator.tasks({ parentId: "tree" })).map(({ id }) => id)).toEqual(["tree/part"]);
    held.resolve();
    expect(await after.result()).toEqual({ "tree/part": { input: 7, dependencies: {} } });
  });

  it("is known to calls in the order in which they are made", async () => {
    const coordinator = await forgetful({ journal: `sqlite:${join(folder(), "j.db")}` });
    await done(coordinator, "a");
    const calls = [
      coordinator.submit({ id: "b", dependsOn: ["a"] }),
      coordinator.submit({ id: "c", dependsOn: ["b"] }),
      coordinator.tasks(),
      coordinator.submit({ id: "d", dependsOn: ["c", "a"] }),
    ] as const;
    const [, , listed, last] = await Promise.all(calls);
    expect(listed.map(({ id }) => id)).toEqual(["b", "c"]);
    expect(await last.result()).toMatchObject({ dependencies: { a: {}, c: {} } });
  });

  it("is not changed any more", async () => {
    const coordinator = await forgetful();
    await done(coordinator, "a", "bad");
    const handle = await coordinator.task("a");
    for (const call of [handle.cancel(), handle.pause(), handle.resume(), handle.prioritize(1), handle.retry()])
      expect(await rejection(call)).toMatchObject({
        code: "INVALID_STATE",
        details: { taskId: "a", status: "failed" },
      });
  });

  it("is a place in the list still", async () => {
    const coordinator = await opened({ keepFinished: { count: 1 } });
    await coordinator.register(echo);
    for (const id of ["a", "b", "c"]) await done(coordinator, id);
    await coordinator.submit({ id: "d", skills: ["none"] });
    expect((await coordinator.tasks({ after: "a" })).map(({ id }) => id)).toEqual(["c", "d"]);
    expect((await coordinator.tasks({ after: "c" })).map(({ id }) => id)).toEqual(["d"]);
    expect(await rejection(coordinator.tasks({ after: "never" }))).toMatchObject({ code: "UNKNOWN_TASK" });
  });

  it("is not lost when it ends with the opening that finds its process dead", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal, keepFinished: { count: 0 } });
    const entered = gate();
    await coordinator.register(
      defineAgent({
        name: "stuck",
        run: () => {
          entered.resolve();
          return new Promise<never>(() => undefined);
        },
      }),
    );
    await coordinator.submit({ id: "a", retry: { maxAttempts: 1 } });
    await entered.promise;
    const left = await journal.die();
    const next = await opened({ journal: left, keepFinished: { count: 0 } });
    expect(await (await next.task("a")).outcome()).toMatchObject({ status: "failed" });
    expect(await next.tasks()).toEqual([]);
  });

  it("that cannot be read fails the plan that names it, and not the manager's whole life", async () => {
    const journal = new MortalJournal();
    const coordinator = await forgetful({ journal });
    await done(coordinator, "a");
    const lead = defineManager({ name: "lead", team: ["echo"], plan: () => [{ dependsOn: ["a"] }] });
    await coordinator.register(lead);
    journal.damaged = true;
    const handle = await coordinator.submit({ agent: "lead", retry: { maxAttempts: 1 } });
    expect(await rejection(handle.result())).toMatchObject({ code: "TASK_FAILED", cause: { code: "JOURNAL_CORRUPT" } });
  });

  it("lists nothing after it that is not durable", async () => {
    const journal = new MortalJournal();
    const coordinator = await forgetful({ journal });
    await done(coordinator, "a");
    const slow = gate();
    const listing = coordinator.tasks({ after: "a" });
    journal.slow = slow.promise;
    const submitted = coordinator.submit({ id: "b", skills: ["none"] });
    let told = false;
    const listed = listing.finally(() => (told = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (told) expect(await listed).toEqual([]);
    slow.resolve();
    await submitted;
    await listed;
  });

  it("is told only when that it ended is durable", async () => {
    const journal = new MortalJournal();
    const coordinator = await forgetful({ journal });
    const handle = await coordinator.submit({ id: "a", input: 1 });
    await handle.result();
    const slow = gate();
    journal.slow = slow.promise;
    const second = coordinator.submit({ id: "b", input: 2 });
    let told = false;
    const result = second.then((submitted) => submitted.result()).finally(() => (told = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toBe(false);
    slow.resolve();
    expect(await result).toMatchObject({ input: 2 });
  });
});

it("whatever is kept, the same calls have the same outcomes", { timeout: 60_000 }, async () => {
  const task = fc.record({ bad: fc.integer({ min: 0, max: 9 }), on: fc.array(fc.nat(20), { maxLength: 3 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { minLength: 1, maxLength: 25 }),
      fc.nat(3),
      fc.nat(4),
      async (tasks, count, pause) => {
        const run = async (options: CoordinatorOptions): Promise<unknown> => {
          const coordinator = await opened(options);
          await coordinator.register(echo);
          const handles = [];
          for (const [i, { bad, on }] of tasks.entries()) {
            const dependsOn = [...new Set(on.filter((other) => other < i).map((other) => `t-${other}`))];
            const input = bad === 0 ? "bad" : i;
            const spec = { id: `t-${i}`, input, dependsOn, retry: { maxAttempts: 1 } };
            const call = coordinator.submit(spec);
            handles.push(call);
            if (i % (pause + 1) === 0) await (await call).outcome();
          }
          const outcomes = await Promise.all(handles.map(async (handle) => (await handle).outcome()));
          await coordinator.close();
          return outcomes.map(({ taskId, status, output, error }) => [taskId, status, output, error?.message]);
        };
        expect(await run({ keepFinished: { count } })).toEqual(await run({}));
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});

describe("compaction", () => {
  it("drops events that snapshots stand for, and loses nothing else", async () => {
    const journal = `sqlite:${join(folder(), "j.db")}`;
    const first = await forgetful({ journal });
    for (let i = 0; i < 30; i++) await done(first, `a${i}`, i);
    const waiting = await first.submit({ id: "waiting", skills: ["later"] });
    expect(await rejection(first.compact(0))).toMatchObject({ code: "INVALID_ARGUMENT" });
    const { floor } = await first.compact();
    expect(floor).toBeGreaterThan(90);
    expect(await rejection(eventsOf(first))).toMatchObject({ code: "SEQ_COMPACTED", details: { fromSeq: 1, floor } });
    const seqs = [];
    for await (const { seq } of first.events({ from: floor })) seqs.push(seq);
    expect(seqs[0]).toBe(floor);
    await first.close();

    const second = await forgetful({ journal });
    expect(await (await second.task("a7")).result()).toEqual({ input: 7, dependencies: {} });
    expect(await (await second.task("waiting")).status()).toBe("pending");
    await second.register(defineAgent({ name: "late", skills: ["later"], run: () => "at last" }));
    expect(await (await second.task(waiting.id)).result()).toBe("at last");
  });

  it("goes no further than asked", async () => {
    const coordinator = await forgetful();
    for (let i = 0; i < 9; i++) await done(coordinator, `a${i}`, i);
    const { floor } = await coordinator.compact(10);
    expect(floor).toBeGreaterThan(1);
    expect(floor).toBeLessThanOrEqual(10);
  });
});

describe("a backup", () => {
  it("made while work goes on can be opened, and goes on from there", async () => {
    const place = folder();
    const coordinator = await opened({ journal: `sqlite:${join(place, "j.db")}`, keepFinished: { count: 5 } });
    await coordinator.register(echo);
    for (let i = 0; i < 200; i++) await done(coordinator, `a${i}`, i);
    const target = join(place, "copy.db");
    let copied = false;
    const backup = coordinator.backup(target).finally(() => (copied = true));
    for (let i = 200; !copied; i++) await done(coordinator, `a${i}`, i);
    await backup;
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(await rejection(coordinator.backup(target))).toMatchObject({ code: "INVALID_ARGUMENT" });
    await coordinator.close();

    const restored = await opened({ journal: `sqlite:${target}` });
    await restored.register(echo);
    expect(await (await restored.task("a3")).result()).toEqual({ input: 3, dependencies: {} });
    expect(await (await restored.task("a199")).result()).toEqual({ input: 199, dependencies: {} });
    const { completed } = (await restored.stats()).tasks;
    expect(completed).toBeGreaterThanOrEqual(200);
    await done(restored, "new");
    expect((await restored.stats()).tasks.completed).toBe(completed + 1);
  });

  it("of a journal in memory is refused", async () => {
    const coordinator = await forgetful({ journal: new MemoryJournal() });
    expect(await rejection(coordinator.backup(join(folder(), "copy.db")))).toMatchObject({ code: "INVALID_STATE" });
    expect(await rejection(coordinator.backup(""))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("and compaction are there for those who have joined, too", async () => {
    const place = folder();
    const journal = `sqlite:${join(place, "j.db")}`;
    const writer = await forgetful({ journal });
    await done(writer, "a");
    const joined = await opened({ journal, join: true });
    expect(await (await joined.task("a")).result()).toMatchObject({ input: "a" });
    await joined.backup(join(place, "copy.db"));
    expect((await joined.compact()).floor).toBeGreaterThan(1);
    expect(await rejection(eventsOf(joined))).toMatchObject({ code: "SEQ_COMPACTED" });
    expect(await rejection(joined.compact(1.5))).toMatchObject({ code: "INVALID_ARGUMENT" });
    const restored = await opened({ journal: `sqlite:${join(place, "copy.db")}` });
    expect(await (await restored.task("a")).status()).toBe("completed");
  });
});
