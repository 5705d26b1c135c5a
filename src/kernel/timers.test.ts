import { expect, test } from "vitest";
import { Story, told } from "./story.fixture.ts";

test("of what is due at one instant, kinds go in their order and the older first, in whatever order they were set", () => {
  const story = new Story({ concurrency: 9, unroutableMs: 1_000 });
  story.agent("ann", { capacity: 9, votes: true });
  story.submit({ id: "x", skills: ["x"] }, { id: "y", skills: ["y"] });
  const ballot = { question: "?", options: ["a"], voters: ["ann"], deadlineMs: 1_000 };
  story.do({ type: "ballot.open", ...ballot }, { type: "ballot.open", ...ballot });
  story.submit({ id: "d", skills: ["x"], deadlineMs: 1_000 }, { id: "e", skills: ["x"], deadlineMs: 1_000 });
  story.submit({ id: "a", timeoutMs: 1_000 }, { id: "b", timeoutMs: 1_000 });
  expect(told(story.after(1_000))).toEqual([
    "a stops: timeout",
    "b stops: timeout",
    "d failed: TIMEOUT",
    "e failed: TIMEOUT",
    "b1 no_quorum",
    "b2 no_quorum",
    "x failed: NO_QUALIFIED_AGENT",
    "y failed: NO_QUALIFIED_AGENT",
  ]);
});

test("what comes back at one instant: leases in the order of their grants, then breakers in that of registration", () => {
  const story = new Story({ concurrency: 9 });
  const breaker = { failureThreshold: 1, resetMs: 1_000 };
  story.agent("ann", { breaker });
  story.agent("bob", { breaker });
  story.agent("cy", { capacity: 9 });
  story.resource("disk", 9);
  story.submit({ id: "a", agent: "ann" }, { id: "b", agent: "bob" }, { id: "c", agent: "cy" });
  story.fail("b", { retryable: false });
  story.fail("a", { retryable: false });
  story.ask("c", { disk: 1 }, { leaseMs: 1_000 });
  story.ask("c", { disk: 2 }, { leaseMs: 1_000 });
  expect(told(story.after(1_000))).toEqual(["a1 expired", "a2 expired", "ann half-open", "bob half-open"]);
});
