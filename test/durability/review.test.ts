import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "safeguards-review-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reviews the coordination systems' source as a user would; killed when `lines` lines of progress have been told. */
async function review(
  name: string,
  killAfterLines?: number,
): Promise<{ readonly code: number | null; readonly out: string }> {
  const input = JSON.stringify({ path: join(root, "src/coordination"), report: join(folder, `${name}.md`) });
  const journal = `sqlite:${join(folder, `${name}.db`)}`;
  const crew = join(root, "examples/01-repo-review/crew.ts");
  const args = [join(root, "src/surfaces/cli/main.ts"), "run", crew, "--plain", "--journal", journal, "--input", input];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  const take = (data: unknown): void => {
    out += String(data);
    if (killAfterLines !== undefined && out.split("\n").length > killAfterLines) child.kill("SIGKILL");
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  // What a killed process started ends by itself a moment later.
  if (code === null) await pause(50);
  return { code, out };
}

/** The report without its one section of durations. */
function report(name: string): string {
  const text = readFileSync(join(folder, `${name}.md`), "utf8");
  const [before = "", after = ""] = text.split("<!-- timing: begin -->");
  expect(after).toContain("<!-- timing: end -->");
  return before + after.slice(after.indexOf("<!-- timing: end -->"));
}

test("a review that is killed twice ends with the report that it would have given", {
  timeout: 120_000,
}, async () => {
  expect((await review("whole")).code).toBe(0);
  for (const lines of [7, 18]) expect((await review("killed", lines)).code).toBe(null);
  const last = await review("killed");
  expect(last.out).toContain("r1 goes on");
  expect(last.code).toBe(0);
  expect(report("killed")).toBe(report("whole"));
  expect(report("whole")).toContain("src/coordination");
});
