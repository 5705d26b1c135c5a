/**
 * What happened. Events are the truth: the state is whatever replaying them gives. Each is past tense, self-contained
 * and versioned; the table {@link EVENTS} is the record format's vocabulary and only ever grows: a code is never used
 * again, a field is never moved, and a change of meaning is a new version. The types and their layouts are in `events/`, a file
 * for what they are about.
 */

import { AGENT_EVENTS, type AgentEvent } from "./events/agents.ts";
import { APPROVAL_EVENTS, type ApprovalEvent } from "./events/approvals.ts";
import { ATTEMPT_EVENTS, type AttemptEvent } from "./events/attempts.ts";
import { BALLOT_EVENTS, type BallotEvent } from "./events/ballots.ts";
import { BUDGET_EVENTS, type BudgetEvent } from "./events/budgets.ts";
import { COORDINATOR_EVENTS, type CoordinatorEvent } from "./events/coordinator.ts";
import { GUARDRAIL_EVENTS, type GuardrailEvent } from "./events/guardrails.ts";
import type { EventLayout } from "./events/layout.ts";
import { MESSAGE_EVENTS, type MessageEvent } from "./events/messages.ts";
import { PROMISE_EVENTS, type PromiseEvent } from "./events/promises.ts";
import { RESOURCE_EVENTS, type ResourceEvent } from "./events/resources.ts";
import { SHARING_EVENTS, type SharingEvent } from "./events/sharing.ts";
import { TASK_EVENTS, type TaskEvent } from "./events/tasks.ts";
import { STATE_EVENTS, type StateEvent } from "./events/versioned-state.ts";

/** What every event carries beside its own fields. */
export interface EventHead {
  /** Position in the log; the first is 1, without gaps. */
  readonly seq: number;
  /** Epoch milliseconds by the kernel's clock, which never runs backwards. */
  readonly at: number;
  /** The command that caused it, when it came with an id. */
  readonly commandId?: string;
  /** Who asked. */
  readonly by?: string;
  readonly trace?: string;
}

export type EventBody =
  | CoordinatorEvent
  | AgentEvent
  | ResourceEvent
  | BudgetEvent
  | TaskEvent
  | AttemptEvent
  | PromiseEvent
  | SharingEvent
  | ApprovalEvent
  | BallotEvent
  | GuardrailEvent
  | MessageEvent
  | StateEvent;

/** An event as the kernel makes it and as replay takes it. */
export type KernelEvent = EventHead & EventBody;
export type EventType = EventBody["type"];

/** The record format's vocabulary: append to it, never change it. */
export const EVENTS: Readonly<Record<EventType, EventLayout>> = {
  ...COORDINATOR_EVENTS,
  ...AGENT_EVENTS,
  ...RESOURCE_EVENTS,
  ...BUDGET_EVENTS,
  ...TASK_EVENTS,
  ...ATTEMPT_EVENTS,
  ...PROMISE_EVENTS,
  ...SHARING_EVENTS,
  ...APPROVAL_EVENTS,
  ...BALLOT_EVENTS,
  ...GUARDRAIL_EVENTS,
  ...MESSAGE_EVENTS,
  ...STATE_EVENTS,
};
