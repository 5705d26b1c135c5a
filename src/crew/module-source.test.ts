import { expect, test } from "vitest";
import { readModule } from "./module-source.ts";

const CREW = `import { defineAgent, defineCrew } from "safeguards";
const linter = defineAgent({ name: "linter", capacity: 2 });
const base = { concurrency: 3 } as const;
const tasks = [{ id: "a" }, { id: "b", "dependsOn": ["a", "c"] }] satisfies object[];
export default defineCrew({
  ...base,
  name: "x",
  agents: [linter],
  tasks,
  output() { return null; },
});
`;

function at(path: readonly (string | number)[], key?: "key", text = CREW): string {
  const { line, column } = readModule(text, { typescript: true }).locate(path, key);
  return `${line}:${column}`;
}

test("literals are found, through constants, spreads, types and definers", () => {
  expect(at(["name"])).toBe("7:9");
  expect(at(["name"], "key")).toBe("7:3");
  expect(at(["concurrency"])).toBe("3:29");
  expect(at(["agents", 0, "capacity"])).toBe("2:56");
  expect(at(["tasks", 1, "dependsOn", 1])).toBe("4:59");
  expect(at(["output"])).toBe("10:3");
});

test("a list is followed through what is spread into it, as far as that can be seen", () => {
  const text = "const a = [1, 2];\nexport default defineCrew({ tasks: [...a, 3, ...b, 4] });";
  expect(at(["tasks", 1], undefined, text)).toBe("1:15");
  expect(at(["tasks", 2], undefined, text)).toBe("2:43");
  expect(at(["tasks", 3], undefined, text)).toBe("2:36");
});

test("what is computed or missing stands where its holder does", () => {
  expect(at(["tasks", 1, "load"])).toBe("4:29");
  expect(at(["resources", "disk"])).toBe("5:16");
  expect(at(["tasks", 3, "id"], undefined, "export default defineCrew({ tasks: list.map(f) })")).toBe("1:36");
  expect(at(["tasks", 0], undefined, "export default defineCrew({ tasks: [...more, { id }] })")).toBe("1:36");
  expect(at(["tasks"], undefined, "export default make()")).toBe("1:16");
  expect(at(["tasks"], undefined, "export const crew = 1")).toBe("1:1");
});

test("a default export may be an export of a constant", () => {
  expect(at(["name"], undefined, "const crew = { name: 1 };\nexport { crew as default };")).toBe("1:22");
});

test("a constant that is made of itself ends the search", () => {
  expect(at(["name"], undefined, "const a = a;\nexport default a;")).toBe("2:16");
});

test("faults of the syntax have their places", () => {
  expect(readModule("const a = 1;\nconst a = 2;\nlet x: = 3;", { typescript: true }).faults.length).toBeGreaterThan(0);
  const { faults, locate } = readModule("export default {\n  name: 'x\n}", { typescript: false });
  expect(faults).toEqual([{ line: 2, column: 9, message: "Unterminated string constant." }]);
  expect(locate(["name"])).toMatchObject({ line: 2 });
});

test("an import is found by what it imports from", () => {
  const source = readModule('import "./a.ts";\nexport * from "./b.ts";', { typescript: true });
  expect(source.locateImport((from) => from === "./b.ts")).toEqual({ line: 2, column: 15 });
  expect(source.locateImport(() => false)).toBeUndefined();
});
