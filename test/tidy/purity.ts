/** `src/coordination/` and `src/kernel/` compute: they name no clock, no chance, no timer, no process, no promise. */
import type { Node } from "@babel/types";
import { importsOf } from "./imports.ts";
import { at, type Faults, isTest, type Source, walk } from "./source.ts";

const IMPURE: ReadonlySet<string> = new Set([
  "Date",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "console",
  "process",
  "performance",
  "crypto",
  "fetch",
  "Buffer",
  "require",
  "globalThis",
]);

/** The one system that waits: for votes. */
const WAITS: ReadonlySet<string> = new Set([
  "src/coordination/decisions/federated-decisions.ts",
  "src/coordination/decisions/poll.ts",
]);

/** The one file that may import something from outside, and what. */
const OUTSIDE: Readonly<Record<string, string>> = { "src/coordination/structures/money.ts": "big.js" };

export function purity(sources: readonly Source[]): Faults {
  const faults: string[] = [];
  for (const source of sources) {
    if (!/^src\/(coordination|kernel)\//.test(source.path) || isTest(source.path)) continue;
    for (const { specifier, node } of importsOf(source)) {
      if (!specifier.startsWith(".") && OUTSIDE[source.path] !== specifier)
        faults.push(at(source, node, `imports ${specifier}`));
    }
    walk(source.program, (node, above) => {
      const what = impure(node, above, WAITS.has(source.path));
      if (what !== undefined) faults.push(at(source, node, `names ${what}`));
    });
  }
  return faults;
}

function impure(node: Node, above: readonly Node[], mayWait: boolean): string | undefined {
  if (node.type === "AwaitExpression" && !mayWait) return "await";
  if ("async" in node && node.async === true && !mayWait) return "async";
  if (node.type !== "Identifier") return undefined;
  const parent = above.at(-1);
  if (node.name === "Math" && usesRandom(parent)) return "Math.random";
  if (isOnlyAKey(node, parent)) return undefined;
  if (node.name === "Promise") return mayWait ? undefined : "Promise";
  return IMPURE.has(node.name) ? node.name : undefined;
}

/** `Math.random`, `Math["random"]`, `const { random } = Math`, and handing `Math` on, which could be any of these. */
function usesRandom(parent: Node | undefined): boolean {
  if (parent?.type !== "MemberExpression" && parent?.type !== "OptionalMemberExpression") return true;
  const { property } = parent;
  return parent.computed || (property.type === "Identifier" && property.name === "random");
}

/** Whether an identifier only says which property is meant. */
function isOnlyAKey(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return false;
  if (parent.type === "MemberExpression" || parent.type === "OptionalMemberExpression") {
    return parent.property === node && !parent.computed;
  }
  if (parent.type === "TSQualifiedName") return parent.right === node;
  return "key" in parent && parent.key === node && !("computed" in parent && parent.computed === true);
}
