/** Writes the JSON Schema of crew files: `node scripts/make-schema.ts`. A test fails while it is not current. */
import { mkdirSync, writeFileSync } from "node:fs";
import { crewJsonSchema } from "../src/crew/json-schema.ts";

const folder = new URL("../schemas/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("crew.schema.json", folder), `${JSON.stringify(crewJsonSchema(), null, 2)}\n`);
