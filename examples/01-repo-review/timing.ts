import type { Outcome } from "../../src/index.ts";
import { compareText } from "./findings.ts";

/** Where the time went. The marks let whoever compares two reports leave out what differs between any two runs. */
export function timing(results: readonly Outcome[]): string {
  const byAgent = Map.groupBy(results, ({ agent = "nobody" }) => agent);
  const rows = [...byAgent]
    .sort(([a], [b]) => compareText(a, b))
    .map(([agent, outcomes]) => {
      const times = outcomes.map(workingMs);
      return `| ${agent} | ${seconds(sum(times))} | ${seconds(max(times))} |`;
    });
  const attempts = results.flatMap((outcome) => outcome.attempts);
  const elapsed = max(attempts.map(({ endedAt = 0 }) => endedAt)) + max(attempts.map(({ startedAt }) => -startedAt));
  return [
    "<!-- timing: begin -->",
    "## Where the time went",
    "",
    `${seconds(elapsed)} from the first start to the last end.`,
    "",
    "| Agent | At work | Longest task |",
    "| --- | --: | --: |",
    ...rows,
    "<!-- timing: end -->",
  ].join("\n");
}

function workingMs({ attempts }: Outcome): number {
  return sum(attempts.map(({ startedAt, endedAt = startedAt }) => endedAt - startedAt));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of nothing: 0. */
function max(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), values[0] ?? 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}
