/** The SQLite journal between real processes. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { CHAIN_START, endOf, verify } from "../src/journal/chain.ts";
import { seal, unseal } from "../src/journal/codec.ts";
import { SqliteJournal } from "../src/journal/sqlite.ts";
import { openSqliteReader } from "../src/journal/sqlite-reader.ts";
import type { KernelEvent } from "../src/kernel/events.ts";

const WRITER = fileURLToPath(new URL("journal-writer.fixture.ts", import.meta.url));

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "journal.db");
}

function journalAt(path: string): SqliteJournal {
  const journal = new SqliteJournal(path);
  onTestFinished(() => journal.close());
  return journal;
}

class WriterProcess {
  readonly #process: ChildProcessByStdio<null, Readable, null>;
  readonly said: string[] = [];

  private constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.said.push(line));
    onTestFinished(() => this.kill());
  }

  static async started(path: string, ...args: readonly number[]): Promise<WriterProcess> {
    return WriterProcess.#opened(new WriterProcess(process.execPath, [WRITER, path, ...args.map(String)]));
  }

  /** In which no file can have more than so many KiB. */
  static async limited(kib: number, path: string, ...args: readonly number[]): Promise<WriterProcess> {
    const command = `ulimit -f ${kib}; exec "$@"`;
    return WriterProcess.#opened(
      new WriterProcess("bash", ["-c", command, "bash", process.execPath, WRITER, path, ...args.map(String)]),
    );
  }

  static async #opened(writer: WriterProcess): Promise<WriterProcess> {
    await writer.until(() => writer.said.includes("open"));
    return writer;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get lastAcknowledged(): number {
    return Number(this.said.at(-1) === "open" ? 0 : (this.said.at(-1) ?? 0));
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#hasEnded()) throw new Error(`the writer ended; it said ${this.said.join(", ")}`);
      await setTimeout(5);
    }
  }

  async kill(): Promise<void> {
    if (this.#hasEnded()) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "close");
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

function paused(seq: number): KernelEvent {
  return { type: "task.paused", v: 1, seq, at: 1, taskId: "t" };
}

test("a second process is refused, with the pid of the first", async () => {
  const path = newPath();
  const first = await WriterProcess.started(path);
  await expect(journalAt(path).open()).rejects.toMatchObject({
    code: "JOURNAL_LOCKED",
    message: expect.stringContaining(`pid ${first.pid}`),
    details: { pid: first.pid, path },
  });
});

test("a second opening in the same process is refused, with the process's own pid, and the first goes on", async () => {
  const path = newPath();
  const [first, second] = [journalAt(path), journalAt(path)];
  await first.open();
  await expect(second.open()).rejects.toMatchObject({ code: "JOURNAL_LOCKED", details: { pid: process.pid, path } });
  await expect(second.open()).rejects.toMatchObject({ code: "JOURNAL_LOCKED" });
  await first.append(seal([paused(1)], { firstSeq: 1, epoch: 1, prevHash: CHAIN_START.lastHash }), 0);
  await first.close();
  expect((await second.open()).lastSeq).toBe(1);
});

test("a killed process lets go of the journal", async () => {
  const path = newPath();
  const first = await WriterProcess.started(path);
  await first.kill();
  expect((await journalAt(path).open()).lastSeq).toBe(0);
});

test.each([
  ["of a process that has ended", "999999999 1"],
  ["of a living process that started at another time", `${process.pid} 1`],
  ["that is none", "somebody"],
])("a pid %s is not told as the holder's", async (_, text) => {
  const path = newPath();
  const holder = new DatabaseSync(`${path}.lock`);
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  writeFileSync(`${path}.pid`, text);
  const refused = await journalAt(path)
    .open()
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "JOURNAL_LOCKED", message: expect.stringContaining("another process") });
  expect(refused).not.toHaveProperty("details.pid");
});

test("two paths to one file are one journal", async () => {
  const path = newPath();
  await journalAt(path).open();
  await expect(journalAt(join(path, "..", ".", "journal.db")).open()).rejects.toMatchObject({ code: "JOURNAL_LOCKED" });
});

