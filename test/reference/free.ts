/** What somebody may use: all that is free, less what is set aside for others. */

import { free, heldBy, loadOf, slotsUsed, utilization } from "./books.ts";
import { type Agent, type Amounts, isTerminal, type Model, type Reserved, type Task } from "./model.ts";
import type { Wish } from "./wishes.ts";

/** What the first of those who waited long enough has set aside. */
export interface Reservation extends Reserved {
  readonly wish: Wish;
  /** When it is predicted to start, as things are now. */
  readonly at: number;
}

export interface Free {
  readonly slots: number;
  load(agent: Agent): number;
  amount(id: string): number;
}

/** Attempts that are taken as ended, for the question what would be free then. */
export type Gone = readonly Task[];

/** What is not taken: below 0 where a capacity was lowered. */
function physical(model: Model, gone: Gone = []): Free {
  return {
    slots: model.settings.concurrency - slotsUsed(model, gone),
    load: (agent) => agent.capacity - loadOf(model, agent, gone),
    amount(id) {
      const resource = model.resource(id);
      if (resource === undefined) return 0;
      let amount = free(model, resource);
      for (const task of gone) if (task.attempt !== undefined) amount += heldBy(task, task.attempt, resource);
      return amount;
    },
  };
}

/**
 * What a wish may use, reservations aside: what is free, but only so much that what is promised to others can still be kept
 * when those have gone who make way for them.
 */
export function usable(model: Model, wish: Wish | undefined, gone: Gone = []): Free {
  const now = physical(model, gone);
  const promised = model.tasks.filter((task) => task.promise !== undefined && !isTerminal(task) && task !== wish?.task);
  if (promised.length === 0) return now;
  const victims = promised.flatMap((task) => task.promise?.victims ?? []);
  const later = physical(model, [...gone, ...victims.filter((task) => !gone.includes(task))]);
  const sum = (of: (task: Task) => number): number => promised.reduce((total, task) => total + of(task), 0);
  return {
    slots: Math.min(now.slots, later.slots - promised.length),
    load: (agent) =>
      Math.min(now.load(agent), later.load(agent) - sum((task) => (task.promise?.agent === agent ? task.load : 0))),
    amount: (id) => {
      // Tokens of a rate do not come back, and are promised to nobody.
      if (model.resource(id)?.rate === true) return now.amount(id);
      const claims = sum((task) => (task.attempt === undefined ? (task.needs.get(id) ?? 0) : 0));
      return Math.min(now.amount(id), later.amount(id) - claims);
    },
  };
}

/**
 * The same behind a reservation. Of what is free its amounts, a slot and its room are set aside, as far as they are there; what
 * others give up is not what is set aside. Who ends in time may use that too, but for tokens, which do not come back.
 */
export function beside(model: Model, wish: Wish, reservation: Reservation | undefined, gone: Gone = []): Free {
  const then = usable(model, wish, gone);
  if (reservation === undefined || reservation.wish.task === wish.task) return then;
  const now = usable(model, wish);
  const inTime = endsInTime(model, wish, reservation);
  const left = (isThen: number, isNow: number, reserved: number): number =>
    isThen - Math.min(reserved, Math.max(0, isNow));
  return {
    slots: inTime ? then.slots : left(then.slots, now.slots, reservation.wish.slots),
    load: (agent) =>
      inTime || reservation.agent !== agent
        ? then.load(agent)
        : left(then.load(agent), now.load(agent), reservation.wish.load),
    amount: (id) =>
      inTime && model.resource(id)?.rate !== true
        ? then.amount(id)
        : left(then.amount(id), now.amount(id), reservation.wish.needs.get(id) ?? 0),
  };
}

/** Before it is predicted to start, also by what was foreseen when the reservation was made: overruns gain nobody time. */
function endsInTime(model: Model, wish: Wish, { at, foreseen }: Reservation): boolean {
  const { estimatedMs } = wish.task;
  if (wish.kind !== "start" || estimatedMs === undefined) return false;
  return [at, foreseen].every((time) => Number.isFinite(time) && model.now + estimatedMs <= time);
}

export function enough(needs: Amounts, has: Free): boolean {
  return [...needs].every(([id, amount]) => has.amount(id) >= amount);
}

/** The least utilized of those with room; ties: the first registered. */
export function choose(model: Model, agents: readonly Agent[], load: number, has: Free): Agent | undefined {
  let best: Agent | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const agent of agents) {
    if (has.load(agent) < load) continue;
    const used = utilization(loadOf(model, agent), agent.capacity);
    if (best !== undefined && used >= least) continue;
    best = agent;
    least = used;
  }
  return best;
}
