import { type ParseErrorCode, printParseErrorCode, visit } from "jsonc-parser";
import { LineCounter, parseAllDocuments } from "yaml";
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
  visit(
    text,
    {
      onObjectBegin: () => void keysOfOpenObjects.push(new Set()),
      onObjectEnd: () => void keysOfOpenObjects.pop(),
      onObjectProperty(key, _offset, _length, startLine) {
        const keys = keysOfOpenObjects.at(-1);
        if (keys?.has(key)) {
          const message = `The key ${JSON.stringify(key)} is there twice; only the last one counts`;
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

/** `CommaExpected` as "Comma expected". */
function explain(code: ParseErrorCode): string {
  const words = printParseErrorCode(code).replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words === "Invalid comment token" ? "Comments are not allowed here" : words;
}

function analyseYaml({ path, text }: SourceFile): Finding[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) =>
    document.errors.map((error): Finding => {
      const twice = error.code === "DUPLICATE_KEY";
      return {
        severity: "error",
        rule: twice ? "data/duplicate-key" : "data/invalid-yaml",
        file: path,
        line: Math.max(1, lines.linePos(error.pos[0]).line),
        message: twice ? "A key of this map is there twice" : error.message,
      };
    }),
  );
}
