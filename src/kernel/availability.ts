/**
 * What may be used now: capacity less what is taken and what is promised.
 *
 * While attempts make way for a task, what it needs is set aside (`claimed`) and what they will give back is known
 * (`returning`). Others may use what is physically free, but only so much that the promise can still be kept.
 */
import {
  type Amount,
  add,
  atMost,
  smaller,
  subtract,
  subtractToZero,
  ZERO,
} from "../coordination/structures/amount.ts";
import { heldBy } from "./holdings.ts";
import type { AgentState, Resource, State } from "./state.ts";
import type { Task } from "./task.ts";

/** The books of a resource, or of an agent's room. More may be taken than is there: a capacity can be lowered. */
export interface Balance {
  readonly there: Amount;
  readonly taken: Amount;
  readonly claimed: Amount;
  readonly returning: Amount;
}

export function balanceOf(resource: Resource): Balance {
  const { capacity: there, allocated: taken, claimed, returning } = resource;
  return { there, taken, claimed, returning };
}

export function balanceOn(agent: AgentState): Balance {
  const { capacity: there, load: taken, claimed, returning } = agent;
  return { there, taken, claimed, returning };
}

/** How much may be used: never below 0. */
function free({ there, taken, claimed, returning }: Balance): Amount {
  const physically = subtractToZero(there, taken);
  if (claimed.whole === 0 && claimed.nano === 0) return physically;
  return smaller(physically, subtractToZero(add(there, returning), add(taken, claimed)));
}

/** Whether so much may be used: exact also where more is taken than is there. */
export function covers({ there, taken, claimed, returning }: Balance, amount: Amount): boolean {
  const wanted = add(amount, taken);
  return atMost(wanted, there) && atMost(add(wanted, claimed), add(there, returning));
}

/** After this much was given back; by one who makes way for a promise, it is what the promise counts on already. */
export function givenBack(balance: Balance, amount: Amount, promised: boolean): Balance {
  const there = add(balance.there, amount);
  return promised ? { ...balance, there, returning: subtract(balance.returning, amount) } : { ...balance, there };
}

/** With this much of what is free set aside. */
export function beside(balance: Balance, aside: Amount): Balance {
  return aside === ZERO ? balance : { ...balance, taken: add(balance.taken, smaller(aside, free(balance))) };
}

/** Room on an agent. */
export function roomOn(agent: AgentState): Amount {
  return free(balanceOn(agent));
}

/** How much of a resource may be granted at `now`. */
export function availableOf(resource: Resource, now: number): Amount {
  return resource.rate === undefined ? free(balanceOf(resource)) : resource.rate.available(now);
}

/** The same for this task, against which a promise to itself does not count. */
export function availableTo(task: Task, resource: Resource, now: number): Amount {
  if (task.claim === undefined || resource.rate !== undefined) return availableOf(resource, now);
  const { there, taken, claimed, returning } = balanceOf(resource);
  let own = ZERO;
  if (task.live === undefined)
    for (const need of task.needs) if (need.resource === resource) own = add(own, need.amount);
  let back = ZERO;
  for (const victim of task.claim.victims) back = add(back, heldBy(victim, resource));
  return free({ there, taken, claimed: subtract(claimed, own), returning: subtract(returning, back) });
}

export function freeSlots(state: State): number {
  return slotsLeft(state, 0, 0);
}

/** Free slots after some attempts have ended: so many that nobody counts on yet, and so many that make way for a promise. */
export function slotsLeft(state: State, ended: number, victimsEnded: number): number {
  const physically = (state.settings?.concurrency ?? 0) - state.slots + ended + victimsEnded;
  const kept = physically + state.slotsReturning - victimsEnded - state.slotsClaimed;
  return Math.max(0, state.slotsClaimed === 0 ? physically : Math.min(physically, kept));
}
