/**
 * What is kept over the state so that nothing has to be searched for: who is ready, who could do it, who could make way, who
 * inherits whose priority, and what is due when. All of it follows from the state and is built anew when a journal is opened.
 */

import { compare } from "../coordination/structures/amount.ts";
import type { HeapEntry } from "../coordination/structures/indexed-heap.ts";
import type { Sum } from "../coordination/structures/money.ts";
import { orderRank } from "../coordination/structures/order-key.ts";
import { PriorityInheritance } from "../coordination/structures/priority-inheritance.ts";
import { type AgentPool, AgentPools, admitsFrom } from "./agent-pools.ts";
import { Approvals } from "./approvals.ts";
import {
  type Allocation,
  type ExtraAllocation,
  type ExtraRequest,
  type KeptLease,
  type LiveAttempt,
  type Need,
  wantsSeat,
} from "./attempt.ts";
import { isShared } from "./batches.ts";
import { hasFallback, lackOfAgents, wantedOf } from "./fallback.ts";
import type { Flight } from "./flights.ts";
import { Lending } from "./lending.ts";
import { defaults, limits } from "./limits.ts";
import type { Change, StateObserver } from "./observer.ts";
import { Payers } from "./payers.ts";
import { PredictedEnds } from "./predicted-ends.ts";
import { READY, type ReadyClass, ReadyQueue, type Wish } from "./ready-queue.ts";
import { type Requirement, Requirements } from "./requirements.ts";
import { givenFrom } from "./resource.ts";
import { RunningIndex } from "./running-index.ts";
import type { AgentState, Ballot, Budget, Resource, State } from "./state.ts";
import {
  approversOf,
  arrivedMs,
  awaitsJudgement,
  childrenOf,
  isReady,
  isTerminal,
  readyMs,
  type Task,
} from "./task.ts";
import { type Timer, Timers } from "./timers.ts";

/** Whoever has a priority: a task, or a wait that lends one. */
interface Prioritized {
  readonly priority: number;
}

const NONE: readonly never[] = [];

export class Indexes implements StateObserver {
  /** The instant of the present batch. */
  now = 0;
  readonly state: State;
  readonly timers: Timers = new Timers();
  /** Ends of leases, and of the time in which an open breaker lets nothing through: they come before whatever is asked. */
  readonly first: Timers = new Timers();
  /** Ends of ballots: all votes that have been given by then come before them, however many batches those take. */
  readonly closings: Timers = new Timers();
  readonly pools: AgentPools;
  readonly queue: ReadyQueue;
  readonly running: RunningIndex = new RunningIndex();
  readonly inheritance: PriorityInheritance<Prioritized>;
  /** Ready tasks that ask for more than there can be, found when they became ready or a capacity was lowered. */
  readonly impossible: Set<Task> = new Set();
  /** Tasks that are kept back until guardrails have looked at their input. */
  readonly judging: Set<Task> = new Set();
  /** Ready tasks with a `cacheKey` of which it is not decided whether they lead or follow, and flights that lack a leader. */
  readonly undecided: Set<Task> = new Set();
  readonly leaderless: Set<Flight> = new Set();
  readonly lending: Lending;
  readonly ends: PredictedEnds = new PredictedEnds();
  readonly requirements: Requirements = new Requirements();
  readonly payers: Payers = new Payers();
  readonly approvals: Approvals;
  #supposing = false;
  readonly #deadlines: Map<Task, HeapEntry<Timer>> = new Map();
  readonly #backoffs: Map<Task, HeapEntry<Timer>> = new Map();
  readonly #leases: Map<Allocation, HeapEntry<Timer>> = new Map();
  readonly #ballots: Map<Ballot, HeapEntry<Timer>> = new Map();
  readonly #breakers: Map<AgentState | Resource, HeapEntry<Timer>> = new Map();
  /** Managers that wait for their subtasks: each for those that are open. */
  readonly #waitingRounds: Set<Task> = new Set();

