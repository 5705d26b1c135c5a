/**
 * What waits for admission, by class. Wishes that ask for the same names (skills, team, pin, resources, budget, agents to avoid) form
 * a class; within it an ordered index answers "the first in order that fits this much room, these amounts and this much money".
 *
 * 1. A class with wishes is either active (in a heap, by the key of its candidate) or parked (set aside until something that
 *    it waits for changes).
 * 2. An active class's candidate is its first wish, but within one admission, where it only moves on.
 * 3. Wishes that need no slot have a heap of their own, so that having no slot free costs nothing.
 */

import { type Amount, atMost, equal, integer, UNLIMITED, ZERO } from "../coordination/structures/amount.ts";
import { itemAt } from "../coordination/structures/at.ts";
import { levelsOf } from "../coordination/structures/budget-book.ts";
import { Chain, type Link, linkFor } from "../coordination/structures/chain.ts";
import { FitIndex, type FitNode } from "../coordination/structures/fit-index.ts";
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import type { AgentPool, AgentPools } from "./agent-pools.ts";
import type { ExtraRequest, Need } from "./attempt.ts";
import type { Pot } from "./lending.ts";
import { limits } from "./limits.ts";
import { PriorityCounts } from "./priority-counts.ts";
import type { Requirement } from "./requirements.ts";
import { isMeasured } from "./spending.ts";
import type { Budget, Resource } from "./state.ts";
import type { Task } from "./task.ts";
import type { Timer } from "./timers.ts";

/** Something that waits: a task for its next attempt, an attempt for its seat, or an attempt for more of a resource. */
export interface Wish {
  readonly kind: "start" | "regain" | "request";
  readonly task: Task;
  readonly request: ExtraRequest | undefined;
  readonly needs: readonly Need[];
  /** Its arrival number. */
  readonly seq: number;
  readonly of: ReadyClass;
  /** The resources through which it lends its priority: the lending's own. */
  lendsTo: readonly Pot[];
  node: FitNode<Wish> | undefined;
  /** Where it last stood in the order; kept while it is out of the index. */
  rank: number;
}

/** What else the tasks of a class have in common. */
export interface Beside {
  /** From what they are paid. */
  readonly budget?: Budget | undefined;
  /** Whether they have something to fall back on. */
  readonly hasFallback?: boolean;
  /** By which they may be given to an agent together. */
  readonly batchKey?: string | undefined;
}

export class ReadyClass {
  readonly key: string;
  readonly kind: Wish["kind"];
  /** Who may do it; undefined when no agent is needed. */
  readonly pool: AgentPool | undefined;
  /** Agents to avoid while others qualify, the later the longer. */
  readonly excluded: readonly string[];
  readonly resources: readonly Resource[];
  /** From what they are paid. */
  readonly budget: Budget | undefined;
  /** Whether its tasks have something to fall back on. */
  readonly hasFallback: boolean;
  /** Whether its tasks may be given to an agent together. */
  readonly isBatched: boolean;
  readonly index: FitIndex<Wish>;
  /** Its place among the active; undefined when parked or empty. */
  entry: HeapEntry<ReadyClass> | undefined = undefined;
  candidate: FitNode<Wish> | undefined = undefined;
  /** Its places among all that are parked, and among those of its pool. */
  readonly inParked: Link<ReadyClass> = linkFor<ReadyClass>(this);
  readonly inPool: Link<ReadyClass> = linkFor<ReadyClass>(this);
  timer: HeapEntry<Timer> | undefined = undefined;
  /** When a batch of it has waited long enough for more. */
  filled: HeapEntry<Timer> | undefined = undefined;
  /** Looks spent in the present admission. */
  looks = 0;
  /** The admission in whose course it last came back among the active; 0: between two. */
  wokenIn = 0;
  #lastMeasures: readonly Amount[] = [];

  constructor(
    key: string,
    kind: Wish["kind"],
    pool: AgentPool | undefined,
    excluded: readonly string[],
    resources: readonly Resource[],
    { budget, hasFallback = false, batchKey }: Beside,
  ) {
    this.key = key;
    this.kind = kind;
    this.pool = pool;
    this.excluded = excluded;
    this.resources = resources;
    this.budget = budget;
    this.hasFallback = hasFallback;
    this.isBatched = batchKey !== undefined;
    this.index = new FitIndex("atMost", AMOUNTS + resources.length + (budget === undefined ? 0 : 1));
  }

  /** Where the measure of a cost stands, behind all others. */
  get costAt(): number {
    return AMOUNTS + this.resources.length;
  }

  get parked(): boolean {
    return this.inParked.joined;
  }

  get needsSlot(): boolean {
    return this.kind !== "request";
  }

