/**
 * An ordered set whose items carry a few measures each, which answers "the first in order whose measures all fit": a treap
 * in which every node also knows the best of each measure below it, so that subtrees in which nothing can fit are passed by.
 *
 * 1. Order is by (rank, seq), ascending; no two items of an index have the same seq.
 * 2. No node orders before its parent by the mixed bits of its seq, so the shape follows from the content alone: the same
 *    items give the same index, and the same costs, in whatever order they came. Depth is logarithmic in expectation.
 * 3. `best` is, measure by measure, the least ("atMost") or the greatest ("atLeast") in the subtree. Lists of measures are
 *    never changed, so a node whose best is all its own, or all of one child, shares that list: one object a node.
 * 4. What `best` says of a node follows from its own measures and its children's `best`, but perhaps for nodes above the
 *    first item, up to the one that is `unsettled`: when the first leaves, as it does in a line, they are mended only when
 *    somebody next asks what they know.
 *
 * Costs, with n items: add, remove, update, next and a first fit over one measure O(log n); what comes first or last is not
 * searched for. With several measures a subtree may promise each of them in a different item; every such dead end counts as a
 * look.
 */

import { type Amount, atMost, larger, smaller } from "./amount.ts";
import { itemAt } from "./at.ts";

/** An item in its place. `best`, `left`, `right` and `parent` are the index's own. */
export interface FitNode<T> {
  readonly item: T;
  readonly rank: number;
  readonly seq: number;
  readonly measures: readonly Amount[];
  readonly best: readonly Amount[];
  readonly left: FitNode<T> | undefined;
  readonly right: FitNode<T> | undefined;
  readonly parent: FitNode<T> | undefined;
}

type Node<T> = { -readonly [K in keyof FitNode<T>]: FitNode<T>[K] };

export interface FitOptions<T> {
  /** Only what comes after this node. */
  readonly after?: FitNode<T> | undefined;
  /** What fits but is not taken here is passed by, as one look. */
  readonly accept?: ((item: T) => boolean) | undefined;
  /** Give up after this many looks in vain; unlimited by default. */
  readonly maxLooks?: number | undefined;
}

export class FitIndex<T> {
  readonly #atMost: boolean;
  readonly #width: number;
  #root: Node<T> | undefined = undefined;
  #first: Node<T> | undefined = undefined;
  #last: Node<T> | undefined = undefined;
  /** The highest node that may have lost what its best was; those between it and the first may have, too. */
  #unsettled: Node<T> | undefined = undefined;
  #size = 0;
  #visits = 0;

  constructor(sense: "atMost" | "atLeast", width: number) {
    this.#atMost = sense === "atMost";
    this.#width = width;
  }

  get size(): number {
    return this.#size;
  }

  /** The best of each measure over all items, each perhaps in another one; undefined when empty. */
  get best(): readonly Amount[] | undefined {
    this.#settle();
    return this.#root?.best;
  }

  /** Nodes visited since construction: the cost, as tests count it. */
  get visits(): number {
    return this.#visits;
  }

  add(item: T, rank: number, seq: number, measures: readonly Amount[]): FitNode<T> {
    this.#checkWidth(measures);
    const node: Node<T> = {
      item,
      rank,
      seq,
      measures,
      best: measures,
      left: undefined,
      right: undefined,
      parent: undefined,
    };
    this.#insert(node);
    return node;
  }

  /** Takes the node out. It must be in this index. */
  remove(node: FitNode<T>): void {
    this.#take(node);
  }

