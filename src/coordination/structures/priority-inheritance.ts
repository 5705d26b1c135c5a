/**
 * Effective priorities: the highest among a node's own and those of everything that waits for it, directly or through others.
 *
 * Priority inheritance as in L. Sha, R. Rajkumar, J. P. Lehoczky, "Priority Inheritance Protocols: An Approach to Real-Time
 * Synchronization", IEEE Transactions on Computers 39(9), 1990, over any graph of who waits for whom.
 *
 * 1. effective(n) is the highest own priority among n and all nodes from which a path of waits leads to n.
 * 2. A node's `waiters` hold exactly the effective priorities of those that wait for it.
 * 3. Nodes are held only while they wait or are waited for; of all others the effective priority is their own.
 * 4. An operation tells `changed` once for each node whose effective priority is another afterwards, when all are settled.
 * 5. Cycles of waits are legal and exact: all on a cycle share the highest priority that reaches it, and lose it together.
 */

import { SafeguardsError } from "../../errors.ts";
import { itemAt } from "./at.ts";

/** What the inheritance asks of those who use it. */
export interface InheritancePort<K> {
  /** The node's own priority; tell {@link PriorityInheritance.ownChanged} when it becomes another. */
  own(node: K): number;
  /** The node's effective priority has changed. It may ask for effective priorities, and must not change waits. */
  changed(node: K): void;
}

interface Node<K> {
  readonly key: K;
  effective: number;
  /** Ascending pairs: an effective priority, how many waiters have it. */
  readonly waiters: number[];
  /** What it waits for, and how many times. */
  on: Map<K, number> | undefined;
}

/**
 * Keeps effective priorities while waits come and go. K is an object or a string that stands for a node.
 *
 * Asking costs one map access. A wait that begins or ends costs a search among the distinct priorities of the waiters, and as
 * much again for each node whose effective priority it changes, and each edge that leads on from there. Without `acyclic`, the
 * end of a wait also walks the nodes further on whose priority could have hung on it.
 */
export class PriorityInheritance<K> {
  readonly #port: InheritancePort<K>;
  readonly #acyclic: boolean;
  readonly #nodes = new Map<K, Node<K>>();

  /** `acyclic` (default false) is the caller's promise that waits never form a cycle, and saves looking for one. */
  constructor(port: InheritancePort<K>, options: { readonly acyclic?: boolean } = {}) {
    this.#port = port;
    this.#acyclic = options.acyclic ?? false;
  }

  /** How many nodes are held: those that wait or are waited for. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The highest priority among the node's own and those of everything that waits for it. */
  effective(node: K): number {
    return this.#nodes.get(node)?.effective ?? this.#port.own(node);
  }

  /** `own(node)`, which was `before`, has become another. */
  ownChanged(node: K, before: number): void {
    const own = this.#port.own(node);
    const held = this.#nodes.get(node);
    if (held === undefined) {
      if (own !== before) this.#port.changed(node);
    } else if (own > held.effective) this.#raise(held, own);
    else this.#lower([held], before);
  }

  /** From now on `waiter` waits for `on`. Waits are counted: as many `unwait`s end it. Waiting for itself means nothing. */
  wait(waiter: K, on: K): void {
    if (waiter === on) return;
    const from = this.#hold(waiter);
    from.on ??= new Map();
    const times = from.on.get(on) ?? 0;
    from.on.set(on, times + 1);
    if (times > 0) return;
    const to = this.#hold(on);
    addPriority(to.waiters, from.effective);
    this.#raise(to, from.effective);
  }

  /** One wait of `waiter` for `on` has ended; without one, nothing happens. */
  unwait(waiter: K, on: K): void {
    const from = this.#nodes.get(waiter);
    const times = from?.on?.get(on);
    if (from?.on === undefined || times === undefined) return;
    if (times > 1) {
      from.on.set(on, times - 1);
      return;
    }
    from.on.delete(on);
    if (from.on.size === 0) from.on = undefined;
    const to = this.#nodes.get(on);
    if (to !== undefined) {
      removePriority(to.waiters, from.effective);
      this.#lower([to], from.effective);
    }
    this.#drop(from);
  }

