import fc from "fast-check";
import { expect, test } from "vitest";
import { compareOrder, orderRank } from "./order-key.ts";

test("without aging a higher priority goes first however long the other has waited", () => {
  for (const agingMs of [undefined, Number.POSITIVE_INFINITY]) {
    const old = { rank: orderRank(5, 0, agingMs), seq: 1 };
    const urgent = { rank: orderRank(6, 1e12, agingMs), seq: 2 };
    expect(compareOrder(urgent, old)).toBeLessThan(0);
  }
});

test("with aging one step of priority is worth agingMs of waiting, and at equal rank the earlier arrival goes first", () => {
  const old = { rank: orderRank(5, 0, 100), seq: 1 };
  expect(compareOrder({ rank: orderRank(6, 99, 100), seq: 2 }, old)).toBeLessThan(0);
  expect(compareOrder({ rank: orderRank(6, 100, 100), seq: 2 }, old)).toBeGreaterThan(0);
  expect(compareOrder({ rank: orderRank(6, 101, 100), seq: 2 }, old)).toBeGreaterThan(0);
});

test("aging of 0 is the order of arrival", () => {
  const old = { rank: orderRank(-9, 0, 0), seq: 1 };
  expect(compareOrder(old, { rank: orderRank(9, 0, 0), seq: 2 })).toBeLessThan(0);
});

test("the order is total: antisymmetric, transitive, 0 only for the same key", () => {
  const keys = fc.record({
    rank: fc.integer({ min: -3, max: 3 }),
    seq: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(keys, keys, keys, (a, b, c) => {
      expect(Math.sign(compareOrder(a, b)) + Math.sign(compareOrder(b, a))).toBe(0);
      expect(compareOrder(a, b) === 0).toBe(a.rank === b.rank && a.seq === b.seq);
      if (compareOrder(a, b) < 0 && compareOrder(b, c) < 0) expect(compareOrder(a, c)).toBeLessThan(0);
    }),
  );
});
