import { checkId, invalid } from "../coordination/structures/arguments.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import { checkGuardrails, type Guardrail, type Verdict } from "./guardrail.ts";
import { judge } from "./judge.ts";

/** What {@link allOf} takes. */
export interface AllOfOptions {
  readonly name: string;
  /** At least one; all look at the same. */
  readonly guardrails: readonly Guardrail[];
}

/**
 * Several guardrails as one: each is asked about what those before it made of the value, the first that blocks decides, and
 * one that throws or gives no proper verdict blocks. The reason names who blocked.
 *
 * @example
 * ```ts
 * import { allOf, Coordinator, noSecrets, withinSize } from "safeguards";
 * const outputs = allOf({ name: "outputs", guardrails: [noSecrets({ redact: true }), withinSize({ on: "output", maxBytes: 10_000 })] });
 * await using coordinator = await Coordinator.open({ guardrails: [outputs] });
 * ```
 */
export function allOf(options: AllOfOptions): Guardrail {
  checkOptions(options, { known: ["name", "guardrails"] }, "the options of allOf");
  const name = checkId(options.name, "name of allOf");
  const guardrails = checkGuardrails(options.guardrails, "guardrails of allOf");
  const [first] = guardrails;
  if (first === undefined || guardrails.some(({ on }) => on !== first.on))
    throw invalid("guardrails of allOf", options.guardrails, "a list of at least one, which all look at the same");
  return {
    name,
    on: first.on,
    check: async (subject): Promise<Verdict> => {
      const { blocked, changed, value } = await judge(guardrails, subject, { maxBytes: runtimeLimits.outputBytes });
      if (blocked !== undefined) return { allow: false, reason: `${blocked.guardrail}: ${blocked.reason}` };
      return changed ? { allow: true, value } : { allow: true };
    },
  };
}
