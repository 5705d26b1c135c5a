/** Resources as the state holds them, and whether they may be given out at all. */
import { BREAKER_CLOSED, breakerAdmitsFrom, breakerRule } from "../coordination/circuit-breaker.ts";
import { type Amount, ZERO } from "../coordination/structures/amount.ts";
import type { Need } from "./attempt.ts";
import type { BreakerPolicy } from "./events/agents.ts";
import type { ResourceKind } from "./events/resources.ts";
import type { Resource, State } from "./state.ts";

/** A resource of which nobody holds anything. */
export function resourceOf(id: string, seq: number, kind: ResourceKind, capacity: Amount): Resource {
  return {
    id,
    seq,
    kind,
    capacity,
    allocated: ZERO,
    claimed: ZERO,
    returning: ZERO,
    rate: undefined,
    breakerPolicy: undefined,
    breakerRule: undefined,
    breaker: BREAKER_CLOSED,
    parked: new Set(),
  };
}

export function setBreaker(resource: Resource, policy: BreakerPolicy | undefined): void {
  resource.breakerPolicy = policy;
  resource.breakerRule = policy === undefined ? undefined : breakerRule(policy);
}

/** From when on its breaker lets it be given out, if nothing is reported until then: epoch milliseconds, `now` at the least. */
export function givenFrom(state: State, resource: Resource, now: number): number {
  if (resource.breakerRule === undefined) return now;
  const open = state.openMs(now);
  return now + (breakerAdmitsFrom(resource.breakerRule, resource.breaker, open) - open);
}

/** Whether no breaker keeps all of these from being given out now. */
export function mayBeGiven(state: State, needs: readonly Need[], now: number): boolean {
  for (const { resource } of needs)
    if (resource.breakerRule !== undefined && givenFrom(state, resource, now) > now) return false;
  return true;
}
