import { describe, expect, it } from "vitest";
import { SystemClock } from "./clock.ts";

describe("SystemClock", () => {
  it("begins at the wall clock, or at the last journaled time if that is later", () => {
    expect(new SystemClock(0, 5_000).now()).toBeGreaterThanOrEqual(5_000);
    expect(new SystemClock(0, 5_000).now()).toBeLessThan(6_000);
    expect(new SystemClock(9_000, 5_000).now()).toBeGreaterThanOrEqual(9_000);
  });

  it("gives whole milliseconds that never run backwards, also right after it was made", () => {
    for (let i = 0; i < 2_000; i++) {
      const begin = 1_795_408_748_579 + i;
      const clock = new SystemClock(begin, 0);
      const [first, second] = [clock.now(), clock.now()];
      expect(Number.isSafeInteger(first)).toBe(true);
      expect(first).toBeGreaterThanOrEqual(begin);
      expect(second).toBeGreaterThanOrEqual(first);
    }
  });

  it("calls after a while, however long that is, unless it is told not to", async () => {
    const clock = new SystemClock(0);
    const calls: string[] = [];
    clock.after(1e12, () => calls.push("in 30 years"))();
    const notForever = clock.after(2 ** 40, () => calls.push("far away"));
    clock.after(1, () => calls.push("never"))();
    await new Promise<void>((resolve) => clock.after(5, resolve));
    await new Promise<void>((resolve) => clock.after(-5, resolve));
    notForever();
    expect(calls).toEqual([]);
  });

  it("calls soon when what happens now has happened", async () => {
    const clock = new SystemClock(0);
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      clock.soon(() => {
        calls.push("soon");
        resolve();
      });
      void Promise.resolve().then(() => calls.push("promise"));
      process.nextTick(() => calls.push("tick"));
      calls.push("now");
    });
    expect(calls[0]).toBe("now");
    expect(calls.at(-1)).toBe("soon");
  });
});