  /** What the index knows of a wish. Equal lists are one list: most tasks are alike. */
  measures(wish: Wish, effective: number, readyMs: number): readonly Amount[] {
    const last = this.#lastMeasures;
    const load = wish.kind === "request" ? ZERO : wish.task.load;
    const ready = last[READY]?.whole === readyMs ? last[READY] : integer(Math.max(0, readyMs));
    const rank = LEAST_IMPORTANT - effective;
    const importance = last[IMPORTANCE]?.whole === rank ? last[IMPORTANCE] : integer(rank);
    let same = last[LOAD] === load && last[READY] === ready && last[IMPORTANCE] === importance;
    for (let i = 0; same && i < wish.needs.length; i++) same = last[AMOUNTS + i] === wish.needs[i]?.amount;
    const cost = this.budget === undefined ? undefined : wish.task.funding?.measure;
    if (same && cost !== undefined) same = equal(itemAt(last, this.costAt), cost);
    if (same) return last;
    const made = [load, ready, importance];
    for (const need of wish.needs) made.push(need.amount);
    if (cost !== undefined) made.push(cost);
    this.#lastMeasures = made;
    return made;
  }

  /** Whether nobody in the class has a higher effective priority. */
  isMostImportant(wish: Wish): boolean {
    return wish.node?.measures[IMPORTANCE]?.whole === this.index.best?.[IMPORTANCE]?.whole;
  }

  /** Whether nobody in the class asks for less of anything, or is more important: what it cannot take, nobody here can. */
  isLeast(node: FitNode<Wish>): boolean {
    // Costs are measured with nine places: whoever has more than those may have the same measure as a cheaper one.
    const { funding } = node.item.task;
    if (this.budget !== undefined && funding !== undefined && !isMeasured(funding)) return false;
    const best = this.index.best ?? [];
    for (let i = 0; i < best.length; i++)
      if (i !== READY && !atMost(itemAt(node.measures, i), itemAt(best, i))) return false;
    return true;
  }
}

/** Places of the measures of a wish; amounts follow, in the order of the class's resources. */
export const LOAD = 0;
/** When it became ready, in open milliseconds. */
export const READY = 1;
/** The less, the higher its effective priority. */
const IMPORTANCE = 2;
export const AMOUNTS = 3;
/** More than any priority. */
const LEAST_IMPORTANT = 2 ** 21;

/** The key of a class: who, what, and whom to avoid. Where a requirement has the level of a skill, no name begins so. */
function classKey(
  kind: Wish["kind"],
  requirement: Requirement | undefined,
  excluded: readonly string[],
  needs: readonly Need[],
  { budget, hasFallback, batchKey }: Beside,
): string {
  let key = requirement === undefined ? "/" : requirement.key;
  if (kind !== "start") key += `/${kind}`;
  if (hasFallback === true) key += "/~";
  for (const need of needs) key += `/+${need.resource.id}`;
  for (const name of excluded) key += `/-${name}`;
  if (budget !== undefined) key += `/$${budget.id}`;
  // The only part that may have slashes, and the last.
  if (batchKey !== undefined) key += `/&${batchKey}`;
  return key;
}

export class ReadyQueue {
  readonly classes: Map<string, ReadyClass> = new Map();
  readonly parked: Chain<ReadyClass> = new Chain();
  /** The number of the admission that goes on; 0 between two. */
  admission = 0;
  #startsNothing = false;
  /** Classes that name a resource. */
  readonly naming: Map<Resource, Set<ReadyClass>> = new Map();
  readonly #pools: AgentPools;
  readonly #withSlot: IndexedHeap<ReadyClass> = new IndexedHeap();
  readonly #withoutSlot: IndexedHeap<ReadyClass> = new IndexedHeap();
  readonly #idle: Map<string, ReadyClass> = new Map();
  /** Effective priorities of those that want a slot. */
  readonly priorities: PriorityCounts = new PriorityCounts();

  constructor(pools: AgentPools) {
    this.#pools = pools;
  }

  /** Whether no task is started any more: attempts still get back their seats, and more of resources. */
  get startsNothing(): boolean {
    return this.#startsNothing;
  }

  /** Starts no task any more. */
  startNothing(): void {
    this.#startsNothing = true;
    for (const of of this.classes.values()) {
      if (of.kind !== "start") continue;
      this.#leave(of);
      this.unpark(of);
    }
  }

  /** The class for such wishes, made when there is none. */
  classFor(
    kind: Wish["kind"],
    requirement: Requirement | undefined,
    excluded: readonly string[],
    needs: readonly Need[],
    beside: Beside = {},
  ): ReadyClass {
    const key = classKey(kind, requirement, excluded, needs, beside);
    let found = this.classes.get(key);
    if (found === undefined) {
      const pool = requirement === undefined ? undefined : this.#pools.use(requirement);
      found = new ReadyClass(
        key,
        kind,
        pool,
        excluded,
        needs.map((need) => need.resource),
        beside,
      );
      this.classes.set(key, found);
      pool?.classes.add(found);
      if (found.hasFallback) pool?.withFallback.add(found);
      for (const resource of found.resources) {
        let naming = this.naming.get(resource);
        if (naming === undefined) {
          naming = new Set();
          this.naming.set(resource, naming);
        }
        naming.add(found);
      }
    }
    return found;
  }

