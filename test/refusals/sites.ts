/** Where the sources refuse, and what they say there, as far as their text tells. */
import type { CallExpression, NewExpression, Node } from "@babel/types";
import { type Source, walk } from "../tidy/source.ts";

export interface Site {
  readonly path: string;
  readonly line: number;
  /** What every refusal of this place looks like. */
  readonly says: RegExp;
}

/** Which argument is the message, by what makes the refusal. */
const MESSAGES: ReadonlyMap<string, number> = new Map([
  ["refused", 1],
  ["SafeguardsError", 1],
]);

/** Checks that are handed, as their last text, what to call the value; they say that it "is …" or "has …". */
const CHECK = /^(check[A-Z]|duration$|entriesOf$)/;

/** A message that is chosen among several is as many places; one that is only handed on is none. */
export function sitesOf(source: Source): readonly Site[] {
  const sites: Site[] = [];
  walk(source.program, (node) => {
    if (node.type !== "CallExpression" && node.type !== "NewExpression") return;
    for (const says of patternsOf(node)) sites.push({ path: source.path, line: node.loc?.start.line ?? 1, says });
  });
  return sites;
}

function patternsOf(call: CallExpression | NewExpression): readonly RegExp[] {
  if (call.callee.type !== "Identifier") return [];
  const { name } = call.callee;
  const message = MESSAGES.get(name);
  if (message !== undefined) return textsOf(call.arguments[message]).map((text) => new RegExp(`^${text}$`, "s"));
  if (name === "invalid")
    return textsOf(call.arguments[0]).flatMap((what) =>
      textsOf(call.arguments[2]).map(
        (allowed) => new RegExp(`^(tasks\\[\\d+\\]: )?${what} is .*; it must be ${allowed}$`, "s"),
      ),
    );
  if (!CHECK.test(name)) return [];
  // The second text of this one is a type.
  const what = call.arguments.slice(name === "checkOptional" ? 2 : 1).findLast(isText);
  return textsOf(what).map((text) => new RegExp(`^(tasks\\[\\d+\\]: )?(a key of )?${text} (is|has) `, "s"));
}

function isText(node: Node): boolean {
  return node.type === "StringLiteral" || node.type === "TemplateLiteral";
}

/** The texts that an expression can give, as the source of a regular expression. */
function textsOf(node: Node | null | undefined): readonly string[] {
  switch (node?.type) {
    case "StringLiteral":
      return [escaped(node.value)];
    case "ConditionalExpression":
      return [...textsOf(node.consequent), ...textsOf(node.alternate)];
    case "TemplateLiteral":
      return node.quasis.reduce<readonly string[]>(
        (texts, { value }, i) => {
          const next = textsIn(node.expressions[i]);
          return texts.flatMap((text) => next.map((more) => `${text}${escaped(value.cooked ?? value.raw)}${more}`));
        },
        [""],
      );
    default:
      return [];
  }
}

/** What stands in a template: one of several texts, or anything. */
function textsIn(node: Node | undefined): readonly string[] {
  if (node === undefined) return [""];
  const texts = node.type === "ConditionalExpression" ? textsOf(node) : [];
  return texts.length === 0 ? [".*"] : texts;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
