import { once } from "node:events";
import { isSafeguardsError, SafeguardsError } from "../../../errors.ts";
import type { FeedOptions, StoredEvent } from "../../../runtime/event-feed.ts";
import { chooseJournal } from "../journal-choice.ts";
import { type JournalView, viewJournal } from "../journal-view.ts";
import { type Line, paint, print } from "../line.ts";
import { clock } from "../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { printable, safeJson } from "../text.ts";

export interface EventsOptions {
  readonly journal?: string;
  readonly from?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** Tells what happened, one event a line; with `follow` on and on, until Ctrl-C. */
export async function eventsCommand(options: EventsOptions, terminal: Terminal): Promise<number> {
  const from = fromOf(options.from);
  const view = await viewJournal(chooseJournal(options.journal));
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const paper = terminal.paper();
    const follow = options.follow === true;
    for await (const event of eventsFrom(view, from, { follow, signal: end.signal }, terminal)) {
      const line = options.json === true ? safeJson(event) : print(eventLine(event), paper);
      if (!terminal.out.write(`${line}\n`)) await once(terminal.out, "drain");
    }
    return 0;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    await view.close();
  }
}

/** From that event on; where none is named, from the first that compaction has left. */
async function* eventsFrom(
  view: JournalView,
  from: number | undefined,
  options: FeedOptions,
  terminal: Terminal,
): AsyncIterable<StoredEvent> {
  try {
    yield* view.events({ from: from ?? 1, ...options });
  } catch (error) {
    const floor = isSafeguardsError(error, "SEQ_COMPACTED") ? error.details?.floor : undefined;
    if (from !== undefined || typeof floor !== "number") throw error;
    terminal.complain(`events before ${floor} were compacted away`);
    yield* view.events({ from: floor, ...options });
  }
}

function eventLine({ seq, at, type, v, ...fields }: StoredEvent): Line {
  const { taskId, ...rest } = fields;
  const told = Object.entries(rest).map(
    ([key, value]) => ` ${printable(key)}=${typeof value === "string" ? printable(value) : safeJson(value)}`,
  );
  const task = typeof taskId === "string" ? ` ${printable(taskId)}` : "";
  return [paint("dim", `${seq} ${clock(at)}`), ` ${type}`, paint("cyan", task), paint("dim", told.join(""))];
}

function fromOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const from = Number(given);
  if (Number.isSafeInteger(from) && from > 0) return from;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `--from is ${JSON.stringify(given)}; it must be a whole number above 0`,
  );
}
