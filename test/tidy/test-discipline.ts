/** No test is switched off, and none switches the others off. One that cannot run where it is says why, as it runs. */
import type { Node } from "@babel/types";
import { at, type Faults, type Source, walk } from "./source.ts";

const RUNNERS: ReadonlySet<string> = new Set(["test", "it", "describe", "suite", "bench"]);
const SWITCHES: ReadonlySet<string> = new Set(["skip", "only", "todo", "skipIf", "runIf", "fails"]);
const SWITCHED: ReadonlySet<string> = new Set(["xit", "xtest", "xdescribe", "fit", "ftest", "fdescribe"]);

export function testDiscipline(sources: readonly Source[]): Faults {
  const faults: string[] = [];
  for (const source of sources) {
    if (!source.path.endsWith(".test.ts")) continue;
    walk(source.program, (node) => {
      if (node.type === "MemberExpression" && runnerOf(node.object) && SWITCHES.has(nameOf(node.property))) {
        faults.push(at(source, node, `.${nameOf(node.property)} on a test`));
      }
      if (node.type !== "CallExpression") return;
      const { callee } = node;
      if (callee.type === "Identifier" && SWITCHED.has(callee.name)) faults.push(at(source, node, callee.name));
      if (isSkip(callee) && !isReason(node.arguments.at(-1))) {
        faults.push(at(source, node, "skips without a reason: skip(condition, reason)"));
      }
      for (const argument of node.arguments) {
        if (!runnerOf(callee) || argument.type !== "ObjectExpression") continue;
        for (const property of argument.properties) {
          const name = property.type === "ObjectProperty" ? nameOf(property.key) : "";
          if (SWITCHES.has(name)) faults.push(at(source, property, `the option ${name} of a test`));
        }
      }
    });
  }
  return faults;
}

/** Whether this is `test`, `describe.each`, `test.concurrent`, `test.each(…)` and the like. */
function runnerOf(node: Node): boolean {
  if (node.type === "Identifier") return RUNNERS.has(node.name);
  if (node.type === "MemberExpression") return runnerOf(node.object);
  return node.type === "CallExpression" && runnerOf(node.callee);
}

/** `skip` of a test's context, taken out of it or not. */
function isSkip(callee: Node): boolean {
  if (callee.type === "Identifier") return callee.name === "skip";
  return callee.type === "MemberExpression" && nameOf(callee.property) === "skip" && !runnerOf(callee.object);
}

function isReason(argument: Node | undefined): boolean {
  return argument?.type === "TemplateLiteral" || (argument?.type === "StringLiteral" && argument.value.trim() !== "");
}

function nameOf(node: Node): string {
  if (node.type === "Identifier") return node.name;
  return node.type === "StringLiteral" ? node.value : "";
}
