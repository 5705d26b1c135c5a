import fc from "fast-check";
import { expect, test } from "vitest";
import { integerAt, itemAt } from "../structures/at.ts";
import { placesByVictories } from "./places-by-victories.ts";

/** As the options would stand if they were handed in in that order. */
function inOrder(strengths: Int32Array, places: readonly number[]): Int32Array {
  const size = places.length;
  return Int32Array.from(strengths, (_, cell) =>
    integerAt(strengths, itemAt(places, Math.floor(cell / size)) * size + itemAt(places, cell % size)),
  );
}

/** Who beats whom of six, with one of so many strengths; 0 is a draw. */
function outcomes(strongest: number) {
  return fc.array(fc.integer({ min: -strongest, max: strongest }), { minLength: 36, maxLength: 36 }).map((drawn) =>
    Int32Array.from(drawn, (_, cell) => {
      const [i, j] = [Math.floor(cell / 6), cell % 6];
      const outcome = i < j ? itemAt(drawn, cell) : -itemAt(drawn, j * 6 + i);
      return i === j ? 0 : Math.max(0, outcome);
    }),
  );
}
const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });

test("whoever is told apart stands in the same place, however the options are handed in", () => {
  fc.assert(
    fc.property(outcomes(9), order, (strengths, shuffled) => {
      const places = placesByVictories(strengths, 6);
      expect(places.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
      const other = inOrder(strengths, shuffled);
      expect(inOrder(other, placesByVictories(other, 6))).toEqual(inOrder(strengths, places));
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test("who stands alike to all others keeps the order in which the options are handed in", () => {
  const circle = [0, 1, 0, 0, 0, 1, 1, 0, 0];
  expect(placesByVictories(Int32Array.from(circle), 3)).toEqual([0, 1, 2]);
  // The first is beaten by both others, which draw.
  expect(placesByVictories(Int32Array.from([0, 0, 0, 1, 0, 0, 1, 0, 0]), 3)).toEqual([1, 2, 0]);
  expect(placesByVictories(new Int32Array(), 0)).toEqual([]);
});
