/** From a journal to a kernel: what was decided before is replayed. */
import { unseal } from "../journal/codec.ts";
import type { Journal } from "../journal/journal.ts";
import { Kernel } from "../kernel/kernel.ts";
import { State } from "../kernel/state.ts";
import type { ChainHead } from "./command-loop.ts";
import { digest } from "./digest.ts";
import { runtimeLimits } from "./limits.ts";
import { restore } from "./snapshots.ts";

/** What a journal held. */
export interface Past {
  readonly kernel: Kernel;
  readonly head: ChainHead;
  /** Seq of the snapshot that it was opened from; 0: none. */
  readonly snapshotSeq: number;
  /** What was found damaged and repaired, in words. */
  readonly repaired: string | undefined;
}

/** Takes the journal over and replays it. Linear in the events since the newest snapshot. */
export async function readPast(journal: Journal, pause: () => Promise<void>): Promise<Past> {
  const { snapshot, records, lastSeq, lastHash, epoch, repaired } = await journal.open();
  const restored = snapshot === undefined ? undefined : await restore(snapshot, pause);
  const kernel = restored ?? new Kernel(new State(), digest);
  // A snapshot that an older version made is passed over.
  const replayed = snapshot !== undefined && restored === undefined ? journal.read(1) : records;
  let since = performance.now();
  for await (const record of replayed) {
    for (const event of unseal(record)) {
      if (event.seq > kernel.seq) kernel.replay(event);
    }
    if (performance.now() - since < runtimeLimits.sliceMs) continue;
    await pause();
    since = performance.now();
  }
  return {
    kernel,
    head: { lastSeq, lastHash, epoch },
    snapshotSeq: restored === undefined ? 0 : (snapshot?.seq ?? 0),
    repaired,
  };
}
