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
import type { Sum } from "../coordination/structures/money.ts";
import type { RateBucket } from "../coordination/structures/rate-bucket.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { PoolMember } from "./agent-pools.ts";
import type { ExtraAllocation, ExtraRequest, Kept, KeptLease, LiveAttempt } from "./attempt.ts";
import type { Batch } from "./batches.ts";
import { Outbox } from "./departed.ts";
import type { BreakerPolicy } from "./events/agents.ts";
import type { BallotOpenedEvent } from "./events/ballots.ts";
import type { OpenedEvent } from "./events/coordinator.ts";
import type { ResourceKind } from "./events/resources.ts";
import { FinishedTasks } from "./finished-tasks.ts";
import { Flights } from "./flights.ts";
import { KeptOutputs } from "./kept-outputs.ts";
import { Mailroom } from "./mailroom.ts";
import type { ReadyClass, Wish } from "./ready-queue.ts";
import type { Task, TaskStatus } from "./task.ts";
import { VersionedState } from "./versioned-state.ts";

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
