import { expect, test } from "vitest";
import { VirtualClock, VirtualTime } from "./virtual-time.ts";

function started(notBefore = 0): { readonly time: VirtualTime; readonly clock: VirtualClock; readonly told: string[] } {
  const time = new VirtualTime();
  const clock = new VirtualClock(time);
  clock.start(notBefore);
  return { time, clock, told: [] };
}

test("time passes only from one due call to the next, a year as fast as a second", async () => {
  const { time, clock, told } = started();
  const year = 365 * 86_400_000;
  clock.after(year, () => told.push(`year ${clock.now()}`));
  clock.after(1_000, () => told.push(`second ${clock.now()}`));
  expect(clock.now()).toBe(0);
  await time.run();
  expect(told).toEqual(["second 1000", `year ${year}`]);
});

test("all that is due at one instant is called, and what follows from it settled, before what is to be done soon", async () => {
  const { time, clock, told } = started();
  clock.after(5, () => {
    clock.soon(() => told.push("soon"));
    void Promise.resolve()
      .then(() => undefined)
      .then(() => told.push("promised"));
    clock.after(0, () => told.push("third"));
  });
  clock.after(5, () => told.push("second"));
  await time.run();
  expect(told).toEqual(["second", "third", "promised", "soon"]);
});

test("what is due later is called after what is to be done soon", async () => {
  const { time, clock, told } = started();
  clock.after(1, () => told.push(`later ${clock.now()}`));
  clock.soon(() => clock.soon(() => told.push(`soon ${clock.now()}`)));
  await time.run();
  expect(told).toEqual(["soon 0", "later 1"]);
});

test("a fraction of a millisecond is a whole one, and what is overdue is due now", async () => {
  const { time, clock, told } = started();
  clock.after(0.2, () => told.push(`${clock.now()}`));
  clock.after(-7, () => told.push(`${clock.now()}`));
  await time.run();
  expect(told).toEqual(["0", "1"]);
});

test("a call that was cancelled, or belongs to a process that died, is not made, and time does not wait for it", async () => {
  const { time, clock, told } = started();
  const other = new VirtualClock(time);
  clock.after(100, () => told.push("cancelled"))();
  other.after(200, () => told.push("died"));
  other.soon(() => told.push("died"));
  other.die();
  other.after(1, () => told.push("died before"));
  other.soon(() => told.push("died before"));
  await time.run();
  expect([told, time.elapsed, other.isAlive]).toEqual([[], 0, false]);
});

test("a process that dies in a call takes with it what was due at the same instant", async () => {
  const { time, clock, told } = started();
  clock.after(1, () => clock.die());
  clock.after(1, () => told.push("due with it"));
  await time.run();
  expect(told).toEqual([]);
});

test("a clock starts at the wall clock, or at what is journaled if that is later; then the wall clock may jump", async () => {
  const { time, clock } = started(50);
  expect(clock.now()).toBe(50);
  time.jump({ wallMs: 1_000 });
  expect(clock.now()).toBe(50);
  clock.after(10, () => undefined);
  await time.run();
  expect(clock.now()).toBe(60);
  const next = new VirtualClock(time);
  next.start(60);
  expect(next.now()).toBe(1_010);
  time.jump({ wallMs: -5_000 });
  const last = new VirtualClock(time);
  last.start(1_010);
  expect(last.now()).toBe(1_010);
});

test("after a stall all that was due meanwhile comes at once, in the order in which it was due", async () => {
  const { time, clock, told } = started();
  clock.after(20, () => told.push(`second ${clock.now()}`));
  clock.after(10, () => told.push(`first ${clock.now()}`));
  time.jump({ stallMs: 100 });
  clock.soon(() => told.push("soon"));
  await time.run();
  expect(told).toEqual(["first 100", "second 100", "soon"]);
});
