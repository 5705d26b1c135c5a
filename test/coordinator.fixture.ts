/** What the tests of the coordinator share. */
import { onTestFinished } from "vitest";
import { Coordinator, type CoordinatorOptions, type Logger, SafeguardsError, type StoredEvent } from "../src/index.ts";
import type { Archive, Journal, JournalRecord, Opened, SnapshotWriter } from "../src/journal/journal.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import type { Departed } from "../src/kernel/departed.ts";

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A coordinator that says nothing and is closed when the test is over. */
export async function opened(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const coordinator = await Coordinator.open({ logger: silent, ...options });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

/** A promise with its ends in reach, to hold an agent up. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

/** All events so far. */
export async function eventsOf(coordinator: Coordinator): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of coordinator.events()) events.push(event);
  return events;
}

/** The types of all events that name the task, in order. */
export async function historyOf(coordinator: Coordinator, taskId: string): Promise<string[]> {
  return (await eventsOf(coordinator)).filter((event) => event.taskId === taskId).map((event) => event.type);
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not rejected");
}

/** Resolves when the signal is aborted, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason), { once: true }));
}

/** A journal in memory whose process can die: whatever it has not acknowledged by then is gone. */
export class MortalJournal implements Journal {
  readonly url = "memory:";
  #kept: MemoryJournal = new MemoryJournal();
  #dead = false;
  /** Held back appends: they land when this resolves. */
  slow: Promise<void> | undefined = undefined;
  /** Whether its archive can be read no more. */
  damaged = false;

  open(): Promise<Opened> {
    return this.#kept.open();
  }

  async append(record: JournalRecord, expectedSeq: number, archived?: readonly Departed[]): Promise<void> {
    await this.slow;
    if (this.#dead) throw new Error("the disk is gone");
    await this.#kept.append(record, expectedSeq, archived);
  }

  get archive(): Archive {
    const { archive } = this.#kept;
    return {
      get: async (kind, ids) => {
        if (this.damaged) throw new SafeguardsError("JOURNAL_CORRUPT", "the archive is damaged");
        return archive.get(kind, ids);
      },
    };
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

  writeSnapshot(snapshot: SnapshotWriter): Promise<void> {
    return this.#kept.writeSnapshot(snapshot);
  }

  async close(): Promise<void> {
    if (!this.#dead) await this.#kept.close();
  }

  /** Nothing more is written. */
  fail(): void {
    this.#dead = true;
  }

  /** The process that writes it dies; what is kept can be opened by the next one. */
  async die(): Promise<Journal> {
    this.#dead = true;
    await this.#kept.close();
    return this.#kept;
  }
}
