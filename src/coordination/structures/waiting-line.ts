/**
 * Those that wait for amounts of one or several pools at once, and who of them is served when something frees up.
 *
 * 1. All or nothing: a waiter is served when all that it asks for is free at that moment, and takes it at once.
 * 2. In order, with backfill: among those that could be served the first by order key is, though others ahead of it that ask for
 *    more go on waiting.
 * 3. One reservation: of those that have waited at least `protectAfterMs`, what the first in order asks for is set aside. Later
 *    ones have, of what is free, only what is left after that; earlier ones are not held up by it.
 * 4. Waiters that name the same pools form a class. After `serve` no class has anybody who could be served; a class is not
 *    looked at again until a pool that it names has more free, or a reservation that names one of them ends.
 */
import { type Amount, atMost, compare, subtractToZero, ZERO } from "./amount.ts";
import { FitIndex, type FitNode } from "./fit-index.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import { compareOrder, type OrderKey } from "./order-key.ts";
import { Overdue, type OverdueEntry } from "./overdue.ts";
import { PositionList } from "./position-list.ts";

/** What something can be taken from. */
export interface Pool {
  readonly id: string;
  readonly free: Amount;
}

/** So much of a pool. */
export interface Need<P extends Pool> {
  readonly pool: P;
  readonly amount: Amount;
}

interface WaitingClass<W, P extends Pool> {
  readonly name: string;
  /** By id. The measures in the index are in the same order. */
  readonly pools: readonly P[];
  readonly index: FitIndex<Place<W, P>>;
}

/** A waiter in line. */
export interface Place<W, P extends Pool> {
  readonly waiter: W;
  /** The line's own. */
  readonly inClass: WaitingClass<W, P>;
  /** The line's own. */
  node: FitNode<Place<W, P>> | undefined;
  /** The line's own. */
  overdue: OverdueEntry<Place<W, P>> | undefined;
}

/** So many waiters of a class whose amounts each fit, but not together, are passed by; the rest waits for the next change. */
const BACKFILL = { maxLooks: 1_000 };

/**
 * A line before several pools. Joining, leaving and being served cost the logarithm of those in line; what frees up costs as
 * much for each class that names the pool.
 */
export class WaitingLine<W, P extends Pool> {
  readonly #classes = new Map<string, WaitingClass<W, P>>();
  readonly #byPool = new Map<P, { readonly classes: Set<WaitingClass<W, P>>; waiting: number }>();
  /** Classes that may have somebody who could be served. */
  readonly #awake = new Set<WaitingClass<W, P>>();
  readonly #positions = new PositionList();
  readonly #overdue: Overdue<Place<W, P>>;
  #reserved: Place<W, P> | undefined = undefined;
  /** Visits in the indexes of classes that are gone. */
  #visits = 0;

  constructor(protectAfterMs: number) {
    this.#overdue = new Overdue(protectAfterMs);
  }

