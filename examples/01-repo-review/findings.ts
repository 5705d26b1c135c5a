import { z } from "zod";

/** One thing that a specialist found, at a place that a person can open. */
export const finding = z.object({
  severity: z.enum(["error", "warning", "info"]),
  /** `skill/kind`, such as `markdown/broken-link`. */
  rule: z.string(),
  /** Relative to the folder under review, with forward slashes. */
  file: z.string(),
  /** From 1. */
  line: z.number().int().positive(),
  message: z.string(),
});
export type Finding = z.infer<typeof finding>;

const SEVERITIES: readonly Finding["severity"][] = ["error", "warning", "info"];

/** Compares by code unit, so that the order is the same on every machine and in every language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** File, line, rule, message: a total order, so that the same findings are always told in the same order. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.file, b.file) || a.line - b.line || compareText(a.rule, b.rule) || compareText(a.message, b.message)
  );
}

/** The worst first, then {@link compareFindings}. */
export function compareSeverity(a: Finding, b: Finding): number {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || compareFindings(a, b);
}
