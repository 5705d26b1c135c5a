import type { Json } from "../../coordination/structures/types.ts";
import type { ErrorCode } from "../../errors.ts";

/** An error as data, as it is journaled. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly details?: { readonly [key: string]: Json };
}
