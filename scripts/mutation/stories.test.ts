/**
 * The comparison of the kernel with the reference, for mutants: few sequences in each of several tests, so that a mutant meets
 * those that reach it.
 */
import { expect, test } from "vitest";
import { compare } from "../../test/reference/comparison.fixture.ts";

const TESTS = 25;
const SEQUENCES = 1;

test.each(Array.from({ length: TESTS }, (_, i) => i + 1))(
  "the kernel does what the reference says in sequences of seed %i",
  (seed) => {
    expect(compare(SEQUENCES, { seed, path: undefined }).sequences).toBe(SEQUENCES);
  },
);
