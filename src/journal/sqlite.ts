/**
 * The journal in a SQLite file: the embedded default. What it has acknowledged survives the death of the process and of
 * the machine's power, as far as the disk keeps what it says it has written.
 *
 * One process writes; `….lock` beside the file keeps others out for as long as it lives. Any number may read
 * (`openSqliteReader`). The chain of hashes finds damage, not forgery.
 */
import { resolve } from "node:path";
import { SafeguardsError } from "../errors.ts";
import type { Departed } from "../kernel/departed.ts";
import { frameOf } from "./frame.ts";
import type { Archive, Journal, JournalRecord, Opened, SnapshotWriter } from "./journal.ts";
import { checkBeforeSeq, checkChunk, notOpen, openAlready } from "./refusals.ts";
import type { Verification } from "./sqlite-inspection.ts";
import { openSqliteReader, type SqliteReader } from "./sqlite-reader.ts";
import { SqliteThread } from "./sqlite-thread.ts";
import type { Compacted, OpenReport } from "./sqlite-writer.ts";

export interface SqliteJournalOptions {
  /** What opening checks: what is replayed (default), or all that is kept. */
  readonly verify?: Verification;
}

/** Appends are encoded already and change threads without being copied; nothing here waits for the disk but by promise. */
export class SqliteJournal implements Journal {
  readonly url: string;
  readonly #path: string;
  readonly #verification: Verification;
  #thread: SqliteThread | undefined;

  constructor(path: string, { verify = "since-snapshot" }: SqliteJournalOptions = {}) {
    this.url = `sqlite:${path}`;
    this.#path = resolve(path);
    this.#verification = verify;
  }

  async open(): Promise<Opened> {
    if (this.#thread !== undefined) throw openAlready(this.url);
    const thread = new SqliteThread(this.#path);
    this.#thread = thread;
    try {
      const report = await thread.ask({ do: "open", path: this.#path, verification: this.#verification });
      return this.#opened(report as OpenReport);
    } catch (error) {
      this.#thread = undefined;
      await thread.close();
      throw error;
    }
  }

  async append(record: JournalRecord, expectedSeq: number, archived: readonly Departed[] = []): Promise<void> {
    if (record.bytes.byteLength === 0) throw emptyRecord(record);
    const frame = frameOf(record);
    await this.#writing().ask({ do: "append", frame, expectedSeq, archived }, [frame.buffer]);
  }

  get archive(): Archive {
    return {
      get: async (kind, ids) => {
        // Sent to another thread as a message, and back.
        const found = await this.#writing().ask({ do: "archived", kind, ids });
        return found as ReadonlyMap<string, string>;
      },
    };
  }

  async compact(beforeSeq: number): Promise<number> {
    checkBeforeSeq(beforeSeq);
    for (;;) {
      const { floor, more } = (await this.#writing().ask({ do: "compact", beforeSeq })) as Compacted;
      if (!more) return floor;
    }
  }

  async backup(path: string): Promise<void> {
    this.#writing();
    // In a thread of its own, so that it waits for nobody and nobody for it.
    const thread = new SqliteThread(this.#path);
    try {
      await thread.ask({ do: "backup", path: this.#path, target: resolve(path) });
    } finally {
      await thread.close();
    }
  }

  read(fromSeq: number): AsyncIterable<JournalRecord> {
    return this.#reading((reader) => reader.read(fromSeq));
  }

  async writeSnapshot({ seq, hash, chunks }: SnapshotWriter): Promise<void> {
    const snapshot = Number(await this.#writing().ask({ do: "begin-snapshot", seq, hash: new Uint8Array(hash) }));
    try {
      let n = 0;
      for await (const chunk of chunks) {
        checkChunk(chunk);
        const bytes = new Uint8Array(chunk);
        await this.#writing().ask({ do: "chunk", snapshot, n: n++, bytes }, [bytes.buffer]);
      }
      await this.#writing().ask({ do: "seal-snapshot", snapshot });
    } catch (error) {
      // Where this fails too, the next opening removes what was written.
      await this.#thread?.ask({ do: "drop-snapshot", snapshot }).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.close();
  }

  #writing(): SqliteThread {
    if (this.#thread === undefined) throw notOpen(this.url);
    return this.#thread;
  }

  #opened({ snapshot, end, epoch, repaired }: OpenReport): Opened {
    const from = (snapshot?.seq ?? 0) + 1;
    return {
      ...(snapshot !== undefined && {
        snapshot: {
          seq: snapshot.seq,
          hash: snapshot.hash,
          chunks: this.#reading((reader) => reader.chunks(snapshot)),
        },
      }),
      records: this.#reading((reader) => reader.read(from, end.lastSeq)),
      ...end,
      epoch,
      ...(repaired !== undefined && { repaired }),
    };
  }

  /** With a reader of its own, which is open while somebody iterates. */
  async *#reading<T>(read: (reader: SqliteReader) => AsyncIterable<T>): AsyncIterable<T> {
    this.#writing();
    const reader = openSqliteReader(this.#path);
    try {
      yield* read(reader);
    } finally {
      reader.close();
    }
  }
}

function emptyRecord({ firstSeq }: JournalRecord): SafeguardsError {
  return new SafeguardsError(
    "INVALID_ARGUMENT",
    `the record of seq ${firstSeq} has no bytes; what was appended once belongs to the journal`,
    { details: { firstSeq } },
  );
}
