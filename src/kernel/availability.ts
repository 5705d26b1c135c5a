/**
 * What may be used now: capacity less what is taken and what is promised.
 *
 * While attempts make way for a task, what it needs is set aside (`claimed`) and what they will give back is known
 * (`returning`). Others may use what is physically free, but only so much that the promise can still be kept.
 */
import { type Amount, add, smaller, subtractToZero } from "../coordination/structures/amount.ts";
import type { AgentState, Resource, State } from "./state.ts";

function visible(capacity: Amount, used: Amount, claimed: Amount, returning: Amount): Amount {
  const free = subtractToZero(capacity, used);
  if (claimed.whole === 0 && claimed.nano === 0) return free;
  return smaller(free, subtractToZero(add(capacity, returning), add(used, claimed)));
}

/** Room on an agent. */
export function roomOn(agent: AgentState): Amount {
  return visible(agent.capacity, agent.load, agent.claimed, agent.returning);
}

/** How much of a resource may be granted at `now`. */
export function availableOf(resource: Resource, now: number): Amount {
  if (resource.rate !== undefined) return resource.rate.available(now);
  return visible(resource.capacity, resource.allocated, resource.claimed, resource.returning);
}

export function freeSlots(state: State): number {
  const concurrency = state.settings?.concurrency ?? 0;
  const free = concurrency - state.slots;
  if (state.slotsClaimed === 0) return Math.max(0, free);
  return Math.max(0, Math.min(free, concurrency + state.slotsReturning - state.slots - state.slotsClaimed));
}
