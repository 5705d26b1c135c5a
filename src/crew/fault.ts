/**
 * What is wrong with a crew. A flaw is told in terms of the crew as data, by a path into it; a fault in terms of the file
 * that the crew was written in, by line and column. What reads a file turns the one into the other.
 */
import { SafeguardsError } from "../errors.ts";

/** Keys and indexes from the crew's root. */
export type Path = readonly (string | number)[];

export interface Flaw {
  readonly path: Path;
  /** Whether the key itself is wrong, or its value (default). */
  readonly at?: "key";
  /** What is wrong (the value) — what is allowed. */
  readonly message: string;
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

export interface Fault extends Position {
  readonly file: string;
  readonly message: string;
}

/** `file:line:column: message`, as compilers write it and editors understand it. */
export function formatFault(fault: Fault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
}

/** `tasks[2].resources.disk`; keys that are not plain words are quoted. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w$-]+$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text === "" ? "the crew" : text;
}

/** The own value at a path, `undefined` where there is none. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** All flaws of a crew as one INVALID_ARGUMENT; `details.flaws` has them as data. */
export function crewError(name: string, flaws: readonly Flaw[]): SafeguardsError {
  const messages = flaws.map((flaw) => flaw.message);
  return new SafeguardsError("INVALID_ARGUMENT", `${name}: ${messages.join("; ")}`, { details: { flaws } });
}
