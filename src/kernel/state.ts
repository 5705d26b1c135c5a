/**
 * The state: what replaying the events gives, as plain linked objects. Only `evolve` changes it.
 *
 * 1. Nothing here is derived for speed, but for the scheduler's own marks and the count of a ballot; its queues, heaps and indexes are
 *    rebuilt.
 * 2. `allocated` of a resource, `load` of an agent and `slots` are the exact sums of what live attempts hold.
 * 3. A task has a live attempt exactly while its status is running, or waiting with its code still alive.
 */
import type { BreakerRule, BreakerState } from "../coordination/circuit-breaker.ts";
import type { Decision } from "../coordination/decisions/election.ts";
import type { Standing } from "../coordination/reputation.ts";
import type { Amount } from "../coordination/structures/amount.ts";
import type { BudgetBook } from "../coordination/structures/budget-book.ts";
import type { HeapEntry } from "../coordination/structures/indexed-heap.ts";
import type { Sum } from "../coordination/structures/money.ts";
import type { RateBucket } from "../coordination/structures/rate-bucket.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { PoolMember } from "./agent-pools.ts";
import type { Batch } from "./batches.ts";
import { Outbox } from "./departed.ts";
import type { BreakerPolicy } from "./events/agents.ts";
import type { AttemptEnd, Phase, StopReason } from "./events/attempts.ts";
import type { BallotOpenedEvent } from "./events/ballots.ts";
import type { OpenedEvent } from "./events/coordinator.ts";
import type { Failure } from "./events/failure.ts";
import type { ResourceKind } from "./events/resources.ts";
import type { Substitute, TaskSubmittedEvent } from "./events/tasks.ts";
import type { EventHead } from "./events.ts";
import { FinishedTasks } from "./finished-tasks.ts";
import { Flights } from "./flights.ts";
import { KeptOutputs } from "./kept-outputs.ts";
import { Mailroom } from "./mailroom.ts";
import type { ReadyClass, Wish } from "./ready-queue.ts";
import type { RunningPlace } from "./running-index.ts";
import type { Funding } from "./spending.ts";
import type { Timer } from "./timers.ts";
import { VersionedState } from "./versioned-state.ts";

/** Where a task stands. */
export type TaskStatus =
  | "blocked"
  | "pending"
  | "running"
  | "waiting"
  | "paused"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";

/** One attempt, as it is told afterwards. */
export interface AttemptRecord {
  readonly number: number;
  readonly agent: string;
  readonly token: number;
  readonly phase: Phase;
  readonly startedAt: number;
  endedAt: number | undefined;
  end: AttemptEnd | undefined;
  error: Failure | undefined;
  /** What it has spent: a decimal; undefined: nothing. */
  cost: string | undefined;
}

/** So much of a resource. */
export interface Need {
  readonly resource: Resource;
  readonly amount: Amount;
}

/** An attempt that has not ended: what it holds. */
export interface LiveAttempt {
  readonly task: Task;
  readonly agent: AgentState;
  readonly token: number;
  readonly phase: Phase;
  readonly startedAt: number;
  readonly record: AttemptRecord;
  /** Whether it holds its slot and load; not while it awaits others. */
  seated: boolean;
  /** With whom it shares them; undefined: with nobody. */
  batch: Batch | undefined;
  stopping: { readonly reason: StopReason; readonly graceUntil: number; readonly for: string | undefined } | undefined;
  /** The tasks that it awaits and that have not ended; undefined when it awaits nothing. */
  awaiting: Set<Task> | undefined;
  /** When the last of them ended, or it was let go on, in open milliseconds: since then it wants its seat back. */
  seatMs: number;
  /** What it asked for beyond the task's own resources, by allocation id. */
  extra: Map<string, ExtraAllocation> | undefined;
  request: ExtraRequest | undefined;
  /** What is still set aside for it of its task's budget. */
  reserved: Sum;
  /** The scheduler's own marks: its place among those that may be preempted, its wish for a seat, its timer. */
  place: RunningPlace | undefined;
  wish: Wish | undefined;
  timer: HeapEntry<Timer> | undefined;
}

/** What an abandoned attempt keeps until its code has ended. */
export interface Kept {
  readonly taskId: string;
  readonly token: number;
  readonly needs: readonly Need[];
  /** What was given to it for a time, which is gone when that is over, whatever its code does. */
  readonly leases: Set<KeptLease>;
}

/** What was given to an attempt besides, also where its code only keeps that. */
export interface Allocation {
  readonly id: string;
  readonly token: number;
  readonly needs: readonly Need[];
  readonly expiresAt: number | undefined;
}

export interface KeptLease extends Allocation {
  readonly of: Kept;
}

export interface ExtraAllocation extends Allocation {
  readonly live: LiveAttempt;
}

