import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { paint, print, spread, widthOfLine } from "./line.ts";
import { clock, duration } from "./quantity.ts";
import { cut, cutMiddle, pad, printable, safeJson } from "./text.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test("nothing that a name says can act on the terminal", () => {
  expect(printable("a\u001b[31mred\nb\u009bc\u202edcba")).toBe("a\\x1b[31mred\\nb\\x9bc\\u{202e}dcba");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !ACTIVE.test(printable(text))));
});

test("text without anything unsafe stays as it is, emoji and all", () => {
  expect(printable("naïve 文字 👩‍👩‍👧 ok")).toBe("naïve 文字 👩‍👩‍👧 ok");
});

test("JSON is safe on a terminal and still says the same", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = JSON.parse(text);
      expect(JSON.parse(safeJson(value))).toEqual(value);
    }),
  );
  expect(safeJson({ a: "\u009b2J\u007f\u202e" }, 2)).toBe('{\n  "a": "\\u009b2J\\u007f\\u202e"\n}');
});

test("text is cut by the columns that it takes, never inside of a character", () => {
  expect(cut("文字文字", 5)).toBe("文字…");
  expect(cut("👩‍👩‍👧👩‍👩‍👧", 3)).toBe("👩‍👩‍👧…");
  expect(cutMiddle("r2/review/check-security", 13)).toBe("r2/r…security");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }).map(printable), fc.integer({ min: 0, max: 30 }), (text, columns) => {
      expect(stringWidth(cut(text, columns))).toBeLessThanOrEqual(columns);
      expect(stringWidth(cutMiddle(text, columns))).toBeLessThanOrEqual(columns);
      expect(stringWidth(pad(text, columns))).toBe(columns);
    }),
  );
});

test("a line is never wider than the paper, and has no escapes without colours", () => {
  const line = [paint("red", "failed"), " ", paint("bold", "a long story")];
  expect(print(line, { columns: 10, colors: false })).toBe("failed a …");
  expect(print(line, { columns: 10, colors: true })).toContain("\u001b[31mfailed\u001b[39m");
  expect(print(line, { columns: 6, colors: false })).toBe("failed");
});

test("the right end is left out where it does not fit", () => {
  expect(widthOfLine(spread(["left"], ["right"], 20))).toBe(20);
  expect(spread(["left"], ["right"], 9)).toEqual(["left"]);
});

test("durations are short and never lie by rounding over a border", () => {
  expect([0, 999, 1_000, 9_949, 9_960, 59_400, 59_600, 125_000, 3_599_600, 10_920_000].map(duration)).toEqual([
    "0 ms",
    "999 ms",
    "1.0 s",
    "9.9 s",
    "10 s",
    "59 s",
    "1 m 00 s",
    "2 m 05 s",
    "1 h 00 m",
    "3 h 02 m",
  ]);
  expect(clock(0)).toMatch(/^\d\d:\d\d:00$/);
});
