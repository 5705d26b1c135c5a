import { describe, expect, it, onTestFinished } from "vitest";
import type { SnapshotWriter } from "../journal/journal.ts";
import { MemoryJournal } from "../journal/memory.ts";
import type { Clock } from "./clock.ts";
import { runtimeLimits } from "./limits.ts";
import { LocalBackend } from "./local-backend.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A clock that stands still until it is told how much time has passed. */
class StandingClock implements Clock {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { fn } of due) fn();
  }
}

/** Kept in memory, but long to read, as far as anybody is told. */
class LongJournal extends MemoryJournal {
  readonly taken: number[] = [];

  override readonly url: string = "long:";

  override async writeSnapshot(snapshot: SnapshotWriter): Promise<void> {
    await super.writeSnapshot(snapshot);
    this.taken.push(snapshot.seq);
  }
}

async function opened(): Promise<{ backend: LocalBackend; clock: StandingClock; journal: LongJournal }> {
  const journal = new LongJournal();
  const clock = new StandingClock();
  const backend = await LocalBackend.open({
    journal,
    logger: silent,
    settings: {},
    resources: [],
    clock: () => clock,
  });
  onTestFinished(() => backend.close());
  return { backend, clock, journal };
}

describe("a coordinator with little to do", () => {
  it("takes a snapshot after some time, of what came since the last", async () => {
    const { backend, clock, journal } = await opened();
    clock.pass(runtimeLimits.snapshotMs - 1);
    await backend.query("settled", undefined);
    expect(journal.taken).toEqual([]);
    clock.pass(1);
    expect((await backend.snapshot()).seq).toBe(1);
    expect(journal.taken).toEqual([1]);
  });

  it("takes none when nothing came since, however long that is, and another after the next event", async () => {
    const { backend, clock, journal } = await opened();
    clock.pass(runtimeLimits.snapshotMs);
    await backend.snapshot();
    clock.pass(100 * runtimeLimits.snapshotMs);
    await backend.query("settled", undefined);
    expect(journal.taken).toEqual([1]);
    await backend.command({ type: "resource.set", resource: "disk", kind: "storage", capacity: 1 });
    clock.pass(runtimeLimits.snapshotMs);
    await backend.snapshot();
    expect(journal.taken).toEqual([1, 2]);
  });
});

describe("a coordinator with much to do", () => {
  it("takes a snapshot after so many events, whatever time it is, and when it is closed after fewer", async () => {
    const { backend, journal } = await opened();
    const many = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 10_000) {
        const calls = Array.from({ length: 10_000 }, (_, i) =>
          backend.command({ type: "resource.set", resource: "disk", kind: "storage", capacity: n + i + 1 }),
        );
        await Promise.all(calls);
      }
    };
    await many(runtimeLimits.snapshotEvents - 10_000);
    expect(journal.taken).toEqual([]);
    await many(10_000);
    await backend.query("settled", undefined);
    expect(journal.taken).toHaveLength(1);
    expect(journal.taken[0]).toBeGreaterThanOrEqual(runtimeLimits.snapshotEvents);
    await many(runtimeLimits.snapshotEventsAtClose + 10_000);
    expect(journal.taken).toHaveLength(1);
    await backend.close();
    expect(journal.taken).toHaveLength(2);
  });
});
