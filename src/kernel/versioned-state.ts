/**
 * What agents share: values by key, each with a version.
 *
 * 1. A version is never used twice for a key: whoever has read one can tell whether anything has happened to the key since,
 *    deletion and a new beginning included.
 * 2. That costs nothing for keys that are gone: a key begins above the highest version that any deleted key ever had.
 */
import type { Json } from "../coordination/structures/types.ts";

/** A value that is there. */
export interface Entry {
  readonly value: Json;
  readonly version: number;
  /** Characters of key and value as JSON. */
  readonly size: number;
}

export class VersionedState {
  readonly #entries: Map<string, Entry> = new Map();
  /** The highest version of any key that was deleted. */
  deletedUpTo = 0;
  #size = 0;

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** 0 of a key that is not there. */
  versionOf(key: string): number {
    return this.#entries.get(key)?.version ?? 0;
  }

  /** The version that the next value of this key will have. */
  nextVersionOf(key: string): number {
    return (this.#entries.get(key)?.version ?? this.deletedUpTo) + 1;
  }

  /** How many keys there are. */
  get keys(): number {
    return this.#entries.size;
  }

  /** Characters of all of it. */
  get size(): number {
    return this.#size;
  }

  set(key: string, entry: Entry): void {
    this.#size += entry.size - (this.#entries.get(key)?.size ?? 0);
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#size -= entry.size;
    this.deletedUpTo = Math.max(this.deletedUpTo, entry.version);
  }

  entries(): Iterable<readonly [key: string, entry: Entry]> {
    return this.#entries;
  }
}
