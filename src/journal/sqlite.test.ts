import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { journalConformance } from "../testing/journal-conformance.ts";
import { CHAIN_START } from "./chain.ts";
import { seal } from "./codec.ts";
import { type JournalRecord, MAX_CHUNK_BYTES } from "./journal.ts";
import { SqliteJournal } from "./sqlite.ts";

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
