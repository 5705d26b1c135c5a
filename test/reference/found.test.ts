/**
 * Sequences that once told the kernel and the reference apart, as they were found: a file each in `found/`, a line for each
 * step, as a failing comparison prints them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SideBySide, type Step } from "./side-by-side.fixture.ts";
import { newTally } from "./tally.fixture.ts";

const folder = new URL("found/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));

test.each(files)("the kernel does what the reference says in found/%s", (file) => {
  const lines = readFileSync(new URL(file, folder), "utf8").trim().split("\n");
  const world = new SideBySide(newTally());
  for (const line of lines) world.take(JSON.parse(line) as Step);
  expect(world.steps).toHaveLength(lines.length);
});

test("there are some", () => {
  expect(files).not.toEqual([]);
});
