import { expect, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import { MemoryJournal } from "../journal/memory.ts";
import type { Clock } from "./clock.ts";
import { LocalBackend } from "./local-backend.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** No time passes on it: whatever is to be called later is called soon, and remembered. */
class HastyClock implements Clock {
  readonly waits: number[] = [];

  now(): number {
    return 1_000_000;
  }

  after(ms: number, fn: () => void): () => void {
    this.waits.push(ms);
    const timer = setImmediate(fn);
    return () => clearImmediate(timer);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }
}

/** How long code is waited for that never ends, by a drain that gives it 100 ms, and a close. */
async function waits(...graces: readonly (number | undefined)[]): Promise<readonly number[]> {
  const clock = new HastyClock();
  const parts = { journal: new MemoryJournal(), logger: silent, settings: {}, resources: [], clock: () => clock };
  const backend = await LocalBackend.open(parts);
  const { promise: entered, resolve } = Promise.withResolvers<void>();
  let left = graces.length;
  const run = (): Promise<never> => {
    left -= 1;
    if (left === 0) resolve();
    return new Promise(() => undefined);
  };
  await backend.register(defineAgent({ name: "deaf", capacity: 9, run }), () => undefined);
  const tasks = graces.map((graceMs, i) => ({ id: `${i}`, ...(graceMs === undefined ? {} : { graceMs }) }));
  await backend.command({ type: "task.submit", tasks });
  await entered;
  clock.waits.length = 0;
  await backend.drain(100);
  await backend.close();
  return clock.waits;
}

test.each([
  ["as long as its grace", [30], 30],
  ["as long as the longest grace, where there are several", [30, 70, 50], 70],
  ["for two seconds at most", [30, undefined], 2_000],
])("code that does not stop is waited for %s, once it was told to", async (_, graces, ms) => {
  expect((await waits(...graces)).slice(0, 2)).toEqual([100, ms]);
});
