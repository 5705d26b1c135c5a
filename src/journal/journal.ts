/**
 * The port: where events are kept. One file a journal beside this one, one conformance suite for all
 * (`testing/journal-conformance.ts`).
 *
 * Invariants that every journal keeps:
 * 1. A record is one batch: all of it is there, or none of it.
 * 2. When `append` resolves, the record survives whatever the journal promises to survive.
 * 3. Records follow one another without gap: `firstSeq` is the last seq so far + 1, `prevHash` the last hash.
 * 4. An append with another expected seq is refused (`FENCED`) and changes nothing.
 * 5. A snapshot without its footer does not exist.
 * 6. After an append that failed in another way than by a refusal nothing more is taken (`JOURNAL_FAILED`).
 * 7. What is put into the archive with a record is there exactly when the record is.
 * 8. Records go only from the front, and none that is needed to open from a snapshot that is kept.
 */
import type { Departed } from "../kernel/departed.ts";

/** One batch of events, sealed into the chain. */
export interface JournalRecord {
  readonly firstSeq: number;
  readonly count: number;
  /** Grows with every writer that takes the journal over. */
  readonly epoch: number;
  /** Epoch milliseconds of the batch. */
  readonly at: number;
  /** Hash of the record before; 32 zero bytes for the first. */
  readonly prevHash: Uint8Array;
  /** SHA-256 over everything else in the record. */
  readonly hash: Uint8Array;
  readonly codec: number;
  readonly bytes: Uint8Array;
}

/** A sealed snapshot: the state as of `seq`, in order of writing. */
export interface SnapshotReader {
  readonly seq: number;
  /** Hash of the record that ends with `seq`. */
  readonly hash: Uint8Array;
  /** To be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What `writeSnapshot` takes: chunks of at most 256 KiB, produced as they are asked for. */
export interface SnapshotWriter {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The most bytes that one chunk of a snapshot may have. */
export const MAX_CHUNK_BYTES: number = 256 * 1024;

/** How many sealed snapshots are kept: the newest, and one to fall back to. */
export const KEPT_SNAPSHOTS = 2;

/** What has left memory: tasks that have ended, and ballots that are closed, as lines of text by id. */
export interface Archive {
  /** The lines of those that there are; the others are left out. `JOURNAL_CORRUPT` when one is damaged. */
  get(kind: Departed["kind"], ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** What opening found, besides the events. */
export interface Opened {
  /** The newest sealed snapshot, if any. */
  readonly snapshot?: SnapshotReader;
  /** The records after the snapshot (or all), up to `lastSeq`; to be read once. */
  readonly records: AsyncIterable<JournalRecord>;
  /** Seq of the last event; 0 when empty. */
  readonly lastSeq: number;
  /** Hash of the last record; 32 zero bytes when empty. */
  readonly lastHash: Uint8Array;
  /** This writer's epoch: one more than the last in the journal. */
  readonly epoch: number;
  /** A torn tail that was cut off or a damaged snapshot that was passed over, told in words. */
  readonly repaired?: string;
}

export interface Journal {
  /** For people: `memory:` or `sqlite:path`. */
  readonly url: string;
  /**
   * Takes the journal over for writing; again after `close`, too. `JOURNAL_LOCKED` while another writer has it,
   * `JOURNAL_CORRUPT` when what is kept does not fit together, `JOURNAL_FAILED` when it cannot be reached.
   */
  open(): Promise<Opened>;
  /**
   * Atomic; durable when it resolves, and with it what it puts into the archive, in place of what was there by that id.
   * Appends may be called one after the other without waiting; they land in order. The journal takes the record's `bytes` over: read nothing from them afterwards. `FENCED` when the journal ends
   * elsewhere than expected; `JOURNAL_FAILED`, with `details.outcome` `"unknown"` when the record may have landed all
   * the same and `"not-written"` when it has not; `CLOSED` unless open.
   */
  append(record: JournalRecord, expectedSeq: number, archived?: readonly Departed[]): Promise<void>;
  readonly archive: Archive;
  /**
   * The record that holds `fromSeq`, and all after it as of now; in short transactions. `SEQ_COMPACTED` below the floor,
   * `INVALID_ARGUMENT` below 1, `JOURNAL_CORRUPT` at a record that does not fit.
   */
  read(fromSeq: number): AsyncIterable<JournalRecord>;
  /**
   * Resolves when the snapshot is sealed; when `chunks` throws, or one is too large, nothing of it stays. The newest two
   * are kept. `INVALID_ARGUMENT` when `seq` and `hash` are not those of a record's end.
   */
  writeSnapshot(snapshot: SnapshotWriter): Promise<void>;
  /**
   * Drops records that hold nothing from `beforeSeq` on, as far as the oldest snapshot that is kept stands for them; gives
   * the first seq that is kept. `INVALID_ARGUMENT` for what is no seq.
   */
  compact(beforeSeq: number): Promise<number>;
  /**
   * Copies the journal as it is at some instant during the call to a new file, from which it can be opened; writing goes on
   * meanwhile. `INVALID_ARGUMENT` where something is at that path, `INVALID_STATE` for a journal that is in no file.
   */
  backup(path: string): Promise<void>;
  /** Waits for what is under way. Any number of times. */
  close(): Promise<void>;
}
