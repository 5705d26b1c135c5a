/** The project speaks of itself alone: of no machine that it was written on, and of nothing that only its writers can see. */
import type { Faults } from "./source.ts";

/** Written so that this file does not break its own rule. */
const FOREIGN: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w.])\/(?:work|root)\/[a-z]/, "a path of somebody's machine"],
  [/\.\.\/(?:shared)\b/, "a folder outside of the repository"],
  [/https?:\/\/[^/\s"']*(?:npmjs|registry|artifactory|nexus|verdaccio)/, "the host of a package registry"],
  [/\bissues? #?\d/i, "the number of an issue"],
  [/\b(?:semantics|reliability|performance|crew-file|style)\.md\b/, "a page that is not in the repository"],
];

/** The one file that looks beside the checkout: what it finds there it checks against. */
const LOOKS_BESIDE = ".ci/run";

export function ownWords(texts: ReadonlyMap<string, string>): Faults {
  const faults: string[] = [];
  for (const [path, text] of texts) {
    if (path === LOOKS_BESIDE) continue;
    for (const [pattern, what] of FOREIGN) {
      if (!pattern.test(text)) continue;
      const line = text.split("\n").findIndex((one) => pattern.test(one));
      faults.push(`${path}:${line + 1}: ${what}`);
    }
  }
  return faults;
}
