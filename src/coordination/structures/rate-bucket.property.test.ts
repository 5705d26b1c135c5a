import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Amount, amountOf, atMost, ZERO } from "./amount.ts";
import { RateBucket } from "./rate-bucket.ts";

const START = 1_000;

function amount(value: number): Amount {
  return amountOf(value) ?? ZERO;
}

/** A bucket of `capacity` each `per` ms from which `taken` was taken at the start. */
function bucket(capacity: number, per: number, taken = 0): RateBucket {
  const made = new RateBucket(amount(capacity), per, START);
  made.take(amount(taken), START);
  return made;
}

describe("tokens", () => {
  test("it begins full, refills evenly, and is never more than full", () => {
    const calls = bucket(2, 1_000, 2);
    expect(calls.available(START)).toEqual(ZERO);
    expect(calls.available(START + 1)).toEqual(amount(0.002));
    expect(calls.available(START + 999)).toEqual(amount(1.998));
    expect(calls.available(START + 1_000)).toEqual(amount(2));
    expect(calls.available(START + 1_001)).toEqual(amount(2));
  });

  test("nothing is rounded away: a third of a token is whole after three steps", () => {
    const calls = bucket(1, 3, 1);
    for (let ms = 1; ms <= 3; ms++) calls.take(ZERO, START + ms);
    expect(calls.available(START + 3)).toEqual(amount(1));
    expect(bucket(1, 3, 1).available(START + 1)).toEqual({ whole: 0, nano: 333_333_333 });
  });

  test("the part of a millisecond that is looked at early is not lost", () => {
    const calls = bucket(1, 2, 1);
    calls.take(ZERO, START + 0.9);
    expect(calls.available(START + 0.9)).toEqual(ZERO);
    calls.take(ZERO, START + 1.8);
    expect(calls.available(START + 2)).toEqual(amount(1));
  });

  test("an earlier time counts as the last one", () => {
    const calls = bucket(2, 1_000, 2);
    calls.take(amount(1), START + 500);
    expect(calls.available(START + 100)).toEqual(ZERO);
    expect(calls.available(START + 1_000)).toEqual(amount(1));
    expect(calls.readyAt(amount(1), START + 100)).toBe(START + 1_000);
  });

  test("as many as there are can be taken, and no more", () => {
    const calls = bucket(2, 1_000, 1.5);
    expect(() => calls.take(amount(0.500000001), START)).toThrow("more tokens taken than the bucket holds");
    calls.take(amount(0.5), START);
    expect(calls.available(START)).toEqual(ZERO);
  });
});

describe("when so many are there", () => {
  test.each([
    { wanted: 0.5, at: START },
    { wanted: 1, at: START },
    { wanted: 1.001, at: START + 1 },
    { wanted: 1.0011, at: START + 2 },
    { wanted: 2, at: START + 1_000 },
    { wanted: 2.000000001, at: Number.POSITIVE_INFINITY },
  ])("$wanted of 2 each 2 seconds, where 1 is there, at $at", ({ wanted, at }) => {
    expect(bucket(2, 2_000, 1).readyAt(amount(wanted), START)).toBe(at);
  });

  test("it is the first whole millisecond at which they are, whatever was taken", () => {
    const whole = fc.integer({ min: 1, max: 50 });
    const taken = fc.array(fc.tuple(fc.nat(30), fc.nat(50)), { maxLength: 8 });
    fc.assert(
      fc.property(whole, whole, whole, taken, (capacity, per, wanted, takings) => {
        const calls = bucket(capacity, per);
        let now = START;
        for (const [wait, take] of takings) {
          now += wait;
          if (atMost(amount(take), calls.available(now))) calls.take(amount(take), now);
        }
        const at = calls.readyAt(amount(wanted), now);
        if (at === Number.POSITIVE_INFINITY) expect(wanted).toBeGreaterThan(capacity);
        else {
          expect(atMost(amount(wanted), calls.available(at))).toBe(true);
          if (at > now) expect(atMost(amount(wanted), calls.available(at - 1))).toBe(false);
        }
      }),
    );
  });
});

describe("another capacity or pace", () => {
  test("what is in it stays, as far as it fits", () => {
    const calls = bucket(4, 1_000, 1);
    calls.configure(amount(8), 2_000, START);
    expect(calls.per).toBe(2_000);
    expect(calls.available(START)).toEqual(amount(3));
    expect(calls.available(START + 500)).toEqual(amount(5));
    calls.configure(amount(2), 1_000, START + 500);
    expect(calls.available(START + 500)).toEqual(amount(2));
    expect(calls.readyAt(amount(2), START + 500)).toBe(START + 500);
  });

  test("what had come in until then is kept, to the last part of a token that can be", () => {
    const calls = bucket(1, 3, 1);
    calls.configure(amount(1), 6, START + 1);
    expect(calls.available(START + 1)).toEqual({ whole: 0, nano: 333_333_333 });
    expect(calls.available(START + 5)).toEqual(amount(1));
  });
});

test("as plain values it is the same bucket again", () => {
  const calls = bucket(2.5, 3_000, 1.25);
  calls.take(amount(0.000000001), START + 7);
  const state = calls.state();
  expect(state).toMatchObject({ capacity: "2500000000", per: 3_000, at: START + 7 });
  const again = RateBucket.restore(JSON.parse(JSON.stringify(state)));
  expect(again.state()).toEqual(state);
  for (const ms of [0, 7, 8, 1_000, 9_000]) expect(again.available(START + ms)).toEqual(calls.available(START + ms));
  expect(again.readyAt(amount(2.5), START)).toBe(calls.readyAt(amount(2.5), START));
});
