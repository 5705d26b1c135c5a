import type { File, Node } from "@babel/types";
import { lineOf, walk } from "./source-code.ts";

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Inside a `try`: the program goes on without it. */
  readonly optional: boolean;
}

/** What a file names. */
export interface Names {
  /** Modules: by import, export from, require, dynamic import, and types imported in place. */
  readonly imports: readonly Import[];
  /** Every constant text: programs are started and plugins loaded by name. */
  readonly texts: ReadonlySet<string>;
}

export function namesIn(ast: File): Names {
  const imports: Import[] = [];
  const texts = new Set<string>();
  walk(ast, false, (node, optional, parent) => {
    if (node.type === "StringLiteral") texts.add(node.value);
    else if (node.type === "TemplateElement") texts.add(node.value.raw);
    const specifier = specifierIn(node);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(node), optional });
    return optional || (parent?.type === "TryStatement" && parent.block === node);
  });
  return { imports, texts };
}

function specifierIn(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
      return node.source.value;
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return node.source?.value;
    case "ImportExpression":
      return constantText(node.source);
    case "TSImportType":
      return constantText(node.source);
    case "TSExternalModuleReference":
      return constantText(node.expression);
    case "CallExpression":
      return namesModule(node.callee) ? constantText(node.arguments[0]) : undefined;
    default:
      return undefined;
  }
}

/** `require(…)`, `require.resolve(…)`, `import.meta.resolve(…)`. */
function namesModule(callee: Node): boolean {
  if (callee.type === "Identifier") return callee.name === "require";
  if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return false;
  const { object, property } = callee;
  return property.name === "resolve" && (object.type === "MetaProperty" || isRequire(object));
}

function isRequire(node: Node): boolean {
  return node.type === "Identifier" && node.name === "require";
}

function constantText(node: Node | null | undefined): string | undefined {
  if (node?.type === "StringLiteral") return node.value;
  if (node?.type === "TSLiteralType") return constantText(node.literal);
  return undefined;
}
