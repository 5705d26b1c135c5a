/**
 * The border that values cross between users' code and the kernel: only JSON passes, and only as a copy.
 *
 * 1. What was let in shares nothing with what the caller holds, and what is handed out shares nothing with the kernel.
 * 2. A refused value is refused with INVALID_ARGUMENT and the path of what is wrong with it.
 * 3. Every key is data, `__proto__` too.
 */

import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";

/** How deep lists and objects may be nested in one another. */
const MAX_DEPTH = 64;
/** What one value beside its own text takes at least: a comma. */
const PUNCTUATION_BYTES = 1;

/** A value that was let in, and about how many bytes it takes as JSON in UTF-8 (escapes not counted). */
export interface Admitted {
  readonly json: Json;
  readonly bytes: number;
}

/**
 * A copy of `value`, which must be JSON of at most `maxBytes`. As in JSON, properties that are `undefined` are left out
 * and −0 is 0; unlike there, nothing else is changed or left out in silence. `what` names the value in the refusal.
 */
export function admit(value: unknown, what: string, maxBytes: number): Admitted {
  if (value === null || typeof value === "boolean") return { json: value, bytes: 5 };
  const copier = new Copier(what, maxBytes);
  const json = copier.copy(value, 0);
  return { json, bytes: copier.bytes };
}

/** A copy to hand out of what the kernel holds. */
export function copyOf(json: Json): Json {
  if (typeof json !== "object" || json === null) return json;
  if (isList(json)) return json.map(copyOf);
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(json)) put(copy, key, copyOf(json[key] ?? null));
  return copy;
}

/** Sets a key as data, whatever its name. */
export function put<V>(record: Record<string, V>, key: string, value: V): void {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    record[key] = value;
  }
}

export function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

class Copier {
  bytes = 0;
  readonly #what: string;
  readonly #maxBytes: number;
  /** Keys and positions that lead to the value which is being copied. */
  readonly #path: (string | number)[] = [];
  readonly #ancestors: object[] = [];

  constructor(what: string, maxBytes: number) {
    this.#what = what;
    this.#maxBytes = maxBytes;
  }

  copy(value: unknown, depth: number): Json {
    this.#weigh(PUNCTUATION_BYTES);
    switch (typeof value) {
      case "string":
        this.#weigh(Buffer.byteLength(value) + 2);
        return value;
      case "number":
        if (!Number.isFinite(value)) throw this.#refusal(`is ${value}; JSON numbers are finite`);
        this.#weigh(8);
        return value + 0;
      case "boolean":
        this.#weigh(4);
        return value;
      case "object":
        if (value === null) return null;
        return this.#copyObject(value, depth);
      default:
        throw this.#refusal(`is ${show(value)}; that is not JSON`);
    }
  }

  #copyObject(value: object, depth: number): Json {
    if (depth === MAX_DEPTH) {
      this.#ancestors.push(value);
      const again = this.#ancestors.findIndex((one, at) => this.#ancestors.indexOf(one) < at);
      if (again >= 0) {
        // Where it was met again for the first time, and not after the last of many rounds.
        this.#path.length = again;
        throw this.#refusal("contains itself; JSON has no cycles");
      }
      throw this.#refusal(`is nested deeper than ${MAX_DEPTH} levels`);
    }
    this.#ancestors.push(value);
    try {
      return Array.isArray(value) ? this.#copyList(value, depth) : this.#copyRecord(value, depth);
    } catch (error) {
      if (isSafeguardsError(error)) throw error;
      throw this.#refusal("could not be read: it threw", error);
    } finally {
      this.#ancestors.pop();
    }
  }

  #copyList(list: readonly unknown[], depth: number): Json {
    const { length } = list;
    const copy: Json[] = [];
    for (let index = 0; index < length; index++) {
      this.#path.push(index);
      if (!(index in list)) throw this.#refusal("is a hole in a list; JSON has none");
      copy.push(this.copy(list[index], depth + 1));
      this.#path.pop();
    }
    return copy;
  }

  #copyRecord(record: object, depth: number): Json {
    if (!isPlain(record)) {
      throw this.#refusal(`is an instance of ${nameOfClass(record)}; JSON has plain objects and lists only`);
    }
    const copy: Record<string, Json> = {};
    for (const key of Object.keys(record)) {
      this.#path.push(key);
      const value: unknown = Reflect.get(record, key);
      if (value !== undefined) {
        this.#weigh(Buffer.byteLength(key) + 3);
        put(copy, key, this.copy(value, depth + 1));
      }
      this.#path.pop();
    }
    return copy;
  }

  #weigh(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= this.#maxBytes) return;
    throw new SafeguardsError("INVALID_ARGUMENT", `${this.#what} is larger than ${this.#maxBytes} bytes of JSON`, {
      details: { maxBytes: this.#maxBytes },
    });
  }

  #refusal(problem: string, cause?: unknown): SafeguardsError {
    const path = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `[${show(step)}]`)).join("");
    const options = { details: { path: [...this.#path] }, ...(cause === undefined ? {} : { cause }) };
    return new SafeguardsError("INVALID_ARGUMENT", `${this.#what}${path} ${problem}`, options);
  }
}

/** Made by a literal, by JSON.parse or by Object.create(null), here or in another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return (
    typeof prototype === "object" &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf")
  );
}

function nameOfClass(value: object): string {
  const made: unknown = Reflect.get(value, "constructor");
  return typeof made === "function" && made.name !== "" ? made.name : "a class";
}
