/**
 * `{{ input.x }}` and `{{ env.NAME }}` in the strings of a crew file, and no other templating. A string that is nothing
 * but one template becomes the value itself, whatever JSON it is; inside other text only text, numbers and flags can be
 * put.
 */
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { isList, put } from "../runtime/json.ts";

/** What the names in a template stand for. Without `input`, only `env` may be named. */
export interface TemplateScope {
  readonly input?: Json;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Part = string | { readonly source: string; readonly names: readonly string[] };

const OPEN = "{{";
const CLOSE = "}}";
const EXPRESSION = /^(?:input(?:\.[\w-]+)*|env\.[A-Za-z_]\w*)$/;

/** Text and templates in turn. A template that is none of the two is refused with INVALID_ARGUMENT. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (;;) {
    const start = text.indexOf(OPEN, end);
    if (start === -1) break;
    const close = text.indexOf(CLOSE, start);
    const source = text.slice(start, close === -1 ? undefined : close + CLOSE.length);
    const expression = source.slice(OPEN.length, -CLOSE.length).trim();
    if (close === -1 || !EXPRESSION.test(expression)) {
      throw refusal(`the template ${show(source)} — {{ input }}, {{ input.x }} or {{ env.NAME }}`);
    }
    if (start > end) parts.push(text.slice(end, start));
    parts.push({ source, names: expression.split(".") });
    end = close + CLOSE.length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** Whether there is anything to fill in. */
export function hasTemplate(text: string): boolean {
  return text.includes(OPEN);
}

/** Refuses, with INVALID_ARGUMENT, a string whose templates are malformed or name what the environment does not have. */
export function checkTemplate(text: string, env: TemplateScope["env"]): void {
  for (const part of partsOf(text)) if (typeof part !== "string" && part.names[0] === "env") lookUp(part, { env });
}

/** The string with its templates filled in. INVALID_ARGUMENT when one names what is not there. */
export function fillText(text: string, scope: TemplateScope): Json {
  if (!hasTemplate(text)) return text;
  const parts = partsOf(text);
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined && typeof only !== "string") return lookUp(only, scope);
  return parts.map((part) => (typeof part === "string" ? part : asText(part, scope))).join("");
}

/** A copy of JSON with the templates in all its strings filled in; keys are left alone. */
export function fill(value: Json, scope: TemplateScope): Json {
  if (typeof value === "string") return fillText(value, scope);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((item) => fill(item, scope));
  const filled: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) put(filled, key, fill(item, scope));
  return filled;
}

function asText(part: Exclude<Part, string>, scope: TemplateScope): string {
  const value = lookUp(part, scope);
  if (typeof value !== "object") return String(value);
  throw refusal(`${part.source} is ${show(value)} inside other text — text, a number, true or false`);
}

function lookUp({ source, names }: Exclude<Part, string>, scope: TemplateScope): Json {
  const [root, ...keys] = names;
  if (root === "env") {
    const name = keys.join(".");
    const value = scope.env[name];
    if (value === undefined) throw refusal(`${source}: the environment has no ${name} — one that is set`);
    return value;
  }
  if (!("input" in scope)) throw noInputHere(source);
  let value: Json = scope.input ?? null;
  for (const [index, key] of keys.entries()) {
    const next = own(value, key);
    if (next === undefined)
      throw refusal(`${source}: ${["input", ...keys.slice(0, index)].join(".")} is ${show(value)} — it has no ${key}`);
    value = next;
  }
  return value;
}

function own(value: Json, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return isList(value) ? value[Number(key)] : value[key];
}

function noInputHere(source: string): SafeguardsError {
  return refusal(`${source} names an input where there is none — {{ env.NAME }}`);
}

function refusal(message: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", message);
}
