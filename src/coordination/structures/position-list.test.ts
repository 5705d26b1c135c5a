import fc from "fast-check";
import { expect, test } from "vitest";
import { compareOrder } from "./order-key.ts";
import { PositionList } from "./position-list.ts";

test("a key's position is the number of keys before it, through any additions and removals", () => {
  const change = fc.record({ rank: fc.integer({ min: 0, max: 5 }), removed: fc.nat(2_000) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1_200, maxLength: 2_500, size: "max" }), (changes) => {
      const list = new PositionList();
      const keys: { rank: number; seq: number }[] = [];
      changes.forEach(({ rank, removed }, seq) => {
        list.add({ rank, seq });
        keys.push({ rank, seq });
        const [gone] = removed < 700 ? keys.splice(removed % keys.length, 1) : [];
        if (gone !== undefined) list.remove(gone);
      });
      keys.sort(compareOrder);
      expect(keys.map((key) => list.before(key))).toEqual(keys.map((_, i) => i));
      for (const key of keys) list.remove(key);
      expect(list.before({ rank: 9, seq: 0 })).toBe(0);
    }),
    { numRuns: 20 },
  );
});

test("removing what is not there changes nothing", () => {
  const list = new PositionList();
  list.remove({ rank: 1, seq: 1 });
  list.add({ rank: 1, seq: 1 });
  list.remove({ rank: 1, seq: 2 });
  list.remove({ rank: 0, seq: 0 });
  expect(list.before({ rank: 2, seq: 0 })).toBe(1);
});

test("at 10 000 keys a change and a question look at a few dozen chunks", () => {
  const list = new PositionList();
  for (let seq = 0; seq < 10_000; seq++) list.add({ rank: (seq * 7) % 1_000, seq });
  const before = list.visits;
  list.add({ rank: 500.5, seq: 10_000 });
  expect(list.before({ rank: 500.5, seq: 10_000 })).toBe(5_010);
  expect(list.visits - before).toBeLessThan(60);
});
