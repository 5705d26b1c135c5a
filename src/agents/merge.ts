import type { Json } from "../coordination/structures/types.ts";
import { isList, put } from "../runtime/json.ts";
import type { Outcome } from "../runtime/task.ts";

/**
 * One object of many: under each key a list of what the outputs have there, in the order of the outcomes; lists are
 * concatenated. Outputs that are no objects have no keys and are left out.
 */
export function merge(results: readonly Outcome[]): Json {
  const merged = new Map<string, Json[]>();
  for (const { output } of results) {
    if (typeof output !== "object" || output === null || isList(output)) continue;
    for (const [key, value] of Object.entries(output)) {
      const values = merged.get(key) ?? [];
      merged.set(key, values);
      if (isList(value)) for (const item of value) values.push(item);
      else values.push(value);
    }
  }
  const record: Record<string, Json> = {};
  for (const [key, values] of merged) put(record, key, values);
  return record;
}
