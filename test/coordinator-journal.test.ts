import { describe, expect, it } from "vitest";
import { defineAgent } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { aborted, eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

describe("a journal that fails", () => {
  it("stops the coordinator: what is on its way is unknown, what comes after is refused, and code is told to stop", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const entered = gate();
    const stopped = gate<unknown>();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal }) => {
          entered.resolve();
          stopped.resolve(await aborted(signal));
        },
      }),
    );
    const running = (await coordinator.submit({})).result();
    const follower = (async () => {
      for await (const _ of coordinator.events({ follow: true }));
    })();
    await entered.promise;
    journal.fail();
    const unknown = { code: "JOURNAL_FAILED", details: { outcome: "unknown" }, cause: { message: "the disk is gone" } };
    expect(await rejection(coordinator.submit({}))).toMatchObject(unknown);
    expect(await rejection(running)).toMatchObject(unknown);
    expect(await stopped.promise).toMatchObject(unknown);
    expect(await rejection(follower)).toMatchObject(unknown);
    const after = { code: "JOURNAL_FAILED", details: { outcome: "not-written" } };
    expect(await rejection(coordinator.submit({}))).toMatchObject(after);
    expect(await rejection(coordinator.idle())).toMatchObject({ code: "JOURNAL_FAILED" });
    expect(await rejection(coordinator.tasks())).toMatchObject({ code: "JOURNAL_FAILED" });
    await coordinator.close();
    expect(await rejection(coordinator.tasks())).toMatchObject({ code: "CLOSED" });
  });

  it("tells nobody what is not durable, and fails all that was decided on it", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const held = gate();
    journal.slow = held.promise;
    const calls: Promise<unknown>[] = [coordinator.submit({ id: "a" })];
    await new Promise((resolve) => setImmediate(resolve));
    calls.push(coordinator.submit({ id: "b" }), coordinator.tasks(), coordinator.explain("a"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    journal.fail();
    held.resolve();
    for (const call of calls) expect(await rejection(call)).toMatchObject({ code: "JOURNAL_FAILED" });
  });

  it("is waited for by idle: what has ended, but not durably, has not", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const entered = gate();
    const leave = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async () => {
          entered.resolve();
          await leave.promise;
        },
      }),
    );
    await coordinator.submit({});
    await entered.promise;
    const idle = coordinator.idle();
    const held = gate();
    journal.slow = held.promise;
    leave.resolve();
    const early = Promise.race([idle.then(() => "idle"), new Promise((resolve) => setTimeout(resolve, 20, "waiting"))]);
    expect(await early).toBe("waiting");
    held.resolve();
    await idle;
    expect((await coordinator.stats()).tasks.completed).toBe(1);
  });

  it("cannot be opened twice", async () => {
    const journal = new MemoryJournal();
    await opened({ journal });
    await expect(opened({ journal })).rejects.toMatchObject({ code: "JOURNAL_LOCKED" });
  });

  it("is given back when opening is refused", async () => {
    const journal = new MemoryJournal();
    const wrong = { type: "gas", capacity: 1 } as never;
    await expect(opened({ journal, resources: { r: wrong } })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(opened({ journal, concurrency: 0 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await opened({ journal });
  });
});

describe("batches", () => {
  it("gather while the journal writes", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => coordinator.submit({ id: `t${n}`, skills: ["none"] })));
    const records: number[] = [];
    for await (const record of journal.read(1)) records.push(record.count);
    expect(records.length).toBeLessThan(12);
    expect(Math.max(...records)).toBeLessThanOrEqual(256);
    expect((await eventsOf(coordinator)).length).toBe(2_001);
  });

  it("hold a long list alone, and short ones together", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const list = (length: number) => coordinator.submit(Array.from({ length }, () => ({ skills: ["none"] })));
    await Promise.all([list(100), list(100), list(100), list(600), list(10), list(10)]);
    const records: number[] = [];
    for await (const record of journal.read(2)) records.push(record.count);
    expect(records).toEqual([200, 100, 600, 20]);
  });

  it("stay small in bytes when payloads are large", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const input = "x".repeat(100_000);
    await Promise.all(Array.from({ length: 20 }, () => coordinator.submit({ input, skills: ["none"] })));
    for await (const record of journal.read(1)) expect(record.bytes.byteLength).toBeLessThan(300_000);
  });
});
