/** How tests ask a guardrail. */
import type { Json } from "../coordination/structures/types.ts";
import type { GuardedSubject, Guardrail, Verdict } from "./guardrail.ts";

/** What the guardrail says of a value. */
export async function asked(
  guardrail: Guardrail,
  value: Json,
  more: Partial<Omit<GuardedSubject, "value">> = {},
): Promise<Verdict> {
  return guardrail.check({ task: { id: "t1", input: value, priority: 5 }, value, ...more });
}

/** The same in a word: `allowed`, the changed value, or the reason. */
export async function said(...asking: Parameters<typeof asked>): Promise<Json> {
  const verdict = await asked(...asking);
  if (!verdict.allow) return verdict.reason;
  return verdict.value === undefined ? "allowed" : { changed: verdict.value };
}
