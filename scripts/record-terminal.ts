/**
 * Makes the picture of the terminal that README shows: runs a crew in a real terminal (tmux), looks at it again and again,
 * and draws what it saw as one animated SVG.
 *
 *   node scripts/record-terminal.ts [crew] [input as JSON]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { animation } from "./terminal-svg.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const COLUMNS = 100;
const ROWS = 30;
const LOOK_MS = 200;
const LONGEST_MS = 5 * 60_000;
const FRAMES = 14;
/** A server of its own: other sessions on this machine are not touched. */
const TMUX = ["-L", `safeguards-record-${process.pid}`];

const crew = process.argv[2] ?? "examples/01-repo-review/crew.ts";
const input = process.argv[3] ?? JSON.stringify({ path: root });
const folder = mkdtempSync(join(tmpdir(), "safeguards-record-"));

try {
  const shots = await record();
  const picture = animation(thinned(shots), { columns: COLUMNS, title: `safeguards run ${crew}` });
  const file = join(root, "docs/terminal.svg");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, picture);
  console.log(`${file}: ${shots.length} looks, ${picture.length} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What was on the screen, one after the other, each as lines with their colours; the last is the summary. */
async function record(): Promise<string[]> {
  const main = join(root, "src/surfaces/cli/main.ts");
  // The crew is seen where it is, as from the repository's own folder, but its journal is kept in another.
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  const run = [process.execPath, main, "run", crew, "--input", input];
  // What stays on the screen at the end is looked at once more.
  const command = `${run.map(quoted).join(" ")}; touch ended; sleep 600`;
  tmux("new-session", "-d", "-x", String(COLUMNS), "-y", String(ROWS), "-c", folder, command);
  try {
    const shots: string[] = [];
    for (const end = Date.now() + LONGEST_MS; Date.now() < end; await sleep(LOOK_MS)) {
      const isOver = execFileSync("ls", [folder], { encoding: "utf8" }).includes("ended");
      const shot = tmux("capture-pane", "-e", "-p").trimEnd();
      // Not in the middle of being drawn.
      const isWhole = isOver || shot.includes("Ctrl-C");
      if (isWhole && shot !== shots.at(-1)) shots.push(shot);
      if (isOver) return shots;
    }
    throw new Error(`the crew did not end within ${LONGEST_MS / 1_000} s`);
  } finally {
    tmux("kill-server");
  }
}

/** So few that the picture stays small: the last, and others at even distances. */
function thinned(shots: readonly string[]): string[] {
  const step = Math.max(1, (shots.length - 1) / (FRAMES - 1));
  const picked = new Set<number>();
  for (let n = 0; n < FRAMES; n++) picked.add(Math.min(shots.length - 1, Math.round(n * step)));
  return [...picked].flatMap((index) => shots[index] ?? []);
}

function tmux(...args: readonly string[]): string {
  return execFileSync("tmux", [...TMUX, ...args], {
    encoding: "utf8",
    env: { ...process.env, TERM: "xterm-256color" },
  });
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
