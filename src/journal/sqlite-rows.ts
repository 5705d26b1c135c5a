/** Records and snapshots as rows. Nothing in here opens a transaction that outlives its call. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { SafeguardsError } from "../errors.ts";
import { CHAIN_START, type ChainEnd, lastSeqOf } from "./chain.ts";
import { HASH_BYTES, sameBytes, sha256 } from "./frame.ts";
import type { JournalRecord } from "./journal.ts";

/** A page of records: what one short transaction reads. */
const PAGE_RECORDS = 256;
const PAGE_BYTES = 1024 * 1024;

type Row = Record<string, SQLOutputValue>;

export class RecordRows {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #last: StatementSync;
  readonly #from: StatementSync;
  readonly #holding: StatementSync;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#last = db.prepare("SELECT first_seq, count, epoch, hash FROM records ORDER BY first_seq DESC LIMIT 1");
    this.#from = db.prepare("SELECT * FROM records WHERE first_seq >= ? AND first_seq <= ? ORDER BY first_seq");
    this.#holding = db.prepare(
      "SELECT first_seq, count, hash FROM records WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1",
    );
  }

  /** The chain's end, and the epoch that it was written in; 0 when there is none. */
  end(): ChainEnd & { readonly epoch: number } {
    const row = this.#last.get();
    if (row === undefined) return { ...CHAIN_START, epoch: 0 };
    return { ...this.#endAt(row), epoch: integer(row, "epoch", this.#path) };
  }

  /** The first seq that is kept; 1 when there is none. */
  floor(): number {
    const row = this.#db.prepare("SELECT first_seq FROM records ORDER BY first_seq LIMIT 1").get();
    return row === undefined ? 1 : integer(row, "first_seq", this.#path);
  }

  /** First seq of the record that holds the seq, or of the last before it. */
  startOf(seq: number): number {
    const row = this.#holding.get(seq);
    return row === undefined ? seq : integer(row, "first_seq", this.#path);
  }

  endsWith(seq: number, hash: Uint8Array): boolean {
    const row = this.#holding.get(seq);
    const end = row === undefined ? CHAIN_START : this.#endAt(row);
    return end.lastSeq === seq && sameBytes(end.lastHash, hash);
  }

  /** Some records from that first seq on, at least one if there is any up to `lastSeq`. */
  page(firstSeq: number, lastSeq: number): readonly JournalRecord[] {
    const page: JournalRecord[] = [];
    let bytes = 0;
    for (const row of this.#from.iterate(firstSeq, lastSeq)) {
      const record = recordIn(row, this.#path);
      page.push(record);
      bytes += record.bytes.byteLength;
      if (page.length === PAGE_RECORDS || bytes >= PAGE_BYTES) break;
    }
    return page;
  }

  insert(): (record: JournalRecord) => void {
    const insert = this.#db.prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    return ({ firstSeq, count, epoch, at, codec, prevHash, hash, bytes }) => {
      insert.run(firstSeq, count, epoch, at, codec, prevHash, hash, bytes);
    };
  }

  #endAt(row: Row): ChainEnd {
    const [firstSeq, count] = [integer(row, "first_seq", this.#path), integer(row, "count", this.#path)];
    return { lastSeq: lastSeqOf({ firstSeq, count }), lastHash: blob(row, "hash", this.#path) };
  }
}

/** A snapshot's footer. */
export interface Footer {
  readonly id: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  /** SHA-256 of the chunks, one after the other. */
  readonly chunkHashes: Uint8Array;
}

export class SnapshotRows {
  readonly #path: string;
  readonly #footers: StatementSync;
  readonly #chunk: StatementSync;

  constructor(db: DatabaseSync, path: string) {
    this.#path = path;
    this.#footers = db.prepare("SELECT * FROM snapshots ORDER BY seq DESC, id DESC");
    this.#chunk = db.prepare("SELECT bytes FROM snapshot_chunks WHERE snapshot = ? AND n = ?");
  }

  /** The footers that are what their seals say, the newest first, and the ids of those that are not. */
  footers(): { readonly sealed: readonly Footer[]; readonly broken: readonly number[] } {
    const sealed: Footer[] = [];
    const broken: number[] = [];
    for (const row of this.#footers.all()) {
      const footer = footerIn(row, this.#path);
      if (sameBytes(sealOf(footer), blob(row, "seal", this.#path))) sealed.push(footer);
      else broken.push(footer.id);
    }
    return { sealed, broken };
  }

  /** The chunk, if it is what the footer says. */
  chunk(footer: Footer, n: number): Uint8Array | undefined {
    const row = this.#chunk.get(footer.id, n);
    if (row === undefined) return undefined;
    const bytes = blob(row, "bytes", this.#path);
    const hash = footer.chunkHashes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES);
    return sameBytes(sha256(bytes), hash) ? bytes : undefined;
  }
}

export function chunksOf(footer: Footer): number {
  return footer.chunkHashes.byteLength / HASH_BYTES;
}

/** The hash that makes a footer whole: over its seq, its record's hash and its chunks' hashes. */
export function sealOf({ seq, hash, chunkHashes }: Omit<Footer, "id">): Uint8Array {
  return sha256(Buffer.concat([Buffer.from(`${seq}\n`), hash, chunkHashes]));
}

function footerIn(row: Row, path: string): Footer {
  return {
    id: integer(row, "id", path),
    seq: integer(row, "seq", path),
    hash: blob(row, "hash", path),
    chunkHashes: blob(row, "chunk_hashes", path),
  };
}

function recordIn(row: Row, path: string): JournalRecord {
  return {
    firstSeq: integer(row, "first_seq", path),
    count: integer(row, "count", path),
    epoch: integer(row, "epoch", path),
    at: integer(row, "at", path),
    codec: integer(row, "codec", path),
    prevHash: blob(row, "prev_hash", path),
    hash: blob(row, "hash", path),
    bytes: blob(row, "bytes", path),
  };
}

function integer(row: Row, column: string, path: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw unexpected(column, path);
}

function blob(row: Row, column: string, path: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw unexpected(column, path);
}

function unexpected(column: string, path: string): SafeguardsError {
  return new SafeguardsError("JOURNAL_CORRUPT", `${path} holds a ${column} of another type than a journal's`, {
    details: { path },
  });
}