  /** Gives the node another rank and other measures, in its new place. It stays the same node. */
  update(node: FitNode<T>, rank: number, measures: readonly Amount[]): FitNode<T> {
    this.#checkWidth(measures);
    const own: Node<T> = node;
    if (rank === own.rank) {
      if (this.#isSame(measures, own.measures)) return own;
      own.measures = measures;
      this.#refreshFrom(own);
      return own;
    }
    this.#take(own);
    own.rank = rank;
    own.measures = measures;
    own.best = measures;
    this.#insert(own);
    return own;
  }

  /** Whether the measures of this one node all fit the limits. */
  fits(node: FitNode<T>, limits: readonly Amount[]): boolean {
    this.#checkWidth(limits);
    return this.#fits(node.measures, limits);
  }

  first(): FitNode<T> | undefined {
    return this.#first;
  }

  /** The node after this one, in order. */
  next(node: FitNode<T>): FitNode<T> | undefined {
    if (node.right !== undefined) return this.#leftmost(node.right);
    return this.#climb(node);
  }

  /**
   * The first in order whose measures all fit the limits (each at most, or at least, its limit), that comes after `after`
   * and that `accept` takes. Gives up after `maxLooks` items that fit but are not accepted, or dead ends.
   */
  firstFit(limits: readonly Amount[], options?: FitOptions<T>): FitNode<T> | undefined {
    this.#checkWidth(limits);
    if (options === undefined && this.#first !== undefined && this.#fits(this.#first.measures, limits))
      return this.#first;
    this.#settle();
    const accept = options?.accept;
    let looks = options?.maxLooks ?? Number.POSITIVE_INFINITY;
    let node = options?.after === undefined ? this.#leading(limits) : this.#following(options.after, limits);
    while (node !== undefined && looks > 0) {
      if (this.#fits(node.measures, limits)) {
        if (accept === undefined || accept(node.item)) return node;
        looks -= 1;
      } else if (this.#isDeadEnd(node, limits)) {
        looks -= 1;
      }
      node = this.#following(node, limits);
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<FitNode<T>, void, undefined> {
    for (let node = this.first(); node !== undefined; node = this.next(node)) yield node;
  }

  #checkWidth(measures: readonly Amount[]): void {
    if (measures.length !== this.#width) throw new RangeError(`${measures.length} measures given, not ${this.#width}`);
  }

  #fits(measures: readonly Amount[], limits: readonly Amount[]): boolean {
    for (let i = 0; i < this.#width; i++) {
      const measure = measures[i];
      const limit = limits[i];
      if (measure === undefined || limit === undefined) return false;
      if (this.#atMost ? !atMost(measure, limit) : !atMost(limit, measure)) return false;
    }
    return true;
  }

  #promises(node: FitNode<T> | undefined, limits: readonly Amount[]): node is FitNode<T> {
    return node !== undefined && this.#fits(node.best, limits);
  }

  /** Whether it promises a fit that neither it nor anything below it keeps. Never so with one measure. */
  #isDeadEnd(node: FitNode<T>, limits: readonly Amount[]): boolean {
    return this.#promises(node, limits) && !this.#promises(node.left, limits) && !this.#promises(node.right, limits);
  }

  /** Of a subtree that may hold a fit, the first node that has to be looked at. */
  #deepestLeft(from: FitNode<T>, limits: readonly Amount[]): FitNode<T> {
    let node = from;
    this.#visits += 1;
    while (this.#promises(node.left, limits)) {
      node = node.left;
      this.#visits += 1;
    }
    return node;
  }

  /** The first node of all that has to be looked at. */
  #leading(limits: readonly Amount[]): FitNode<T> | undefined {
    return this.#promises(this.#root, limits) ? this.#deepestLeft(this.#root, limits) : undefined;
  }

  /** The next node after this one that has to be looked at. */
  #following(node: FitNode<T>, limits: readonly Amount[]): FitNode<T> | undefined {
    if (this.#promises(node.right, limits)) return this.#deepestLeft(node.right, limits);
    return this.#climb(node);
  }

