/**
 * What attempts hold: a slot, room on an agent, resources. Taken when they start, are granted more or regain their seat;
 * given back once, when they end or wait.
 */
import { type Amount, add, subtract, ZERO } from "../coordination/structures/amount.ts";
import type {
  Allocation,
  AttemptRecord,
  ExtraAllocation,
  ExtraRequest,
  Kept,
  KeptLease,
  LiveAttempt,
  Need,
} from "./attempt.ts";
import { join } from "./batches.ts";
import { changeReturning, claimOver, dropClaim } from "./claims.ts";
import { known } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import { settleMoney } from "./spending.ts";
import type { Resource, State } from "./state.ts";

export function seat(state: State, live: LiveAttempt, observer: StateObserver | undefined): void {
  const { agent, batch, task } = live;
  live.seated = true;
  if (batch === undefined) {
    state.slots += 1;
    agent.load = add(agent.load, task.load);
  } else join(state, batch, live);
  agent.running += 1;
  observer?.agent(agent, "taken");
  // Those who are no longer alone in it cannot be made to give anything up.
  if (batch?.members.size === 2 && observer !== undefined) for (const member of batch.members) observer.live(member);
}

export function unseat(state: State, live: LiveAttempt, observer: StateObserver | undefined): void {
  if (!live.seated) return;
  const { agent, batch, task } = live;
  live.seated = false;
  agent.running -= 1;
  if (batch !== undefined) {
    live.batch = undefined;
    batch.members.delete(live);
    if (batch.members.size > 0) {
      if (batch.members.size === 1) for (const last of batch.members) observer?.alone(last);
      return;
    }
    state.batches.delete(batch.id);
  }
  state.slots -= 1;
  agent.load = subtract(agent.load, batch?.load ?? task.load);
  observer?.agent(agent, "freed");
}

export function take(need: Need, at: number, observer: StateObserver | undefined): void {
  const { resource } = need;
  if (resource.rate !== undefined) resource.rate.take(need.amount, at);
  else resource.allocated = add(resource.allocated, need.amount);
  observer?.resource(resource, "taken");
}

/** How much of a resource an attempt holds, and gives back when it ends. */
export function heldBy(live: LiveAttempt, resource: Resource): Amount {
  let held = ZERO;
  if (resource.rate !== undefined) return held;
  for (const need of live.task.needs) if (need.resource === resource) held = add(held, need.amount);
  for (const allocation of live.extra?.values() ?? []) {
    for (const need of allocation.needs) if (need.resource === resource) held = add(held, need.amount);
  }
  return held;
}

function giveBack(need: Need, observer: StateObserver | undefined): void {
  const { resource } = need;
  if (resource.rate !== undefined) return;
  resource.allocated = subtract(resource.allocated, need.amount);
  observer?.resource(resource, "freed");
}

/** From now on what it holds is kept for its code, which has not ended, and no longer for the attempt, which has. */
export function keepHeld(state: State, live: LiveAttempt, observer: StateObserver | undefined): void {
  const needs = live.task.needs.filter(isGivenBack);
  const leases: Allocation[] = [];
  for (const allocation of live.extra?.values() ?? []) {
    const held = allocation.needs.filter(isGivenBack);
    if (allocation.expiresAt === undefined) needs.push(...held);
    else if (held.length > 0) leases.push({ ...allocation, needs: held });
  }
  if (needs.length + leases.length > 0) keep(state, live.task.id, live.token, needs, leases, observer);
}

/** Takes what the code of an abandoned attempt keeps. */
export function keep(
  state: State,
  taskId: string,
  token: number,
  needs: readonly Need[],
  leases: readonly Allocation[],
  observer: StateObserver | undefined,
): void {
  const kept: Kept = { taskId, token, needs, leases: new Set() };
  state.kept.set(token, kept);
  for (const need of needs) hold(need);
  for (const { id, token: leaseToken, needs: leased, expiresAt } of leases) {
    const lease = { id, token: leaseToken, needs: leased, expiresAt, of: kept };
    for (const need of leased) hold(need);
    kept.leases.add(lease);
    state.keptLeases.set(id, lease);
    observer?.kept(lease);
  }
}

/** Tokens of a rate are not. */
function isGivenBack({ resource }: Need): boolean {
  return resource.rate === undefined;
}

function hold({ resource, amount }: Need): void {
  resource.allocated = add(resource.allocated, amount);
}

/** Its code has ended: what was kept for it is free. */
export function dropKept(state: State, token: number, observer: StateObserver | undefined): void {
  const kept = known(state.kept.get(token), "what was kept for attempt", token);
  for (const lease of [...kept.leases]) dropKeptLease(state, lease, observer);
  state.kept.delete(token);
  for (const need of kept.needs) giveBack(need, observer);
}

/** The time is over for which its code was given it. */
export function dropKeptLease(state: State, lease: KeptLease, observer: StateObserver | undefined): void {
  const { of, id, needs } = lease;
  of.leases.delete(lease);
  state.keptLeases.delete(id);
  if (of.leases.size + of.needs.length === 0) state.kept.delete(of.token);
  for (const need of needs) giveBack(need, observer);
  observer?.kept(lease);
}

/** The attempt is over: its record says how, and all that it held is free. `assumed`: what it is taken to have spent unseen. */
export function endAttempt(
  state: State,
  live: LiveAttempt,
  end: AttemptRecord["end"],
  at: number,
  observer: StateObserver | undefined,
  assumed?: string,
): void {
  const { task } = live;
  const claimant = claimOver(state, live);
  if (claimant !== undefined) {
    changeReturning(state, live, subtract);
    claimant.victims.delete(live);
  }
  dropClaim(state, task, observer);
  live.record.end = end;
  live.record.endedAt = at;
  unseat(state, live, observer);
  for (const need of task.needs) giveBack(need, observer);
  if (live.extra !== undefined)
    for (const allocation of [...live.extra.values()]) dropAllocation(state, allocation, observer);
  if (live.request !== undefined) endRequest(state, live.request, observer);
  settleMoney(live, assumed, observer);
  state.live.delete(live.token);
  task.live = undefined;
  observer?.gone(live);
}

export function dropAllocation(state: State, allocation: ExtraAllocation, observer: StateObserver | undefined): void {
  allocation.live.extra?.delete(allocation.id);
  state.allocations.delete(allocation.id);
  for (const need of allocation.needs) giveBack(need, observer);
  observer?.allocation(allocation);
}

export function endRequest(state: State, request: ExtraRequest, observer: StateObserver | undefined): void {
  request.live.request = undefined;
  state.requests.delete(request.id);
  observer?.request(request);
}
