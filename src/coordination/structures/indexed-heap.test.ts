import fc from "fast-check";
import { expect, test } from "vitest";
import { type HeapEntry, IndexedHeap } from "./indexed-heap.ts";

const keys = fc.integer({ min: -4, max: 4 });
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), key: keys }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("update" as const), at: fc.nat(), key: keys, moves: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pop" as const) }) },
);

test("whatever is pushed, moved, removed and popped, the least key, then the least seq, is first", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 150, size: "max" }), (script) => {
      const heap = new IndexedHeap<string>();
      let entries: HeapEntry<string>[] = [];
      const least = () => [...entries].sort((a, b) => a.key - b.key || a.seq - b.seq)[0];
      let seq = 0;
      for (const step of script) {
        const entry = "at" in step ? entries[step.at % entries.length] : undefined;
        if (step.kind === "push") {
          seq += 1;
          entries.push(heap.push(`n${seq}`, step.key, seq));
        } else if (step.kind === "update" && entry !== undefined) {
          if (step.moves) seq += 1;
          const another = step.moves ? seq : entry.seq;
          heap.update(entry, step.key, another);
          expect(entry).toMatchObject({ key: step.key, seq: another });
        } else if (step.kind === "remove" && entry !== undefined) {
          heap.remove(entry);
          entries = entries.filter((other) => other !== entry);
        } else if (step.kind === "pop") {
          const expected = least();
          expect(heap.pop()).toBe(expected);
          entries = entries.filter((other) => other !== expected);
        }
        expect(heap.size).toBe(entries.length);
        expect(heap.peek()).toBe(least());
      }
    }),
  );
});

test("an entry that has left is refused and changes nothing", () => {
  const heap = new IndexedHeap<string>();
  const a = heap.push("a", 1, 1);
  const b = heap.push("b", 2, 2);
  expect(heap.pop()).toBe(a);
  expect(a.index).toBe(-1);
  expect(() => heap.remove(a)).toThrow(RangeError);
  expect(() => heap.update(a, 3, 1)).toThrow(RangeError);
  expect(heap.peek()).toBe(b);
  expect(new IndexedHeap<string>().pop()).toBeUndefined();
});
