/** A journal that nobody writes, compacted without anything being decided. */
import type { Journal } from "../journal/journal.ts";
import { readPast } from "./opening.ts";
import { chunksOf } from "./snapshots.ts";

/** Takes a snapshot of what the journal tells, and drops what need not be kept. Gives the first seq that is left. */
export async function compactJournal(journal: Journal, beforeSeq?: number): Promise<{ readonly floor: number }> {
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const { kernel, head, snapshotSeq } = await readPast(journal, pause);
  const { lastSeq: seq, lastHash: hash } = head;
  if (seq > snapshotSeq) await journal.writeSnapshot({ seq, hash, chunks: chunksOf(kernel, pause) });
  return { floor: await journal.compact(beforeSeq ?? Number.MAX_SAFE_INTEGER) };
}
