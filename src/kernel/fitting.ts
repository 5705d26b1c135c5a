/**
 * Where a wish can be granted now, and whom it could displace: the verdict that admission, protection and explanation share.
 *
 * 1. Slots, room, amounts and money are checked against what may be used now, less what is promised, and, behind the
 *    reservation, less what that sets aside.
 * 2. Nothing is changed: what would be if a promise were kept is asked, and is as before when that is answered.
 */
import { atMost, isZero, subtractToZero } from "../coordination/structures/amount.ts";
import { availableOf, balanceOf, beside, covers, freeSlots, slotsLeft } from "./availability.ts";
import { roomBeyond } from "./batches.ts";
import { withoutClaim } from "./claims.ts";
import type { Indexes } from "./indexes.ts";
import { known } from "./named.ts";
import { type Eviction, findEviction, type Lack } from "./preemption.ts";
import type { Wish } from "./ready-queue.ts";
import { type Aside, asideFrom, canPay, type Reservation, roomBeside } from "./reservation.ts";
import { mayBeGiven } from "./resource.ts";
import type { AgentState, State } from "./state.ts";
import { readyMs, type Task } from "./task.ts";

/** Where a wish can be granted now. */
export interface Placement {
  readonly agent: AgentState | undefined;
}

/** A batch that waits for more. */
export interface Filling {
  readonly agent: AgentState;
  /** Until when, at the latest. */
  readonly until: number;
  /** How many are there. */
  readonly size: number;
}

export class Fitting {
  readonly #state: State;
  readonly #indexes: Indexes;

  constructor(state: State, indexes: Indexes) {
    this.#state = state;
    this.#indexes = indexes;
  }

  /** Whether no task is started any more. */
  get draining(): boolean {
    return this.#indexes.queue.startsNothing;
  }

