import { expect, test } from "vitest";
import { readYaml } from "./yaml-source.ts";

const at = (text: string, path: readonly (string | number)[], key?: "key"): string => {
  const { line, column } = readYaml(text).locate(path, key);
  return `${line}:${column}`;
};

test("a value and its key each have their own place", () => {
  const text = "name: x\nagents:\n  - { name: a, skills: [one, two] }\n";
  expect(at(text, ["agents", 0, "skills", 1])).toBe("3:30");
  expect(at(text, ["agents", 0, "skills"], "key")).toBe("3:16");
});

test("what is not there is where its holder stands", () => {
  expect(at("agents:\n  - capacity: 1\n", ["agents", 0, "name"])).toBe("2:5");
  expect(at("", ["agents"])).toBe("1:1");
});

test("through an alias, the place is where the anchored value was written", () => {
  expect(at("a: &x { b: 1 }\nc: *x\n", ["c", "b"])).toBe("1:12");
});

test("every fault of the syntax is told, not only the first", () => {
  const { faults, data } = readYaml("name: x\nname: y\nx: !foo 1\nbig: 12345678901234567890\nlost: *nowhere\n");
  expect(data).toBeUndefined();
  expect(faults.map(({ line, column }) => `${line}:${column}`)).toEqual(["2:1", "3:4", "4:6", "5:7"]);
});

test("keys that mean something to JavaScript are keys like any other", () => {
  const { data } = readYaml("__proto__: 1\nconstructor: 2\n");
  expect(Object.entries(data ?? {})).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

test("aliases that multiply into millions of values are refused", () => {
  const layers = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(", ")}]`);
  const { data, faults } = readYaml(`l0: &l0 [x]\n${layers.join("\n")}\n`);
  expect(data).toBeUndefined();
  expect(faults).toHaveLength(1);
});

test("a key that is there twice is a fault and hides no other: the rest is still read", () => {
  const { faults, data } = readYaml("name: n\nname: m\nconcurrency: 0\n");
  expect(faults.map(({ line, column }) => `${line}:${column}`)).toEqual(["2:1"]);
  expect(data).toEqual({ name: "m", concurrency: 0 });
});

test.each([
  ["in itself", "a: &a [*a, *a]\n"],
  ["deeper than anything that is meant", `a: ${"[".repeat(70)}${"]".repeat(70)}\n`],
])("what is nested %s is a fault", (_, text) => {
  const { faults, data } = readYaml(text);
  expect(data).toBeUndefined();
  expect(faults).toEqual([{ line: 1, column: 1, message: "bad YAML: nested more than 64 levels deep, or in itself" }]);
});
