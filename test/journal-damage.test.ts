/** Damaged SQLite journals: a torn tail is cut off, everything else is noticed, and nothing is guessed. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { CHAIN_START, type ChainEnd, endOf } from "../src/journal/chain.ts";
import { seal, unseal } from "../src/journal/codec.ts";
import type { Opened } from "../src/journal/journal.ts";
import { SqliteJournal, type SqliteJournalOptions } from "../src/journal/sqlite.ts";
import { openSqliteReader } from "../src/journal/sqlite-reader.ts";
import { SqliteWriter } from "../src/journal/sqlite-writer.ts";
import type { KernelEvent } from "../src/kernel/events.ts";

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "journal.db");
}

const made = new Map<string, Promise<Buffer>>();

/** Ten records of three events each, of seqs 1–3, 4–6, … 28–30; snapshots where asked for, whose first chunk holds the seq. */
async function journalOf(...snapshotSeqs: readonly number[]): Promise<string> {
  const key = snapshotSeqs.join();
  const content = made.get(key) ?? makeJournal(snapshotSeqs);
  made.set(key, content);
  const path = newPath();
  writeFileSync(path, await content);
  return path;
}

async function makeJournal(snapshotSeqs: readonly number[]): Promise<Buffer> {
  const path = newPath();
  const journal = new SqliteJournal(path);
  await journal.open();
  let end: ChainEnd = CHAIN_START;
  for (let n = 0; n < 10; n++) {
    end = await appendThree(journal, end);
    const seq = end.lastSeq;
    const chunks = [new Uint8Array([seq]), new Uint8Array(10_000).fill(seq)];
    if (snapshotSeqs.includes(seq)) await journal.writeSnapshot({ seq, hash: end.lastHash, chunks });
  }
  await journal.close();
  return readFileSync(path);
}

async function appendThree(journal: SqliteJournal, { lastSeq, lastHash }: ChainEnd): Promise<ChainEnd> {
  const record = seal(someEvents(lastSeq + 1), { firstSeq: lastSeq + 1, epoch: 1, prevHash: lastHash });
  const end = endOf(record);
  await journal.append(record, lastSeq);
  return end;
}

function someEvents(from: number): KernelEvent[] {
  return [from, from + 1, from + 2].map((seq) => ({
    ...({ type: "task.completed", v: 1, seq, at: 1_000 + seq, taskId: `t${seq}`, token: seq } as const),
    output: `output ${seq} `.repeat(50),
  }));
}

function change(path: string, sql: string, ...values: readonly SQLInputValue[]): void {
  const db = new DatabaseSync(path);
  const { changes } = db.prepare(sql).run(...values);
  db.close();
  expect(changes).toBeGreaterThan(0);
}

const FLIP =
  "UPDATE records SET bytes = CAST(substr(bytes, 1, 99) || x'00' || substr(bytes, 101) AS BLOB) WHERE first_seq = ?";

interface Found {
  readonly opened: Omit<Opened, "records" | "snapshot"> & { readonly snapshotSeq?: number };
  readonly seqs: readonly number[];
}

