import type { HeapInfo, HeapProfileHandle } from "node:v8";
import { describe, expect, test } from "vitest";
import { heapLimitMb, watchMemory } from "./thread-memory.ts";

const bytesPerMb = 1_048_576;

/** What a thread takes when it is looked at; `left`: when all else is collected; undefined: it does not run, or cannot be made to collect. */
interface Taken {
  readonly mb?: number;
  readonly left?: number;
}

/** Watches a thread that may use 100 MB. Tells when it is looked at. */
async function watchedWhere(
  collects: boolean,
  ...takes: readonly Taken[]
): Promise<{ looks: number[]; ended: number }> {
  const looks: number[] = [];
  let ended = 0;
  let next: (() => void) | undefined;
  let taken: Taken | undefined;
  const left = [...takes];
  const statistics = (mb: number | undefined): HeapInfo => {
    if (mb === undefined) throw new Error("it does not run");
    return { used_heap_size: mb * bytesPerMb } as HeapInfo;
  };
  let isCollected = false;
  const thread = {
    getHeapStatistics: async (): Promise<HeapInfo> => {
      if (isCollected) return statistics(taken?.left);
      taken = left.shift();
      return statistics(taken?.mb);
    },
    startHeapProfile: async () => {
      if (taken?.left === undefined) throw new Error("it is profiled already");
      return {
        stop: async () => {
          isCollected = true;
          queueMicrotask(() => {
            isCollected = false;
          });
          return "";
        },
      } as HeapProfileHandle;
    },
  };
  const stop = watchMemory(thread, {
    memoryMb: 100,
    collects,
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

function watched(...takes: readonly Taken[]): Promise<{ looks: number[]; ended: number }> {
  return watchedWhere(true, ...takes);
}

describe("a thread's memory", () => {
  test("is looked at as soon as it could have taken all that is left, at least every second", async () => {
    expect(await watched({ mb: 0 }, { mb: 100 }, { mb: 180 }, { mb: 199 })).toEqual({
      looks: [10, 50, 25, 10, 10],
      ended: 0,
    });
  });

  test("may be twice what it may use, since V8 collects late; over that it has to collect, and is ended for what is left", async () => {
    const takes = [{ mb: 200 }, { mb: 201, left: 5 }, { mb: 900, left: 100 }, { mb: 201, left: 101 }, { mb: 0 }];
    expect(await watched(...takes)).toEqual({ looks: [10, 10, 10, 10], ended: 1 });
  });

  test("may be so much more as V8 lets lie, where no thread can be made to collect", async () => {
    expect(await watchedWhere(false, { mb: 712 }, { mb: 713, left: 5 }, { mb: 0 })).toEqual({
      looks: [10, 10],
      ended: 1,
    });
    expect(heapLimitMb(100, false)).toBe(heapLimitMb(100, true) + 512);
  });

  test("counts as it is where the thread's own code keeps it from being made to collect", async () => {
    expect(await watched({ mb: 200 }, { mb: 201 }, { mb: 500 })).toEqual({ looks: [10, 10], ended: 1 });
  });

  test("is looked at again when it does not run yet", async () => {
    expect(await watched({}, {}, { mb: 300 })).toEqual({ looks: [10, 10, 10], ended: 1 });
  });

  test("is never what V8 would end the process for: that limit is far above", () => {
    expect(heapLimitMb(100)).toBeGreaterThanOrEqual(200 + 4_096);
  });
});
