/**
 * The log for readers: from any seq on, to its present end or on and on.
 *
 * 1. Events come in order of seq, each once, and only when they are durable.
 * 2. Nothing is buffered beyond the page that is being read: a reader that never reads costs nothing.
 */
import { checkInteger, checkKeys, invalid } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { SafeguardsError } from "../errors.ts";
import { unseal } from "../journal/codec.ts";
import type { Journal } from "../journal/journal.ts";

/** An event as it is kept. Its fields beyond these are its type's own. */
export interface StoredEvent {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly type: string;
  readonly v: number;
  readonly commandId?: string;
  /** The agent whose attempt or vote caused it; absent: the program itself did, or time. */
  readonly by?: string;
  /** The trace that its task was submitted with. */
  readonly trace?: string;
  readonly [field: string]: Json | undefined;
}

/** Which events to read. */
export interface FeedOptions {
  /** The first seq that is wanted, from 1 on. Default: 1. */
  readonly from?: number;
  /** Whether to go on with what is to come. Default: false, up to what is durable when reading begins. */
  readonly follow?: boolean;
  /** Ends the reading, when aborted. */
  readonly signal?: AbortSignal;
}

export function checkFeedOptions(options: FeedOptions): void {
  checkKeys(options, ["from", "follow", "signal"], "the options of events");
  const { from, follow, signal } = options;
  if (from !== undefined) checkInteger(from, "from", 1, Number.MAX_SAFE_INTEGER);
  if (follow !== undefined && typeof follow !== "boolean") throw invalid("follow", follow, "true or false");
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid("signal", signal, "an AbortSignal");
}

export class EventFeed {
  readonly #journal: Journal;
  readonly #readers: Set<() => void> = new Set();
  #durableSeq: number;
  #stopped: { readonly error: SafeguardsError | undefined } | undefined = undefined;

  constructor(journal: Journal, durableSeq: number) {
    this.#journal = journal;
    this.#durableSeq = durableSeq;
  }

  /** All up to this seq is durable now. */
  grow(durableSeq: number): void {
    this.#durableSeq = durableSeq;
    this.#wake();
  }

  /** Nothing more will come; readers end, or fail if there is an error. */
  stop(error?: SafeguardsError): void {
    this.#stopped ??= { error };
    this.#wake();
  }

  async *read({ from = 1, follow = false, signal }: FeedOptions): AsyncGenerator<StoredEvent, void, undefined> {
    let next = from;
    const end = this.#durableSeq;
    while (this.#goesOn(signal)) {
      const upTo = follow ? this.#durableSeq : end;
      if (next <= upTo) {
        const page = this.#page(next, upTo);
        try {
          for (
            let event = await this.#nextOf(page, signal);
            event !== undefined;
            event = await this.#nextOf(page, signal)
          ) {
            yield event;
            next = event.seq + 1;
          }
        } finally {
          await page.return();
        }
      }
      if (!follow && next > end) return;
      if (next > this.#durableSeq) await this.#more(signal);
    }
  }

  /** The next event of a page; none at its end, and none once the reading is over. */
  async #nextOf(
    page: AsyncGenerator<StoredEvent, void, undefined>,
    signal: AbortSignal | undefined,
  ): Promise<StoredEvent | undefined> {
    if (!this.#goesOn(signal)) return undefined;
    try {
      const { value } = await page.next();
      return value ?? undefined;
    } catch (error) {
      // A journal that was closed while it was read has no more to give.
      if (this.#goesOn(signal)) throw error;
      return undefined;
    }
  }

  async *#page(from: number, upTo: number): AsyncGenerator<StoredEvent, void, undefined> {
    for await (const record of this.#journal.read(from)) {
      for (const event of unseal(record)) {
        if (event.seq < from) continue;
        if (event.seq > upTo) return;
        // Events are JSON, each with fields of its own.
        yield event as object as StoredEvent;
      }
    }
  }

  #goesOn(signal: AbortSignal | undefined): boolean {
    if (signal?.aborted === true) return false;
    if (this.#stopped === undefined) return true;
    if (this.#stopped.error !== undefined) throw this.#stopped.error;
    return false;
  }

  async #more(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#goesOn(signal)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#readers.add(wake);
    signal?.addEventListener("abort", wake);
    await promise;
    this.#readers.delete(wake);
    signal?.removeEventListener("abort", wake);
  }

  #wake(): void {
    if (this.#readers.size === 0) return;
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const reader of readers) reader();
  }
}
