import fc from "fast-check";
import { expect, test } from "vitest";
import type { SkillRequirement } from "../coordination/structures/types.ts";
import { Requirements } from "./requirements.ts";

/** Names that look like parts of a key. */
const name = fc.constantFrom("x", "y", "0", "0.5", "+x", "-x", "regain", "request");
const skill: fc.Arbitrary<SkillRequirement> = fc.oneof(
  name,
  fc.record({ skill: name, level: fc.constantFrom(0.5, 1) }),
);
const asked = fc.record({
  skills: fc.array(skill, { maxLength: 3 }),
  pin: fc.option(name, { nil: undefined }),
  scope: fc.option(name, { nil: undefined }),
  // Persons among them, whose names may have anything in them.
  barred: fc.uniqueArray(fc.oneof(name, fc.constantFrom("x/y", "/", "x/-x", '["x"]')), { maxLength: 3 }),
});

test("who names the same skills in the same words gets the same list", () => {
  const requirements = new Requirements();
  const first = requirements.listOf(["x", { skill: "y", level: 0.5 }]);
  expect(requirements.listOf(["x", { skill: "y", level: 0.5 }])).toBe(first);
  expect(requirements.listOf([{ skill: "y", level: 0.5 }, "x"])).toEqual([{ skill: "y", level: 0.5 }, "x"]);
  for (let n = 0; n < 5_000; n++) expect(requirements.listOf([`s${n}`])).toEqual([`s${n}`]);
});

test("two requirements have one key exactly if they ask for the same, however they are written", () => {
  const requirements = new Requirements();
  const meanings = new Map<string, string>();
  const keys = new Map<string, string>();
  fc.assert(
    fc.property(asked, ({ skills, pin, scope, barred }) => {
      const made = requirements.of(skills, pin, scope, barred);
      const { key } = made;
      expect(made.barred).toEqual(barred);
      const meant = meaning({ skills, pin, scope, barred });
      expect(meanings.get(key) ?? meant).toBe(meant);
      expect(keys.get(meant) ?? key).toBe(key);
      meanings.set(key, meant);
      keys.set(meant, key);
    }),
    { numRuns: 3_000 },
  );
});

test("a skill asked for twice is asked for once, at the higher level, wherever it stands", () => {
  const requirements = new Requirements();
  const { skills } = requirements.of(
    ["b", { skill: "a", level: 0.5 }, { skill: "b", level: 1 }, "a"],
    undefined,
    "boss",
  );
  expect(skills).toEqual([
    { skill: "a", level: 0.5 },
    { skill: "b", level: 1 },
  ]);
});

function meaning({ skills, pin, scope, barred }: typeof asked extends fc.Arbitrary<infer T> ? T : never): string {
  const levels = new Map<string, number>();
  for (const required of skills) {
    const { skill, level } = typeof required === "string" ? { skill: required, level: 0 } : required;
    levels.set(skill, Math.max(level, levels.get(skill) ?? 0));
  }
  return JSON.stringify([[...levels].sort(([a], [b]) => (a < b ? -1 : 1)), pin ?? null, scope ?? null, barred]);
}
