/** The texts of a JSON value: its strings, and the keys of its objects. */
import type { Json } from "../coordination/structures/types.ts";
import { isList, put } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import type { Verdict } from "./guardrail.ts";

export function* textsIn(value: Json): Generator<string, void, undefined> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null) return;
  if (isList(value)) {
    for (const item of value) yield* textsIn(item);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    yield key;
    yield* textsIn(item);
  }
}

/** What is said of a value that has more text than is looked through; undefined: it has not. */
export function tooMuchText(value: Json): Verdict | undefined {
  let length = 0;
  for (const text of textsIn(value)) length += text.length;
  const most = runtimeLimits.searchedCharacters;
  if (length <= most) return undefined;
  return { allow: false, reason: `it has more text than is looked through: ${most} characters` };
}

/** The same value with other strings; keys stay. */
export function withTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((item) => withTexts(item, change));
  const changed: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) put(changed, key, withTexts(item, change));
  return changed;
}
