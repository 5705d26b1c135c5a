/**
 * Who holds how much of which resource, and who waits for it.
 *
 * 1. On the books, nothing is granted that is not free; lowering a capacity takes nothing back.
 * 2. A request is granted with all its amounts or waits with all of them.
 * 3. After every accepted call nobody waits who could be granted, but for what is set aside for one who has waited too long.
 * 4. A refused call changes nothing, not even the time.
 */
import { SafeguardsError } from "../errors.ts";
import { type Amount, amountToNumber, atMost } from "./structures/amount.ts";
import {
  checkAmount,
  checkDuration,
  checkId,
  checkInteger,
  checkKeys,
  checkPriority,
  entriesOf,
  invalid,
  show,
} from "./structures/arguments.ts";
import { wasIssued } from "./structures/issued-ids.ts";
import { type Allocation, allocationOf, type LeaseRequest, Leases, partOf } from "./structures/leases.ts";
import { orderRank } from "./structures/order-key.ts";
import { ResourceBook } from "./structures/resource-book.ts";
import { checkNotBefore } from "./structures/time-order.ts";
import type { RecordOf } from "./structures/types.ts";
import { type Need, type Place, WaitingLine } from "./structures/waiting-line.ts";

export type { Allocation } from "./structures/leases.ts";

/** What a resource is, for the reader: all types are treated alike. */
export type ResourceType = "compute" | "memory" | "storage" | "api_call" | "data";

/** Options of a {@link ResourceManager}. */
export interface ResourceManagerOptions {
  /** So many milliseconds of waiting are worth one step of priority. 0 is the order of arrival; default: no aging. */
  readonly agingMs?: number;
  /**
   * Who has waited so many milliseconds, the first in order of those, has what it asks for set aside as it frees up. Default
   * 30 000; 0 is strict order; Infinity never sets anything aside.
   */
  readonly protectAfterMs?: number;
}

/** A resource as it is registered. */
export interface ResourceSpec {
  readonly type: ResourceType;
  /** How much there is, from 0 (drained), with at most nine decimals. */
  readonly capacity: number;
  /** Makes it a rate: `capacity` each so many whole milliseconds, refilling continuously up to `capacity`. */
  readonly per?: number;
}

/** What somebody asks for. */
export interface ResourceRequest {
  /** Who asks: 1 to 256 characters without `/`. May ask more than once. */
  readonly holder: string;
  /** How much of each resource, each above 0 with at most nine decimals; at least one resource. */
  readonly amounts: RecordOf<number>;
  /** An integer from −1 000 000 to 1 000 000, higher goes first. Default 5. */
  readonly priority?: number;
  /** The allocation runs out so many milliseconds after it is granted. Default: never. */
  readonly leaseMs?: number;
}

/** A waiter that a lowered capacity made impossible. */
export interface RefusedWaiter {
  readonly reservationId: string;
  readonly holder: string;
  readonly code: "CAPACITY_EXCEEDED";
}

/** What a call brought about besides what it was asked for. */
export interface Released {
  /** Waiters that were granted what they asked for, in order. */
  readonly granted: readonly Allocation[];
  /** Allocations whose lease has run out, in the order in which they did. */
  readonly expired: readonly Allocation[];
  /** Waiters that a lowered capacity made impossible, in order. */
  readonly refused: readonly RefusedWaiter[];
}

/** The answer to a request: granted, or in line with a reservation and its position, 1 for the first. */
export type RequestResult = (
  | { readonly status: "granted"; readonly allocation: Allocation }
  | { readonly status: "queued"; readonly reservationId: string; readonly position: number }
) &
  Released;

/** How much there is of a resource, is out and is free, and how many wait for it. */
export interface ResourceUsage {
  readonly capacity: number;
  /** Of a rate: what is spent and not refilled yet. */
  readonly allocated: number;
  readonly available: number;
  readonly waiting: number;
}

type Waiter = LeaseRequest<ResourceBook> & { readonly reservationId: string };

interface Outcome {
  readonly granted: Allocation[];
  readonly expired: Allocation[];
  readonly refused: RefusedWaiter[];
}

const TYPES: readonly string[] = ["compute", "memory", "storage", "api_call", "data"];
const DEFAULT_PROTECT_AFTER_MS = 30_000;

