import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import type { GivenVerdict } from "../kernel/events/guardrails.ts";
import type { Guardrail, Verdict } from "./guardrail.ts";
import { type Asking, judge } from "./judge.ts";

const asking: Asking = { maxBytes: 1_000 };

function guardrail(check: (value: Json) => unknown, name = "g"): Guardrail {
  return { name, on: "input", check: ({ value }) => check(value) as Verdict };
}

function ask(guardrails: readonly Guardrail[], value: Json, how: Asking = asking) {
  return judge(guardrails, { task: { id: "a", input: value, priority: 5 }, value }, how);
}

class Odd {
  readonly allow = true;
  get value(): never {
    throw new Error("boo");
  }
}

/** What `await` looks for. */
const AWAITED = ["t", "hen"].join("");

class Unawaitable {
  constructor() {
    Object.defineProperty(this, AWAITED, {
      get: () => {
        throw new Error("boo");
      },
    });
  }
}

const cyclic: { allow: boolean; value: unknown[] } = { allow: true, value: [] };
cyclic.value.push(cyclic.value);

describe("whatever is no proper verdict blocks, with a reason that says so", () => {
  const improper = "it gave no proper verdict";
  const cases: readonly (readonly [string, (value: Json) => unknown, string])[] = [
    ["nothing", () => undefined, improper],
    ["null", () => null, improper],
    ["true", () => true, improper],
    ["text", () => "allow", improper],
    ["an object that says nothing", () => ({}), improper],
    ["allow that is no boolean", () => ({ allow: "yes" }), improper],
    ["a key that nobody knows", () => ({ allow: true, vale: "redacted" }), improper],
    ["a value that is no JSON", () => ({ allow: true, value: () => 1 }), improper],
    ["a value that contains itself", () => cyclic, improper],
    ["a value that is too large", () => ({ allow: true, value: "x".repeat(2_000) }), improper],
    ["a value that cannot be read", () => new Odd(), improper],
    ["an answer that cannot be awaited", () => new Unawaitable(), "it threw an error"],
    [
      "a throw",
      () => {
        throw new Error("boo");
      },
      "it threw an error",
    ],
    ["a rejection", () => Promise.reject(new Error("boo")), "it threw an error"],
    ["a rejection with nothing", () => Promise.reject(undefined), "it threw an error"],
    ["a block without a reason", () => ({ allow: false }), "it gave no reason"],
    ["a block with a reason that is no text", () => ({ allow: false, reason: 7 }), "it gave no reason"],
  ];
  test.each(cases)("%s", async (_, check, reason) => {
    const judged = await ask([guardrail(check)], 1);
    expect(judged.blocked).toEqual({ guardrail: "g", reason });
    expect(judged.verdicts).toEqual([{ guardrail: "g", verdict: "block", reason }]);
  });

  test("none in time: whoever comes late is not heard", async () => {
    const late = Promise.withResolvers<Verdict>();
    let ring: () => void = () => undefined;
    const after = (ms: number, fn: () => void): (() => void) => {
      expect(ms).toBe(30_000);
      ring = fn;
      return () => undefined;
    };
    const judged = ask([guardrail(() => late.promise)], 1, { ...asking, after });
    ring();
    late.resolve({ allow: true });
    expect((await judged).blocked).toEqual({ guardrail: "g", reason: "it gave no verdict within 30000 ms" });
  });

  test("a timer that is no longer needed is cancelled", async () => {
    let cancelled = 0;
    const after = (): (() => void) => () => {
      cancelled += 1;
    };
    await ask([guardrail(() => ({ allow: true }))], 1, { ...asking, after });
    await ask([guardrail(() => Promise.reject(new Error("boo")))], 1, { ...asking, after });
    expect(cancelled).toBe(2);
  });

  test("what was thrown is told to those who ask for it, and is not in the verdict", async () => {
    const thrown: unknown[] = [];
    const secret = new Error("canary-4711");
    const judged = await ask([guardrail(() => Promise.reject(secret))], 1, {
      ...asking,
      threw: (_, error) => thrown.push(error),
    });
    expect(thrown).toEqual([secret]);
    expect(JSON.stringify(judged)).not.toContain("canary");
  });
});

test("what a guardrail does to the value that it was given changes nothing", async () => {
  const rude = guardrail((value) => {
    Object.assign(Object(value), { a: 2 });
    return { allow: true };
  });
  expect((await ask([rude, guardrail((value) => ({ allow: true, value }))], { a: 1 })).value).toEqual({ a: 1 });
});

test("a reason that is too long is cut", async () => {
  const { blocked } = await ask([guardrail(() => ({ allow: false, reason: "x".repeat(5_000) }))], 1);
  expect(blocked?.reason).toBe(`${"x".repeat(1_023)}…`);
});

test("a change of what takes none blocks, by whom it was made", async () => {
  const judged = await ask([guardrail(() => ({ allow: true, value: 2 }))], 1, { ...asking, takesChange: false });
  expect(judged.blocked?.reason).toBe("it changed the arguments, and the action takes none");
});

describe("in a row of guardrails", () => {
  /** Each adds its place to the list, blocks, throws, or lets it be. */
  const acts = fc.array(fc.constantFrom("add", "allow", "block", "throw"), { maxLength: 8 });

  test("each sees what those before it made, the first that does not allow decides, and each that was asked has a verdict", async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const seen: Json[] = [];
        const row = list.map((act, i) =>
          guardrail((value) => {
            seen.push(value);
            if (act === "throw") throw new Error("boo");
            if (act === "block") return { allow: false, reason: "no" };
            return act === "allow" ? { allow: true } : { allow: true, value: `${value}${i}` };
          }, `g${i}`),
        );
        const judged = await ask(row, "");
        const first = list.findIndex((act) => act === "block" || act === "throw");
        const passed = first < 0 ? list : list.slice(0, first);
        const states = [""];
        for (const [i, act] of passed.entries())
          states.push(act === "add" ? `${states.at(-1)}${i}` : `${states.at(-1)}`);
        const expected = passed.map(
          (act, i): GivenVerdict => ({ guardrail: `g${i}`, verdict: act === "add" ? "change" : "allow" }),
        );
        expect(judged.verdicts.slice(0, passed.length)).toEqual(expected);
        expect(judged.verdicts).toHaveLength(first < 0 ? passed.length : passed.length + 1);
        expect(judged.blocked?.guardrail).toBe(first < 0 ? undefined : `g${first}`);
        expect(seen).toEqual(first < 0 ? states.slice(0, -1) : states);
        expect(judged.value).toBe(states.at(-1));
        expect(judged.changed).toBe(passed.includes("add"));
      }),
    );
  });
});
