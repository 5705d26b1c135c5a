/** What a guardrail is, and what those of a coordinator must be. */
import type { Task } from "../agents/agent.ts";
import { checkId, checkKeys, invalid, show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { GuardedPoint, GuardrailNames } from "../kernel/events/guardrails.ts";
import { limits } from "../kernel/limits.ts";
import { checkFunction } from "../runtime/options.ts";

export type { GuardedPoint } from "../kernel/events/guardrails.ts";

/** What a guardrail is asked about. Every value is a copy of its own. */
export interface GuardedSubject {
  readonly task: Task;
  /** Whose output or action it is; absent for an input, which nobody has been given yet. */
  readonly agent?: string;
  /** The input, the output, or the arguments of the action. */
  readonly value: Json;
  /** The name of the action. */
  readonly action?: string;
  /** When it is asked: epoch milliseconds, by the coordinator's clock. */
  readonly at?: number;
}

/**
 * What a guardrail says: allow as it is, allow `value` in its place, or block. A reason is journaled and told to whoever
 * asks for the result: it must not repeat what was blocked.
 */
export type Verdict =
  | { readonly allow: true; readonly value?: Json }
  | { readonly allow: false; readonly reason: string };

/**
 * A check of what goes in, of what comes out, or of what an agent is about to do. One that throws, answers nothing proper,
 * or does not answer within 30 000 ms blocks. It runs in the coordinator's own process, for several tasks at a time. An object
 * of these three, or an instance of a class, which may have fields of its own; what it is called and looks at is read once.
 *
 * @example
 * ```ts
 * import { Coordinator, type Guardrail } from "safeguards";
 * const polite: Guardrail = {
 *   name: "polite",
 *   on: "output",
 *   check: ({ value }) => (value === "go away" ? { allow: false, reason: "it is rude" } : { allow: true }),
 * };
 * await using coordinator = await Coordinator.open({ guardrails: [polite] });
 * ```
 */
export interface Guardrail {
  /** 1 to 256 characters without `/`; of those that look at the same, each has another. */
  readonly name: string;
  readonly on: GuardedPoint;
  check(subject: GuardedSubject): Verdict | Promise<Verdict>;
}

const POINTS: readonly GuardedPoint[] = ["input", "output", "action"];

/** What it looks at, or INVALID_ARGUMENT. */
export function checkPoint(value: unknown, what: string, allowed: readonly GuardedPoint[] = POINTS): GuardedPoint {
  const point = allowed.find((one) => one === value);
  if (point === undefined) throw invalid(what, value, allowed.join(", "));
  return point;
}

/**
 * A list of guardrails, with the names and the points that they have now. INVALID_ARGUMENT for anything else, and for two of
 * one name that look at the same.
 */
export function checkGuardrails(value: unknown, what: string): readonly Guardrail[] {
  if (!Array.isArray(value)) throw invalid(what, value, "a list of guardrails");
  const guardrails = value.map((guardrail: unknown, i) => checkGuardrail(guardrail, `${what}[${i}]`));
  const seen = new Set<string>();
  for (const { name, on } of guardrails) {
    if (seen.has(`${on} ${name}`)) {
      const message = `two guardrails on the ${on} have the name ${show(name)}; each must have another`;
      throw new SafeguardsError("INVALID_ARGUMENT", message);
    }
    seen.add(`${on} ${name}`);
  }
  for (const on of POINTS) {
    const { length } = guardrails.filter((guardrail) => guardrail.on === on);
    if (length > limits.guardrails)
      throw invalid(`the number of guardrails on the ${on}`, length, `at most ${limits.guardrails}`);
  }
  return guardrails;
}

/** The log tells guardrails apart by name: one that changed its own would be taken for another. */
function checkGuardrail(value: unknown, place: string): Guardrail {
  const guardrail = checkShape(value, place);
  const { name, on, check } = guardrail;
  checkId(name, `the name of ${place}`);
  checkPoint(on, `on of ${place}`);
  checkFunction(check, `check of ${place}`);
  return { name, on, check: (subject) => guardrail.check(subject) };
}

/** What a class keeps in its instances is its own affair; in a plain object, what nobody knows is a mistake. */
function checkShape(value: unknown, place: string): Guardrail {
  if (isInstance(value)) return value;
  checkKeys(value, ["name", "on", "check"], place);
  return value as Guardrail;
}

function isInstance(value: unknown): value is Guardrail {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}

/** Their names by what they look at, as the kernel is told of them; undefined when there are none. */
export function namesOf(guardrails: readonly Guardrail[]): GuardrailNames | undefined {
  const names: { [on in GuardedPoint]?: string[] } = {};
  for (const { name, on } of guardrails) {
    names[on] ??= [];
    names[on].push(name);
  }
  return guardrails.length === 0 ? undefined : names;
}
