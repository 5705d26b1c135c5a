/**
 * What every journal must do, as one suite. Whoever writes a journal runs it against theirs.
 */
import { CHAIN_START, type ChainEnd, endOf, verify } from "../journal/chain.ts";
import { seal, unseal } from "../journal/codec.ts";
import { type Journal, type JournalRecord, MAX_CHUNK_BYTES, type SnapshotReader } from "../journal/journal.ts";
import type { Departed } from "../kernel/departed.ts";
import type { KernelEvent } from "../kernel/events.ts";

/** What the suite needs of a test runner; vitest's and Jest's `test` and `expect` are such. */
export interface TestTools {
  readonly test: (name: string, run: () => Promise<void>) => void;
  readonly expect: (value: unknown) => Expectation;
}

/** What the suite asks of what `expect` gives. */
export interface Expectation {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  readonly rejects: { toMatchObject(expected: object): Promise<unknown> };
}

/**
 * Registers the suite. `makeJournal` gives a new, empty, unopened journal each time; the suite opens and closes it, and
 * opens it again where it asks what was kept.
 *
 * @example
 * ```ts
 * import { expect, test } from "vitest";
 * import { journalConformance } from "safeguards/testing";
 * declare const emptyJournal: Parameters<typeof journalConformance>[1]; // yours
 * journalConformance("my journal", emptyJournal, { test, expect });
 * ```
 */
