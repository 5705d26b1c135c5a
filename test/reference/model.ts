/**
 * What the reference scheduler knows: plain arrays, and nothing kept that can be counted. Books are no fields here: a load,
 * a count, what is allocated is added up, each time that it is asked for, from the attempts that there are.
 *
 * Amounts, loads and capacities are whole numbers of billionths, so that they add exactly.
 */

import type { OpenSettings } from "../../src/kernel/commands.ts";
import type { AttemptEnd, Phase, StopReason } from "../../src/kernel/events/attempts.ts";
import type { TaskStatus } from "../../src/kernel/views.ts";

export const BILLION = 1_000_000_000;

/** It opens on so many failures in a row; or where it has a ratio, when that share of the calls in its window has failed. */
export interface Breaker {
  readonly threshold: number;
  readonly ratio: number | undefined;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly resetMs: number;
  readonly probes: number;
}

/** What may have a breaker: an agent, or a resource. */
export interface Watched {
  breaker: Breaker | undefined;
  /** What of it the breaker has seen; times in open time. */
  failures: number;
  calls: { readonly at: number; readonly failed: boolean }[];
  openedAt: number | undefined;
  /** When those left that try whether it works again. */
  probes: number[];
}

export interface Agent extends Watched {
  readonly name: string;
  manager: boolean;
  skills: ReadonlyMap<string, number>;
  capacity: number;
  team: readonly string[];
  /** When somebody last left its team, in open time. */
  teamLostAt: number;
  minSuccess: number | "all" | "any";
  failFast: boolean;
  online: boolean;
  /** Tasks that it is given together, at most; below 2 each comes by itself. */
  maxBatch: number;
  votes: boolean;
  weight: number;
}

/** A slot, and room on an agent for a load: of one attempt, or of all that were given to it together. */
export interface Seat {
  /** The largest of those that were ever on it. */
  load: number;
}

export interface Resource extends Watched {
  readonly id: string;
  readonly rate: boolean;
  capacity: number;
  /** Of a rate: how long `capacity` tokens take; the tokens, times `per`, that there were at `levelAt`. */
  per: number;
  level: bigint;
  levelAt: number;
}

/** Money is in cents. */
export interface Budget {
  readonly id: string;
  readonly parent: Budget | undefined;
  limit: number;
  spent: number;
}

export type Amounts = ReadonlyMap<string, number>;

export interface Attempt {
  readonly token: number;
  readonly agent: Agent;
  readonly phase: Phase;
  readonly startedAt: number;
  /** Of the money that was set aside for it, what it has not spent. */
  reserved: number;
  /** Holds its slot and its load: not while it awaits others. */
  seated: boolean;
  /** The last that it had. */
  seat: Seat;
  stopping: { readonly reason: StopReason; readonly graceUntil: number } | undefined;
  /** What it waits for before it goes on. */
  awaiting: readonly Task[];
  /** When it could have gone on, in open time. */
  wishedAt: number;
  /** What more it waits for. */
  request: { readonly amounts: Amounts; readonly leaseMs: number | undefined; readonly at: number } | undefined;
  allocations: {
    readonly token: number;
    readonly amounts: Amounts;
    readonly expiresAt: number | undefined;
  }[];
}

export interface Ended {
  readonly token: number;
  readonly agent: string;
  readonly phase: Phase;
  readonly end: AttemptEnd;
}

/** Whom a task is for. */
export interface Wanted {
  readonly skills: readonly { readonly skill: string; readonly level: number }[];
  readonly pin: string | undefined;
}

/** What takes the place of a failure: others, then a value. */
export interface Fallback {
  readonly others: Wanted | undefined;
  readonly hasValue: boolean;
}

/** What abandoned code still holds. */
export interface Kept {
  readonly taskId: string;
  readonly token: number;
  readonly amounts: Amounts;
  /** Gone by then, whatever the code does. */
  readonly expiresAt: number | undefined;
}

/** Tasks that ask for the same output, while it is under way. */
export interface Flight {
  readonly key: string;
  /** Who is to give it; undefined: the one who was has not. */
  leader: Task | undefined;
  /** In the order in which they came. */
  followers: Task[];
  /** Whether others may join. */
  readonly isOpen: boolean;
}

