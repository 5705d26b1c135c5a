import type { Function as FunctionNode, Node } from "@babel/types";
import type { Finding } from "../findings.ts";
import type { SourceFile } from "../tree.ts";
import type { Analysis } from "./analysis.ts";
import { isMinified, isSourceCode, lineOf, parseSource, walk } from "./source-code.ts";

/** Paths through one function before it is called complex: the default of most linters. */
const COMPLEXITY_LIMIT = 20;

/** Syntax errors, and functions with too many paths through them. */
export const javascript: Analysis = {
  reads: isSourceCode,
  analyse(file: SourceFile): Finding[] {
    const { ast, error } = parseSource(file);
    if (error !== undefined) return [{ severity: "error", rule: "javascript/syntax", file: file.path, ...error }];
    if (ast === undefined || isMinified(file)) return [];
    const findings: Finding[] = [];
    for (const { name, line, complexity } of functionsOf(ast)) {
      if (complexity <= COMPLEXITY_LIMIT) continue;
      const message = `${name} has a cyclomatic complexity of ${complexity} (at most ${COMPLEXITY_LIMIT})`;
      findings.push({ severity: "warning", rule: "javascript/complexity", file: file.path, line, message });
    }
    return findings;
  },
};

interface MeasuredFunction {
  readonly name: string;
  readonly line: number;
  complexity: number;
}

/** Every function with its cyclomatic complexity (McCabe 1976): one, and one more for each decision in its own body. */
function functionsOf(ast: Node): MeasuredFunction[] {
  const found: MeasuredFunction[] = [];
  walk<MeasuredFunction | undefined>(ast, undefined, (node, enclosing, parent) => {
    if (isFunction(node)) {
      const measured = { name: nameOf(node, parent), line: lineOf(node), complexity: 1 };
      found.push(measured);
      return measured;
    }
    if (enclosing !== undefined && decides(node)) enclosing.complexity++;
    return enclosing;
  });
  return found;
}

function isFunction(node: Node): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression" ||
    node.type === "ObjectMethod" ||
    node.type === "ClassMethod" ||
    node.type === "ClassPrivateMethod"
  );
}

function decides(node: Node): boolean {
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "CatchClause":
    case "LogicalExpression":
      return true;
    case "SwitchCase":
      return node.test != null;
    case "AssignmentExpression":
      return node.operator === "&&=" || node.operator === "||=" || node.operator === "??=";
    default:
      return false;
  }
}

/** Its own name, or that of what it is assigned to. */
function nameOf(node: FunctionNode, parent: Node | undefined): string {
  if ("key" in node) return (node.computed ? undefined : nameIn(node.key)) ?? "a computed method";
  if ("id" in node && node.id) return node.id.name;
  const target =
    parent?.type === "VariableDeclarator"
      ? parent.id
      : parent?.type === "AssignmentExpression" || parent?.type === "AssignmentPattern"
        ? parent.left
        : parent !== undefined && "key" in parent
          ? parent.key
          : undefined;
  return (target && nameIn(target)) ?? "an anonymous function";
}

function nameIn(node: Node): string | undefined {
  switch (node.type) {
    case "Identifier":
      return node.name;
    case "StringLiteral":
      return node.value;
    case "PrivateName":
      return `#${node.id.name}`;
    case "MemberExpression":
      return nameIn(node.property);
    default:
      return undefined;
  }
}
