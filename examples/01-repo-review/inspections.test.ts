import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Attempt, Outcome } from "../../src/index.ts";
import { chunks, latest, planAgain, planInspections } from "./inspections.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "review-"));
});
afterEach(() => rm(root, { recursive: true }));

const request = (): { root: string; report: string } => ({ root, report: join(root, "report.md") });

function outcome(id: string, status: Outcome["status"], end: NonNullable<Attempt["end"]>): Outcome {
  const attempt = { number: 1, agent: "guard", token: 1, startedAt: 0, endedAt: 1, end, cost: "0" };
  return { taskId: `review/${id}`, status, attempts: [attempt], cost: "0", endedAt: 1 };
}

it("hands every file to everyone whom it concerns, in tasks of a few files", async () => {
  for (let index = 0; index < 45; index++) await writeFile(join(root, `${index}.js`), "");
  await writeFile(join(root, "a.md"), "");
  const ids = (await planInspections(request())).map(({ id }) => id);
  expect(ids).toEqual([
    "survey-1",
    "javascript-1",
    "javascript-2",
    "javascript-3",
    "markdown-1",
    "security-1",
    "security-2",
    "security-3",
  ]);
});

it("asks again for what was lost with its process, and for nothing else", async () => {
  for (const name of ["a.js", "a.md"]) await writeFile(join(root, name), "");
  const results = [
    outcome("survey-1", "completed", "completed"),
    outcome("javascript-1", "failed", "lost"),
    outcome("markdown-1", "failed", "failed"),
  ];
  const again = await planAgain(request(), results);
  expect(again).toMatchObject([{ id: "javascript-1 (1)", skills: ["javascript"], input: { root, files: ["a.js"] } }]);
  expect(await planAgain(request(), [...results, outcome("javascript-1 (1)", "completed", "completed")])).toEqual([]);
});

it("gives up in the end on what is lost each time", async () => {
  await writeFile(join(root, "a.js"), "");
  const results = [outcome("javascript-1", "failed", "lost")];
  for (const times of [1, 2, 3]) {
    expect(await planAgain(request(), results)).toMatchObject([{ id: `javascript-1 (${times})` }]);
    results.push(outcome(`javascript-1 (${times})`, "failed", "lost"));
  }
  expect(await planAgain(request(), results)).toEqual([]);
});

it("tells the last outcome of each task", () => {
  const results = [
    outcome("a-1", "failed", "lost"),
    outcome("a-1 (1)", "completed", "completed"),
    outcome("b-1", "failed", "failed"),
  ];
  expect([...latest(results)].map(([id, { status }]) => `${id} ${status}`)).toEqual(["a-1 completed", "b-1 failed"]);
});

it("cuts a list into pieces that are all of it", () => {
  expect(chunks([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(chunks([], 2)).toEqual([]);
});