  #leftmost(from: FitNode<T>): FitNode<T> {
    let node = from;
    this.#visits += 1;
    while (node.left !== undefined) {
      node = node.left;
      this.#visits += 1;
    }
    return node;
  }

  #rightmost(from: Node<T>): Node<T> {
    let node = from;
    this.#visits += 1;
    while (node.right !== undefined) {
      node = node.right;
      this.#visits += 1;
    }
    return node;
  }

  /** The nearest node above that comes after this one. */
  #climb(from: FitNode<T>): FitNode<T> | undefined {
    let child = from;
    let node = from.parent;
    while (node !== undefined) {
      this.#visits += 1;
      if (node.left === child) return node;
      child = node;
      node = node.parent;
    }
    return undefined;
  }

  #insert(node: Node<T>): void {
    const parent = this.#parentFor(node);
    node.parent = parent;
    if (parent === undefined) {
      this.#root = node;
      this.#first = node;
      this.#last = node;
    } else if (precedes(node, parent)) {
      parent.left = node;
      if (parent === this.#first) this.#first = node;
    } else {
      parent.right = node;
      if (parent === this.#last) this.#last = node;
    }
    this.#size += 1;
    this.#improveFrom(parent, node.measures);
    while (node.parent !== undefined && isAbove(node, node.parent)) this.#rotateUp(node);
  }

  /** Below which node it belongs, as a leaf. Most come last, and some first: those are not searched for. */
  #parentFor(node: Node<T>): Node<T> | undefined {
    const last = this.#last;
    if (last === undefined || precedes(last, node)) return last;
    const first = this.#first;
    if (first !== undefined && precedes(node, first)) return first;
    let parent: Node<T> = last;
    let next: Node<T> | undefined = this.#root;
    while (next !== undefined) {
      this.#visits += 1;
      parent = next;
      next = precedes(node, next) ? next.left : next.right;
    }
    return parent;
  }

  #take(node: Node<T>): void {
    const wasFirst = node === this.#first;
    if (wasFirst) this.#first = this.next(node);
    if (node === this.#last) this.#last = node.left === undefined ? node.parent : this.#rightmost(node.left);
    while (node.left !== undefined && node.right !== undefined)
      this.#rotateUp(isAbove(node.left, node.right) ? node.left : node.right);
    const child: Node<T> | undefined = node.left ?? node.right;
    const parent: Node<T> | undefined = node.parent;
    if (child !== undefined) child.parent = parent;
    if (parent === undefined) {
      if (this.#root !== node) throw new RangeError("the node is not in this index");
      this.#root = child;
    } else if (parent.left === node) parent.left = child;
    else parent.right = child;
    node.left = undefined;
    node.right = undefined;
    node.parent = undefined;
    this.#size -= 1;
    if (node === this.#unsettled) this.#unsettled = parent;
    if (wasFirst) this.#unsettled ??= parent;
    else this.#refreshFrom(parent);
  }

  #settle(): void {
    const top = this.#unsettled;
    if (top === undefined) return;
    this.#unsettled = undefined;
    for (let node = this.#first; node !== undefined && node !== top; node = node.parent) {
      this.#visits += 1;
      node.best = this.#bestOf(node);
    }
    this.#refreshFrom(top);
  }

  /** Puts the node in its parent's place and the parent below it. */
  #rotateUp(node: Node<T>): void {
    const parent: Node<T> | undefined = node.parent;
    if (parent === undefined) return;
    this.#visits += 1;
    const above: Node<T> | undefined = parent.parent;
    let moved: Node<T> | undefined;
    if (parent.left === node) {
      moved = node.right;
      parent.left = moved;
      node.right = parent;
    } else {
      moved = node.left;
      parent.right = moved;
      node.left = parent;
    }
    if (moved !== undefined) moved.parent = parent;
    parent.parent = node;
    node.parent = above;
    if (above === undefined) this.#root = node;
    else if (above.left === parent) above.left = node;
    else above.right = node;
    // What the two hold together has not changed; what the lower one holds has.
    node.best = parent.best;
    parent.best = this.#bestOf(parent);
    if (parent === this.#unsettled) this.#unsettled = node;
  }

  /** Something with these measures has come in below the nodes from here up. */
  #improveFrom(from: Node<T> | undefined, measures: readonly Amount[]): void {
    let node = from;
    while (node !== undefined) {
      this.#visits += 1;
      const best = this.#better(node.best, measures);
      if (best === node.best) return;
      node.best = best;
      node = node.parent;
    }
  }

  /** Mends what the nodes from here up know of the best below them, as far as it changes. */
  #refreshFrom(from: Node<T> | undefined): void {
    let node = from;
    while (node !== undefined) {
      this.#visits += 1;
      const best = this.#bestOf(node);
      if (best === node.best || this.#isSame(best, node.best)) return;
      node.best = best;
      node = node.parent;
    }
  }

  #bestOf(node: Node<T>): readonly Amount[] {
    let best = node.measures;
    if (node.left !== undefined) best = this.#better(best, node.left.best);
    if (node.right !== undefined) best = this.#better(best, node.right.best);
    return best;
  }

  /** The better of two lists, measure by measure: one of them as it is where that is best in all. */
  #better(a: readonly Amount[], b: readonly Amount[]): readonly Amount[] {
    if (a === b) return a;
    if (this.#fits(a, b)) return a;
    if (this.#fits(b, a)) return b;
    const pick = this.#atMost ? smaller : larger;
    return a.map((own, i) => pick(own, itemAt(b, i)));
  }

  #isSame(a: readonly Amount[], b: readonly Amount[]): boolean {
    return this.#fits(a, b) && this.#fits(b, a);
  }
}

/** The order of an index: by rank, then by seq. */
function precedes<T>(a: FitNode<T>, b: FitNode<T>): boolean {
  return a.rank === b.rank ? a.seq < b.seq : a.rank < b.rank;
}

/** Which of two nodes lies above the other: by the mixed bits of their seqs, a total order that has nothing of time in it. */
function isAbove<T>(a: Node<T>, b: Node<T>): boolean {
  const left = mix(a.seq);
  const right = mix(b.seq);
  return left === right ? a.seq < b.seq : left < right;
}

/** The finalizer of MurmurHash3 (Austin Appleby, public domain), over both halves of the number. */
function mix(seq: number): number {
  let bits = (seq | 0) ^ Math.imul((seq / 2 ** 32) | 0, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
