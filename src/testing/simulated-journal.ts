import { unseal } from "../journal/codec.ts";
import type { Archive, Journal, JournalRecord, Opened, SnapshotWriter } from "../journal/journal.ts";
import type { MemoryJournal } from "../journal/memory.ts";
import type { Departed } from "../kernel/departed.ts";
import type { KernelEvent } from "../kernel/events.ts";

/** Who is there when the journal is opened and when a record is appended. */
export interface AppendWatch {
  opened(opened: Opened): void;
  /** Before it is kept; whether the process dies now, so that it is never kept. */
  before(): boolean;
  /** It is kept; whether the process dies now, so that nobody is told. */
  kept(record: JournalRecord, events: readonly KernelEvent[]): boolean;
}

/** The journal in memory as one process sees it. What a process that has died was waiting for never comes. */
export class SimulatedJournal implements Journal {
  readonly url: string;
  readonly #kept: MemoryJournal;
  readonly #watch: AppendWatch;
  /** The chunks of the last snapshot, put together. */
  snapshot = "";

  constructor(kept: MemoryJournal, watch: AppendWatch) {
    this.url = kept.url;
    this.#kept = kept;
    this.#watch = watch;
  }

  /** Takes it over from the process before, which may have died. */
  async open(): Promise<Opened> {
    await this.#kept.close();
    const opened = await this.#kept.open();
    this.#watch.opened(opened);
    return opened;
  }

  async append(record: JournalRecord, expectedSeq: number, archived?: readonly Departed[]): Promise<void> {
    if (this.#watch.before()) return never();
    const events = [...unseal(record)];
    await this.#kept.append(record, expectedSeq, archived);
    if (this.#watch.kept(record, events)) return never();
  }

  get archive(): Archive {
    return this.#kept.archive;
  }

  compact(beforeSeq: number): Promise<number> {
    return this.#kept.compact(beforeSeq);
  }

  backup(): Promise<void> {
    return this.#kept.backup();
  }

  read(fromSeq: number): AsyncIterable<JournalRecord> {
    return this.#kept.read(fromSeq);
  }

  /** Kept beside the journal only: opening always begins with the first event. */
  async writeSnapshot({ chunks }: SnapshotWriter): Promise<void> {
    const decoder = new TextDecoder();
    this.snapshot = "";
    for await (const chunk of chunks) this.snapshot += decoder.decode(chunk, { stream: true });
  }

  close(): Promise<void> {
    return this.#kept.close();
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
