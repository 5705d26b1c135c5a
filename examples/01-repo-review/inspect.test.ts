import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Analysis } from "./analyses/analysis.ts";
import type { Finding } from "./findings.ts";
import { inspect } from "./inspect.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "review-"));
});
afterEach(() => rm(root, { recursive: true }));

/** One finding for each line, the last line first. */
const everyLine: Analysis = {
  reads: () => true,
  analyse: ({ path, text }) =>
    text
      .split("\n")
      .map((message, index): Finding => ({ severity: "info", rule: "x", file: path, line: index + 1, message }))
      .reverse(),
};

it("tells findings in order, whatever order they were found in", async () => {
  await writeFile(join(root, "a"), "1\n2");
  await writeFile(join(root, "b"), "3");
  const { findings } = await inspect(everyLine, { root, files: ["b", "a"] });
  expect(findings.map(({ file, line }) => `${file}:${line}`)).toEqual(["a:1", "a:2", "b:1"]);
});

it("tells the first twenty of one kind in one file, and how many more there are", async () => {
  const told = async (count: number): Promise<string[]> => {
    await writeFile(join(root, "a"), "x\n".repeat(count).trim());
    return (await inspect(everyLine, { root, files: ["a"] })).findings.map(({ line, message }) => `${line} ${message}`);
  };
  expect((await told(21)).at(-1)).toBe("21 x");
  expect((await told(22)).slice(-2)).toEqual(["20 x", "21 And 2 more like those above"]);
  expect(await told(1_000)).toHaveLength(21);
});

it("tells a file that is gone meanwhile, and goes on with the others", async () => {
  await writeFile(join(root, "b"), "x");
  const { findings } = await inspect(everyLine, { root, files: ["a", "b"] });
  expect(findings.map(({ file, rule }) => `${file} ${rule}`)).toEqual(["a file/unreadable", "b x"]);
});

it("stops when it is told to", async () => {
  const ctx = { signal: AbortSignal.abort(new Error("stop")), progress: () => undefined };
  await expect(inspect(everyLine, { root, files: ["a"] }, ctx)).rejects.toThrow("stop");
});
