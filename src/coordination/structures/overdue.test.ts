import { expect, test } from "vitest";
import { Overdue } from "./overdue.ts";

test("nobody is overdue before afterMs, and from then on the first in order is", () => {
  const overdue = new Overdue<string>(10);
  overdue.add("later in order", { rank: 2, seq: 1 }, 0);
  overdue.add("first in order", { rank: 1, seq: 2 }, 5);
  expect(overdue.first(9)).toBeUndefined();
  expect(overdue.first(10)).toBe("later in order");
  expect(overdue.first(15)).toBe("first in order");
});

test("who leaves is not overdue, young or old", () => {
  const overdue = new Overdue<string>(10);
  const young = overdue.add("young", { rank: 1, seq: 1 }, 5);
  const old = overdue.add("old", { rank: 2, seq: 2 }, 0);
  expect(overdue.first(10)).toBe("old");
  overdue.remove(young);
  overdue.remove(old);
  overdue.remove(old);
  expect(overdue.first(99)).toBeUndefined();
});

test("with 0 everybody is overdue at once, with Infinity nobody ever", () => {
  for (const afterMs of [0, Number.POSITIVE_INFINITY]) {
    const overdue = new Overdue<string>(afterMs);
    const entry = overdue.add("x", { rank: 1, seq: 1 }, 7);
    expect(overdue.first(Number.MAX_VALUE) === "x").toBe(afterMs === 0);
    overdue.remove(entry);
    expect(overdue.first(Number.MAX_VALUE)).toBeUndefined();
  }
});