export interface ExtraRequest {
  readonly id: string;
  readonly live: LiveAttempt;
  readonly needs: readonly Need[];
  readonly leaseMs: number | undefined;
  /** Since when it waits, in open milliseconds. */
  readonly askedMs: number;
  /** The scheduler's own mark. */
  wish: Wish | undefined;
}

/** Room, a slot and resources set aside for a task while others make way for it. */
export interface Claim {
  readonly task: Task;
  readonly agent: AgentState;
  readonly victims: Set<LiveAttempt>;
}

/** What was asked for, and when: epoch milliseconds. */
export type Submitted = TaskSubmittedEvent & Partial<EventHead> & { readonly at: number };

/** The subtasks of a task that has any. */
export interface Family {
  /** All, in the order in which they came. */
  readonly children: Task[];
  /** Children that have not ended, and those of them that belong to the manager's present round. */
  openChildren: number;
  openRound: number;
  /** Subtasks planned so far, over all rounds; those of them that did not succeed, and those that did. */
  planned: number;
  failedChildren: number;
  completedChildren: number;
  /** Tasks of the tree below that have not ended; kept for its root only. */
  openBelow: number;
  /** What attempts at the tasks below have spent. */
  spentBelow: Sum;
}

/** How the present series of attempts goes. */
export interface Series {
  /** Attempts that count, and those lost with their process. */
  readonly failures: number;
  readonly losses: number;
  readonly preemptions: number;
  /** Agents that failed it. */
  readonly excluded: readonly string[];
  /** How often a person had it tried again, a new series each time; undefined: never. */
  readonly retries?: number;
  /** Its fallback's agents do it; how its subtasks stood when that began. */
  readonly fallback?: Before;
}

/** Of what a manager planned before another took its place: its rounds, its subtasks, and those that had ended well or not. */
export interface Before {
  readonly round: number;
  readonly planned: number;
  readonly completed: number;
  readonly failed: number;
}

/** Of a task that was never tried. */
export const FIRST_SERIES: Series = { failures: 0, losses: 0, preemptions: 0, excluded: [] };

/** Whether guardrails have let a task's input pass, and what they made of it, where that is something else. */
export type Judgement = { readonly kind: "awaited" } | { readonly kind: "accepted"; readonly input?: Json };

export const AWAITED: Judgement = { kind: "awaited" };
export const ACCEPTED: Judgement = { kind: "accepted" };

/** How a task ended. */
export interface Ended {
  readonly at: number;
  readonly output: Json | undefined;
  readonly error: Failure | undefined;
  /** Undefined: its own agents. */
  readonly via: Substitute | undefined;
  /** The task whose output it was given, when none of its own attempts gave it. */
  readonly from?: string;
  /** Its fallback's value is its output: none of its attempts gave it. */
  readonly isValue?: true;
}

/** What a task has to be allowed, or was: before its run for a whole series of attempts, before its output counts each output. */
export type Approval =
  | {
      readonly state: "asked";
      readonly before: "run" | "output";
      readonly hash: string;
      /** Number and time of the event that asked. */
      readonly seq: number;
      readonly at: number;
      readonly expiresAt: number | undefined;
      readonly ballotId: string | undefined;
      /** The attempt that gave the output, and that. */
      readonly token: number | undefined;
      readonly output: Json | undefined;
      readonly via: Substitute | undefined;
      readonly from: string | undefined;
    }
  | { readonly state: "given"; readonly who: readonly string[] };

export type AskedApproval = Extract<Approval, { readonly state: "asked" }>;

/** Of this there may be millions: what few of them have stands in an object of its own, and times are small differences. */
export interface Task {
  readonly id: string;
  /** Order of arrival. */
  readonly seq: number;
  readonly spec: Submitted;
  readonly parent: Task | undefined;
  readonly load: Amount;
  readonly needs: readonly Need[];
  /** From what it is paid; undefined: it has no budget. */
  readonly funding: Funding | undefined;
  /** Those of its dependencies that had not ended long before. */
  readonly dependsOn: Task[];
  /** Milliseconds during which no coordinator was open, before it was submitted. */
  readonly closedMs: number;
  status: TaskStatus;
  priority: number;
  /** Dependencies that have not ended well. */
  missing: number;
  /** Tasks that wait for this one; undefined when none. */
  dependents: Task[] | undefined;
  family: Family | undefined;
  /** Rounds planned so far. */
  round: number;
  /** What its next attempt is asked to do. */
  phase: Phase;
  /** Undefined: there were no guardrails on inputs yet. */
  judgement: Judgement | undefined;
  /** Held by a person until resumed. */
  held: boolean;
  /** When it last became ready: milliseconds since it arrived, during which a coordinator was open. */
  readyAfter: number;
  /** Epoch milliseconds before which it is not tried again; 0: none. */
  notBefore: number;
  live: LiveAttempt | undefined;
  attempts: AttemptRecord[];
  series: Series;
  checkpoint: Json | undefined;
  claim: Claim | undefined;
  /** Undefined: none was asked for, or none is needed. */
  approval: Approval | undefined;
  ending:
    | {
        readonly as: "failed" | "cancelled";
        readonly error: Failure | undefined;
        readonly reason: string | undefined;
        readonly fallback: "any" | "value" | undefined;
      }
    | undefined;
  ended: Ended | undefined;
  /** The scheduler's own mark: its place in the queue. */
  wish: Wish | undefined;
}

