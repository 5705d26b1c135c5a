import { expect, test } from "vitest";
import { checkNotBefore } from "./time-order.ts";

test("time may stand still and go on, but neither go back nor be no time", () => {
  expect(checkNotBefore(5, Number.NEGATIVE_INFINITY)).toBe(5);
  expect(checkNotBefore(5, 5)).toBe(5);
  for (const now of [4.999, Number.NaN, Number.POSITIVE_INFINITY, "6", undefined]) {
    expect(() => checkNotBefore(now, 5)).toThrow("now is");
  }
});
