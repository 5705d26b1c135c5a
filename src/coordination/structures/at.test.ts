import { expect, test } from "vitest";
import { doubleAt, integerAt, itemAt } from "./at.ts";

const READS: readonly (readonly [string, (index: number) => unknown])[] = [
  ["a list", (index) => itemAt(["a", "b"], index)],
  ["integers", (index) => integerAt(Int32Array.of(7, 8), index)],
  ["doubles", (index) => doubleAt(Float64Array.of(0.5, 0.25), index)],
];

test("what stands at an index is read", () => {
  expect(READS.map(([, read]) => read(1))).toEqual(["b", 8, 0.25]);
});

test.each(READS)("an index beyond the end of %s throws, and names it", (_, read) => {
  expect(() => read(2)).toThrow(new RangeError("nothing stands at 2 of 2"));
  expect(() => read(-1)).toThrow(RangeError);
});
