/** Sequences that once told the kernel and the reference apart, beyond those of every run. */
import { expect, test } from "vitest";
import { compare } from "./comparison.fixture.ts";

test.each([
  // One that regains its seat was preempted in the same admission for one whose turn had passed.
  { seed: 102, path: "2706" },
])("the kernel does what the reference says in sequence $path of seed $seed", (origin) => {
  expect(compare(1, origin).sequences).toBe(1);
});
