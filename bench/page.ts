/** Python classes that a page has in its code blocks, timed by `sketch.py`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Calls a second for each question that the work has. */
export function timePage<Speeds>(page: string, work: object): Speeds {
  const script = fileURLToPath(new URL("sketch.py", import.meta.url));
  const { status, stdout, stderr, error } = spawnSync("python3", [script, page, JSON.stringify(work)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`python3 ended with ${status}: ${error?.message ?? stderr}`);
  return JSON.parse(stdout);
}
