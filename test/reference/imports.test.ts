/** What the reference is written from: no code of what it is the measure of. */
import { expect, test } from "vitest";
import { importsOf } from "../tidy/imports.ts";
import { listFiles, parseSource, readText } from "../tidy/source.ts";

const parts = listFiles().filter((path) => /^test\/reference\/[^/]*(?<!\.(?:test|fixture))\.ts$/.test(path));

function takenFrom(path: string, text: string): readonly string[] {
  return importsOf(parseSource(path, text))
    .filter(({ specifier, typeOnly }) => !(specifier.startsWith("./") && !specifier.includes(".fixture")) && !typeOnly)
    .map(({ specifier }) => `${path} takes code from ${specifier}`);
}

test("the reference is there", () => {
  expect(parts).toContain("test/reference/reference.ts");
  expect(parts.length).toBeGreaterThan(5);
});

test("the reference takes nothing but types from outside of itself", () => {
  expect(parts.flatMap((path) => takenFrom(path, readText(path)))).toEqual([]);
});

test("code from the kernel, from coordination, or through a fixture would be found", () => {
  const from = (specifier: string): readonly string[] =>
    takenFrom("a.ts", `import { a } from ${JSON.stringify(specifier)};`);
  expect(from("../../src/kernel/scheduler.ts")).toHaveLength(1);
  expect(from("../../src/coordination/structures/amount.ts")).toHaveLength(1);
  expect(from("./side-by-side.fixture.ts")).toHaveLength(1);
  expect(from("./books.ts")).toEqual([]);
  expect(takenFrom("a.ts", 'import type { Command } from "../../src/kernel/commands.ts";')).toEqual([]);
  expect(takenFrom("a.ts", 'export { a } from "../../src/kernel/kernel.ts";')).toHaveLength(1);
});
