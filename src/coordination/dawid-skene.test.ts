import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dawidSkene, type Labels } from "./dawid-skene.ts";

const models = ["one-coin", "full"] as const;

/** Labels of items in turn: what each worker says of each, a letter an item; a space is nothing. */
function labelled(says: Readonly<Record<string, string>>): Labels[] {
  return Object.entries(says).flatMap(([worker, letters]) =>
    [...letters].flatMap((label, i) => (label === " " ? [] : [{ item: `i${i}`, worker, label }])),
  );
}

/** Computed by hand. */
test("one round is what the paper says: from the shares of the votes, how workers answer; from that, the truth", () => {
  // i0: a a b, i1: b b b. Shares: i0 is a with 2/3; i1 is b.
  const labels = labelled({ x: "ab", y: "ab", z: "bb" });
  const { truth, accuracy } = dawidSkene(labels, { model: "one-coin", iterations: 1 });
  // Accuracies: x and y (2/3 + 1)/2 = 5/6, z (1/3 + 1)/2 = 2/3; priors: a 1/3, b 2/3.
  const a = (1 / 3) * (5 / 6) * (5 / 6) * (1 / 3);
  const b = (2 / 3) * (1 / 6) * (1 / 6) * (2 / 3);
  const first = a / (a + b);
  const one = (1 / 3) * (1 / 6) * (1 / 6) * (1 / 3);
  const two = (2 / 3) * (5 / 6) * (5 / 6) * (2 / 3);
  const second = two / (one + two);
  expect([...truth]).toEqual([
    ["i0", "a"],
    ["i1", "b"],
  ]);
  expect(accuracy.get("x")).toBeCloseTo((first + second) / 2, 12);
  expect(accuracy.get("z")).toBeCloseTo((1 - first + second) / 2, 12);
});

describe.each(models)("%s", (model) => {
  test("three who agree on much are believed, and outvote five who do not", () => {
    const good = "abababababababababab";
    const noise = { s: "aaaaaaaaaaaaaaaaaaaa", t: "bbbbbbbbbbbbbbbbbbbb", u: "aabbaabbaabbaabbaabb" };
    const says = { p: good, q: good, r: good, ...noise, v: "bbaabbaabbaabbaabbaa", w: "babababababababababa" };
    // One more, of which all but those three say b.
    const last = Object.entries(says).map(([worker]) => ({ item: "last", worker, label: worker < "s" ? "a" : "b" }));
    const { truth, accuracy } = dawidSkene([...labelled(says), ...last], { model });
    expect(truth.get("last")).toBe("a");
    expect(accuracy.get("p")).toBeCloseTo(1, 6);
    expect(accuracy.get("s")).toBeCloseTo(10 / 21, 6);
    expect(accuracy.get("w")).toBeCloseTo(0, 6);
  });

  test("nothing, one label, and one worker are no trouble", () => {
    expect(dawidSkene([], { model })).toEqual({ truth: new Map(), accuracy: new Map() });
    const same = dawidSkene(labelled({ x: "aa", y: " a" }), { model });
    expect([...same.truth.values(), ...same.accuracy.values()]).toEqual(["a", "a", 1, 1]);
    expect([...dawidSkene(labelled({ x: "abc" }), { model }).truth.values()]).toEqual(["a", "b", "c"]);
  });

  test("of equally probable labels the first by name is told", () => {
    expect(dawidSkene(labelled({ x: "b", y: "a" }), { model }).truth.get("i0")).toBe("a");
  });

  const some = fc.array(
    fc.record({
      item: fc.constantFrom("i", "j", "k", "__proto__"),
      worker: fc.constantFrom("v", "w", "x", "constructor"),
      label: fc.constantFrom("a", "b", "c"),
    }),
    { maxLength: 30 },
  );

  test("the order of the labels changes nothing, to the last bit", () => {
    fc.assert(
      fc.property(
        some.chain((labels) =>
          fc.tuple(fc.constant(labels), fc.shuffledSubarray(labels, { minLength: labels.length })),
        ),
        ([labels, shuffled]) => {
          const [one, other] = [labels, shuffled].map((list) => dawidSkene(list.values(), { model, iterations: 20 }));
          expect([...(other?.truth ?? [])]).toEqual([...(one?.truth ?? [])]);
          expect([...(other?.accuracy ?? [])]).toEqual([...(one?.accuracy ?? [])]);
        },
      ),
    );
  });

  test("every item gets a label that it was given, and accuracies are shares", () => {
    fc.assert(
      fc.property(some, (labels) => {
        const { truth, accuracy } = dawidSkene(labels, { model, iterations: 30 });
        expect([...truth.keys()]).toEqual([...new Set(labels.map(({ item }) => item))].sort());
        expect([...accuracy.keys()]).toEqual([...new Set(labels.map(({ worker }) => worker))].sort());
        for (const share of accuracy.values()) expect(share >= 0 && share <= 1).toBe(true);
        const classes = new Set<string>(labels.map(({ label }) => label));
        expect([...truth.values()].filter((label) => !classes.has(label))).toEqual([]);
      }),
    );
  });

  test("very many labels of one item do not vanish, in whatever order their workers come", () => {
    // A thousand say a before fifteen hundred say b; each is right of nine other items in ten.
    const workers = Array.from({ length: 2_500 }, (_, i) => ({
      worker: `v${i + 1_000}`,
      last: i < 1_000 ? "a" : "b",
      i,
    }));
    const sure = workers.flatMap(({ worker, last, i }) => [
      { item: "last", worker, label: last },
      ...Array.from({ length: 10 }, (_, item) => {
        const isA = (item % 2 === 0) === (item !== i % 10);
        return { item: `j${item}`, worker, label: isA ? "a" : "b" };
      }),
    ]);
    expect(dawidSkene(sure, { model, iterations: 10 }).truth.get("last")).toBe("b");
  });
});

test("of as many workers that are all little better than chance, too", () => {
  // So many are needed that any product of their probabilities is below the least number there is.
  const says = (w: number, item: number): string => ((w * 7 + item * 3) % 10 < 6 ? "b" : "a");
  const mixed = Array.from({ length: 15_000 }, (_, i) => ({ worker: Math.floor(i / 10), item: i % 10 })).map(
    ({ worker, item }) => ({ item: `i${item}`, worker: `w${worker}`, label: says(worker, item) }),
  );
  const { truth, accuracy } = dawidSkene(mixed, { model: "one-coin", iterations: 30 });
  expect([...truth.values()].join("")).toBe("bbbbbbbbbb");
  for (const share of accuracy.values()) expect(share).toBeCloseTo(0.6, 6);
});

test("full is the default: it learns that a worker takes one label for the other", () => {
  const truth = "abccccabccccabcccc";
  const swapped = truth.replaceAll("a", "B").replaceAll("b", "a").replaceAll("B", "b");
  const says = { p: truth, q: truth, r: truth, s: swapped };
  const item = { item: "new", label: "b" };
  const labels = [...labelled(says), { ...item, worker: "s" }];
  expect(dawidSkene(labels).truth.get("new")).toBe("a");
  expect(dawidSkene(labels, { model: "one-coin" }).truth.get("new")).toBe("b");
});
