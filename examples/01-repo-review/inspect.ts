import { z } from "zod";
import type { Analysis } from "./analyses/analysis.ts";
import { compareFindings, type Finding, finding } from "./findings.ts";
import { treeOnDisk } from "./tree.ts";

/** What a specialist is asked: to look at some files of one tree. Only their names travel; it reads them itself. */
export const assignment = z.object({ root: z.string(), files: z.array(z.string()) });
export type Assignment = z.infer<typeof assignment>;

/** What a specialist answers. */
export const inspection = z.object({ kind: z.literal("inspection"), findings: z.array(finding) });
export type Inspection = z.infer<typeof inspection>;

/** Of one rule in one file; generated files can break one thousands of times. */
const TOLD_IN_FULL = 20;

/** Analyses one file after the other. */
export async function inspect(
  { analyse }: Analysis,
  { root, files }: Assignment,
  ctx?: { readonly signal: AbortSignal; progress(fraction: number, note?: string): void },
): Promise<Inspection> {
  const tree = treeOnDisk(root);
  const findings: Finding[] = [];
  for (const [index, path] of files.entries()) {
    ctx?.signal.throwIfAborted();
    ctx?.progress(index / files.length, path);
    const text = await tree.read(path);
    if (text === undefined) findings.push(unreadable(path));
    else findings.push(...abridge(await analyse({ path, text }, tree)));
  }
  return { kind: "inspection", findings: findings.sort(compareFindings) };
}

function unreadable(path: string): Finding {
  return { severity: "info", rule: "file/unreadable", file: path, line: 1, message: "It could not be read" };
}

/** The first of each rule, and how many more there are. */
function abridge(findings: readonly Finding[]): Finding[] {
  const byRule = Map.groupBy([...findings].sort(compareFindings), ({ rule }) => rule);
  return [...byRule.values()].flatMap((alike) => {
    const [next, ...more] = alike.slice(TOLD_IN_FULL);
    if (next === undefined || more.length === 0) return alike;
    return [...alike.slice(0, TOLD_IN_FULL), { ...next, message: `And ${more.length + 1} more like those above` }];
  });
}
