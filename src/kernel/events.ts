/**
 * What happened. Events are the truth: the state is whatever replaying them gives. Each is past tense, self-contained
 * and versioned; the table {@link EVENTS} is the record format's vocabulary and only ever grows: a code is never used
 * again, a field is never moved, and a change of meaning is a new version.
 */

import type { Standing } from "../coordination/reputation.ts";
import type { Json, SkillRequirement } from "../coordination/structures/types.ts";
import type { ErrorCode } from "../errors.ts";

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

/** Why an attempt was told to stop. */
export type StopReason = "preempted" | "paused" | "cancelled" | "timeout" | "deadline";

/** How an attempt ended. */
export type AttemptEnd = "completed" | "failed" | "timeout" | "preempted" | "cancelled" | "lost" | "abandoned";

/** What an attempt is asked to do: an ordinary agent's work, or one of a manager's two phases. */
export type Phase = "run" | "plan" | "aggregate";

/** An error as data, as it is journaled. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly details?: { readonly [key: string]: Json };
}

/** How often and after how long a failed task is tried again: exponential backoff. */
export interface RetryPolicy {
  readonly maxAttempts?: number;
  readonly initialMs?: number;
  readonly maxMs?: number;
  readonly factor?: number;
  readonly jitter?: boolean;
}

/**
 * What takes the place of a failure: a series of attempts by whom this describes, then the value. Each may be left out, but not
 * all.
 */
export interface FallbackPolicy {
  /** The only agent that may do it then. */
  readonly agent?: string;
  /** What its agent must be able to do then. Left out, with an agent: nothing. */
  readonly skills?: readonly SkillRequirement[];
  /** The output when nobody has given one. */
  readonly value?: Json;
}

/** Who gave an output that its task's own agents did not give. */
export type Substitute = "fallback" | "cache";

/**
 * Whom a task must be allowed by. Before it runs: once for each series of attempts. Before its output counts: each output
 * anew, when the attempt that gave it has ended and holds nothing any more.
 */
export interface ApprovalPolicy {
  /** Default: `"run"`. */
  readonly before?: "run" | "output";
  /**
   * Default: `"person"`, which is whoever calls `approve` or `reject`. By ballot: of these voters, or of all agents that vote;
   * it is decided by this method over the options `approve` and `reject`, and whatever else comes of it is a rejection.
   */
  readonly by?: "person" | { readonly ballot: string; readonly voters?: readonly string[] };
  /** Milliseconds from when it is asked for: a person's approval that has not come by then fails the task with TIMEOUT, a ballot is closed. Default: never, for a ballot 30 000. */
  readonly expiresMs?: number;
}

/** When an agent that keeps failing gets no more tasks; see `CircuitBreaker`. */
export interface BreakerPolicy {
  readonly failureThreshold?: number;
  readonly ratio?: number;
  readonly minCalls?: number;
  readonly windowMs?: number;
  readonly resetMs?: number;
  readonly halfOpenMax?: number;
}

/** What a resource is. For people and listings: no kind is treated differently. */
export type ResourceKind = "compute" | "memory" | "storage" | "api_call" | "data";

/** What a guardrail looks at. */
export type GuardedPoint = "input" | "output" | "action";

/** Names of the guardrails that look at each of these, in the order in which they are asked; absent: none does. */
export type GuardrailNames = Readonly<Partial<Record<GuardedPoint, readonly string[]>>>;

/** What a guardrail said. */
export interface GivenVerdict {
  readonly guardrail: string;
  readonly verdict: "allow" | "block" | "change";
  /** Why it blocks. */
  readonly reason?: string;
}

