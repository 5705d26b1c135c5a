/**
 * Snapshots: the kernel's rows as lines of JSON, one stream of bytes cut into chunks.
 *
 * 1. A snapshot is of one instant: nothing is decided while it is taken.
 * 2. It is taken in slices, so that only decisions wait for it.
 * 3. All snapshots together cost no more than a constant share of all events, however large the state grows.
 * 4. One is taken after many events, and after some time once few have come.
 */

import type { Json } from "../coordination/structures/types.ts";
import type { Journal, SnapshotReader } from "../journal/journal.ts";
import { Kernel } from "../kernel/kernel.ts";
import { isReadable, Restoration } from "../kernel/restore.ts";
import type { Clock } from "./clock.ts";
import type { CommandLoop } from "./command-loop.ts";
import { digest } from "./digest.ts";
import { runtimeLimits } from "./limits.ts";

const IN_MEMORY = "memory:";
/** Events between two snapshots for each row of the last one. */
const EVENTS_PER_ROW = 4;

export class Snapshots {
  readonly #kernel: Kernel;
  readonly #journal: Journal;
  readonly #loop: CommandLoop;
  readonly #pause: () => Promise<void>;
  #takenAt: number;
  #rows = 0;
  /** When the last was begun, whatever became of it. */
  #triedAt = 0;
  #taking: Promise<{ readonly seq: number }> | undefined = undefined;

  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  /** Takes back the call that is to come after some time. */
  #cancel: (() => void) | undefined = undefined;
  #isStopped = false;

  /** `takenAt`: seq of the newest snapshot; 0 if there is none. `failed` is told what keeps one from being taken. */
  constructor(parts: {
    kernel: Kernel;
    journal: Journal;
    loop: CommandLoop;
    clock: Clock;
    takenAt: number;
    pause(): Promise<void>;
    failed(error: unknown): void;
  }) {
    this.#clock = parts.clock;
    this.#failed = parts.failed;
    this.#kernel = parts.kernel;
    this.#journal = parts.journal;
    this.#loop = parts.loop;
    this.#takenAt = parts.takenAt;
    this.#pause = parts.pause;
  }

  /** So much is durable: takes another where it is time for that, or sees to it that it comes. A journal in memory has no long way to read. */
  grew(seq: number): void {
    if (this.#journal.url === IN_MEMORY || this.#taking !== undefined || this.#isStopped) return;
    if (this.#isDue(seq)) {
      this.take().catch(this.#failed);
      return;
    }
    if (this.#cancel !== undefined || seq - this.#takenAt < this.#rows / runtimeLimits.snapshotRowsPerEvent) return;
    const after = (): void => {
      this.#cancel = undefined;
      this.take().catch(this.#failed);
    };
    this.#cancel = this.#clock.after(runtimeLimits.snapshotMs, after, "quiet");
  }

  /** None comes by itself any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #isDue(seq: number): boolean {
    return (
      seq - Math.max(this.#takenAt, this.#triedAt) >=
      Math.max(runtimeLimits.snapshotEvents, this.#rows * EVENTS_PER_ROW)
    );
  }

  /** Whether one saves the next opening more than it costs now. */
  isWorthwhileAtClose(seq: number): boolean {
    if (this.#journal.url === IN_MEMORY) return false;
    return seq - this.#takenAt >= Math.max(runtimeLimits.snapshotEventsAtClose, this.#rows);
  }

  /** Takes one; calls at the same time share it. */
  take(): Promise<{ readonly seq: number }> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#taking ??= this.#loop
      .pauseFor(async ({ lastSeq: seq, lastHash: hash }) => {
        this.#triedAt = seq;
        if (seq !== this.#takenAt)
          await this.#journal.writeSnapshot({
            seq,
            hash,
            chunks: chunksOf(this.#kernel, this.#pause, (rows) => {
              this.#rows = rows;
            }),
          });
        this.#takenAt = seq;
        return { seq };
      })
      .finally(() => {
        this.#taking = undefined;
      });
    return this.#taking;
  }
}

/** All rows as chunks, made in slices; `counted` is told how many rows there were. */
export async function* chunksOf(
  kernel: Kernel,
  pause: () => Promise<void>,
  counted: (rows: number) => void = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let rows = 0;
  let pending = "";
  let since = performance.now();
  for (const row of kernel.snapshot()) {
    rows += 1;
    pending += `${JSON.stringify(row)}\n`;
    if (pending.length >= runtimeLimits.snapshotChunkBytes / 4) {
      yield* cut(pending);
      pending = "";
    }
    if (performance.now() - since < runtimeLimits.sliceMs) continue;
    await pause();
    since = performance.now();
  }
  yield* cut(pending);
  counted(rows);
}

function* cut(text: string): Generator<Uint8Array, void, undefined> {
  const bytes = new TextEncoder().encode(text);
  const size = runtimeLimits.snapshotChunkBytes;
  for (let from = 0; from < bytes.length; from += size) yield bytes.slice(from, from + size);
}

/** The kernel as it was when the snapshot was taken; undefined when that was by a version with another format. Others have their turn in between. */
export async function restore(
  snapshot: SnapshotReader,
  pause: () => Promise<void> = async () => undefined,
): Promise<Kernel | undefined> {
  const restoration = new Restoration();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let begun = false;
  let since = performance.now();
  for await (const chunk of snapshot.chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const row: Json = JSON.parse(line);
      if (!begun && !isReadable(row)) return undefined;
      begun = true;
      restoration.take(row);
      if (performance.now() - since < runtimeLimits.sliceMs) continue;
      await pause();
      since = performance.now();
    }
  }
  return begun ? new Kernel(restoration.end(), digest) : undefined;
}
