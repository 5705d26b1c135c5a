/**
 * The one reservation that keeps backfill from starving whoever has waited long: what it needs is set aside, and others may
 * use only what is left, or what they give back before it could start (EASY backfill: D. Lifka, "The ANL/IBM SP Scheduling
 * System", JSSPP 1995).
 */
import { type Amount, add, atMost, subtractToZero, ZERO } from "../coordination/structures/amount.ts";
import { availableOf, freeSlots, roomOn } from "./availability.ts";
import { heldBy } from "./holdings.ts";
import type { PredictedEnds } from "./predicted-ends.ts";
import { AMOUNTS, LOAD, noLimits, READY, type ReadyClass, type Wish } from "./ready-queue.ts";
import type { AgentState, Need, Resource, State } from "./state.ts";

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

/**
 * Predicts when and where it could start: by the attempts that end, in the order of their ends, until it could. The agent
 * predicted free first; none predicted: the least utilized that is large enough.
 */
export function reserve(state: State, ends: PredictedEnds, wish: Wish, now: number): Reservation {
  const { pool } = wish.of;
  const { load } = wish.task;
  let slotAt = wish.kind === "request" || freeSlots(state) >= 1 ? now : Number.POSITIVE_INFINITY;
  let startsAt = now;
  let short: { readonly need: Need; readonly free: Amount }[] = [];
  for (const need of wish.needs) {
    const free = availableOf(need.resource, now);
    if (need.resource.rate !== undefined) startsAt = Math.max(startsAt, need.resource.rate.readyAt(need.amount, now));
    else if (!atMost(need.amount, free)) short.push({ need, free });
  }
  let agent = pool?.leastUtilized(state, now, load);
  const rooms = new Map<AgentState, Amount>();
  for (const { live, at } of ends.after(now)) {
    const hasAgent = pool === undefined || agent !== undefined;
    if (slotAt < Number.POSITIVE_INFINITY && short.length === 0 && hasAgent) break;
    if (slotAt === Number.POSITIVE_INFINITY) slotAt = at;
    if (short.length > 0) {
      short = short
        .map(({ need, free }) => ({ need, free: add(free, heldBy(live, need.resource)) }))
        .filter(({ need, free }) => !atMost(need.amount, free));
      if (short.length === 0) startsAt = Math.max(startsAt, at);
    }
    if (hasAgent || !pool.members.has(live.agent) || !atMost(load, live.agent.capacity)) continue;
    const room = add(rooms.get(live.agent) ?? roomOn(live.agent), live.task.load);
    rooms.set(live.agent, room);
    if (!atMost(load, room)) continue;
    agent = live.agent;
    startsAt = Math.max(startsAt, at);
  }
  const predicted = short.length === 0 && (pool === undefined || agent !== undefined);
  return {
    wish,
    agent: agent ?? pool?.largeEnough(state, now, load),
    startsAt: predicted ? Math.max(startsAt, slotAt) : Number.POSITIVE_INFINITY,
  };
}

/** Whether anything that it sets aside could be what this class wants. */
export function holdsUp(reservation: Reservation, of: ReadyClass, state: State): boolean {
  if (of.needsSlot && reservation.wish.of.needsSlot && freeSlots(state) <= 1) return true;
  if (reservation.agent !== undefined && of.pool?.members.has(reservation.agent) === true) return true;
  return of.resources.some((resource) => reservation.wish.needs.some((need) => need.resource === resource));
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
