import fc from "fast-check";
import { expect, test } from "vitest";
import { EVENTS, type KernelEvent } from "../kernel/events.ts";
import { CHAIN_START } from "./chain.ts";
import { seal, unseal } from "./codec.ts";
import { frameText, sealFrame } from "./frame.ts";
import type { JournalRecord } from "./journal.ts";

const PLACE = { firstSeq: 1, epoch: 1, prevHash: CHAIN_START.lastHash };
const PAUSED: KernelEvent = { type: "task.paused", v: 1, seq: 1, at: 1_000, taskId: "t" };

function thereAndBack(...events: KernelEvent[]): readonly KernelEvent[] {
  return unseal(seal(events, { ...PLACE, firstSeq: events[0]?.seq ?? 1 }));
}

/** A record as `seal` would never write it: whole by its hash, with that body. */
function recordWith(body: unknown, changed: Partial<JournalRecord> = {}): JournalRecord {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return sealFrame(frameText(text), { ...PLACE, count: 1, at: 1_000, codec: 1, ...changed });
}

test("an event of any type with any of its fields comes back as it was", () => {
  const names = Object.entries(EVENTS).map(([type, { fields }]) => ({ type, fields }));
  const anyEvent = fc.constantFrom(...names).chain(({ type, fields }) =>
    fc.record({
      type: fc.constant(type),
      v: fc.constant(1),
      at: fc.nat(2 ** 40),
      body: fc.record(Object.fromEntries(fields.map((field) => [field, fc.jsonValue()])), { requiredKeys: [] }),
      head: fc.record({ commandId: fc.string(), by: fc.string(), trace: fc.string() }, { requiredKeys: [] }),
    }),
  );
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 40), (drawn, before) => {
      const events = drawn.map(
        ({ type, v, at, head, body }, index) =>
          ({ type, v, seq: before + 1 + index, at, ...head, ...body }) as unknown as KernelEvent,
      );
      expect(canonical(thereAndBack(...events))).toBe(canonical(events));
    }),
  );
});

/** JSON with sorted keys and without prototypes. `-0` counts as 0: JSON has no other. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

test("what is absent or undefined stays absent, what is null stays null", () => {
  const cast = { type: "ballot.cast", v: 1, at: 1_000, ballotId: "b", voter: "a" } as const;
  const explicit = { ...cast, seq: 2, vote: undefined } as unknown as KernelEvent;
  const [absent, wasUndefined, isNull] = thereAndBack({ ...cast, seq: 1 }, explicit, { ...cast, seq: 3, vote: null });
  expect(absent && "vote" in absent).toBe(false);
  expect(wasUndefined && "vote" in wasUndefined).toBe(false);
  expect(isNull).toEqual({ ...cast, seq: 3, vote: null });
});

test("keys that are special to JavaScript stay own keys of a payload and change no prototype", () => {
  const state = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
  const [event] = thereAndBack({ type: "attempt.checkpointed", v: 1, seq: 1, at: 1, taskId: "t", token: 1, state });
  const kept = event?.type === "attempt.checkpointed" ? event.state : undefined;
  expect(JSON.stringify(kept)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  expect(Reflect.get({}, "polluted")).toBe(undefined);
});

test("records keyed by ids come back without prototype, whatever the ids", () => {
  const amounts = Object.assign(Object.create(null), JSON.parse('{"__proto__":1,"gpu":2}'));
  const granted = { type: "resource.granted", v: 1, seq: 1, at: 1, allocationId: "a", taskId: "t", token: 1 } as const;
  const [event] = thereAndBack({ ...granted, allocationToken: 2, amounts });
  const kept = event?.type === "resource.granted" ? event.amounts : {};
  expect(Object.getPrototypeOf(kept)).toBe(null);
  expect(Object.entries(kept)).toEqual([
    ["__proto__", 1],
    ["gpu", 2],
  ]);
  expect(Reflect.has(kept, "constructor")).toBe(false);
  const learned = Object.assign(Object.create(null), JSON.parse('{"__proto__":{"right":1,"wrong":0}}'));
  const revealed = { type: "ballot.revealed", v: 1, seq: 1, at: 1, ballotId: "b1", truth: "yes", learned } as const;
  expect(thereAndBack(revealed).map((other) => Object.getPrototypeOf(Reflect.get(other, "learned")))).toEqual([null]);
});

test("a skills list of a task stays a list", () => {
  const skills = ["a", { skill: "b", level: 0.5 }];
  const [event] = thereAndBack({ type: "task.submitted", v: 1, seq: 1, at: 1, taskId: "t", skills });
  expect(event).toEqual({ type: "task.submitted", v: 1, seq: 1, at: 1, taskId: "t", skills });
});

test("events of one batch may differ in time, in both directions", () => {
  const times = [1_000, 1_007, 993];
  const events = times.map((at, index): KernelEvent => ({ ...PAUSED, seq: index + 1, at }));
  expect(thereAndBack(...events)).toEqual(events);
});

test("the body repeats no key and carries only what is present", () => {
  const { bytes } = seal([{ ...PAUSED, by: "me" }], PLACE);
  expect(new TextDecoder().decode(bytes)).toBe('[[18,1,20,"me","t"]]');
});

test("a body of an older layout is read with the newer fields absent", () => {
  const body = [[7, 1, 0b1_0000, "t"]];
  expect(unseal(recordWith(body))).toEqual([{ type: "task.submitted", v: 1, seq: 1, at: 1_000, taskId: "t" }]);
});

test("events without gap are sealed, and only those", () => {
  expect(() => seal([], PLACE)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  const gap = [PAUSED, { ...PAUSED, seq: 3 }];
  expect(() => seal(gap, PLACE)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  const unknownVersion = [{ ...PAUSED, v: 2 } as unknown as KernelEvent];
  expect(() => seal(unknownVersion, PLACE)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test.each([
  ["another codec", recordWith([[18, 1, 16, "t"]], { codec: 2 })],
  ["no JSON", recordWith("[[18,1,16,")],
  ["no list", recordWith({ events: [] })],
  ["an event that is no list", recordWith([18])],
  [
    "more events than it says",
    recordWith([
      [18, 1, 16, "t"],
      [18, 1, 16, "t"],
    ]),
  ],
  ["fewer events than it says", recordWith([[18, 1, 16, "t"]], { count: 2 })],
  ["a code that nobody knows", recordWith([[999, 1, 16, "t"]])],
  ["a code that is a name", recordWith([["constructor", 1, 16, "t"]])],
  ["a version that nobody knows", recordWith([[18, 2, 16, "t"]])],
  ["a mask that names more than the layout has", recordWith([[18, 1, 48, "t", "u"]])],
  ["a mask that is none", recordWith([[18, 1, -16, "t"]])],
  ["a mask that names more than is there", recordWith([[18, 1, 20, "t"]])],
  ["more than the mask names", recordWith([[18, 1, 16, "t", "u"]])],
])("%s stops reading, with the record named", (_, record) => {
  const named = { ...record, firstSeq: 41 };
  expect(() => unseal(named)).toThrow(
    expect.objectContaining({
      code: "JOURNAL_CORRUPT",
      message: expect.stringContaining("41"),
      details: { firstSeq: 41 },
    }),
  );
});
