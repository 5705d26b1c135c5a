/**
 * The one writer of a SQLite journal. Synchronous: it lives in a thread of its own (`sqlite-worker.ts`).
 *
 * 1. It holds the lock from before it looks at the file until after it has let go of it.
 * 2. Each write is judged inside the write transaction against what the file holds then, so that even a writer that
 *    passed the lock by is noticed.
 * 3. A refused write changes nothing, and nothing for those that share its transaction.
 * 4. After the first error of the disk nothing more is written: what SQLite would do next cannot be relied on.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { SafeguardsError } from "../errors.ts";
import type { Departed } from "../kernel/departed.ts";
import { type ChainEnd, endOf, fence } from "./chain.ts";
import { HASH_BYTES, recordOf, sha256 } from "./frame.ts";
import { type JournalRecord, KEPT_SNAPSHOTS } from "./journal.ts";
import { notARecordsEnd } from "./refusals.ts";
import { ArchiveRows } from "./sqlite-archive.ts";
import { assertDurable, canonicalPath, meaningOf, openForWriting, pragma } from "./sqlite-file.ts";
import { type Inspection, inspect, type Verification } from "./sqlite-inspection.ts";
import { takeLock } from "./sqlite-lock.ts";
import { RecordRows, SnapshotRows, sealOf } from "./sqlite-rows.ts";
import { lossInWal } from "./sqlite-wal.ts";

/** What goes to the disk in a transaction shared with others. */
export type Write =
  | {
      readonly do: "append";
      readonly frame: Uint8Array;
      readonly expectedSeq: number;
      readonly archived: readonly Departed[];
    }
  | { readonly do: "chunk"; readonly snapshot: number; readonly n: number; readonly bytes: Uint8Array };

export interface OpenReport extends Inspection {
  readonly epoch: number;
}

/** The first seq that is kept, and whether there is more to drop. */
export interface Compacted {
  readonly floor: number;
  readonly more: boolean;
}

/** Records that one transaction drops at most, so that appends get their turn. */
const DROPPED_RECORDS = 256;
/** After about so many bytes the write-ahead log is copied into the file. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** After so many that is done whoever waits. */
const OVERDUE_BYTES = 2 * CHECKPOINT_BYTES;
/** What a commit writes besides what it was given: the pages round it. */
const COMMIT_BYTES = 16 * 1024;
/** Chunks of a replaced snapshot that are removed at a time: at most 4 MiB. */
const REMOVED_CHUNKS = 16;
/** Pages that are given back to the file system at a time. */
const FREED_PAGES = 512;

interface UnsealedSnapshot {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly chunkHashes: Uint8Array[];
}

export class SqliteWriter {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #unlock: () => void;
  readonly #records: RecordRows;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insertRecord: (record: JournalRecord) => void;
  readonly #insertChunk: StatementSync;
  readonly #archive: ArchiveRows;
  readonly #unsealed = new Map<number, UnsealedSnapshot>();
  #lastSnapshot: number;
  #failure: SafeguardsError | undefined;
  #isProvenDurable = false;
  #uncheckpointedBytes = 0;
  #mayHaveRemains = true;

  /** Takes the lock, checks the file and repairs its tail. Throws what `Journal.open` throws. */
  static open(
    path: string,
    verification: Verification,
  ): { readonly writer: SqliteWriter; readonly report: OpenReport } {
    try {
      const canonical = canonicalPath(path, true);
      const unlock = takeLock(canonical);
      try {
        return openLocked(canonical, unlock, verification);
      } catch (error) {
        unlock();
        throw error;
      }
    } catch (error) {
      throw meaningOf(error, path);
    }
  }

  constructor(path: string, db: DatabaseSync, unlock: () => void, records: RecordRows) {
    this.#path = path;
    this.#db = db;
    this.#unlock = unlock;
    this.#records = records;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#insertRecord = records.insert();
    this.#insertChunk = db.prepare("INSERT INTO snapshot_chunks VALUES (?, ?, ?)");
    this.#archive = new ArchiveRows(db, path);
    this.#lastSnapshot = Number(db.prepare("SELECT max(id) AS id FROM snapshots").get()?.id ?? 0);
  }

