/** Many stories, each told to the kernel and to the reference, until they differ. */

import { Author, type Step } from "./script.fixture.ts";
import { firstDifference, shrink } from "./shrink.fixture.ts";
import { type Counts, SideBySide } from "./side-by-side.fixture.ts";

/** Commands in a story, its opening aside. */
const COMMANDS = 50;

export interface Tally {
  readonly stories: number;
  readonly batches: number;
  readonly commands: Counts;
  readonly refusals: Counts;
  readonly reasons: Counts;
}

/** Tells the stories of these seeds; throws the first difference, with the shortest story that shows one of its kind. */
export function compareStories(seeds: Iterable<number>): Tally {
  const tally = { stories: 0, batches: 0, commands: new Map(), refusals: new Map(), reasons: new Map() };
  for (const seed of seeds) {
    const world = new SideBySide();
    tally.batches += tellOne(seed, world);
    tally.stories += 1;
    for (const of of ["commands", "refusals", "reasons"] as const) addTo(tally[of], world[of]);
  }
  return tally;
}

/** Gives the number of batches. */
function tellOne(seed: number, world: SideBySide): number {
  const author = new Author(seed, world.reference.model, () => world.kernel.nextWakeAt());
  const steps: Step[] = [author.opening()];
  let asked = 0;
  for (;;) {
    const step = steps.at(-1);
    if (step === undefined || isDifferent(world, step)) throw new Error(differenceOf(seed, steps));
    if (steps.length > 1) asked += step.commands.length;
    if (asked >= COMMANDS) return steps.length;
    steps.push(author.step());
  }
}

/** Either differs, or one of the two throws. */
function isDifferent(world: SideBySide, step: Step): boolean {
  try {
    return world.take(step).length > 0;
  } catch {
    return true;
  }
}

function differenceOf(seed: number, steps: readonly Step[]): string {
  const shortest = shrink(steps);
  const lines = [`story ${seed} tells them apart; so does this one:`];
  for (const { after, commands, restart } of shortest) {
    lines.push(`  after ${after} ms${restart === undefined ? "" : `, ${restart} and start again`}`);
    for (const command of commands) lines.push(`    ${JSON.stringify(command)}`);
  }
  return [...lines, ...(firstDifference(shortest)?.found ?? [])].join("\n");
}

function addTo(sum: Counts, counts: Counts): void {
  for (const [what, times] of counts) sum.set(what, (sum.get(what) ?? 0) + times);
}

/** How often each came up, the most frequent first. */
export function shares(
  counts: Counts,
): readonly { readonly what: string; readonly times: number; readonly percent: number }[] {
  const all = [...counts.values()].reduce((sum, times) => sum + times, 0);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([what, times]) => ({ what, times, percent: (100 * times) / all }));
}
