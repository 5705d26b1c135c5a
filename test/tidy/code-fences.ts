/** The examples in docstrings and pages: everything between ```ts and ```. */
import type { Source } from "./source.ts";

export interface Example {
  /** The file that it stands in, and the line of its first line of code. */
  readonly path: string;
  readonly line: number;
  readonly code: string;
}

export function examplesInDocstrings(source: Source): readonly Example[] {
  return source.comments.flatMap((comment) => {
    if (comment.type !== "CommentBlock" || !comment.value.startsWith("*")) return [];
    const text = comment.value.replace(/^[ \t]*\*( |$)/gm, "");
    return examplesInPage(source.path, text, comment.loc?.start.line ?? 1);
  });
}

export function examplesInPage(path: string, text: string, firstLine = 1): readonly Example[] {
  const examples: Example[] = [];
  for (const { index, 0: fence, 1: code = "" } of text.matchAll(/^```ts[^\S\n]*\n(.*?)^```$/gms)) {
    const before = text.slice(0, index + fence.indexOf("\n") + 1);
    examples.push({ path, line: firstLine + before.split("\n").length - 1, code });
  }
  return examples;
}