  /** All in one transaction. Each is answered by itself: the refusal, or `undefined` once it is on the disk. */
  write(writes: readonly Write[]): readonly (SafeguardsError | undefined)[] {
    try {
      return this.#transaction(() => {
        let end: ChainEnd = this.#records.end();
        return writes.map((write) => {
          if (write.do === "chunk") return this.#addChunk(write);
          const record = recordOf(write.frame);
          const refusal = fence(record, write.expectedSeq, end);
          if (refusal !== undefined) return refusal;
          this.#insertRecord(record);
          this.#uncheckpointedBytes += record.bytes.byteLength;
          for (const departed of write.archived) this.#uncheckpointedBytes += this.#archive.put(departed);
          end = endOf(record);
          return undefined;
        });
      });
    } catch (error) {
      const failure = meaningOf(error, this.#path);
      return writes.map(() => failure);
    }
  }

  archived(kind: Departed["kind"], ids: readonly string[]): ReadonlyMap<string, string> {
    return this.#archive.get(kind, ids);
  }

  /** Drops some of the records that hold nothing from `beforeSeq` on and that no snapshot needs; then frees their pages. */
  compact(beforeSeq: number): Compacted {
    const oldest = this.#db.prepare("SELECT min(seq) AS seq FROM snapshots").get()?.seq;
    const before = Math.min(beforeSeq, Number(oldest ?? 1));
    const dropped = this.#transaction(() => {
      const some = "SELECT first_seq FROM records WHERE first_seq + count <= ? ORDER BY first_seq LIMIT ?";
      return this.#db.prepare(`DELETE FROM records WHERE first_seq IN (${some})`).run(before, DROPPED_RECORDS).changes;
    });
    const floor = this.#records.floor();
    if (Number(dropped) === DROPPED_RECORDS) return { floor, more: true };
    this.#freePages();
    return { floor, more: Number(pragma(this.#db, "freelist_count")) > 0 };
  }

  /** Gives some pages that hold nothing back to the file system. */
  #freePages(): void {
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${FREED_PAGES})`);
    } catch (error) {
      this.#failure = meaningOf(error, this.#path);
      throw this.#failure;
    }
    this.#uncheckpointedBytes += CHECKPOINT_BYTES;
  }

  /** Begins a snapshot and gives its number. */
  beginSnapshot(seq: number, hash: Uint8Array): number {
    if (!this.#records.endsWith(seq, hash)) throw notARecordsEnd(this.#path, seq);
    const id = ++this.#lastSnapshot;
    this.#unsealed.set(id, { seq, hash, chunkHashes: [] });
    return id;
  }

  /** The footer, and the end of the snapshots that it makes superfluous. */
  sealSnapshot(id: number): void {
    const unsealed = this.#unsealed.get(id);
    if (unsealed === undefined) throw new RangeError(`there is no snapshot ${id} to seal`);
    const { seq, hash } = unsealed;
    const chunkHashes = Buffer.concat(unsealed.chunkHashes, unsealed.chunkHashes.length * HASH_BYTES);
    this.#transaction(() => {
      const seal = sealOf({ seq, hash, chunkHashes });
      this.#db.prepare("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)").run(id, seq, hash, chunkHashes, seal);
      const kept = "SELECT id FROM snapshots ORDER BY seq DESC, id DESC LIMIT ?";
      this.#db.prepare(`DELETE FROM snapshots WHERE id NOT IN (${kept})`).run(KEPT_SNAPSHOTS);
    });
    this.dropSnapshot(id);
  }

  /** Forgets a snapshot that is not, or need not be, written any further. Chunks without footer are removed in time. */
  dropSnapshot(id: number): void {
    this.#unsealed.delete(id);
    this.#mayHaveRemains = true;
  }

  /** Whether housekeeping was put off for so long that the write-ahead log grows. */
  get isOverdue(): boolean {
    return this.#uncheckpointedBytes >= OVERDUE_BYTES;
  }

  /** A slice of housekeeping that nobody waits for; whether there is more. */
  rest(): boolean {
    if (this.#failure !== undefined) return false;
    try {
      if (this.#uncheckpointedBytes >= CHECKPOINT_BYTES) {
        this.#uncheckpointedBytes = 0;
        this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
        return this.#mayHaveRemains;
      }
      if (this.#mayHaveRemains) this.#mayHaveRemains = this.#removeRemains();
      return this.#mayHaveRemains;
    } catch (error) {
      this.#failure = meaningOf(error, this.#path);
      return false;
    }
  }

  /** SQLite copies the write-ahead log into the file unless somebody reads. */
  close(): void {
    try {
      this.#db.close();
    } finally {
      this.#unlock();
    }
  }

  #addChunk({ snapshot, n, bytes }: Write & { readonly do: "chunk" }): undefined {
    this.#insertChunk.run(snapshot, n, bytes);
    this.#unsealed.get(snapshot)?.chunkHashes.push(sha256(bytes));
    this.#uncheckpointedBytes += bytes.byteLength;
    return undefined;
  }

  #removeRemains(): boolean {
    const unsealed = [...this.#unsealed.keys()];
    const removed = this.#db
      .prepare(
        `DELETE FROM snapshot_chunks WHERE rowid IN (
          SELECT rowid FROM snapshot_chunks
          WHERE snapshot NOT IN (SELECT id FROM snapshots UNION SELECT value FROM json_each(?)) LIMIT ${REMOVED_CHUNKS}
        )`,
      )
      .run(JSON.stringify(unsealed)).changes;
    if (removed > 0) return true;
    const isHalfEmpty = Number(pragma(this.#db, "freelist_count")) * 2 > Number(pragma(this.#db, "page_count"));
    if (!isHalfEmpty) return false;
    this.#freePages();
    return true;
  }

  /** Fails the writer, whatever goes wrong but a refusal. */
  #transaction<T>(work: () => T): T {
    if (this.#failure !== undefined) throw afterFailure(this.#path, this.#failure);
    let outcome: "not-written" | "unknown" = "not-written";
    try {
      this.#begin.run();
      const result = work();
      outcome = "unknown";
      this.#commit.run();
      if (!this.#isProvenDurable) assertDurable(this.#db, this.#path);
      this.#isProvenDurable = true;
      this.#uncheckpointedBytes += COMMIT_BYTES;
      return result;
    } catch (error) {
      this.#failure = failed(this.#path, error, outcome);
      if (this.#db.isTransaction) this.#rollBack();
      throw this.#failure;
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec("ROLLBACK");
    } catch {
      // The writer has failed already; the next opening finds what the disk kept.
    }
  }
}

function openLocked(
  path: string,
  unlock: () => void,
  verification: Verification,
): { readonly writer: SqliteWriter; readonly report: OpenReport } {
  const loss = lossInWal(`${path}-wal`);
  if (loss !== undefined) throw new SafeguardsError("JOURNAL_CORRUPT", `${path}: ${loss}`, { details: { path } });
  const db = openForWriting(path);
  try {
    const [records, snapshots] = [new RecordRows(db, path), new SnapshotRows(db, path)];
    const inspection = inspect({ db, path, records, snapshots }, verification);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const writer = new SqliteWriter(path, db, unlock, records);
    return { writer, report: { ...inspection, epoch: records.end().epoch + 1 } };
  } catch (error) {
    db.close();
    throw error;
  }
}

function failed(path: string, cause: unknown, outcome: "not-written" | "unknown"): SafeguardsError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new SafeguardsError("JOURNAL_FAILED", `the journal at ${path} failed and takes nothing more: ${message}`, {
    details: { path, outcome },
    cause,
  });
}

function afterFailure(path: string, failure: SafeguardsError): SafeguardsError {
  return new SafeguardsError("JOURNAL_FAILED", `nothing is written any more, since ${failure.message}`, {
    details: { path, outcome: "not-written" },
    cause: failure,
  });
}
