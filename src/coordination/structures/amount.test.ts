import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Amount,
  add,
  amountOf,
  amountToNumber,
  atMost,
  compare,
  equal,
  isZero,
  LARGEST,
  larger,
  mean,
  nanosOf,
  ONE,
  ratio,
  smaller,
  subtract,
  subtractToZero,
  sumAtMost,
  UNLIMITED,
  ZERO,
} from "./amount.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const tiny = fc.integer({ min: 1, max: 9 }).map((nano): Amount => ({ whole: 0, nano }));
const huge = fc.integer({ min: 2 ** 52, max: MAX }).map((whole): Amount => ({ whole, nano: 1 }));
const wholes = fc.oneof(fc.nat(20), fc.nat(10_000_000), fc.maxSafeNat());
const amounts = fc
  .record({ whole: wholes, nano: fc.oneof(fc.constant(0), fc.nat(999_999_999)) })
  .map(({ whole, nano }): Amount => ({ whole, nano }));
const given = (value: number): Amount => {
  const amount = amountOf(value);
  if (amount === undefined) throw new Error(`${value} is not an amount`);
  return amount;
};

/** The rule, word for word, in exact arithmetic: value = top / 2^power. */
function byTheRule(value: number): bigint | undefined {
  const printed = value < 1e-6 ? Number(value).toFixed(20) : String(value);
  const [whole = "0", decimals = ""] = printed.split(".");
  if (Number(`${whole}.${decimals.slice(0, 9)}`) === value && shortestDecimals(value) <= 9) {
    return BigInt(whole) * 10n ** 9n + BigInt(decimals.slice(0, 9).padEnd(9, "0"));
  }
  let power = 0n;
  let top = value;
  while (!Number.isInteger(top)) {
    top *= 2;
    power += 1n;
  }
  const exact = BigInt(top) * 10n ** 9n; // nanos times 2^power
  const nearest = (2n * exact + (1n << power)) / (2n << power);
  const distance = exact - (nearest << power);
  return (distance < 0n ? -distance : distance) * 2n ** 50n <= exact ? nearest : undefined;
}

function shortestDecimals(value: number): number {
  const [digits = "", exponent = "0"] = value.toString().split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent));
}

describe("taking a number", () => {
  test.each([
    [0, 0, 0],
    [-0, 0, 0],
    [1, 1, 0],
    [0.1, 0, 100_000_000],
    [0.1 + 0.02, 0, 120_000_000],
    [0.1 + 0.2, 0, 300_000_000],
    [1e-9, 0, 1],
    [0.000000123, 0, 123],
    [2.999999999, 2, 999_999_999],
    [123456.789, 123_456, 789_000_000],
    [4194303.999999999, 4_194_303, 999_999_999],
    [8388608.000000002, 8_388_608, 2],
    [1099511627776.0002, 1_099_511_627_776, 200_000],
    [4503599627370495.5, 4_503_599_627_370_495, 500_000_000],
    [MAX, MAX, 0],
  ])("%d is %d and %d nanos", (value, whole, nano) => {
    expect(amountOf(value)).toEqual({ whole, nano });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, -1e-300, 2 ** 53, 1e-10, 5e-10, 1.5e-9, 1 / 3, Math.PI, 5e-324])(
    "%d is not an amount",
    (value) => {
      expect(amountOf(value)).toBeUndefined();
    },
  );

  test("follows the rule for every double, near decimals and elsewhere", () => {
    const ulps = fc.integer({ min: -12, max: 12 });
    const nearDecimal = fc
      .tuple(fc.oneof(fc.nat(3), fc.nat(100_000), fc.nat(20_000_000), fc.nat(2 ** 31)), fc.nat(999_999_999), ulps)
      .map(([whole, nano, steps]) => {
        const value = whole + nano / 1e9;
        return value + steps * 2 ** (Math.floor(Math.log2(Math.max(value, 1e-9))) - 52);
      });
    const anywhere = fc.double({ min: 0, max: MAX, noNaN: true });
    const nanosPlusHalf = fc.tuple(fc.nat(600_000), fc.nat(999_999_999)).map(([w, n]) => w + (n + 0.5) / 1e9);
    fc.assert(
      fc.property(fc.oneof(nearDecimal, anywhere, nanosPlusHalf), (value) => {
        if (value < 1e-12) return;
        const amount = amountOf(value);
        expect(amount && nanosOf(amount)).toBe(byTheRule(value));
      }),
      { numRuns: 5_000 },
    );
  });

  test("every nine-place decimal comes back as the number that it prints as", () => {
    fc.assert(
      fc.property(amounts, (a) => {
        const decimal = Number(`${a.whole}.${String(a.nano).padStart(9, "0")}`);
        expect(amountToNumber(a)).toBe(decimal);
      }),
      { numRuns: 2_000 },
    );
  });

  test("small integers are always the same object", () => {
    expect(amountOf(7)).toBe(amountOf(7));
    expect(subtract(given(8.5), given(1.5))).toBe(amountOf(7));
    expect(amountOf(0)).toBe(ZERO);
    expect(amountOf(1)).toBe(ONE);
  });
});

