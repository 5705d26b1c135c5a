/**
 * The comparison of the kernel with the reference, for mutants: a test for each story, so that a mutant meets those that reach
 * it, and none looks for the shortest story that shows a difference.
 */
import { expect, test } from "vitest";
import { Author } from "../../test/reference/script.fixture.ts";
import { SideBySide } from "../../test/reference/side-by-side.fixture.ts";

const STORIES = 25;
const STEPS = 30;

test.each(Array.from({ length: STORIES }, (_, i) => i + 1))(
  "the kernel does what the reference says in story %i",
  (seed) => {
    const world = new SideBySide();
    const author = new Author(seed, world.reference.model, () => world.kernel.nextWakeAt());
    let step = author.opening();
    for (let steps = 0; steps < STEPS; steps++) {
      expect(world.take(step)).toEqual([]);
      step = author.step();
    }
  },
);
