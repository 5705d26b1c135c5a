import { describe, expect, it } from "vitest";
import { Coordinator, defineAgent, defineManager, type Json } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { aborted, eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

describe("opening the same journal again", () => {
  it("knows what has ended, and does nothing of it again", async () => {
    const journal = new MemoryJournal();
    let runs = 0;
    const worker = defineAgent({
      name: "worker",
      capacity: 10,
      run: (task) => {
        runs += 1;
        if (task.id === "bad") throw Object.assign(new TypeError("boom"), { retryable: false });
        return { of: task.id };
      },
    });
    const first = await opened({ journal });
    await first.register(worker);
    await first.submit([{ id: "good" }, { id: "bad" }, { id: "after", dependsOn: ["bad"] }]);
    await first.idle();
    await first.close();
    const second = await opened({ journal });
    await second.register(worker);
    await second.idle();
    expect(runs).toBe(2);
    expect(await (await second.task("good")).result()).toEqual({ of: "good" });
    expect(await rejection((await second.task("bad")).result())).toMatchObject({
      code: "TASK_FAILED",
      cause: { name: "TypeError", message: "boom" },
    });
    expect(await rejection((await second.task("after")).result())).toMatchObject({ code: "DEPENDENCY_FAILED" });
  });

  it("goes on with what was closed in its midst, from its checkpoint, without counting it as failed", async () => {
    const journal = new MemoryJournal();
    const entered = gate();
    const seen: { key: string; resumeFrom: Json | undefined }[] = [];
    const worker = defineAgent({
      name: "worker",
      run: async (_, { signal, checkpoint, resumeFrom, idempotencyKey: key }) => {
        seen.push({ key, resumeFrom });
        if (resumeFrom !== undefined) return "done";
        await checkpoint({ page: 2 });
        entered.resolve();
        throw await aborted(signal);
      },
    });
    const first = await opened({ journal });
    await first.register(worker);
    const waiting = (await first.submit({ id: "x", retry: { maxAttempts: 1 } })).result();
    await first.submit({ id: "y", dependsOn: ["x"], skills: ["none"] });
    await entered.promise;
    await first.close();
    expect(await rejection(waiting)).toMatchObject({ code: "CLOSED" });
    const second = await opened({ journal });
    await second.register(worker);
    expect(await (await second.task("x")).result()).toBe("done");
    expect(seen).toEqual([
      { key: "x", resumeFrom: undefined },
      { key: "x", resumeFrom: { page: 2 } },
    ]);
    expect((await (await second.task("x")).outcome()).attempts.map(({ end }) => end)).toEqual([
      "preempted",
      "completed",
    ]);
  });

  it("counts what completes while it closes", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    const entered = gate();
    await first.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal }) => {
          entered.resolve();
          await aborted(signal);
          return "just in time";
        },
      }),
    );
    await first.submit({ id: "x" });
    await entered.promise;
    await first.close();
    expect(await (await (await opened({ journal })).task("x")).result()).toBe("just in time");
  });

  it("repeats an attempt that its process died with", async () => {
    const journal = new MortalJournal();
    const entered = gate();
    const first = await opened({ journal });
    await first.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal }) => {
          entered.resolve();
          throw await aborted(signal);
        },
      }),
    );
    await first.submit({ id: "x", retry: { initialMs: 1 } });
    await entered.promise;
    const second = await opened({ journal: await journal.die() });
    await second.register(defineAgent({ name: "worker", run: (_, { attempt }) => attempt }));
    expect(await (await second.task("x")).outcome()).toMatchObject({
      output: 2,
      attempts: [{ end: "lost" }, { end: "completed" }],
    });
  });

  it("goes on with managers where they stood: nothing that was done is done again", async () => {
    const journal = new MortalJournal();
    const done: string[] = [];
    const stuck = gate();
    const team = (hold: boolean) => [
      defineAgent({
        name: "worker",
        skills: ["work"],
        capacity: 10,
        run: async (task, { signal }) => {
          if (hold && task.input === 2) {
            stuck.resolve();
            throw await aborted(signal);
          }
          done.push(task.id);
          return { n: task.input };
        },
      }),
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: () => {
          done.push("plan");
          return [{ input: 1 }, { input: 2, retry: { initialMs: 1 } }, { input: 3, dependsOn: ["1"] }];
        },
      }),
    ];
    const first = await opened({ journal });
    for (const agent of team(true)) await first.register(agent);
    await first.submit({ id: "m", skills: ["lead"] });
    await (await first.task("m/0")).result();
    await stuck.promise;
    const second = await opened({ journal: await journal.die() });
    for (const agent of team(false)) await second.register(agent);
    expect(await (await second.task("m")).result()).toEqual({ n: [1, 2, 3] });
    expect(done).toEqual(["plan", "m/0", "m/1", "m/2"]);
  });

  it("keeps a task for an agent whose code is not here yet", async () => {
    const journal = new MemoryJournal();
    const first = await opened({ journal });
    await first.register(defineAgent({ name: "worker", run: () => "first" }));
    await first.unregister("worker");
    const { id } = await first.submit({ agent: "worker" });
    await first.close();
    const second = await opened({ journal });
    await second.idle();
    expect((await second.explain(id)).reasons).toMatchObject([{ code: "offline" }]);
    await second.register(defineAgent({ name: "worker", run: () => "second" }));
    expect(await (await second.task(id)).result()).toBe("second");
  });

  it("goes on from a snapshot and what came after it", async () => {
    const journal = new MemoryJournal();
    const worker = defineAgent({
      name: "worker",
      capacity: 100,
      run: (task) => ({ text: "ü".repeat(500), of: task.id }),
    });
    const first = await opened({ journal });
    await first.register(worker);
    const before = await first.submit(Array.from({ length: 600 }, (_, n) => ({ id: `b${n}` })));
    await Promise.all(before.map((handle) => handle.result()));
    // Larger than a chunk, and cut in the midst of characters.
    for (const start of ["a", "aa", "aaa"])
      await first.submit({ input: start + "€".repeat(300_000), skills: ["none"] });
    const { seq } = await first.snapshot();
    expect(await first.snapshot()).toEqual({ seq });
    await (await first.submit({ id: "after" })).result();
    const all = await first.tasks();
    await first.close();
    const reopened = await journal.open();
    expect(reopened.snapshot?.seq).toBe(seq);
    await journal.close();
    const second = await opened({ journal });
    expect(await second.tasks()).toEqual(all);
    await second.register(defineAgent({ name: "reader", skills: ["none"], run: (task) => task.input }));
    for (const start of ["a", "aa", "aaa"]) {
      const handle = await second.task(`t${start.length}`);
      expect((await handle.result()) === start + "€".repeat(300_000)).toBe(true);
    }
    expect(await (await second.task("b599")).result()).toEqual({ text: "ü".repeat(500), of: "b599" });
  });

  it("replays the log where the snapshot was made by another version", async () => {
    const journal = new MemoryJournal();
    const worker = defineAgent({ name: "worker", run: () => "done" });
    const first = await opened({ journal });
    await first.register(worker);
    await (await first.submit({ id: "a" })).result();
    await first.close();
    const { lastSeq: seq, lastHash: hash } = await journal.open();
    const rows = `${JSON.stringify({ row: "meta", seq, at: 1, open: false })}\n`;
    await journal.writeSnapshot({ seq, hash, chunks: [new TextEncoder().encode(rows)] });
    await journal.close();
    const second = await opened({ journal });
    expect(await (await second.task("a")).result()).toBe("done");
  });

  it("takes a snapshot while calls go on", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "worker", capacity: 100, run: () => null }));
    const handles = await coordinator.submit(Array.from({ length: 500 }, () => ({})));
    const snapshots = [coordinator.snapshot(), coordinator.snapshot()];
    await coordinator.submit({});
    await Promise.all([...snapshots, ...handles.map((handle) => handle.result())]);
    await coordinator.idle();
    expect((await coordinator.stats()).tasks.completed).toBe(501);
  });
});

