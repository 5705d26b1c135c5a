import vm from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSafeguardsError } from "../errors.ts";
import { admit, copyOf } from "./json.ts";

const MAX = 1_000_000;
function refusal(value: unknown, maxBytes = MAX): string {
  try {
    admit(value, "input", maxBytes);
  } catch (error) {
    if (isSafeguardsError(error, "INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("it was let in");
}

describe("admit", () => {
  it("lets all JSON in, equal and sharing nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const { json } = admit(value, "input", MAX);
        expect(JSON.stringify(json)).toBe(JSON.stringify(value));
        if (typeof value === "object" && value !== null) expect(json).not.toBe(value);
      }),
    );
  });

  it("keeps `__proto__` as a key and touches no prototype", () => {
    const { json } = admit(JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'), "input", MAX);
    expect(JSON.stringify(json)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
    expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(JSON.stringify(copyOf(json))).toBe(JSON.stringify(json));
  });

  it("leaves out properties that are undefined and makes -0 a 0", () => {
    const { json } = admit({ a: undefined, b: -0 }, "input", MAX);
    expect(json).toStrictEqual({ b: 0 });
  });

  it("takes plain objects of another realm", () => {
    expect(admit(vm.runInNewContext("({ a: [1, { b: 2 }] })"), "input", MAX).json).toEqual({ a: [1, { b: 2 }] });
  });

  it.each([
    ["a function", { a: { b: () => 1 } }, /^input\["a"\]\["b"\] is a function/],
    ["a bigint", [1n], /^input\[0\] is 1n/],
    ["a symbol", { s: Symbol("x") }, /Symbol\(x\)/],
    ["NaN", { n: [Number.NaN] }, /^input\["n"\]\[0\] is NaN/],
    ["Infinity", Number.POSITIVE_INFINITY, /^input is Infinity/],
    ["undefined in a list", [undefined], /^input\[0\] is undefined/],
    ["undefined", undefined, /^input is undefined/],
    ["a hole", { list: Object.assign([1], { 2: 3 }) }, /^input\["list"\]\[1\] is a hole/],
    ["a date", { at: new Date(0) }, /^input\["at"\] is an instance of Date/],
    ["a map", new Map(), /instance of Map/],
    ["an instance", new (class Robot {})(), /instance of Robot/],
    ["an error", new Error("x"), /instance of Error/],
    ["an object with a strange prototype", Object.create(Object.create(null)), /instance of a class/],
  ])("refuses %s, telling where", (_, value, message) => {
    expect(refusal(value)).toMatch(message);
  });

  it("refuses a getter and a proxy that throw, whatever they throw, and keeps it as the cause", () => {
    const hostile = {
      get boom(): never {
        throw "no error at all";
      },
    };
    expect(() => admit({ a: hostile }, "input", MAX)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: 'input["a"]["boom"] could not be read: it threw',
        cause: "no error at all",
      }),
    );
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new RangeError("keys");
        },
      },
    );
    expect(refusal(proxy)).toBe("input could not be read: it threw");
  });

  it("refuses cycles as cycles, also when they branch", () => {
    const loop: Record<string, unknown> = {};
    loop.left = loop;
    loop.right = { loop };
    expect(refusal(loop)).toBe('input["left"] contains itself; JSON has no cycles');
    const late: Record<string, unknown> = { list: [1, { deep: {} }] };
    (late.list as unknown[])[2] = { back: late };
    expect(refusal(late)).toBe('input["list"][2]["back"] contains itself; JSON has no cycles');
  });

  it("allows 64 levels and no more", () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(() => admit(nested(64), "input", MAX)).not.toThrow();
    expect(refusal(nested(65))).toMatch(/nested deeper than 64 levels$/);
  });

  it("refuses what is too large without reading all of it", () => {
    expect(refusal("x".repeat(1_001), 1_000)).toBe("input is larger than 1000 bytes of JSON");
    let reads = 0;
    const wide = Array.from({ length: 10_000 }, () => ({
      get x() {
        reads++;
        return "0123456789";
      },
    }));
    expect(refusal(wide, 1_000)).toMatch(/larger than 1000/);
    expect(reads).toBeLessThan(100);
    const doubled = Array.from({ length: 50 }).reduce<unknown>((inner) => [inner, inner], "leaf");
    expect(refusal(doubled)).toMatch(/larger than/);
  });

  it("weighs text by its bytes in UTF-8", () => {
    expect(refusal("é".repeat(600), 1_000)).toMatch(/larger/);
    expect(admit("e".repeat(600), "input", 1_000).bytes).toBeGreaterThan(600);
  });
});

describe("copyOf", () => {
  it("gives an equal copy that shares nothing", () => {
    const held = { list: [{ a: 1 }], text: "x", none: null };
    const copy = copyOf(held);
    expect(copy).toStrictEqual(held);
    if (typeof copy !== "object" || copy === null || Array.isArray(copy)) throw new Error("not an object");
    expect(Reflect.get(copy, "list")).not.toBe(held.list);
    expect(Reflect.get(Reflect.get(copy, "list"), 0)).not.toBe(held.list[0]);
  });
});
