/** Which way imports may run. */
import { posix } from "node:path";
import type { Node } from "@babel/types";
import { at, type Faults, isTest, type Source, walk } from "./source.ts";

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly node: Node;
}

/** Everything that a file imports or hands on, types too. */
export function importsOf(source: Source): readonly Import[] {
  const found: Import[] = [];
  walk(source.program, (node) => {
    if (node.type === "ImportDeclaration") {
      const names = node.specifiers;
      const typeOnly =
        node.importKind === "type" ||
        (names.length > 0 && names.every((name) => name.type === "ImportSpecifier" && name.importKind === "type"));
      found.push({ specifier: node.source.value, typeOnly, node });
    } else if (node.type === "ExportAllDeclaration" || node.type === "ExportNamedDeclaration") {
      if (node.source) found.push({ specifier: node.source.value, typeOnly: node.exportKind === "type", node });
    } else if (node.type === "ImportExpression") {
      const specifier = node.source.type === "StringLiteral" ? node.source.value : "(computed)";
      found.push({ specifier, typeOnly: false, node });
    } else if (node.type === "TSImportType") {
      found.push({ specifier: node.source.value, typeOnly: true, node });
    }
  });
  return found;
}

/** What each layer may import besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  coordination: ["errors"],
  kernel: ["coordination", "errors"],
  journal: ["kernel", "coordination", "errors"],
  runtime: ["journal", "kernel", "coordination", "errors"],
  crew: ["runtime", "journal", "kernel", "coordination", "errors"],
  surfaces: ["crew", "runtime", "journal", "kernel", "coordination", "errors"],
  opentelemetry: ["runtime", "journal", "kernel", "coordination", "errors"],
  testing: ["runtime", "journal", "kernel", "coordination", "errors"],
  planning: ["testing", "runtime", "journal", "kernel", "coordination", "errors"],
  index: ["crew", "runtime", "kernel", "coordination", "errors"],
};

/** A folder, or a file at the top, that is part of a layer with another name. */
const PART_OF: Readonly<Record<string, string>> = {
  "coordination-entry": "coordination",
  agents: "runtime",
  guardrails: "runtime",
};

function layerOf(path: string): string | undefined {
  const [, top] = /^src\/([^/.]+)/.exec(path) ?? [];
  return top === undefined ? undefined : (PART_OF[top] ?? top);
}

/** coordination ← kernel ← journal, runtime ← crew ← surfaces; a surface never imports another; errors.ts imports nothing. */
export function importDirection(sources: readonly Source[]): Faults {
  const faults: string[] = [];
  for (const source of sources) {
    const layer = layerOf(source.path);
    if (layer === undefined || isTest(source.path)) continue;
    const allowed = LAYERS[layer];
    if (allowed === undefined) {
      faults.push(`${source.path}:1: src/${layer} is no layer that test/tidy/imports.ts knows`);
      continue;
    }
    for (const { specifier, node } of importsOf(source)) {
      if (!specifier.startsWith(".")) continue;
      const target = posix.join(posix.dirname(source.path), specifier);
      const other = layerOf(target);
      if (other === undefined) {
        faults.push(at(source, node, `imports ${target}, which is not in src/`));
      } else if (other !== layer && !allowed.includes(other)) {
        faults.push(at(source, node, `${layer} imports ${target}; it may import ${allowed.join(", ") || "nothing"}`));
      } else if (layer === "surfaces" && other === "surfaces" && surfaceOf(target) !== surfaceOf(source.path)) {
        faults.push(at(source, node, `a surface imports another: ${target}`));
      }
    }
  }
  return faults;
}

function surfaceOf(path: string): string | undefined {
  return path.split("/")[2];
}

/** The systems are independent: of another's files, one may only name the types of what it is handed. */
export function systemsApart(sources: readonly Source[]): Faults {
  const faults: string[] = [];
  for (const source of sources) {
    const system = systemOf(source.path);
    if (system === undefined || isTest(source.path)) continue;
    for (const { specifier, typeOnly, node } of importsOf(source)) {
      if (!specifier.startsWith(".")) continue;
      const target = posix.join(posix.dirname(source.path), specifier);
      const other = systemOf(target);
      if (other === undefined || other === system || other === "structures") continue;
      if (typeOnly && system !== "structures") continue;
      faults.push(at(source, node, `${system} imports ${target}; it may only name its types`));
    }
  }
  return faults;
}

/** Which system of `src/coordination/` a file belongs to; what they share is `structures`. */
function systemOf(path: string): string | undefined {
  const [, top] = /^src\/coordination\/([^/.]+)/.exec(path) ?? [];
  return top === "rebalance" ? "workload-balancer" : top;
}
