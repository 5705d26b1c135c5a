import fc from "fast-check";
import { expect, test } from "vitest";
import { PriorityInheritance } from "./priority-inheritance.ts";

/** Priorities by name, and who was told of a change since the last look. */
function team(own: Record<string, number>, options?: { acyclic: boolean }) {
  const told: string[] = [];
  const inheritance = new PriorityInheritance<string>(
    { own: (name) => own[name] ?? 0, changed: (name) => told.push(name) },
    options,
  );
  const set = (name: string, priority: number): void => {
    const before = own[name] ?? 0;
    own[name] = priority;
    inheritance.ownChanged(name, before);
  };
  return { inheritance, set, heard: () => told.splice(0).sort() };
}

test("a node has the highest priority among its own and those that wait for it, through others too", () => {
  const { inheritance, heard } = team({ low: 1, middle: 2, high: 9 });
  inheritance.wait("middle", "low");
  inheritance.wait("high", "middle");
  expect(["low", "middle", "high"].map((name) => inheritance.effective(name))).toEqual([9, 9, 9]);
  expect(heard()).toEqual(["low", "low", "middle"]);
});

test("when the waiter leaves, what it lent goes with it, and what others lend stays", () => {
  const { inheritance, heard } = team({ low: 1, middle: 5, high: 9 });
  inheritance.wait("middle", "low");
  inheritance.wait("high", "low");
  heard();
  inheritance.unwait("high", "low");
  expect(inheritance.effective("low")).toBe(5);
  inheritance.remove("middle");
  expect(inheritance.effective("low")).toBe(1);
  expect(heard()).toEqual(["low", "low"]);
});

test("a wait entered twice ends with the second unwait", () => {
  const { inheritance } = team({ low: 1, high: 9 });
  inheritance.wait("high", "low");
  inheritance.wait("high", "low");
  inheritance.unwait("high", "low");
  expect(inheritance.effective("low")).toBe(9);
  inheritance.unwait("high", "low");
  expect(inheritance.effective("low")).toBe(1);
});

test("a cycle of waits shares its highest priority and loses it together", () => {
  const { inheritance, heard } = team({ a: 1, b: 2, c: 3, high: 9 });
  inheritance.wait("a", "b");
  inheritance.wait("b", "c");
  inheritance.wait("c", "a");
  inheritance.wait("high", "b");
  expect(["a", "b", "c"].map((name) => inheritance.effective(name))).toEqual([9, 9, 9]);
  heard();
  inheritance.unwait("high", "b");
  expect(["a", "b", "c"].map((name) => inheritance.effective(name))).toEqual([3, 3, 3]);
  expect(heard()).toEqual(["a", "b", "c"]);
});

test("what neither waits nor is waited for is not held", () => {
  const { inheritance, set } = team({ a: 1, b: 2 });
  set("a", 4);
  expect(inheritance.effective("a")).toBe(4);
  expect(inheritance.size).toBe(0);
  inheritance.wait("a", "b");
  expect(inheritance.size).toBe(2);
  inheritance.unwait("a", "b");
  expect(inheritance.size).toBe(0);
});

test("a chain of 100 000 passes a priority on and takes it back", () => {
  const told: number[] = [];
  const own = new Map([[0, 9]]);
  const inheritance = new PriorityInheritance<number>({ own: (i) => own.get(i) ?? 1, changed: (i) => told.push(i) });
  for (let i = 100_000; i > 0; i--) inheritance.wait(i - 1, i);
  expect(inheritance.effective(100_000)).toBe(9);
  expect(told).toHaveLength(100_000);
  inheritance.remove(0);
  expect(inheritance.effective(100_000)).toBe(1);
  expect(told).toHaveLength(200_000);
});

test("10 000 waiters of one node come and go at a cost that does not grow with them", () => {
  let asked = 0;
  const inheritance = new PriorityInheritance<number>({
    own: (i) => {
      asked++;
      return i;
    },
    changed: () => undefined,
  });
  for (let i = 1; i <= 10_000; i++) inheritance.wait(i, 0);
  asked = 0;
  inheritance.unwait(5_000, 0);
  inheritance.unwait(10_000, 0);
  expect(inheritance.effective(0)).toBe(9_999);
  expect(asked).toBeLessThan(10);
});

/** The definition, word by word: raise until nothing rises. */
function fixpoint(own: readonly number[], waits: readonly (readonly [number, number])[]): number[] {
  const effective = [...own];
  for (let changed = true; changed; ) {
    changed = false;
    for (const [waiter, on] of waits) {
      if ((effective[waiter] ?? 0) <= (effective[on] ?? 0)) continue;
      effective[on] = effective[waiter] ?? 0;
      changed = true;
    }
  }
  return effective;
}

const node = fc.integer({ min: 0, max: 7 });
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("wait" as const), waiter: node, on: node }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("unwait" as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("set" as const), node, priority: fc.integer({ min: 0, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("remove" as const), node }) },
);

for (const acyclic of [true, false]) {
  test(`effective priorities are the fixpoint, and each change is told once (${acyclic ? "acyclic" : "any"} waits)`, () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        const own = Array.from({ length: 8 }, (_, i) => i % 3);
        let told: number[] = [];
        const inheritance = new PriorityInheritance<number>(
          { own: (i) => own[i] ?? 0, changed: (i) => told.push(i) },
          { acyclic },
        );
        let waits: (readonly [number, number])[] = [];
        for (const op of operations) {
          const before = fixpoint(own, waits);
          told = [];
          let removed: number | undefined;
          if (op.type === "wait") {
            const [waiter, on] = acyclic
              ? [Math.min(op.waiter, op.on), Math.max(op.waiter, op.on)]
              : [op.waiter, op.on];
            waits.push([waiter, on]);
            inheritance.wait(waiter, on);
          } else if (op.type === "unwait") {
            const [edge] = waits.splice(op.at % (waits.length + 1), 1);
            if (edge !== undefined) inheritance.unwait(...edge);
          } else if (op.type === "set") {
            const old = own[op.node] ?? 0;
            own[op.node] = op.priority;
            inheritance.ownChanged(op.node, old);
          } else {
            removed = op.node;
            const waiters = waits.filter(([waiter, on]) => on === removed && waiter !== removed);
            waits = waits.filter((edge) => !edge.includes(op.node));
            inheritance.remove(op.node);
            for (const [waiter, on] of waiters) inheritance.unwait(waiter, on);
          }
          const after = fixpoint(own, waits);
          expect(after.map((_, i) => inheritance.effective(i))).toEqual(after);
          const changed = after.flatMap((priority, i) => (priority === before[i] || i === removed ? [] : [i]));
          expect(told.sort()).toEqual(changed);
        }
        for (const edge of waits) inheritance.unwait(...edge);
        expect(inheritance.size).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
}

test("a key that comes back while somebody still waits for what had it is a fault that is found", () => {
  const { inheritance, set } = team({ low: 1, middle: 2, high: 9 });
  inheritance.wait("middle", "low");
  inheritance.remove("low");
  inheritance.wait("high", "low");
  expect(() => set("middle", 10)).toThrow("a removed node's key came back too soon");
});
