import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { contest, type Row } from "./contest.ts";
import { detectors } from "./detectors.ts";
import { languages, sentences } from "./sentences.ts";

const all = languages.flatMap((language) => sentences[language]);

describe("the sentences", () => {
  it("are as many in each language, short, and each there once", () => {
    for (const language of languages) expect(sentences[language]).toHaveLength(14);
    expect(new Set(all).size).toBe(140);
    expect(all.filter((text) => !/^\S+( \S+){2,7}$/.test(text))).toEqual([]);
  });
});

describe("the contest", () => {
  let rows: readonly Row[];
  const totalOf = (by: string): number =>
    Object.values(rows.find((row) => row.by === by)?.right ?? {}).reduce((sum, count) => sum + count, 0);
  beforeAll(async () => {
    rows = await contest();
  });

  it("judges every sentence by each detector, three ways of voting, and without any truth", () => {
    const voting = ["majority", "weighted, as guessed", "weighted, as learned", "Dawid-Skene"];
    expect(rows.map(({ by }) => by)).toEqual([...detectors.map(({ name }) => name), ...voting]);
    for (const { by, wrong, undecided } of rows)
      expect([by, totalOf(by) + wrong + undecided]).toEqual([by, all.length]);
  });

  it("finds detectors that err, and learns more than one vote each can tell", () => {
    for (const { name } of detectors) expect(totalOf(name)).toBeLessThan(all.length);
    expect(totalOf("weighted, as learned")).toBeGreaterThan(totalOf("majority"));
  });
});

it("prints the table that its page shows, by one command", () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const page = readFileSync(new URL("README.md", import.meta.url), "utf8");
  const [, table] = /```text\n(.*?)```/s.exec(page) ?? [];
  expect(execFileSync(process.execPath, [main], { encoding: "utf8" })).toBe(table);
});
