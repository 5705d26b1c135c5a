import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../../errors.ts";
import {
  checkAmount,
  checkDuration,
  checkId,
  checkInteger,
  checkKeys,
  checkPriority,
  checkTime,
  entriesOf,
  nullRecord,
  show,
} from "./arguments.ts";

/** What a refusal says. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isSafeguardsError(error, "INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("ids", () => {
  test.each(["a", "__proto__", "constructor", " ", "é".repeat(256)])("%j is one", (id) => {
    expect(checkId(id, "agent")).toBe(id);
  });

  test.each([undefined, null, 7, "", "a/b", "a".repeat(257), ["a"], {}])("%j is none", (id) => {
    expect(() => checkId(id, "agent")).toThrow("agent is");
  });

  test("the refusal names the thing, the value and what is allowed", () => {
    expect(refusal(() => checkId("a/b", "task id"))).toBe(
      'task id is "a/b"; it must be a string of 1 to 256 characters without "/"',
    );
  });
});

describe("options", () => {
  test("known keys pass, also those of an object without a prototype", () => {
    checkKeys({ a: 1 }, ["a", "b"], "options");
    checkKeys(nullRecord(), [], "options");
  });

  test("an unknown key is named, with those allowed", () => {
    expect(refusal(() => checkKeys({ a: 1, c: 2 }, ["a", "b"], "options"))).toBe(
      'options has the unknown key "c"; allowed: a, b',
    );
    expect(refusal(() => checkKeys({ constructor: 1 }, [], "options"))).toContain('"constructor"; allowed: none');
  });

  test.each([null, undefined, 1, "a", [], () => 1])("%s is not an object of options", (value) => {
    expect(refusal(() => checkKeys(value, ["a"], "options"))).toContain("it must be an object");
  });
});

describe("numbers", () => {
  test("amounts are decimals of at most nine places, above 0 or from 0", () => {
    expect(checkAmount(0.1 + 0.2, "load", { zero: false })).toEqual({ whole: 0, nano: 300_000_000 });
    expect(checkAmount(0, "capacity", { zero: true })).toEqual({ whole: 0, nano: 0 });
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-10, 1 / 3, 2 ** 53, "1", 1n, undefined]) {
      expect(refusal(() => checkAmount(value, "load", { zero: false }))).toContain("greater than 0");
    }
    expect(refusal(() => checkAmount(-1, "capacity", { zero: true }))).toContain(
      "capacity is -1; it must be a number at",
    );
  });

  test("integers lie between their bounds, both allowed", () => {
    expect(checkInteger(1, "n", 1, 3)).toBe(1);
    expect(checkInteger(3, "n", 1, 3)).toBe(3);
    for (const value of [0, 4, 1.5, Number.NaN, "2", null]) {
      expect(refusal(() => checkInteger(value, "n", 1, 3))).toContain("an integer from 1 to 3");
    }
  });

  test("a priority is 5 by default and at most a million away from 0", () => {
    expect(checkPriority(undefined)).toBe(5);
    expect(checkPriority(-1_000_000)).toBe(-1_000_000);
    for (const value of [1_000_001, 0.5, null]) {
      expect(refusal(() => checkPriority(value))).toContain("priority is");
    }
  });

  test("an instant is any finite number", () => {
    expect(checkTime(-0.5)).toBe(-0.5);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined, "0"]) {
      expect(refusal(() => checkTime(value))).toContain("now is");
    }
  });

  test("a duration is above 0 and finite, but where more is allowed", () => {
    expect(checkDuration(1, "leaseMs")).toBe(1);
    expect(checkDuration(0, "protectAfterMs", { zero: true })).toBe(0);
    expect(checkDuration(Number.POSITIVE_INFINITY, "agingMs", { infinity: true })).toBe(Number.POSITIVE_INFINITY);
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "1", undefined]) {
      expect(refusal(() => checkDuration(value, "leaseMs"))).toContain("leaseMs is");
    }
    expect(refusal(() => checkDuration(-1, "agingMs", { infinity: true, zero: true }))).toContain(
      "Infinity is allowed",
    );
  });
});

describe("records", () => {
  test("a Map and an object are read alike, with keys of any name", () => {
    const entries = [
      ["a", 1],
      ["__proto__", 2],
      ["constructor", 3],
    ] as const;
    expect(entriesOf(new Map(entries), "amounts")).toEqual(entries);
    expect(entriesOf(Object.fromEntries(entries), "amounts")).toEqual(entries);
    const record = nullRecord<number>();
    for (const [key, value] of entries) record[key] = value;
    expect(entriesOf(record, "amounts")).toEqual(entries);
    expect(Object.keys(record)).toEqual(["a", "__proto__", "constructor"]);
  });

  test("what an object inherits is not its own", () => {
    expect(entriesOf(Object.create({ inherited: 1 }), "amounts")).toEqual([]);
  });

  test.each([[["a"]], [new Set(["a"])], [null], [undefined], ["a"], [7]])("%s is not a record", (value) => {
    // As a caller without types would.
    expect(refusal(() => Reflect.apply(entriesOf, undefined, [value, "amounts"]))).toContain("amounts is");
  });

  test("a key that is no id is refused", () => {
    expect(refusal(() => entriesOf({ "a/b": 1 }, "amounts"))).toContain("a key of amounts");
  });
});

describe("showing a value", () => {
  test.each([
    ["a\n", '"a\\n"'],
    [-0, "-0"],
    [Number.NaN, "NaN"],
    [12n, "12n"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [() => 1, "a function"],
    [[1, [2, [3]]], "[1, [2, […]]]"],
    [{ a: "b", "c d": { e: {} } }, '{"a": "b", "c d": {"e": {}}}'],
    [Array.from({ length: 20 }, (_, i) => i), "[0, 1, 2, 3, 4, 5, 6, 7, …]"],
  ])("%# is printed as a person would write it", (value, text) => {
    expect(show(value)).toBe(text);
  });

  test("getters are not called, and what throws when looked at is still shown", () => {
    const calls: string[] = [];
    const trap = {
      get secret() {
        calls.push("called");
        return 1;
      },
    };
    expect(show(trap)).toBe('{"secret": …}');
    expect(calls).toEqual([]);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(show(proxy)).toBe("an object");
    const circle: unknown[] = [];
    circle.push(circle);
    expect(show(circle)).toBe("[[[…]]]");
  });

  test("it takes at most 80 characters, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => show(value).length <= 80),
    );
    expect(show("x".repeat(10_000)).length).toBe(80);
    expect(show(2n ** 10_000n)).toBe("a huge bigint");
  });
});
