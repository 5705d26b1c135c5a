import { invalid } from "../../../coordination/structures/arguments.ts";
import { SqliteJournal } from "../../../journal/sqlite.ts";
import { compactJournal } from "../../../runtime/compaction.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface CompactOptions {
  readonly journal?: string;
  readonly before?: string;
  readonly json?: boolean;
}

/** Drops events that a snapshot stands for. */
export async function compactCommand(options: CompactOptions, terminal: Terminal): Promise<number> {
  const journal = chooseJournal(options.journal);
  const before = options.before === undefined ? undefined : seqIn(options.before);
  const floor = await compacted(journal, before);
  if (options.json === true) terminal.json({ journal, floor }, 2);
  else terminal.print([`${printable(journal)} now begins with event ${floor}`]);
  return 0;
}

/** By the process that writes it; where nobody does, here, with nothing decided. */
async function compacted(path: string, before: number | undefined): Promise<number> {
  const view = await viewJournal(path);
  try {
    if (view.running !== undefined) return (await view.running.compact(before)).floor;
  } finally {
    await view.close();
  }
  const journal = new SqliteJournal(path);
  try {
    return (await compactJournal(journal, before)).floor;
  } finally {
    await journal.close();
  }
}

function seqIn(text: string): number {
  const seq = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(seq)) return seq;
  throw invalid("--before", text, "the number of an event, from 1 on");
}
