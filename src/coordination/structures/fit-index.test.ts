import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Amount, amountOf, atMost, larger, smaller, UNLIMITED, ZERO } from "./amount.ts";
import { FitIndex, type FitNode } from "./fit-index.ts";

type Sense = "atMost" | "atLeast";
type Entry = { name: string; rank: number; seq: number; measures: readonly Amount[] };

const amount = (value: number): Amount => amountOf(value) ?? ZERO;
const list = (...values: number[]): readonly Amount[] => values.map(amount);

const fits = (sense: Sense, measures: readonly Amount[], limits: readonly Amount[]) =>
  measures.every((m, i) => (sense === "atMost" ? atMost(m, limits[i] ?? ZERO) : atMost(limits[i] ?? ZERO, m)));

const inOrder = (entries: Iterable<Entry>) => [...entries].sort((a, b) => a.rank - b.rank || a.seq - b.seq);

/** The best of each measure, found by looking at all. */
const bestOf = (sense: Sense, nodes: readonly FitNode<Entry>[]): readonly Amount[] | undefined => {
  if (nodes.length === 0) return undefined;
  const pick = sense === "atMost" ? smaller : larger;
  return nodes.map((node) => node.measures).reduce((best, own) => best.map((one, i) => pick(one, own[i] ?? one)));
};

const WIDTH = 2;
const measures = fc.array(fc.nat(6), { minLength: WIDTH, maxLength: WIDTH }).map((values) => list(...values));
const ranks = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.POSITIVE_INFINITY));
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), rank: ranks, measures }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("update" as const), at: fc.nat(), rank: ranks, measures }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("measure" as const), at: fc.nat(), measures }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("find" as const),
      limits: measures,
      after: fc.option(fc.nat()),
      refused: fc.nat(3),
    }),
  },
);

describe.each<Sense>(["atMost", "atLeast"])("%s", (sense) => {
  test("behaves like a sorted list that is searched from its start", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 100, size: "max" }), (script) => {
        const index = new FitIndex<Entry>(sense, WIDTH);
        const nodes: FitNode<Entry>[] = [];
        let seq = 0;
        for (const step of script) {
          const node = "at" in step ? nodes[step.at % nodes.length] : undefined;
          if (step.kind === "add") {
            seq += 1;
            const entry = { name: `n${seq}`, rank: step.rank, seq, measures: step.measures };
            nodes.push(index.add(entry, step.rank, seq, step.measures));
          } else if (step.kind === "remove" && node !== undefined) {
            index.remove(node);
            nodes.splice(nodes.indexOf(node), 1);
          } else if (step.kind === "update" && node !== undefined) {
            Object.assign(node.item, { rank: step.rank, measures: step.measures });
            nodes[nodes.indexOf(node)] = index.update(node, step.rank, step.measures);
          } else if (step.kind === "measure" && node !== undefined) {
            node.item.measures = step.measures;
            nodes[nodes.indexOf(node)] = index.update(node, node.rank, step.measures);
          } else if (step.kind === "find") {
            const after = step.after === null ? undefined : nodes[step.after % nodes.length];
            const accept = (entry: Entry) => step.refused === 0 || entry.seq % (step.refused + 1) !== 0;
            const model = inOrder(nodes.map((n) => n.item));
            const from = after === undefined ? 0 : model.indexOf(after.item) + 1;
            const expected = model.slice(from).find((e) => fits(sense, e.measures, step.limits) && accept(e));
            expect(index.firstFit(step.limits, { after, accept })?.item).toBe(expected);
          }
          expect(index.size).toBe(nodes.length);
          if (step.kind === "measure") expect(index.best).toEqual(bestOf(sense, nodes));
        }
        const model = inOrder(nodes.map((n) => n.item));
        expect([...index].map((n) => n.item)).toEqual(model);
        expect(index.first()?.item).toBe(model[0]);
      }),
      { numRuns: 150 },
    );
  });

  test("the same content has the same shape, whatever its history", () => {
    const shape = (node: FitNode<string> | undefined): unknown =>
      node && [node.item, shape(node.left), shape(node.right)];
    const rootOf = (node: FitNode<string> | undefined): FitNode<string> | undefined =>
      node?.parent === undefined ? node : rootOf(node.parent);
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat(), { maxLength: 40, size: "max" }), fc.nat(), (seqs, salt) => {
        const straight = new FitIndex<string>(sense, 1);
        for (const seq of seqs) straight.add(`${seq}`, seq % 5, seq, list(seq % 7));
        const crooked = new FitIndex<string>(sense, 1);
        const shuffled = [...seqs].sort((a, b) => ((a ^ salt) % 97) - ((b ^ salt) % 97) || a - b);
        const extra = shuffled.map((seq) => crooked.add("extra", seq % 3, -1 - seq, list(9)));
        const nodes = shuffled.map((seq) => crooked.add(`${seq}`, 77, seq, list(1)));
        for (const node of nodes) crooked.update(node, node.seq % 5, list(node.seq % 7));
        for (const node of extra) crooked.remove(node);
        expect(shape(rootOf(crooked.first()))).toEqual(shape(rootOf(straight.first())));
      }),
    );
  });
});

