import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Json } from "../coordination/structures/types.ts";
import { actionRate } from "./action-rate.ts";
import { allOf } from "./all-of.ts";
import { allowedActions } from "./allowed-actions.ts";
import { asked, said } from "./asked.fixture.ts";
import type { Guardrail } from "./guardrail.ts";
import { matchesSchema } from "./matches-schema.ts";
import { noSecrets } from "./no-secrets.ts";
import { withinSize } from "./within-size.ts";

describe("matchesSchema", () => {
  const schema = z.object({ title: z.string().trim().max(5), tags: z.array(z.string()).default([]) });
  const guardrail = matchesSchema({ on: "output", schema });

  test("allows what fits as it is, and otherwise what the schema makes of it", async () => {
    expect(await said(guardrail, { title: "a", tags: [] })).toBe("allowed");
    expect(await said(guardrail, { title: " a " })).toEqual({ changed: { title: "a", tags: [] } });
  });

  test("blocks with the places that do not fit, and nothing of what is there", async () => {
    expect(await said(guardrail, { title: "canary-4711", tags: ["x", 7] })).toBe(
      "it does not fit its schema at title, tags.1",
    );
    expect(await said(guardrail, "canary-4711")).toBe("it does not fit its schema at its root");
    const byKey = matchesSchema({ on: "output", schema: z.record(z.string(), z.number()) });
    expect(await said(byKey, { "canary-4711": "x" })).toBe("it does not fit its schema at …");
  });

  test("tells of many places the first five", async () => {
    const numbers = matchesSchema({ on: "input", schema: z.array(z.number()) });
    const reason = await said(numbers, ["a", "b", "c", "d", "e", "f", "g"]);
    expect(reason).toBe("it does not fit its schema at 0, 1, 2, 3, 4 and 2 more");
  });

  test("blocks what the schema makes into something that is no JSON, and a schema that answers nonsense", async () => {
    const dates = matchesSchema({ on: "input", schema: z.coerce.date() });
    expect(await said(dates, "2026-01-01")).toBe("what its schema makes of it is no JSON");
    const odd = { "~standard": { version: 1, vendor: "odd", validate: () => undefined } } as const;
    expect(await said(matchesSchema({ on: "input", schema: odd }), 1)).toBe("its schema gave no answer");
  });

  test("waits for a schema that takes its time", async () => {
    const slow = z.string().refine(async (text) => text === "good");
    const guardrail = matchesSchema({ on: "action", schema: slow });
    expect(await said(guardrail, "good")).toBe("allowed");
    expect(await said(guardrail, "bad")).toBe("it does not fit its schema at its root");
  });
});

describe("withinSize", () => {
  const guardrail = withinSize({ on: "input", maxBytes: 12, maxDepth: 2 });
  const cases: readonly (readonly [Json, string])[] = [
    ["0123456789", "allowed"],
    ["01234567890", "it has 13 bytes; at most 12 are allowed"],
    ["ééééé", "allowed"],
    ["éééééé", "it has 14 bytes; at most 12 are allowed"],
    [[[1]], "allowed"],
    [[[[1]]], "it is nested 3 levels deep; at most 2 are allowed"],
    [{ a: [[]] }, "it is nested 3 levels deep; at most 2 are allowed"],
    [null, "allowed"],
  ];
  test.each(cases)("%j", async (value, expected) => {
    expect(await said(guardrail, value)).toBe(expected);
  });
});

describe("allowedActions", () => {
  const guardrail = allowedActions({ actions: ["read", "__proto__"] });
  test.each([
    ["read", true],
    ["__proto__", true],
    ["Read", false],
    ["read ", false],
    ["constructor", false],
    [undefined, false],
  ])("%s", async (action, allow) => {
    expect(await asked(guardrail, null, action === undefined ? {} : { action })).toMatchObject({ allow });
  });
});

