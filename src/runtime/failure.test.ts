import { describe, expect, it } from "vitest";
import { SafeguardsError } from "../errors.ts";
import { errorFrom, failureFrom, failureOf } from "./failure.ts";

describe("failureOf", () => {
  it("keeps the code of our errors, and calls all others TASK_FAILED", () => {
    const ours = new SafeguardsError("QUEUE_FULL", "full", { details: { limit: 3 } });
    expect(failureOf(ours)).toEqual({ code: "QUEUE_FULL", message: "full", retryable: true, details: { limit: 3 } });
    expect(failureOf(new TypeError("boom"))).toEqual({
      code: "TASK_FAILED",
      message: "boom",
      details: { name: "TypeError" },
    });
    expect(failureOf(new Error("boom"))).toEqual({ code: "TASK_FAILED", message: "boom" });
    expect(failureOf({ retryable: false, message: "no" })).toEqual({
      code: "TASK_FAILED",
      message: "no",
      retryable: false,
    });
  });

  it.each([
    [undefined, "undefined"],
    ["text", "text"],
    [Symbol("s"), "Symbol(s)"],
    [Object.create(null), "something that cannot be printed was thrown"],
    [
      new Proxy(
        {},
        {
          get() {
            throw 1;
          },
        },
      ),
      "something that cannot be printed was thrown",
    ],
  ])("makes a message of whatever is thrown: %#", (thrown, message) => {
    expect(failureOf(thrown)).toEqual({ code: "TASK_FAILED", message });
  });

  it("keeps what it says short, and leaves out details that are not JSON", () => {
    expect(failureOf(new Error("x".repeat(10_000))).message.length).toBe(4_096);
    const error = new SafeguardsError("FENCED", "old", { details: { fn: () => 1 } });
    expect(failureFrom(error)).toEqual({ code: "FENCED", message: "old", retryable: false });
  });
});

describe("an error of ours of which somebody else has made something", () => {
  const forged = (field: string, value: unknown): unknown =>
    Object.defineProperty(new SafeguardsError("FENCED", "old", { retryable: false }), field, { value });
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;

  it.each([
    ["code", "BOGUS"],
    ["code", "__proto__"],
    ["code", "toString"],
    ["code", 1n],
    ["code", { toString: () => "FENCED" }],
    ["message", 7n],
    ["message", { length: 1 }],
    ["retryable", 1n],
    ["retryable", cycle],
    ["retryable", () => true],
    ["details", { n: 1n }],
    ["details", cycle],
    ["details", [1]],
  ])("is JSON of the right kinds: %s is %o", (field, value) => {
    const failure = failureOf(forged(field, value));
    expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
    expect(failure).toEqual({
      code: field === "code" ? "TASK_FAILED" : "FENCED",
      message: field === "message" ? expect.stringMatching(/^SafeguardsError/) : "old",
      ...(field === "retryable" ? {} : { retryable: false }),
    });
  });

  it("is asked once for each of its fields", () => {
    const answers = ["old", 7n];
    const error = Object.defineProperty(new SafeguardsError("FENCED", "x"), "message", { get: () => answers.shift() });
    expect(failureOf(error)).toMatchObject({ code: "FENCED", message: "old" });
  });

  it("may be nothing at all", () => {
    expect(failureFrom(undefined)).toEqual({ code: "TASK_FAILED", message: "undefined" });
  });
});

describe("errorFrom", () => {
  it("makes again what was made data, with a cause if there is one", () => {
    const error = new SafeguardsError("TIMEOUT", "late", { retryable: false, details: { ms: 5 } });
    const again = errorFrom(failureFrom(error), "why");
    expect(again).toMatchObject({
      code: "TIMEOUT",
      message: "late",
      retryable: false,
      details: { ms: 5 },
      cause: "why",
    });
    expect("cause" in errorFrom({ code: "FENCED", message: "old" })).toBe(false);
  });
});