export interface OpenedEvent {
  readonly type: "coordinator.opened";
  readonly v: 1;
  readonly concurrency: number;
  /** Absent: aging is off. */
  readonly agingMs?: number;
  /** Absent: never. */
  readonly protectAfterMs?: number;
  readonly unroutableMs: number;
  /** How many ended tasks are kept in memory; absent: all. */
  readonly keepCount?: number;
  /** For how long at most; absent: for ever. */
  readonly keepMs?: number;
  /** Whether an abandoned attempt keeps its resources until its code has ended. */
  readonly strict?: true;
  readonly guardrails?: GuardrailNames;
}
export interface ClosedEvent {
  readonly type: "coordinator.closed";
  readonly v: 1;
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

/** A new budget, or another limit for one. Money is a plain decimal here and everywhere. */
export interface BudgetSetEvent {
  readonly type: "budget.set";
  readonly v: 1;
  readonly budget: string;
  readonly limit: string;
  /** The budget that it is part of, told once. */
  readonly parent?: string;
}
/** An attempt spends so much: of what is set aside for it first, then of what is left. Told before it is spent. */
export interface BudgetSpentEvent {
  readonly type: "budget.spent";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly amount: string;
  /** On what. */
  readonly what?: string;
}

/** What a task asks for, with defaults left out. Amounts are numbers of at most nine places. */
export interface TaskFields {
  readonly name?: string;
  readonly input?: Json;
  readonly context?: Json;
  readonly skills?: readonly SkillRequirement[];
  /** A pin. */
  readonly agent?: string;
  readonly priority?: number;
  readonly load?: number;
  /** Global ids. */
  readonly dependsOn?: readonly string[];
  /** The same as they were written, where that differs. */
  readonly dependsOnAs?: readonly string[];
  readonly onDependencyFailure?: "run";
  readonly resources?: Readonly<Record<string, number>>;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly estimatedMs?: number;
  readonly graceMs?: number;
  readonly retry?: RetryPolicy;
  readonly preemptible?: false;
  /** From what it is paid: its own, or its parent's. */
  readonly budget?: string;
  /** What an attempt is thought to cost: a decimal above 0. */
  readonly cost?: string;
  readonly fallback?: FallbackPolicy;
  /** Tasks of one key, that the same agents may do, share one output. */
  readonly cacheKey?: string;
  /** How old an output may be to answer it. */
  readonly cacheMs?: number;
  /** `before` is always told; `by` only where it is a ballot. */
  readonly approval?: ApprovalPolicy;
  /** Tasks of one key, that ask for the same, are given to an agent together if it takes them so. */
  readonly batchKey?: string;
  /** For how long, from when it is ready, it waits for others of its key. */
  readonly batchWaitMs?: number;
}
export interface TaskSubmittedEvent extends TaskFields {
  readonly type: "task.submitted";
  readonly v: 1;
  readonly taskId: string;
  readonly parentId?: string;
  /** The round of the parent's plan that it belongs to; absent: submitted by an agent's own code. */
  readonly round?: number;
  /** The manager whose team may do it. */
  readonly scope?: string;
  /** Epoch milliseconds by which it must have ended; own or inherited, whichever is earlier. */
  readonly deadlineAt?: number;
  /** The idempotency key of the call. */
  readonly key?: string;
  /** How those of its dependencies ended that had left memory. */
  readonly archived?: Readonly<Record<string, "completed" | "failed" | "skipped" | "cancelled">>;
}
/** An attempt begins: it holds a slot, room on the agent and all its resources from now on. */
export interface TaskStartedEvent {
  readonly type: "task.started";
  readonly v: 1;
  readonly taskId: string;
  readonly agent: string;
  /** Fencing token: grows with every grant and every attempt. */
  readonly token: number;
  readonly attempt: number;
  readonly phase: Phase;
  /** The token of the first attempt of those that the agent is given together; absent: it is given alone. */
  readonly batch?: number;
}
export interface TaskCompletedEvent {
  readonly type: "task.completed";
  readonly v: 1;
  readonly taskId: string;
  /** The attempt that gave the output; absent: none did. */
  readonly token?: number;
  readonly output: Json;
  /** Absent: one of the agents that it was meant for. */
  readonly via?: Substitute;
  /** The task whose output answers it, by their `cacheKey`. */
  readonly from?: string;
}
/** What it was meant for is spent, or is not to be had: from now on its fallback does it, or stands for it. */
export interface TaskFellBackEvent {
  readonly type: "task.fell-back";
  readonly v: 1;
  readonly taskId: string;
  /** Other agents try it from now on; or the value is its output, and `task.completed` follows. */
  readonly to: "agents" | "value";
  /** What it would have failed with. */
  readonly error: Failure;
}
/** Of the tasks of its `cacheKey` it is the one that is to give the output; `alone`: for itself, since others wait for it. */
export interface FlightLedEvent {
  readonly type: "flight.led";
  readonly v: 1;
  readonly taskId: string;
  readonly alone?: true;
}
/** It waits for the output that another of its `cacheKey` is to give. */
export interface FlightJoinedEvent {
  readonly type: "flight.joined";
  readonly v: 1;
  readonly taskId: string;
  readonly leader: string;
}
/** This output is to answer the task once the guardrails on outputs have let it pass for it too. */
export interface OutputOfferedEvent {
  readonly type: "output.offered";
  readonly v: 1;
  readonly taskId: string;
  /** The task that gave it. */
  readonly from: string;
  readonly output: Json;
}
export interface TaskFailedEvent {
  readonly type: "task.failed";
  readonly v: 1;
  readonly taskId: string;
  readonly error: Failure;
}
export interface TaskSkippedEvent {
  readonly type: "task.skipped";
  readonly v: 1;
  readonly taskId: string;
  /** The dependency that did not succeed. */
  readonly dependency: string;
  readonly error: Failure;
}
export interface TaskCancelledEvent {
  readonly type: "task.cancelled";
  readonly v: 1;
  readonly taskId: string;
  readonly reason?: string;
}
/** The task will end so as soon as its attempt and its subtree have ended. */
export interface TaskEndingEvent {
  readonly type: "task.ending";
  readonly v: 1;
  readonly taskId: string;
  readonly as: "failed" | "cancelled";
  readonly error?: Failure;
  readonly reason?: string;
  /** Which of its fallback may take the place of the failure then. Absent: nothing. */
  readonly fallback?: "any" | "value";
}
/** An attempt ended in another way than by giving the task's output. What it held is free. */
export interface AttemptEndedEvent {
  readonly type: "attempt.ended";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly end: AttemptEnd;
  readonly error?: Failure;
  /** When it may be tried again: epoch milliseconds. Absent: at once, or never. */
  readonly notBefore?: number;
  /** Of an abandoned one: its resources stay taken until `attempt.gone`; its slot and room are free. */
  readonly keeps?: true;
  /** What was still set aside for an attempt of which nobody knows what it spent: taken as spent. */
  readonly assumed?: string;
  /** Of a lost one: its lease ran out while its process lived, so that it is its agent's failure. */
  readonly missed?: true;
}
/** The code of an abandoned attempt that kept its resources has ended, or its process has: they are free. */
export interface AttemptGoneEvent {
  readonly type: "attempt.gone";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
}
export interface AttemptStoppingEvent {
  readonly type: "attempt.stopping";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly reason: StopReason;
  /** After this it is abandoned: epoch milliseconds. */
  readonly graceUntil: number;
  /** The task that it makes way for. */
  readonly for?: string;
}
/** What the stopped attempts free, and what is free already, is set aside for this task on this agent. */
export interface TaskPromisedEvent {
  readonly type: "task.promised";
  readonly v: 1;
  readonly taskId: string;
  readonly agent: string;
  /** Tokens of the attempts that make way. */
  readonly victims: readonly number[];
}
export interface PromiseDroppedEvent {
  readonly type: "promise.dropped";
  readonly v: 1;
  readonly taskId: string;
}
/** It has waited long enough: what it needs is set aside for it, its room on this agent, until it has it or is dropped. */
export interface ReservationMadeEvent {
  readonly type: "reservation.made";
  readonly v: 1;
  readonly taskId: string;
  /** What of it: its next attempt, its attempt's seat, or more of a resource for its attempt. */
  readonly what: "start" | "regain" | "request";
  readonly agent?: string;
  /** When it could start, by the estimates of what runs: epoch milliseconds. Absent: they do not tell. */
  readonly startsAt?: number;
}
/** Nothing is set aside any more. */
export interface ReservationDroppedEvent {
  readonly type: "reservation.dropped";
  readonly v: 1;
  readonly taskId: string;
}
export interface TaskPausedEvent {
  readonly type: "task.paused";
  readonly v: 1;
  readonly taskId: string;
}
export interface TaskResumedEvent {
  readonly type: "task.resumed";
  readonly v: 1;
  readonly taskId: string;
}
export interface TaskPrioritizedEvent {
  readonly type: "task.prioritized";
  readonly v: 1;
  readonly taskId: string;
  readonly priority: number;
}
export interface TaskRetriedEvent {
  readonly type: "task.retried";
  readonly v: 1;
  readonly taskId: string;
}
/**
 * The task waits until it is allowed to go on. Before its output counts, `token` is the attempt that gave `output`: it has
 * completed, and what it held is free. Absent: a value stands for it.
 */
export interface ApprovalAskedEvent {
  readonly type: "approval.asked";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  /** Of what is to be approved: SHA-256 in hexadecimal. Never the same twice, since the number of this event is in it. */
  readonly hash: string;
  readonly token?: number;
  readonly output?: Json;
  /** Who gave the output, where that was not whom the task was meant for. */
  readonly via?: Substitute;
  /** The task of the same `cacheKey` that gave it. */
  readonly from?: string;
  /** Epoch milliseconds from which it is too late; where a ballot decides, that has the time. */
  readonly expiresAt?: number;
}
export interface ApprovalGivenEvent {
  readonly type: "approval.given";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  readonly hash: string;
  /** Who approved, as far as they have names: none of them runs the task. */
  readonly who: readonly string[];
  readonly ballotId?: string;
}
/** The task fails: `task.failed`, or `task.ending` and then that, follows. */
export interface ApprovalRejectedEvent {
  readonly type: "approval.rejected";
  readonly v: 1;
  readonly taskId: string;
  readonly before: "run" | "output";
  readonly hash: string;
  readonly reason: string;
  readonly who: readonly string[];
  readonly ballotId?: string;
}
export interface CheckpointedEvent {
  readonly type: "attempt.checkpointed";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly state: Json;
}
/** A manager's phase ended with subtasks (their `task.submitted` follow); it waits for them and holds nothing. */
export interface TaskPlannedEvent {
  readonly type: "task.planned";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly round: number;
  /** Subtasks of this round. */
  readonly count: number;
}
/** An attempt awaits other tasks: it gives up its slot and load, and keeps its resources. */
export interface AttemptWaitingEvent {
  readonly type: "attempt.waiting";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly on: readonly string[];
}
/** It has its slot and load again. */
export interface AttemptRegainedEvent {
  readonly type: "attempt.regained";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
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
export interface BreakerChangedEvent {
  readonly type: "breaker.changed";
  readonly v: 1;
  readonly agent: string;
  readonly state: "closed" | "open" | "half-open";
}
/** A resource whose holders fail too often is given to nobody (open), to a few (half-open), or to all again. */
export interface ResourceBreakerChangedEvent {
  readonly type: "resource.breaker-changed";
  readonly v: 1;
  readonly resource: string;
  readonly state: "closed" | "open" | "half-open";
}
export interface BallotOpenedEvent {
  readonly type: "ballot.opened";
  readonly v: 1;
  readonly ballotId: string;
  readonly question: string;
  readonly options: readonly string[];
  readonly method: string;
  readonly electorate: readonly string[];
  readonly weights: Readonly<Record<string, number>>;
  readonly quorum?: number | { readonly atLeast: string };
  readonly threshold?: number | { readonly atLeast: string };
  readonly tieBreak?: Json;
  readonly deadlineAt: number;
  readonly context?: Json;
  /** The task that waits for it: what is to be approved there is the voters' context. */
  readonly approves?: string;
}
export interface BallotCastEvent {
  readonly type: "ballot.cast";
  readonly v: 1;
  readonly ballotId: string;
  readonly voter: string;
  /** Absent: the voter gives none. */
  readonly vote?: Json;
}
export interface BallotDecidedEvent {
  readonly type: "ballot.decided";
  readonly v: 1;
  readonly ballotId: string;
  readonly outcome: "decided" | "tied" | "no_majority" | "no_consensus" | "no_quorum";
  readonly decision?: string;
}
/** The truth became known: who voted for something has learned how often it is right. */
export interface BallotRevealedEvent {
  readonly type: "ballot.revealed";
  readonly v: 1;
  readonly ballotId: string;
  readonly truth: string;
  /** How those who were right or wrong stand from now on, this ballot among the others. */
  readonly learned: Readonly<Record<string, Standing>>;
}

/** A guardrail has looked at a task's input, at an output, or at an action that an attempt is about to take. */
export interface GuardrailJudgedEvent extends GivenVerdict {
  readonly type: "guardrail.judged";
  readonly v: 1;
  readonly taskId: string;
  readonly on: GuardedPoint;
  /** Of an output and an action: the attempt's, and whose it is. */
  readonly token?: number;
  readonly agent?: string;
  /** The name of the action. */
  readonly action?: string;
}
/** All guardrails let the task's input pass: from now on it may be given to an agent. */
export interface InputAcceptedEvent {
  readonly type: "input.accepted";
  readonly v: 1;
  readonly taskId: string;
  /** What agents are given instead of what was submitted; absent: that itself. */
  readonly input?: Json;
}
/** An attempt sent a message, to an agent or to a topic. */
export interface MessageSentEvent {
  readonly type: "message.sent";
  readonly v: 1;
  readonly messageId: string;
  /** The agent whose attempt sent it. */
  readonly from: string;
  readonly to?: string;
  readonly topic?: string;
  readonly body: Json;
  /** Characters of the body as JSON. */
  readonly size: number;
  readonly taskId: string;
  readonly token: number;
}
/** An agent has read messages: they are handed to it no more. */
export interface MessageReadEvent {
  readonly type: "message.read";
  readonly v: 1;
  readonly agent: string;
  readonly ids: readonly string[];
  readonly taskId: string;
  readonly token: number;
}
/** A key of the shared state has another value. */
export interface StateSetEvent {
  readonly type: "state.set";
  readonly v: 1;
  readonly key: string;
  readonly value: Json;
  /** Higher than any that the key ever had. */
  readonly version: number;
  /** Characters of key and value as JSON. */
  readonly size: number;
  readonly taskId: string;
  readonly token: number;
}
/** A key of the shared state is gone. */
export interface StateDeletedEvent {
  readonly type: "state.deleted";
  readonly v: 1;
  readonly key: string;
  /** The version that it had. */
  readonly version: number;
  readonly taskId: string;
  readonly token: number;
}

export type EventBody =
  | OpenedEvent
  | ClosedEvent
  | AgentRegisteredEvent
  | AgentUnregisteredEvent
  | TeamChangedEvent
  | ResourceSetEvent
  | BudgetSetEvent
  | BudgetSpentEvent
  | TaskSubmittedEvent
  | TaskStartedEvent
  | TaskCompletedEvent
  | TaskFailedEvent
  | TaskSkippedEvent
  | TaskCancelledEvent
  | TaskEndingEvent
  | TaskFellBackEvent
  | AttemptEndedEvent
  | AttemptStoppingEvent
  | TaskPromisedEvent
  | PromiseDroppedEvent
  | ReservationMadeEvent
  | ReservationDroppedEvent
  | TaskPausedEvent
  | TaskResumedEvent
  | TaskPrioritizedEvent
  | TaskRetriedEvent
  | ApprovalAskedEvent
  | ApprovalGivenEvent
  | ApprovalRejectedEvent
  | CheckpointedEvent
  | TaskPlannedEvent
  | AttemptWaitingEvent
  | AttemptRegainedEvent
  | ResourceRequestedEvent
  | ResourceGrantedEvent
  | ResourceReleasedEvent
  | ResourceRefusedEvent
  | BreakerChangedEvent
  | ResourceBreakerChangedEvent
  | AttemptGoneEvent
  | BallotOpenedEvent
  | BallotCastEvent
  | BallotDecidedEvent
  | BallotRevealedEvent
  | GuardrailJudgedEvent
  | InputAcceptedEvent
  | MessageSentEvent
  | MessageReadEvent
  | StateSetEvent
  | StateDeletedEvent
  | FlightLedEvent
  | FlightJoinedEvent
  | OutputOfferedEvent;

/** An event as the kernel makes it and as replay takes it. */
export type KernelEvent = EventHead & EventBody;
export type EventType = EventBody["type"];

type FieldsOf<T extends EventType> = Exclude<keyof Extract<EventBody, { type: T }>, "type" | "v"> & string;
/** Code and field order of one version of one type of event, for ever. */
export interface EventLayout {
  readonly code: number;
  readonly v: number;
  readonly fields: readonly string[];
}
function layout<T extends EventType>(code: number, fields: readonly FieldsOf<T>[]): EventLayout {
  return { code, v: 1, fields };
}

/** The record format's vocabulary: append to it, never change it. */
export const EVENTS: Readonly<Record<EventType, EventLayout>> = {
  "coordinator.opened": layout<"coordinator.opened">(1, [
    "concurrency",
    "agingMs",
    "protectAfterMs",
    "unroutableMs",
    "keepCount",
    "keepMs",
    "strict",
    "guardrails",
  ]),
  "coordinator.closed": layout<"coordinator.closed">(2, []),
  "agent.registered": layout<"agent.registered">(3, [
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
  ]),
  "agent.unregistered": layout<"agent.unregistered">(4, ["agent"]),
  "team.changed": layout<"team.changed">(5, ["agent", "team"]),
  "resource.set": layout<"resource.set">(6, ["resource", "kind", "capacity", "per", "breaker"]),
  "task.submitted": layout<"task.submitted">(7, [
    "taskId",
    "input",
    "skills",
    "priority",
    "name",
    "context",
    "agent",
    "load",
    "dependsOn",
    "dependsOnAs",
    "onDependencyFailure",
    "resources",
    "timeoutMs",
    "deadlineMs",
    "estimatedMs",
    "graceMs",
    "retry",
    "preemptible",
    "parentId",
    "round",
    "scope",
    "deadlineAt",
    "key",
    "archived",
    "budget",
    "cost",
    "fallback",
    "cacheKey",
    "cacheMs",
    "approval",
    "batchKey",
    "batchWaitMs",
  ]),
  "task.started": layout<"task.started">(8, ["taskId", "agent", "token", "attempt", "phase", "batch"]),
  "task.completed": layout<"task.completed">(9, ["taskId", "token", "output", "via", "from"]),
  "task.failed": layout<"task.failed">(10, ["taskId", "error"]),
  "task.skipped": layout<"task.skipped">(11, ["taskId", "dependency", "error"]),
  "task.cancelled": layout<"task.cancelled">(12, ["taskId", "reason"]),
  "task.ending": layout<"task.ending">(13, ["taskId", "as", "error", "reason", "fallback"]),
  "attempt.ended": layout<"attempt.ended">(14, [
    "taskId",
    "token",
    "end",
    "error",
    "notBefore",
    "keeps",
    "assumed",
    "missed",
  ]),
  "attempt.stopping": layout<"attempt.stopping">(15, ["taskId", "token", "reason", "graceUntil", "for"]),
  "task.promised": layout<"task.promised">(16, ["taskId", "agent", "victims"]),
  "promise.dropped": layout<"promise.dropped">(17, ["taskId"]),
  "task.paused": layout<"task.paused">(18, ["taskId"]),
  "task.resumed": layout<"task.resumed">(19, ["taskId"]),
  "task.prioritized": layout<"task.prioritized">(20, ["taskId", "priority"]),
  "task.retried": layout<"task.retried">(21, ["taskId"]),
  "attempt.checkpointed": layout<"attempt.checkpointed">(22, ["taskId", "token", "state"]),
  "task.planned": layout<"task.planned">(23, ["taskId", "token", "round", "count"]),
  "attempt.waiting": layout<"attempt.waiting">(24, ["taskId", "token", "on"]),
  "attempt.regained": layout<"attempt.regained">(25, ["taskId", "token"]),
  "resource.requested": layout<"resource.requested">(26, ["requestId", "taskId", "token", "amounts", "leaseMs"]),
  "resource.granted": layout<"resource.granted">(27, [
    "allocationId",
    "taskId",
    "token",
    "allocationToken",
    "amounts",
    "expiresAt",
    "requestId",
  ]),
  "resource.released": layout<"resource.released">(28, ["allocationId", "why"]),
  "resource.refused": layout<"resource.refused">(29, ["requestId", "error"]),
  "breaker.changed": layout<"breaker.changed">(30, ["agent", "state"]),
  "ballot.opened": layout<"ballot.opened">(31, [
    "ballotId",
    "question",
    "options",
    "method",
    "electorate",
    "weights",
    "quorum",
    "threshold",
    "tieBreak",
    "deadlineAt",
    "context",
    "approves",
  ]),
  "ballot.cast": layout<"ballot.cast">(32, ["ballotId", "voter", "vote"]),
  "ballot.decided": layout<"ballot.decided">(33, ["ballotId", "outcome", "decision"]),
  "reservation.made": layout<"reservation.made">(34, ["taskId", "what", "agent", "startsAt"]),
  "reservation.dropped": layout<"reservation.dropped">(35, ["taskId"]),
  "approval.asked": layout<"approval.asked">(42, [
    "taskId",
    "before",
    "hash",
    "token",
    "output",
    "expiresAt",
    "via",
    "from",
  ]),
  "approval.given": layout<"approval.given">(43, ["taskId", "before", "hash", "who", "ballotId"]),
  "approval.rejected": layout<"approval.rejected">(44, ["taskId", "before", "hash", "reason", "who", "ballotId"]),
  "resource.breaker-changed": layout<"resource.breaker-changed">(50, ["resource", "state"]),
  "attempt.gone": layout<"attempt.gone">(51, ["taskId", "token"]),
  "ballot.revealed": layout<"ballot.revealed">(62, ["ballotId", "truth", "learned"]),
  "guardrail.judged": layout<"guardrail.judged">(47, [
    "taskId",
    "guardrail",
    "on",
    "verdict",
    "reason",
    "token",
    "agent",
    "action",
  ]),
  "input.accepted": layout<"input.accepted">(48, ["taskId", "input"]),
  "message.sent": layout<"message.sent">(58, ["messageId", "from", "to", "topic", "body", "size", "taskId", "token"]),
  "message.read": layout<"message.read">(59, ["agent", "ids", "taskId", "token"]),
  "state.set": layout<"state.set">(65, ["key", "value", "version", "size", "taskId", "token"]),
  "state.deleted": layout<"state.deleted">(66, ["key", "version", "taskId", "token"]),
  "budget.set": layout<"budget.set">(36, ["budget", "limit", "parent"]),
  "budget.spent": layout<"budget.spent">(37, ["taskId", "token", "amount", "what"]),
  "task.fell-back": layout<"task.fell-back">(52, ["taskId", "to", "error"]),
  "flight.led": layout<"flight.led">(54, ["taskId", "alone"]),
  "flight.joined": layout<"flight.joined">(55, ["taskId", "leader"]),
  "output.offered": layout<"output.offered">(56, ["taskId", "from", "output"]),
};
