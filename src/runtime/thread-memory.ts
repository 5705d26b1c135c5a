/**
 * Ends a thread that takes too much memory, before V8 ends the whole process for it.
 *
 * Where a thread asks for more in one piece than is left of its limit, V8 gives up, and the process with it. So the limit that V8
 * knows leaves more than can be asked for in the time that it takes to look, and what the thread takes is looked at instead:
 * also while it is busy, as often as it could have taken all that is left. V8, which believes that there is much room, lets
 * hundreds of megabytes lie that nobody uses any more: so a thread that takes much has to collect them before it is judged.
 */
import v8 from "node:v8";
import type { Worker } from "node:worker_threads";
import { runtimeLimits } from "./limits.ts";

const BYTES_PER_MB = 1_048_576;
/** What is not collected yet may be as much again as what is in use. */
const WITH_GARBAGE = 2;
const { memoryLookMs, memoryLooksMs, memoryMbPerMs, memoryHeadroomMb } = runtimeLimits;
/** A profile of next to nothing: it is asked for since V8 collects all before it gives one. */
const COLLECTING = { forceGC: true, sampleInterval: 2 ** 40, stackDepth: 0 };

/** Whether a thread can be made to collect: since Node 26.1, with which this came as well. */
const CAN_COLLECT = typeof v8.startHeapProfile === "function";
/** Megabytes that V8 lets lie, before it collects for the first time, of a thread that cannot be made to. */
const UNCOLLECTED_MB = 512;

/** More than this of a thread that may use so much is too much, or has to be collected first. */
function mostMb(memoryMb: number, collects: boolean): number {
  return WITH_GARBAGE * memoryMb + (collects ? 0 : UNCOLLECTED_MB);
}

/** The limit that V8 is told for a thread that may take so much. */
export function heapLimitMb(memoryMb: number, collects: boolean = CAN_COLLECT): number {
  return mostMb(memoryMb, collects) + memoryHeadroomMb;
}

export type WatchedThread = Pick<Worker, "getHeapStatistics" | "startHeapProfile">;

export interface MemoryWatch {
  /** Megabytes of JavaScript objects that the thread may use. */
  readonly memoryMb: number;
  /** Whether it can be made to collect. Default: whether this Node can do so. */
  readonly collects?: boolean;
  /** Calls once after so many milliseconds, unless the function that it returns is called before. */
  after(ms: number, fn: () => void): () => void;
  /** It takes more than it may: called once. */
  tooMuch(): void;
}

/** Watches the thread until what it returns is called. */
export function watchMemory(thread: WatchedThread, watch: MemoryWatch): () => void {
  const { memoryMb, collects = CAN_COLLECT } = watch;
  const most = mostMb(memoryMb, collects);
  let isOver = false;
  let cancel = (): void => undefined;
  const lookIn = (ms: number): void => {
    if (!isOver) cancel = watch.after(ms, look);
  };
  const look = (): void => {
    takenMb(thread).then(
      (mb) => {
        if (mb > most) collect();
        else lookIn(Math.ceil(Math.min(memoryLooksMs, Math.max(memoryLookMs, (most - mb) / memoryMbPerMs))));
      },
      // It does not run yet, or no more.
      () => lookIn(memoryLookMs),
    );
  };
  const collect = (): void => {
    if (isOver) return;
    const judged = (mb: number): void => {
      if (mb <= memoryMb) lookIn(memoryLookMs);
      else if (!isOver) watch.tooMuch();
    };
    // Where it cannot be made to, what it takes counts as it is: so it is, too, where its code profiles itself.
    if (collects) collectedMb(thread).then(judged, () => judged(most));
    else judged(most);
  };
  lookIn(memoryLookMs);
  return () => {
    isOver = true;
    cancel();
  };
}

async function takenMb(thread: WatchedThread): Promise<number> {
  const { used_heap_size: bytes } = await thread.getHeapStatistics();
  return bytes / BYTES_PER_MB;
}

/** What it takes when all is collected that it does not use. */
async function collectedMb(thread: WatchedThread): Promise<number> {
  const profile = await thread.startHeapProfile(COLLECTING);
  // Asked for at once, one follows the other while its code stands still.
  const [, mb] = await Promise.all([profile.stop(), takenMb(thread)]);
  return mb;
}
