/** The JSON Schemas of commands, events and errors: current, complete, and true of what there is. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import type * as z from "zod";
import { COMMAND_SCHEMAS } from "../scripts/schemas/commands.ts";
import { documents } from "../scripts/schemas/documents.ts";
import { code, ERRORS } from "../scripts/schemas/errors.ts";
import { EVENT_SCHEMAS } from "../scripts/schemas/events.ts";
import type { Command } from "../src/kernel/commands.ts";
import { EVENTS, type KernelEvent } from "../src/kernel/events.ts";
import { Draws, World } from "../src/kernel/world.fixture.ts";
import { readText } from "./tidy/source.ts";

const HEAD = ["type", "v", "seq", "at", "commandId", "by", "trace"];
const eventSchemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(EVENT_SCHEMAS));
const commandSchemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(COMMAND_SCHEMAS));

/** Enough to see what is wrong. */
const SHOWN = 3;

/** What is wrong with something of one of these types; undefined: nothing. */
function misfit(schemas: ReadonlyMap<string, z.ZodType>, thing: { readonly type: string }): string | undefined {
  const schema = schemas.get(thing.type);
  if (schema === undefined) return `${thing.type} has no schema`;
  const { error } = schema.safeParse(thing);
  return error === undefined ? undefined : `${JSON.stringify(thing)}: ${error.message}`;
}

function misfits(schemas: ReadonlyMap<string, z.ZodType>, things: readonly { readonly type: string }[]): string[] {
  const wrong = things.map((thing) => misfit(schemas, thing)).filter((one) => one !== undefined);
  return wrong.slice(0, SHOWN);
}

/** Texts after `readonly type:`, or in a union of texts. */
function named(path: string, pattern: RegExp): string[] {
  return Array.from(readText(path).matchAll(pattern), ([, name = ""]) => name).toSorted();
}

test.each(Object.entries(documents()))(
  "%s is what the code makes (else: node scripts/make-schema.ts)",
  (name, made) => {
    expect(JSON.parse(readText(`schemas/${name}`))).toEqual(JSON.parse(JSON.stringify(made)));
  },
);

test("every type of event has a schema in scripts/schemas/events.ts", () => {
  expect([...eventSchemas.keys()].toSorted()).toEqual(Object.keys(EVENTS).toSorted());
});

test("every type of command has a schema in scripts/schemas/commands.ts", () => {
  const types = named("src/kernel/commands.ts", /readonly type: "([a-z.-]+)"/g);
  expect(types.length).toBeGreaterThan(20);
  expect([...commandSchemas.keys()].toSorted()).toEqual(types);
});

test("every error code is told in scripts/schemas/errors.ts", () => {
  expect(Object.keys(ERRORS).toSorted()).toEqual(named("src/errors.ts", /^ {2}\| "([A-Z_]+)"/gm));
});

test.each(Object.entries(EVENTS))("the schema of %s has the fields of its layout", (type, { fields }) => {
  const json = Object(documents()["events.schema.json"]).$defs[type];
  const own = Object.keys(json?.properties ?? {}).filter((field) => !HEAD.includes(field));
  expect(own.toSorted()).toEqual([...fields].toSorted());
});

test("whatever is published says what it is", () => {
  const told = {
    ...Object(documents()["commands.schema.json"]).$defs,
    ...Object(documents()["events.schema.json"]).$defs,
  };
  const silent = Object.entries(told).filter(([, schema]) => !/^[A-Z].*\.$/.test(Object(schema).description));
  expect(silent).toEqual([]);
  expect(Object.values(ERRORS).filter((text) => !/^[A-Z].*\.$/.test(text))).toEqual([]);
});

test("events that were written long ago fit", () => {
  const goldens: readonly { readonly events: readonly KernelEvent[] }[] = JSON.parse(
    readFileSync(new URL("golden/journal-v1.json", import.meta.url), "utf8"),
  );
  expect(
    misfits(
      eventSchemas,
      goldens.flatMap(({ events }) => events),
    ),
  ).toEqual([]);
});

test("so do the events, commands and refusals of random runs, through JSON", { timeout: 300_000 }, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 300, maxLength: 900, size: "max" }), (numbers) => {
      const draws = new Draws(numbers);
      const world = new World();
      const asked: Command[] = [];
      const run = world.run.bind(world);
      world.run = (...commands) => {
        asked.push(...commands);
        return run(...commands);
      };
      world.open(draws);
      while (draws.left) world.step(draws);
      world.finish();
      const [events, commands]: [KernelEvent[], Command[]] = JSON.parse(JSON.stringify([world.log, asked]));
      expect(misfits(eventSchemas, events)).toEqual([]);
      expect(misfits(commandSchemas, commands)).toEqual([]);
      expect(world.refusals.filter((refusal) => !code.safeParse(refusal).success)).toEqual([]);
      for (const { type } of events) seen.add(type);
    }),
    { numRuns: 40, seed: 1 },
  );
  // Most of what there is: the rest is among the old ones.
  expect(seen.size).toBeGreaterThan(30);
});

test.each([
  ["a field that nobody knows", { extra: 1 }],
  ["a value of another kind", { taskId: 7 }],
  ["another version", { v: 2 }],
  ["a text that is none of those", { phase: "dream" }],
])("%s does not fit", (_, more) => {
  const started = {
    type: "task.started",
    v: 1,
    seq: 1,
    at: 0,
    taskId: "a",
    agent: "ann",
    token: 1,
    attempt: 1,
    phase: "run",
  };
  expect(misfit(eventSchemas, started)).toBeUndefined();
  const [key] = Object.keys(more);
  const issues = eventSchemas.get("task.started")?.safeParse({ ...started, ...more }).error?.issues;
  expect(issues).toHaveLength(1);
  expect(issues?.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : issue.path))).toEqual([key]);
});
