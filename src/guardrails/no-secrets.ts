import { checkId, invalid } from "../coordination/structures/arguments.ts";
import { limits } from "../kernel/limits.ts";
import { checkOptional, checkOptions } from "../runtime/options.ts";
import { checkPoint, type GuardedPoint, type Guardrail } from "./guardrail.ts";
import { type FoundSecret, SECRET_RULES, type SecretRule, secretsIn } from "./secret-rules.ts";
import { textsIn, tooMuchText, withTexts } from "./texts.ts";

/** What {@link noSecrets} takes. */
export interface NoSecretsOptions {
  /** Where secrets are looked for. Default: `output`. */
  readonly on?: GuardedPoint;
  /** Whether secrets are replaced by the name of their rule, so that the rest is allowed. Default: false, which blocks. */
  readonly redact?: boolean;
  /** Which kinds are looked for. Default: all. */
  readonly rules?: readonly SecretRule[];
  /** Values that are secret, of at least 8 characters each, at most 1 000; they are looked for as they are. Default: none. */
  readonly values?: readonly string[];
  /** Default: `no-secrets`. */
  readonly name?: string;
}

const SHORTEST_VALUE = 8;

/**
 * Blocks, or takes out, what looks like a secret: tokens of known formats, private keys, passwords in addresses, and long
 * strings as only chance makes them. The reason names the rules, never what was found. A secret among the keys of an object
 * always blocks, and so does what has more than 1 000 000 characters of text.
 *
 * Rules: `aws-access-key`, `github-token`, `gitlab-token`, `google-api-key`, `npm-token`, `slack-token`, `stripe-key`,
 * `model-key` (OpenAI, Anthropic and others whose keys begin with `sk-`), `json-web-token`, `private-key`, `url-password`,
 * `high-entropy` (32 to 256 letters and digits that change between small, capital and digit nearly every time; not hashes
 * in hexadecimal, UUIDs, names in camel case, integrity hashes of lock files, or data URLs).
 *
 * @example
 * ```ts
 * import { Coordinator, noSecrets } from "safeguards";
 * await using coordinator = await Coordinator.open({ guardrails: [noSecrets({ redact: true })] });
 * ```
 */
export function noSecrets(options: NoSecretsOptions = {}): Guardrail {
  checkOptions(options, { known: ["on", "redact", "rules", "values", "name"] }, "the options of noSecrets");
  const { on = "output", redact = false, rules = SECRET_RULES, values = [], name = "no-secrets" } = options;
  checkOptional(redact, "boolean", "redact of noSecrets");
  if (!Array.isArray(rules) || rules.some((rule) => !SECRET_RULES.includes(rule)))
    throw invalid("rules of noSecrets", rules, `a list of ${SECRET_RULES.join(", ")}`);
  // The values themselves are not for messages.
  if (!Array.isArray(values) || values.length > limits.options || !values.every(isSecretValue))
    throw invalid(
      "values of noSecrets",
      "…",
      `a list of at most ${limits.options} strings of at least ${SHORTEST_VALUE} characters`,
    );
  const find = (text: string): readonly FoundSecret[] => secretsIn(text, rules, values);
  return {
    name: checkId(name, "name of noSecrets"),
    on: checkPoint(on, "on of noSecrets"),
    check: ({ value }) => {
      const refusal = tooMuchText(value);
      if (refusal !== undefined) return refusal;
      const found = rulesOf(textsIn(value), find);
      if (found.size === 0) return { allow: true };
      if (!redact) return { allow: false, reason: `it holds what looks like a secret: ${[...found].join(", ")}` };
      const changed = withTexts(value, (text) => without(text, find(text)));
      const left = rulesOf(textsIn(changed), find);
      if (left.size === 0) return { allow: true, value: changed };
      return {
        allow: false,
        reason: `it holds what looks like a secret where it cannot be taken out: ${[...left].join(", ")}`,
      };
    },
  };
}

function isSecretValue(value: unknown): boolean {
  return typeof value === "string" && value.length >= SHORTEST_VALUE;
}

function rulesOf(texts: Iterable<string>, find: (text: string) => readonly FoundSecret[]): ReadonlySet<string> {
  const rules = new Set<string>();
  for (const text of texts) for (const { rule } of find(text)) rules.add(rule);
  return rules;
}

/** The text with the name of a rule in place of each secret. */
function without(text: string, found: readonly FoundSecret[]): string {
  let kept = "";
  let at = 0;
  for (const { rule, start, end } of [...found].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= at) kept += `${text.slice(at, start)}[removed: ${rule}]`;
    at = Math.max(at, end);
  }
  return kept + text.slice(at);
}
