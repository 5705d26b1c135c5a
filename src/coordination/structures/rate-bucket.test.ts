import { describe, expect, test } from "vitest";
import { type Amount, amountOf, amountToNumber, ZERO } from "./amount.ts";
import { RateBucket } from "./rate-bucket.ts";

function amount(value: number): Amount {
  return amountOf(value) ?? ZERO;
}

/** 3 tokens each 1 000 milliseconds, empty at 0. */
function empty(): RateBucket {
  const bucket = new RateBucket(amount(3), 1_000, 0);
  bucket.take(amount(3), 0);
  return bucket;
}

describe("a rate's tokens", () => {
  test("come back continuously, rounded down to nine places, up to the capacity", () => {
    const bucket = empty();
    const available = [0, 1, 500, 999, 1_000, 5_000].map((now) => amountToNumber(bucket.available(now)));
    expect(available).toEqual([0, 0.003, 1.5, 2.997, 3, 3]);
  });

  test("are there from the first whole millisecond on at which so many are", () => {
    const bucket = empty();
    for (const wanted of [0.001, 1, 2, 2.9995, 3]) {
      const at = bucket.readyAt(amount(wanted), 0);
      expect(amountToNumber(bucket.available(at))).toBeGreaterThanOrEqual(wanted);
      expect(amountToNumber(bucket.available(at - 1))).toBeLessThan(wanted);
    }
    expect(bucket.readyAt(amount(1), 900)).toBe(900);
  });

  test("never are so many there as are more than the capacity", () => {
    expect(empty().readyAt(amount(3.000_000_001), 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("what is not there cannot be taken, and nothing is taken then", () => {
    const bucket = empty();
    expect(() => bucket.take(amount(1.6), 500)).toThrow(RangeError);
    expect(amountToNumber(bucket.available(500))).toBe(1.5);
  });

  test("time that runs backwards counts as the last", () => {
    const bucket = empty();
    bucket.take(amount(1), 500);
    expect(amountToNumber(bucket.available(100))).toBe(0.5);
    expect(bucket.readyAt(amount(1.5), 100)).toBe(834);
  });

  test("another pace keeps what is there, as far as it fits", () => {
    const bucket = empty();
    bucket.configure(amount(1), 10, 500);
    expect(amountToNumber(bucket.available(500))).toBe(1);
    bucket.configure(amount(9), 10, 500);
    expect(amountToNumber(bucket.available(510))).toBe(9);
    expect(amountToNumber(bucket.available(505))).toBe(5.5);
  });

  test("restored it goes on as it was", () => {
    const bucket = empty();
    bucket.take(amount(0.1), 100);
    const twin = RateBucket.restore(bucket.state());
    for (const now of [100, 333, 2_000]) expect(twin.available(now)).toEqual(bucket.available(now));
    expect(twin.state()).toEqual(bucket.state());
  });
});
