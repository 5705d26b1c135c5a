import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Finding } from "./findings.ts";
import { type Review, writeReport } from "./report.ts";

const none: Review = {
  path: ".",
  survey: { kind: "survey", folders: [], skipped: {} },
  findings: [],
  decisions: [],
  results: [],
};

function found(severity: Finding["severity"], file: string, line: number, message = "x"): Review["findings"][number] {
  return { severity, rule: "r", file, line, message, agent: "a" };
}

it("tells the worst first, then by file and line, in whatever order it was found", () => {
  const findings = [
    found("info", "a", 1),
    found("error", "b", 2),
    found("warning", "a", 1),
    found("error", "a", 10),
    found("error", "a", 9),
  ];
  const reports = new Set<string>();
  fc.assert(
    fc.property(
      fc.shuffledSubarray(findings, { minLength: 5 }),
      (some) => void reports.add(writeReport({ ...none, findings: some })),
    ),
  );
  expect(reports.size).toBe(1);
  const [report = ""] = reports;
  expect([...report.matchAll(/^(?:- `(.*?)`|### (.*))/gm)].map((match) => match[1] ?? match[2])).toEqual([
    ...["Errors", "a:9", "a:10", "b:2"],
    ...["Warnings", "a:1"],
    ...["Notes", "a:1"],
  ]);
});

it("lets no name or message from a file act as Markdown or HTML, or begin a line", () => {
  const report = writeReport({ ...none, findings: [found("error", "a`b\n# c", 1, "<script>\n# [x](y) | `z`")] });
  expect(report).toContain("- `a'b # c:1` \\<script\\> # \\[x\\](y) \\| \\`z\\` (r, a)");
});

it("tells the votes by folder, in whatever order they were counted", () => {
  const decisions = ["b", "", "a/c", "a"].map((folder) => ({ folder, decision: "pass" as const, votes: [] }));
  const report = writeReport({ ...none, decisions });
  expect([...report.matchAll(/^\| `(.*?)`/gm)].map((match) => match[1])).toEqual([".", "a", "a/c", "b"]);
  expect(report).toContain("| `a` | abstains | abstains | abstains | **pass** |");
});

it("tells what was not reviewed, by the task's own name", () => {
  const result = { taskId: "r1/review/security-2", status: "skipped", attempts: [], cost: "0", endedAt: 0 } as const;
  expect(writeReport({ ...none, results: [result] })).toContain("## Not reviewed\n\n- `security-2` skipped: ");
});

it("keeps durations to one section at the end", () => {
  const attempt = { number: 1, agent: "guard", token: 1, startedAt: 1_000, endedAt: 3_500, cost: "0" };
  const result = {
    taskId: "t",
    status: "completed",
    agent: "guard",
    attempts: [attempt],
    cost: "0",
    endedAt: 3_500,
  } as const;
  const [before, timing = ""] = writeReport({ ...none, results: [result] }).split("<!-- timing: begin -->\n");
  expect(before).not.toContain("2.500");
  expect(timing).toContain("2.500 s from the first start to the last end.");
  expect(timing).toContain("| guard | 2.500 s | 2.500 s |");
  expect(timing).toMatch(/<!-- timing: end -->\n$/);
});
