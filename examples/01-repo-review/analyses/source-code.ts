import { type ParseResult, type ParserPlugin, parse } from "@babel/parser";
import type { File, Node } from "@babel/types";
import type { SourceFile } from "../tree.ts";

export interface ParsedSource {
  /** Absent when the text is too broken to make sense of. */
  readonly ast?: File;
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

export function isSourceCode(path: string): boolean {
  return /\.(?:[cm]?[jt]s|[jt]sx)$/.test(path);
}

/** Parses JavaScript, TypeScript, JSX and Flow, going on after an error where the parser can. */
export function parseSource(file: SourceFile): ParsedSource {
  try {
    const asModule = parseAs("unambiguous", file);
    // What turns out to be a script was read as strictly as a module, which scripts need not be.
    const ast =
      asModule.program.sourceType === "script" && asModule.errors?.length ? parseAs("script", file) : asModule;
    // Declarations may say the same name in several ways, which the parser does not merge.
    const errors = (ast.errors ?? []).filter(
      ({ reasonCode }) => !(isDeclaration(file.path) && reasonCode === "VarRedeclaration"),
    );
    return { ast, errors: errors.map(asSyntaxError) };
  } catch (error) {
    return { errors: [asSyntaxError(error)] };
  }
}

function parseAs(sourceType: "unambiguous" | "script", { path, text }: SourceFile): ParseResult {
  return parse(text, {
    sourceType,
    errorRecovery: true,
    attachComment: false,
    allowReturnOutsideFunction: true,
    allowNewTargetOutsideFunction: true,
    allowUndeclaredExports: true,
    plugins: pluginsFor(path, text),
  });
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

function asSyntaxError(error: unknown): { line: number; message: string } {
  if (error instanceof RangeError) return { line: 1, message: "Nested too deeply to be parsed" };
  const { message, loc } = error as { message: string; loc?: { line: number } };
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

function childrenOf(node: Node): Node[] {
  const values: unknown[] = Object.values(node);
  return values.flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "loc" in value && "start" in value;
}

export function lineOf(node: Node): number {
  return node.loc?.start.line ?? 1;
}

/** Whether people wrote this: what a minifier or a bundler squeezed is not theirs to simplify. */
export function isMinified({ path, text }: SourceFile): boolean {
  return /[.-]min\.[cm]?js$/.test(path) || text.length > 250 * text.split("\n").length;
}