describe("arithmetic", () => {
  test("ten times 0.1 is 1", () => {
    let sum = ZERO;
    for (let i = 0; i < 10; i++) sum = add(sum, given(0.1));
    expect(sum).toBe(ONE);
  });

  test("sums and differences are exact, or refused where they leave the range", () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const sum = nanosOf(a) + nanosOf(b);
        if (sum < 2n ** 53n * 10n ** 9n) expect(nanosOf(add(a, b))).toBe(sum);
        else expect(() => add(a, b)).toThrow(RangeError);
        if (sum >= 2n * nanosOf(b)) expect(nanosOf(subtract(a, b))).toBe(nanosOf(a) - nanosOf(b));
        else expect(() => subtract(a, b)).toThrow(RangeError);
        expect(subtractToZero(a, b)).toEqual(atMost(a, b) ? ZERO : subtract(a, b));
      }),
    );
  });

  test("whether a sum stays within a limit is judged exactly, at the limit and over the range", () => {
    fc.assert(
      fc.property(amounts, amounts, amounts, (a, b, limit) => {
        expect(sumAtMost(a, b, limit)).toBe(nanosOf(a) + nanosOf(b) <= nanosOf(limit));
        if (!atMost(a, limit)) return;
        const rest = subtract(limit, a);
        expect(sumAtMost(a, rest, limit)).toBe(true);
        if (atMost(rest, subtract(LARGEST, given(1e-9))))
          expect(sumAtMost(a, add(rest, given(1e-9)), limit)).toBe(false);
      }),
    );
  });

  test("what was added in one order and taken back in another leaves exactly 0", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000_000_000), fc.nat()), { maxLength: 50, size: "max" }), (parts) => {
        const loads = parts.map(([nanos]) => given(nanos / 1e9));
        const shuffled = parts.map(([, key], i) => ({ key, i })).sort((x, y) => x.key - y.key || x.i - y.i);
        let sum = loads.reduce(add, ZERO);
        for (const { i } of shuffled) sum = subtract(sum, loads[i] ?? ZERO);
        expect(sum).toBe(ZERO);
      }),
    );
  });

  test("order is that of the values", () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const sign = nanosOf(a) < nanosOf(b) ? -1 : nanosOf(a) > nanosOf(b) ? 1 : 0;
        expect(Math.sign(compare(a, b))).toBe(sign);
        expect(atMost(a, b)).toBe(sign <= 0);
        expect(equal(a, b)).toBe(sign === 0);
        expect(nanosOf(smaller(a, b))).toBe(sign < 0 ? nanosOf(a) : nanosOf(b));
        expect(nanosOf(larger(a, b))).toBe(sign < 0 ? nanosOf(b) : nanosOf(a));
        expect(isZero(a)).toBe(nanosOf(a) === 0n);
      }),
    );
  });

  test("nothing is over LARGEST but UNLIMITED", () => {
    expect(() => add(LARGEST, given(1e-9))).toThrow(RangeError);
    expect(atMost(LARGEST, UNLIMITED)).toBe(true);
    expect(atMost(UNLIMITED, LARGEST)).toBe(false);
    expect(compare(UNLIMITED, UNLIMITED)).toBe(0);
    expect(equal(UNLIMITED, UNLIMITED)).toBe(true);
  });
});

describe("ratio", () => {
  test("by zero it is 0 for zero and Infinity for the rest", () => {
    expect(ratio(ZERO, ZERO)).toBe(0);
    expect(ratio(given(1e-9), ZERO)).toBe(Number.POSITIVE_INFINITY);
  });

  test("0.3 of 0.6 is a half, though the doubles divide to something else", () => {
    expect(ratio(given(0.1 + 0.2), given(0.6))).toBe(0.5);
    expect((0.1 + 0.2) / 0.6).not.toBe(0.5);
  });

  test("the mean of many large amounts is not bounded by their sum", () => {
    let sum = 0n;
    for (let i = 0; i < 100; i++) sum += nanosOf(i % 2 === 0 ? given(MAX - 1) : given(MAX - 3));
    expect(mean(sum, 100)).toBe(MAX - 2);
    expect(mean(nanosOf(given(0.1)) * 2n + nanosOf(given(0.2)), 3)).toBe(4 / 30);
  });

  test("no double is nearer to the true quotient", () => {
    const view = new DataView(new ArrayBuffer(8));
    const neighbour = (value: number, step: bigint) => {
      view.setFloat64(0, value);
      view.setBigUint64(0, view.getBigUint64(0) + step);
      return view.getFloat64(0);
    };
    /** |value - a/b|, times b and a power of two large enough for the least quotient. */
    const error = (value: number, a: bigint, b: bigint) => {
      const scale = 140n;
      const difference = BigInt(value * 2 ** 140) * b - (a << scale);
      return difference < 0n ? -difference : difference;
    };
    fc.assert(
      fc.property(fc.oneof(amounts, tiny), fc.oneof(amounts, huge), (a, b) => {
        const [top, bottom] = [nanosOf(a), nanosOf(b)];
        if (top === 0n || bottom === 0n) return;
        const quotient = ratio(a, b);
        const own = error(quotient, top, bottom);
        expect(own <= error(neighbour(quotient, 1n), top, bottom)).toBe(true);
        expect(own <= error(neighbour(quotient, -1n), top, bottom)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("books that go below zero, or beyond all counting, are broken, and say by what", () => {
  const half = { whole: 0, nano: 500_000_000 };
  const one = { whole: 1, nano: 1 };
  expect(() => subtract(half, one)).toThrow(new RangeError("0.500000000 - 1.000000001 is below 0"));
  expect(() => add({ whole: Number.MAX_SAFE_INTEGER, nano: 0 }, { whole: 1, nano: 0 })).toThrow(
    new RangeError("9007199254740991 + 1 is over 2^53 - 1"),
  );
});
