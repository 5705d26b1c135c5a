import { expect, test } from "vitest";
import type { KernelEvent } from "../kernel/events.ts";
import { CHAIN_START, endOf, fence, verify } from "./chain.ts";
import { seal } from "./codec.ts";
import { frameOf, recordOf } from "./frame.ts";
import type { JournalRecord } from "./journal.ts";

function record(firstSeq: number, prevHash: Uint8Array, epoch = 3): JournalRecord {
  const event: KernelEvent = { type: "task.paused", v: 1, seq: firstSeq, at: 1_000, taskId: "t" };
  return seal([event], { firstSeq, epoch, prevHash });
}

const first = record(1, CHAIN_START.lastHash);
const second = record(2, first.hash);

test("a record fits after the one before it, and nowhere else", () => {
  expect(verify(first, CHAIN_START)).toBe(undefined);
  expect(verify(second, endOf(first))).toBe(undefined);
  expect(verify(second, CHAIN_START)).toBe("chain");
  expect(verify(first, endOf(first))).toBe("chain");
  expect(verify(second, endOf(record(1, CHAIN_START.lastHash, 4)))).toBe("chain");
});

test("every bit of a record's frame is covered by its hash", () => {
  const frame = Buffer.from(frameOf(second));
  for (let bit = 0; bit < frame.byteLength * 8; bit++) {
    const flipped = Buffer.from(frame);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(verify(recordOf(flipped), endOf(first))).toBe("torn");
  }
});

test("a record cut at any length is torn", () => {
  for (let length = 0; length < second.bytes.byteLength; length++) {
    expect(verify({ ...second, bytes: second.bytes.slice(0, length) }, endOf(first))).toBe("torn");
  }
});

test.each([
  { count: -1 },
  { count: 0 },
  { firstSeq: 1.5 },
  { firstSeq: 2 ** 60 },
  { epoch: -1 },
  { at: Number.NaN },
  { codec: 2 ** 32 },
  { hash: new Uint8Array(31) },
  { prevHash: new Uint8Array(33) },
])("a header that no record can have is torn: %o", (changed) => {
  expect(verify({ ...second, ...changed }, endOf(first))).toBe("torn");
});

test("a frame holds the whole record, whether it was made in place or from parts", () => {
  const parts = { ...second, bytes: second.bytes.slice() };
  expect(frameOf(parts)).toEqual(frameOf(second));
  expect({ ...recordOf(frameOf(parts)), bytes: parts.bytes }).toEqual(parts);
  expect(frameOf(second).buffer).toBe(second.bytes.buffer);
  expect(frameOf(parts).buffer).not.toBe(parts.bytes.buffer);
});

test("an append is let through only at the end that it was made for", () => {
  expect(fence(second, 1, endOf(first))).toBe(undefined);
  expect(fence(second, 0, endOf(first))).toMatchObject({
    code: "FENCED",
    details: { lastSeq: 1, firstSeq: 2, expectedSeq: 0 },
  });
  expect(fence(second, 1, CHAIN_START)).toMatchObject({ code: "FENCED" });
  expect(fence(first, 1, endOf(first))).toMatchObject({ code: "FENCED" });
});