  /**
   * Where the wish can be granted now, beside a reservation that is ahead of it, if one is.
   * The same verdict serves admission and explanation.
   */
  place(wish: Wish, behind: Reservation | undefined): Placement | undefined {
    const { now } = this.#indexes;
    if (this.draining && wish.kind === "start") return undefined;
    const aside = asideFrom(wish, behind, now);
    if (wish.kind !== "request" && freeSlots(this.#state) - aside.slots < 1) return undefined;
    if (!this.#affords(wish, aside)) return undefined;
    if (wish.kind === "request") return { agent: undefined };
    const agent = this.agentFor(wish, aside.room);
    return agent === undefined ? undefined : { agent };
  }

  /** The agent that would get it. */
  agentFor(wish: Wish, behind: Reservation | undefined): AgentState | undefined {
    const { load, live } = wish.task;
    if (wish.kind === "regain") {
      const agent = live?.agent;
      return agent !== undefined && covers(roomBeside(behind, agent), load) ? agent : undefined;
    }
    const { pool } = wish.of;
    const { now } = this.#indexes;
    if (behind?.agent === undefined && wish.of.excluded.length === 0)
      return pool?.leastUtilized(this.#state, now, load);
    return pool?.leastUtilized(
      this.#state,
      now,
      load,
      (agent) => !this.avoids(wish, agent) && covers(roomBeside(behind, agent), load),
    );
  }

  /**
   * Whether it failed the task, and another who is large enough may get work now that has not, or has longer ago: so once all
   * have failed it, they take turns.
   */
  avoids(wish: Wish, agent: AgentState): boolean {
    const { excluded, pool } = wish.of;
    if (excluded.length === 0 || pool === undefined) return false;
    const place = excluded.indexOf(agent.name);
    if (place < 0) return false;
    const isBefore = (other: AgentState): boolean => excluded.indexOf(other.name) < place;
    return pool.largeEnough(this.#state, this.#indexes.now, wish.task.load, isBefore) !== undefined;
  }

  /** Whether the agent could take it now if it had room. */
  accepts(wish: Wish, agent: AgentState): boolean {
    if (wish.kind === "regain") return agent === wish.task.live?.agent;
    return wish.of.pool?.hasEligible(agent, this.#state, this.#indexes.now) === true && !this.avoids(wish, agent);
  }

  /** Whether what it asks for beside a slot and room can be had now. */
  #affords(wish: Wish, aside: Aside): boolean {
    const { now } = this.#indexes;
    if (!mayBeGiven(this.#state, wish.needs, now) || !canPay(wish)) return false;
    return wish.needs.every(({ resource, amount }) =>
      atMost(amount, subtractToZero(availableOf(resource, now), aside.amountOf(resource))),
    );
  }

  /** Whether it can start in this batch, beside a reservation that is ahead of it: on its slot, and with room beyond the batch's own where its load is larger. */
  joins(wish: Wish, agent: AgentState, id: number, behind: Reservation | undefined): boolean {
    const batch = known(this.#state.batches.get(id), "batch", id);
    const aside = asideFrom(wish, behind, this.#indexes.now);
    if (!this.#affords(wish, aside) || !this.accepts(wish, agent)) return false;
    const more = roomBeyond(batch, wish.task.load);
    return isZero(more) || covers(roomBeside(aside.room, agent), more);
  }

  /** The batch in which the wish could start there, if it waits for more. Those to whom something is promised start by themselves. */
  filling({ kind, of }: Wish, { agent }: Placement): Filling | undefined {
    if (!of.isBatched || kind !== "start" || agent === undefined || agent.maxBatch < 2) return undefined;
    let until = Number.POSITIVE_INFINITY;
    let size = 0;
    for (const { item } of of.index) {
      if (item.task.claim !== undefined) continue;
      size += 1;
      if (size >= agent.maxBatch) return undefined;
      until = Math.min(until, readyMs(item.task) + (item.task.spec.batchWaitMs ?? 0));
    }
    until += this.#state.closedMs;
    return until > this.#indexes.now ? { agent, until, size } : undefined;
  }

  /** Whether its batch waits for more where it could start now. */
  fills(wish: Wish, placement: Placement | undefined): boolean {
    return placement !== undefined && this.filling(wish, placement) !== undefined;
  }

  /** Whom it may displace to start; undefined: nobody has to go. */
  evictionFor(wish: Wish, behind: Reservation | undefined): Eviction | undefined {
    if (wish.lendsTo.length === 0) return this.#evictionFor(wish, behind);
    return this.#indexes.withoutLoansOf(wish, () => this.#evictionFor(wish, behind));
  }

  #evictionFor(wish: Wish, behind: Reservation | undefined): Eviction | undefined {
    const { running, now } = this.#indexes;
    const priority = this.#indexes.effective(wish.task);
    if (running.lowest >= priority || wish.kind === "request") return undefined;
    const aside = asideFrom(wish, behind, now);
    const lack = this.#lackOf(wish, aside);
    if (lack === undefined) return undefined;
    const slotsAside = Math.min(aside.slots, freeSlots(this.#state));
    return findEviction(
      {
        lack,
        load: wish.task.load,
        priority,
        key: { rank: wish.rank, seq: wish.seq },
        slotsWithout: (gone) => slotsLeft(this.#state, gone, 0) - slotsAside,
        room: (agent) => roomBeside(aside.room, agent),
        available: (resource) => beside(balanceOf(resource), aside.amountOf(resource)),
        accepts: (agent) => this.accepts(wish, agent),
        agentWithRoom: () => this.agentFor(wish, aside.room),
        keyOf: (live) => ({ rank: this.#indexes.rankOf(live.task), seq: live.task.seq }),
        priorityOf: (live) => this.#indexes.effective(live.task),
      },
      running.below(priority),
    );
  }

  /** What it lacks that running attempts could give back; undefined when it lacks something else, or nothing. */
  #lackOf(wish: Wish, aside: Aside): Lack | undefined {
    const { now } = this.#indexes;
    if (!mayBeGiven(this.#state, wish.needs, now)) return undefined;
    if (!canPay(wish)) return undefined;
    const slot = wish.kind !== "request" && freeSlots(this.#state) - aside.slots < 1;
    const resources = [];
    for (const need of wish.needs) {
      const { resource, amount } = need;
      if (atMost(amount, subtractToZero(availableOf(resource, now), aside.amountOf(resource)))) continue;
      if (resource.rate !== undefined) return undefined;
      resources.push(need);
    }
    const room = wish.kind !== "request" && this.agentFor(wish, aside.room) === undefined;
    return slot || room || resources.length > 0 ? { slot, room, resources } : undefined;
  }

  /** What would be if the promise to this task were kept now: what is set aside for it is there for it. */
  asIfKept<T>(task: Task, during: () => T): T {
    const agents = claimedAgents(task);
    const touch = (): void => {
      for (const agent of agents) this.#indexes.pools.touch(agent);
    };
    return withoutClaim(
      this.#state,
      task,
      () => {
        touch();
        return during();
      },
      touch,
    );
  }
}

/** Those whose visible room a claim changes. */
function claimedAgents({ claim }: Task): readonly AgentState[] {
  return claim === undefined ? [] : [claim.agent, ...[...claim.victims].map((live) => live.agent)];
}
