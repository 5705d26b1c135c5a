import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import type { Command, Refusal } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Story } from "./story.fixture.ts";

/** Tasks a and b run on ann and bob. */
function team(): Story {
  const story = new Story({ concurrency: 9 });
  for (const name of ["ann", "bob"]) story.agent(name, { capacity: 9 });
  story.submit({ id: "a", agent: "ann" }, { id: "b", agent: "bob" });
  return story;
}

function set(story: Story, id: string, key: string, value: Json, expectedVersion?: number): Command {
  return {
    type: "state.set",
    ...story.from(id),
    key,
    value,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
}

function remove(story: Story, id: string, key: string, expectedVersion?: number): Command {
  return {
    type: "state.delete",
    ...story.from(id),
    key,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
}

/** The version that the command gave, or how it was refused. */
function outcome(story: Story, command: Command): number | Refusal | undefined {
  const [answer] = story.try(command).answers;
  if (answer?.ok === false) return answer.refusal;
  return answer?.version;
}

describe("the shared state", () => {
  test("has a value and a version by key, for whoever looks", () => {
    const story = team();
    expect(story.kernel.entry("k")).toBeUndefined();
    expect(outcome(story, set(story, "a", "k", { n: 1 }))).toBe(1);
    expect(outcome(story, set(story, "b", "k", null))).toBe(2);
    expect(story.kernel.entry("k")).toMatchObject({ value: null, version: 2 });
    expect(story.log.at(-1)).toMatchObject({ type: "state.set", key: "k", version: 2, size: 5, taskId: "b" });
  });

  test("changes on condition only as long as nobody was there meanwhile", () => {
    const story = team();
    expect(outcome(story, set(story, "a", "k", 1, 0))).toBe(1);
    expect(outcome(story, set(story, "b", "k", 2, 0))).toMatchObject({
      code: "INVALID_STATE",
      details: { key: "k", version: 1, expectedVersion: 0 },
    });
    expect(outcome(story, set(story, "b", "k", 2, 1))).toBe(2);
    expect(outcome(story, remove(story, "a", "k", 1))).toMatchObject({
      code: "INVALID_STATE",
      details: { version: 2 },
    });
    expect(outcome(story, set(story, "a", "other", 1, 3))).toMatchObject({ details: { version: 0 } });
    expect(story.kernel.entry("k")).toMatchObject({ value: 2 });
  });

  test("a version never comes back, not by deleting and beginning again", () => {
    const story = team();
    story.do(set(story, "a", "k", 1), set(story, "a", "k", 2));
    expect(story.do(remove(story, "a", "k", 2))).toMatchObject([{ type: "state.deleted", key: "k", version: 2 }]);
    expect(story.kernel.entry("k")).toBeUndefined();
    expect(outcome(story, set(story, "b", "k", 1, 0))).toBe(3);
    expect(outcome(story, set(story, "b", "k", 2, 1))).toMatchObject({ code: "INVALID_STATE" });
  });

  test("deleting what is not there changes nothing and leaves no trace", () => {
    const story = team();
    expect(story.do(remove(story, "a", "k"), remove(story, "a", "k", 0))).toEqual([]);
  });

  test("under agent/NAME/ only NAME writes, and everybody reads", () => {
    const story = team();
    story.do(set(story, "a", "agent/ann/plan", 1));
    expect(story.kernel.entry("agent/ann/plan")?.value).toBe(1);
    for (const key of ["agent/ann/plan", "agent/ann", "agent/", "agent/bob/", "agent/bobby/x", "agent//x"])
      expect(outcome(story, set(story, "b", key, 1)), key).toMatchObject({ code: "UNAUTHORIZED" });
    expect(outcome(story, remove(story, "b", "agent/ann/plan"))).toMatchObject({ code: "UNAUTHORIZED" });
    expect(outcome(story, set(story, "b", "agents/ann", 1))).toBe(1);
    expect(outcome(story, set(story, "b", "agent/bob/x", 1))).toBe(1);
  });

  test("is another attempt's no more than this one's: an old token changes nothing", () => {
    const story = team();
    const late = set(story, "a", "k", 1);
    story.complete("a");
    expect(outcome(story, late)).toMatchObject({ code: "FENCED" });
  });

  test("survives a crash and a restoration, with its versions", () => {
    const story = team();
    story.do(
      set(story, "a", "k", 1),
      set(story, "a", "gone", 1),
      set(story, "a", "gone", 2),
      remove(story, "a", "gone"),
    );
    story.crash(10);
    const restored = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
    for (const kernel of [story.kernel, restored]) {
      expect(kernel.entry("k")).toMatchObject({ value: 1, version: 1 });
      expect(kernel.entry("gone")).toBeUndefined();
    }
    story.kernel = restored;
    story.agent("ann", { capacity: 9 });
    story.submit({ id: "c", agent: "ann" });
    expect(outcome(story, set(story, "c", "gone", 1))).toBe(3);
  });

  test("setting again with the id of the command changes nothing, and tells the same version", () => {
    const story = team();
    const envelope = { id: "c1", command: set(story, "a", "k", 1) };
    story.do(set(story, "a", "k", 0));
    expect(story.send(envelope).answers).toEqual([{ ok: true, ids: [], version: 2 }]);
    expect(story.send(envelope)).toEqual({ events: [], answers: [{ ok: true, ids: [], version: 2 }] });
  });
});

test("what is replaced or deleted makes room", () => {
  const story = team();
  const value = "x".repeat(limits.stateCharacters / 2);
  for (let n = 0; n < 3; n++) expect(outcome(story, set(story, "a", "k", value)), `${n}`).toBe(n + 1);
  story.do(remove(story, "a", "k"));
  story.do(set(story, "a", "l", value), remove(story, "a", "l"));
  expect(outcome(story, set(story, "a", "m", value.slice(3)))).toBe(5);
  expect(outcome(story, set(story, "a", "n", value.slice(3)))).toBe(5);
  expect(outcome(story, set(story, "a", "o", 1))).toMatchObject({ code: "QUEUE_FULL" });
});

/** What the shared state is told, and what a plain map would make of it. */
const act = fc.record({
  does: fc.constantFrom("set", "delete", "restore"),
  key: fc.constantFrom("x", "y", "__proto__"),
  value: fc.integer(),
  /** Behind the present version by so many; undefined: whatever it is. */
  behind: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
});

test("is a map with versions that only grow, whatever is done to it", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const story = team();
      const model = new Map<string, { value: number; version: number }>();
      const highest = new Map<string, number>();
      for (const { does, key, value, behind } of acts) {
        if (does === "restore") {
          story.kernel = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
          continue;
        }
        const version = model.get(key)?.version ?? 0;
        const expected = behind === undefined ? undefined : Math.max(0, version - behind);
        const command = does === "set" ? set(story, "a", key, value, expected) : remove(story, "a", key, expected);
        const got = outcome(story, command);
        if (expected !== undefined && expected !== version) {
          expect(got).toMatchObject({ code: "INVALID_STATE", details: { version } });
        } else if (does === "delete") model.delete(key);
        else if (typeof got === "number") {
          expect(got).toBeGreaterThan(highest.get(key) ?? 0);
          highest.set(key, got);
          model.set(key, { value, version: got });
        } else expect(got).toBe("a version");
        for (const known of ["x", "y", "__proto__"]) {
          const entry = story.kernel.entry(known);
          expect(entry && { value: entry.value, version: entry.version }).toEqual(model.get(known));
        }
      }
    }),
  );
});

test("counting by get and set on condition, in any interleaving, counts every success once", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.boolean()), { maxLength: 80 }), (turns) => {
      const story = team();
      const seen = new Map<string, { readonly value: number; readonly version: number }>();
      let successes = 0;
      for (const [who, looks] of turns) {
        const entry = story.kernel.entry("n");
        if (looks || !seen.has(who)) seen.set(who, { value: Number(entry?.value ?? 0), version: entry?.version ?? 0 });
        else {
          const { value, version } = seen.get(who) ?? { value: 0, version: 0 };
          if (typeof outcome(story, set(story, who, "n", value + 1, version)) === "number") successes += 1;
          seen.delete(who);
        }
      }
      expect(Number(story.kernel.entry("n")?.value ?? 0)).toBe(successes);
    }),
  );
});
