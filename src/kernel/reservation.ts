/**
 * The one reservation that keeps backfill from starving whoever has waited long: what it needs is set aside, and others may
 * use only what is left, or what they give back before it could start (EASY backfill: D. Lifka, "The ANL/IBM SP Scheduling
 * System", JSSPP 1995).
 */
import { type Amount, atMost, ZERO } from "../coordination/structures/amount.ts";
import { availableIn, shortFor } from "../coordination/structures/budget-book.ts";
import { amountBelow } from "../coordination/structures/money.ts";
import type { Need } from "./attempt.ts";
import { type Balance, balanceOf, balanceOn, beside, covers, freeSlots, givenBack, slotsLeft } from "./availability.ts";
import { Departures, roomOf } from "./batches.ts";
import { claimOver } from "./claims.ts";
import { heldBy } from "./holdings.ts";
import type { PredictedEnds } from "./predicted-ends.ts";
import { AMOUNTS, LOAD, noLimits, READY, type ReadyClass, type Wish } from "./ready-queue.ts";
import { givenFrom } from "./resource.ts";
import type { AgentState, Reserved, Resource, State } from "./state.ts";

export interface Reservation {
  readonly wish: Wish;
  /** Where its room is set aside. */
  readonly agent: AgentState | undefined;
  /** When it could start, as was foreseen when it was made: epoch milliseconds, Infinity when it was not. */
  readonly foreseen: number;
  /** The same by the estimates of what runs now. */
  readonly startsAt: number;
}

/**
 * The first in order of the class that has been ready for long enough and could ever fit. `dueMs` is the latest time of
 * readiness, in open milliseconds, that is long enough ago. `except`: who lacks nothing. Logarithmic.
 */
export function firstDue(
  state: State,
  of: ReadyClass,
  dueMs: number,
  now: number,
  except?: (wish: Wish) => boolean,
): Wish | undefined {
  const oldest = of.index.best?.[READY];
  if (oldest === undefined || oldest.whole > dueMs || dueMs < 0) return undefined;
  if (of.resources.some((resource) => givenFrom(state, resource, now) > now)) return undefined;
  const limits: Amount[] = noLimits(of);
  if (of.pool !== undefined) {
    if (of.pool.eligibleCount(state, now) === 0) return undefined;
    limits[LOAD] = of.pool.mostCapacity(state, now);
  }
  limits[READY] = { whole: dueMs, nano: 0 };
  of.resources.forEach((resource, i) => {
    limits[AMOUNTS + i] = resource.capacity;
  });
  // Nothing is set aside for who could not pay: money is kept for nobody.
  const accept = (wish: Wish): boolean =>
    (wish.kind === "request" || wish.task.claim === undefined) && canPay(wish) && except?.(wish) !== true;
  if (of.budget !== undefined) limits[of.costAt] = amountBelow(availableIn(of.budget));
  return of.index.firstFit(limits, { accept })?.item;
}

/** Whether what it is thought to cost is left of its budget and of all above that. */
export function canPay({ kind, task }: Wish): boolean {
  const { funding } = task;
  return funding === undefined || kind !== "start" || shortFor(funding.budget, funding.cost) === undefined;
}

/**
 * What is set aside for it: where it was, if it can still have it there; else where it is predicted to start. The agent stays
 * while the reservation does, however predictions change: one that moved on whenever somebody overruns could be led from agent
 * to agent for ever. `accepts`: whether the agent could take it.
 */
export function reserve(
  state: State,
  ends: PredictedEnds,
  wish: Wish,
  accepts: (agent: AgentState) => boolean,
  now: number,
): Reservation {
  const { pool } = wish.of;
  const { load } = wish.task;
  const kept = state.reserved;
  if (kept !== undefined && stands(kept, wish, accepts)) {
    const { agent } = kept;
    const withRoom = agent !== undefined && covers(balanceOn(agent), load) ? agent : undefined;
    const { startsAt } = predict(state, ends, wish, { withRoom, accepts: (other) => other === agent }, now);
    return { wish, agent, foreseen: kept.startsAt, startsAt };
  }
  const withRoom = pool?.leastUtilized(state, now, load, accepts);
  const { agent, startsAt } = predict(state, ends, wish, { withRoom, accepts }, now);
  return { wish, agent: agent ?? pool?.largeEnough(state, now, load, accepts), foreseen: startsAt, startsAt };
}

/** Whether it is for this wish, and can stay where it is. */
export function stands({ task, what, agent }: Reserved, wish: Wish, accepts: (agent: AgentState) => boolean): boolean {
  if (task !== wish.task || what !== wish.kind) return false;
  return agent === undefined || (atMost(task.load, agent.capacity) && accepts(agent));
}

/**
 * When and where it could start: by the attempts that end, in the order of their ends, until it could. On the agent that has
 * room, or the first of those accepted that will have it. What an attempt gives back that makes way for somebody else is not
 * counted twice: that is promised.
 */