describe("drain", () => {
  it("starts nothing more, waits for what runs, and leaves the rest for the next opening", async () => {
    const journal = new MemoryJournal();
    const entered = gate();
    const hold = gate();
    const ran: string[] = [];
    const worker = defineAgent({
      name: "worker",
      run: async (task) => {
        ran.push(task.id);
        entered.resolve();
        await hold.promise;
      },
    });
    const first = await opened({ journal });
    await first.register(worker);
    await first.submit([{ id: "a" }, { id: "b" }]);
    await entered.promise;
    const drained = first.drain();
    hold.resolve();
    await drained;
    expect(ran).toEqual(["a"]);
    expect((await first.tasks()).map(({ status }) => status)).toEqual(["completed", "pending"]);
    await first.close();
    const second = await opened({ journal });
    await second.register(worker);
    await second.idle();
    expect(ran).toEqual(["a", "b"]);
  });

  it("stops what runs longer than its grace", async () => {
    const coordinator = await opened();
    const entered = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal }) => {
          entered.resolve();
          throw await aborted(signal);
        },
      }),
    );
    const handle = await coordinator.submit({});
    await entered.promise;
    await coordinator.drain({ graceMs: 10 });
    expect(await handle.status()).toBe("pending");
    await expect(coordinator.drain({ grace: 1 } as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("close", () => {
  it("can be called again, and makes everything else CLOSED", async () => {
    const coordinator = await Coordinator.open();
    const handle = await coordinator.submit({ skills: ["none"] });
    await Promise.all([coordinator.close(), coordinator.close()]);
    await coordinator.close();
    const calls = [
      coordinator.register(defineAgent({ name: "a", run: () => null })),
      coordinator.submit({}),
      coordinator.submit([]),
      coordinator.tasks(),
      coordinator.task("t1"),
      coordinator.explain("t1"),
      coordinator.decide({ question: "?", options: ["a"] }),
      coordinator.setResource("r", { type: "data", capacity: 1 }),
      coordinator.setTeam("m", []),
      coordinator.unregister("a"),
      coordinator.rebalance(),
      coordinator.stats(),
      coordinator.snapshot(),
      coordinator.idle(),
      coordinator.drain(),
      eventsOf(coordinator),
      handle.result(),
      handle.status(),
      handle.cancel(),
    ];
    const codes = await Promise.all(calls.map(async (call) => Reflect.get(Object(await rejection(call)), "code")));
    expect(new Set(codes)).toEqual(new Set(["CLOSED"]));
  });

  it("is what leaving an `await using` block does", async () => {
    const journal = new MemoryJournal();
    {
      await using coordinator = await Coordinator.open({ journal });
      await coordinator.submit({ id: "x", skills: ["none"] });
    }
    await using again = await Coordinator.open({ journal });
    expect(await (await again.task("x")).status()).toBe("pending");
  });
});
