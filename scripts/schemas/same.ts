/**
 * Whether what a schema describes is what a type says, for the compiler to check. Both ways, with the same keys, each of them
 * as optional. A Map is left out where a record would do: JSON has none.
 */
import type * as z from "zod";
import type { Json } from "../../src/coordination/structures/types.ts";

/** As JSON has it. */
type Plain<T> = Json extends T
  ? T
  : T extends ReadonlyMap<unknown, unknown>
    ? never
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;

type Equal<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? [keyof A] extends [keyof B]
      ? [keyof B] extends [keyof A]
        ? true
        : false
      : false
    : false
  : false;

/** `true`, or what is wrong. */
type Verdict<S, T> = S extends z.ZodType
  ? Equal<Plain<z.infer<S>>, Plain<T>> extends true
    ? true
    : { readonly theSchemaSays: Plain<z.infer<S>>; readonly theTypeSays: Plain<T> }
  : "there is no schema";

/** For a table of schemas by name: those that are missing, too many, or say something else than the type of that name. */
export type Wrong<Table, Types> = {
  [K in keyof Table | keyof Types as K extends keyof Table
    ? K extends keyof Types
      ? Verdict<Table[K], Types[K]> extends true
        ? never
        : K
      : K
    : K]: K extends keyof Table
    ? K extends keyof Types
      ? Verdict<Table[K], Types[K]>
      : "there is no such type"
    : "there is no schema";
};

/** Compiles only if nothing is wrong: else the error names the properties that would be. */
export function assertNothing<W>(_wrong: W): void {}
