import fc from "fast-check";
import { expect, test } from "vitest";
import type { TaskSpec } from "../runtime/task.ts";
import { criticalPath, prioritize } from "./priority-rules.ts";

/** a (3) → b (4) → d (2) and a → c (1) → d; e (5) stands alone. */
const tasks: readonly TaskSpec[] = [
  { id: "d", estimatedMs: 2, dependsOn: ["b", "c"] },
  { id: "a", estimatedMs: 3 },
  { id: "b", estimatedMs: 4, dependsOn: ["a"] },
  { id: "c", estimatedMs: 1, dependsOn: ["a"] },
  { id: "e", estimatedMs: 5 },
];

/** Ids, most urgent first; those of equal priority together, in order. */
function ranking(priorities: Readonly<Record<string, number>>): string[] {
  const levels = [...new Set(Object.values(priorities))].sort((a, b) => b - a);
  return levels.map((level) =>
    Object.keys(priorities)
      .filter((id) => priorities[id] === level)
      .sort()
      .join(" "),
  );
}

test("the critical path is the longest chain, and tells how late each may end", () => {
  expect(criticalPath(tasks)).toEqual({
    lengthMs: 9,
    tasks: ["a", "b", "d"],
    latestFinishMs: { a: 3, b: 7, c: 7, d: 9, e: 9 },
  });
});

test("tasks without duration are on the path, and nothing has no path", () => {
  const gate = { id: "gate" };
  const path = criticalPath([gate, { id: "work", estimatedMs: 4, dependsOn: ["gate"] }]);
  expect(path.tasks).toEqual(["gate", "work"]);
  expect(criticalPath([])).toEqual({ lengthMs: 0, tasks: [], latestFinishMs: {} });
});

test("each rule ranks by what it is named after, and leaves ties", () => {
  expect(ranking(prioritize(tasks, "lft"))).toEqual(["a", "b c", "d e"]);
  expect(ranking(prioritize(tasks, "lst"))).toEqual(["a", "b", "e", "c", "d"]);
  expect(ranking(prioritize(tasks, "mts"))).toEqual(["a", "b c", "d e"]);
  expect(ranking(prioritize(tasks, "spt"))).toEqual(["c", "d", "a", "b", "e"]);
});

test("priorities are whole numbers that a task may have, however long and odd the durations", () => {
  const long = [
    { id: "__proto__", estimatedMs: 1e12 },
    { id: "constructor", estimatedMs: 0.25 },
  ];
  const priorities = prioritize(long, "lft");
  expect(Object.entries(priorities)).toEqual([
    ["__proto__", 0],
    ["constructor", 0],
  ]);
  expect(Object.entries(prioritize(long, "spt"))).toEqual([
    ["__proto__", 0],
    ["constructor", 1],
  ]);
});

test("most total successors counts each successor once, over any number of tasks", () => {
  const network = fc
    .array(fc.array(fc.nat(99), { maxLength: 4 }), { minLength: 1, maxLength: 100 })
    .map((all) =>
      all.map(
        (before, at): TaskSpec => ({ id: `${at}`, dependsOn: [...new Set(before)].filter((b) => b < at).map(String) }),
      ),
    );
  fc.assert(
    fc.property(network, (some) => {
      const successors = new Map<string, Set<string>>();
      for (const { id = "", dependsOn = [] } of some.toReversed()) {
        const own = successors.get(id) ?? new Set();
        for (const on of dependsOn) {
          const above = successors.get(`${on}`) ?? new Set();
          successors.set(`${on}`, new Set([...above, ...own, id]));
        }
      }
      const counts = Object.fromEntries(some.map(({ id = "" }) => [id, successors.get(id)?.size ?? 0]));
      expect(ranking(prioritize(some, "mts"))).toEqual(ranking(counts));
    }),
    { numRuns: 50 },
  );
});

test.for<[what: string, tasks: readonly TaskSpec[], error: object]>([
  ["a task without an id", [{}], { code: "INVALID_ARGUMENT" }],
  ["a negative duration", [{ id: "a", estimatedMs: -1 }], { code: "INVALID_ARGUMENT" }],
  ["an id that two tasks have", [{ id: "a" }, { id: "a" }], { code: "DUPLICATE_ID" }],
  ["a dependency that is not there", [{ id: "a", dependsOn: ["b"] }], { code: "UNKNOWN_TASK" }],
  [
    "a cycle, which is named",
    [
      { id: "a", dependsOn: ["c"] },
      { id: "b", dependsOn: ["a"] },
      { id: "c", dependsOn: ["b"] },
      { id: "d", dependsOn: ["c"] },
    ],
    { code: "DEPENDENCY_CYCLE", message: expect.stringMatching(/(a → b → c → a|b → c → a → b|c → a → b → c)/) },
  ],
])("refused: %s", ([, some, error]) => {
  expect(() => criticalPath(some)).toThrow(expect.objectContaining(error));
  expect(() => prioritize(some, "lft")).toThrow(expect.objectContaining(error));
});
