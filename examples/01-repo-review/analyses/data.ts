import { type ParseErrorCode, printParseErrorCode, visit as visitJson } from "jsonc-parser";
import { type Document, isScalar, LineCounter, parseAllDocuments, type Scalar, visit } from "yaml";
import type { Finding } from "../findings.ts";
import type { SourceFile } from "../tree.ts";
import type { Analysis } from "./analysis.ts";

/** JSON and YAML that no program could read, and keys that quietly overwrite one another. */
export const data: Analysis = {
  reads: (path) => /\.(?:jsonc?|ya?ml)$/.test(path),
  analyse(file: SourceFile): Finding[] {
    const isJson = /\.jsonc?$/.test(file.path);
    try {
      return isJson ? analyseJson(file) : analyseYaml(file);
    } catch (error) {
      const message = error instanceof RangeError ? "Nested too deeply to be read" : String(error);
      return [{ severity: "error", rule: ruleFor(isJson), file: file.path, line: 1, message }];
    }
  },
};

function ruleFor(isJson: boolean): string {
  return isJson ? "data/invalid-json" : "data/invalid-yaml";
}

/** Files that are JSON by name, and JSON with comments to the programs that read them. */
const COMMENTED =
  /\.jsonc$|(?:^|\/)(?:[tj]sconfig(?:[.-][^/]*)?|\.eslintrc|\.babelrc|\.swcrc|api-extractor[^/]*|devcontainer|turbo|deno|renovate|nx)\.json$|(?:^|\/)\.vscode\/[^/]*\.json$/;

function analyseJson({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const commented = COMMENTED.test(path);
  const keysOfOpenObjects: Set<string>[] = [];
  let lastLine = 0;
  visitJson(
    text,
    {
      onObjectBegin: () => void keysOfOpenObjects.push(new Set()),
      onObjectEnd: () => void keysOfOpenObjects.pop(),
      onObjectProperty(key, _offset, _length, startLine) {
        const keys = keysOfOpenObjects.at(-1);
        if (keys?.has(key)) {
          const message = explainKey(key);
          findings.push({ severity: "error", rule: "data/duplicate-key", file: path, line: startLine + 1, message });
        }
        keys?.add(key);
      },
      onError(code, _offset, _length, startLine) {
        // What follows on the same line is mostly the same mistake, seen again.
        const line = startLine + 1;
        if (line === lastLine) return;
        lastLine = line;
        findings.push({ severity: "error", rule: "data/invalid-json", file: path, line, message: explain(code) });
      },
    },
    { disallowComments: !commented, allowTrailingComma: commented },
  );
  return findings;
}

function explainKey(key: unknown): string {
  return `The key ${JSON.stringify(key)} is there before, in the same object`;
}

/** `CommaExpected` as "Comma expected". */
function explain(code: ParseErrorCode): string {
  const words = printParseErrorCode(code).replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words === "Invalid comment token" ? "Comments are not allowed here" : words;
}

function analyseYaml({ path, text }: SourceFile): Finding[] {
  const lines = new LineCounter();
  // The parser compares every key of a map with every other, which for a large map takes minutes.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false } as const;
  const findings: Finding[] = [];
  function tell(rule: string, offset: number, message: string): void {
    const line = Math.max(1, lines.linePos(offset).line);
    findings.push({ severity: "error", rule, file: path, line, message });
  }
  for (const document of parseAllDocuments(text, options)) {
    for (const { message, pos } of document.errors) tell("data/invalid-yaml", pos[0], message);
    for (const { value, range } of repeatedKeys(document))
      tell("data/duplicate-key", range?.[0] ?? 0, explainKey(value));
  }
  return findings;
}

function repeatedKeys(document: Document): Scalar[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        // Several maps may be merged into one.
        if (!isScalar(key) || key.value === "<<") continue;
        if (keys.has(key.value)) repeated.push(key);
        keys.add(key.value);
      }
    },
  });
  return repeated;
}
