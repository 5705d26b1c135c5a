/**
 * Ends a thread that takes too much memory, before V8 ends the whole process for it.
 *
 * Where a thread asks for more in one piece than is left of its limit, V8 gives up, and the process with it. So the limit that V8
 * knows leaves more than can be asked for in the time that it takes to look, and what the thread takes is looked at instead:
 * also while it is busy, as often as it could have taken all that is left.
 */
import type { Worker } from "node:worker_threads";
import { runtimeLimits } from "./limits.ts";

const BYTES_PER_MB = 1_048_576;
/** What V8 has not collected yet may be as much again as what is in use. */
const WITH_GARBAGE = 2;
const { memoryLookMs, memoryLooksMs, memoryMbPerMs, memoryHeadroomMb } = runtimeLimits;

/** The limit that V8 is told for a thread that may take so much. */
export function heapLimitMb(memoryMb: number): number {
  return WITH_GARBAGE * memoryMb + memoryHeadroomMb;
}

export interface MemoryWatch {
  /** Megabytes of JavaScript objects that the thread may use. */
  readonly memoryMb: number;
  /** Calls once after so many milliseconds, unless the function that it returns is called before. */
  after(ms: number, fn: () => void): () => void;
  /** It takes more than it may: called once. */
  tooMuch(): void;
}

/** Watches the thread until what it returns is called. */
export function watchMemory(worker: Pick<Worker, "getHeapStatistics">, watch: MemoryWatch): () => void {
  const mostMb = WITH_GARBAGE * watch.memoryMb;
  let isOver = false;
  let cancel = (): void => undefined;
  const lookIn = (ms: number): void => {
    if (!isOver) cancel = watch.after(ms, look);
  };
  const look = (): void => {
    worker.getHeapStatistics().then(
      ({ used_heap_size: used }) => {
        const leftMb = mostMb - used / BYTES_PER_MB;
        if (leftMb >= 0) lookIn(Math.ceil(Math.min(memoryLooksMs, Math.max(memoryLookMs, leftMb / memoryMbPerMs))));
        else if (!isOver) watch.tooMuch();
      },
      // It does not run yet, or no more.
      () => lookIn(memoryLookMs),
    );
  };
  lookIn(memoryLookMs);
  return () => {
    isOver = true;
    cancel();
  };
}
