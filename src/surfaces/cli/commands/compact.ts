import { invalid } from "../../../coordination/structures/arguments.ts";
import { chooseJournal } from "../journal-choice.ts";
import { withWriter } from "../journal-writer.ts";
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
  const { floor } = await withWriter(journal, (coordinator) => coordinator.compact(before));
  if (options.json === true) terminal.json({ journal, floor }, 2);
  else terminal.print([`${printable(journal)} now begins with event ${floor}`]);
  return 0;
}

function seqIn(text: string): number {
  const seq = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(seq)) return seq;
  throw invalid("--before", text, "the number of an event, from 1 on");
}