  /** As of the last event: what has become due since then is due, and told, when time goes on. */
  constructor(state: State) {
    this.state = state;
    this.now = state.at;
    this.approvals = new Approvals(state);
    this.pools = new AgentPools(state);
    this.queue = new ReadyQueue(this.pools);
    this.inheritance = new PriorityInheritance<Prioritized>({
      own: (node) => node.priority,
      changed: (node) => {
        if ("seq" in node) this.#priorityChanged(node as Task);
      },
    });
    this.lending = new Lending(this.inheritance, this.queue, (wish) => this.effective(wish.task));
    clearMarks(state);
    for (const agent of state.agents.values()) this.agent(agent, "other");
    for (const resource of state.resources.values()) this.#watchResourceBreaker(resource);
    for (const task of state.tasks.values()) {
      if (isTerminal(task.status)) continue;
      for (const dependent of task.dependents ?? []) if (!isTerminal(dependent.status)) this.waits(dependent, [task]);
      const { parent } = task;
      if (parent?.live?.awaiting?.has(task)) this.waits(parent, [task]);
      this.task(task);
    }
    for (const flight of state.flights.all()) {
      const { leader } = flight;
      if (leader !== undefined) for (const follower of flight.followers) this.waits(follower, [leader]);
      this.flight(flight);
    }
    for (const live of state.live.values()) this.live(live);
    for (const request of state.requests.values()) this.request(request);
    for (const allocation of state.allocations.values()) this.allocation(allocation);
    for (const lease of state.keptLeases.values()) this.kept(lease);
    for (const ballot of state.ballots.values()) this.ballot(ballot);
    this.lending.update(this.now);
  }

  /** The highest among its own priority and that of all who wait for it. */
  effective(task: Task): number {
    return this.inheritance.effective(task);
  }

  rankOf(task: Task): number {
    return orderRank(this.effective(task), arrivedMs(task), this.state.settings?.agingMs);
  }

  /** What would be if this wish lent its priority to nobody: only who could be displaced is told of it. */
  withoutLoansOf<T>(wish: Wish, during: () => T): T {
    this.#supposing = true;
    const result = this.lending.without(wish, this.now, during);
    this.#supposing = false;
    return result;
  }

  requirementOf(task: Task): Requirement {
    const { scope } = task.spec;
    const { skills, agent } = wantedOf(task);
    // Who planned aggregates: nobody else knows what to make of the subtasks.
    const pin = task.phase === "aggregate" ? task.attempts.at(-1)?.agent : agent;
    return this.requirements.of(skills ?? NONE, pin, scope, approversOf(task));
  }

  task(task: Task): void {
    this.#watchDeadline(task);
    this.#watchRound(task);
    if (awaitsJudgement(task)) this.judging.add(task);
    else if (this.judging.size > 0) this.judging.delete(task);
    if (task.spec.approval !== undefined) this.approvals.watch(task);
    const ready = isReady(task);
    const early = ready && task.notBefore > this.now;
    this.#watchBackoff(task, early);
    const { spec } = task;
    const shares = spec.cacheKey !== undefined && !this.#leads(task, ready && !early);
    if (!ready || early || shares) {
      this.impossible.delete(task);
      this.#leaveQueue(task);
      return;
    }
    if (task.wish !== undefined) return;
    const { needs } = task;
    for (const need of needs) if (compare(need.amount, need.resource.capacity) > 0) this.impossible.add(task);
    const of = this.queue.classFor("start", this.requirementOf(task), task.series.excluded, needs, {
      budget: task.funding?.budget,
      hasFallback: hasFallback(task),
      batchKey: spec.batchKey,
    });
    task.wish = this.#wish("start", task, undefined, needs, of);
    this.#enqueue(task.wish, readyMs(task));
    if (task.funding !== undefined) this.payers.add(task.wish);
  }

  asksAnew(task: Task): void {
    this.#leaveQueue(task);
    this.task(task);
  }

  priority(task: Task, before: number): void {
    this.inheritance.ownChanged(task, before);
  }

  waits(task: Task, on: readonly Task[]): void {
    for (const other of on) this.inheritance.wait(task, other);
  }

  unwaits(task: Task, on: Task): void {
    this.inheritance.unwait(task, on);
  }

  flight(flight: Flight): void {
    if (flight.leader === undefined && flight.followers.size > 0) this.leaderless.add(flight);
    else this.leaderless.delete(flight);
  }

