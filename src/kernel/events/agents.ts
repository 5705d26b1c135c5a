/** Agents, managers and their teams. */
import type { LayoutsOf } from "./layout.ts";

/** When an agent that keeps failing gets no more tasks; see `CircuitBreaker`. */
export interface BreakerPolicy {
  readonly failureThreshold?: number;
  readonly ratio?: number;
  readonly minCalls?: number;
  readonly windowMs?: number;
  readonly resetMs?: number;
  readonly halfOpenMax?: number;
}

export interface AgentRegisteredEvent {
  readonly type: "agent.registered";
  readonly v: 1;
  readonly agent: string;
  readonly kind: "agent" | "manager";
  readonly skills: Readonly<Record<string, number>>;
  readonly capacity: number;
  readonly weight: number;
  readonly description?: string;
  readonly team?: readonly string[];
  readonly breaker?: BreakerPolicy;
  /** Whether it has a voter. */
  readonly votes?: boolean;
  /** For a manager: how many subtasks must succeed. */
  readonly minSuccess?: number | "all" | "any";
  readonly failFast?: boolean;
  /** How many tasks it is given together at most; absent: its code takes one at a time. */
  readonly maxBatch?: number;
}

export interface AgentUnregisteredEvent {
  readonly type: "agent.unregistered";
  readonly v: 1;
  readonly agent: string;
}

export interface TeamChangedEvent {
  readonly type: "team.changed";
  readonly v: 1;
  readonly agent: string;
  readonly team: readonly string[];
}

export interface BreakerChangedEvent {
  readonly type: "breaker.changed";
  readonly v: 1;
  readonly agent: string;
  readonly state: "closed" | "open" | "half-open";
}

export type AgentEvent = AgentRegisteredEvent | AgentUnregisteredEvent | TeamChangedEvent | BreakerChangedEvent;

export const AGENT_EVENTS: LayoutsOf<AgentEvent> = {
  "agent.registered": {
    code: 3,
    v: 1,
    fields: [
      "agent",
      "kind",
      "skills",
      "capacity",
      "weight",
      "description",
      "team",
      "breaker",
      "votes",
      "minSuccess",
      "failFast",
      "maxBatch",
    ],
  },
  "agent.unregistered": { code: 4, v: 1, fields: ["agent"] },
  "team.changed": { code: 5, v: 1, fields: ["agent", "team"] },
  "breaker.changed": { code: 30, v: 1, fields: ["agent", "state"] },
};