/**
 * Shares resources of limited capacity: several at once and all or nothing, by priority (with aging, if asked for), with
 * leases and fencing tokens. Who cannot have what it asks for waits, and is granted it by the call that makes it possible:
 * every method says what it granted. Pure: times come in with the calls.
 *
 * Waiters are served by (priority, arrival), or with `agingMs` by arrival − priority × agingMs, smaller first. What fits may be
 * granted although something ahead does not fit; so that this starves nobody, the first in order that has waited
 * `protectAfterMs` has what it asks for set aside (as in backfilling by reservation: D. A. Lifka, "The ANL/IBM SP Scheduling
 * System", 1995).
 *
 * An accepted call first ends the leases that have run out and grants on what they held, then does what it is asked.
 * `register` and `cancel` do what they are asked first, so that neither the old capacity nor the cancelled one is served.
 *
 * Times (`now`) are milliseconds, and one before an earlier call's is refused with `INVALID_ARGUMENT`, as is any value or
 * option that is not allowed. A call costs the logarithm of those that hold and wait, for every allocation that it changes,
 * every set of resources waited for that names one that frees up, and every rate that somebody waits for.
 *
 * @example
 * ```ts
 * import { ResourceManager } from "safeguards/coordination";
 * const resources = new ResourceManager();
 * resources.register("gpu", { type: "compute", capacity: 1 });
 * const first = resources.request({ holder: "ada", amounts: { gpu: 1 }, leaseMs: 60_000 }, 0); // granted
 * resources.request({ holder: "bob", amounts: { gpu: 0.5 } }, 0); // queued, position 1
 * if (first.status === "granted") resources.release(first.allocation, 10).granted; // bob's allocation
 * ```
 */
export class ResourceManager {
  readonly #agingMs: number;
  readonly #books = new Map<string, ResourceBook>();
  readonly #line: WaitingLine<Waiter, ResourceBook>;
  readonly #waiting = new Map<string, Place<Waiter, ResourceBook>>();
  /** Rates that somebody waited for when last looked at. */
  readonly #thirsty = new Set<ResourceBook>();
  readonly #leases = new Leases<ResourceBook>();
  #now = Number.NEGATIVE_INFINITY;
  #arrivals = 0;
  #reservations = 0;

  constructor(options: ResourceManagerOptions = {}) {
    checkKeys(options, ["agingMs", "protectAfterMs"], "options");
    const { agingMs = Number.POSITIVE_INFINITY, protectAfterMs = DEFAULT_PROTECT_AFTER_MS } = options;
    this.#agingMs = checkDuration(agingMs, "agingMs", { infinity: true, zero: true });
    this.#line = new WaitingLine(checkDuration(protectAfterMs, "protectAfterMs", { infinity: true, zero: true }));
  }

  /** Index nodes visited since construction: the cost, as tests count it. */
  get visits(): number {
    return this.#line.visits;
  }

  /**
   * Makes a resource known, or changes its capacity. More capacity is granted at once; less takes nothing back, and ends the
   * waiters that now ask for more than there is (they are told in `refused`; finding them looks at all who wait for it). `now`
   * is by default the time of the last call.
   *
   * Errors: `INVALID_ARGUMENT`, also for making a rate of what was none, or the reverse.
   */
  register(resourceId: string, spec: ResourceSpec, now?: number): Released {
    checkId(resourceId, "resourceId");
    checkKeys(spec, ["type", "capacity", "per"], "spec");
    if (!TYPES.includes(spec.type)) throw invalid("spec.type", spec.type, `one of ${TYPES.join(", ")}`);
    const capacity = checkAmount(spec.capacity, "spec.capacity", { zero: true });
    const per = spec.per === undefined ? undefined : checkInteger(spec.per, "spec.per", 1, Number.MAX_SAFE_INTEGER);
    const time = now === undefined ? this.#now : checkNotBefore(now, this.#now);
    const book = this.#books.get(resourceId);
    const outcome = empty();
    if (book === undefined) {
      const made = new ResourceBook(resourceId, capacity, per, Number.isFinite(time) ? time : 0);
      this.#books.set(resourceId, made);
    } else {
      if (book.isRate !== (per !== undefined)) {
        const is = book.isRate ? "a rate; say `per` again" : "not a rate; leave `per` out";
        throw new SafeguardsError("INVALID_ARGUMENT", `resource ${show(resourceId)} is ${is}`);
      }
      if (book.configure(capacity, per, time)) this.#line.freed(book);
      for (const place of this.#line.askingForMore(book, capacity)) {
        const { reservationId, holder } = this.#leaveLine(place);
        outcome.refused.push({ reservationId, holder, code: "CAPACITY_EXCEEDED" });
      }
    }
    return this.#advance(time, outcome);
  }

