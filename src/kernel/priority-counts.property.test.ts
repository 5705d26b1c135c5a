import fc from "fast-check";
import { expect, test } from "vitest";
import { PriorityCounts } from "./priority-counts.ts";

test("the highest priority is known, through any additions and removals", () => {
  const change = fc.record({ priority: fc.integer({ min: -3, max: 3 }), removed: fc.nat(99) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const counts = new PriorityCounts();
      const held: number[] = [];
      for (const { priority, removed } of changes) {
        counts.add(priority);
        held.push(priority);
        for (const gone of held.splice(removed % (held.length + 1), removed % 3)) counts.remove(gone);
        expect(counts.highest).toBe(Math.max(...held));
      }
    }),
  );
});

test("of nothing, the highest is below every priority", () => {
  expect(new PriorityCounts().highest).toBe(Number.NEGATIVE_INFINITY);
});

test("what is not there cannot be removed", () => {
  expect(() => new PriorityCounts().remove(4)).toThrow("nothing has priority 4");
});
