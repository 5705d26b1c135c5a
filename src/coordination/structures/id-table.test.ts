import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOf, IdTable } from "./id-table.ts";

interface Item {
  readonly id: string;
}

/** More ids than a table looks for in its slots, whose hashes end in the same ten bits. */
const colliding = Array.from({ length: 200_000 }, (_, i) => `c${i}`)
  .filter((id) => (hashOf(id) & 1023) === 7)
  .slice(0, 120);

const ids = fc.oneof(
  fc.constantFrom(...colliding),
  fc.nat(400).map((n) => `t${n}`),
  fc.string({ maxLength: 3 }),
  fc.constantFrom("__proto__", "constructor", "size"),
);
const steps = fc.array(fc.tuple(fc.constantFrom("add", "add", "add", "delete", "get"), ids), {
  maxLength: 600,
  size: "max",
});

describe("IdTable", () => {
  test("tells what a Map would, whatever is added, removed and asked for", () => {
    expect(colliding).toHaveLength(120);
    fc.assert(
      fc.property(steps, (taken) => {
        const table = new IdTable<Item>();
        const map = new Map<string, Item>();
        for (const [step, id] of taken) {
          if (step === "add") {
            const item = { id };
            expect(table.add(item)).toBe(!map.has(id));
            if (!map.has(id)) map.set(id, item);
          } else if (step === "delete") {
            expect(table.delete(id)).toBe(map.get(id));
            map.delete(id);
          } else {
            expect(table.get(id)).toBe(map.get(id));
          }
          expect(table.size).toBe(map.size);
        }
        for (const id of [...colliding, ...taken.map(([, one]) => one)]) expect(table.get(id)).toBe(map.get(id));
      }),
    );
  });

  test("finds all of many ids that collide, also when most of them have left again", () => {
    const table = new IdTable<Item>();
    for (const id of colliding) expect(table.add({ id })).toBe(true);
    for (const id of colliding) expect(table.add({ id })).toBe(false);
    expect(table.size).toBe(120);
    for (const [i, id] of colliding.entries()) if (i % 3 > 0) expect(table.delete(id)).toEqual({ id });
    for (const [i, id] of colliding.entries()) expect(table.get(id)?.id).toBe(i % 3 > 0 ? undefined : id);
    for (const id of colliding) table.add({ id });
    expect(table.size).toBe(120);
  });

  test("grows to many and shrinks to none", () => {
    const table = new IdTable<Item>();
    const many = Array.from({ length: 20_000 }, (_, i) => `task-${String(i).padStart(8, "0")}`);
    for (const id of many) table.add({ id });
    for (const id of many) expect(table.get(id)?.id).toBe(id);
    for (const id of many) expect(table.delete(id)?.id).toBe(id);
    for (const id of many) expect(table.delete(id)).toBeUndefined();
    expect(table.size).toBe(0);
  });
});
