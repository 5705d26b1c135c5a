/** Errors as they are thrown, and as data. */
import type { Json } from "../coordination/structures/types.ts";
import { isErrorCode, isSafeguardsError, SafeguardsError } from "../errors.ts";
import type { Refusal } from "../kernel/commands.ts";
import type { Failure } from "../kernel/events/failure.ts";
import { limits } from "../kernel/limits.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";

/**
 * What somebody's code threw, whatever that is, as data. An error of ours keeps its code; any other is TASK_FAILED, and not
 * worth another attempt if it says so by `retryable: false`.
 */
export function failureOf(thrown: unknown): Failure {
  if (isSafeguardsError(thrown)) return failureFrom(thrown);
  const retryable = attribute(thrown, "retryable");
  const name = attribute(thrown, "name");
  return {
    code: "TASK_FAILED",
    message: messageOf(thrown),
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(typeof name === "string" && name !== "Error" ? { details: { name: shorten(name) } } : {}),
  };
}

/**
 * An error of ours as data, or what is said to be one: whoever threw it may have put anything in the place of what it says. Its
 * cause stays where it is.
 */
export function failureFrom(error: unknown): Failure {
  const code = attribute(error, "code");
  const retryable = attribute(error, "retryable");
  const details = jsonDetails(attribute(error, "details"));
  return {
    code: isErrorCode(code) ? code : "TASK_FAILED",
    message: messageOf(error),
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(details === undefined ? {} : { details }),
  };
}

/** About how many bytes it takes in the journal. */
export function bytesOf({ message, details }: Failure): number {
  return message.length + (details === undefined ? 0 : JSON.stringify(details).length);
}

/** The error that a failure or a refusal stands for. */
export function errorFrom(failure: Failure | Refusal, cause?: unknown): SafeguardsError {
  const { code, message, details } = failure;
  const retryable = "retryable" in failure ? failure.retryable : undefined;
  return new SafeguardsError(code, message, {
    ...(details === undefined ? {} : { details }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Never throws, whatever it is given. */
function messageOf(thrown: unknown): string {
  const message = attribute(thrown, "message");
  if (typeof message === "string" && message !== "") return shorten(message);
  try {
    return shorten(String(thrown));
  } catch {
    return "something that cannot be printed was thrown";
  }
}

function attribute(thrown: unknown, name: string): unknown {
  try {
    return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
  } catch {
    return undefined;
  }
}

function jsonDetails(details: unknown): Readonly<Record<string, Json>> | undefined {
  if (details === undefined) return undefined;
  try {
    const { json } = admit(details, "details", runtimeLimits.inputBytes / 10);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(json: Json): json is Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function shorten(text: string): string {
  return text.length <= limits.messageLength ? text : `${text.slice(0, limits.messageLength - 1)}…`;
}
