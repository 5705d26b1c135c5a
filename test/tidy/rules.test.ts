/** Each rule finds what breaks it, and lets pass what only looks like it. */
import { expect, test } from "vitest";
import { examplesInDocstrings, examplesInPage } from "./code-fences.ts";
import { compiledExamples } from "./compiled-examples.ts";
import { dependencies } from "./dependencies.ts";
import { escapeHatches } from "./escape-hatches.ts";
import { importDirection, systemsApart } from "./imports.ts";
import { ownWords } from "./own-words.ts";
import { publicDocs } from "./public-docs.ts";
import { purity } from "./purity.ts";
import { type Faults, parseSource, type Source } from "./source.ts";
import { testDiscipline } from "./test-discipline.ts";

type Rule = (sources: readonly Source[]) => Faults;

function faultsOf(rule: Rule, path: string, text: string): number {
  return rule([parseSource(path, text)]).length;
}

test.each([
  ["the kernel imports the runtime", "src/kernel/a.ts", 'import { a } from "../runtime/a.ts";'],
  ["coordination names a type of the kernel", "src/coordination/a.ts", 'import type { A } from "../kernel/a.ts";'],
  ["coordination imports the kernel in a type", "src/coordination/a.ts", 'type A = import("../kernel/a.ts").A;'],
  ["the journal hands on the runtime", "src/journal/a.ts", 'export { a } from "../runtime/a.ts";'],
  ["an agent imports a surface later", "src/agents/a.ts", 'export const a = import("../surfaces/cli/a.ts");'],
  ["the errors import anything", "src/errors.ts", 'import { a } from "./coordination/a.ts";'],
  ["a surface imports another", "src/surfaces/cli/a.ts", 'import { a } from "../http/a.ts";'],
  ["a source imports a test", "src/kernel/a.ts", 'import { a } from "../../test/a.ts";'],
  ["a layer that nobody named", "src/helpers/a.ts", ""],
])("importDirection: %s", (_, path, text) => {
  expect(faultsOf(importDirection, path, text)).toBe(1);
});

test.each([
  ["the runtime imports the kernel", "src/runtime/a.ts", 'import { a } from "../kernel/a.ts";'],
  ["agents and runtime are one layer", "src/agents/a.ts", 'import { a } from "../runtime/a.ts";'],
  ["a test imports what it likes", "src/kernel/a.test.ts", 'import { a } from "../testing/a.ts";'],
  ["the kernel imports itself", "src/kernel/a.ts", 'import { a } from "./b.ts";'],
])("importDirection lets pass: %s", (_, path, text) => {
  expect(faultsOf(importDirection, path, text)).toBe(0);
});

test.each([
  [1, "src/coordination/skill-router.ts", 'import { W } from "./workload-balancer.ts";'],
  [1, "src/coordination/skill-router.ts", 'import { type W, w } from "./workload-balancer.ts";'],
  [1, "src/coordination/skill-router.ts", 'import { tally } from "./decisions/tally.ts";'],
  [1, "src/coordination/structures/slots.ts", 'import type { W } from "../workload-balancer.ts";'],
  [0, "src/coordination/skill-router.ts", 'import type { W } from "./workload-balancer.ts";'],
  [0, "src/coordination/skill-router.ts", 'import { type W, type V } from "./workload-balancer.ts";'],
  [0, "src/coordination/workload-balancer.ts", 'import { rebalance } from "./rebalance.ts";'],
  [0, "src/coordination/decisions/tally.ts", 'import { share } from "./share.ts";'],
  [0, "src/coordination/skill-router.ts", 'import { FitIndex } from "./structures/fit-index.ts";'],
])("systemsApart: %i in %s: %s", (count, path, text) => {
  expect(faultsOf(systemsApart, path, text)).toBe(count);
});

