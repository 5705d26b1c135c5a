import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { journalConformance } from "../testing/journal-conformance.ts";
import { CHAIN_START, endOf } from "./chain.ts";
import { seal } from "./codec.ts";
import { type JournalRecord, MAX_CHUNK_BYTES } from "./journal.ts";
import { SqliteJournal } from "./sqlite.ts";
import { openSqliteReader } from "./sqlite-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

journalConformance("sqlite journal", () => new SqliteJournal(newPath()), { test, expect });

function newPath(): string {
  return join(folder, `${++made}.db`);
}

function journalAt(path: string): SqliteJournal {
  const journal = new SqliteJournal(path);
  onTestFinished(() => journal.close());
  return journal;
}

function firstRecord(): JournalRecord {
  const event = { type: "task.paused", v: 1, seq: 1, at: 1, taskId: "t" } as const;
  return seal([event], { firstSeq: 1, epoch: 1, prevHash: CHAIN_START.lastHash });
}

test("the journal and all that is put beside it are for their owner only", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await journal.append(firstRecord(), 0);
  const files = readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
  const suffixes = ["", "-shm", "-wal", ".lock", ".pid"];
  expect(files.toSorted()).toEqual(suffixes.map((suffix) => basename(path) + suffix));
  for (const name of files) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
});

test("another object on the same file finds what the first has kept", async () => {
  const path = newPath();
  const record = firstRecord();
  const bytes = record.bytes.slice();
  const first = journalAt(path);
  await first.open();
  await first.append(record, 0);
  await first.close();
  const { lastSeq, lastHash, records } = await journalAt(path).open();
  expect({ lastSeq, lastHash }).toEqual({ lastSeq: 1, lastHash: record.hash });
  for await (const kept of records) expect(kept.bytes).toEqual(bytes);
});