export function journalConformance(
  name: string,
  makeJournal: () => Journal | Promise<Journal>,
  { test, expect }: TestTools,
): void {
  const holds = (what: string, run: (journal: Journal) => Promise<void>): void =>
    test(`${name}: ${what}`, async () => {
      const journal = await makeJournal();
      try {
        await run(journal);
      } finally {
        await journal.close();
      }
    });
  const reopened = async (journal: Journal): ReturnType<Journal["open"]> => {
    await journal.close();
    return journal.open();
  };

  holds("a new one is empty, and its first writer has epoch 1", async (journal) => {
    const { snapshot, records, lastSeq, lastHash, epoch, repaired } = await journal.open();
    expect({ snapshot, lastSeq, epoch, repaired }).toEqual({ lastSeq: 0, epoch: 1 });
    expect(hex(lastHash)).toBe("00".repeat(32));
    expect(await all(records)).toEqual([]);
    expect(await all(journal.read(1))).toEqual([]);
  });

  holds("records come back in the order they were appended in, as they were", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (const count of [1, 3, 2]) await script.append(count);
    expect(told(await all(journal.read(1)))).toEqual(script.told);
    const { records, lastSeq, lastHash } = await reopened(journal);
    expect(told(await all(records))).toEqual(script.told);
    expect(lastSeq).toBe(6);
    expect(hex(lastHash)).toBe(hex(script.end.lastHash));
  });

  holds("what is read is a chain of whole records, and their events are those that were sealed", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (const count of [2, 1, 4]) await script.append(count);
    let end = CHAIN_START;
    const events: KernelEvent[] = [];
    for await (const record of journal.read(1)) {
      expect(verify(record, end)).toBe(undefined);
      events.push(...unseal(record));
      end = endOf(record);
    }
    expect(events).toEqual(someEvents(1, 7));
  });

  holds("appends that do not wait for one another land in order", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await Promise.all(Array.from({ length: 200 }, () => script.append(2)));
    const { records } = await reopened(journal);
    expect(told(await all(records))).toEqual(script.told);
  });

  holds("an append for another end is refused and changes nothing", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await script.append(3);
    const fitting = (): JournalRecord => script.seal(1);
    const elsewhere = (firstSeq: number, prevHash: Uint8Array): JournalRecord =>
      seal(someEvents(firstSeq, 1), { firstSeq, epoch: 1, prevHash });
    const { lastHash } = script.end;
    for (const [record, expectedSeq] of [
      [fitting(), 0],
      [fitting(), 2],
      [fitting(), 4],
      [elsewhere(3, lastHash), 3],
      [elsewhere(5, lastHash), 3],
      [elsewhere(5, lastHash), 4],
      [elsewhere(4, new Uint8Array(32)), 3],
    ] as const) {
      await expect(journal.append(record, expectedSeq)).rejects.toMatchObject({ code: "FENCED" });
    }
    expect(told(await all(journal.read(1)))).toEqual(script.told);
    await script.append(1);
    expect((await reopened(journal)).lastSeq).toBe(4);
  });

  holds("a refused append takes nothing with it that was asked for beside it", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    const before = script.append(1);
    const refused = journal.append(seal(someEvents(9, 1), { firstSeq: 9, epoch: 1, prevHash: script.end.lastHash }), 8);
    const after = script.append(1);
    await expect(refused).rejects.toMatchObject({ code: "FENCED" });
    await Promise.all([before, after]);
    expect(told(await all(journal.read(1)))).toEqual(script.told);
  });

  holds("each writer's epoch is one more than that of the last record", async (journal) => {
    expect((await journal.open()).epoch).toBe(1);
    expect((await reopened(journal)).epoch).toBe(1);
    await new Script(journal, 7).append(1);
    expect((await reopened(journal)).epoch).toBe(8);
  });

  holds("reading begins with the record that holds the seq", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (const count of [3, 3, 3]) await script.append(count);
    expect(firstSeqs(await all(journal.read(3)))).toEqual([1, 4, 7]);
    expect(firstSeqs(await all(journal.read(4)))).toEqual([4, 7]);
    expect(firstSeqs(await all(journal.read(9)))).toEqual([7]);
    expect(await all(journal.read(10))).toEqual([]);
    for (const seq of [0, -1, 1.5]) {
      await expect(all(journal.read(seq))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  holds("reading goes on while records are appended, and ends", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (let n = 0; n < 300; n++) void script.append(1);
    await script.append(1);
    const before = script.told;
    const read: JournalRecord[] = [];
    for await (const record of journal.read(1)) {
      read.push(record);
      await script.append(1);
    }
    expect(told(read)).toEqual(before);
    expect((await all(journal.read(1))).length).toBe(2 * before.length);
  });

  holds("a reader may stop early, and the writer goes on", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (let n = 0; n < 3; n++) await script.append(1);
    for await (const record of journal.read(1)) if (record.firstSeq === 2) break;
    await script.append(1);
    expect(told(await all(journal.read(1)))).toEqual(script.told);
  });

  holds("a record of ten million characters is kept whole", async (journal) => {
    await journal.open();
    const output = "é".repeat(5_000_000);
    const event = { type: "task.completed", v: 1, seq: 1, at: 1, taskId: "t", token: 1, output } as const;
    const record = seal([event], { firstSeq: 1, epoch: 1, prevHash: CHAIN_START.lastHash });
    await journal.append(record, 0);
    const { records } = await reopened(journal);
    const [kept] = await all(records);
    expect(kept && unseal(kept)).toEqual([event]);
  });

  holds("a sealed snapshot is opened with, and the records after it", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await script.append(2);
    await script.append(3);
    const chunks = [new Uint8Array(MAX_CHUNK_BYTES).fill(7), new Uint8Array(0), new Uint8Array([1, 2, 3])];
    const asOf = script.end;
    await journal.writeSnapshot({ seq: asOf.lastSeq, hash: asOf.lastHash, chunks });
    await script.append(1);
    const { snapshot, records, lastSeq } = await reopened(journal);
    expect(await content(snapshot)).toEqual({ seq: 5, hash: hex(asOf.lastHash), chunks: chunks.map(hex) });
    expect(firstSeqs(await all(records))).toEqual([6]);
    expect(lastSeq).toBe(6);
    expect(told(await all(journal.read(1)))).toEqual(script.told);
  });

  holds("the newest of several snapshots is opened with, even if it has no chunks", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    for (let n = 1; n <= 4; n++) {
      await script.append(1);
      await journal.writeSnapshot({ seq: n, hash: script.end.lastHash, chunks: n < 4 ? [new Uint8Array([n])] : [] });
    }
    const { snapshot, records } = await reopened(journal);
    expect(await content(snapshot)).toEqual({ seq: 4, hash: hex(script.end.lastHash), chunks: [] });
    expect(await all(records)).toEqual([]);
  });

  holds("appends go on while a snapshot is written", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await script.append(1);
    const { lastHash } = script.end;
    async function* chunks(): AsyncIterable<Uint8Array> {
      for (let n = 0; n < 5; n++) {
        await script.append(1);
        yield new Uint8Array([n]);
      }
    }
    await journal.writeSnapshot({ seq: 1, hash: lastHash, chunks: chunks() });
    const { snapshot, records } = await reopened(journal);
    expect(snapshot?.seq).toBe(1);
    expect(firstSeqs(await all(records))).toEqual([2, 3, 4, 5, 6]);
  });

  holds("a snapshot that ends before its footer does not exist", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await script.append(1);
    const asOf = { seq: 1, hash: script.end.lastHash };
    function* breaking(): Iterable<Uint8Array> {
      yield new Uint8Array([1]);
      throw new TypeError("no more");
    }
    await expect(journal.writeSnapshot({ ...asOf, chunks: breaking() })).rejects.toMatchObject({ message: "no more" });
    const tooLarge = [new Uint8Array(1), new Uint8Array(MAX_CHUNK_BYTES + 1)];
    await expect(journal.writeSnapshot({ ...asOf, chunks: tooLarge })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await script.append(1);
    const { snapshot, records, repaired } = await reopened(journal);
    expect({ snapshot, repaired }).toEqual({});
    expect(told(await all(records))).toEqual(script.told);
  });

  holds("a snapshot is as of a record's end", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    await script.append(3);
    for (const [seq, hash] of [
      [2, script.end.lastHash],
      [4, script.end.lastHash],
      [3, new Uint8Array(32)],
    ] as const) {
      const written = journal.writeSnapshot({ seq, hash, chunks: [] });
      await expect(written).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  holds(
    "what is archived with a record is there with it, the last by an id, and not for a refused one",
    async (journal) => {
      await journal.open();
      const script = new Script(journal);
      const task = (id: string, row: string): Departed => ({ kind: "task", id, row });
      await script.append(1, [task("a", "one"), task("b", "é\u0000"), { kind: "ballot", id: "a", row: "other" }]);
      await script.append(1, [task("a", "two")]);
      const { lastHash } = script.end;
      const refused = journal.append(seal(someEvents(9, 1), { firstSeq: 9, epoch: 1, prevHash: lastHash }), 8, [
        task("c", "never"),
      ]);
      await expect(refused).rejects.toMatchObject({ code: "FENCED" });
      await reopened(journal);
      const found = await journal.archive.get("task", ["a", "b", "c", "__proto__"]);
      expect([...found]).toEqual([
        ["a", "two"],
        ["b", "é\u0000"],
      ]);
      expect([...(await journal.archive.get("ballot", ["a", "b"]))]).toEqual([["a", "other"]]);
      expect([...(await journal.archive.get("task", []))]).toEqual([]);
    },
  );

  holds("records are dropped from the front, as far as the oldest snapshot stands for them", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    const snapshot = (): Promise<void> =>
      journal.writeSnapshot({ seq: script.end.lastSeq, hash: script.end.lastHash, chunks: [new Uint8Array([1])] });
    for (let n = 0; n < 3; n++) await script.append(2);
    expect(await journal.compact(7)).toBe(1);
    await snapshot();
    for (let n = 0; n < 3; n++) await script.append(2);
    await snapshot();
    expect(await journal.compact(4)).toBe(3);
    await expect(all(journal.read(2))).rejects.toMatchObject({ code: "SEQ_COMPACTED", details: { floor: 3 } });
    expect(firstSeqs(await all(journal.read(3)))).toEqual([3, 5, 7, 9, 11]);
    expect(await journal.compact(100)).toBe(5);
    expect(await journal.compact(1)).toBe(5);
    await script.append(1);
    const { snapshot: newest, records, lastSeq } = await reopened(journal);
    expect([newest?.seq, lastSeq]).toEqual([12, 13]);
    expect(firstSeqs(await all(records))).toEqual([13]);
    expect(firstSeqs(await all(journal.read(5)))).toEqual([5, 7, 9, 11, 13]);
    for (const seq of [0, -1, 1.5, Number.NaN])
      await expect(journal.compact(seq)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  holds("it is opened by one at a time", async (journal) => {
    await journal.open();
    await expect(journal.open()).rejects.toMatchObject({ code: "JOURNAL_LOCKED" });
    const script = new Script(journal);
    await script.append(1);
    expect((await reopened(journal)).lastSeq).toBe(1);
  });

  holds("closing waits for what is under way, and may be done again", async (journal) => {
    await journal.open();
    const script = new Script(journal);
    const appends = Array.from({ length: 20 }, () => script.append(1));
    await journal.close();
    await Promise.all(appends);
    await journal.close();
    expect((await journal.open()).lastSeq).toBe(20);
  });

  for (const when of ["before it is opened", "after it is closed"]) {
    holds(`${when} it takes and gives nothing`, async (journal) => {
      if (when === "after it is closed") {
        await journal.open();
        await journal.close();
      }
      await expect(new Script(journal).append(1)).rejects.toMatchObject({ code: "CLOSED" });
      await expect(all(journal.read(1))).rejects.toMatchObject({ code: "CLOSED" });
      const snapshot = { seq: 0, hash: CHAIN_START.lastHash, chunks: [] };
      await expect(journal.writeSnapshot(snapshot)).rejects.toMatchObject({ code: "CLOSED" });
      await expect(journal.archive.get("task", ["a"])).rejects.toMatchObject({ code: "CLOSED" });
      await expect(journal.compact(1)).rejects.toMatchObject({ code: "CLOSED" });
      await expect(journal.backup("nowhere")).rejects.toMatchObject({ code: "CLOSED" });
    });
  }
}

/** Appends records that follow one another, and remembers what they are. */
class Script {
  readonly #journal: Journal;
  readonly #epoch: number;
  #told: readonly string[] = [];
  end: ChainEnd = CHAIN_START;

  constructor(journal: Journal, epoch = 1) {
    this.#journal = journal;
    this.#epoch = epoch;
  }

  /** In the terms of {@link told}. */
  get told(): readonly string[] {
    return this.#told;
  }

  seal(count: number): JournalRecord {
    const { lastSeq, lastHash } = this.end;
    return seal(someEvents(lastSeq + 1, count), { firstSeq: lastSeq + 1, epoch: this.#epoch, prevHash: lastHash });
  }

  append(count: number, archived: readonly Departed[] = []): Promise<void> {
    const record = this.seal(count);
    const expectedSeq = this.end.lastSeq;
    this.end = endOf(record);
    this.#told = [...this.#told, ...told([record])];
    return this.#journal.append(record, expectedSeq, archived);
  }
}

function someEvents(from: number, count: number): KernelEvent[] {
  return Array.from({ length: count }, (_, index): KernelEvent => {
    const seq = from + index;
    return { type: "task.paused", v: 1, seq, at: 1_000 + seq, taskId: `task ${seq}`, commandId: `command ${seq}` };
  });
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

/** Records in a form that shows every field and survives that their bytes are taken over. */
function told(records: readonly JournalRecord[]): string[] {
  return records.map(({ firstSeq, count, epoch, at, prevHash, hash, codec, bytes }) =>
    [firstSeq, count, epoch, at, hex(prevHash), hex(hash), codec, hex(bytes)].join(" "),
  );
}

function firstSeqs(records: readonly JournalRecord[]): number[] {
  return records.map(({ firstSeq }) => firstSeq);
}

async function content(snapshot: SnapshotReader | undefined): Promise<unknown> {
  return snapshot && { seq: snapshot.seq, hash: hex(snapshot.hash), chunks: (await all(snapshot.chunks)).map(hex) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
