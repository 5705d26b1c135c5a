import type { CallExpression, File, Node } from "@babel/types";
import type { Finding } from "../findings.ts";
import { lineOf, walk } from "./source-code.ts";

export type Danger = Pick<Finding, "severity" | "rule" | "line" | "message">;

/** What of `child_process` hands its first argument to a shell, always or when asked to. */
const SHELLS = new Set(["exec", "execSync"]);
const SPAWNERS = new Set(["spawn", "spawnSync", "execFile", "execFileSync"]);
const GLOBALS = new Set(["window", "globalThis", "global", "self"]);

/** Calls that run text as code, as a command line or as markup, told from the syntax tree. */
export function findDangerousCalls(ast: File): Danger[] {
  const childProcess = namesOfChildProcess(ast);
  const found: Danger[] = [];
  walk(ast, undefined, (node) => {
    const danger = judge(node, childProcess);
    if (danger !== undefined) found.push({ ...danger, line: lineOf(node) });
    return undefined;
  });
  return found;
}

function judge(node: Node, childProcess: ChildProcessNames): Omit<Danger, "line"> | undefined {
  switch (node.type) {
    case "CallExpression":
    case "OptionalCallExpression":
      return judgeCall(node.callee, node.arguments, childProcess);
    case "NewExpression":
      return globalName(node.callee) === "Function" ? NEW_FUNCTION : undefined;
    case "AssignmentExpression":
      return setsMarkup(node.left) && !isConstant(node.right) ? INNER_HTML : undefined;
    case "JSXAttribute":
      return node.name.name === "dangerouslySetInnerHTML" ? INNER_HTML : undefined;
    default:
      return undefined;
  }
}

const NEW_FUNCTION = {
  severity: "error",
  rule: "security/new-function",
  message: "The Function constructor runs text as code",
} as const;

const INNER_HTML = {
  severity: "warning",
  rule: "security/inner-html",
  message: "Text that is not constant becomes markup, with whatever scripts are in it",
} as const;

function judgeCall(
  callee: Node,
  args: CallExpression["arguments"],
  childProcess: ChildProcessNames,
): Omit<Danger, "line"> | undefined {
  const [first] = args;
  if (first === undefined) return undefined;
  const name = globalName(callee);
  if (name === "eval") return { severity: "error", rule: "security/eval", message: "eval runs text as code" };
  if (name === "Function") return NEW_FUNCTION;
  if ((name === "setTimeout" || name === "setInterval") && isText(first)) {
    const message = `${name} with a string runs it as code; give it a function`;
    return { severity: "error", rule: "security/string-timer", message };
  }
  const program = childProcess.called(callee);
  if (program !== undefined && !isConstant(first) && (SHELLS.has(program) || args.some(asksForShell))) {
    const message = `${program} hands a command line that is not constant to a shell`;
    return { severity: "error", rule: "security/exec", message };
  }
  return undefined;
}

/** `eval`, `window.eval`, `globalThis["eval"]`: all "eval". */
function globalName(callee: Node): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  if (!isMember(callee) || callee.object.type !== "Identifier" || !GLOBALS.has(callee.object.name)) return undefined;
  return propertyName(callee);
}

type Member = Extract<Node, { type: "MemberExpression" | "OptionalMemberExpression" }>;

function isMember(node: Node): node is Member {
  return node.type === "MemberExpression" || node.type === "OptionalMemberExpression";
}

function propertyName({ property, computed }: Member): string | undefined {
  if (property.type === "Identifier" && !computed) return property.name;
  return property.type === "StringLiteral" ? property.value : undefined;
}

function setsMarkup(target: Node): boolean {
  const name = isMember(target) ? propertyName(target) : undefined;
  return name === "innerHTML" || name === "outerHTML";
}

/** Text that is the same in every run. */
function isConstant(node: Node): boolean {
  if (node.type === "StringLiteral") return true;
  if (node.type === "TemplateLiteral") return node.expressions.length === 0;
  return node.type === "BinaryExpression" && isConstant(node.left) && isConstant(node.right);
}

/** Certainly text, constant or not. */
function isText(node: Node): boolean {
  if (node.type === "StringLiteral" || node.type === "TemplateLiteral") return true;
  return node.type === "BinaryExpression" && node.operator === "+" && (isText(node.left) || isText(node.right));
}

function asksForShell(argument: Node): boolean {
  if (argument.type !== "ObjectExpression") return false;
  return argument.properties.some(
    (property) =>
      property.type === "ObjectProperty" &&
      property.key.type === "Identifier" &&
      property.key.name === "shell" &&
      !(property.value.type === "BooleanLiteral" && !property.value.value),
  );
}

interface ChildProcessNames {
  /** Which function of `child_process` this is, if it is one. */
  called(callee: Node): string | undefined;
}

/** What a file calls `child_process` and its functions. Names are taken as meaning the same in the whole file. */
function namesOfChildProcess(ast: File): ChildProcessNames {
  const modules = new Set<string>();
  const functions = new Map<string, string>();

  function called(callee: Node): string | undefined {
    if (callee.type === "Identifier") return functions.get(callee.name);
    if (!isMember(callee) || !isModule(callee.object)) return undefined;
    const name = propertyName(callee);
    return name !== undefined && (SHELLS.has(name) || SPAWNERS.has(name)) ? name : undefined;
  }

  function isModule(node: Node): boolean {
    return (node.type === "Identifier" && modules.has(node.name)) || requires(node);
  }

  function bind(target: Node, value: Node): void {
    if (target.type === "Identifier") {
      const program = called(value) ?? promisified(value);
      if (isModule(value)) modules.add(target.name);
      else if (program !== undefined) functions.set(target.name, program);
    } else if (target.type === "ObjectPattern" && isModule(value)) {
      for (const property of target.properties) {
        if (property.type !== "ObjectProperty" || property.key.type !== "Identifier") continue;
        if (property.value.type === "Identifier") functions.set(property.value.name, property.key.name);
      }
    }
  }

  function promisified(value: Node): string | undefined {
    if (value.type !== "CallExpression" || value.arguments.length !== 1) return undefined;
    const name = isMember(value.callee) ? propertyName(value.callee) : globalName(value.callee);
    const [first] = value.arguments;
    return name === "promisify" && first !== undefined ? called(first) : undefined;
  }

  walk(ast, undefined, (node) => {
    if (node.type === "VariableDeclarator" && node.init) bind(node.id, node.init);
    if (node.type === "ImportDeclaration" && isChildProcess(node.source.value)) {
      for (const specifier of node.specifiers) {
        if (specifier.type !== "ImportSpecifier") modules.add(specifier.local.name);
        else if (specifier.imported.type === "Identifier") functions.set(specifier.local.name, specifier.imported.name);
      }
    }
    return undefined;
  });
  return { called };
}

/** `require("child_process")`, `await import("node:child_process")`. */
function requires(node: Node): boolean {
  if (node.type === "AwaitExpression") return requires(node.argument);
  if (node.type === "ImportExpression")
    return node.source.type === "StringLiteral" && isChildProcess(node.source.value);
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "require")
    return false;
  const [specifier] = node.arguments;
  return specifier?.type === "StringLiteral" && isChildProcess(specifier.value);
}

function isChildProcess(specifier: string): boolean {
  return specifier === "child_process" || specifier === "node:child_process";
}
