import * as z from "zod";
import { crewFile } from "./schema.ts";

/** The JSON Schema of crews in YAML, with which editors complete and check them. */
export function crewJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(crewFile, { io: "input", unrepresentable: "any" });
  return { $schema, title: "A crew of Safeguards", ...schema };
}
