import { expect, it } from "vitest";
import { compareFindings, compareSeverity, type Finding } from "./findings.ts";

const finding: Finding = { severity: "warning", rule: "b", file: "b", line: 10, message: "b" };

it.each([
  ["file", { file: "a", line: 11, rule: "c", message: "c" }],
  ["line, as a number", { line: 9, rule: "c", message: "c" }],
  ["rule", { rule: "a", message: "c" }],
  ["message", { message: "a" }],
])("orders by %s first", (_what, earlier) => {
  expect(compareFindings({ ...finding, ...earlier }, finding)).toBeLessThan(0);
  expect(compareFindings(finding, { ...finding, ...earlier })).toBeGreaterThan(0);
});

it("orders capital letters before small ones, as no language but the machine's would", () => {
  expect(compareFindings({ ...finding, file: "B" }, { ...finding, file: "a" })).toBeLessThan(0);
});

it("orders the worst first when asked for severity", () => {
  const mild: Finding = { ...finding, severity: "info", file: "a" };
  const severe: Finding = { ...finding, severity: "error", file: "z" };
  expect([mild, finding, severe].sort(compareSeverity)).toEqual([severe, finding, mild]);
});
