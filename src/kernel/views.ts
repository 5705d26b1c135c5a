/** What is told about the state: plain data, made when asked for. Nothing here is on a hot path. */

import { breakerStatus } from "../coordination/circuit-breaker.ts";
import type { Decision } from "../coordination/decisions/election.ts";
import { accuracyOf, NO_STANDING } from "../coordination/reputation.ts";
import { amountToNumber, ratio, subtractToZero } from "../coordination/structures/amount.ts";
import { availableIn, overrunAt } from "../coordination/structures/budget-book.ts";
import { FirstInOrder } from "../coordination/structures/first-in-order.ts";
import { NO_MONEY, type Sum, textOf } from "../coordination/structures/money.ts";
import type { Json } from "../coordination/structures/types.ts";
import { availableOf } from "./availability.ts";
import { classOfTask } from "./class-of-task.ts";
import { countOf } from "./decide/ballots.ts";
import type { AttemptEnd, Phase } from "./events/attempts.ts";
import type { BallotOpenedEvent } from "./events/ballots.ts";
import type { Failure } from "./events/failure.ts";
import type { ResourceKind } from "./events/resources.ts";
import type { Substitute } from "./events/tasks.ts";
import { type Subtasks, seqIn, statusIn, type Thawed, thaw } from "./finished-row.ts";
import type { Offer } from "./flights.ts";
import type { Indexes } from "./indexes.ts";
import { ownCost } from "./spending.ts";
import type { AgentState, Ballot, State } from "./state.ts";
import { askedOf, awaitsJudgement, childrenOf, inputOf, othersPlans, type Task, type TaskStatus } from "./task.ts";

export type { TaskStatus } from "./task.ts";

export interface AttemptView {
  readonly number: number;
  readonly agent: string;
  readonly token: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly end?: AttemptEnd;
  readonly error?: Failure;
  readonly phase: Phase;
  /** What it has spent: a decimal. */
  readonly cost: string;
}

/** Everything that a runner, or an outcome, needs of a task. */
export interface TaskView {
  readonly id: string;
  readonly name?: string;
  readonly status: TaskStatus;
  /** What its agent is given: as it was submitted, or as guardrails changed it. */
  readonly input: Json;
  /** Whether it is kept back until guardrails have looked at its input. */
  readonly awaitsJudgement: boolean;
  /** The output of another that is to answer it once guardrails have let it pass. */
  readonly offer?: Offer;
  readonly context?: Json;
  readonly parentId?: string;
  /** What it asks for by name, as one text. */
  readonly class: string;
  readonly priority: number;
  /** The highest among its own and those that wait for it. */
  readonly effectivePriority: number;
  readonly deadlineAt?: number;
  /** What an attempt is estimated to cost, where that is more than nothing. */
  readonly estimatedCost?: string;
  readonly timeoutMs?: number;
  readonly graceMs?: number;
  readonly submittedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The last that it was given to. */
  readonly agent?: string;
  readonly attempts: readonly AttemptView[];
  readonly checkpoint?: Json;
  readonly output?: Json;
  readonly error?: Failure;
  readonly via?: "agent" | Substitute;
  readonly dependencies: readonly { readonly id: string; readonly as: string }[];
  /** Rounds planned so far, for a manager's task. */
  readonly round: number;
  /** Subtasks in plan order over all rounds, then tasks that its code submitted. */
  readonly children: readonly string[];
  /** How many of them were planned: those come first. */
  readonly planned: number;
  /** Its fallback's agents do it. */
  readonly fallback?: true;
  /** Rounds and subtasks among those above for which whoever does it now does not answer; absent: none. */
  readonly othersPlans?: { readonly round: number; readonly planned: number };
  /** How often a person had it tried again; absent: never. */
  readonly retries?: number;
  readonly held: boolean;
  /** What its attempts, and those of all below it, have spent: a decimal. */
  readonly cost: string;
}

/** Which tasks are meant. `after`: only those submitted after that one; `limit`: at most so many. */
export interface TaskFilter {
  readonly status?: TaskStatus;
  readonly agent?: string;
  readonly parentId?: string;
  readonly limit?: number;
  readonly after?: string;
  /** The same for a task that has left memory: the number of its arrival. */
  readonly afterSeq?: number;
}

