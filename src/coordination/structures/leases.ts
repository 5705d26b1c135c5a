/**
 * Who holds what, until when, and under which token.
 *
 * 1. Tokens only grow, over all grants; a lease that is renewed keeps its token, and whoever was given it may go on with it.
 * 2. A lease has run out when now ≥ expiresAt, whether or not it was ended since.
 * 3. An allocation that holds nothing any more is gone.
 */
import { SafeguardsError } from "../../errors.ts";
import { type Amount, amountToNumber, atMost, isZero, subtract } from "./amount.ts";
import { nullRecord, show } from "./arguments.ts";
import { type HeapEntry, IndexedHeap } from "./indexed-heap.ts";
import { wasIssued } from "./issued-ids.ts";
import type { Need, Pool } from "./waiting-line.ts";

/** Amounts that somebody holds. */
export interface Allocation {
  readonly id: string;
  /** The fencing token: greater than that of every earlier grant. */
  readonly token: number;
  readonly holder: string;
  /** What is held, by resource; a record without a prototype. */
  readonly amounts: Readonly<Record<string, number>>;
  /** From this instant on it is gone. */
  readonly expiresAt?: number;
  /** The reservation that it was granted for, when it had to wait. */
  readonly reservationId?: string;
}

/** What is granted to whom, and for how long; without `leaseMs` for ever. */
export interface LeaseRequest<P extends Pool> {
  readonly holder: string;
  readonly needs: readonly Need<P>[];
  readonly leaseMs: number | undefined;
  readonly reservationId?: string;
}

/** An allocation while it lives. */
export interface Held<P extends Pool> {
  readonly id: string;
  readonly holder: string;
  readonly reservationId: string | undefined;
  readonly needs: readonly Need<P>[];
  readonly token: number;
  readonly expiresAt: number | undefined;
}

type Entry<P extends Pool> = { -readonly [K in keyof Held<P>]: Held<P>[K] } & {
  lease: HeapEntry<Entry<P>> | undefined;
};

/** Every operation costs the logarithm of the leases. */
export class Leases<P extends Pool> {
  readonly #held = new Map<string, Entry<P>>();
  readonly #byHolder = new Map<string, Set<Entry<P>>>();
  readonly #ends = new IndexedHeap<Entry<P>>();
  #tokens = 0;
  #issued = 0;

  grant(request: LeaseRequest<P>, now: number): Held<P> {
    const { holder, needs, leaseMs, reservationId } = request;
    const id = `a${++this.#issued}`;
    const token = ++this.#tokens;
    const entry: Entry<P> = { id, holder, reservationId, needs, token, expiresAt: undefined, lease: undefined };
    this.#held.set(id, entry);
    const others = this.#byHolder.get(holder);
    if (others === undefined) this.#byHolder.set(holder, new Set([entry]));
    else others.add(entry);
    if (leaseMs !== undefined) this.#setEnd(entry, now + leaseMs);
    return entry;
  }

  /** The allocation, if this is its latest token and its lease has not run out: else FENCED, or UNKNOWN_ALLOCATION. */
  current(id: string, token: number, now: number): Held<P> {
    const entry = this.#held.get(id);
    if (entry === undefined) {
      if (!wasIssued(id, "a", this.#issued)) {
        throw new SafeguardsError("UNKNOWN_ALLOCATION", `no allocation ${show(id)} was ever given out`);
      }
      throw new SafeguardsError("FENCED", `allocation ${show(id)} is gone: it was released or its lease has run out`);
    }
    if (entry.expiresAt !== undefined && entry.expiresAt <= now) {
      throw new SafeguardsError("FENCED", `the lease of allocation ${show(id)} has run out at ${entry.expiresAt}`);
    }
    if (entry.token !== token) {
      throw new SafeguardsError("FENCED", `token ${token} of allocation ${show(id)} is not its latest, ${entry.token}`);
    }
    return entry;
  }

  /** From now on the lease ends at this time, under a new token. */
  renew(held: Held<P>, expiresAt: number): void {
    this.#setEnd(this.#entry(held), expiresAt);
  }

  /** Takes these parts out of an allocation, which holds them. */
  reduce(held: Held<P>, parts: readonly Need<P>[]): void {
    const entry = this.#entry(held);
    entry.needs = entry.needs
      .map((need) => {
        const back = parts.find(({ pool }) => pool === need.pool);
        return back === undefined ? need : { pool: need.pool, amount: subtract(need.amount, back.amount) };
      })
      .filter(({ amount }) => !isZero(amount));
    if (entry.needs.length === 0) this.#remove(entry);
  }

  /** Ends the first lease that has run out at this time, if there is one. */
  endNext(now: number): Held<P> | undefined {
    const next = this.#ends.peek();
    if (next === undefined || next.key > now) return undefined;
    this.#remove(next.item);
    return next.item;
  }

  /** What somebody holds, in the order of the grants. */
  of(holder: string): Iterable<Held<P>> {
    return this.#byHolder.get(holder) ?? [];
  }

  #entry(held: Held<P>): Entry<P> {
    const entry = this.#held.get(held.id);
    if (entry === undefined) throw new RangeError(`allocation ${held.id} is gone`);
    return entry;
  }

  #setEnd(entry: Entry<P>, expiresAt: number): void {
    if (entry.lease !== undefined) this.#ends.remove(entry.lease);
    entry.expiresAt = expiresAt;
    entry.lease = this.#ends.push(entry, expiresAt, entry.token);
  }

  #remove(entry: Entry<P>): void {
    this.#held.delete(entry.id);
    const theirs = this.#byHolder.get(entry.holder);
    theirs?.delete(entry);
    if (theirs?.size === 0) this.#byHolder.delete(entry.holder);
    if (entry.lease !== undefined) this.#ends.remove(entry.lease);
  }
}

/** What the holder is told. */
export function allocationOf<P extends Pool>(held: Held<P>): Allocation {
  const amounts = nullRecord<number>();
  for (const { pool, amount } of held.needs) amounts[pool.id] = amountToNumber(amount);
  return {
    id: held.id,
    token: held.token,
    holder: held.holder,
    amounts,
    ...(held.expiresAt === undefined ? {} : { expiresAt: held.expiresAt }),
    ...(held.reservationId === undefined ? {} : { reservationId: held.reservationId }),
  };
}

/** So much of one resource of the allocation: INVALID_ARGUMENT when it does not hold it. */
export function partOf<P extends Pool>(held: Held<P>, resourceId: string, amount: Amount): Need<P> {
  const need = held.needs.find(({ pool }) => pool.id === resourceId);
  if (need !== undefined && atMost(amount, need.amount)) return { pool: need.pool, amount };
  const has = need === undefined ? "nothing" : amountToNumber(need.amount);
  const message = `${amountToNumber(amount)} of ${show(resourceId)} cannot be released; allocation ${show(held.id)} holds ${has}`;
  throw new SafeguardsError("INVALID_ARGUMENT", message);
}
