import { checkKeys, invalid, show } from "../coordination/structures/arguments.ts";
import { SafeguardsError } from "../errors.ts";
import { limits } from "../kernel/limits.ts";

/** The keys that an option object may have. */
export interface Keys {
  readonly known: readonly string[];
}

/** An option object with no key but the known ones. INVALID_ARGUMENT otherwise. */
export function checkOptions(value: unknown, keys: Keys, what: string): void {
  checkKeys(value, keys.known, what);
}

/** For what the contract names and this version does not have: refused, never ignored. */
export function notYet(what: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `${what} is not in this version of safeguards`);
}

/** The name of a trace, such as a W3C traceparent; or INVALID_ARGUMENT. */
export function checkTrace(value: unknown): void {
  if (value === undefined) return;
  if (typeof value === "string" && value.length > 0 && value.length <= limits.traceLength) return;
  throw invalid("trace", value, `a string of 1 to ${limits.traceLength} characters`);
}

/** A function, or INVALID_ARGUMENT. */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value === "function") return;
  throw new SafeguardsError("INVALID_ARGUMENT", `${what} is ${show(value)}; it must be a function`);
}

export function checkOptional(value: unknown, type: "boolean" | "string", what: string): void {
  if (value === undefined || typeof value === type) return;
  throw new SafeguardsError("INVALID_ARGUMENT", `${what} is ${show(value)}; it must be a ${type}`);
}

/** A coordinator, as far as it is needed: something with these methods. */
export function checkCoordinator(value: unknown, methods: readonly string[]): void {
  const has = (name: string): boolean => typeof Reflect.get(Object(value), name) === "function";
  if (methods.every(has)) return;
  throw invalid("coordinator", value, "a Coordinator");
}
