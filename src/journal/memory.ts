/**
 * The journal that lives in memory: for tests, and for teams that need no history. It survives its coordinator, not its
 * process: opened again after `close` it holds what it held.
 */

import { SafeguardsError } from "../errors.ts";
import type { Departed } from "../kernel/departed.ts";
import { CHAIN_START, type ChainEnd, endOf, fence, lastSeqOf } from "./chain.ts";
import { sameBytes } from "./frame.ts";
import {
  type Archive,
  type Journal,
  type JournalRecord,
  KEPT_SNAPSHOTS,
  type Opened,
  type SnapshotWriter,
} from "./journal.ts";
import { checkBeforeSeq, checkChunk, checkFrom, notARecordsEnd, notOpen, openAlready } from "./refusals.ts";

interface KeptSnapshot {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

/** Appends cost constant time, finding a record logarithmic time; a snapshot is held whole. */
export class MemoryJournal implements Journal {
  readonly url: string = "memory:";
  #records: JournalRecord[] = [];
  /** The end of what was compacted away. */
  #before: ChainEnd = CHAIN_START;
  readonly #archived: Map<string, string> = new Map();
  #snapshots: readonly KeptSnapshot[] = [];
  #isOpen = false;

  async open(): Promise<Opened> {
    if (this.#isOpen) throw openAlready(this.url);
    this.#isOpen = true;
    const kept = this.#snapshots.at(-1);
    const { lastSeq, lastHash } = this.#end();
    return {
      ...(kept !== undefined && { snapshot: { seq: kept.seq, hash: kept.hash, chunks: asynchronously(kept.chunks) } }),
      records: asynchronously(this.#records.slice(this.#indexOf((kept?.seq ?? 0) + 1))),
      lastSeq,
      lastHash,
      epoch: (this.#records.at(-1)?.epoch ?? 0) + 1,
    };
  }

  async append(record: JournalRecord, expectedSeq: number, archived: readonly Departed[] = []): Promise<void> {
    this.#assertOpen();
    const refusal = fence(record, expectedSeq, this.#end());
    if (refusal !== undefined) throw refusal;
    this.#records.push(record);
    for (const { kind, id, row } of archived) this.#archived.set(`${kind} ${id}`, row);
  }

  get archive(): Archive {
    return {
      get: async (kind, ids) => {
        this.#assertOpen();
        const found = new Map<string, string>();
        for (const id of ids) {
          const row = this.#archived.get(`${kind} ${id}`);
          if (row !== undefined) found.set(id, row);
        }
        return found;
      },
    };
  }

  async compact(beforeSeq: number): Promise<number> {
    this.#assertOpen();
    checkBeforeSeq(beforeSeq);
    const oldest = this.#snapshots[0];
    const kept = this.#indexOf(Math.min(beforeSeq, oldest?.seq ?? 1));
    const last = this.#records[kept - 1];
    if (last !== undefined) this.#before = endOf(last);
    this.#records = this.#records.slice(kept);
    return this.#before.lastSeq + 1;
  }

  async backup(): Promise<void> {
    this.#assertOpen();
    throw new SafeguardsError(
      "INVALID_STATE",
      `${this.url} is in no file: what is to be copied is opened with sqlite:`,
    );
  }

  async *read(fromSeq: number): AsyncIterable<JournalRecord> {
    this.#assertOpen();
    checkFrom(fromSeq, this.#before.lastSeq + 1);
    yield* this.#records.slice(this.#indexOf(fromSeq));
  }

  async writeSnapshot({ seq, hash, chunks }: SnapshotWriter): Promise<void> {
    this.#assertOpen();
    if (!this.#endsWith(seq, hash)) throw notARecordsEnd(this.url, seq);
    const kept: Uint8Array[] = [];
    for await (const chunk of chunks) {
      checkChunk(chunk);
      kept.push(chunk);
    }
    this.#assertOpen();
    const all = [...this.#snapshots, { seq, hash, chunks: kept }];
    this.#snapshots = all.toSorted((a, b) => a.seq - b.seq).slice(-KEPT_SNAPSHOTS);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw notOpen(this.url);
  }

  #end(): ChainEnd {
    const last = this.#records.at(-1);
    return last === undefined ? this.#before : endOf(last);
  }

  #endsWith(seq: number, hash: Uint8Array): boolean {
    const record = this.#records[this.#indexOf(seq)];
    const end = record === undefined ? this.#before : endOf(record);
    return end.lastSeq === seq && sameBytes(end.lastHash, hash);
  }

  /** Index of the record that holds the seq; of the first after it, if none does. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = this.#records[middle];
      if (record !== undefined && lastSeqOf(record) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

async function* asynchronously<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}