/** For whom something is set aside, and where: it stays so for as long as it can. */
export interface Reserved {
  readonly task: Task;
  readonly what: Wish["kind"];
  readonly agent: AgentState | undefined;
  /** When it could start, as was foreseen when it was made: epoch milliseconds, Infinity when it was not. */
  readonly startsAt: number;
}

export interface AgentState {
  readonly name: string;
  /** Order of first registration. */
  readonly seq: number;
  kind: "agent" | "manager";
  skills: ReadonlyMap<string, number>;
  capacity: Amount;
  load: Amount;
  running: number;
  weight: number;
  description: string | undefined;
  team: readonly string[];
  teamSet: ReadonlySet<string>;
  votes: boolean;
  /** How many tasks it is given together at most; 0: its code takes one at a time. */
  maxBatch: number;
  minSuccess: number | "all" | "any";
  failFast: boolean;
  breakerPolicy: BreakerPolicy | undefined;
  breakerRule: BreakerRule | undefined;
  breaker: BreakerState;
  online: boolean;
  /** How often its votes were right and wrong, as far as the truth became known. */
  standing: Standing;
  /** What its attempts have spent, or are taken to have. */
  spent: Sum;
  /** Promised to tasks for which others make way, and what those others will give back. */
  claimed: Amount;
  returning: Amount;
  /** When somebody last left its team, in open milliseconds; 0: never. */
  teamLostMs: number;
  /** The scheduler's own mark: the pools that it is in. */
  readonly memberships: PoolMember[];
}

export interface Resource {
  readonly id: string;
  /** Order in which it was first set. */
  readonly seq: number;
  kind: ResourceKind;
  capacity: Amount;
  allocated: Amount;
  claimed: Amount;
  returning: Amount;
  /** For a rate: what is left of its tokens. */
  rate: RateBucket | undefined;
  breakerPolicy: BreakerPolicy | undefined;
  breakerRule: BreakerRule | undefined;
  breaker: BreakerState;
  /** The scheduler's own mark: classes set aside until there is more of it. */
  readonly parked: Set<ReadyClass>;
}

export interface Budget extends BudgetBook {
  readonly parent: Budget | undefined;
  /** The scheduler's own mark: classes set aside until more of it is left. */
  readonly parked: Set<ReadyClass>;
}

export interface Ballot {
  readonly id: string;
  /** As it was opened, but that its deadline may have been put off. */
  opened: BallotOpenedEvent;
  readonly at: number;
  /** The last vote of each; undefined: abstains. */
  readonly votes: Map<string, Json | undefined>;
  open: boolean;
  /** What was true, once that is known. */
  truth: string | undefined;
  /** What these votes come to, once somebody has asked: it follows from the rest. */
  counted: Decision | undefined;
}

/** What an accepted command with an id, or a submit with a key, made. */
export interface Remembered {
  readonly ids: string[];
  /** The first of its events: what was asked, in short. */
  readonly type: string;
}

