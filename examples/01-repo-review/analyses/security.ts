import type { Finding } from "../findings.ts";
import type { SourceFile } from "../tree.ts";
import type { Analysis } from "./analysis.ts";
import { findDangerousCalls } from "./dangerous-calls.ts";
import { findSecrets } from "./secrets.ts";
import { isSourceCode, parseSource } from "./source-code.ts";

/** Full of checksums, which look as random as secrets do. */
const LOCK_FILE = /(?:^|\/)(?:(?:npm-shrinkwrap|package-lock)\.json|pnpm-lock\.yaml|[^/]*\.lock|go\.sum)$/;

/** Secrets in any text, and calls that run text as code. */
export const security: Analysis = {
  reads: (path) => !LOCK_FILE.test(path),
  analyse(file: SourceFile): Finding[] {
    const secrets = findSecrets(file.path, file.text).map(({ what, offset, shown }): Finding => {
      const line = file.text.slice(0, offset).split("\n").length;
      const message = `${what} (${shown}) is there for everybody to read`;
      return { severity: "error", rule: "security/secret", file: file.path, line, message };
    });
    const { ast } = isSourceCode(file.path) ? parseSource(file) : {};
    const calls = ast === undefined ? [] : findDangerousCalls(ast);
    return [...secrets, ...calls.map((danger) => ({ ...danger, file: file.path }))];
  },
};
