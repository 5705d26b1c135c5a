/**
 * Outputs that may answer later tasks of the same `cacheKey`, whatever became of the tasks that gave them.
 *
 * 1. Of a key the latest is kept.
 * 2. At most so many, and so many bytes together, are kept; who was asked for the longest ago goes first. What is larger than
 *    all that may be kept is not kept.
 */
import type { Json } from "../coordination/structures/types.ts";
import { limits } from "./limits.ts";

export interface KeptOutput {
  readonly taskId: string;
  /** When it was given: epoch milliseconds. */
  readonly at: number;
  readonly output: Json;
  /** Who made it, and may not approve it: kept where that has to be approved. */
  readonly givers: readonly string[];
}

interface Entry extends KeptOutput {
  readonly bytes: number;
}

export class KeptOutputs {
  /** Who was asked for the longest ago comes first. */
  readonly #entries: Map<string, Entry> = new Map();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): KeptOutput | undefined {
    return this.#entries.get(key);
  }

  put(key: string, { taskId, at, output, givers }: KeptOutput): void {
    this.#drop(key);
    // As JSON and as UTF-16, near enough: what counts is that it is the same on every machine.
    let bytes = key.length + JSON.stringify(output).length;
    for (const name of givers) bytes += name.length;
    if (bytes > limits.cachedBytes) return;
    this.#entries.set(key, { taskId, at, output, givers, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= limits.cachedOutputs && this.#bytes <= limits.cachedBytes) return;
      this.#drop(oldest);
    }
  }

  /** It was asked for. */
  touch(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  entries(): Iterable<readonly [key: string, kept: KeptOutput]> {
    return this.#entries;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