async function openAgain(path: string, options: SqliteJournalOptions = {}): Promise<Found> {
  const journal = new SqliteJournal(path, options);
  const { snapshot, records, ...opened } = await journal.open();
  try {
    if (snapshot !== undefined) {
      const [first] = await all(snapshot.chunks);
      expect(first).toEqual(new Uint8Array([snapshot.seq]));
    }
    const seqs = (await all(records)).flatMap((record) => unseal(record).map(({ seq }) => seq));
    return { opened: { ...opened, ...(snapshot && { snapshotSeq: snapshot.seq }) }, seqs };
  } finally {
    await journal.close();
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

function upTo(last: number, from = 1): number[] {
  return Array.from({ length: last - from + 1 }, (_, index) => from + index);
}

test.each([
  ["whose bytes were changed", FLIP],
  ["that is cut short", "UPDATE records SET bytes = substr(bytes, 1, 99) WHERE first_seq = ?"],
  ["that is empty", "UPDATE records SET bytes = x'' WHERE first_seq = ?"],
  ["that says another number of events", "UPDATE records SET count = 2 WHERE first_seq = ?"],
  ["that says a number of events that cannot be", "UPDATE records SET count = -1 WHERE first_seq = ?"],
  ["that says another time", "UPDATE records SET at = at + 1 WHERE first_seq = ?"],
  ["whose hash was changed", "UPDATE records SET hash = zeroblob(32) WHERE first_seq = ?"],
])("a last record %s is cut off and told, and the journal goes on before it", async (_, damage) => {
  const path = await journalOf();
  change(path, damage, 28);
  const { opened, seqs } = await openAgain(path);
  expect(opened).toMatchObject({ lastSeq: 27, repaired: expect.stringContaining("of seq 28") });
  expect(seqs).toEqual(upTo(27));

  const journal = new SqliteJournal(path);
  const again = await journal.open();
  expect(again.repaired).toBe(undefined);
  await appendThree(journal, again);
  await journal.close();
  expect((await openAgain(path)).seqs).toEqual(upTo(30));
});

test.each([
  ["whose bytes were changed", FLIP, 13],
  ["that says another number of events", "UPDATE records SET count = count + 1 WHERE first_seq = ?", 13],
  ["that is missing", "DELETE FROM records WHERE first_seq = ?", 16],
  ["that has another place", "UPDATE records SET first_seq = 1000 WHERE first_seq = ?", 16],
])("a record in the middle %s stops opening, with the record named and nothing changed", async (_, damage, named) => {
  const path = await journalOf();
  change(path, damage, 13);
  const before = readFileSync(path);
  await expect(openAgain(path)).rejects.toMatchObject({
    code: "JOURNAL_CORRUPT",
    message: expect.stringMatching(new RegExp(`${path}.*seq ${named}\\b`)),
    details: { firstSeq: named },
  });
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a torn last record is not cut off when the one before it is missing", async () => {
  const path = await journalOf();
  change(path, FLIP, 28);
  change(path, "DELETE FROM records WHERE first_seq = 25");
  await expect(openAgain(path)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", details: { firstSeq: 28 } });
});

test("a last record that is whole but follows another history stops opening", async () => {
  const path = await journalOf();
  const stranger = seal(someEvents(28), { firstSeq: 28, epoch: 1, prevHash: new Uint8Array(32) });
  const { prevHash, hash, bytes } = stranger;
  change(path, "UPDATE records SET prev_hash = ?, hash = ?, bytes = ? WHERE first_seq = 28", prevHash, hash, bytes);
  await expect(openAgain(path)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", details: { firstSeq: 28 } });
});

test("a beginning that is missing stops opening", async () => {
  const path = await journalOf();
  change(path, "DELETE FROM records WHERE first_seq = 1");
  await expect(openAgain(path)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", details: { firstSeq: 4 } });
});

test("what came before the snapshot is checked only when all is asked for", async () => {
  const path = await journalOf(12);
  change(path, FLIP, 4);
  const { opened, seqs } = await openAgain(path);
  expect(opened).toMatchObject({ snapshotSeq: 12, lastSeq: 30 });
  expect(seqs).toEqual(upTo(30, 13));
  await expect(openAgain(path, { verify: "all" })).rejects.toMatchObject({
    code: "JOURNAL_CORRUPT",
    details: { firstSeq: 4 },
  });
});

test("reading notices a damaged record wherever it is", async () => {
  const path = await journalOf(12);
  change(path, FLIP, 4);
  const reader = openSqliteReader(path);
  onTestFinished(() => reader.close());
  await expect(all(reader.read(1))).rejects.toMatchObject({
    code: "JOURNAL_CORRUPT",
    details: { firstSeq: 4 },
  });
  expect((await all(reader.read(7))).length).toBe(8);
});

test.each([
  ["chunk was changed", "UPDATE snapshot_chunks SET bytes = zeroblob(10000) WHERE n = 1 AND snapshot = ?"],
  ["chunk is missing", "DELETE FROM snapshot_chunks WHERE n = 0 AND snapshot = ?"],
  ["seal was changed", "UPDATE snapshots SET seal = zeroblob(32) WHERE id = ?"],
  ["seq was changed", "UPDATE snapshots SET seq = seq - 3 WHERE id = ?"],
  ["hash was changed", "UPDATE snapshots SET hash = zeroblob(32) WHERE id = ?"],
])("a snapshot whose %s is passed over and told: for the older one, then for all records", async (_, damage) => {
  const path = await journalOf(12, 21);
  change(path, damage, 2);
  const older = await openAgain(path);
  expect(older.opened).toMatchObject({ snapshotSeq: 12, repaired: expect.stringContaining("snapshot 2") });
  expect(older.seqs).toEqual(upTo(30, 13));
  change(path, damage, 1);
  const without = await openAgain(path);
  expect(without.opened).toMatchObject({ lastSeq: 30, repaired: expect.stringContaining("snapshot 1") });
  expect(without.opened).not.toHaveProperty("snapshotSeq");
  expect(without.seqs).toEqual(upTo(30));
  expect((await openAgain(path)).opened).not.toHaveProperty("repaired");
});

test("when neither the records from the start nor a snapshot can be used, opening stops", async () => {
  const path = await journalOf(12);
  change(path, "DELETE FROM records WHERE first_seq < 10");
  expect((await openAgain(path, { verify: "all" })).seqs).toEqual(upTo(30, 13));
  change(path, "UPDATE snapshot_chunks SET bytes = zeroblob(1)");
  await expect(openAgain(path)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", details: { firstSeq: 10 } });
});

test("a snapshot of more than there are records proves that records are lost", async () => {
  const path = await journalOf(30);
  change(path, "DELETE FROM records WHERE first_seq = 28");
  await expect(openAgain(path)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", details: { firstSeq: 28 } });
});

test("what an unsealed snapshot left behind is removed", async () => {
  const path = await journalOf(12);
  change(path, "INSERT INTO snapshot_chunks VALUES (9, 0, x'00')");
  expect((await openAgain(path)).opened).toMatchObject({ snapshotSeq: 12 });
  const db = new DatabaseSync(path);
  onTestFinished(() => db.close());
  expect(db.prepare("SELECT count(*) AS count FROM snapshot_chunks").get()).toEqual({ count: 2 });
});

test.each([
  ["a text", Buffer.from("this is no database ".repeat(1_000))],
  ["noise", Buffer.from(Array.from({ length: 20_000 }, (_, n) => (n * 7919) % 251))],
])("%s is not taken for a journal, nor written over", async (_, content) => {
  const path = newPath();
  writeFileSync(path, content);
  const refusal = { code: "JOURNAL_CORRUPT", message: expect.stringContaining(path) };
  await expect(openAgain(path)).rejects.toMatchObject(refusal);
  expect(() => openSqliteReader(path)).toThrow(expect.objectContaining(refusal));
  expect(readFileSync(path).equals(content)).toBe(true);
});

test("another program's database is not taken for a journal, nor written to", async () => {
  const path = newPath();
  const db = new DatabaseSync(path);
  db.exec("CREATE TABLE theirs (x)");
  db.close();
  const before = readFileSync(path);
  const refusal = { code: "JOURNAL_CORRUPT", message: expect.stringContaining("not a journal") };
  await expect(openAgain(path)).rejects.toMatchObject(refusal);
  expect(() => openSqliteReader(path)).toThrow(expect.objectContaining(refusal));
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a journal of a newer format is left alone, and told as such", async () => {
  const path = await journalOf();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 3");
  db.close();
  const refusal = { code: "INVALID_STATE", message: expect.stringContaining("format 3"), details: { format: 3 } };
  await expect(openAgain(path)).rejects.toMatchObject(refusal);
  expect(() => openSqliteReader(path)).toThrow(expect.objectContaining({ code: "INVALID_STATE" }));
});

test("a path that cannot be opened is told", async () => {
  const path = newPath();
  mkdirSync(path);
  await expect(openAgain(path)).rejects.toMatchObject({
    code: "JOURNAL_FAILED",
    message: expect.stringContaining(path),
  });
  expect(() => openSqliteReader(join(path, "none.db"))).toThrow(expect.objectContaining({ code: "JOURNAL_FAILED" }));
});

/** The files as a power cut would leave them, with ten records in the write-ahead log. */
async function crashed(): Promise<string> {
  const source = newPath();
  const path = newPath();
  const journal = new SqliteJournal(source);
  let end: ChainEnd = await journal.open();
  for (let n = 0; n < 10; n++) end = await appendThree(journal, end);
  for (const suffix of ["", "-wal"]) copyFileSync(`${source}${suffix}`, `${path}${suffix}`);
  await journal.close();
  return path;
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 4, offset);
  writeFileSync(path, bytes);
}

test("after a power cut all is there", async () => {
  const path = await crashed();
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(80_000);
  expect((await openAgain(path)).seqs).toEqual(upTo(30));
});

test.each([0.01, 0.2, 0.5, 0.7])(
  "a bit that flipped at %d of the write-ahead log is noticed, though SQLite would drop what follows",
  async (where) => {
    const path = await crashed();
    flipBit(`${path}-wal`, Math.floor(statSync(`${path}-wal`).size * where) + 33);
    await expect(openAgain(path)).rejects.toMatchObject({
      code: "JOURNAL_CORRUPT",
      message: expect.stringContaining("write-ahead log"),
    });
  },
);

test("a broken header of the write-ahead log is noticed", async () => {
  const path = await crashed();
  flipBit(`${path}-wal`, 17);
  await expect(openAgain(path)).rejects.toMatchObject({
    code: "JOURNAL_CORRUPT",
    message: expect.stringContaining("header"),
  });
});

test("a last commit that did not reach the disk whole is dropped, as one that was never acknowledged", async () => {
  const path = await crashed();
  const wal = readFileSync(`${path}-wal`);
  writeFileSync(`${path}-wal`, wal.subarray(0, wal.byteLength - 100));
  expect((await openAgain(path)).seqs).toEqual(upTo(27));
});

test("whichever bit of the file flips, opening and reading all gives what was written or says what is wrong", async () => {
  const path = await journalOf(12, 21);
  const whole = readFileSync(path);
  const outcomes = { same: 0, cut: 0, noticed: 0 };
  for (let n = 0; n < 250; n++) {
    const flipped = Buffer.from(whole);
    // Every byte of SQLite's header, and some of everything else.
    const offset = n < 100 ? n : (n * 104_729) % whole.byteLength;
    flipped.writeUInt8(flipped.readUInt8(offset) ^ (1 << (n % 8)), offset);
    const copy = join(path, "..", `copy-${n}.db`);
    writeFileSync(copy, flipped);
    const outcome = outcomeOf(copy);
    outcomes[outcome]++;
  }
  expect(outcomes.noticed).toBeGreaterThan(20);
  expect(outcomes.cut).toBeGreaterThan(0);
});

/** In this thread, for speed. Throws when the journal gives something that was never written. */
function outcomeOf(path: string): "same" | "cut" | "noticed" {
  try {
    const { writer, report } = SqliteWriter.open(path, "all");
    writer.close();
    const db = new DatabaseSync(path, { readOnly: true });
    const bodies = db
      .prepare("SELECT bytes FROM records ORDER BY first_seq")
      .all()
      .map(({ bytes }) => bytes);
    db.close();
    expect(bodies).toEqual(EXPECTED.slice(0, bodies.length));
    expect(report.end.lastSeq).toBe(bodies.length * 3);
    if (bodies.length === EXPECTED.length) return "same";
    expect(bodies.length).toBe(EXPECTED.length - 1);
    expect(report.repaired).toContain("cut off");
    return "cut";
  } catch (error) {
    // Where SQLite's header says something else, it may be another format, or a file that cannot be written.
    expect(["JOURNAL_CORRUPT", "INVALID_STATE", "JOURNAL_FAILED"], String(error)).toContain(
      (error as { code?: string }).code,
    );
    return "noticed";
  }
}

const EXPECTED: readonly Uint8Array[] = expectedBodies();

function expectedBodies(): Uint8Array[] {
  let end: ChainEnd = CHAIN_START;
  return Array.from({ length: 10 }, () => {
    const record = seal(someEvents(end.lastSeq + 1), { firstSeq: end.lastSeq + 1, epoch: 1, prevHash: end.lastHash });
    end = endOf(record);
    return record.bytes;
  });
}
