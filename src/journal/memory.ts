/**
 * The journal that lives in memory: for tests, and for teams that need no history. It survives its coordinator, not its
 * process: opened again after `close` it holds what it held.
 */
import { CHAIN_START, type ChainEnd, endOf, fence, lastSeqOf } from "./chain.ts";
import { sameBytes } from "./frame.ts";
import { type Journal, type JournalRecord, KEPT_SNAPSHOTS, type Opened, type SnapshotWriter } from "./journal.ts";
import { checkChunk, checkFrom, notARecordsEnd, notOpen, openAlready } from "./refusals.ts";

interface KeptSnapshot {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

/** Appends cost constant time, finding a record logarithmic time; a snapshot is held whole. */
export class MemoryJournal implements Journal {
  readonly url = "memory:";
  readonly #records: JournalRecord[] = [];
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

  async append(record: JournalRecord, expectedSeq: number): Promise<void> {
    this.#assertOpen();
    const refusal = fence(record, expectedSeq, this.#end());
    if (refusal !== undefined) throw refusal;
    this.#records.push(record);
  }

  async *read(fromSeq: number): AsyncIterable<JournalRecord> {
    this.#assertOpen();
    checkFrom(fromSeq, 1);
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
    return last === undefined ? CHAIN_START : endOf(last);
  }

  #endsWith(seq: number, hash: Uint8Array): boolean {
    const record = this.#records[this.#indexOf(seq)];
    const end = record === undefined ? CHAIN_START : endOf(record);
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