describe("cost", () => {
  const filled = (size: number) => {
    const index = new FitIndex<number>("atLeast", 1);
    for (let i = 0; i < size; i++) index.add(i, i % 10, i, list(i % 100));
    return index;
  };
  const visitsOf = (index: FitIndex<number>, act: () => void) => {
    const before = index.visits;
    act();
    return index.visits - before;
  };

  test.each([100, 10_000, 100_000])(
    "of %d items a look, a change and a search each visit a few times log n",
    (size) => {
      const index = filled(size);
      const few = 8 * Math.log2(size);
      let worst = 0;
      for (let i = 0; i < 200; i++) {
        const limit = list(i % 50);
        let node = index.first();
        worst = Math.max(
          worst,
          visitsOf(index, () => {
            node = index.firstFit(limit);
          }),
        );
        if (node === undefined) throw new Error("something must fit");
        const found = node;
        worst = Math.max(
          worst,
          visitsOf(index, () => index.update(found, i % 10, list(i % 100))),
          visitsOf(index, () => index.next(found)),
        );
      }
      expect(worst).toBeLessThan(few);
    },
  );

  test("nothing fits: one glance at the top says so, also with very many", () => {
    const index = filled(100_000);
    expect(visitsOf(index, () => index.firstFit(list(100)))).toBeLessThanOrEqual(1);
  });

  test("keys in sorted order do not make it deep", () => {
    const index = new FitIndex<number>("atMost", 0);
    let depths = 0;
    for (let i = 0; i < 50_000; i++) index.add(i, i, i, []);
    for (const node of index) for (let above = node.parent; above !== undefined; above = above.parent) depths += 1;
    expect(depths / 50_000).toBeLessThan(3 * Math.log2(50_000));
  });

  test("a line that is joined at its end and left at its head is not searched, however long it is", () => {
    const index = new FitIndex<number>("atMost", 1);
    for (let i = 0; i < 50_000; i++) index.add(i, 0, i, list(1));
    const visits = visitsOf(index, () => {
      for (let i = 50_000; i < 60_000; i++) {
        index.add(i, 0, i, list(1));
        const first = index.firstFit(list(1));
        if (first?.item !== i - 50_000) throw new Error("the first in line fits");
        index.remove(first);
      }
    });
    expect(visits / 10_000).toBeLessThan(4);
  });
});

describe("looks", () => {
  test("with one measure only what fits and is refused is a look", () => {
    const index = new FitIndex<number>("atMost", 1);
    for (let i = 0; i < 1_000; i++) index.add(i, 0, i, list(i % 2 === 0 ? 5 : 1));
    const asked: number[] = [];
    const accept = (item: number) => {
      asked.push(item);
      return item === 9;
    };
    expect(index.firstFit(list(1), { accept, maxLooks: 4 })).toBeUndefined();
    expect(asked).toEqual([1, 3, 5, 7]);
    expect(index.firstFit(list(1), { accept, maxLooks: 5 })?.item).toBe(9);
    const eighth = [...index][8];
    expect(index.firstFit(list(1), { accept, maxLooks: 1, after: eighth })?.item).toBe(9);
    expect(index.firstFit(list(1), { maxLooks: 0 })).toBeUndefined();
  });

  test("a search that is promised a fit in each measure, but in different items, ends after that many dead ends", () => {
    const index = new FitIndex<number>("atMost", 2);
    for (let i = 0; i < 4_096; i++) index.add(i, 0, i, i % 2 === 0 ? list(1, 9) : list(9, 1));
    const before = index.visits;
    expect(index.firstFit(list(1, 1), { maxLooks: 10 })).toBeUndefined();
    expect(index.visits - before).toBeLessThan(10 * 3 * Math.log2(4_096));
    index.add(-1, 1, 9_999, list(1, 1));
    expect(index.firstFit(list(1, 1))?.item).toBe(-1);
  });
});

test("a limit may be UNLIMITED", () => {
  const index = new FitIndex<string>("atMost", 1);
  index.add("big", 0, 0, list(1e15));
  expect(index.firstFit([UNLIMITED])?.item).toBe("big");
});

test("with no measures everything fits", () => {
  const index = new FitIndex<string>("atMost", 0);
  expect(index.firstFit([])).toBeUndefined();
  index.add("b", 2, 0, []);
  index.add("a", 1, 1, []);
  expect(index.firstFit([])?.item).toBe("a");
});

test("what is not in the index, or measured in another width, is refused", () => {
  const index = new FitIndex<string>("atMost", 1);
  const node = index.add("a", 0, 0, list(1));
  index.remove(node);
  expect(() => index.remove(node)).toThrow(RangeError);
  expect(() => index.add("b", 0, 1, list(1, 2))).toThrow(RangeError);
  expect(() => index.firstFit([])).toThrow(RangeError);
  expect(index.size).toBe(0);
});
