/** Resources, and what attempts are given of them beside what they started with. */
import { BREAKER_CLOSED, breakerAdmitted } from "../../coordination/circuit-breaker.ts";
import { add, subtract } from "../../coordination/structures/amount.ts";
import { RateBucket } from "../../coordination/structures/rate-bucket.ts";
import type { ExtraAllocation, ExtraRequest } from "../attempt.ts";
import { changeReturning } from "../claims.ts";
import type {
  ResourceGrantedEvent,
  ResourceRefusedEvent,
  ResourceReleasedEvent,
  ResourceRequestedEvent,
  ResourceSetEvent,
} from "../events/resources.ts";
import type { EventHead } from "../events.ts";
import { dropAllocation, dropKeptLease, endRequest, take } from "../holdings.ts";
import { amount, known, liveOf, needsOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import { breaker } from "../reports.ts";
import { resourceOf, setBreaker } from "../resource.ts";
import type { State } from "../state.ts";

export function resourceSet(
  state: State,
  event: ResourceSetEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const capacity = amount(event.capacity);
  let resource = state.resources.get(event.resource);
  if (resource === undefined) {
    resource = resourceOf(event.resource, state.resources.size + 1, event.kind, capacity);
    if (event.per !== undefined) resource.rate = new RateBucket(capacity, event.per, event.at);
    state.resources.set(event.resource, resource);
  } else {
    resource.kind = event.kind;
    resource.capacity = capacity;
    if (event.per !== undefined) resource.rate?.configure(capacity, event.per, event.at);
    if (event.breaker === undefined || event.breaker.ratio !== resource.breakerPolicy?.ratio)
      resource.breaker = BREAKER_CLOSED;
  }
  setBreaker(resource, event.breaker);
  observer?.resource(resource, "other");
}

export function resourceRequested(
  state: State,
  event: ResourceRequestedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, event.token);
  state.lastRequestNumber += 1;
  const request: ExtraRequest = {
    id: event.requestId,
    live,
    needs: needsOf(state, event.amounts),
    leaseMs: event.leaseMs,
    askedMs: state.openMs(event.at),
    wish: undefined,
  };
  live.request = request;
  state.requests.set(request.id, request);
  observer?.request(request);
}

export function resourceGranted(
  state: State,
  event: ResourceGrantedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const live = liveOf(state, event.token);
  const request = event.requestId === undefined ? undefined : state.requests.get(event.requestId);
  if (request !== undefined) endRequest(state, request, observer);
  else state.lastRequestNumber += 1;
  const allocation: ExtraAllocation = {
    id: event.allocationId,
    token: event.allocationToken,
    live,
    needs: needsOf(state, event.amounts),
    expiresAt: event.expiresAt,
  };
  state.lastToken = event.allocationToken;
  changeReturning(state, live, subtract);
  live.extra ??= new Map();
  live.extra.set(allocation.id, allocation);
  changeReturning(state, live, add);
  state.allocations.set(allocation.id, allocation);
  for (const need of allocation.needs) {
    breaker(need.resource, breakerAdmitted, state.openMs(event.at));
    take(need, event.at, observer);
  }
  observer?.allocation(allocation);
}

export function resourceReleased(
  state: State,
  event: ResourceReleasedEvent,
  observer: StateObserver | undefined,
): void {
  const kept = state.keptLeases.get(event.allocationId);
  if (kept !== undefined) {
    dropKeptLease(state, kept, observer);
    return;
  }
  const allocation = known(state.allocations.get(event.allocationId), "allocation", event.allocationId);
  changeReturning(state, allocation.live, subtract);
  dropAllocation(state, allocation, observer);
  changeReturning(state, allocation.live, add);
}

export function resourceRefused(state: State, event: ResourceRefusedEvent, observer: StateObserver | undefined): void {
  endRequest(state, known(state.requests.get(event.requestId), "request", event.requestId), observer);
}
