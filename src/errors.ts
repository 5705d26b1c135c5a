/** Why something was refused or failed. The code is the contract; messages may be reworded. */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "DUPLICATE_ID"
  | "UNKNOWN_AGENT"
  | "UNKNOWN_TASK"
  | "UNKNOWN_RESOURCE"
  | "UNKNOWN_BUDGET"
  | "UNKNOWN_BALLOT"
  | "UNKNOWN_ALLOCATION"
  | "DEPENDENCY_CYCLE"
  | "DEPENDENCY_FAILED"
  | "TEAM_CYCLE"
  | "CAPACITY_EXCEEDED"
  | "BUDGET_EXCEEDED"
  | "NO_QUALIFIED_AGENT"
  | "QUEUE_FULL"
  | "GUARDRAIL_BLOCKED"
  | "INVALID_STATE"
  | "TASK_FAILED"
  | "WOULD_DEADLOCK"
  | "FENCED"
  | "JOURNAL_FAILED"
  | "JOURNAL_CORRUPT"
  | "JOURNAL_LOCKED"
  | "SEQ_COMPACTED"
  | "TIMEOUT"
  | "CANCELLED"
  | "CLOSED"
  | "UNAUTHORIZED";

/** All codes, and whether trying again later can help: what was in the way may be gone by then. */
const RETRYABLE: Readonly<Record<ErrorCode, boolean>> = {
  INVALID_ARGUMENT: false,
  DUPLICATE_ID: false,
  UNKNOWN_AGENT: false,
  UNKNOWN_TASK: false,
  UNKNOWN_RESOURCE: false,
  UNKNOWN_BUDGET: false,
  UNKNOWN_BALLOT: false,
  UNKNOWN_ALLOCATION: false,
  DEPENDENCY_CYCLE: false,
  DEPENDENCY_FAILED: false,
  TEAM_CYCLE: false,
  CAPACITY_EXCEEDED: false,
  BUDGET_EXCEEDED: false,
  NO_QUALIFIED_AGENT: true,
  QUEUE_FULL: true,
  GUARDRAIL_BLOCKED: false,
  INVALID_STATE: false,
  TASK_FAILED: true,
  WOULD_DEADLOCK: true,
  FENCED: false,
  JOURNAL_FAILED: false,
  JOURNAL_CORRUPT: false,
  JOURNAL_LOCKED: true,
  SEQ_COMPACTED: false,
  TIMEOUT: true,
  CANCELLED: false,
  CLOSED: false,
  UNAUTHORIZED: false,
};

/** What a {@link SafeguardsError} carries besides its code and message. */
export interface SafeguardsErrorOptions {
  /** Facts for programs: names, amounts, limits. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What led to this error. */
  readonly cause?: unknown;
  /** Overrides the default of the code. */
  readonly retryable?: boolean;
}

/**
 * The one error class that Safeguards throws. The message says what is wrong, which value, and what is allowed.
 *
 * @example
 * ```ts
 * import { SafeguardsError } from "safeguards";
 * throw new SafeguardsError("INVALID_ARGUMENT", "load is -1; it must be greater than 0", { details: { load: -1 } });
 * ```
 */
export class SafeguardsError extends Error {
  override readonly name: string = "SafeguardsError";
  readonly code: ErrorCode;
  /** Whether trying again later can help. */
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SafeguardsErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE[code];
    if (options.details !== undefined) this.details = options.details;
  }
}

/**
 * Whether this is a {@link SafeguardsError}, and, when a code is given, one with that code.
 *
 * @example
 * ```ts
 * import { isSafeguardsError } from "safeguards";
 * try { throw new TypeError("no"); } catch (error) { isSafeguardsError(error, "FENCED"); } // false
 * ```
 */
export function isSafeguardsError(error: unknown, code?: ErrorCode): error is SafeguardsError {
  try {
    return error instanceof SafeguardsError && (code === undefined || error.code === code);
  } catch {
    // A thing that answers no question about itself is none of ours.
    return false;
  }
}

/** Whether this is one of the codes that there are. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(RETRYABLE, code);
}
