/**
 * Asks guardrails one after the other.
 *
 * 1. Each is asked about what those before it have made of the value; the first that blocks is the last that is asked.
 * 2. Whatever is not a proper verdict in time blocks.
 * 3. Nothing that a guardrail was asked about is in what is told of it, unless its own reason says so.
 */
import type { Json } from "../coordination/structures/types.ts";
import type { GivenVerdict } from "../kernel/events/guardrails.ts";
import { limits } from "../kernel/limits.ts";
import { admit, copyOf } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import type { GuardedSubject, Guardrail } from "./guardrail.ts";

/** What all of them said, and what is left of the value. */
export interface Judged {
  readonly verdicts: readonly GivenVerdict[];
  /** As they let it pass; of no use when it is blocked. */
  readonly value: Json;
  readonly changed: boolean;
  readonly blocked: Blocked | undefined;
}

/** Who blocks, and why. */
export interface Blocked {
  readonly guardrail: string;
  readonly reason: string;
}

/** How guardrails are asked. */
export interface Asking {
  /** Calls once after so many milliseconds, unless what it returns is called before. Left out: whoever asks sees to that. */
  after?(ms: number, fn: () => void): () => void;
  /** Bytes that a changed value may have, as JSON. */
  readonly maxBytes: number;
  /** Whether something can be made of a changed value. Default: true. */
  readonly takesChange?: boolean;
  /** Aborted when nobody wants to know any more: nobody is waited for, and nobody else is asked. */
  readonly signal?: AbortSignal;
  /** Told what a guardrail threw. */
  threw?(guardrail: string, error: unknown): void;
}

type Answer =
  | { readonly verdict: "allow" }
  | { readonly verdict: "change"; readonly value: Json }
  | { readonly verdict: "block"; readonly reason: string };

/** What these guardrails, which all look at the same, say of the subject. */
export async function judge(
  guardrails: readonly Guardrail[],
  subject: GuardedSubject,
  asking: Asking,
): Promise<Judged> {
  const verdicts: GivenVerdict[] = [];
  let { value } = subject;
  let changed = false;
  for (const guardrail of guardrails) {
    if (asking.signal?.aborted === true) break;
    const { name } = guardrail;
    const answer = await answerOf(guardrail, { ...subject, value: copyOf(value) }, asking);
    if (answer.verdict === "block") {
      const { reason } = answer;
      verdicts.push({ guardrail: name, verdict: "block", reason });
      return { verdicts, value, changed, blocked: { guardrail: name, reason } };
    }
    verdicts.push({ guardrail: name, verdict: answer.verdict });
    if (answer.verdict === "allow") continue;
    value = answer.value;
    changed = true;
  }
  return { verdicts, value, changed, blocked: undefined };
}

async function answerOf(guardrail: Guardrail, subject: GuardedSubject, asking: Asking): Promise<Answer> {
  const { after, takesChange = true, signal } = asking;
  let given: unknown;
  try {
    const asked = Promise.resolve(guardrail.check(subject));
    given = after === undefined ? await asked : await inTime(asked, after, signal);
  } catch (error) {
    asking.threw?.(guardrail.name, error);
    return blocked("it threw an error");
  }
  if (given === LATE) return blocked(`it gave no verdict within ${runtimeLimits.guardrailMs} ms`);
  const answer = read(given, asking.maxBytes);
  if (answer.verdict === "change" && !takesChange)
    return blocked("it changed the arguments, and the action takes none");
  return answer;
}

const LATE: unique symbol = Symbol("late");

/** LATE, too, as soon as nobody wants to know any more. */
function inTime(
  asked: Promise<unknown>,
  after: NonNullable<Asking["after"]>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => resolve(LATE);
    const cancel = after(runtimeLimits.guardrailMs, late);
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      late();
    };
    signal?.addEventListener("abort", done, { once: true });
    asked.then(resolve, reject).finally(done);
  });
}

/** What a verdict says, whatever it is. */
function read(given: unknown, maxBytes: number): Answer {
  try {
    if (typeof given !== "object" || given === null) return blocked("it gave no proper verdict");
    const allow: unknown = Reflect.get(given, "allow");
    if (allow === false) return blockedFor(Reflect.get(given, "reason"));
    if (allow !== true) return blocked("it gave no proper verdict");
    // What was meant by any other key is unknown, so nothing is let pass by it.
    if (Reflect.ownKeys(given).some((key) => key !== "allow" && key !== "value"))
      return blocked("it gave no proper verdict");
    const value: unknown = Reflect.get(given, "value");
    if (value === undefined) return { verdict: "allow" };
    return { verdict: "change", value: admit(value, "what a guardrail makes of it", maxBytes).json };
  } catch {
    return blocked("it gave no proper verdict");
  }
}

function blockedFor(reason: unknown): Answer {
  if (typeof reason !== "string" || reason === "") return blocked("it gave no reason");
  return blocked(reason.length <= limits.reasonLength ? reason : `${reason.slice(0, limits.reasonLength - 1)}…`);
}

function blocked(reason: string): Answer {
  return { verdict: "block", reason };
}
