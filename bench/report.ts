/** Figures as a table for people, and as a file to compare with. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Figure, isMet, median, ratioOf } from "./measure.ts";

const HEAD = ["what", "must", "aim", "measured", "min to max", "ratio", "met"];
const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const MANIFEST = new URL("../package.json", import.meta.url);

/** `judged`: whether to say what is met. */
export function printed(figures: readonly Figure[], { judged }: { judged: boolean }): string {
  const rows = [HEAD, ...figures.map((figure) => rowOf(figure, judged ? isMet(figure) : undefined))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

/** Writes the figures of a benchmark; returns the file's path. */
export function write(
  name: string,
  { work, brief, figures }: { work: string; brief: boolean; figures: readonly Figure[] },
): string {
  const { version }: { version: string } = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const result = {
    name,
    at: new Date().toISOString(),
    brief,
    machine: {
      platform: `${process.platform} ${release()} ${process.arch}`,
      cpu: cpus()[0]?.model,
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
    },
    versions: { safeguards: version, node: process.version, v8: process.versions.v8, sqlite: process.versions.sqlite },
    work,
    figures: figures.map((figure) => ({
      ...figure,
      ...spread(figure.runs),
      ...(figure.peer && { peer: { ...figure.peer, ...spread(figure.peer.runs) } }),
      ratio: ratioOf(figure),
      ...(brief ? {} : { met: isMet(figure) }),
    })),
  };
  mkdirSync(RESULTS, { recursive: true });
  // A brief run leaves the figures of a real one alone.
  const path = `${RESULTS}${name}${brief ? ".brief" : ""}.json`;
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  return relative(process.cwd(), path);
}

function spread(runs: readonly number[]): { min: number; median: number; max: number } {
  return { min: Math.min(...runs), median: median(runs), max: Math.max(...runs) };
}

function rowOf(figure: Figure, met: boolean | undefined): string[] {
  const { what, unit, runs, peer, goal } = figure;
  const { min, max } = spread(runs);
  const ratio = ratioOf(figure);
  const asked = (value: number | undefined) => {
    if (goal === undefined || value === undefined) return "";
    return `${goal.better === "more" ? "≥" : "≤"} ${goal.of === "ratio" ? `${short(value)} ×` : `${short(value)} ${unit}`}`;
  };
  return [
    what,
    asked(goal?.must),
    asked(goal?.aim),
    `${short(median(runs))} ${unit}`,
    `${short(min)} to ${short(max)}`,
    peer === undefined || ratio === undefined ? "" : `${short(ratio)} × ${peer.what} (${short(median(peer.runs))})`,
    met === undefined ? "" : met ? "yes" : "NO",
  ];
}

/** Three digits and more, whatever the size. */
function short(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
