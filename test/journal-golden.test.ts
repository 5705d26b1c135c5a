/** What journals hold that were written long ago. New events are added with `test/golden/append-journal.ts`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CHAIN_START, type ChainEnd, endOf, verify } from "../src/journal/chain.ts";
import { seal, unseal } from "../src/journal/codec.ts";
import { frameOf, recordOf } from "../src/journal/frame.ts";
import { EVENTS, type KernelEvent } from "../src/kernel/events.ts";

interface Golden {
  readonly frame: string;
  readonly events: readonly KernelEvent[];
}

const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL("golden/journal-v1.json", import.meta.url), "utf8"));
const records = goldens.map(({ frame }) => recordOf(Buffer.from(frame, "base64")));
const events = goldens.flatMap((golden) => golden.events);

test("old records are a chain", () => {
  let end: ChainEnd = CHAIN_START;
  for (const record of records) {
    expect(verify(record, end)).toBe(undefined);
    end = endOf(record);
  }
});

test("old records are read as the events that were written", () => {
  const read = records.flatMap((record) => unseal(record));
  // As text, so that keys like __proto__ count, and with the keys of each event in one order.
  expect(read.map(sortedText)).toEqual(events.map(sortedText));
});

test("the same events are still written as the same bytes", () => {
  for (const [index, record] of records.entries()) {
    const again = seal(goldens[index]?.events ?? [], record);
    expect(frameOf(again).toString("base64")).toBe(goldens[index]?.frame);
  }
});

test.each(Object.entries(EVENTS))("%s is among them, with each of its fields", (type, { v, fields }) => {
  const examples = events.filter((event) => event.type === type && event.v === v);
  expect(examples.length).toBeGreaterThan(0);
  for (const field of fields)
    expect(
      examples.some((event) => field in event),
      field,
    ).toBe(true);
});

function sortedText(event: KernelEvent): string {
  return JSON.stringify(Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
