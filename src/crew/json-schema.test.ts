import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { crewJsonSchema } from "./json-schema.ts";

test("the published schema is the one that the code makes (else: node scripts/make-schema.ts)", () => {
  const published = readFileSync(new URL("../../schemas/crew.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(crewJsonSchema())));
});

test("the schema knows every word of a crew and refuses all others", () => {
  expect(crewJsonSchema()).toMatchObject({
    additionalProperties: false,
    required: ["name", "tasks"],
    properties: { protectAfterMs: { type: "number", minimum: 0 }, tasks: { minItems: 1 } },
    $defs: { task: { additionalProperties: false }, agent: { required: ["name", "command"] } },
  });
});
