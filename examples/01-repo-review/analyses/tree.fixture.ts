import { posix } from "node:path";
import { compareFindings, compareText, type Finding } from "../findings.ts";
import type { Tree } from "../tree.ts";
import type { Analysis } from "./analysis.ts";

/** A tree of texts by path. */
export function treeOf(texts: Readonly<Record<string, string>>, installed = false): Tree {
  const paths = Object.keys(texts).sort(compareText);
  return {
    installed,
    read: async (path) => texts[posix.normalize(path)],
    exists: async (path) => {
      const place = posix.normalize(path).replace(/\/$/, "");
      return paths.some((known) => place === "." || known === place || known.startsWith(`${place}/`));
    },
    list: async (folder) => ({
      files: paths.filter(
        (path) => !/(?:^|\/)node_modules\//.test(path) && (folder === "" || path.startsWith(`${folder}/`)),
      ),
      skipped: {},
    }),
  };
}

/** What an analysis says of all files that concern it, each as `file:line rule message`. */
export async function tell(
  analysis: Analysis,
  texts: Readonly<Record<string, string>>,
  installed = false,
): Promise<string[]> {
  const tree = treeOf(texts, installed);
  const findings: Finding[] = [];
  for (const path of Object.keys(texts).filter(analysis.reads)) {
    findings.push(...(await analysis.analyse({ path, text: texts[path] ?? "" }, tree)));
  }
  return findings.sort(compareFindings).map(({ file, line, rule, message }) => `${file}:${line} ${rule} ${message}`);
}