/** A task as listings show it. Instants are epoch milliseconds; `cost` is what it and all below it have spent, a decimal. */
export interface TaskInfo {
  readonly id: string;
  readonly name?: string;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly agent?: string;
  readonly parentId?: string;
  readonly submittedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly attempts: number;
  readonly cost: string;
  /** What it waits to be allowed, and by whom; what exactly is approved there, `explain` tells. */
  readonly approval?: {
    readonly before: "run" | "output";
    readonly hash: string;
    readonly askedAt: number;
    readonly expiresAt?: number;
    /** Absent: a person is asked. */
    readonly ballotId?: string;
  };
}

/** An agent as it stands: what it can do, and what it has to do. */
export interface AgentInfo {
  readonly name: string;
  readonly skills: Readonly<Record<string, number>>;
  readonly capacity: number;
  readonly load: number;
  readonly utilization: number;
  readonly running: number;
  readonly breaker: "closed" | "open" | "half-open";
  readonly online: boolean;
  /** How often its votes are right, above 0 and below 1; absent as long as the truth was revealed of none of them. */
  readonly accuracy?: number;
  /** What its attempts have ever spent, as far as the journal knows, those that were lost included: a decimal. */
  readonly cost: string;
  readonly team?: readonly string[];
}

/** A resource as it stands: how much there is, who holds it, and how many tasks wait for it. */
export interface ResourceInfo {
  readonly id: string;
  readonly type: ResourceKind;
  readonly capacity: number;
  readonly allocated: number;
  readonly available: number;
  readonly waiting: number;
  readonly holders: readonly {
    readonly holder: string;
    readonly amount: number;
    readonly token: number;
    readonly expiresAt?: number;
  }[];
  /** Where it has a breaker. */
  readonly breaker?: "closed" | "open" | "half-open";
}

/** A budget as it stands. All but the names are decimals. */
export interface BudgetInfo {
  readonly id: string;
  /** The budget that it is part of. */
  readonly parent?: string;
  readonly limit: string;
  /** Set aside for attempts that run, under it and below it. */
  readonly reserved: string;
  readonly spent: string;
  /** By how much what is spent and set aside is beyond the limit; while it is, nothing starts at its expense. */
  readonly overrun: string;
  /** What could be set aside now: the least that is left of it and of all above it. */
  readonly available: string;
}

export interface BallotView {
  readonly ballotId: string;
  readonly open: boolean;
  readonly opened: BallotOpenedEvent;
  readonly openedAt: number;
  /** Who has voted, or said that it abstains. */
  readonly voted: readonly string[];
  /** The count as it stands; final when the ballot is closed. */
  readonly decision: Decision<string>;
}

/** One thing that a task waits for: what it needs, what there is, and who has it. `text` says it in words. */
export interface Reason {
  readonly code:
    | "dependencies"
    | "concurrency"
    | "skills"
    | "room"
    | "resource"
    | "budget"
    | "breaker"
    | "offline"
    | "backoff"
    | "approval"
    | "held"
    | "reserved"
    | "beyond-backfill-depth";
  readonly need?: Json;
  readonly have?: Json;
  readonly who?: readonly string[];
  readonly text: string;
}

/** Why a task runs, waits or ended: the scheduler's own verdict, as of `seq`. */
export interface Explanation {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly verdict: "running" | "waiting" | "refused" | "ended";
  readonly agent?: string;
  readonly text: string;
  readonly reasons: readonly Reason[];
  readonly seq: number;
}

