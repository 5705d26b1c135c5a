import { type ParserPlugin, parse } from "@babel/parser";
import type { File, Node } from "@babel/types";
import type { SourceFile } from "../tree.ts";

/** A syntax tree, or what keeps the text from having one. */
export type ParsedSource =
  | { readonly ast: File; readonly error?: undefined }
  | { readonly ast?: undefined; readonly error: { readonly line: number; readonly message: string } | undefined };

export function isSourceCode(path: string): boolean {
  return /\.(?:[cm]?[jt]s|[jt]sx)$/.test(path);
}

/**
 * Parses JavaScript, TypeScript, JSX and Flow up to the first error. The parser could go on after some errors, but there
 * are texts of a few kilobytes for which it then finds billions.
 */
export function parseSource({ path, text }: SourceFile): ParsedSource {
  try {
    const ast = parse(text, {
      sourceType: "unambiguous",
      attachComment: false,
      allowReturnOutsideFunction: true,
      allowNewTargetOutsideFunction: true,
      allowUndeclaredExports: true,
      plugins: pluginsFor(path, text),
    });
    return { ast };
  } catch (error) {
    return { error: asSyntaxError(error, path) };
  }
}

/** Whether it only declares types, for code that is elsewhere. */
export function isDeclaration(path: string): boolean {
  return /\.d\.[cm]?ts$/.test(path);
}

function pluginsFor(path: string, text: string): ParserPlugin[] {
  const decorators: ParserPlugin[] = ["decorators", "decoratorAutoAccessors"];
  if (isDeclaration(path)) return [["typescript", { dts: true }], ...decorators];
  if (/\.[cm]?ts$/.test(path)) return ["typescript", ...decorators];
  if (path.endsWith(".tsx")) return ["typescript", "jsx", ...decorators];
  return /@flow\b/.test(text.slice(0, 1_000)) ? ["flow", "jsx", ...decorators] : ["jsx", ...decorators];
}

function asSyntaxError(error: unknown, path: string): ParsedSource["error"] {
  if (error instanceof RangeError) return { line: 1, message: "Nested too deeply to be parsed" };
  const { message, reasonCode, loc } = error as { message: string; reasonCode?: string; loc?: { line: number } };
  // Declarations may say the same name in several ways, which the parser does not merge.
  if (isDeclaration(path) && reasonCode === "VarRedeclaration") return undefined;
  return { line: loc?.line ?? 1, message: message.replace(/ \(\d+:\d+\)$/, "") };
}

/**
 * Visits every node, parents first. `enter` gets the context that it returned for the parent, and returns the one for
 * the children. It keeps its own stack: generated code nests more deeply than calls can.
 */
export function walk<C>(root: Node, context: C, enter: (node: Node, context: C, parent: Node | undefined) => C): void {
  const stack: { node: Node; parent: Node | undefined; context: C }[] = [{ node: root, parent: undefined, context }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, parent } = next;
    const inner = enter(node, next.context, parent);
    for (const child of childrenOf(node).reverse()) stack.push({ node: child, parent: node, context: inner });
  }
}

/** A plain loop: this is where most of the time goes. */
function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  const values: unknown[] = Object.values(node);
  for (const value of values) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) children.push(item);
  }
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

export function lineOf(node: Node): number {
  return node.loc?.start.line ?? 1;
}

/** Whether people wrote this: what a minifier or a bundler squeezed is not theirs to simplify. */
export function isMinified({ path, text }: SourceFile): boolean {
  return /[.-]min\.[cm]?js$/.test(path) || text.length > 250 * text.split("\n").length;
}
