import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

test("equal data has equal text, in whatever order its keys came", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const text = canonicalJson(data);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(data)));
      expect(canonicalJson(Object.fromEntries(Object.entries(data).reverse()))).toBe(text);
    }),
  );
});

test.each([
  [{ b: 1, a: [true, null], "10": "x", "9": undefined }, '{"10":"x","a":[true,null],"b":1}'],
  [[-0, 1e21, 1e-7, 0.5, Number.NaN], "[0,1e+21,1e-7,0.5,null]"],
  [["\ud800", "é"], '["\\ud800","é"]'],
  [[[], {}], "[[],{}]"],
])("%j is written as JSON with sorted keys", (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});
