import { expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { WakeTimer } from "./wake-timer.ts";

/** A clock that is set by hand. */
function handClock() {
  let now = 0;
  const timers: { at: number; fn: () => void; cancelled: boolean }[] = [];
  const clock: Clock = {
    now: () => now,
    after(ms, fn) {
      const timer = { at: now + ms, fn, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    soon: (fn) => fn(),
  };
  const goTo = (at: number): void => {
    now = at;
    for (const timer of timers.splice(0)) {
      if (timer.cancelled) continue;
      if (timer.at <= at) timer.fn();
      else timers.push(timer);
    }
  };
  return { clock, goTo, made: timers };
}

it("rings when it is time, once, and may be set again", () => {
  const { clock, goTo } = handClock();
  const rings: number[] = [];
  const timer = new WakeTimer(clock, () => rings.push(clock.now()));
  timer.setTo(10);
  goTo(9);
  expect(rings).toEqual([]);
  goTo(10);
  goTo(11);
  expect(rings).toEqual([10]);
  timer.setTo(5);
  goTo(12);
  expect(rings).toEqual([10, 12]);
});

it("is moved forward, not back: a later time lets it ring too early instead", () => {
  const { clock, goTo, made } = handClock();
  const rings: number[] = [];
  const timer = new WakeTimer(clock, () => rings.push(clock.now()));
  timer.setTo(10);
  for (let at = 11; at < 1_000; at++) timer.setTo(at);
  expect(made).toHaveLength(1);
  timer.setTo(5);
  goTo(5);
  goTo(10);
  expect(rings).toEqual([5]);
});

it("never rings once it is set to nothing", () => {
  const { clock, goTo } = handClock();
  const rings: number[] = [];
  const timer = new WakeTimer(clock, () => rings.push(clock.now()));
  timer.setTo(10);
  timer.setTo(undefined);
  goTo(20);
  expect(rings).toEqual([]);
});
