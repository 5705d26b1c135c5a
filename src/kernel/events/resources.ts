/** Resources, and what attempts are given of them beside what they started with. */
import type { BreakerPolicy } from "./agents.ts";
import type { Failure } from "./failure.ts";
import type { LayoutsOf } from "./layout.ts";

/** What a resource is. For people and listings: no kind is treated differently. */
export type ResourceKind = "compute" | "memory" | "storage" | "api_call" | "data";

export interface ResourceSetEvent {
  readonly type: "resource.set";
  readonly v: 1;
  readonly resource: string;
  readonly kind: ResourceKind;
  readonly capacity: number;
  /** Milliseconds in which `capacity` tokens refill; absent: not a rate. */
  readonly per?: number;
  /** When nobody is given it for a while; absent: never. */
  readonly breaker?: BreakerPolicy;
}

/** An attempt asked for more and waits for it. */
export interface ResourceRequestedEvent {
  readonly type: "resource.requested";
  readonly v: 1;
  readonly requestId: string;
  readonly taskId: string;
  readonly token: number;
  readonly amounts: Readonly<Record<string, number>>;
  readonly leaseMs?: number;
}

export interface ResourceGrantedEvent {
  readonly type: "resource.granted";
  readonly v: 1;
  readonly allocationId: string;
  readonly taskId: string;
  /** The attempt's token. */
  readonly token: number;
  /** The allocation's own fencing token. */
  readonly allocationToken: number;
  readonly amounts: Readonly<Record<string, number>>;
  readonly expiresAt?: number;
  readonly requestId?: string;
}

export interface ResourceReleasedEvent {
  readonly type: "resource.released";
  readonly v: 1;
  readonly allocationId: string;
  readonly why: "released" | "expired";
}

export interface ResourceRefusedEvent {
  readonly type: "resource.refused";
  readonly v: 1;
  readonly requestId: string;
  readonly error: Failure;
}

/** A resource whose holders fail too often is given to nobody (open), to a few (half-open), or to all again. */
export interface ResourceBreakerChangedEvent {
  readonly type: "resource.breaker-changed";
  readonly v: 1;
  readonly resource: string;
  readonly state: "closed" | "open" | "half-open";
}

export type ResourceEvent =
  | ResourceSetEvent
  | ResourceRequestedEvent
  | ResourceGrantedEvent
  | ResourceReleasedEvent
  | ResourceRefusedEvent
  | ResourceBreakerChangedEvent;

export const RESOURCE_EVENTS: LayoutsOf<ResourceEvent> = {
  "resource.set": { code: 6, v: 1, fields: ["resource", "kind", "capacity", "per", "breaker"] },
  "resource.requested": { code: 26, v: 1, fields: ["requestId", "taskId", "token", "amounts", "leaseMs"] },
  "resource.granted": {
    code: 27,
    v: 1,
    fields: ["allocationId", "taskId", "token", "allocationToken", "amounts", "expiresAt", "requestId"],
  },
  "resource.released": { code: 28, v: 1, fields: ["allocationId", "why"] },
  "resource.refused": { code: 29, v: 1, fields: ["requestId", "error"] },
  "resource.breaker-changed": { code: 50, v: 1, fields: ["resource", "state"] },
};