export interface Task {
  readonly id: string;
  /** What was asked for, to know it again. */
  readonly asked: string;
  /** Its place in the order of arrival. */
  readonly arrival: number;
  /** When it was submitted, in open time. */
  readonly arrivedAt: number;
  readonly parent: Task | undefined;
  /** Of its parent's plan; undefined: submitted by code. */
  readonly round: number | undefined;
  readonly scope: Agent | undefined;
  readonly meantFor: Wanted;
  readonly fallback: Fallback | undefined;
  readonly load: number;
  readonly needs: Amounts;
  /** What it is paid from, and what each attempt is thought to cost. */
  readonly budget: Budget | undefined;
  readonly cost: number;
  readonly runsAnyway: boolean;
  readonly timeoutMs: number | undefined;
  readonly deadlineAt: number | undefined;
  readonly estimatedMs: number | undefined;
  readonly graceMs: number;
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  readonly preemptible: boolean;
  priority: number;
  status: TaskStatus;
  /** Guardrails have let its input pass. */
  accepted: boolean;
  held: boolean;
  dependsOn: readonly Task[];
  /** Those of its dependencies that it waits for. */
  unmet: Task[];
  children: Task[];
  /** Once it has been planned, who goes on with it. */
  manager: Agent | undefined;
  rounds: number;
  /** Its fallback's agents do it. */
  fellBack: boolean;
  /** The rounds that another has planned, or somebody before a person had it tried again from the start: they do not count. */
  since: number;
  attempt: Attempt | undefined;
  ended: Ended[];
  /** What its attempts have spent. */
  paid: number;
  preemptions: number;
  losses: number;
  /** Attempts of this series that count. */
  spent: number;
  avoid: string[];
  notBefore: number;
  /** When it became ready, in open time. */
  readyAt: number;
  /** How it will end, once its attempt and its subtree have. */
  ending: "failed" | "cancelled" | undefined;
  /** What of its fallback may take the place of that. */
  instead: "any" | "value" | undefined;
  promise: Promised | undefined;
  readonly cacheKey: string | undefined;
  readonly cacheMs: number;
  /** With whom it may be given to an agent together, and how long it waits for others. */
  readonly batchKey: string | undefined;
  readonly batchWaitMs: number;
  /** What somebody has to allow, if it has to be allowed, and how that stands. */
  readonly approval:
    | {
        readonly before: "run" | "output";
        readonly expiresMs: number;
        /** Agents decide, by this; undefined: a person does. */
        readonly ballot: { readonly method: string; readonly voters: readonly string[] | undefined } | undefined;
      }
    | undefined;
  /** Its run was allowed, for this series of attempts. */
  approved: boolean;
  /** Who helped to allow it. */
  approvedBy: readonly string[];
  /** Where its output has to be allowed, whether one of its own attempts gave that, before it fell back. */
  given: "own" | "other";
  /** Who made what another task gave it. */
  givenBy: readonly string[];
  /** Until when it can be allowed what was asked for. */
  askedUntil: number | undefined;
  /** Opened on what was asked for last. */
  ballot: Ballot | undefined;
}

export interface Ballot {
  readonly id: string;
  readonly options: readonly string[];
  readonly method: string;
  readonly electorate: readonly string[];
  readonly weights: ReadonlyMap<string, number>;
  readonly quorum: number | undefined;
  readonly threshold: number | undefined;
  /** Of several that lead the first wins. */
  readonly first: boolean;
  deadlineAt: number;
  /** The last of each; undefined: abstains. */
  readonly votes: Map<string, unknown>;
  open: boolean;
  /** What it decides on. */
  readonly task: Task | undefined;
  /** What it decided has been taken, or is wanted no more. */
  concluded: boolean;
}

/** What stopped attempts free, and what is free already, is kept for a task. */
export interface Promised {
  readonly agent: Agent;
  /** Those that make way, as long as they have not ended. */
  victims: readonly Task[];
}

/** The output of a task that may answer another: of which, and who made that, by itself or below it. */
export interface Given {
  readonly from: string;
  readonly by: readonly string[];
}

/** Who waits for a resource lends its priority to those that hold it and cannot be made to give it up. */
export interface Lender {
  readonly waiter: Task;
  readonly resource: Resource;
}

/** For whom something is set aside, and where: it stays so for as long as it can. */
export interface Reserved {
  readonly task: Task;
  readonly kind: "start" | "regain" | "request";
  readonly agent: Agent | undefined;
  /** When it was predicted to start, when it was made. Infinity: not foreseen. */
  readonly foreseen: number;
}

export class Model {
  settings: Required<Omit<OpenSettings, "keepCount" | "keepMs">> = {
    concurrency: 64,
    agingMs: 0,
    protectAfterMs: 30_000,
    unroutableMs: 60_000,
    strict: false,
    guardrails: {},
  };
  open = false;
  /** Starts nothing more. */
  drains = false;
  now = 0;
  /** Up to when timers have gone off: whose backoff ends in this batch is not ready for its commands. */
  timersAt = 0;
  /** Time during which no coordinator was open. */
  closedMs = 0;
  agents: Agent[] = [];
  resources: Resource[] = [];
  budgets: Budget[] = [];
  /** In order of opening. */
  ballots: Ballot[] = [];
  /** In order of arrival. */
  tasks: Task[] = [];
  /** Those of them that have an attempt, in order of its start. */
  running: Task[] = [];
  kept: Kept[] = [];
  flights: Flight[] = [];
  /** By whose output these are to be answered once guardrails have let it pass. */
  offers: Map<Task, Given> = new Map();
  /** By what the tasks have in common that ask for it: who gave the latest output, and when. */
  outputs: Map<string, Given & { readonly at: number }> = new Map();
  /** When an agent last lost a skill, or some of its level, in open time. */
  skillLostAt: Map<string, number> = new Map();
  reserved: Reserved | undefined;
  /** In the last admission, whose batch waited for more, and on whom. */
  held: ReadonlyMap<Task, Agent> = new Map();
  /** In the course of an admission, who lacked what somebody holds firmly when it began; else that is asked each time. */
  lenders: readonly Lender[] | undefined;
  tokens = 0;
  ids = 0;
  /** Everything that was given since the batch began, in order. */
  starts: string[] = [];
  /** What fell back since then, and on what. */
  fallbacks: string[] = [];

  get openMs(): number {
    return this.now - this.closedMs;
  }

  agent(name: string): Agent | undefined {
    return this.agents.find((agent) => agent.name === name);
  }

  task(id: string): Task | undefined {
    return this.tasks.find((task) => task.id === id);
  }

  resource(id: string): Resource | undefined {
    return this.resources.find((resource) => resource.id === id);
  }

  budget(id: string): Budget | undefined {
    return this.budgets.find((budget) => budget.id === id);
  }

  /** Tasks with an attempt, the oldest attempt first. */
  live(): { readonly task: Task; readonly attempt: Attempt }[] {
    return this.running.flatMap((task) => (task.attempt === undefined ? [] : [{ task, attempt: task.attempt }]));
  }
}

export function isTerminal(task: Task): boolean {
  return (
    task.status === "completed" || task.status === "failed" || task.status === "skipped" || task.status === "cancelled"
  );
}
