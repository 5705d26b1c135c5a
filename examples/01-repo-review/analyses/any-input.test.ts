import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Finding } from "../findings.ts";
import type { Analysis } from "./analysis.ts";
import { data } from "./data.ts";
import { dependencies } from "./dependencies.ts";
import { javascript } from "./javascript.ts";
import { markdown } from "./markdown.ts";
import { security } from "./security.ts";
import { treeOf } from "./tree.fixture.ts";

const analysisByPath: Readonly<Record<string, Analysis>> = {
  "a.js": javascript,
  "a.tsx": javascript,
  "a.d.ts": javascript,
  "a.md": markdown,
  "a.json": data,
  "a.yaml": data,
  "package.json": dependencies,
  ".env": security,
  "b.js": security,
};

/** What these languages are made of, and what editors, systems and accidents leave behind. */
const pieces = [
  ..."[](){}<>\"'`\\/|&!?*_~#$%@:;,.-+=^ \t\n\r\0",
  ...["\ufeff", "\ud800", "\u2028", "\uffff", "😀", "\r\n", "é"],
  ...["a", "1", "x => ", "function f() ", "class A ", "import('", "require('", "export ", "if (x) ", "`${", "/*", "//"],
  ...['"a": ', '{"dependencies": {', "- ", "? ", "&a ", "*a", "---\n", "<<: ", "!x ", "|\n ", "%YAML 9\n"],
  ...[
    "# ",
    "> ",
    "[a](#b)",
    "[a](c.md)",
    "![",
    "<a name=",
    "<h1>",
    "<!--",
    "<script>",
    "[^a]",
    "```",
    "~~~",
    "a|b\n-|-\n",
  ],
  ...["token = '", "-----BEGIN PRIVATE KEY-----", "__proto__", "constructor"],
];

async function analyse(path: string, text: string): Promise<Finding[]> {
  return (await analysisByPath[path]?.analyse({ path, text }, treeOf({ [path]: text }))) ?? [];
}

describe.each(Object.keys(analysisByPath))("the analysis of %s", (path) => {
  it("survives any text, and names a line of it each time, the same when asked again", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom(...pieces)).map((all) => all.join("")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        const findings = await analyse(path, input);
        const lines = input.split(/\r\n|[\n\r\u2028\u2029]/).length;
        for (const { line } of findings) expect(line).toSatisfy((it: number) => it >= 1 && it <= lines);
        expect(await analyse(path, input)).toEqual(findings);
      }),
      { numRuns: 100 },
    );
  });

  it.each(pieces)("survives a thousand of %j", async (piece) => {
    await expect(analyse(path, piece.repeat(1_000))).resolves.toBeInstanceOf(Array);
  });

  it("survives hundreds of thousands of parts in one", async () => {
    await expect(analyse(path, `[${"1,".repeat(200_000)}1]`)).resolves.toBeInstanceOf(Array);
    await expect(analyse(path, `{"a": {${'"b":1,'.repeat(150_000)}"b":1}}`)).resolves.toBeInstanceOf(Array);
  });

  it("survives one line of more than half a million characters", async () => {
    await expect(analyse(path, `"${"a1 ".repeat(200_000)}"`)).resolves.toBeInstanceOf(Array);
  });
});

it("does not try to read Markdown that would take minutes", async () => {
  for (const text of ["/*".repeat(10_000), "a\n".repeat(100_000), "> ".repeat(20_000)]) {
    expect((await analyse("a.md", text)).map(({ rule }) => rule)).toEqual(["markdown/unreadable"]);
  }
});
