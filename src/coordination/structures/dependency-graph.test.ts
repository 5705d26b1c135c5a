import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, findCycleAmong } from "./dependency-graph.ts";

/** An edge leads from an id to what it depends on. */
function graph(edges: readonly (readonly [string, string])[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [from, to] of edges) all.set(from, [...(all.get(from) ?? []), to]);
  return all;
}

/** Whether the graph has a cycle, by taking away whatever depends on nothing until nothing more goes. */
function hasCycle(edges: readonly (readonly [string, string])[]): boolean {
  let left = [...edges];
  for (;;) {
    const next = left.filter(([, to]) => left.some(([from]) => from === to));
    if (next.length === left.length) return left.length > 0;
    left = next;
  }
}

test("an edge that closes a cycle is answered with the cycle, each id once, each depending on the next", () => {
  const edges = graph([
    ["b", "a"],
    ["c", "x"],
    ["c", "b"],
    ["a", "c"],
  ]);
  expect(findCycle(["c"], (id) => edges.get(id) ?? [])).toEqual(["c", "b", "a"]);
});

test("a dependency on itself is a cycle of one", () => {
  expect(findCycle(["a"], () => ["a"])).toEqual(["a"]);
  expect(findCycleAmong(new Map([["a", ["a"]]]))).toEqual(["a"]);
});

test("a diamond is no cycle", () => {
  const edges = graph([
    ["d", "b"],
    ["d", "c"],
    ["b", "a"],
    ["c", "a"],
  ]);
  expect(findCycle(["d"], (id) => edges.get(id) ?? [])).toBeUndefined();
});

test("a path of 100 000 is searched without a stack, and only what the new edge leads to is looked at", () => {
  let looks = 0;
  const dependenciesOf = (id: string): string[] => {
    looks++;
    return Number(id) > 0 ? [String(Number(id) - 1)] : [];
  };
  expect(findCycle(["10"], dependenciesOf)).toBeUndefined();
  expect(looks).toBe(11);
  const closed = findCycle(["99999"], (id) => (id === "0" ? ["99999"] : dependenciesOf(id)));
  expect(closed).toHaveLength(100_000);
});

test("nodes that share what they lead to are searched once", () => {
  let looks = 0;
  const layers = 30; // 2^30 paths, 60 nodes
  const dependenciesOf = (id: string): string[] => {
    looks++;
    const layer = Number(id.slice(1)) + 1;
    return layer < layers ? [`a${layer}`, `b${layer}`] : [];
  };
  expect(findCycle(["a0", "b0"], dependenciesOf)).toBeUndefined();
  expect(looks).toBe(60);
});

test("nodes added in order, on older ones and on those before them, need no search", () => {
  const added = new Map([
    ["a", ["older"]],
    ["b", ["a", "older"]],
  ]);
  expect(findCycleAmong(added)).toBeUndefined();
});

test("a cycle is found exactly when there is one, and is one", () => {
  const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "__proto__");
  fc.assert(
    fc.property(fc.array(fc.tuple(id, id), { maxLength: 12 }), (edges) => {
      const all = graph(edges);
      for (const cycle of [
        findCycle(new Set(edges.map(([, to]) => to)), (x) => all.get(x) ?? []),
        findCycleAmong(all),
      ]) {
        expect(cycle !== undefined).toBe(hasCycle(edges));
        if (cycle === undefined) continue;
        expect(new Set(cycle).size).toBe(cycle.length);
        cycle.forEach((from, i) => {
          expect(all.get(from)).toContain(cycle[(i + 1) % cycle.length]);
        });
      }
    }),
    { numRuns: 500 },
  );
});