test("a record's bytes are taken over, and the same record is not taken twice", async () => {
  const journal = journalAt(newPath());
  await journal.open();
  const record = firstRecord();
  await journal.append(record, 0);
  expect(record.bytes.byteLength).toBe(0);
  expect(record.hash.byteLength).toBe(32);
  await expect(journal.append(record, 1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("when the thread dies all that waits for it fails, as does all that comes after", async () => {
  const journal = journalAt(newPath());
  const started = once(process, "worker");
  await journal.open();
  const [worker]: Worker[] = await started;
  const pending = journal.append(firstRecord(), 0);
  const settled = expect(pending).rejects.toMatchObject({ code: "JOURNAL_FAILED", details: { outcome: "unknown" } });
  await worker?.terminate();
  await settled;
  await expect(journal.append(firstRecord(), 0)).rejects.toMatchObject({
    code: "JOURNAL_FAILED",
    details: { outcome: "not-written" },
  });
  await journal.close();
  await journal.open();
});

test("a journal that failed to open can be opened later", async () => {
  const path = newPath();
  const holder = journalAt(path);
  await holder.open();
  const journal = journalAt(path);
  await expect(journal.open()).rejects.toMatchObject({ code: "JOURNAL_LOCKED" });
  await holder.close();
  expect((await journal.open()).lastSeq).toBe(0);
});

test("replaced snapshots leave the file, and it shrinks when most of it is free", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  const record = firstRecord();
  await journal.append(record, 0);
  const asOf = { seq: 1, hash: record.hash };
  const large = Array.from({ length: 40 }, () => new Uint8Array(MAX_CHUNK_BYTES));
  await journal.writeSnapshot({ ...asOf, chunks: large });
  for (let n = 0; n < 2; n++) await journal.writeSnapshot({ ...asOf, chunks: [new Uint8Array(1)] });
  await journal.close();
  expect((await journalAt(path).open()).snapshot?.seq).toBe(1);
  await expect
    .poll(() => statSync(path).size + statSync(`${path}-wal`).size, { timeout: 20_000 })
    .toBeLessThan(8_000_000);
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

test("what the archive holds is not believed when its checksum does not fit", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await journal.append(firstRecord(), 0, [
    { kind: "task", id: "a", row: "[0,1]" },
    { kind: "task", id: "b", row: "[0,2]" },
  ]);
  await journal.close();
  const db = new DatabaseSync(path);
  db.exec("UPDATE archive SET row = '[0,3]' WHERE id = 'b'");
  db.close();
  await journal.open();
  expect([...(await journal.archive.get("task", ["a"]))]).toEqual([["a", "[0,1]"]]);
  await expect(journal.archive.get("task", ["a", "b"])).rejects.toMatchObject({
    code: "JOURNAL_CORRUPT",
    message: expect.stringContaining("task b"),
  });
});

test("a journal of the format without an archive is given one, and is read without", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await journal.append(firstRecord(), 0);
  await journal.close();
  const db = new DatabaseSync(path);
  db.exec("DROP TABLE archive; PRAGMA user_version = 1");
  db.close();
  const reader = openSqliteReader(path);
  expect(reader.end().lastSeq).toBe(1);
  reader.close();
  await journal.open();
  expect([...(await journal.archive.get("task", ["a"]))]).toEqual([]);
  expect((await all(journal.read(1))).length).toBe(1);
});

/** Appends so many records of one event each, as fast as they are taken. */
async function fill(journal: SqliteJournal, records: number, bytes: number): Promise<void> {
  let end = CHAIN_START;
  const under = new Set<Promise<void>>();
  for (let n = 0; n < records; n++) {
    const seq = end.lastSeq + 1;
    const state = "x".repeat(bytes);
    const event = { type: "attempt.checkpointed", v: 1, seq, at: 1, taskId: "t", token: 1, state } as const;
    const record = seal([event], { firstSeq: seq, epoch: 1, prevHash: end.lastHash });
    const expectedSeq = end.lastSeq;
    end = endOf(record);
    const append = journal.append(record, expectedSeq).then(() => void under.delete(append));
    under.add(append);
    if (under.size >= 8) await Promise.race(under);
  }
  await Promise.all(under);
  await journal.writeSnapshot({ seq: end.lastSeq, hash: end.lastHash, chunks: [] });
}

test("the write-ahead log stays small while records come without a pause", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await fill(journal, 500, 100_000);
  expect(statSync(path).size).toBeGreaterThan(30_000_000);
  expect(statSync(`${path}-wal`).size).toBeLessThan(12_000_000);
});

test("a reader whose next records were dropped meanwhile is told so", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await fill(journal, 600, 10);
  const reading = journal.read(1)[Symbol.asyncIterator]();
  for (let n = 0; n < 256; n++) await reading.next();
  expect(await journal.compact(500)).toBe(500);
  await expect(reading.next()).rejects.toMatchObject({ code: "SEQ_COMPACTED", details: { floor: 500 } });
});

test("a file that was compacted gives its pages back", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await fill(journal, 300, 50_000);
  await journal.compact(300);
  await journal.close();
  expect(statSync(path).size).toBeLessThan(2_000_000);
});

test("a backup made while records come is a journal of some instant meanwhile, for its owner only", async () => {
  const path = newPath();
  const journal = journalAt(path);
  await journal.open();
  await fill(journal, 50, 10_000);
  const target = newPath();
  let done = false;
  const backup = journal.backup(target).finally(() => {
    done = true;
  });
  const [last] = (await all(journal.read(50))).slice(-1);
  let end = last === undefined ? CHAIN_START : endOf(last);
  while (!done) {
    const seq = end.lastSeq + 1;
    const event = { type: "task.paused", v: 1, seq, at: 1, taskId: "t" } as const;
    const record = seal([event], { firstSeq: seq, epoch: 1, prevHash: end.lastHash });
    await journal.append(record, end.lastSeq, [{ kind: "task", id: `t${seq}`, row: "[0]" }]);
    end = endOf(record);
  }
  await backup;
  expect(statSync(target).mode & 0o777).toBe(0o600);
  const copy = journalAt(target);
  const { snapshot, lastSeq, repaired } = await copy.open();
  expect(repaired).toBe(undefined);
  expect(snapshot?.seq).toBe(50);
  expect(lastSeq).toBeGreaterThanOrEqual(50);
  expect(lastSeq).toBeLessThanOrEqual(end.lastSeq);
  const ids = Array.from({ length: end.lastSeq + 1 }, (_, seq) => `t${seq}`);
  expect((await copy.archive.get("task", ids)).size).toBe(lastSeq - 50);
  await expect(journal.backup(target)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(journal.backup(join(folder, "no", "where.db"))).rejects.toMatchObject({ code: "JOURNAL_FAILED" });
});
