import { expect, test } from "vitest";
import { wasIssued } from "./issued-ids.ts";

test("only the letter and a number as it is written, from 1 to the count, was issued", () => {
  for (const id of ["a1", "a10", "a12"]) expect(wasIssued(id, "a", 12)).toBe(true);
  for (const id of ["a0", "a13", "b1", "a", "a01", "a1.0", "a1.5", "a1e0", "a-1", "a 1", "a0x1", "aNaN"]) {
    expect(wasIssued(id, "a", 12)).toBe(false);
  }
});
