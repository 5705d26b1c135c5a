import { expect, test } from "vitest";
import { PriorityCounts } from "./priority-counts.ts";

test("the highest is known while they come and go, also of several that are alike", () => {
  const counts = new PriorityCounts();
  expect(counts.highest).toBe(Number.NEGATIVE_INFINITY);
  for (const priority of [3, 9, -2, 9, 5]) counts.add(priority);
  const highest = [9, 9, 3, 5].map((priority) => {
    counts.remove(priority);
    return counts.highest;
  });
  expect(highest).toEqual([9, 5, 5, -2]);
});

test("what nothing has cannot leave", () => {
  const counts = new PriorityCounts();
  counts.add(1);
  counts.remove(1);
  expect(() => counts.remove(1)).toThrow("nothing has priority 1");
});