describe("actionRate", () => {
  const act = (guardrail: Guardrail, at: number, agent = "ann", taskId = "t") =>
    said(guardrail, null, { at, agent, task: { id: taskId, input: null, priority: 5 } });

  test("lets as many pass as are allowed within any window, whose end does not count", async () => {
    const guardrail = actionRate({ limit: 2, perMs: 100 });
    expect(await act(guardrail, 1_000)).toBe("allowed");
    expect(await act(guardrail, 1_050)).toBe("allowed");
    expect(await act(guardrail, 1_099)).toBe("more than 2 actions within 100 ms");
    expect(await act(guardrail, 1_100)).toBe("allowed");
    expect(await act(guardrail, 1_149)).toBe("more than 2 actions within 100 ms");
    expect(await act(guardrail, 1_150)).toBe("allowed");
  });

  test.each([
    ["agent", ["allowed", "blocked", "allowed", "blocked"]],
    ["task", ["allowed", "allowed", "blocked", "blocked"]],
    ["all", ["allowed", "blocked", "blocked", "blocked"]],
  ] as const)("counts together what is of one %s", async (per, expected) => {
    const guardrail = actionRate({ limit: 1, perMs: 100, per });
    const told: string[] = [];
    for (const [agent, task] of [
      ["ann", "x"],
      ["ann", "y"],
      ["bob", "x"],
      ["bob", "y"],
    ] as const)
      told.push((await act(guardrail, 1_000, agent, task)) === "allowed" ? "allowed" : "blocked");
    expect(told).toEqual(expected);
  });

  test("never lets more pass than a window allows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 40 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, limit) => {
          const guardrail = actionRate({ limit, perMs: 100 });
          const passed: number[] = [];
          let at = 1_000;
          for (const step of steps) {
            at += step;
            const open = passed.filter((time) => time > at - 100).length < limit;
            expect((await act(guardrail, at)) === "allowed").toBe(open);
            if (open) passed.push(at);
          }
        },
      ),
    );
  });

  test("counts no more than it can remember, and forgets whose window has passed", async () => {
    const guardrail = actionRate({ limit: 1, perMs: 100 });
    for (let i = 0; i < 10_000; i++) await act(guardrail, 1_000, `a${i}`);
    expect(await act(guardrail, 1_099, "one more")).not.toBe("allowed");
    expect(await act(guardrail, 1_100, "one more")).toBe("allowed");
  });

  test("goes by the system's time when nobody tells it another", async () => {
    const guardrail = actionRate({ limit: 1, perMs: 86_400_000 });
    expect(await said(guardrail, null)).toBe("allowed");
    expect(await said(guardrail, null)).toBe("more than 1 actions within 86400000 ms");
    expect(await act(guardrail, Date.now() + 90_000_000, "")).toBe("allowed");
  });
});

describe("allOf", () => {
  const append = (name: string): Guardrail => ({
    name,
    on: "output",
    check: ({ value }) => ({ allow: true, value: `${value}${name}` }),
  });

  test("feeds what one makes to the next; the first that blocks decides, by name", async () => {
    expect(await said(allOf({ name: "both", guardrails: [append("1"), append("2")] }), "in")).toEqual({
      changed: "in12",
    });
    const short = withinSize({ on: "output", maxBytes: 5 });
    expect(await said(allOf({ name: "both", guardrails: [short, append("123")] }), "in")).toEqual({ changed: "in123" });
    expect(await said(allOf({ name: "both", guardrails: [append("123"), short] }), "in")).toBe(
      "within-size: it has 7 bytes; at most 5 are allowed",
    );
  });

  test("allows what all allow, and blocks for one that throws", async () => {
    expect(await said(allOf({ name: "one", guardrails: [noSecrets()] }), "x")).toBe("allowed");
    const broken: Guardrail = {
      name: "broken",
      on: "output",
      check: () => {
        throw new Error("boo");
      },
    };
    expect(await said(allOf({ name: "one", guardrails: [broken] }), "x")).toBe("broken: it threw an error");
  });
});
