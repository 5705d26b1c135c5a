/** The guardrails of a crew: those of a module as they are, and those that a file names, made of what it says of them. */
import * as z from "zod";
import { allowedHosts, isHost } from "../guardrails/allowed-hosts.ts";
import { checkGuardrails, type GuardedPoint, type Guardrail } from "../guardrails/guardrail.ts";
import { noSecrets } from "../guardrails/no-secrets.ts";
import { SECRET_RULES, type SecretRule } from "../guardrails/secret-rules.ts";
import { withinSize } from "../guardrails/within-size.ts";
import { limits } from "../kernel/limits.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { flag, id, listOf, mapping, oneOf, text, whole } from "./fields.ts";

/** A guardrail as a crew file names it. Programs take no actions that a coordinator could see: those are for code. */
export type GuardrailEntry =
  | {
      readonly use: "no-secrets";
      readonly on?: GuardedPoint;
      readonly redact?: boolean;
      readonly rules?: readonly SecretRule[];
      readonly name?: string;
    }
  | {
      readonly use: "within-size";
      readonly on: GuardedPoint;
      readonly maxBytes: number;
      readonly maxDepth?: number;
      readonly name?: string;
    }
  | {
      readonly use: "allowed-hosts";
      readonly on: GuardedPoint;
      readonly hosts: readonly string[];
      readonly name?: string;
    };

const name = id().optional().describe("Of those on the same, each has another. Default: what `use` says");
const on = oneOf("input", "output").describe("What it looks at");
const host = text().refine(isHost, 'a host as "example.com" is, or "*.example.com" for all below it');

const USES = "a mapping whose use is no-secrets, within-size or allowed-hosts";
const entry = z.discriminatedUnion(
  "use",
  [
    mapping({
      use: z.literal("no-secrets"),
      on: on.optional().describe("What it looks at. Default: output"),
      redact: flag().optional().describe("Whether secrets are taken out, instead of blocking. Default: false"),
      rules: listOf(oneOf(...SECRET_RULES), "a list of rules")
        .optional()
        .describe("What is looked for. Default: all"),
      name,
    }),
    mapping({
      use: z.literal("within-size"),
      on,
      maxBytes: whole(1, runtimeLimits.outputBytes).describe("Bytes as JSON"),
      maxDepth: whole(0, 64).optional().describe("How deep it may be nested. Default: 64"),
      name,
    }),
    mapping({
      use: z.literal("allowed-hosts"),
      on,
      hosts: listOf(host, "a list of hosts", limits.options).describe("Addresses of other hosts block"),
      name,
    }),
  ],
  USES,
);

const NAMES = "a list of guardrails, of which those on the same have different names";
/** What a crew file says of its guardrails. */
export const guardrailEntries: z.ZodType = listOf(entry, "a list of guardrails", limits.guardrails).refine(
  (entries) => new Set(entries.map(placeOf)).size === entries.length,
  NAMES,
);

/** What `defineCrew` takes. */
export const guardrailList: z.ZodType = z.custom(areGuardrails, NAMES);

/** A guardrail that does what the file says. */
export function guardrailOf(entry: GuardrailEntry): Guardrail {
  switch (entry.use) {
    case "no-secrets": {
      const { use: _, ...options } = entry;
      return noSecrets(options);
    }
    case "within-size": {
      const { use: _, ...options } = entry;
      return withinSize(options);
    }
    case "allowed-hosts": {
      const { use: _, ...options } = entry;
      return allowedHosts(options);
    }
    default: {
      const never: never = entry;
      throw new RangeError(`unknown guardrail ${String(never)}`);
    }
  }
}

function placeOf({
  use,
  on = "output",
  name = use,
}: {
  use: string;
  on?: string | undefined;
  name?: string | undefined;
}): string {
  return `${on} ${name}`;
}

function areGuardrails(value: unknown): boolean {
  try {
    checkGuardrails(value, "guardrails");
    return true;
  } catch {
    return false;
  }
}
