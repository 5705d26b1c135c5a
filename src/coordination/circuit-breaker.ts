/**
 * Keeps calls away from what keeps failing, and tries now and then whether it works again.
 *
 * 1. Closed: everything is admitted. Open, for `resetMs`: nothing is. Half-open, after that: at most `halfOpenMax` probes
 *    are out at a time.
 * 2. It opens on `failureThreshold` failures in a row; or, with `ratio`, when that share of the calls in the window has
 *    failed and they are at least `minCalls`, whatever the order of the calls.
 * 3. In half-open one success closes it and forgets what was; one failure opens it again, from then on.
 * 4. What is reported while it is open is of calls from before: it changes nothing.
 * 5. A probe that nobody reports on gives its place back after `resetMs`, so a breaker never stays shut for ever.
 * 6. The state is plain data of bounded size (slots of a window, at most 110, or `halfOpenMax` times), and half-open is not stored
 *    but read off the time, so nothing has to be done when the time has come.
 *
 * The functions are the whole logic, for whoever keeps the state elsewhere; {@link CircuitBreaker} holds it.
 */
import { SafeguardsError } from "../errors.ts";
import { checkDuration, checkInteger, checkKeys, checkTime, invalid } from "./structures/arguments.ts";

const MOST_FAILURES = 1_000_000;
const MOST_PROBES = 1_000;
/** So many instants with calls are told apart. From then on a slot takes up to a tenth of the window. */
const EXACT_SLOTS = 100;
const COARSE_SLOTS = 10;
const OPTIONS = ["failureThreshold", "ratio", "minCalls", "windowMs", "resetMs", "halfOpenMax"];

/** When a breaker opens and how it tries again. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open it, 1 to 1 000 000. Default 5. Not together with `ratio`. */
  readonly failureThreshold?: number;
  /** Share of failed calls that opens it, above 0, up to 1: reached, not exceeded. Default: failures in a row are counted. */
  readonly ratio?: number;
  /** With `ratio`: the fewest calls in the window that say anything, 1 to 1 000 000. Default 10. */
  readonly minCalls?: number;
  /**
   * With `ratio`: how far back it looks, in milliseconds, above 0. Default 60 000. Exact for calls at up to a hundred different
   * instants; with more, it moves on in steps of up to a tenth of that.
   */
  readonly windowMs?: number;
  /** How long it is open before probes are let through, in milliseconds, above 0. Default 30 000. */
  readonly resetMs?: number;
  /** Probes that may be out at a time in half-open, 1 to 1 000. Default 1. */
  readonly halfOpenMax?: number;
}

/** Options with their defaults in place. */
export interface BreakerRule {
  readonly opensOn:
    | { readonly kind: "row"; readonly failures: number }
    | { readonly kind: "ratio"; readonly ratio: number; readonly minCalls: number; readonly windowMs: number };
  readonly resetMs: number;
  readonly halfOpenMax: number;
}

/** Calls that ended at `since`; in a crowded window, within a tenth of it from `since` on. */
interface Slot {
  readonly since: number;
  readonly calls: number;
  readonly failures: number;
}

/** What a breaker knows: failures in a row, or calls in the window, or since when it is open and when its probes left. */
export type BreakerState =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "watching"; readonly slots: readonly Slot[] }
  | { readonly kind: "open"; readonly since: number; readonly probes: readonly number[] };

/** How every breaker starts, and what a success in half-open brings it back to. */
export const BREAKER_CLOSED: BreakerState = { kind: "closed", failures: 0 };

/** Checks options and puts the defaults in. INVALID_ARGUMENT names what is wrong. */
export function breakerRule(options: CircuitBreakerOptions): BreakerRule {
  checkKeys(options, OPTIONS, "the breaker's options");
  const { failureThreshold, ratio, minCalls, windowMs, resetMs = 30_000, halfOpenMax = 1 } = options;
  const common = {
    resetMs: checkDuration(resetMs, "resetMs"),
    halfOpenMax: checkInteger(halfOpenMax, "halfOpenMax", 1, MOST_PROBES),
  };
  if (ratio === undefined) {
    if (minCalls !== undefined || windowMs !== undefined) {
      throw new SafeguardsError("INVALID_ARGUMENT", "minCalls and windowMs say how ratio is taken; ratio is missing");
    }
    const failures = checkInteger(failureThreshold ?? 5, "failureThreshold", 1, MOST_FAILURES);
    return { opensOn: { kind: "row", failures }, ...common };
  }
  if (failureThreshold !== undefined) {
    throw new SafeguardsError("INVALID_ARGUMENT", "failureThreshold and ratio exclude each other; both are given");
  }
  if (!(typeof ratio === "number" && ratio > 0 && ratio <= 1)) throw invalid("ratio", ratio, "above 0 and at most 1");
  const opensOn = {
    kind: "ratio",
    ratio,
    minCalls: checkInteger(minCalls ?? 10, "minCalls", 1, MOST_FAILURES),
    windowMs: checkDuration(windowMs ?? 60_000, "windowMs"),
  } as const;
  return { opensOn, ...common };
}

/** What it is at this time. Half-open is also one whose probes are all out. */
export function breakerStatus(rule: BreakerRule, state: BreakerState, now: number): "closed" | "open" | "half-open" {
  if (state.kind !== "open") return "closed";
  return now >= state.since + rule.resetMs ? "half-open" : "open";
}

