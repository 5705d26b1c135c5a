import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Agent,
  Coordinator,
  defineAgent,
  isSafeguardsError,
  type Json,
  type Outcome,
  SafeguardsError,
} from "../../src/index.ts";
import crew from "./crew.ts";
import planted from "./fixtures/planted.json" with { type: "json" };

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "review-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(input: Json, concurrency = 8, standIn?: Agent): Promise<Outcome> {
  await using coordinator = await Coordinator.open({ resources: crew.resources ?? {}, concurrency });
  for (const agent of crew.agents) await coordinator.register(agent.name === standIn?.name ? standIn : agent);
  const tasks = typeof crew.tasks === "function" ? await crew.tasks(input) : crew.tasks;
  const [handle] = await coordinator.submit(tasks);
  if (handle === undefined) throw new Error("the crew has no task");
  return await handle.outcome();
}

async function reportOn(name: string, concurrency?: number): Promise<string> {
  const report = join(folder, `${name}.md`);
  const { error } = await run({ path: fixture(name), report }, concurrency);
  if (error !== undefined) throw error;
  return readFile(report, "utf8");
}

/** All but the one section that holds durations. */
function withoutTiming(report: string): string {
  return report.replace(/<!-- timing: begin -->[\s\S]*<!-- timing: end -->/, "");
}

describe("the report on a folder with planted faults", () => {
  it("names every one of them with file and line, and nothing else", async () => {
    const found = [...(await reportOn("faulty")).matchAll(/^- `(.*):(\d+)` .* \(([\w/-]+), \w+\)$/gm)];
    const places = found.map(([, file, line, rule]) => `${file}:${line} ${rule}`);
    expect(places.sort()).toEqual(planted.map(({ file, line, rule }) => `${file}:${line} ${rule}`).sort());
  });

  it("says who found what, and how the reviewers voted", async () => {
    const report = await reportOn("faulty");
    expect(report).toContain("(dependencies/missing, librarian)");
    expect(report).toContain("(security/eval, guard)");
    expect(report).toContain(
      "| Folder | guardian (weight 3) | maintainer (weight 3) | stickler (weight 2) | Decision |",
    );
    expect(report).toContain("| `data` | pass | fail | fail | **fail** |");
    expect(report).toContain("| `docs` | pass | pass | abstains | **pass** |");
  });

  it("is the same, but for durations, whatever ran beside what", async () => {
    const reports = [await reportOn("faulty", 1), await reportOn("faulty", 64)];
    expect(new Set(reports.map(withoutTiming)).size).toBe(1);
    expect(withoutTiming(reports[0] ?? "")).not.toMatch(/\d s\b/);
  });
});

it("finds nothing in the twin without faults", async () => {
  const report = await reportOn("clean");
  expect(report).toContain("**0 errors**, **0 warnings** and **0 notes**");
  expect(report).toContain("## Findings\n\nNone.");
  expect(report).toContain("**4 folders pass**, 0 fail");
});

it("counts what there is, in one task or in several, and tells what was left out", async () => {
  const path = await mkdtemp(join(folder, "count-"));
  for (let index = 0; index < 150; index++) await writeFile(join(path, `${index}.txt`), "a\nb");
  await writeFile(join(path, "picture"), "\0");
  const report = join(folder, "count.md");
  await run({ path, report });
  expect(await readFile(report, "utf8")).toContain("- **150 files** with 300 lines in 1 folders\n");
  expect(await readFile(report, "utf8")).toContain("- Left out: binary (1)\n");
});

it("finishes with what there is when a folder is empty", async () => {
  const path = await mkdtemp(join(folder, "empty-"));
  const report = join(folder, "empty.md");
  expect((await run({ path, report })).output).toEqual({
    report,
    errors: 0,
    warnings: 0,
    notes: 0,
    folders: 0,
    passed: 0,
  });
});

it("tells what could not be reviewed, and reviews the rest", async () => {
  const error = new SafeguardsError("TASK_FAILED", "the editor is ill", { retryable: false });
  const ill = defineAgent({ name: "editor", skills: ["markdown"], run: () => Promise.reject(error) });
  const report = join(folder, "ill.md");
  const { status } = await run({ path: fixture("faulty"), report }, 8, ill);
  expect(status).toBe("completed");
  expect(await readFile(report, "utf8")).toMatch(
    /security\/eval[\s\S]*## Not reviewed\n\n- `markdown-1` failed: the editor is ill/,
  );
});

it("tells no votes when nobody can count them, and asks for them once", async () => {
  const error = new SafeguardsError("TASK_FAILED", "no", { retryable: false });
  const gone = defineAgent({ name: "judge", skills: ["tally"], run: () => Promise.reject(error) });
  const report = join(folder, "gone.md");
  expect((await run({ path: fixture("clean"), report }, 8, gone)).output).toMatchObject({ folders: 0 });
  expect(await readFile(report, "utf8")).toContain("- `judge-1` failed: no\n");
});

it("does not review its own last report", async () => {
  const path = await mkdtemp(join(folder, "self-"));
  const report = join(path, "report.md");
  await writeFile(report, "[broken](link.md)");
  expect((await run({ path, report })).output).toMatchObject({ warnings: 0, folders: 0 });
});

it("refuses what is no folder, and input that it does not know", async () => {
  const { status, error } = await run({ path: join(folder, "gone") });
  expect(status).toBe("failed");
  expect(error?.message).toContain("must be a folder");
  await expect(run({ paht: "." })).rejects.toSatisfy((thrown) => isSafeguardsError(thrown, "INVALID_ARGUMENT"));
});

it("runs by itself, and tells where the report is", async () => {
  const report = join(folder, "main.md");
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, fixture("clean"), "--report", report]);
  expect(stdout).toContain(report);
  expect(await readFile(report, "utf8")).toContain("# Review of");
});
