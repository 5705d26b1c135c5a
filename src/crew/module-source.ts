/**
 * Where in a JavaScript or TypeScript module the parts of its crew are written. Literals are followed, through constants of
 * the module and through `defineCrew`, `defineAgent` and `defineManager`; what is computed stands where its
 * computation does.
 */
import { type ParseResult, parse } from "@babel/parser";
import type * as t from "@babel/types";
import type { Path, Position } from "./fault.ts";

export interface ModuleSource {
  /** What is wrong with the syntax: all that the parser could find. */
  readonly faults: readonly (Position & { readonly message: string })[];
  /** Where the value at a path of the default export stands, or its key; what is not there is where its holder stands. */
  locate(path: Path, at?: "key"): Position;
  /** Where the first import stands whose specifier is this one. */
  locateImport(isThis: (specifier: string) => boolean): Position | undefined;
}

/** Functions that give their argument's content back. */
const DEFINERS: ReadonlySet<string> = new Set(["defineCrew", "defineAgent", "defineManager"]);
const START: Position = { line: 1, column: 1 };

/** Reads a module's text. Never throws. */
export function readModule(text: string, options: { readonly typescript: boolean }): ModuleSource {
  let module: ParseResult<t.File>;
  try {
    module = parse(text, {
      sourceType: "module",
      errorRecovery: true,
      plugins: options.typescript ? ["typescript"] : [],
    });
  } catch (error) {
    const fault = faultOf(error);
    return { faults: [fault], locate: () => fault, locateImport: () => undefined };
  }
  const { body } = module.program;
  const constants = constantsOf(body);
  return {
    faults: module.errors.map(faultOf),
    locate: (path, at) => locate(defaultExport(body, constants), path, at, constants),
    locateImport: (isThis) => {
      const sources = body.flatMap((statement) =>
        "source" in statement && statement.source ? [statement.source] : [],
      );
      const found = sources.find(({ value }) => isThis(value));
      return found && positionOf(found);
    },
  };
}

function faultOf(error: unknown): Position & { message: string } {
  const message = error instanceof Error ? error.message.replace(/ \(\d+:\d+\)$/, "") : String(error);
  const loc: unknown = typeof error === "object" && error !== null && "loc" in error ? error.loc : undefined;
  if (typeof loc !== "object" || loc === null || !("line" in loc && "column" in loc)) return { ...START, message };
  return { line: Number(loc.line), column: Number(loc.column) + 1, message };
}

function positionOf(node: t.Node): Position {
  return node.loc ? { line: node.loc.start.line, column: node.loc.start.column + 1 } : START;
}

type Constants = ReadonlyMap<string, t.Node>;

/** What the module's own constants are set to. */
function constantsOf(body: readonly t.Statement[]): Constants {
  const constants = new Map<string, t.Node>();
  for (const statement of body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type === "Identifier" && init) constants.set(id.name, init);
    }
  }
  return constants;
}

function defaultExport(body: readonly t.Statement[], constants: Constants): t.Node | undefined {
  for (const statement of body) {
    if (statement.type === "ExportDefaultDeclaration") return statement.declaration;
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type !== "ExportSpecifier" || nameOf(specifier.exported) !== "default") continue;
      return constants.get(nameOf(specifier.local) ?? "") ?? specifier;
    }
  }
  return undefined;
}

function locate(root: t.Node | undefined, path: Path, at: "key" | undefined, constants: Constants): Position {
  if (root === undefined) return START;
  let shown: t.Node = root;
  let node = content(root, constants);
  for (const [depth, step] of path.entries()) {
    const part = partOf(node, step, constants);
    if (part === undefined) break;
    const isLast = depth === path.length - 1;
    shown = isLast && at === "key" ? part.key : part.value;
    node = content(part.value, constants);
  }
  return positionOf(shown);
}

/** The literal that an expression stands for, as far as that can be seen. */
function content(node: t.Node, constants: Constants, depth = 0): t.Node {
  if (depth > 100) return node;
  switch (node.type) {
    case "Identifier": {
      const value = constants.get(node.name);
      return value === undefined ? node : content(value, constants, depth + 1);
    }
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "ParenthesizedExpression":
      return content(node.expression, constants, depth + 1);
    case "CallExpression": {
      const [argument] = node.arguments;
      const { callee } = node;
      const called = callee.type === "MemberExpression" ? callee.property : callee;
      if (called.type !== "Identifier" || !DEFINERS.has(called.name) || argument === undefined) return node;
      return content(argument, constants, depth + 1);
    }
    default:
      return node;
  }
}

interface Part {
  readonly key: t.Node;
  readonly value: t.Node;
}

function partOf(node: t.Node, step: string | number, constants: Constants): Part | undefined {
  if (node.type === "ArrayExpression") {
    const element = elementsOf(node, constants)[Number(step)];
    return element ? { key: element, value: element } : undefined;
  }
  if (node.type !== "ObjectExpression") return undefined;
  for (const property of node.properties.toReversed()) {
    if (property.type === "SpreadElement") {
      const part = partOf(content(property.argument, constants), step, constants);
      if (part !== undefined) return part;
    } else if (!property.computed && nameOf(property.key) === String(step)) {
      return { key: property.key, value: property.type === "ObjectMethod" ? property : property.value };
    }
  }
  return undefined;
}

/** A list's elements, through what is spread into it; those behind what cannot be seen are left out. */
function elementsOf(list: t.ArrayExpression, constants: Constants): (t.Node | null)[] {
  const elements: (t.Node | null)[] = [];
  for (const element of list.elements) {
    if (element?.type !== "SpreadElement") {
      elements.push(element);
      continue;
    }
    const spread = content(element.argument, constants);
    if (spread.type !== "ArrayExpression") break;
    elements.push(...elementsOf(spread, constants));
    if (spread.elements.some((inner) => inner?.type === "SpreadElement")) break;
  }
  return elements;
}

function nameOf(key: t.Node): string | undefined {
  if (key.type === "Identifier") return key.name;
  if (key.type === "StringLiteral" || key.type === "NumericLiteral") return String(key.value);
  return undefined;
}