test.each([
  'import { readFileSync } from "node:fs";',
  'import { z } from "zod";',
  "const now = Date.now();",
  "const at: Date | undefined = undefined;",
  "const chance = Math.random();",
  'const chance = Math["random"]();',
  "const { random } = Math;",
  "const numbers = Math;",
  "setTimeout(() => {}, 1);",
  "console.log(1);",
  "const { env } = process;",
  "const own = { process };",
  "const clock = globalThis.performance;",
  "const later: Promise<void> | undefined = undefined;",
  "async function a() {}",
  "const a = async () => {};",
])("purity: %s", (text) => {
  for (const folder of ["coordination", "kernel"])
    expect(faultsOf(purity, `src/${folder}/a.ts`, text)).toBeGreaterThan(0);
});

test.each([
  [0, "src/coordination/structures/money.ts", 'import Big from "big.js";'],
  [1, "src/coordination/structures/amount.ts", 'import Big from "big.js";'],
  [1, "src/kernel/money.ts", 'import Big from "big.js";'],
  [1, "src/coordination/structures/money.ts", 'import { z } from "zod";'],
])("purity: %i in %s: %s", (count, path, text) => {
  expect(faultsOf(purity, path, text)).toBe(count);
});

test.each([
  ["src/kernel/a.ts", "const most = Math.max(event.process, event.console);"],
  ["src/kernel/a.ts", "interface A { readonly process: string; Date(): void }"],
  ["src/kernel/a.ts", "const a = { process: 1 }; class B { console = 1; }"],
  ["src/kernel/a.test.ts", "console.log(Date.now());"],
  ["src/runtime/a.ts", "console.log(Date.now());"],
  ["src/coordination/decisions/poll.ts", "async function ask(): Promise<void> { await later; }"],
])("purity lets pass: in %s: %s", (path, text) => {
  expect(faultsOf(purity, path, text)).toBe(0);
});

test("publicDocs: names without a docstring, wherever they are declared, and names that are not there", () => {
  const modules = {
    "src/index.ts": 'export { bare, told as renamed } from "./a.ts";\nexport type { Bare, Gone } from "./b.ts";',
    "src/a.ts": "/** For this. */\nexport const told = 1;\n// no docstring\nexport const bare = 1;",
    "src/b.ts": "/* no docstring */\nexport interface Bare {}",
    "src/coordination-entry.ts": "/** */\nexport class Empty {}\nexport function bare(): void {}",
  };
  const sources = Object.entries(modules).map(([path, text]) => parseSource(path, text));
  const faults = publicDocs(sources, ["src/index.ts", "src/coordination-entry.ts", "src/testing/index.ts"]);
  expect(faults).toEqual([
    "src/a.ts:4: bare is public and has no docstring",
    "src/b.ts:2: Bare is public and has no docstring",
    "src/b.ts:1: exports no Gone",
    "src/coordination-entry.ts:2: Empty is public and has no docstring",
    "src/coordination-entry.ts:3: bare is public and has no docstring",
    "src/testing/index.ts:1: there is no such file",
  ]);
});

test("publicDocs lets pass overloads of which the first has a docstring", () => {
  const text = "/** For this. */\nexport function a(b: string): void;\nexport function a(b: number): void {}";
  const sources = [parseSource("src/index.ts", 'export { a } from "./a.ts";'), parseSource("src/a.ts", text)];
  expect(publicDocs(sources, ["src/index.ts"])).toEqual([]);
});

test.each([
  "test.skip('a', () => {});",
  "describe.only('a', () => {});",
  "it.todo('a');",
  "test.each([1]).skip('a', () => {});",
  "test.skipIf(true)('a', () => {});",
  "describe.concurrent.only('a', () => {});",
  "test('a', { skip: true }, () => {});",
  "xit('a', () => {});",
  "test('a', ({ skip }) => skip());",
  "test('a', ({ skip }) => skip(isWindows));",
  "test('a', (context) => context.skip(''));",
])("testDiscipline: %s", (text) => {
  expect(faultsOf(testDiscipline, "src/a.test.ts", text)).toBe(1);
});

