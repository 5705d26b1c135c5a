import type { Outcome } from "../../src/index.ts";
import { compareSeverity, compareText, type Finding } from "./findings.ts";
import { latest } from "./inspections.ts";
import type { FolderDecision } from "./judge.ts";
import { reviewers } from "./reviewers.ts";
import type { Survey } from "./surveyor.ts";
import { timing } from "./timing.ts";

/** All that the team has answered. */
export interface Review {
  /** The folder under review, as the user named it. */
  readonly path: string;
  readonly survey: Survey;
  /** Each with who found it. */
  readonly findings: readonly (Finding & { readonly agent: string })[];
  readonly decisions: readonly FolderDecision[];
  readonly results: readonly Outcome[];
}

/**
 * The report, in Markdown. All of it but the timing section follows from the files alone: neither the order in which the
 * agents worked nor a restart in the middle changes a byte.
 */
export function writeReport(review: Review): string {
  const sections = [overview(review), findings(review), votes(review), failures(review), timing(review.results)];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

export function countFindings(found: readonly Finding[]): { errors: number; warnings: number; notes: number } {
  const count = (severity: Finding["severity"]): number => found.filter((it) => it.severity === severity).length;
  return { errors: count("error"), warnings: count("warning"), notes: count("info") };
}

function overview({ path, survey, findings, decisions }: Review): string {
  const { errors, warnings, notes } = countFindings(findings);
  const sum = (what: "files" | "lines"): number => survey.folders.reduce((total, it) => total + it[what], 0);
  const decided = (decision: FolderDecision["decision"]): number =>
    decisions.filter((it) => it.decision === decision).length;
  const skipped = Object.entries(survey.skipped).map(([reason, count]) => `${reason} (${count})`);
  return [
    `# Review of ${code(path)}`,
    "",
    `- **${sum("files")} files** with ${sum("lines")} lines in ${survey.folders.length} folders`,
    `- **${errors} errors**, **${warnings} warnings** and **${notes} notes**`,
    `- **${decided("pass")} folders pass**, ${decided("fail")} fail, ${decided("undecided")} are undecided`,
    `- Left out: ${skipped.join(", ") || "nothing"}`,
  ].join("\n");
}

const HEADINGS = { error: "Errors", warning: "Warnings", info: "Notes" } as const;

function findings({ findings }: Review): string {
  const bySeverity = Map.groupBy([...findings].sort(compareSeverity), ({ severity }) => severity);
  const parts = [...bySeverity].map(([severity, alike]) => {
    const lines = alike.map(
      ({ file, line, message, rule, agent }) => `- ${code(`${file}:${line}`)} ${plain(message)} (${rule}, ${agent})`,
    );
    return `### ${HEADINGS[severity]}\n\n${lines.join("\n")}`;
  });
  return `## Findings\n\n${parts.join("\n\n") || "None."}`;
}

function votes({ decisions }: Review): string {
  const rows = [...decisions]
    .sort((a, b) => compareText(a.folder, b.folder))
    .map(({ folder, decision, votes }) => {
      const choices = reviewers.map(({ name }) => votes.find(({ voter }) => voter === name)?.choice ?? "abstains");
      return row([code(folder || "."), ...choices, `**${decision}**`]);
    });
  if (rows.length === 0) return "";
  const head = ["Folder", ...reviewers.map(({ name, weight }) => `${name} (weight ${weight})`), "Decision"];
  return ["## Votes", "", row(head), row(head.map(() => "---")), ...rows].join("\n");
}

function failures({ results }: Review): string {
  const lines = [...latest(results)]
    .filter(([, { status }]) => status !== "completed")
    .map(([id, { status, error }]) => `- ${code(id)} ${status}: ${plain(error?.message ?? "")}`);
  return lines.length === 0 ? "" : `## Not reviewed\n\n${lines.join("\n")}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Names and messages come from the files: on one line, and with nothing in them that Markdown or HTML would act on. */
function code(text: string): string {
  return `\`${oneLine(text).replaceAll("`", "'")}\``;
}

function plain(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>|~]/g, "\\$&");
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
