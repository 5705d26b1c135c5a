/** Many sequences, each told to the kernel and to the reference, until they differ. */

import fc from "fast-check";
import { type Sequence, Story, sequences } from "./sequences.fixture.ts";
import { SideBySide } from "./side-by-side.fixture.ts";
import { newTally, type Tally } from "./tally.fixture.ts";

/** Where sequences come from: the same seed gives the same; a path leads to one of them, or to what it shrank to. */
export interface Origin {
  readonly seed: number;
  readonly path: string | undefined;
}

/** Tells so many; throws the first difference, with the shortest sequence that shows one and how to have it again. */
export function compare(numRuns: number, { seed, path = "" }: Origin): Tally {
  const tally = newTally();
  const property = fc.property(sequences, (sequence) =>
    run(sequence, new Story(new SideBySide(tally), sequence.opening)),
  );
  const details = fc.check(property, { numRuns, seed, path });
  if (details.failed) throw new Error(difference(details), { cause: details.errorInstance });
  return tally;
}

function run({ instants }: Sequence, story: Story): void {
  story.world.take(story.opening);
  fc.modelRun(() => ({ model: story.world.reference.model, real: story }), instants);
}

function difference({ seed, counterexample, counterexamplePath }: fc.RunDetails<[Sequence]>): string {
  const lines = [
    `SAFEGUARDS_SEED=${seed} SAFEGUARDS_PATH=${counterexamplePath} npm test -- test/reference/sequences-1`,
  ];
  const [sequence] = counterexample ?? [];
  if (sequence === undefined) return lines.join("\n");
  const world = new SideBySide(newTally());
  let found = "";
  try {
    run(sequence, new Story(world, sequence.opening));
  } catch (error) {
    found = error instanceof Error ? error.message : String(error);
  }
  return [...lines, ...world.steps.map((step) => JSON.stringify(step)), found].join("\n");
}
