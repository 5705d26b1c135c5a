/**
 * Runs `main.ts` again whenever it has died, until it gets through:
 *
 *     node examples/06-crash/show.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** More would mean that it does not get on. */
const MOST_LIVES = 20;

const folder = mkdtempSync(join(tmpdir(), "safeguards-crash-"));
const main = fileURLToPath(new URL("main.ts", import.meta.url));
try {
  for (let life = 1; life <= MOST_LIVES; life++) {
    const { signal, status, stdout, stderr } = spawnSync(process.execPath, [main, folder], { encoding: "utf8" });
    console.log(`life ${life}: ${signal === null ? `ended with exit code ${status}` : `was killed by ${signal}`}`);
    if (signal === "SIGKILL") continue;
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = status ?? 1;
    break;
  }
} finally {
  rmSync(folder, { recursive: true });
}
