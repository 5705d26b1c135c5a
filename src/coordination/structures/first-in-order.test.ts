import fc from "fast-check";
import { expect, it } from "vitest";
import { FirstInOrder } from "./first-in-order.ts";

it("keeps the first so many in order, whatever comes when", () => {
  const keys = fc.uniqueArray(fc.nat(1_000), { maxLength: 60 });
  fc.assert(
    fc.property(
      keys,
      fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(Number.POSITIVE_INFINITY)),
      (list, limit) => {
        const first = new FirstInOrder<string>(limit);
        for (const key of list) {
          // Who is turned away would not be among them.
          if (!first.takes(key)) expect(list.filter((other) => other < key).length).toBeGreaterThanOrEqual(limit);
          first.add(`item ${key}`, key);
        }
        const wanted = list.toSorted((a, b) => a - b).slice(0, limit === Number.POSITIVE_INFINITY ? undefined : limit);
        expect(first.items).toEqual(wanted.map((key) => `item ${key}`));
      },
    ),
  );
});
