import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../errors.ts";
import {
  BREAKER_CLOSED,
  type BreakerState,
  breakerAdmits,
  breakerAdmitsFrom,
  breakerAdmitted,
  breakerFailed,
  breakerRule,
  breakerStatus,
  breakerSucceeded,
  CircuitBreaker,
} from "./circuit-breaker.ts";

function openedAt(now: number, options: ConstructorParameters<typeof CircuitBreaker>[0] = {}): CircuitBreaker {
  const breaker = new CircuitBreaker({ ...options, failureThreshold: 1 });
  breaker.failed(now);
  return breaker;
}

describe("failures in a row", () => {
  test("five open it by default, four do not", () => {
    const breaker = new CircuitBreaker();
    for (let i = 0; i < 4; i += 1) breaker.failed(i);
    expect([breaker.state(4), breaker.admits(4)]).toEqual(["closed", true]);
    breaker.failed(4);
    expect([breaker.state(4), breaker.admits(4)]).toEqual(["open", false]);
  });

  test("a success between them starts the row anew", () => {
    const breaker = new CircuitBreaker({ failureThreshold: 2 });
    breaker.failed(0);
    breaker.succeeded(1);
    breaker.failed(2);
    expect(breaker.state(2)).toBe("closed");
  });
});

describe("a ratio", () => {
  const options = { ratio: 0.5, minCalls: 4, windowMs: 1_000 };

  test("opens when it is reached by enough calls, whatever their order", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([true, true, false, false], { minLength: 4 }), (calls) => {
        const breaker = new CircuitBreaker(options);
        calls.forEach((good, i) => {
          expect(breaker.state(i)).toBe("closed");
          if (good) breaker.succeeded(i);
          else breaker.failed(i);
        });
        expect(breaker.state(3)).toBe("open");
      }),
    );
  });

  test("short of it, it stays closed", () => {
    const breaker = new CircuitBreaker(options);
    for (let i = 0; i < 30; i += 1) {
      breaker.succeeded(i);
      breaker.succeeded(i);
      breaker.failed(i);
    }
    expect(breaker.state(30)).toBe("closed");
  });

  test.each([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])("%d of a thousand calls is reached exactly, not one earlier", (ratio) => {
    const rule = breakerRule({ ratio, minCalls: 1_000 });
    const failing = Math.round(ratio * 1_000);
    let state: BreakerState = BREAKER_CLOSED;
    for (let i = failing; i < 1_000; i += 1) state = breakerSucceeded(rule, state, 0);
    for (let i = 1; i < failing; i += 1) state = breakerFailed(rule, state, 0);
    expect(breakerStatus(rule, breakerSucceeded(rule, state, 0), 0)).toBe("closed");
    expect(breakerStatus(rule, breakerFailed(rule, state, 0), 0)).toBe("open");
  });

  test("a call counts until it is a window old", () => {
    const at = (last: number) => {
      const breaker = new CircuitBreaker({ ratio: 1, minCalls: 2, windowMs: 1_000 });
      breaker.failed(50);
      breaker.failed(last);
      return breaker.state(last);
    };
    expect([at(1_049), at(1_050)]).toEqual(["open", "closed"]);
  });

  test("each call leaves the window when it is a window old, not with the calls before it", () => {
    const breaker = new CircuitBreaker({ ratio: 0.75, minCalls: 3, windowMs: 1_000 });
    breaker.succeeded(0);
    for (const now of [40, 80, 1_000]) breaker.failed(now);
    expect(breaker.state(1_000)).toBe("open");
  });

  test("with calls at up to a hundred instants it looks back over exactly the window", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 100, size: "max" }), (gaps) => {
        const rule = breakerRule({ ratio: 1, minCalls: 1_000, windowMs: 300 });
        let state: BreakerState = BREAKER_CLOSED;
        let now = 0;
        const times: number[] = [];
        for (const gap of gaps) {
          now += gap;
          times.push(now);
          state = breakerFailed(rule, state, now);
          const counted = state.kind === "watching" ? state.slots.reduce((sum, slot) => sum + slot.calls, 0) : -1;
          expect(counted).toBe(times.filter((time) => time > now - 300).length);
        }
      }),
    );
  });

  test("never looks back over less than nine tenths of the window, or over more than all of it", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8), { minLength: 1, maxLength: 600, size: "max" }), (gaps) => {
        const rule = breakerRule({ ratio: 1, minCalls: 1_000, windowMs: 1_000 });
        let state: BreakerState = BREAKER_CLOSED;
        let now = 0;
        const times: number[] = [];
        for (const gap of gaps) {
          now += gap;
          times.push(now);
          state = breakerFailed(rule, state, now);
        }
        const counted = state.kind === "watching" ? state.slots.reduce((sum, slot) => sum + slot.calls, 0) : -1;
        expect(counted).toBeGreaterThanOrEqual(times.filter((time) => time > now - 900).length);
        expect(counted).toBeLessThanOrEqual(times.filter((time) => time > now - 1_000).length);
      }),
    );
  });

  test("keeps at most 110 slots however many calls there are", () => {
    const rule = breakerRule({ ratio: 1, windowMs: 1_000 });
    let state: BreakerState = BREAKER_CLOSED;
    for (let now = 0; now < 10_000; now += 1) {
      state = breakerSucceeded(rule, state, now);
      if (state.kind !== "watching") throw new Error("a success opened it");
      expect(state.slots.length).toBeLessThanOrEqual(110);
    }
  });

  test("after closing again, what was before is forgotten", () => {
    const breaker = new CircuitBreaker({ ratio: 0.5, minCalls: 2, windowMs: 100_000, resetMs: 10 });
    breaker.failed(0);
    breaker.failed(0);
    breaker.succeeded(10);
    breaker.failed(11);
    expect(breaker.state(11)).toBe("closed");
  });
});

