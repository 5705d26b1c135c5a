import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as coordination from "./coordination-entry.ts";
import { FederatedDecisions, isSafeguardsError } from "./coordination-entry.ts";

test("has every system, and nothing else", () => {
  expect(Object.keys(coordination).sort()).toEqual([
    "BudgetLedger",
    "CircuitBreaker",
    "FederatedDecisions",
    "Reputation",
    "ResourceManager",
    "SafeguardsError",
    "SkillRouter",
    "TaskArbitrator",
    "WorkloadBalancer",
    "dawidSkene",
    "isSafeguardsError",
    "tally",
  ]);
});

describe("FederatedDecisions", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("leaves no timer behind when all have voted, which would keep the process alive", async () => {
    const board = new FederatedDecisions();
    board.register("quick", () => "yes");
    board.register("thoughtful", async () => "no");
    const pending = board.decide("Go on?", ["yes", "no"]);
    expect(vi.getTimerCount()).toBe(1);
    expect((await pending).outcome).toBe("tied");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits for votes as long as it says, then aborts the signal of who is late with TIMEOUT", async () => {
    const board = new FederatedDecisions({ voteTimeoutMs: 1_000 });
    let reason: unknown;
    let ended = false;
    board.register("stuck", ({ signal }) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      return new Promise(() => {});
    });
    board.register("slow", () => new Promise((resolve) => setTimeout(() => resolve("yes"), 999)));
    const pending = board.decide("Go on?", ["yes", "no"]).finally(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect([ended, reason]).toEqual([false, undefined]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await pending).toMatchObject({ decision: "yes", votes: { slow: "yes" }, abstained: ["stuck"] });
    expect(isSafeguardsError(reason, "TIMEOUT")).toBe(true);
  });

  test("refuses options that it does not know", () => {
    expect(() => Reflect.construct(FederatedDecisions, [{ timeoutMs: 3 }])).toThrow("timeoutMs");
  });
});
