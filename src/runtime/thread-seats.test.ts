import { expect, test } from "vitest";
import { ThreadSeats } from "./thread-seats.ts";

const never = new AbortController().signal;

test("who comes when all are taken waits, and is next when one is given back, in order", async () => {
  const seats = new ThreadSeats(2);
  const begun: number[] = [];
  expect([seats.take(never), seats.take(never)]).toEqual([undefined, undefined]);
  const third = seats.take(never)?.then(() => begun.push(3));
  const fourth = seats.take(never)?.then(() => begun.push(4));
  await Promise.resolve();
  expect(begun).toEqual([]);
  seats.giveBack();
  await third;
  expect(begun).toEqual([3]);
  seats.giveBack();
  await fourth;
  expect(begun).toEqual([3, 4]);
  seats.giveBack();
  expect(seats.take(never)).toBe(undefined);
});

test("who is told to stop waits no longer, and takes nothing", async () => {
  const seats = new ThreadSeats(1);
  const stop = new AbortController();
  expect(seats.take(never)).toBe(undefined);
  const waiting = seats.take(stop.signal);
  const next = seats.take(never);
  stop.abort("enough");
  await expect(waiting).rejects.toBe("enough");
  await expect(seats.take(stop.signal)).rejects.toBe("enough");
  seats.giveBack();
  await next;
  seats.giveBack();
  expect(seats.take(never)).toBe(undefined);
});