test("nothing that was acknowledged is lost when the process is killed, over and over", async () => {
  const path = newPath();
  let atLeast = 0;
  for (const inFlight of [1, 3, 30, 1, 300]) {
    const writer = await WriterProcess.started(path, inFlight);
    const enough = 20 + Math.floor(Math.random() * 200);
    await writer.until(() => writer.said.length > enough);
    await writer.kill();
    const acknowledged = writer.lastAcknowledged;
    expect(acknowledged).toBeGreaterThan(atLeast);

    const journal = journalAt(path);
    const { records, lastSeq } = await journal.open();
    expect(lastSeq).toBeGreaterThanOrEqual(acknowledged);
    let end = CHAIN_START;
    for await (const record of records) {
      expect(verify(record, end)).toBe(undefined);
      expect(unseal(record).map(({ seq }) => seq)).toEqual([record.firstSeq, record.firstSeq + 1]);
      end = endOf(record);
    }
    expect(end.lastSeq).toBe(lastSeq);
    await journal.close();
    atLeast = lastSeq;
  }
});

test("readers in another process see a chain that only grows while a writer appends", async () => {
  const path = newPath();
  const writer = await WriterProcess.started(path, 8);
  const reader = openSqliteReader(path);
  onTestFinished(() => reader.close());
  let read = 0;
  for (let round = 0; round < 5; round++) {
    const said = writer.said.length;
    await writer.until(() => writer.said.length > said + 100);
    const atLeast = writer.lastAcknowledged;
    let end = CHAIN_START;
    for await (const record of reader.read(1)) {
      expect(verify(record, end)).toBe(undefined);
      end = endOf(record);
    }
    expect(end.lastSeq).toBeGreaterThanOrEqual(Math.max(read, atLeast));
    read = end.lastSeq;
  }
});

test("a reader that stops in the middle does not make the write-ahead log grow", async () => {
  const path = newPath();
  const writer = await WriterProcess.started(path, 4, 100_000);
  await writer.until(() => writer.said.length > 20);
  const reader = openSqliteReader(path);
  onTestFinished(() => reader.close());
  const reading = reader.read(1)[Symbol.asyncIterator]();
  await reading.next();
  // While a page was read the log may have grown; from here on nothing holds it.
  const said = writer.said.length;
  const log = statSync(`${path}-wal`).size;
  await writer.until(() => writer.said.length > said + 600);
  await writer.kill();
  expect(statSync(path).size).toBeGreaterThan(80_000_000);
  expect(statSync(`${path}-wal`).size).toBeLessThan(log + 20_000_000);
  expect((await reading.next()).value.firstSeq).toBe(3);
});

test("a writer that the lock did not stop is noticed at the next append", async () => {
  const path = newPath();
  const [first, second] = [journalAt(path), journalAt(path)];
  await first.open();
  unlinkSync(`${path}.lock`);
  await second.open();
  const record = (taskId: string) =>
    seal([{ ...paused(1), taskId } as KernelEvent], { firstSeq: 1, epoch: 1, prevHash: CHAIN_START.lastHash });
  await second.append(record("second"), 0);
  await expect(first.append(record("first"), 0)).rejects.toMatchObject({ code: "FENCED", details: { lastSeq: 1 } });
});

test("when the disk is full the append fails, and nothing is taken after it", async () => {
  const path = newPath();
  const writer = await WriterProcess.limited(1_000, path, 1, 10_000);
  await writer.until(() => writer.said.some((line) => line.startsWith("failed")));
  const acknowledged = Number(writer.said.at(-2));
  const { code, details } = JSON.parse(writer.said.at(-1)?.slice("failed ".length) ?? "");
  expect({ code, path: details.path }).toEqual({ code: "JOURNAL_FAILED", path });
  expect(["unknown", "not-written"]).toContain(details.outcome);
  await writer.kill();
  const { lastSeq } = await journalAt(path).open();
  expect([acknowledged, acknowledged + 2]).toContain(lastSeq);
});
