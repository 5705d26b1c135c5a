import { describe, expect, it } from "vitest";
import { data } from "./data.ts";
import { tell } from "./tree.fixture.ts";

describe("JSON", () => {
  it.each([
    ["a missing comma", '{\n "a": 1\n "b": 2 }', "a.json:3 data/invalid-json Comma expected"],
    ["a trailing comma", '{ "a": [1,\n] }', "a.json:2 data/invalid-json Value expected"],
    ["a comment", '{ "a": 1 } // no', "a.json:1 data/invalid-json Comments are not allowed here"],
    ["nothing at all", "", "a.json:1 data/invalid-json Value expected"],
    ["two values", "{}\n{}", "a.json:2 data/invalid-json End of file expected"],
    ["a merge conflict", "<<<<<<< HEAD\n{}", "a.json:1 data/invalid-json Invalid symbol"],
  ])("tells %s", async (_what, text, told) => {
    expect(await tell(data, { "a.json": text })).toContain(told);
  });

  it("tells a key that is there twice, in its own object only", async () => {
    const text = '{ "a": { "b": 1 },\n "c": { "b": 1 },\n "a": 2 }';
    expect(await tell(data, { "a.json": text })).toEqual([
      'a.json:3 data/duplicate-key The key "a" is there before, in the same object',
    ]);
  });

  it.each(["tsconfig.json", "a/tsconfig.base.json", ".vscode/settings.json", "a.jsonc", "x/.eslintrc.json"])(
    "lets %s hold comments and trailing commas",
    async (path) => {
      expect(await tell(data, { [path]: '{ // yes\n "a": [1,],\n}' })).toEqual([]);
    },
  );

  it.each(["__proto__", "constructor", "hasOwnProperty"])("takes %s for a key like any other", async (key) => {
    expect(await tell(data, { "a.json": `{ "${key}": 1 }` })).toEqual([]);
    expect(await tell(data, { "a.json": `{ "${key}": 1, "${key}": 2 }` })).toHaveLength(1);
  });
});

describe("YAML", () => {
  it("tells invalid data in any document of a file, with its line in the file", async () => {
    const told = await tell(data, { "a.yml": "a: 1\n---\nb: [1,\n---\nc: 1\nc: 2\n" });
    expect(told.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "a.yml:4 data/invalid-yaml",
      "a.yml:6 data/duplicate-key",
    ]);
  });

  it.each([
    ["nothing", ""],
    ["comments alone", "# nothing\n"],
    ["several documents", "---\na: 1\n---\na: 1\n...\n"],
    ["anchors and merges", "a: &a { b: 1 }\nc:\n  <<: *a\n  <<: *a\n  b: 2\n"],
    ["tags of others", "a: !Ref b\nc: !Sub '${d}'\n"],
  ])("accepts %s", async (_what, text) => {
    expect(await tell(data, { "a.yaml": text })).toEqual([]);
  });

  it("tells keys that are there twice in a large map, without comparing all with all", async () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`);
    expect(await tell(data, { "a.yaml": [...keys, "k7: 1"].join("\n") })).toEqual([
      'a.yaml:50001 data/duplicate-key The key "k7" is there before, in the same object',
    ]);
  });

  it("is not fooled by aliases that would grow without bound", async () => {
    const lines = ["a0: &a0 [x]", ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
    expect(await tell(data, { "a.yaml": lines.join("\n") })).toEqual([]);
  });
});
