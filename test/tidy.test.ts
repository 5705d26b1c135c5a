/** What holds in the whole repository, whoever writes in it. Each rule is in `tidy/`, and is shown to fail in `tidy/rules.test.ts`. */
import { expect, test } from "vitest";
import { examplesInDocstrings, examplesInPage } from "./tidy/code-fences.ts";
import { compiledExamples } from "./tidy/compiled-examples.ts";
import { dependencies } from "./tidy/dependencies.ts";
import { escapeHatches } from "./tidy/escape-hatches.ts";
import { importDirection, systemsApart } from "./tidy/imports.ts";
import { ownWords } from "./tidy/own-words.ts";
import { publicDocs } from "./tidy/public-docs.ts";
import { purity } from "./tidy/purity.ts";
import { entries, isTest, listFiles, readSources, readText } from "./tidy/source.ts";
import { testDiscipline } from "./tidy/test-discipline.ts";

const files = listFiles();
const sources = readSources(files);

test("the repository was found", () => {
  expect(files).toContain("test/tidy.test.ts");
  expect(sources.length).toBeGreaterThan(100);
});

test("imports run one way", () => {
  expect(importDirection(sources)).toEqual([]);
});

test("no coordination system imports another's code", () => {
  expect(systemsApart(sources)).toEqual([]);
});

test("coordination and kernel name no clock, chance, timer, process or promise, and import nothing from outside", () => {
  expect(purity(sources)).toEqual([]);
});

test("every public name has a docstring", () => {
  expect(publicDocs(sources, entries().values())).toEqual([]);
});

test("the examples in docstrings and pages compile", () => {
  const inDocstrings = sources.filter(({ path }) => !isTest(path)).flatMap(examplesInDocstrings);
  const pages = files.filter((path) => /^(?!examples\/.*\/fixtures\/).*\.md$/.test(path));
  const inPages = pages.flatMap((path) => examplesInPage(path, readText(path)));
  expect(inDocstrings.length).toBeGreaterThan(20);
  expect(compiledExamples([...inDocstrings, ...inPages])).toEqual([]);
});

test("no test is switched off, and none switches the others off", () => {
  expect(testDiscipline(sources)).toEqual([]);
});

test("nothing talks the compiler out of what it knows", () => {
  expect(escapeHatches(sources)).toEqual([]);
});

test("the project speaks of itself alone", () => {
  expect(ownWords(new Map(files.map((path) => [path, readText(path)])))).toEqual([]);
});

test("dependencies are few, pinned exactly, and locked without naming a host", () => {
  expect(dependencies(JSON.parse(readText("package.json")), JSON.parse(readText("package-lock.json")))).toEqual([]);
});
