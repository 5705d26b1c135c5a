import { statSync } from "node:fs";
import { resolve } from "node:path";
import { backUp } from "../../../journal/sqlite-backup.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import { size } from "../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface BackupOptions {
  readonly journal?: string;
  readonly json?: boolean;
}

/** Copies the journal to a new file, from which `--journal` goes on. */
export async function backupCommand(file: string, options: BackupOptions, terminal: Terminal): Promise<number> {
  const journal = chooseJournal(options.journal);
  const target = resolve(file);
  const view = await viewJournal(journal);
  try {
    // A journal that nobody writes is only read.
    if (view.running === undefined) backUp(journal, target);
    else await view.running.backup(target);
  } finally {
    await view.close();
  }
  const bytes = statSync(target).size;
  if (options.json === true) terminal.json({ journal, backup: target, bytes }, 2);
  else terminal.print([`${printable(journal)} is copied to ${printable(file)}: ${size(bytes)}`]);
  return 0;
}
