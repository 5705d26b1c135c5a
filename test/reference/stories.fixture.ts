/** The comparison as a test, in parts that run beside one another. */

import { expect, test } from "vitest";
import { compareStories, shares, type Tally } from "./comparison.fixture.ts";
import type { Counts } from "./side-by-side.fixture.ts";

/** Stories in a whole run: `SAFEGUARDS_SEQUENCES` for more, or fewer. */
const STORIES = Number(process.env.SAFEGUARDS_SEQUENCES ?? 1_000);
/** The first seed: another tells other stories. */
const SEED = Number(process.env.SAFEGUARDS_SEED ?? 1);
const PARTS = 2;
/** So few stories say nothing of how often something comes up. */
const TELLING = 500;

/** Every code that a command of the stories can be refused with. */
const REFUSALS = [
  "CANCELLED",
  "CAPACITY_EXCEEDED",
  "CLOSED",
  "DEPENDENCY_CYCLE",
  "DUPLICATE_ID",
  "FENCED",
  "INVALID_ARGUMENT",
  "INVALID_STATE",
  "TEAM_CYCLE",
  "UNKNOWN_AGENT",
  "UNKNOWN_ALLOCATION",
  "UNKNOWN_RESOURCE",
  "UNKNOWN_TASK",
  "WOULD_DEADLOCK",
];

/** One of the parts, from 0. */
export function storiesTest(part: number): void {
  const count = Math.ceil(STORIES / PARTS);
  test(`the kernel does what the reference says, in part ${part + 1} of ${PARTS}`, { timeout: 7_200_000 }, () => {
    const first = SEED + part * count;
    const tally = compareStories(Array.from({ length: count }, (_, i) => first + i));
    console.log(report(tally));
    if (count < TELLING) return;
    expect([...tally.refusals.keys()].sort()).toEqual(REFUSALS);
    expect(rare(tally.commands)).toEqual([]);
    expect(rare(tally.refusals)).toEqual([]);
  });
}

function rare(counts: Counts): readonly string[] {
  return shares(counts).flatMap(({ what, percent }) => (percent < 1 ? [`${what}: ${percent.toFixed(2)} %`] : []));
}

function report({ stories, batches, commands, refusals, reasons }: Tally): string {
  const lines = [`${stories} stories, ${batches} batches compared`];
  for (const [name, counts] of Object.entries({ commands, refusals, "reasons to wait": reasons })) {
    lines.push(`${name}:`);
    for (const { what, times, percent } of shares(counts))
      lines.push(`  ${percent.toFixed(2).padStart(6)} %  ${what} (${times})`);
  }
  return lines.join("\n");
}