function predict(
  state: State,
  ends: PredictedEnds,
  wish: Wish,
  on: { readonly withRoom: AgentState | undefined; accepts(agent: AgentState): boolean },
  now: number,
): { readonly agent: AgentState | undefined; readonly startsAt: number } {
  const needsAgent = wish.of.pool !== undefined;
  const { load } = wish.task;
  let ended = 0;
  let victimsEnded = 0;
  let slotAt = wish.kind === "request" || freeSlots(state) >= 1 ? now : Number.POSITIVE_INFINITY;
  let startsAt = now;
  let short: { readonly need: Need; readonly balance: Balance }[] = [];
  for (const need of wish.needs) {
    const balance = balanceOf(need.resource);
    if (need.resource.rate !== undefined) startsAt = Math.max(startsAt, need.resource.rate.readyAt(need.amount, now));
    else if (!covers(balance, need.amount)) short.push({ need, balance });
  }
  let agent = on.withRoom;
  const rooms = new Map<AgentState, Balance>();
  const seats = new Departures();
  for (const { live, at } of ends.after(now)) {
    const hasAgent = !needsAgent || agent !== undefined;
    if (slotAt < Number.POSITIVE_INFINITY && short.length === 0 && hasAgent) break;
    const promised = claimOver(state, live) !== undefined;
    const freesSeat = seats.leave(live);
    if (promised) victimsEnded += 1;
    else if (freesSeat) ended += 1;
    if (slotAt === Number.POSITIVE_INFINITY && slotsLeft(state, ended, victimsEnded) >= 1) slotAt = at;
    if (short.length > 0) {
      short = short
        .map(({ need, balance }) => ({ need, balance: givenBack(balance, heldBy(live, need.resource), promised) }))
        .filter(({ need, balance }) => !covers(balance, need.amount));
      if (short.length === 0) startsAt = Math.max(startsAt, at);
    }
    if (hasAgent || !freesSeat || !on.accepts(live.agent)) continue;
    const room = givenBack(rooms.get(live.agent) ?? balanceOn(live.agent), roomOf(live), promised);
    rooms.set(live.agent, room);
    if (!covers(room, load)) continue;
    agent = live.agent;
    startsAt = Math.max(startsAt, at);
  }
  const predicted = short.length === 0 && (!needsAgent || agent !== undefined);
  return { agent, startsAt: predicted ? Math.max(startsAt, slotAt) : Number.POSITIVE_INFINITY };
}

/** What a reservation sets aside from one that comes after it. */
export interface Aside {
  readonly slots: 0 | 1;
  /** The reservation whose room is set aside, if it is. */
  readonly room: Reservation | undefined;
  amountOf(resource: Resource): Amount;
}

const NOTHING_ASIDE: Aside = { slots: 0, room: undefined, amountOf: () => ZERO };

/**
 * What the wish must leave alone: nothing when no reservation is ahead of it; only tokens, which are not given back, when it
 * ends before the reserved one is predicted to start.
 */
export function asideFrom(wish: Wish, behind: Reservation | undefined, now: number): Aside {
  if (behind === undefined) return NOTHING_ASIDE;
  const inTime = endsBefore(wish, behind, now);
  return {
    slots: inTime || behind.wish.kind === "request" ? 0 : 1,
    room: inTime ? undefined : behind,
    amountOf: (resource) => (inTime && resource.rate === undefined ? ZERO : neededOf(behind.wish, resource)),
  };
}

/**
 * By its estimate it ends before the reserved one is predicted to start; by what was foreseen at first too, so that overruns of
 * those that were let pass let no others pass.
 */
function endsBefore(wish: Wish, { foreseen, startsAt }: Reservation, now: number): boolean {
  const { estimatedMs } = wish.task.spec;
  const latest = Math.min(foreseen, startsAt);
  return (
    wish.kind === "start" &&
    estimatedMs !== undefined &&
    Math.max(foreseen, startsAt) < Number.POSITIVE_INFINITY &&
    now + estimatedMs <= latest
  );
}

/** Whether anything that it sets aside could be what this class wants. */
export function holdsUp(reservation: Reservation, of: ReadyClass, state: State): boolean {
  if (of.needsSlot && reservation.wish.of.needsSlot && freeSlots(state) <= 1) return true;
  if (reservation.agent !== undefined && of.pool?.members.has(reservation.agent) === true) return true;
  return of.resources.some((resource) => reservation.wish.needs.some((need) => need.resource === resource));
}

/** How much of a resource a wish takes. */
export function neededOf(wish: Wish, resource: Resource): Amount {
  for (const need of wish.needs) if (need.resource === resource) return need.amount;
  return ZERO;
}

/** Room on an agent that others may use. */
export function roomBeside(reservation: Reservation | undefined, agent: AgentState): Balance {
  const room = balanceOn(agent);
  return reservation?.agent === agent ? beside(room, reservation.wish.task.load) : room;
}