/** The fields of an object that have a value: what an optional property needs. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function present<T extends object>(fields: T): Present<T> {
  const made: object = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return made as Present<T>;
}

export function taskView(
  task: Task,
  effectivePriority: number,
  { children, planned, spentBelow }: Subtasks & Pick<Thawed, "spentBelow">,
  offer?: Offer,
): TaskView {
  const { spec, ended } = task;
  const attempts = task.attempts.map((attempt) => ({ ...present({ ...attempt }), cost: attempt.cost ?? "0" }));
  return {
    id: task.id,
    status: task.status,
    input: inputOf(task),
    awaitsJudgement: awaitsJudgement(task),
    ...(offer === undefined ? {} : { offer }),
    class: classOfTask(spec),
    priority: task.priority,
    effectivePriority,
    submittedAt: spec.at,
    attempts,
    dependencies: (spec.dependsOn ?? []).map((id, i) => ({ id, as: spec.dependsOnAs?.[i] ?? id })),
    round: task.round,
    planned,
    children,
    held: task.held,
    cost: textOf(ownCost(task).plus(spentBelow)),
    ...present({
      name: spec.name,
      fallback: task.series.fallback && (true as const),
      othersPlans: othersPlans(task.series),
      retries: task.series.retries,
      context: spec.context,
      parentId: spec.parentId,
      deadlineAt: spec.deadlineAt,
      estimatedCost: spec.cost,
      timeoutMs: spec.timeoutMs,
      graceMs: spec.graceMs,
      startedAt: task.attempts[0]?.startedAt,
      endedAt: ended?.at,
      agent: ended?.from === undefined && ended?.isValue === undefined ? task.attempts.at(-1)?.agent : undefined,
      checkpoint: task.checkpoint,
      output: ended?.output,
      error: ended?.error,
      via: task.status === "completed" ? (ended?.via ?? ("agent" as const)) : undefined,
    }),
  };
}

/** In order of submission. Linear in the tasks that go on or are kept; only those that are meant are looked at closely. */
export function taskInfos(state: State, filter: TaskFilter): readonly TaskInfo[] {
  return infosAmong(state, candidates(state, filter), filter);
}

/** Those of these that are meant, lines of what has left memory among them. */
export function infosAmong(state: State, tasks: Iterable<Task | string>, filter: TaskFilter): readonly TaskInfo[] {
  const { status, agent, limit = Number.POSITIVE_INFINITY, after, afterSeq = 0 } = filter;
  const behind = (after === undefined ? undefined : seqOf(state, after)) ?? afterSeq;
  const isMeant = (one: Task | string): boolean => {
    if (status !== undefined && (typeof one === "string" ? statusIn(one) : one.status) !== status) return false;
    return agent === undefined || whole(one, state).attempts.at(-1)?.agent === agent;
  };
  const first = new FirstInOrder<Task | string>(limit);
  for (const one of tasks) {
    const seq = typeof one === "string" ? seqIn(one) : one.seq;
    if (seq > behind && first.takes(seq) && isMeant(one)) first.add(one, seq);
  }
  return first.items.map((one) => {
    if (typeof one !== "string") return taskInfo(one, one.family?.spentBelow ?? NO_MONEY);
    const { task, spentBelow } = thaw(one, state);
    return taskInfo(task, spentBelow);
  });
}

function whole(one: Task | string, state: State): Task {
  return typeof one === "string" ? thaw(one, state).task : one;
}

function taskInfo(task: Task, spentBelow: Sum): TaskInfo {
  return {
    id: task.id,
    status: task.status,
    priority: task.priority,
    submittedAt: task.spec.at,
    attempts: task.attempts.length,
    cost: textOf(ownCost(task).plus(spentBelow)),
    ...present({
      name: task.spec.name,
      agent: task.attempts.at(-1)?.agent,
      parentId: task.spec.parentId,
      startedAt: task.attempts[0]?.startedAt,
      endedAt: task.ended?.at,
      approval: approvalInfo(task),
    }),
  };
}

function approvalInfo(task: Task): TaskInfo["approval"] {
  const asked = askedOf(task);
  if (asked === undefined) return undefined;
  const { before, hash, at, expiresAt, ballotId } = asked;
  return { before, hash, askedAt: at, ...present({ expiresAt, ballotId }) };
}

/** Tasks that go on, and lines of those that have ended: all, or those of a parent. */
function* candidates(state: State, { parentId }: TaskFilter): Generator<Task | string, void, undefined> {
  if (parentId === undefined) {
    for (const [, row] of state.finished.rows()) yield row;
    yield* state.tasks.values();
    return;
  }
  const parent = state.finished.row(parentId);
  const task = state.tasks.get(parentId);
  if (parent !== undefined) for (const id of thaw(parent, state).children) yield state.finished.row(id) ?? "";
  else if (task !== undefined) yield* childrenOf(task);
}

