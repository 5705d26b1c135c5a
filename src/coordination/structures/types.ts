/** What can be written as JSON, and only that. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An amount of money: a decimal string, or a number. */
export type Money = string | number;

/** Values by id or name. A Map is taken wherever an object is, so that any id is a legal key. */
export type RecordOf<V> = Readonly<Record<string, V>> | ReadonlyMap<string, V>;

/** A skill that is needed, at any level or with a least one in (0, 1]. */
export type SkillRequirement = string | { readonly skill: string; readonly level: number };
