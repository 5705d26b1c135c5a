/** The JSON Schemas that are published in `schemas/`, but for that of crew files. */
import * as z from "zod";
import { COMMAND_SCHEMAS } from "./commands.ts";
import { ERRORS } from "./errors.ts";
import { EVENT_SCHEMAS } from "./events.ts";
import { failure } from "./parts.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** By the name of its file. */
export function documents(): Readonly<Record<string, object>> {
  return {
    "commands.schema.json": oneOf("A command", "What somebody asks of a coordinator's kernel.", COMMAND_SCHEMAS),
    "events.schema.json": oneOf("An event", "What happened, as `coordinator.events()` tells it.", EVENT_SCHEMAS),
    "errors.schema.json": errors(),
  };
}

function oneOf(title: string, description: string, table: Readonly<Record<string, z.ZodType>>): object {
  const $defs = Object.fromEntries(
    Object.entries(table).map(([type, schema]) => [type, { title: type, ...asJson(schema) }]),
  );
  const refs = Object.keys(table).map((type) => ({ $ref: `#/$defs/${type}` }));
  return { $schema: DIALECT, title, description, oneOf: refs, $defs };
}

function errors(): object {
  const codes = Object.entries(ERRORS).map(([code, description]) => ({ const: code, description }));
  const { properties, ...rest } = asJson(failure);
  const code = { description: "The contract; messages may be reworded.", oneOf: codes };
  return { $schema: DIALECT, title: "An error", ...rest, properties: { ...Object(properties), code } };
}

function asJson(schema: z.ZodType): Readonly<Record<string, unknown>> {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    unrepresentable: "any",
    // Nothing can be written here: that all is for reading is no fact about any of it.
    override: ({ jsonSchema }) => delete jsonSchema.readOnly,
  });
  return made;
}