test.each([
  "test('a', ({ skip }) => skip(isWindows, 'Windows has no sockets in the file system'));",
  "test('a', (context) => context.skip('there is no data'));",
  "test('a', () => pages.skip.only);",
  "test.each([1])('a', { timeout: 5 }, () => {});",
])("testDiscipline lets pass: %s", (text) => {
  expect(faultsOf(testDiscipline, "src/a.test.ts", text)).toBe(0);
});

test.each([
  "const a: any = 1;",
  "const a = b as any;",
  "const a = b!;",
  "class A { a!: number }",
  "let a!: number;",
  `// @ts-${"ignore"}\nconst a = 1;`,
  `// @ts-${"nocheck"}\nconst a = 1;`,
])("escapeHatches: %s", (text) => {
  expect(faultsOf(escapeHatches, "src/a.ts", text)).toBe(1);
});

test("escapeHatches lets pass what only contains the letters", () => {
  expect(faultsOf(escapeHatches, "src/a.ts", "const any = !b; // any !\nconst c = a !== b;")).toBe(0);
});

test.each([
  `see /${"work"}/main`,
  `"/${"root"}/file"`,
  `"../${"shared"}/data"`,
  `https://${"registry"}.example.org/a`,
  `as ${"issue"} #12 says`,
  `${"semantics"}.md, 3`,
])("ownWords: %s", (text) => {
  expect(ownWords(new Map([["docs/a.md", `first line\n${text}\n`]]))).toEqual([
    expect.stringMatching(/^docs\/a\.md:2: /),
  ]);
});

test("ownWords lets pass what only looks like it", () => {
  const text = "the work/root ratio, src/work/a.ts, https://example.org/root/a, no issues, shared/";
  expect(ownWords(new Map([["docs/a.md", text]]))).toEqual([]);
});

test("dependencies: an optional one that is left out of the lock file", () => {
  const a = { version: "1.2.3", optionalDependencies: { "a-linux": "1.2.3" } };
  expect(dependencies({}, { packages: { "node_modules/a": a } })).toHaveLength(1);
  expect(dependencies({}, { packages: { "node_modules/a": a, "node_modules/a-linux": {} } })).toEqual([]);
  expect(dependencies({}, { packages: { "node_modules/a": a, "node_modules/a/node_modules/a-linux": {} } })).toEqual(
    [],
  );
});

test("dependencies: too many, not pinned, locked otherwise, naming a host", () => {
  const many = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`p${i}`, "1.0.0"]));
  const locked = Object.fromEntries(Object.keys(many).map((name) => [`node_modules/${name}`, { version: "1.0.0" }]));
  const fit = { packages: { "node_modules/a": { version: "1.2.3" } } };
  expect(dependencies({ dependencies: many }, { packages: locked })).toHaveLength(1);
  expect(dependencies({ devDependencies: { a: "^1.2.3" } }, fit)).toHaveLength(1);
  expect(dependencies({ dependencies: { a: "1.2.4" } }, fit)).toHaveLength(1);
  expect(
    dependencies({}, { packages: { "node_modules/a": { version: "1.2.3", resolved: "somewhere" } } }),
  ).toHaveLength(1);
  expect(dependencies({ dependencies: { a: "1.2.3" } }, fit)).toEqual([]);
});

test("compiledExamples: a fault is told where it stands", () => {
  const docstring = [
    "const before = 1;",
    "/**",
    " * What for.",
    " *",
    " * ```ts",
    ' * import { tally } from "safeguards/coordination";',
    ' * tally({ options: ["a"], votes: {}, method: "loudest" });',
    " * ```",
    " */",
    "export const a = before;",
  ].join("\n");
  const page = "# Page\n\n```ts\nconst fits: number = 1;\n```\n\n```ts\nconst wrong: number = '';\n```\n";
  const examples = [...examplesInDocstrings(parseSource("src/a.ts", docstring)), ...examplesInPage("docs/a.md", page)];
  expect(compiledExamples(examples)).toEqual([
    expect.stringMatching(/^src\/a\.ts:7: .*"loudest"/),
    expect.stringMatching(/^docs\/a\.md:8: /),
  ]);
});
