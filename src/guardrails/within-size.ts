import { checkId, checkInteger } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { isList } from "../runtime/json.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import { checkPoint, type GuardedPoint, type Guardrail } from "./guardrail.ts";

/** What {@link withinSize} takes. */
export interface WithinSizeOptions {
  /** What must not be larger: inputs, outputs, or the arguments of actions. */
  readonly on: GuardedPoint;
  /** Bytes as JSON in UTF-8: 1 to 16 000 000. */
  readonly maxBytes: number;
  /** How deep lists and objects may be nested in one another: 0 to 64, 0 is none. Default: 64. */
  readonly maxDepth?: number;
  /** Default: `within-size`. */
  readonly name?: string;
}

const DEEPEST = 64;

/**
 * Blocks what is too large, or nested too deeply.
 *
 * @example
 * ```ts
 * import { Coordinator, withinSize } from "safeguards";
 * await using coordinator = await Coordinator.open({ guardrails: [withinSize({ on: "input", maxBytes: 20_000 })] });
 * ```
 */
export function withinSize(options: WithinSizeOptions): Guardrail {
  checkOptions(options, { known: ["on", "maxBytes", "maxDepth", "name"] }, "the options of withinSize");
  const { on, maxBytes, maxDepth = DEEPEST, name = "within-size" } = options;
  checkInteger(maxBytes, "maxBytes of withinSize", 1, runtimeLimits.outputBytes);
  checkInteger(maxDepth, "maxDepth of withinSize", 0, DEEPEST);
  return {
    name: checkId(name, "name of withinSize"),
    on: checkPoint(on, "on of withinSize"),
    check: ({ value }) => {
      const bytes = Buffer.byteLength(JSON.stringify(value));
      if (bytes > maxBytes) return { allow: false, reason: `it has ${bytes} bytes; at most ${maxBytes} are allowed` };
      const depth = depthOf(value);
      if (depth > maxDepth)
        return { allow: false, reason: `it is nested ${depth} levels deep; at most ${maxDepth} are allowed` };
      return { allow: true };
    },
  };
}

function depthOf(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  for (const item of isList(value) ? value : Object.values(value)) deepest = Math.max(deepest, depthOf(item));
  return deepest + 1;
}