/** From when on it admits a call if nothing is reported: `now`, the end of `resetMs`, or when a probe's place comes back. */
export function breakerAdmitsFrom(rule: BreakerRule, state: BreakerState, now: number): number {
  if (state.kind !== "open") return now;
  const inTheWay = probesOut(rule, state.probes, now).at(-rule.halfOpenMax);
  return Math.max(state.since + rule.resetMs, inTheWay === undefined ? now : inTheWay + rule.resetMs);
}

/** Whether a call may be made now. */
export function breakerAdmits(rule: BreakerRule, state: BreakerState, now: number): boolean {
  return breakerAdmitsFrom(rule, state, now) <= now;
}

/** After a call that was admitted: in half-open it is a probe. */
export function breakerAdmitted(rule: BreakerRule, state: BreakerState, now: number): BreakerState {
  if (state.kind !== "open") return state;
  return { ...state, probes: [...probesOut(rule, state.probes, now), now] };
}

/** After a call that went well. */
export function breakerSucceeded(rule: BreakerRule, state: BreakerState, now: number): BreakerState {
  return ended(rule, state, now, 0);
}

/** After a call that failed. */
export function breakerFailed(rule: BreakerRule, state: BreakerState, now: number): BreakerState {
  return ended(rule, state, now, 1);
}

function ended(rule: BreakerRule, state: BreakerState, now: number, failures: 0 | 1): BreakerState {
  if (state.kind === "open") {
    if (now < state.since + rule.resetMs) return state;
    return failures === 0 ? BREAKER_CLOSED : opened(now);
  }
  if (rule.opensOn.kind === "ratio") {
    const slots = recorded(state.kind === "watching" ? state.slots : [], rule.opensOn.windowMs, now, failures);
    return isTooMuch(slots, rule.opensOn) ? opened(now) : { kind: "watching", slots };
  }
  if (failures === 0) return BREAKER_CLOSED;
  const inARow = (state.kind === "closed" ? state.failures : 0) + 1;
  return inARow >= rule.opensOn.failures ? opened(now) : { kind: "closed", failures: inARow };
}

function opened(now: number): BreakerState {
  return { kind: "open", since: now, probes: [] };
}

function probesOut(rule: BreakerRule, probes: readonly number[], now: number): readonly number[] {
  return probes.filter((leftAt) => now < leftAt + rule.resetMs);
}

/**
 * The slots with one more call. A slot starts with its first call and leaves the window whole, when that first call does;
 * so what is looked back over is all of the window or, where slots took more than one instant, at least nine tenths of it.
 */
function recorded(slots: readonly Slot[], windowMs: number, now: number, failures: 0 | 1): readonly Slot[] {
  const inWindow = slots.filter(({ since }) => now < since + windowMs);
  const latest = inWindow.at(-1);
  const width = inWindow.length < EXACT_SLOTS ? 0 : windowMs / COARSE_SLOTS;
  if (latest === undefined || (now > latest.since && now >= latest.since + width)) {
    return [...inWindow, { since: now, calls: 1, failures }];
  }
  const more = { since: latest.since, calls: latest.calls + 1, failures: latest.failures + failures };
  return [...inWindow.slice(0, -1), more];
}

/** The quotient is rounded once and the ratio is the double nearest to its decimal, so equal ones compare as equal. */
function isTooMuch(slots: readonly Slot[], { ratio, minCalls }: { ratio: number; minCalls: number }): boolean {
  const calls = slots.reduce((sum, slot) => sum + slot.calls, 0);
  const failures = slots.reduce((sum, slot) => sum + slot.failures, 0);
  return calls >= minCalls && failures / calls >= ratio;
}

/**
 * A circuit breaker (M. Nygard, Release It!, 2007) without a clock: every call says what time it is, in milliseconds.
 * Ask `admits` before each call and report how it went. In half-open, `admits` takes one of the places for probes.
 *
 * INVALID_ARGUMENT: an option that is unknown or out of its bounds, `ratio` together with `failureThreshold`, `minCalls`
 * or `windowMs` without `ratio`, a time that is not a finite number.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "safeguards/coordination";
 * const breaker = new CircuitBreaker({ failureThreshold: 2, resetMs: 1_000 });
 * breaker.failed(0);
 * breaker.failed(10);
 * breaker.admits(500); // false: open
 * breaker.admits(1_010); // true: a probe
 * breaker.succeeded(1_020); // closed
 * ```
 */
export class CircuitBreaker {
  readonly #rule: BreakerRule;
  #state: BreakerState = BREAKER_CLOSED;

  constructor(options: CircuitBreakerOptions = {}) {
    this.#rule = breakerRule(options);
  }

  /** Whether a call may be made now. In half-open a `true` is a probe and takes its place. */
  admits(now: number): boolean {
    if (!breakerAdmits(this.#rule, this.#state, checkTime(now))) return false;
    this.#state = breakerAdmitted(this.#rule, this.#state, now);
    return true;
  }

  /** A call went well: in half-open it closes. */
  succeeded(now: number): void {
    this.#state = breakerSucceeded(this.#rule, this.#state, checkTime(now));
  }

  /** A call failed: in half-open it opens again. */
  failed(now: number): void {
    this.#state = breakerFailed(this.#rule, this.#state, checkTime(now));
  }

  /** What it is now. `half-open` also when all its probes are out. */
  state(now: number): "closed" | "open" | "half-open" {
    return breakerStatus(this.#rule, this.#state, checkTime(now));
  }
}