  /**
   * Whether it is decided that it gives the output for all of its key, or for itself, since its fallback's agents do it; one that
   * is ready is to be decided on.
   */
  #leads(task: Task, ready: boolean): boolean {
    const leads = task.series.fallback !== undefined || this.state.flights.leads(task);
    if (ready && !leads) this.undecided.add(task);
    else this.undecided.delete(task);
    return leads;
  }

  ended(task: Task, dependents: readonly Task[]): void {
    for (const dependent of dependents) this.inheritance.unwait(dependent, task);
    if (task.parent !== undefined) this.inheritance.unwait(task.parent, task);
    this.inheritance.remove(task);
  }

  live(live: LiveAttempt): void {
    const { task } = live;
    this.#watchRound(task);
    const preemptible =
      live.seated &&
      !isShared(live) &&
      live.stopping === undefined &&
      task.spec.preemptible !== false &&
      task.series.preemptions < limits.preemptions;
    if (preemptible && live.place === undefined) this.running.add(live, this.effective(task));
    else if (!preemptible) this.running.remove(live);
    const wants = wantsSeat(live);
    if (wants && live.wish === undefined) {
      const requirement = this.requirements.of(NONE, live.agent.name, undefined);
      const of = this.queue.classFor("regain", requirement, NONE, NONE);
      live.wish = this.#wish("regain", task, undefined, NONE, of);
      this.#enqueue(live.wish, live.seatMs);
    } else if (!wants && live.wish !== undefined) {
      this.#withdraw(live.wish);
      live.wish = undefined;
    }
    this.lending.holds(live, live.place === undefined);
    this.ends.set(live, live.seated);
    this.#watchAttempt(live);
  }

  alone(live: LiveAttempt): void {
    this.live(live);
    // By itself, it may be made to give way.
    if (live.place !== undefined) this.#wakeAround(live);
  }

  gone(live: LiveAttempt): void {
    this.running.remove(live);
    this.lending.holds(live, false);
    this.ends.set(live, false);
    this.timers.cancel(live.timer);
    live.timer = undefined;
    if (live.wish !== undefined) this.#withdraw(live.wish);
    live.wish = undefined;
    if (live.awaiting !== undefined) for (const on of live.awaiting) this.inheritance.unwait(live.task, on);
  }

  request(request: ExtraRequest): void {
    if (this.state.requests.has(request.id)) {
      const of = this.queue.classFor("request", undefined, NONE, request.needs);
      request.wish = this.#wish("request", request.live.task, request, request.needs, of);
      this.#enqueue(request.wish, request.askedMs);
    } else if (request.wish !== undefined) {
      this.#withdraw(request.wish);
      request.wish = undefined;
    }
  }

  allocation(allocation: ExtraAllocation): void {
    this.lending.holds(allocation.live, allocation.live.place === undefined);
    this.#watchLease(allocation, this.state.allocations.has(allocation.id));
  }

  kept(lease: KeptLease): void {
    this.#watchLease(lease, this.state.keptLeases.has(lease.id));
  }

  #watchLease(allocation: Allocation, held: boolean): void {
    if (held && allocation.expiresAt !== undefined) {
      this.#leases.set(allocation, this.first.set(allocation.expiresAt, { kind: "lease", allocation }));
    } else if (!held) {
      this.first.cancel(this.#leases.get(allocation));
      this.#leases.delete(allocation);
    }
  }

  ballot(ballot: Ballot): void {
    this.approvals.ballot(ballot);
    this.closings.cancel(this.#ballots.get(ballot));
    if (ballot.open)
      this.#ballots.set(ballot, this.closings.set(ballot.opened.deadlineAt, { kind: "ballot", ballotId: ballot.id }));
    else this.#ballots.delete(ballot);
  }

  agent(agent: AgentState, change: Change): void {
    if (change === "other") for (const pool of this.pools.reconsider(agent)) this.#membersChanged(pool);
    else this.pools.touch(agent);
    this.#watchBreaker(agent);
    // Who has sent its last probe gets no more for now: those that avoid others may have to take them after all.
    if (change === "taken" && agent.breaker.kind !== "open") return;
    for (const { pool } of agent.memberships) {
      this.#wakeParked(pool);
      for (const of of pool.withFallback) this.watchUnroutable(of);
    }
  }

  resource(resource: Resource, change: Change): void {
    this.#watchResourceBreaker(resource);
    if (change === "taken") return;
    this.#wakeAll(resource.parked);
    if (change !== "other") return;
    for (const of of this.queue.naming.get(resource) ?? NONE) {
      for (const { item } of of.index) {
        if (item.kind === "start" && item.needs.some((need) => compare(need.amount, need.resource.capacity) > 0))
          this.impossible.add(item.task);
      }
    }
  }

  budget(levels: Iterable<Budget>, gain: Sum): void {
    for (const level of levels) if (this.payers.changed(level, gain)) this.#wakeAll(level.parked);
  }

  team(manager: AgentState): void {
    for (const pool of this.pools.refill(manager.name)) this.#membersChanged(pool);
  }

  #membersChanged(pool: AgentPool): void {
    this.#wakeParked(pool);
    for (const of of pool.classes) this.watchUnroutable(of);
  }

  /** While it stands still, a manager waits for what it has planned. */
  #watchRound(task: Task): void {
    if (task.phase !== "aggregate") return;
    const waits = task.status === "waiting";
    if (waits === this.#waitingRounds.has(task)) return;
    if (waits) this.#waitingRounds.add(task);
    else this.#waitingRounds.delete(task);
    for (const child of childrenOf(task)) {
      if (child.spec.round === undefined || isTerminal(child.status)) continue;
      if (waits) this.inheritance.wait(task, child);
      else this.inheritance.unwait(task, child);
    }
  }

  /** Sets the timer at which an open breaker lets a call through again. */
  #watchBreaker(agent: AgentState): void {
    this.first.cancel(this.#breakers.get(agent));
    this.#breakers.delete(agent);
    if (agent.breaker.kind !== "open") return;
    const from = admitsFrom(this.state, agent, this.now);
    if (from > this.now) this.#breakers.set(agent, this.first.set(from, { kind: "breaker", agent }));
  }

  /** The same for a resource. */
  #watchResourceBreaker(resource: Resource): void {
    if (resource.breakerRule === undefined && !this.#breakers.has(resource)) return;
    this.first.cancel(this.#breakers.get(resource));
    this.#breakers.delete(resource);
    const from = givenFrom(this.state, resource, this.now);
    if (from > this.now) this.#breakers.set(resource, this.first.set(from, { kind: "resource-breaker", resource }));
  }

  /**
   * Sets the timer at which tasks lose patience that nobody registered can do, or that have a fallback and nobody is to be had
   * for; whether the class holds such tasks.
   */
  watchUnroutable(of: ReadyClass): boolean {
    if (of.kind !== "start" || of.pool === undefined) return false;
    const { state, now } = this;
    const lack = lackOfAgents(state, of, of.pool, now);
    if (lack === undefined) {
      if (of.timer?.item.kind === "unroutable") this.timers.cancel(of.timer);
      return false;
    }
    const oldest = of.index.best?.[READY]?.whole;
    if (oldest === undefined) return true;
    const patience = state.settings?.unroutableMs ?? defaults.unroutableMs;
    const at = lack.since === undefined ? now : Math.max(oldest, lack.since) + patience + state.closedMs;
    const set = of.timer?.item.kind === "unroutable" ? of.timer : undefined;
    if (set !== undefined && set.index >= 0 && set.key === at) return true;
    this.timers.cancel(of.timer);
    of.timer = this.timers.set(at, { kind: "unroutable", of });
    return true;
  }

  #wakeParked({ parked }: AgentPool): void {
    for (let link = parked.first; link !== undefined; ) {
      const { item, after } = link;
      this.queue.wake(item);
      link = after;
    }
  }

  #wakeAll(classes: Set<ReadyClass>): void {
    if (classes.size > 0) for (const of of [...classes]) this.queue.wake(of);
  }

  #wish(
    kind: Wish["kind"],
    task: Task,
    request: ExtraRequest | undefined,
    needs: readonly Need[],
    of: ReadyClass,
  ): Wish {
    return { kind, task, request, needs, seq: task.seq, of, lendsTo: NONE, node: undefined, rank: 0 };
  }

  #enqueue(wish: Wish, readyMs: number): void {
    const effective = this.effective(wish.task);
    this.queue.add(wish, this.rankOf(wish.task), effective, readyMs);
    this.watchUnroutable(wish.of);
  }

  #leaveQueue(task: Task): void {
    if (task.wish?.kind !== "start") return;
    this.#withdraw(task.wish);
    if (task.funding !== undefined) this.payers.remove(task.wish);
    task.wish = undefined;
  }

  #withdraw(wish: Wish): void {
    this.lending.left(wish);
    this.queue.remove(wish);
    if (wish.of.index.size > 0) return;
    this.timers.cancel(wish.of.timer);
    this.timers.cancel(wish.of.filled);
  }

  #priorityChanged(task: Task): void {
    const effective = this.effective(task);
    const rank = this.rankOf(task);
    const { live } = task;
    if (this.#supposing) {
      if (live?.place !== undefined) this.#replace(live, effective);
      return;
    }
    if (task.wish !== undefined) this.queue.reposition(task.wish, rank, effective);
    if (live === undefined) return;
    if (live.wish !== undefined) this.queue.reposition(live.wish, rank, effective);
    if (live.request?.wish !== undefined) this.queue.reposition(live.request.wish, rank, effective);
    if (live.place === undefined) return;
    const lower = effective < live.place.bucket.priority;
    this.#replace(live, effective);
    // It may be made to give way to those that it was too important for.
    if (lower) this.#wakeAround(live);
  }

  /** Those who wait for what it has. */
  #wakeAround({ task, extra, agent }: LiveAttempt): void {
    for (const need of task.needs) this.#wakeAll(need.resource.parked);
    for (const { needs } of extra?.values() ?? []) for (const need of needs) this.#wakeAll(need.resource.parked);
    for (const member of agent.memberships) this.#wakeParked(member.pool);
  }

  #replace(live: LiveAttempt, effective: number): void {
    this.running.remove(live);
    this.running.add(live, effective);
  }

  #watchAttempt(live: LiveAttempt): void {
    const { timeoutMs } = live.task.spec;
    const at = live.stopping?.graceUntil ?? (timeoutMs === undefined ? undefined : live.startedAt + timeoutMs);
    if (live.timer !== undefined && live.timer.key === at && live.timer.index >= 0) return;
    this.timers.cancel(live.timer);
    live.timer = at === undefined ? undefined : this.timers.set(at, { kind: "attempt", live });
  }

  #watchDeadline(task: Task): void {
    const { deadlineAt } = task.spec;
    if (deadlineAt === undefined) return;
    const set = this.#deadlines.get(task);
    const wanted = !isTerminal(task.status) && task.ending === undefined;
    if (wanted && set === undefined) this.#deadlines.set(task, this.timers.set(deadlineAt, { kind: "deadline", task }));
    else if (!wanted && set !== undefined) {
      this.timers.cancel(set);
      this.#deadlines.delete(task);
    }
  }

  #watchBackoff(task: Task, early: boolean): void {
    const set = this.#backoffs.get(task);
    if (set === undefined && !early) return;
    if (early && set !== undefined && set.index >= 0) return;
    this.timers.cancel(set);
    if (early) this.#backoffs.set(task, this.timers.set(task.notBefore, { kind: "backoff", task }));
    else this.#backoffs.delete(task);
  }
}

/** Marks that earlier indexes left on the state would point into them. */
function clearMarks(state: State): void {
  for (const task of state.tasks.values()) task.wish = undefined;
  for (const agent of state.agents.values()) agent.memberships.length = 0;
  for (const resource of state.resources.values()) resource.parked.clear();
  for (const budget of state.budgets.values()) budget.parked.clear();
  for (const request of state.requests.values()) request.wish = undefined;
  for (const live of state.live.values()) {
    live.place = undefined;
    live.wish = undefined;
    live.timer = undefined;
  }
}
