import { checkId, invalid } from "../coordination/structures/arguments.ts";
import { limits } from "../kernel/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import type { Guardrail } from "./guardrail.ts";

/** What {@link allowedActions} takes. */
export interface AllowedActionsOptions {
  /** Names that `ctx.act` may be given, compared exactly: at most 1 000. */
  readonly actions: readonly string[];
  /** Default: `allowed-actions`. */
  readonly name?: string;
}

/**
 * Blocks every action whose name is not on the list.
 *
 * @example
 * ```ts
 * import { allowedActions, Coordinator } from "safeguards";
 * await using coordinator = await Coordinator.open({ guardrails: [allowedActions({ actions: ["read-file", "search"] })] });
 * ```
 */
export function allowedActions(options: AllowedActionsOptions): Guardrail {
  checkOptions(options, { known: ["actions", "name"] }, "the options of allowedActions");
  const { actions, name = "allowed-actions" } = options;
  if (!Array.isArray(actions) || actions.length > limits.options)
    throw invalid("actions of allowedActions", actions, `a list of at most ${limits.options} names`);
  const allowed = new Set(actions.map((action) => checkId(action, "an action of allowedActions")));
  return {
    name: checkId(name, "name of allowedActions"),
    on: "action",
    check: ({ action }) =>
      action !== undefined && allowed.has(action)
        ? { allow: true }
        : { allow: false, reason: "the action is not on the list of those that are allowed" },
  };
}
