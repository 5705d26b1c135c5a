/** Writes the JSON Schemas in `schemas/`: `node scripts/make-schema.ts`. Tests fail while one is not current. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crewJsonSchema } from "../src/crew/json-schema.ts";
import { documents } from "./schemas/documents.ts";

const folder = new URL("../schemas/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ "crew.schema.json": crewJsonSchema(), ...documents() }))
  writeFileSync(new URL(name, folder), JSON.stringify(schema, null, 2));
const biome = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));
execFileSync(biome, ["format", "--write", fileURLToPath(folder)], { stdio: "inherit" });
