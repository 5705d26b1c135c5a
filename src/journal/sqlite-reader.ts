/**
 * Reads a SQLite journal from any process while its writer goes on. Each page is one short transaction, so that a slow
 * reader never makes the write-ahead log grow.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { SafeguardsError } from "../errors.ts";
import { type ChainEnd, corrupt, endOf, follows, isWhole, lastSeqOf } from "./chain.ts";
import type { Archive, JournalRecord, SnapshotReader } from "./journal.ts";
import { checkFrom } from "./refusals.ts";
import { ArchiveRows } from "./sqlite-archive.ts";
import { canonicalPath, hasArchive, meaningOf, openForReading } from "./sqlite-file.ts";
import { chunksOf, type Footer, RecordRows, SnapshotRows } from "./sqlite-rows.ts";

/**
 * Opens a journal's file for reading. `JOURNAL_FAILED` when there is none at that path or it cannot be read,
 * `JOURNAL_CORRUPT` when it is not a journal, `INVALID_STATE` when a newer version has made it.
 */
export function openSqliteReader(path: string): SqliteReader {
  const canonical = canonicalPath(path, false);
  return guarded(canonical, () => new SqliteReader(canonical, openForReading(canonical)));
}

/** Reads in the caller's thread, a page at a time (256 records or 1 MiB, but at least a record). */
export class SqliteReader {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #records: RecordRows;
  readonly #snapshots: SnapshotRows;

  constructor(path: string, db: DatabaseSync) {
    this.#path = path;
    this.#db = db;
    this.#records = new RecordRows(db, path);
    this.#snapshots = new SnapshotRows(db, path);
  }

  /** The last seq and its record's hash, as of now. */
  end(): ChainEnd {
    return guarded(this.#path, () => this.#records.end());
  }

  /** What has left memory, as of now. */
  get archive(): Archive {
    // A journal of the first format, which nobody has opened since, has none.
    const rows = hasArchive(this.#db) ? new ArchiveRows(this.#db, this.#path) : undefined;
    return {
      get: async (kind, ids) => guarded(this.#path, () => rows?.get(kind, ids) ?? new Map()),
    };
  }

  /** The newest sealed snapshot. Its chunks are checked as they are read: `JOURNAL_CORRUPT`. */
  snapshot(): SnapshotReader | undefined {
    const footer = guarded(this.#path, () => this.#snapshots.footers().sealed[0]);
    return footer && { seq: footer.seq, hash: footer.hash, chunks: this.chunks(footer) };
  }

  async *chunks(footer: Footer): AsyncIterable<Uint8Array> {
    for (let n = 0; n < chunksOf(footer); n++) {
      const chunk = guarded(this.#path, () => this.#snapshots.chunk(footer, n));
      if (chunk === undefined) throw this.#noChunk(footer, n);
      yield chunk;
      await setImmediate();
    }
  }

  /**
   * The record that holds `fromSeq` and all after it, up to `lastSeq` or else as of now, each checked by its own hash and
   * the one before.
   */
  async *read(fromSeq: number, lastSeq?: number): AsyncIterable<JournalRecord> {
    const { next, until } = guarded(this.#path, () => {
      checkFrom(fromSeq, this.#records.floor());
      return { next: this.#records.startOf(fromSeq), until: lastSeq ?? this.#records.end().lastSeq };
    });
    if (fromSeq > until) return;
    let from = next;
    let end: ChainEnd | undefined;
    for (;;) {
      const page = guarded(this.#path, () => this.#records.page(from, until));
      // What comes next may have been dropped since.
      if (end !== undefined && page[0]?.firstSeq !== from)
        checkFrom(
          from,
          guarded(this.#path, () => this.#records.floor()),
        );
      for (const record of page) {
        if (!isWhole(record)) throw corrupt(record, "torn", this.#path);
        if (end !== undefined && !follows(record, end)) throw corrupt(record, "chain", this.#path);
        end = endOf(record);
        from = lastSeqOf(record) + 1;
        yield record;
      }
      if (page.length === 0 || from > until) return;
      await setImmediate();
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #noChunk(footer: Footer, n: number): SafeguardsError {
    return new SafeguardsError(
      "JOURNAL_CORRUPT",
      `${this.#path}: chunk ${n} of the snapshot of seq ${footer.seq} is damaged or has been replaced by a newer snapshot`,
      { details: { path: this.#path, seq: footer.seq, chunk: n } },
    );
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw meaningOf(error, path);
  }
}