function seqOf(state: State, id: string): number | undefined {
  const row = state.finished.row(id);
  return row === undefined ? state.tasks.get(id)?.seq : seqIn(row);
}

export function agentInfos(state: State, now: number): readonly AgentInfo[] {
  return [...state.agents.values()].map((agent) => agentInfo(state, agent, now));
}

function agentInfo(state: State, agent: AgentState, now: number): AgentInfo {
  const skills: Record<string, number> = Object.create(null);
  for (const [skill, level] of agent.skills) skills[skill] = level;
  return {
    name: agent.name,
    skills,
    capacity: amountToNumber(agent.capacity),
    load: amountToNumber(agent.load),
    utilization: ratio(agent.load, agent.capacity),
    running: agent.running,
    breaker:
      agent.breakerRule === undefined ? "closed" : breakerStatus(agent.breakerRule, agent.breaker, state.openMs(now)),
    online: agent.online,
    cost: textOf(agent.spent),
    ...(agent.standing === NO_STANDING ? {} : { accuracy: accuracyOf(agent.standing) }),
    ...(agent.kind === "manager" ? { team: agent.team } : {}),
  };
}

export function resourceInfos(state: State, now: number, indexes: Indexes): readonly ResourceInfo[] {
  const holders = new Map<string, ResourceInfo["holders"][number][]>();
  const hold = (id: string, holder: ResourceInfo["holders"][number]): void => {
    const known = holders.get(id);
    if (known === undefined) holders.set(id, [holder]);
    else known.push(holder);
  };
  for (const live of state.live.values()) {
    for (const { resource, amount } of live.task.needs) {
      if (resource.rate === undefined)
        hold(resource.id, { holder: live.task.id, amount: amountToNumber(amount), token: live.token });
    }
    for (const { needs, token, expiresAt } of live.extra?.values() ?? []) {
      for (const { resource, amount } of needs) {
        if (resource.rate === undefined)
          hold(resource.id, { holder: live.task.id, amount: amountToNumber(amount), token, ...present({ expiresAt }) });
      }
    }
  }
  for (const { taskId: holder, token, needs, leases } of state.kept.values()) {
    for (const { resource, amount } of needs) hold(resource.id, { holder, amount: amountToNumber(amount), token });
    for (const { token: leaseToken, needs: leased, expiresAt } of leases)
      for (const { resource, amount } of leased)
        hold(resource.id, { holder, amount: amountToNumber(amount), token: leaseToken, ...present({ expiresAt }) });
  }
  return [...state.resources.values()].map((resource) => {
    const free = availableOf(resource, now);
    let waiting = 0;
    for (const of of indexes.queue.naming.get(resource) ?? []) waiting += of.index.size;
    return {
      id: resource.id,
      type: resource.kind,
      capacity: amountToNumber(resource.capacity),
      allocated: amountToNumber(
        resource.rate === undefined ? resource.allocated : subtractToZero(resource.capacity, free),
      ),
      available: amountToNumber(free),
      waiting,
      holders: holders.get(resource.id) ?? [],
      ...(resource.breakerRule === undefined
        ? {}
        : { breaker: breakerStatus(resource.breakerRule, resource.breaker, state.openMs(now)) }),
    };
  });
}

export function budgetInfos(state: State): readonly BudgetInfo[] {
  return [...state.budgets.values()].map((budget) => ({
    id: budget.id,
    ...present({ parent: budget.parent?.id }),
    limit: textOf(budget.limit),
    reserved: textOf(budget.reserved),
    spent: textOf(budget.spent),
    overrun: textOf(overrunAt(budget)),
    available: textOf(availableIn(budget)),
  }));
}

export function ballotView(ballot: Ballot): BallotView {
  const voted = [...ballot.votes.keys()];
  return {
    ballotId: ballot.id,
    open: ballot.open,
    opened: ballot.opened,
    openedAt: ballot.at,
    voted,
    // Many want to know only who has voted.
    get decision() {
      return frozen(countOf(ballot));
    },
  };
}

/** Nobody may change what all are shown. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
