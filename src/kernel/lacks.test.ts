import { describe, expect, test } from "vitest";
import type { Reason } from "./views.ts";
import { firm, type Waiting, world } from "./waiting.fixture.ts";
import { broken, offline, room, skills } from "./waiting-for-agents.fixture.ts";
import { budget } from "./waiting-for-money.fixture.ts";
import { beyond, concurrency, reserved, reservedStory, resource } from "./waiting-for-shares.fixture.ts";
import { approval, backoff, dependencies, held, judged } from "./waiting-for-turns.fixture.ts";

/** Every reason that the kernel can give today: one that is new does not compile without a story. */
const stories: Record<Reason["code"], readonly Waiting[]> = {
  budget,
  dependencies,
  held,
  backoff,
  approval: [...approval, ...judged],
  concurrency,
  skills,
  room,
  resource,
  offline,
  breaker: broken,
  reserved,
  "beyond-backfill-depth": beyond,
};

describe.each(Object.entries(stories))("%s tells", (code, waiting) => {
  test.each(waiting)("$what", ({ story, id, reasons }) => {
    const told = story().why(id).reasons;
    expect(told).toEqual(reasons);
    expect(told.map((reason) => reason.code)).toContain(code);
  });

  test("it is asked for", () => {
    expect(waiting).not.toEqual([]);
  });
});

test("when the reserved one is expected is not told any more once that is past", () => {
  const story = reservedStory({ estimatedMs: 2_500 });
  const reserved = (ms: number): string | undefined =>
    story.kernel.explain("big", story.now + ms)?.reasons.find(({ code }) => code === "reserved")?.text;
  expect(reserved(1_499)).toMatch(/on ann; by the estimates of what runs that is there in 1 ms$/);
  expect(reserved(1_500)).toMatch(/on ann$/);
});

test("a reservation holds up neither those before it nor those that need nothing of what it sets aside", () => {
  const story = world({ protectAfterMs: 1_000 });
  story.resource("calls", 1, { kind: "api_call", per: 500 });
  story.submit({ id: "held", resources: { disk: 2 }, ...firm }, { id: "big", resources: { disk: 3 } });
  story.after(1_000);
  story.submit({ id: "spends", resources: { calls: 1 } });
  story.submit({ id: "first", priority: 9, resources: { disk: 1, calls: 1 } });
  story.submit({ id: "other", resources: { calls: 1 } }, { id: "third", resources: { disk: 1, calls: 1 } });
  const told = (id: string): string | undefined => story.kernel.explain(id, story.now + 500)?.text;
  expect([told("first"), told("other")]).toEqual(["waits for the next admission", "waits for the next admission"]);
  expect(told("third")).toMatch(/^waits: what is free is set aside for big/);
});
