import type { HeapInfo } from "node:v8";
import { describe, expect, test } from "vitest";
import { heapLimitMb, watchMemory } from "./thread-memory.ts";

/** Watches a thread that may use 100 MB and takes so many at each look; undefined: it does not run. Tells when it is looked at. */
async function watched(...takes: readonly (number | undefined)[]): Promise<{ looks: number[]; ended: number }> {
  const looks: number[] = [];
  let ended = 0;
  let next: (() => void) | undefined;
  const left = [...takes];
  const worker = {
    getHeapStatistics: async (): Promise<HeapInfo> => {
      const mb = left.shift();
      if (mb === undefined) throw new Error("it does not run");
      return { used_heap_size: mb * 1_048_576 } as HeapInfo;
    },
  };
  const stop = watchMemory(worker, {
    memoryMb: 100,
    after: (ms, fn) => {
      looks.push(ms);
      next = fn;
      return () => {
        next = undefined;
      };
    },
    tooMuch: () => {
      ended += 1;
    },
  });
  while (next !== undefined && left.length > 0) {
    const look = next;
    next = undefined;
    look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop();
  expect(next).toBe(undefined);
  return { looks, ended };
}

describe("a thread's memory", () => {
  test("is looked at as soon as it could have taken all that is left, at least every second", async () => {
    expect(await watched(0, 100, 180, 199)).toEqual({ looks: [10, 50, 25, 10, 10], ended: 0 });
  });

  test("may be twice what it may use, since V8 collects late, and no more: then it is ended, once", async () => {
    expect(await watched(200, 201, 500)).toEqual({ looks: [10, 10], ended: 1 });
  });

  test("is looked at again when it does not run yet", async () => {
    expect(await watched(undefined, undefined, 300)).toEqual({ looks: [10, 10, 10], ended: 1 });
  });

  test("is never what V8 would end the process for: that limit is far above", () => {
    expect(heapLimitMb(100)).toBeGreaterThanOrEqual(200 + 4_096);
  });
});