describe("half-open", () => {
  test("begins when resetMs have passed, not a millisecond earlier", () => {
    const breaker = openedAt(100);
    expect([breaker.state(30_099), breaker.admits(30_099)]).toEqual(["open", false]);
    expect([breaker.state(30_100), breaker.admits(30_100)]).toEqual(["half-open", true]);
  });

  test("lets through as many probes as halfOpenMax", () => {
    const breaker = openedAt(0, { resetMs: 10, halfOpenMax: 2 });
    expect([breaker.admits(10), breaker.admits(10), breaker.admits(10)]).toEqual([true, true, false]);
    expect(breaker.state(10)).toBe("half-open");
  });

  test("one success closes it", () => {
    const breaker = openedAt(0, { resetMs: 10, halfOpenMax: 2 });
    breaker.admits(10);
    breaker.succeeded(11);
    expect([breaker.state(11), breaker.admits(11), breaker.admits(11), breaker.admits(11)]).toEqual([
      "closed",
      true,
      true,
      true,
    ]);
  });

  test("one failure opens it again, from then on, with fresh places for probes", () => {
    const breaker = openedAt(0, { resetMs: 10 });
    breaker.admits(12);
    breaker.failed(15);
    expect([breaker.state(15), breaker.state(24), breaker.admits(25)]).toEqual(["open", "open", true]);
  });

  test("a probe that nobody reports on gives its place back after resetMs", () => {
    const breaker = openedAt(0, { resetMs: 10 });
    expect([breaker.admits(15), breaker.admits(24), breaker.admits(25)]).toEqual([true, false, true]);
  });
});

describe("while open", () => {
  test("late reports of earlier calls neither close it nor keep it open longer", () => {
    const breaker = openedAt(0, { resetMs: 10 });
    breaker.succeeded(5);
    expect(breaker.state(5)).toBe("open");
    breaker.failed(9);
    expect(breaker.state(10)).toBe("half-open");
  });
});

