import { readFileSync } from "node:fs";
import type { Json } from "../../coordination/structures/types.ts";
import { SafeguardsError } from "../../errors.ts";

/** What `--input` gives: JSON, or `@` and a file that holds it. */
export function readInput(given: string): Json {
  const isFile = given.startsWith("@");
  try {
    return JSON.parse(isFile ? readFileSync(given.slice(1), "utf8") : given);
  } catch (cause) {
    const what = isFile ? `the file ${JSON.stringify(given.slice(1))} of --input` : "--input";
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SafeguardsError("INVALID_ARGUMENT", `${what} is not JSON, or cannot be read: ${problem}`, { cause });
  }
}
