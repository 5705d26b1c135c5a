import type { Row } from "./contest.ts";
import { languages } from "./sentences.ts";

/** A table as text: a row for each way of deciding, a column for each language. */
export function tableOf(rows: readonly Row[]): string {
  const head = ["decided by", "right", "wrong", "none", "share", ...languages];
  const body = rows.map(({ by, right, wrong, undecided }) => {
    const counts = languages.map((language) => right[language]);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const share = `${((100 * total) / (total + wrong + undecided)).toFixed(1)} %`;
    return [by, total, wrong, undecided, share, ...counts].map(String);
  });
  const lines = [head, ...body];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}