  /** Index nodes visited since construction: the cost, as tests count it. */
  get visits(): number {
    let visits = this.#visits + this.#positions.visits;
    for (const { index } of this.#classes.values()) visits += index.visits;
    return visits;
  }

  /** Whether a newcomer with this key could have all this now, without taking it from those who go first. */
  admits(needs: readonly Need<P>[], key: OrderKey): boolean {
    const aside = this.#asideFor(key);
    return needs.every(({ pool, amount }) => atMost(amount, left(pool, aside)));
  }

  /** Puts somebody in line whom {@link admits} has just refused. */
  join(waiter: W, needs: readonly Need<P>[], key: OrderKey, arrivalMs: number): Place<W, P> {
    const sorted = [...needs].sort((a, b) => (a.pool.id < b.pool.id ? -1 : 1));
    const inClass = this.#classFor(sorted.map((need) => need.pool));
    const place: Place<W, P> = { waiter, inClass, node: undefined, overdue: undefined };
    const measures = sorted.map((need) => need.amount);
    place.node = inClass.index.add(place, key.rank, key.seq, measures);
    place.overdue = this.#overdue.add(place, key, arrivalMs);
    this.#positions.add(key);
    for (const pool of inClass.pools) this.#count(pool, 1);
    return place;
  }

  /** Takes somebody out of the line. What was set aside for them is there for others. */
  leave(place: Place<W, P>): void {
    if (place === this.#reserved) this.#endReservation();
    this.#remove(place);
  }

  /** The pool has more free than before. */
  freed(pool: P): void {
    for (const one of this.#byPool.get(pool)?.classes ?? []) this.#awake.add(one);
  }

  /** Serves, in order, all that can be served now. `grant` must take from the pools what the waiter asks for. */
  serve(now: number, grant: (waiter: W) => void): void {
    this.#reserve(now);
    if (this.#awake.size === 0) return;
    const offers = new IndexedHeap<FitNode<Place<W, P>>>();
    const offer = (one: WaitingClass<W, P>): void => {
      const node = this.#candidate(one);
      if (node !== undefined) offers.push(node, node.rank, node.seq);
    };
    for (const one of this.#awake) offer(one);
    this.#awake.clear();
    for (let next = offers.pop(); next !== undefined; next = offers.pop()) {
      const place = next.item.item;
      // Others may have been served since this was offered.
      if (place.inClass.index.fits(next.item, this.#limits(place.inClass.pools, this.#asideFor(next.item)))) {
        // A reservation that is used up leaves others exactly what they had.
        if (place === this.#reserved) this.#reserved = undefined;
        this.#remove(place);
        grant(place.waiter);
        this.#reserve(now);
      }
      offer(place.inClass);
    }
  }

  /** The place in line, 1 for the first. */
  position(place: Place<W, P>): number {
    return place.node === undefined ? 0 : this.#positions.before(place.node) + 1;
  }

  /** How many wait for some of this pool. */
  waitingFor(pool: P): number {
    return this.#byPool.get(pool)?.waiting ?? 0;
  }

  /** Those that ask for more than this of the pool, in order. Looks at all who wait for it. */
  askingForMore(pool: P, than: Amount): Place<W, P>[] {
    const found: FitNode<Place<W, P>>[] = [];
    for (const one of this.#byPool.get(pool)?.classes ?? []) {
      for (const node of one.index) if (compare(asked(node, pool), than) > 0) found.push(node);
    }
    return found.sort(compareOrder).map((node) => node.item);
  }

  /** Finds out whose turn it is to have a reservation. */
  #reserve(now: number): void {
    const first = this.#overdue.first(now);
    if (first === this.#reserved) return;
    this.#endReservation();
    this.#reserved = first;
  }

  #endReservation(): void {
    for (const pool of this.#reserved?.inClass.pools ?? []) this.freed(pool);
    this.#reserved = undefined;
  }

  /** The reservation that holds up whoever has this key. */
  #asideFor(key: OrderKey): FitNode<Place<W, P>> | undefined {
    const reserved = this.#reserved?.node;
    return reserved === undefined || compareOrder(key, reserved) <= 0 ? undefined : reserved;
  }

  /** The first of the class that could be served. Nobody before the first that fits what is free fits the less that is left. */
  #candidate(one: WaitingClass<W, P>): FitNode<Place<W, P>> | undefined {
    const first = one.index.firstFit(this.#limits(one.pools, undefined), BACKFILL);
    const aside = first && this.#asideFor(first);
    return aside === undefined ? first : one.index.firstFit(this.#limits(one.pools, aside), BACKFILL);
  }

  #limits(pools: readonly P[], aside: FitNode<Place<W, P>> | undefined): Amount[] {
    return pools.map((pool) => left(pool, aside));
  }

  #remove(place: Place<W, P>): void {
    const { inClass, node, overdue } = place;
    if (node === undefined || overdue === undefined) return;
    place.node = undefined;
    place.overdue = undefined;
    inClass.index.remove(node);
    this.#overdue.remove(overdue);
    this.#positions.remove(node);
    for (const pool of inClass.pools) this.#count(pool, -1);
    if (inClass.index.size === 0) this.#forget(inClass);
  }

  #classFor(pools: readonly P[]): WaitingClass<W, P> {
    const name = pools.map((pool) => pool.id).join("/");
    const known = this.#classes.get(name);
    if (known !== undefined) return known;
    const made: WaitingClass<W, P> = { name, pools, index: new FitIndex("atMost", pools.length) };
    this.#classes.set(name, made);
    for (const pool of pools) {
      const entry = this.#byPool.get(pool);
      if (entry === undefined) this.#byPool.set(pool, { classes: new Set([made]), waiting: 0 });
      else entry.classes.add(made);
    }
    return made;
  }

  #forget(one: WaitingClass<W, P>): void {
    this.#visits += one.index.visits;
    this.#classes.delete(one.name);
    this.#awake.delete(one);
    for (const pool of one.pools) {
      const entry = this.#byPool.get(pool);
      entry?.classes.delete(one);
      if (entry?.classes.size === 0) this.#byPool.delete(pool);
    }
  }

  #count(pool: P, change: number): void {
    const entry = this.#byPool.get(pool);
    if (entry !== undefined) entry.waiting += change;
  }
}

/** How much of the pool the one in this place asks for. */
function asked<W, P extends Pool>(node: FitNode<Place<W, P>>, pool: P): Amount {
  return node.measures[node.item.inClass.pools.indexOf(pool)] ?? ZERO;
}

/** What is free in the pool after what is set aside. */
function left<W, P extends Pool>(pool: P, aside: FitNode<Place<W, P>> | undefined): Amount {
  return aside === undefined ? pool.free : subtractToZero(pool.free, asked(aside, pool));
}