  /**
   * Asks for amounts of one or several resources, all or nothing: they are granted now, or a reservation waits for them with
   * its own amounts, and its lease runs from the grant.
   *
   * Errors: `UNKNOWN_RESOURCE`; `CAPACITY_EXCEEDED` for more than there is in all.
   */
  request(request: ResourceRequest, now: number): RequestResult {
    checkKeys(request, ["holder", "amounts", "priority", "leaseMs"], "request");
    const holder = checkId(request.holder, "request.holder");
    const amounts = checkAmounts(request.amounts, "request.amounts");
    const priority = checkPriority(request.priority, "request.priority");
    const leaseMs = request.leaseMs === undefined ? undefined : checkDuration(request.leaseMs, "request.leaseMs");
    const time = checkNotBefore(now, this.#now);
    const needs = amounts.map(([id, amount]) => ({ pool: this.#book(id), amount }));
    for (const { pool, amount } of needs) refuseMoreThanThereIs(pool, amount);
    const outcome = this.#advance(time, empty());
    for (const { pool } of needs) pool.advance(time);
    const seq = this.#arrivals++;
    const key = { rank: orderRank(priority, time, this.#agingMs), seq };
    if (this.#line.admits(needs, key)) {
      const allocation = this.#grant({ holder, needs, leaseMs });
      return { status: "granted", allocation, ...outcome };
    }
    const reservationId = `r${++this.#reservations}`;
    const place = this.#line.join({ reservationId, holder, needs, leaseMs }, needs, key, time);
    this.#waiting.set(reservationId, place);
    for (const { pool } of needs) if (pool.isRate) this.#thirsty.add(pool);
    this.#serve(outcome);
    return { status: "queued", reservationId, position: this.#line.position(place), ...outcome };
  }

  /**
   * Gives back all of an allocation, or the given amounts of it, which leave the rest with the same token. What was taken from
   * a rate is spent: giving it back frees nothing.
   *
   * Errors: `UNKNOWN_ALLOCATION` for an id that was never given out; `FENCED` for one that was released or has run out, and
   * for any token but its own; `INVALID_ARGUMENT` for more than it holds.
   */
  release(allocation: Pick<Allocation, "id" | "token">, now: number, amounts?: RecordOf<number>): Released {
    const { id, token } = checkAllocation(allocation);
    const parts = amounts === undefined ? undefined : checkAmounts(amounts, "amounts");
    const time = checkNotBefore(now, this.#now);
    const held = this.#leases.current(id, token, time);
    const given = parts?.map(([resource, amount]) => partOf(held, resource, amount)) ?? held.needs;
    const outcome = this.#advance(time, empty());
    this.#leases.reduce(held, given);
    this.#giveBack(given);
    return this.#serve(outcome);
  }

  /**
   * The allocation now runs out at now + leaseMs, also when it had no lease. Its token stays the same.
   *
   * Errors: as for `release`.
   */
  renew(allocation: Pick<Allocation, "id" | "token">, leaseMs: number, now: number): Allocation & Released {
    const { id, token } = checkAllocation(allocation);
    const lease = checkDuration(leaseMs, "leaseMs");
    const time = checkNotBefore(now, this.#now);
    const held = this.#leases.current(id, token, time);
    const outcome = this.#advance(time, empty());
    this.#leases.renew(held, time + lease);
    return { ...allocationOf(held), ...outcome };
  }

  /**
   * Takes a reservation out of the line.
   *
   * Errors: `INVALID_STATE` for one that no longer waits (it was granted, refused or cancelled); `UNKNOWN_ALLOCATION` for one
   * that was never given out.
   */
  cancel(reservationId: string, now: number): Released {
    checkId(reservationId, "reservationId");
    const time = checkNotBefore(now, this.#now);
    const place = this.#waiting.get(reservationId);
    if (place === undefined) {
      if (!wasIssued(reservationId, "r", this.#reservations)) {
        throw new SafeguardsError("UNKNOWN_ALLOCATION", `no reservation ${show(reservationId)} was ever given out`);
      }
      const message = `reservation ${show(reservationId)} no longer waits: it was granted, refused or cancelled`;
      throw new SafeguardsError("INVALID_STATE", message);
    }
    this.#leaveLine(place);
    return this.#advance(time, empty());
  }

  /** Ends the leases that have run out, lets rates refill, and grants what that makes possible. */
  expire(now: number): Released {
    return this.#advance(checkNotBefore(now, this.#now), empty());
  }

  /** The books of a resource at the time of the last accepted call. `UNKNOWN_RESOURCE`. */
  usage(resourceId: string): ResourceUsage {
    const book = this.#book(checkId(resourceId, "resourceId"));
    if (Number.isFinite(this.#now)) book.advance(this.#now);
    return {
      capacity: amountToNumber(book.capacity),
      allocated: amountToNumber(book.allocated),
      available: amountToNumber(book.free),
      waiting: this.#line.waitingFor(book),
    };
  }

  /** What somebody holds, in the order of the grants, at the time of the last accepted call. */
  allocationsOf(holder: string): readonly Allocation[] {
    return Array.from(this.#leases.of(checkId(holder, "holder")), allocationOf);
  }

  #book(id: string): ResourceBook {
    const book = this.#books.get(id);
    if (book === undefined) throw new SafeguardsError("UNKNOWN_RESOURCE", `no resource ${show(id)} is registered`);
    return book;
  }

  /** Brings everything up to this time: what every accepted call does. */
  #advance(now: number, outcome: Outcome): Outcome {
    this.#now = now;
    for (const book of this.#thirsty) {
      if (this.#line.waitingFor(book) === 0) this.#thirsty.delete(book);
      else if (book.advance(now)) this.#line.freed(book);
    }
    for (let over = this.#leases.endNext(now); over !== undefined; over = this.#leases.endNext(now)) {
      outcome.expired.push(allocationOf(over));
      this.#giveBack(over.needs);
    }
    return this.#serve(outcome);
  }

  #serve(outcome: Outcome): Outcome {
    this.#line.serve(this.#now, (waiter) => {
      this.#waiting.delete(waiter.reservationId);
      outcome.granted.push(this.#grant(waiter));
    });
    return outcome;
  }

  #grant(request: LeaseRequest<ResourceBook>): Allocation {
    for (const { pool, amount } of request.needs) pool.take(amount, this.#now);
    return allocationOf(this.#leases.grant(request, this.#now));
  }

  #giveBack(needs: readonly Need<ResourceBook>[]): void {
    for (const { pool, amount } of needs) if (pool.give(amount, this.#now)) this.#line.freed(pool);
  }

  #leaveLine(place: Place<Waiter, ResourceBook>): Waiter {
    this.#line.leave(place);
    this.#waiting.delete(place.waiter.reservationId);
    return place.waiter;
  }
}

function empty(): Outcome {
  return { granted: [], expired: [], refused: [] };
}

function checkAmounts(value: RecordOf<number>, what: string): [string, Amount][] {
  const amounts = entriesOf(value, what).map(([id, amount]): [string, Amount] => [
    id,
    checkAmount(amount, `${what}[${id}]`, { zero: false }),
  ]);
  if (amounts.length === 0) throw invalid(what, value, "amounts of at least one resource");
  return amounts;
}

function checkAllocation(value: Pick<Allocation, "id" | "token">): { id: string; token: number } {
  if (typeof value !== "object" || value === null) throw invalid("allocation", value, "an allocation");
  const id = checkId(value.id, "allocation.id");
  return { id, token: checkInteger(value.token, "allocation.token", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) };
}

function refuseMoreThanThereIs(book: ResourceBook, amount: Amount): void {
  if (atMost(amount, book.capacity)) return;
  const asked = amountToNumber(amount);
  const capacity = amountToNumber(book.capacity);
  throw new SafeguardsError(
    "CAPACITY_EXCEEDED",
    `${asked} of ${show(book.id)} is asked for; its capacity is ${capacity}`,
    {
      details: { resourceId: book.id, asked, capacity },
    },
  );
}
