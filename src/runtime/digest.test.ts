import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../coordination/structures/sha256.ts";
import { digest } from "./digest.ts";

test("it is the kernel's own SHA-256, whatever the text, halves of pairs too", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => digest(text) === sha256(text)));
  const texts = ["", "abc", "é€😀", "\ud800", "x\udc00y", "😀".repeat(100).slice(1)];
  expect(texts.map(digest)).toEqual(texts.map(sha256));
});
