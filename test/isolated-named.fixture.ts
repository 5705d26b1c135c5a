/** Several agents in one module, none of them its default. */
import { defineAgent } from "../src/index.ts";

export const other = defineAgent({ name: "other", run: () => "another" });
export const named = defineAgent({ name: "named", run: () => "by its name" });
