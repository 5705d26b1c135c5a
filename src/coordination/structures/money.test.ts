import fc from "fast-check";
import { expect, test } from "vitest";
import { compare } from "./amount.ts";
import { amountBelow, partsOf, sumIn, sumOf, textOf } from "./money.ts";

test.each([
  ["0", "0"],
  ["007.50", "7.5"],
  ["0.000000000000001", "0.000000000000001"],
  ["999999999999999.999999999999999", "999999999999999.999999999999999"],
  [0.1 + 0.2, "0.3"],
  [1.25e-8, "0.0000000125"],
  [-0, "0"],
  [1e14, "100000000000000"],
])("%s is %s", (value, text) => {
  const sum = sumOf(value);
  expect(sum && textOf(sum)).toBe(text);
});

test.each([
  "",
  ".5",
  "1.",
  "-1",
  "+1",
  "1e3",
  " 1",
  "1,5",
  "0.0000000000000001",
  "1000000000000000",
  -1,
  1e15,
  1e-16,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  undefined,
  5n,
  {},
])("%s is no money", (value) => {
  expect(sumOf(value)).toBeUndefined();
});

const text = fc
  .tuple(fc.bigInt(0n, 10n ** 15n - 1n), fc.bigInt(0n, 10n ** 15n - 1n))
  .map(([whole, places]) => `${whole}.${String(places).padStart(15, "0")}`);

test("sums are exact and do not depend on order; what was added can be taken away again", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (texts) => {
      const sums = texts.map((one) => sumIn(one));
      const forwards = sums.reduce((a, b) => a.plus(b));
      const backwards = sums.reduceRight((a, b) => a.plus(b));
      const units = texts.reduce((a, one) => a + BigInt(one.replace(".", "")), 0n);
      expect(textOf(forwards)).toBe(textOf(backwards));
      expect(BigInt(forwards.times("1e15").toFixed())).toBe(units);
      expect(textOf(sums.reduce((a, b) => a.minus(b), forwards))).toBe("0");
      expect(textOf(sumIn(textOf(forwards)))).toBe(textOf(forwards));
    }),
  );
});

test("the Amount below a sum is not above it and keeps the order of sums, as both parts of a sum do exactly", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [low = sumIn(a), high = sumIn(b)] = [sumIn(a), sumIn(b)].sort((x, y) => x.cmp(y));
      expect(compare(amountBelow(low), amountBelow(high))).toBeLessThanOrEqual(0);
      const [left, right] = [partsOf(low), partsOf(high)];
      expect(Math.sign(left.whole - right.whole || left.units - right.units)).toBe(low.cmp(high));
      const { whole, nano } = amountBelow(low);
      expect(low.minus(`${whole}.${String(nano).padStart(9, "0")}`).lt("0.000000001")).toBe(true);
    }),
  );
});