export class State {
  seq = 0;
  /** Time of the last event: epoch milliseconds. */
  at = 0;
  open = false;
  settings: OpenedEvent | undefined = undefined;
  /** Milliseconds during which no coordinator was open, between the first event and the last. */
  closedMs = 0;
  /** Trees of tasks of which any has not ended. */
  readonly tasks: Map<string, Task> = new Map();
  /** Trees that have ended and are kept. */
  readonly finished: FinishedTasks = new FinishedTasks();
  readonly outbox: Outbox = new Outbox();
  readonly agents: Map<string, AgentState> = new Map();
  readonly resources: Map<string, Resource> = new Map();
  readonly budgets: Map<string, Budget> = new Map();
  readonly ballots: Map<string, Ballot> = new Map();
  /** Messages that are kept. */
  readonly mail: Mailroom = new Mailroom();
  /** What agents share. */
  readonly shared: VersionedState = new VersionedState();
  readonly allocations: Map<string, ExtraAllocation> = new Map();
  readonly requests: Map<string, ExtraRequest> = new Map();
  /** Tasks of the present batch that depend on one that comes later in it, by its id. */
  readonly expected: Map<string, Task[]> = new Map();
  /** Tasks for which something is set aside. */
  readonly claims: Set<Task> = new Set();
  reserved: Reserved | undefined = undefined;
  /** Tasks that share an output, and outputs that answer later ones. */
  readonly flights: Flights = new Flights();
  readonly outputs: KeptOutputs = new KeptOutputs();
  /** By the token of their first attempt. */
  readonly batches: Map<number, Batch> = new Map();
  /** Live attempts by token. */
  readonly live: Map<number, LiveAttempt> = new Map();
  /** What attempts keep that were abandoned and whose code goes on, by token. */
  readonly kept: Map<number, Kept> = new Map();
  /** Of those the leases, by the id of the allocation. */
  readonly keptLeases: Map<string, KeptLease> = new Map();
  readonly commands: Map<string, Remembered> = new Map();
  readonly keys: Map<string, Remembered> = new Map();
  readonly counts: Record<TaskStatus, number> = {
    blocked: 0,
    pending: 0,
    running: 0,
    waiting: 0,
    paused: 0,
    completed: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
  /** Slots in use; promised; coming back for a promise. */
  slots = 0;
  slotsClaimed = 0;
  slotsReturning = 0;
  arrivals = 0;
  registrations = 0;
  lastToken = 0;
  /** The last generated number of a task id, a ballot id, an allocation or request id. */
  lastTaskNumber = 0;
  lastBallotNumber = 0;
  lastRequestNumber = 0;
  openBallots = 0;
  /** Whether any task may have a trace: only then events look for theirs. */
  traced = false;
  /** When an agent last lost a skill, or some of its level, by skill, in open milliseconds: until then somebody may have been able. */
  readonly skillsLost: Map<string, number> = new Map();

  /** Milliseconds during which a coordinator was open, as of `now`. */
  openMs(now: number): number {
    return now - this.closedMs;
  }
}

/** When it was submitted, in milliseconds during which a coordinator was open. */
export function arrivedMs(task: Task): number {
  return task.spec.at - task.closedMs;
}

/** When it last became ready, in milliseconds during which a coordinator was open. */
export function readyMs(task: Task): number {
  return arrivedMs(task) + task.readyAfter;
}

const NO_CHILDREN: readonly Task[] = [];

export function childrenOf(task: Task): readonly Task[] {
  return task.family?.children ?? NO_CHILDREN;
}

export function openChildrenOf(task: Task): number {
  return task.family?.openChildren ?? 0;
}

/** The task at the top of the tree that it is in. */
export function rootOf(task: Task): Task {
  let root = task;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

/** Whether the status is one that only a person's retry leaves. */
export function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

/** Whether it would start if everything else allowed it. */
export function isReady(task: Task): boolean {
  return isDue(task) && !lacksApproval(task);
}

/** Whether nothing but an approval of its run has to be asked for. */
export function isUnasked(task: Task): boolean {
  return isDue(task) && task.approval === undefined && lacksApproval(task);
}

function isDue(task: Task): boolean {
  return (
    (task.status === "pending" || (task.status === "paused" && !task.held)) &&
    task.missing === 0 &&
    task.ending === undefined &&
    task.judgement?.kind !== "awaited"
  );
}

/** Whether it may not run before somebody allows that. */
function lacksApproval({ spec, approval }: Task): boolean {
  return spec.approval?.before === "run" && approval?.state !== "given";
}

/** What is asked of others before it goes on. */
export function askedOf(task: Task): AskedApproval | undefined {
  return task.approval?.state === "asked" ? task.approval : undefined;
}

/** Whether it is kept back until guardrails have looked at its input. */
export function awaitsJudgement(task: Task): boolean {
  return task.judgement?.kind === "awaited" && task.ending === undefined && !isTerminal(task.status);
}

/** What it depends on and waits for. What it has seen fail, and is tried again since, it waits for no more. */
export function awaitedBy(task: Task): readonly Task[] {
  const open = task.dependsOn.filter(({ status }) => !isTerminal(status));
  return open.length <= task.missing ? open : open.filter(({ dependents }) => dependents?.includes(task) === true);
}

/** What agents are given: what was submitted, or what guardrails made of it. */
export function inputOf({ spec, judgement }: Task): Json {
  if (judgement?.kind === "accepted" && judgement.input !== undefined) return judgement.input;
  return spec.input ?? null;
}

/** Whether its attempt has nothing more to await and wants its slot and load back, and nobody holds it. */
export function wantsSeat(live: LiveAttempt): boolean {
  return (
    !live.seated &&
    live.stopping === undefined &&
    !live.task.held &&
    live.awaiting !== undefined &&
    live.awaiting.size === 0
  );
}
