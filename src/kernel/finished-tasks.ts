/**
 * Tasks that have ended, kept by the tree: from when the last of a tree has ended until it leaves memory for the archive.
 *
 * 1. Of a tree all tasks are here, or none.
 * 2. Trees leave in the order in which they came, as soon as more are here than are to be kept, or the oldest has been here
 *    for long enough; at most {@link MOST_LEAVING} at a time, so that no event does much.
 * 3. What is here follows from the events alone: on every machine the same trees leave with the same event.
 */

import { itemAt } from "../coordination/structures/at.ts";
import { Fifo } from "../coordination/structures/fifo.ts";
import type { Departed } from "./departed.ts";
import { endedAtIn } from "./finished-row.ts";
import { known } from "./named.ts";

/** Trees that leave with one event at most: more than come, so that a smaller limit is reached in time. */
const MOST_LEAVING = 4;

const NOTHING: readonly Departed[] = [];

/** Ids of a tree, its root first; of a tree of one task, that. */
type Tree = string | readonly string[];

export class FinishedTasks {
  readonly #rows: Map<string, string> = new Map();
  readonly #trees: Fifo<Tree> = new Fifo();
  /** How often each of these roots was taken away while it was in the line: so many of its places there are void. */
  readonly #void: Map<string, number> = new Map();
  /** When the root of the first in the line ended, once that was asked. */
  #firstEndedAt: number | undefined = undefined;

  get size(): number {
    return this.#rows.size;
  }

  row(id: string): string | undefined {
    return this.#rows.get(id);
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  rows(): Iterable<readonly [id: string, row: string]> {
    return this.#rows;
  }

  /** A tree of one task that has ended. */
  addOne(id: string, row: string): void {
    this.#rows.set(id, row);
    this.#trees.push(id);
  }

  /** A tree that has ended, its root first. */
  add(tree: readonly (readonly [id: string, row: string])[]): void {
    for (const [id, row] of tree) this.#rows.set(id, row);
    const [root] = itemAt(tree, 0);
    this.#trees.push(tree.length === 1 ? root : tree.map(([id]) => id));
  }

  /** Takes a tree away, as it is to go on. */
  remove(tree: readonly string[]): void {
    const [root = ""] = tree;
    for (const id of tree) this.#rows.delete(id);
    this.#void.set(root, (this.#void.get(root) ?? 0) + 1);
  }

  /** Takes away what is to leave at `now`: beyond so many tasks, or longer than `ms` after the end of their root. */
  departing(count: number, ms: number | undefined, now: number): readonly Departed[] {
    if (this.#rows.size <= count && ms === undefined) return NOTHING;
    const departed: Departed[] = [];
    for (let left = 0; left < MOST_LEAVING && this.#rows.size > 0; left++) {
      const tree = this.#oldest();
      if (tree === undefined) break;
      if (this.#rows.size <= count && !this.#isOld(tree, ms, now)) break;
      this.#shift();
      for (const id of typeof tree === "string" ? [tree] : tree) {
        departed.push({ kind: "task", id, row: this.#rowOf(id) });
        this.#rows.delete(id);
      }
    }
    return departed;
  }

  #rowOf(id: string): string {
    return known(this.#rows.get(id), "task", id);
  }

  #isOld(tree: Tree, ms: number | undefined, now: number): boolean {
    const root = this.#rows.get(rootId(tree));
    if (ms === undefined || root === undefined) return false;
    this.#firstEndedAt ??= endedAtIn(root);
    return now - this.#firstEndedAt >= ms;
  }

  #shift(): void {
    this.#trees.shift();
    this.#firstEndedAt = undefined;
  }

  /** The trees in their order, each as ids and lines. */
  *trees(): Generator<readonly (readonly [id: string, row: string])[], void, undefined> {
    const skip = new Map(this.#void);
    for (const tree of this.#trees) {
      const root = rootId(tree);
      const isVoid = skip.get(root) ?? 0;
      if (isVoid > 0) skip.set(root, isVoid - 1);
      else yield (typeof tree === "string" ? [tree] : tree).map((id) => [id, this.#rowOf(id)] as const);
    }
  }

  /** The first in the line, void places dropped. */
  #oldest(): Tree | undefined {
    for (let tree = this.#trees.peek(); tree !== undefined; tree = this.#trees.peek()) {
      const root = rootId(tree);
      const isVoid = this.#void.get(root) ?? 0;
      if (isVoid === 0) return tree;
      this.#shift();
      if (isVoid === 1) this.#void.delete(root);
      else this.#void.set(root, isVoid - 1);
    }
    return undefined;
  }
}

function rootId(tree: Tree): string {
  return typeof tree === "string" ? tree : itemAt(tree, 0);
}
