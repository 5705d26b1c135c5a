/**
 * What there is to see of a crew: asked of the process that runs it, through the socket beside its journal; where there is
 * none, read from the journal, which this never writes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isSafeguardsError } from "../../errors.ts";
import { unseal } from "../../journal/codec.ts";
import { openSqliteReader, type SqliteReader } from "../../journal/sqlite-reader.ts";
import { Kernel } from "../../kernel/kernel.ts";
import type { AgentInfo, BudgetInfo, Explanation, ResourceInfo, TaskFilter, TaskInfo } from "../../kernel/views.ts";
import { Coordinator } from "../../runtime/coordinator.ts";
import { type CoordinatorOptions, optionsOf } from "../../runtime/coordinator-options.ts";
import { Departures } from "../../runtime/departures.ts";
import type { FeedOptions, StoredEvent } from "../../runtime/event-feed.ts";
import { Queries } from "../../runtime/queries.ts";
import { restore } from "../../runtime/snapshots.ts";
import { Meters } from "../../runtime/stats.ts";

export interface JournalView {
  /** The process that runs the crew; absent: nobody does, and what is seen is what was last written. */
  readonly running?: Coordinator;
  /** The last event that was seen, and when it was written; absent while it changes. */
  readonly asOf?: { readonly seq: number; readonly at: number };
  /** What it was last opened with, where nobody runs it. */
  readonly settings?: CoordinatorOptions;
  tasks(filter?: TaskFilter): Promise<readonly TaskInfo[]>;
  agents(): Promise<readonly AgentInfo[]>;
  resources(): Promise<readonly ResourceInfo[]>;
  budgets(): Promise<readonly BudgetInfo[]>;
  explain(taskId: string): Promise<Explanation>;
  events(options: FeedOptions): AsyncIterable<StoredEvent>;
  close(): Promise<void>;
}

/** A view of the journal at that path. */
export async function viewJournal(path: string): Promise<JournalView> {
  const running = await join(path);
  if (running === undefined) return readJournal(path);
  return {
    running,
    tasks: (filter) => running.tasks(filter),
    agents: () => running.agents(),
    resources: () => running.resources(),
    budgets: () => running.budgets(),
    explain: (taskId) => running.explain(taskId),
    events: (options) => running.events(options),
    close: () => running.close(),
  };
}

/** The coordinator that writes the journal; `undefined` when nobody does. */
async function join(path: string): Promise<Coordinator | undefined> {
  try {
    return await Coordinator.open({ journal: `sqlite:${path}`, join: true });
  } catch (error) {
    if (isSafeguardsError(error, "CLOSED")) return undefined;
    throw error;
  }
}

const POLL_MS = 300;

async function readJournal(path: string): Promise<JournalView> {
  const reader = openSqliteReader(path);
  const snapshot = reader.snapshot();
  const kernel = (snapshot && (await restore(snapshot))) ?? new Kernel();
  for await (const record of reader.read(kernel.seq + 1)) {
    for (const event of unseal(record)) if (event.seq > kernel.seq) kernel.replay(event);
  }
  const now = (): number => kernel.at;
  const { answers } = new Queries(kernel, new Departures(kernel, reader.archive), { now }, new Meters(), async (look) =>
    look(),
  );
  return {
    asOf: { seq: kernel.seq, at: kernel.at },
    ...(kernel.settings === undefined ? {} : { settings: optionsOf(kernel.settings) }),
    tasks: async (filter = {}) => answers.tasks(filter),
    agents: async () => kernel.agents(kernel.at).map((agent) => ({ ...agent, online: false })),
    resources: async () => kernel.resources(kernel.at),
    budgets: async () => kernel.budgets(),
    explain: async (taskId) => answers.explain(taskId),
    events: (options) => readEvents(reader, options),
    close: async () => reader.close(),
  };
}

/** Whoever writes meanwhile is followed by looking again and again. */
async function* readEvents(
  reader: SqliteReader,
  { from = 1, follow = false, signal }: FeedOptions,
): AsyncIterable<StoredEvent> {
  let next = from;
  while (signal?.aborted !== true) {
    if (next <= reader.end().lastSeq) {
      for await (const record of reader.read(next)) {
        for (const event of unseal(record)) {
          if (event.seq < next) continue;
          next = event.seq + 1;
          // Events are JSON, each with fields of its own.
          yield event as object as StoredEvent;
        }
      }
    }
    if (!follow) return;
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}