describe("whatever is called and reported", () => {
  interface Plain {
    readonly threshold?: number;
    readonly ratio?: number;
    readonly minCalls: number;
    readonly windowMs: number;
    readonly resetMs: number;
    readonly probes: number;
  }

  /** The same, told from all that has happened: nothing is kept but the history. */
  class History {
    readonly #options: Plain;
    #calls: { readonly at: number; readonly failed: boolean }[] = [];
    #openedAt: number | undefined = undefined;
    #probes: number[] = [];

    constructor(options: Plain) {
      this.#options = options;
    }

    state(now: number): string {
      if (this.#openedAt === undefined) return "closed";
      return now < this.#openedAt + this.#options.resetMs ? "open" : "half-open";
    }

    admits(now: number): boolean {
      const state = this.state(now);
      if (state !== "half-open") return state === "closed";
      const out = this.#probes.filter((at) => now < at + this.#options.resetMs);
      if (out.length >= this.#options.probes) return false;
      this.#probes.push(now);
      return true;
    }

    ended(now: number, failed: boolean): void {
      const state = this.state(now);
      if (state === "open") return;
      this.#calls.push({ at: now, failed });
      const opens = state === "half-open" ? failed : this.#isTooMuch(now);
      const closes = state === "half-open" && !failed;
      if (!opens && !closes) return;
      this.#openedAt = opens ? now : undefined;
      this.#calls = [];
      this.#probes = [];
    }

    #isTooMuch(now: number): boolean {
      const { threshold, ratio, minCalls, windowMs } = this.#options;
      const counted = this.#calls.filter(({ at }) => at > now - windowMs);
      const failures = counted.filter(({ failed }) => failed).length;
      if (ratio !== undefined) return counted.length >= minCalls && failures >= ratio * counted.length;
      const lastSuccess = this.#calls.findLastIndex(({ failed }) => !failed);
      return this.#calls.length - 1 - lastSuccess >= (threshold ?? 0);
    }
  }

  const steps = fc.array(fc.record({ wait: fc.nat(12), what: fc.constantFrom("call", "call", "success", "failure") }), {
    maxLength: 90,
    size: "max",
  });

  test.each([
    ["by row", { failureThreshold: 3, resetMs: 20, halfOpenMax: 2 }, { threshold: 3, probes: 2 }],
    [
      "by ratio",
      { ratio: 0.5, minCalls: 3, windowMs: 50, resetMs: 20 },
      { ratio: 0.5, minCalls: 3, windowMs: 50, probes: 1 },
    ],
  ])("it is what its history makes it, and never admits more than that allows: %s", (_, options, plain) => {
    fc.assert(
      fc.property(steps, (walk) => {
        const breaker = new CircuitBreaker(options);
        const history = new History({ minCalls: 0, windowMs: Number.POSITIVE_INFINITY, resetMs: 20, ...plain });
        let now = 0;
        for (const { wait, what } of walk) {
          now += wait;
          if (what === "call") expect(breaker.admits(now)).toBe(history.admits(now));
          else {
            if (what === "success") breaker.succeeded(now);
            else breaker.failed(now);
            history.ended(now, what === "failure");
          }
          expect(breaker.state(now)).toBe(history.state(now));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the pure functions", () => {
  type Step = { wait: number; what: "call" | "success" | "failure" };
  const steps = fc.array(
    fc.record<Step>({
      wait: fc.nat(8),
      // Mostly calls without a report: probes must get lost too.
      what: fc.oneof(
        { weight: 8, arbitrary: fc.constant<Step["what"]>("call") },
        { weight: 2, arbitrary: fc.constant<Step["what"]>("failure") },
        { weight: 1, arbitrary: fc.constant<Step["what"]>("success") },
      ),
    }),
    { maxLength: 60 },
  );
  const rules = fc.constantFrom(
    breakerRule({ failureThreshold: 2, resetMs: 10, halfOpenMax: 2 }),
    breakerRule({ ratio: 0.5, minCalls: 2, windowMs: 20, resetMs: 10 }),
  );

  test("say from when on a call is admitted: not before, then indeed, and never later than resetMs from now", () => {
    fc.assert(
      fc.property(rules, steps, (rule, walk) => {
        let now = 0;
        let state: BreakerState = BREAKER_CLOSED;
        for (const { wait, what } of walk) {
          now += wait;
          const from = breakerAdmitsFrom(rule, state, now);
          expect(from).toBeGreaterThanOrEqual(now);
          expect(from).toBeLessThanOrEqual(now + rule.resetMs);
          expect(breakerAdmits(rule, state, from)).toBe(true);
          if (from > now) expect(breakerAdmits(rule, state, from - 1)).toBe(false);

          if (what === "success") state = breakerSucceeded(rule, state, now);
          else if (what === "failure") state = breakerFailed(rule, state, now);
          else if (from === now) state = breakerAdmitted(rule, state, now);
          if (state.kind === "open") expect(state.probes.length).toBeLessThanOrEqual(rule.halfOpenMax);
        }
      }),
    );
  });

  test("keep a state that is the same after a trip through JSON", () => {
    fc.assert(
      fc.property(rules, steps, (rule, walk) => {
        let now = 0;
        let state: BreakerState = BREAKER_CLOSED;
        for (const { wait, what } of walk) {
          now += wait;
          if (what === "success") state = breakerSucceeded(rule, state, now);
          else if (what === "failure") state = breakerFailed(rule, state, now);
          else state = breakerAdmitted(rule, state, now);
          expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        }
      }),
    );
  });

  test("go on with a state that another rule left", () => {
    const row = breakerRule({ failureThreshold: 2 });
    const ratio = breakerRule({ ratio: 1, minCalls: 2 });
    const once = breakerFailed(ratio, breakerFailed(row, BREAKER_CLOSED, 0), 1);
    expect(once.kind).toBe("watching");
    expect(breakerFailed(row, once, 2)).toEqual({ kind: "closed", failures: 1 });
  });
});

test.each([
  { failureThreshold: 0 },
  { failureThreshold: 1.5 },
  { ratio: 0 },
  { ratio: 1.1 },
  { ratio: Number.NaN },
  { ratio: 0.5, failureThreshold: 3 },
  { ratio: 0.5, minCalls: 0 },
  { ratio: 0.5, windowMs: 0 },
  { minCalls: 3 },
  { windowMs: 3 },
  { resetMs: 0 },
  { resetMs: Number.POSITIVE_INFINITY },
  { halfOpenMax: 0 },
  { threshold: 3 },
])("refuses %j", (options) => {
  expect(() => new CircuitBreaker(options)).toThrow(
    expect.toSatisfy((error: unknown) => isSafeguardsError(error, "INVALID_ARGUMENT")),
  );
});

test("refuses a time that is not a number, and nothing changes", () => {
  const breaker = openedAt(0, { resetMs: 10 });
  for (const call of [breaker.admits, breaker.failed, breaker.succeeded, breaker.state]) {
    expect(() => call.call(breaker, Number.NaN)).toThrow("now is NaN");
  }
  expect(breaker.state(10)).toBe("half-open");
});