  /**
   * The node is gone: what it waited for loses it. Those that wait for it no longer lend it anything, yet each still has to
   * `unwait` (or be removed) before the same key may come back.
   */
  remove(node: K): void {
    const gone = this.#nodes.get(node);
    if (gone === undefined) return;
    this.#nodes.delete(node);
    const left: Node<K>[] = [];
    for (const to of this.#waitsFor(gone)) {
      removePriority(to.waiters, gone.effective);
      left.push(to);
    }
    this.#lower(left, gone.effective);
  }

  #hold(key: K): Node<K> {
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { key, effective: this.#port.own(key), waiters: [], on: undefined };
      this.#nodes.set(key, node);
    }
    return node;
  }

  #drop(node: Node<K>): void {
    if (node.on === undefined && node.waiters.length === 0) this.#nodes.delete(node.key);
  }

  *#waitsFor(node: Node<K>): Iterable<Node<K>> {
    if (node.on === undefined) return;
    for (const key of node.on.keys()) {
      const to = this.#nodes.get(key);
      if (to !== undefined) yield to;
    }
  }

  /** `priority` has reached `start`: it and all further on that have less get it. */
  #raise(start: Node<K>, priority: number): void {
    if (priority <= start.effective) return;
    const raised = [{ node: start, before: start.effective }];
    start.effective = priority;
    for (const { node, before } of raised) {
      for (const to of this.#waitsFor(node)) {
        removePriority(to.waiters, before);
        addPriority(to.waiters, priority);
        if (to.effective >= priority) continue;
        raised.push({ node: to, before: to.effective });
        to.effective = priority;
      }
    }
    for (const { node } of raised) this.#port.changed(node.key);
  }

  /**
   * `starts` have lost something of priority `lost`. First every node whose priority could have hung on that gives back what it
   * lends; then, from the highest down, each gets the highest that still reaches it.
   */
  #lower(starts: readonly Node<K>[], lost: number): void {
    const before = new Set<Node<K>>();
    for (const start of starts) if (this.#hangsOn(start, lost)) before.add(start);
    for (const node of before) {
      for (const to of this.#waitsFor(node)) {
        removePriority(to.waiters, lost);
        if (this.#hangsOn(to, lost)) before.add(to);
      }
    }
    const unsettled = [...before];
    for (const node of unsettled) node.effective = Math.max(this.#port.own(node.key), highest(node.waiters));
    unsettled.sort((a, b) => b.effective - a.effective);
    const settled = new Set<Node<K>>();
    for (const source of unsettled) {
      if (settled.has(source)) continue;
      const reached = [source];
      settled.add(source);
      for (const node of reached) {
        node.effective = source.effective;
        for (const to of this.#waitsFor(node)) {
          addPriority(to.waiters, source.effective);
          if (!before.has(to) || settled.has(to)) continue;
          settled.add(to);
          reached.push(to);
        }
      }
    }
    for (const node of before) if (node.effective !== lost) this.#port.changed(node.key);
    for (const node of starts) this.#drop(node);
  }

  /** Whether the node could have its effective priority from a waiter that just lost `lost`. */
  #hangsOn(node: Node<K>, lost: number): boolean {
    if (node.effective !== lost || this.#port.own(node.key) === lost) return false;
    return !this.#acyclic || highest(node.waiters) < lost;
  }
}

/** The index of the pair of `priority`, or of the first pair above it. */
function find(pairs: readonly number[], priority: number): number {
  let low = 0;
  let high = pairs.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (itemAt(pairs, middle << 1) < priority) low = middle + 1;
    else high = middle;
  }
  return low << 1;
}

function addPriority(pairs: number[], priority: number): void {
  const at = find(pairs, priority);
  if (pairs[at] === priority) pairs[at + 1] = itemAt(pairs, at + 1) + 1;
  else pairs.splice(at, 0, priority, 1);
}

function removePriority(pairs: number[], priority: number): void {
  const at = find(pairs, priority);
  if (pairs[at] !== priority) {
    throw new SafeguardsError(
      "INVALID_STATE",
      `no waiter has priority ${priority}; a removed node's key came back too soon`,
    );
  }
  const count = itemAt(pairs, at + 1);
  if (count > 1) pairs[at + 1] = count - 1;
  else pairs.splice(at, 2);
}

function highest(pairs: readonly number[]): number {
  return pairs[pairs.length - 2] ?? Number.NEGATIVE_INFINITY;
}
