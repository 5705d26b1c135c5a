import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { wordsIn } from "./indexer.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const folder = fileURLToPath(new URL("../../src/kernel", import.meta.url));

it("makes way for what is urgent, counts no document twice, and leaves none out", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toMatch(
    /^indexer: begins\n3 documents are counted, and an urgent question comes\nanswerer: answers "What now\?"\nindexer: goes on behind document \d+\n/,
  );
  const [, documents, words] =
    /\{"documents":(\d+),"words":(\d+)\} in 2 attempts: preempted, completed/.exec(stdout) ?? [];
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .slice(0, 12);
  const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, "utf8")));
  expect(Number(documents)).toBe(12);
  expect(Number(words)).toBe(texts.map(wordsIn).reduce((sum, count) => sum + count));
});
