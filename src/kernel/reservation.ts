/**
 * The one reservation that keeps backfill from starving whoever has waited long: what it needs is set aside, and others may
 * use only what is left, or what they give back before it could start (EASY backfill: D. Lifka, "The ANL/IBM SP Scheduling
 * System", JSSPP 1995).
 */
import { type Amount, add, atMost, subtractToZero, ZERO } from "../coordination/structures/amount.ts";
import { availableOf, freeSlots, roomOn } from "./availability.ts";
import { AMOUNTS, LOAD, noLimits, READY, type ReadyClass, type Wish } from "./ready-queue.ts";
import type { AgentState, LiveAttempt, Resource, State } from "./state.ts";

export interface Reservation {
  readonly wish: Wish;
  /** Where its room is set aside. */
  readonly agent: AgentState | undefined;
  /** When it could start, by the estimates of what runs: epoch milliseconds, Infinity when they do not tell. */
  readonly startsAt: number;
}

/**
 * The first in order of the class that has been ready for long enough and could ever fit. `dueMs` is the latest time of
 * readiness, in open milliseconds, that is long enough ago. Logarithmic.
 */
export function firstDue(state: State, of: ReadyClass, dueMs: number, now: number): Wish | undefined {
  const oldest = of.index.best?.[READY];
  if (oldest === undefined || oldest.whole > dueMs || dueMs < 0) return undefined;
  const limits: Amount[] = noLimits(of);
  if (of.pool !== undefined) {
    if (of.pool.eligibleCount(state, now) === 0) return undefined;
    limits[LOAD] = of.pool.mostCapacity(state, now);
  }
  limits[READY] = { whole: dueMs, nano: 0 };
  of.resources.forEach((resource, i) => {
    limits[AMOUNTS + i] = resource.capacity;
  });
  return of.index.firstFit(limits, { accept: (wish) => wish.task.claim === undefined })?.item;
}

/** Predicts when and where it could start. Linear in what runs; asked only while a reservation holds others up. */
export function reserve(state: State, wish: Wish, now: number): Reservation {
  const ends = [...state.live.values()]
    .filter((live) => live.seated)
    .map((live) => ({ live, at: predictedEnd(live, now) }))
    .filter((end) => end.at < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.at - b.at || a.live.token - b.live.token);
  let startsAt = now;
  if (wish.kind !== "request" && freeSlots(state) < 1) startsAt = ends[0]?.at ?? Number.POSITIVE_INFINITY;
  for (const need of wish.needs) startsAt = Math.max(startsAt, enoughAt(need.resource, need.amount, ends, now));
  const room = roomAt(state, wish, ends, now);
  return { wish, agent: room.agent, startsAt: Math.max(startsAt, room.at) };
}

interface End {
  readonly live: LiveAttempt;
  readonly at: number;
}

/** By its estimate; never when it has none, or is past it. */
function predictedEnd(live: LiveAttempt, now: number): number {
  const { estimatedMs } = live.task.spec;
  if (estimatedMs === undefined) return Number.POSITIVE_INFINITY;
  const at = live.startedAt + estimatedMs;
  return at > now ? at : Number.POSITIVE_INFINITY;
}

function enoughAt(resource: Resource, amount: Amount, ends: readonly End[], now: number): number {
  if (resource.rate !== undefined) return resource.rate.readyAt(amount, now);
  let free = availableOf(resource, now);
  if (atMost(amount, free)) return now;
  for (const { live, at } of ends) {
    for (const need of live.task.needs) if (need.resource === resource) free = add(free, need.amount);
    if (atMost(amount, free)) return at;
  }
  return Number.POSITIVE_INFINITY;
}

/** The agent predicted free first; none predicted: the least utilized that is large enough. */
function roomAt(
  state: State,
  wish: Wish,
  ends: readonly End[],
  now: number,
): { readonly agent: AgentState | undefined; readonly at: number } {
  const { pool } = wish.of;
  if (pool === undefined) return { agent: undefined, at: now };
  const { load } = wish.task;
  const free = pool.leastUtilized(state, now, load);
  if (free !== undefined) return { agent: free, at: now };
  const rooms = new Map<AgentState, Amount>();
  for (const { live, at } of ends) {
    const { agent } = live;
    if (!pool.members.has(agent) || !atMost(load, agent.capacity)) continue;
    const room = add(rooms.get(agent) ?? roomOn(agent), live.task.load);
    if (atMost(load, room)) return { agent, at };
    rooms.set(agent, room);
  }
  return { agent: pool.largeEnough(state, now, load), at: Number.POSITIVE_INFINITY };
}

/** How much of a resource is set aside by it. */
export function reservedOf(reservation: Reservation, resource: Resource): Amount {
  for (const need of reservation.wish.needs) if (need.resource === resource) return need.amount;
  return ZERO;
}

/** Room on an agent that others may use. */
export function roomBeside(reservation: Reservation | undefined, agent: AgentState): Amount {
  const room = roomOn(agent);
  return reservation?.agent === agent ? subtractToZero(room, reservation.wish.task.load) : room;
}