  add(wish: Wish, rank: number, effective: number, readyMs: number): void {
    const { of } = wish;
    if (of.index.size === 0) this.#idle.delete(of.key);
    wish.rank = rank;
    wish.node = of.index.add(wish, rank, wish.seq, of.measures(wish, effective, readyMs));
    if (of.needsSlot) this.priorities.add(effective);
    this.wake(of);
  }

  remove(wish: Wish): void {
    const { of, node } = wish;
    if (node === undefined) return;
    wish.node = undefined;
    const wasCandidate = of.candidate === node;
    const next = wasCandidate ? of.index.next(node) : undefined;
    of.index.remove(node);
    if (of.needsSlot) this.priorities.remove(effectiveOf(node));
    if (of.index.size === 0) {
      this.#leave(of);
      this.unpark(of);
      this.#retire(of);
    } else if (wasCandidate) {
      // Without a next one it was the last, behind others that were passed over: whoever admits comes back to them.
      if (next === undefined) this.#leave(of);
      else this.advance(of, next);
    }
  }

  /** Another effective priority, and with it another place in the order. */
  reposition(wish: Wish, rank: number, effective: number): void {
    const { of, node } = wish;
    if (node === undefined || effectiveOf(node) === effective) return;
    if (of.needsSlot) {
      this.priorities.remove(effectiveOf(node));
      this.priorities.add(effective);
    }
    wish.rank = rank;
    wish.node = of.index.update(node, rank, of.measures(wish, effective, itemAt(node.measures, READY).whole));
    this.wake(of);
  }

  /** The class is considered from its first wish on. */
  wake(of: ReadyClass): void {
    const first = of.index.first();
    if (first === undefined || (this.#startsNothing && of.kind === "start")) return;
    if (of.entry === undefined) of.wokenIn = this.admission;
    this.unpark(of);
    this.#enter(of, first);
  }

  /** Its candidate moves on to this wish. */
  advance(of: ReadyClass, candidate: FitNode<Wish>): void {
    this.#enter(of, candidate);
  }

  /** Takes it out of the running; it comes back by `wake`. */
  setAside(of: ReadyClass): void {
    this.#leave(of);
  }

  /** Sets it aside until something that it waits for changes. */
  park(of: ReadyClass): void {
    this.#leave(of);
    this.parked.join(of.inParked);
    of.pool?.parked.join(of.inPool);
    for (const resource of of.resources) resource.parked.add(of);
    if (of.budget !== undefined) for (const level of levelsOf(of.budget)) level.parked.add(of);
  }

  unpark(of: ReadyClass): void {
    if (!of.parked) return;
    this.parked.leave(of.inParked);
    of.pool?.parked.leave(of.inPool);
    for (const resource of of.resources) resource.parked.delete(of);
    if (of.budget !== undefined) for (const level of levelsOf(of.budget)) level.parked.delete(of);
  }

  /** The class whose candidate comes first; only among those that need no slot, when asked so. */
  first(withoutSlotOnly: boolean): ReadyClass | undefined {
    const free = this.#withoutSlot.peek();
    if (withoutSlotOnly) return free?.item;
    const slot = this.#withSlot.peek();
    if (free === undefined || slot === undefined) return (free ?? slot)?.item;
    const a = free.item.candidate;
    const b = slot.item.candidate;
    if (a === undefined || b === undefined) return slot.item;
    return a.rank < b.rank || (a.rank === b.rank && a.seq < b.seq) ? free.item : slot.item;
  }

  #enter(of: ReadyClass, candidate: FitNode<Wish>): void {
    if (
      of.candidate === candidate &&
      of.entry !== undefined &&
      of.entry.key === candidate.rank &&
      of.entry.seq === candidate.seq
    )
      return;
    of.candidate = candidate;
    if (of.entry === undefined) of.entry = this.#heap(of).push(of, candidate.rank, candidate.seq);
    else this.#heap(of).update(of.entry, candidate.rank, candidate.seq);
  }

  #leave(of: ReadyClass): void {
    if (of.entry !== undefined) this.#heap(of).remove(of.entry);
    of.entry = undefined;
    of.candidate = undefined;
  }

  #heap(of: ReadyClass): IndexedHeap<ReadyClass> {
    return of.needsSlot ? this.#withSlot : this.#withoutSlot;
  }

  #retire(of: ReadyClass): void {
    this.#idle.set(of.key, of);
    if (this.#idle.size <= limits.idleClasses) return;
    for (const [key, oldest] of this.#idle) {
      this.#idle.delete(key);
      this.classes.delete(key);
      for (const resource of oldest.resources) this.naming.get(resource)?.delete(oldest);
      if (oldest.pool !== undefined) this.#pools.release(oldest.pool, oldest);
      break;
    }
  }
}

/** The effective priority by which it stands in the index. */
function effectiveOf(node: FitNode<Wish>): number {
  return LEAST_IMPORTANT - itemAt(node.measures, IMPORTANCE).whole;
}

/** Limits under which every wish of a class fits. */
export function noLimits(of: ReadyClass): Amount[] {
  return new Array<Amount>(AMOUNTS + of.resources.length + (of.budget === undefined ? 0 : 1)).fill(UNLIMITED);
}
