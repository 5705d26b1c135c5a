/** The journal in a SQLite file: appended beside bare SQLite with the same batches, replayed, opened from a snapshot. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Coordinator } from "../src/index.ts";
import { CHAIN_START, endOf } from "../src/journal/chain.ts";
import { seal } from "../src/journal/codec.ts";
import type { Journal, JournalRecord } from "../src/journal/journal.ts";
import { SqliteJournal } from "../src/journal/sqlite.ts";
import type { KernelEvent } from "../src/kernel/events.ts";
import { readPast } from "../src/runtime/opening.ts";
import { inFolder } from "./folder.ts";
import { type Benchmark, type Figure, perSecond, perSecondAsync } from "./measure.ts";
import { World } from "./world.ts";

const RUNS = 3;
const EVENTS_A_BATCH = 256;
/** Batches that are on their way to the disk at a time, as in a coordinator. */
const IN_FLIGHT = 4;
const EPOCH = 1;

export const journal: Benchmark = {
  work: `events of no-op tasks, appended in batches of ${EVENTS_A_BATCH}, synchronous FULL, ${IN_FLIGHT} batches in flight; bare SQLite inserts the same batches in this thread, a row and a transaction each, without hashes or a chain`,
  async run({ brief }) {
    const [events, tasks] = brief ? [10_000, 1000] : [1_000_000, 100_000];
    const batches = batchesOf(events);
    const records = Array.from(sealed(batches), copied);
    const [append, raw, appendSealed, rawBytes]: [number[], number[], number[], number[]] = [[], [], [], []];
    const [replay, opened]: [number[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      await inFolder(async (folder) => {
        const path = join(folder, "journal.db");
        append.push(await appendAll(path, events, sealed(batches)));
        raw.push(bareInserts(join(folder, "bare.db"), events, texts(batches)));
        replay.push(await perSecondAsync(events, () => replayAll(path, events)));
        const copies = records.map(copied);
        appendSealed.push(await appendAll(join(folder, "sealed.db"), events, copies));
        rawBytes.push(bareInserts(join(folder, "bytes.db"), events, bodies(records)));
        opened.push(await snapshotOpened(join(folder, "snapshot.db"), tasks));
      });
    }
    const goal = { of: "ratio", better: "more", must: 0.5, aim: 0.7 } as const;
    return [
      {
        what: `seal and append, ${events} events`,
        unit: "events/s",
        runs: append,
        peer: { what: "JSON.stringify and bare SQLite", runs: raw },
        goal,
      },
      {
        what: "append, sealed before",
        unit: "events/s",
        runs: appendSealed,
        peer: { what: "bare SQLite", runs: rawBytes },
        goal,
      },
      {
        what: `replay into a kernel, ${events} events`,
        unit: "events/s",
        runs: replay,
        goal: { of: "figure", better: "more", must: 250_000, aim: 500_000 },
      },
      {
        what: `open from a snapshot of ${tasks} tasks`,
        unit: "ms",
        runs: opened,
        goal: { of: "figure", better: "less", must: 2000, aim: 1000 },
      },
    ] satisfies Figure[];
  },
};

/** At least so many events, as a kernel makes them, cut to batches of one size. */
function batchesOf(count: number): readonly (readonly KernelEvent[])[] {
  const events: KernelEvent[] = [];
  const world = new World(10, (made) => events.push(...made));
  world.submit(1000);
  while (events.length < count) world.turnOver(1000);
  const batches: KernelEvent[][] = [];
  for (let from = 0; from < count; from += EVENTS_A_BATCH) {
    batches.push(events.slice(from, Math.min(from + EVENTS_A_BATCH, count)));
  }
  return batches;
}

function* sealed(batches: readonly (readonly KernelEvent[])[]): Generator<JournalRecord, void, undefined> {
  let end = CHAIN_START;
  for (const batch of batches) {
    const record = seal(batch, { firstSeq: end.lastSeq + 1, epoch: EPOCH, prevHash: end.lastHash });
    // The journal takes the memory over, in which the hash may stand.
    end = { ...endOf(record), lastHash: new Uint8Array(record.hash) };
    yield record;
  }
}

/** The same record in memory of its own, which a journal may take over. */
function copied(record: JournalRecord): JournalRecord {
  return { ...record, bytes: record.bytes.slice(), hash: record.hash.slice(), prevHash: record.prevHash.slice() };
}

/** Events a second, from the first append until the last is durable. */
async function appendAll(path: string, events: number, records: Iterable<JournalRecord>): Promise<number> {
  const kept = new SqliteJournal(path);
  await kept.open();
  const speed = await perSecondAsync(events, async () => {
    const inFlight: Promise<void>[] = [];
    for (const record of records) {
      inFlight.push(kept.append(record, record.firstSeq - 1));
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift();
    }
    await Promise.all(inFlight);
  });
  await kept.close();
  return speed;
}

async function replayAll(path: string, events: number): Promise<void> {
  const kept: Journal = new SqliteJournal(path);
  const { kernel } = await readPast(kept, () => new Promise((resolve) => setImmediate(resolve)));
  if (kernel.seq !== events) throw new Error(`replayed ${kernel.seq} events of ${events}`);
  await kept.close();
}

function* texts(batches: readonly (readonly KernelEvent[])[]): Generator<string, void, undefined> {
  for (const batch of batches) yield JSON.stringify(batch);
}

function* bodies(records: readonly JournalRecord[]): Generator<Uint8Array, void, undefined> {
  for (const { bytes } of records) yield bytes;
}

/** A row and a transaction each; events a second. */
function bareInserts(path: string, events: number, rows: Iterable<string | Uint8Array>): number {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  db.exec("CREATE TABLE batches (id INTEGER PRIMARY KEY, content ANY NOT NULL) STRICT");
  const insert = db.prepare("INSERT INTO batches (content) VALUES (?)");
  const speed = perSecond(events, () => {
    for (const row of rows) insert.run(row);
  });
  db.close();
  return speed;
}

/** How long it takes to open, in milliseconds. */
async function snapshotOpened(path: string, tasks: number): Promise<number> {
  const options = { journal: `sqlite:${path}`, unroutableMs: 1e9 };
  const first = await Coordinator.open(options);
  for (let left = tasks; left > 0; left -= 1000) {
    await first.submit(Array.from({ length: Math.min(left, 1000) }, () => ({ skills: ["a", "b"] })));
  }
  await first.snapshot();
  await first.close();
  const began = performance.now();
  const second = await Coordinator.open(options);
  const ms = performance.now() - began;
  await second.close();
  return ms;
}
