import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "./sha256.ts";

test("the examples of FIPS 180-4", () => {
  expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

test("of any text it is what Node says, whatever its length and its characters", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.nat(400).map((length) => "x".repeat(length)),
  );
  fc.assert(
    fc.property(text, (some) => {
      expect(sha256(some)).toBe(createHash("sha256").update(some, "utf8").digest("hex"));
    }),
  );
});

test("half of a pair counts as the replacement character, as it is written in UTF-8", () => {
  const half = "a\ud800b";
  expect(sha256(half)).toBe(createHash("sha256").update(half, "utf8").digest("hex"));
});
