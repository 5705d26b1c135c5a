/**
 * Agents per requirement: who could do tasks that ask for these skills, this pin and this team, least utilized first.
 *
 * 1. A pool's members are exactly the registered agents that qualify; its index holds those of them that may get work now:
 *    online, with a breaker that admits.
 * 2. A member whose load changed is marked and put in its place when the pool is next asked, so a change costs one mark a
 *    pool, and asking costs what changed since.
 * 3. Pools are made when first asked for and dropped, least recently used first, when no class of tasks uses them and there
 *    are more than `limits.idlePools`.
 */

import { breakerAdmitsFrom } from "../coordination/circuit-breaker.ts";
import { type Amount, ratio, ZERO } from "../coordination/structures/amount.ts";
import { Chain } from "../coordination/structures/chain.ts";
import { FitIndex, type FitNode } from "../coordination/structures/fit-index.ts";
import { roomOn } from "./availability.ts";
import { limits } from "./limits.ts";
import type { ReadyClass } from "./ready-queue.ts";
import type { Requirement } from "./requirements.ts";
import type { AgentState, State } from "./state.ts";

export interface PoolMember {
  readonly agent: AgentState;
  readonly pool: AgentPool;
  node: FitNode<AgentState> | undefined;
  /** Whether it was online when last looked at. */
  online: boolean;
  marked: boolean;
  /** The next of those that are marked. */
  next: PoolMember | undefined;
  /** It has left the pool, but perhaps not the list of those that changed. */
  left: boolean;
}

/** Whether the agent may ever do what asks for this. */
export function qualifies(state: State, agent: AgentState, requirement: Requirement): boolean {
  if (requirement.pin !== undefined && agent.name !== requirement.pin) return false;
  if (requirement.scope !== undefined && state.agents.get(requirement.scope)?.teamSet.has(agent.name) !== true)
    return false;
  if (requirement.barred.length > 0 && requirement.barred.includes(agent.name)) return false;
  for (const { skill, level } of requirement.skills) {
    const has = agent.skills.get(skill);
    if (has === undefined || has < level) return false;
  }
  return true;
}

/** Whether it may get work now. */
function eligible(state: State, agent: AgentState, now: number): boolean {
  return agent.online && admitsFrom(state, agent, now) <= now;
}

/** From when on its breaker lets it have work, if nothing is reported until then. */
export function admitsFrom(state: State, agent: AgentState, now: number): number {
  if (agent.breakerRule === undefined) return now;
  const open = state.openMs(now);
  return now + (breakerAdmitsFrom(agent.breakerRule, agent.breaker, open) - open);
}

/** Since when, at the latest, nobody has been able to do what asks for this, if nobody is: in open milliseconds. */
export function unableSince(state: State, requirement: Requirement): number {
  let since = requirement.scope === undefined ? 0 : (state.agents.get(requirement.scope)?.teamLostMs ?? 0);
  for (const { skill } of requirement.skills) since = Math.max(since, state.skillsLost.get(skill) ?? 0);
  return since;
}

/** Places of an agent's measures. */
const ROOM = 0;
const CAPACITY = 1;

export class AgentPool {
  readonly requirement: Requirement;
  readonly members: Map<AgentState, PoolMember> = new Map();
  /** Classes set aside until somebody here has more room. */
  readonly parked: Chain<ReadyClass> = new Chain();
  /** Classes that ask here, and those of them whose tasks have a fallback. */
  readonly classes: Set<ReadyClass> = new Set();
  readonly withFallback: Set<ReadyClass> = new Set();
  /** Members that are online, as far as has been looked. */
  online = 0;
  /** By utilization. */
  readonly #index: FitIndex<AgentState> = new FitIndex("atLeast", 2);
  #marked: PoolMember | undefined = undefined;

  constructor(requirement: Requirement) {
    this.requirement = requirement;
  }

  /** How many may get work now, whatever their room. */
  eligibleCount(state: State, now: number): number {
    this.#settle(state, now);
    return this.#index.size;
  }

  /** The most room that anybody has who may get work now. */
  mostRoom(state: State, now: number): Amount {
    this.#settle(state, now);
    return this.#index.best?.[ROOM] ?? ZERO;
  }

  /** The highest capacity among those who may get work now. */
  mostCapacity(state: State, now: number): Amount {
    this.#settle(state, now);
    return this.#index.best?.[CAPACITY] ?? ZERO;
  }

  /** The least utilized with at least so much room that `accept` takes; ties go to the earliest registered. */
  leastUtilized(
    state: State,
    now: number,
    room: Amount,
    accept?: (agent: AgentState) => boolean,
  ): AgentState | undefined {
    this.#settle(state, now);
    return this.#index.firstFit([room, ZERO], accept === undefined ? undefined : { accept })?.item;
  }

  /** The least utilized that is large enough, whatever its room now, and that `accept` takes. */
  largeEnough(state: State, now: number, load: Amount, accept: (agent: AgentState) => boolean): AgentState | undefined {
    this.#settle(state, now);
    return this.#index.firstFit([ZERO, load], { accept })?.item;
  }

  /** Those who may get work now, least utilized first. */
  *eligible(state: State, now: number): Generator<AgentState, void, undefined> {
    this.#settle(state, now);
    for (const node of this.#index) yield node.item;
  }

  /** Whether this one may get work now, room aside. */
  hasEligible(agent: AgentState, state: State, now: number): boolean {
    this.#settle(state, now);
    return this.members.get(agent)?.node !== undefined;
  }

  add(agent: AgentState): void {
    const member: PoolMember = {
      agent,
      pool: this,
      node: undefined,
      online: false,
      marked: false,
      next: undefined,
      left: false,
    };
    this.members.set(agent, member);
    agent.memberships.push(member);
    this.mark(member);
  }

  remove(agent: AgentState): void {
    const member = this.members.get(agent);
    if (member === undefined) return;
    member.left = true;
    this.members.delete(agent);
    agent.memberships.splice(agent.memberships.indexOf(member), 1);
    if (member.node !== undefined) this.#index.remove(member.node);
    if (member.online) this.online -= 1;
    member.node = undefined;
  }

  mark(member: PoolMember): void {
    if (member.marked) return;
    member.marked = true;
    member.next = this.#marked;
    this.#marked = member;
  }

  #settle(state: State, now: number): void {
    for (let member = this.#marked; member !== undefined; ) {
      const { next } = member;
      member.marked = false;
      member.next = undefined;
      if (!member.left) {
        this.#count(member);
        this.#place(member, eligible(state, member.agent, now));
      }
      member = next;
    }
    this.#marked = undefined;
  }

  #count(member: PoolMember): void {
    const { online } = member.agent;
    if (online !== member.online) this.online += online ? 1 : -1;
    member.online = online;
  }

  #place(member: PoolMember, isEligible: boolean): void {
    const { agent, node } = member;
    if (!isEligible) {
      if (node !== undefined) this.#index.remove(node);
      member.node = undefined;
      return;
    }
    const utilization = ratio(agent.load, agent.capacity);
    const room = roomOn(agent);
    if (node === undefined) member.node = this.#index.add(agent, utilization, agent.seq, [room, agent.capacity]);
    // What was taken since the last look has often been given back.
    else if (node.rank !== utilization || node.measures[ROOM] !== room || node.measures[CAPACITY] !== agent.capacity)
      member.node = this.#index.update(node, utilization, [room, agent.capacity]);
  }
}

export class AgentPools {
  readonly #state: State;
  readonly #pools: Map<string, AgentPool> = new Map();
  readonly #bySkill: Map<string, Set<AgentState>> = new Map();
  readonly #skillsOf: Map<AgentState, ReadonlyMap<string, number>> = new Map();
  /** Pools that nobody uses, least recently used first. */
  readonly #idle: Map<string, AgentPool> = new Map();

  constructor(state: State) {
    this.#state = state;
  }

  /** The pool for a requirement, for a class to join; `release` it when done. */
  use(requirement: Requirement): AgentPool {
    const { key } = requirement;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new AgentPool(requirement);
      this.#pools.set(key, pool);
      for (const agent of this.#candidates(requirement))
        if (qualifies(this.#state, agent, requirement)) pool.add(agent);
    } else if (pool.classes.size === 0) this.#idle.delete(key);
    return pool;
  }

  release(pool: AgentPool, of: ReadyClass): void {
    pool.classes.delete(of);
    pool.withFallback.delete(of);
    if (pool.classes.size > 0) return;
    this.#idle.set(pool.requirement.key, pool);
    if (this.#idle.size <= limits.idlePools) return;
    for (const [key, oldest] of this.#idle) {
      this.#idle.delete(key);
      this.#pools.delete(key);
      for (const agent of [...oldest.members.keys()]) oldest.remove(agent);
      break;
    }
  }

  /** Room or presence changed: its pools put it in its place when next asked. */
  touch(agent: AgentState): void {
    for (const member of agent.memberships) member.pool.mark(member);
  }

  /**
   * Skills, capacity, or who it is changed. Returns the pools that it has joined or left. Linear in the pools where skills have
   * changed: that happens when agents register, not when they work.
   */
  reconsider(agent: AgentState): readonly AgentPool[] {
    const changed: AgentPool[] = [];
    const before = this.#skillsOf.get(agent);
    if (before !== agent.skills) {
      for (const skill of before?.keys() ?? []) this.#bySkill.get(skill)?.delete(agent);
      for (const skill of agent.skills.keys()) {
        let having = this.#bySkill.get(skill);
        if (having === undefined) {
          having = new Set();
          this.#bySkill.set(skill, having);
        }
        having.add(agent);
      }
      this.#skillsOf.set(agent, agent.skills);
      for (const pool of this.#pools.values()) if (this.#place(pool, agent)) changed.push(pool);
    }
    this.touch(agent);
    return changed;
  }

  /** A team changed: the pools within it are filled anew. Returns them. */
  refill(manager: string): readonly AgentPool[] {
    const refilled: AgentPool[] = [];
    for (const pool of this.#pools.values()) {
      if (pool.requirement.scope !== manager) continue;
      refilled.push(pool);
      for (const agent of this.#state.agents.values()) this.#place(pool, agent);
    }
    return refilled;
  }

  /** Whether that changed anything. */
  #place(pool: AgentPool, agent: AgentState): boolean {
    const belongs = qualifies(this.#state, agent, pool.requirement);
    if (belongs === pool.members.has(agent)) return false;
    if (belongs) pool.add(agent);
    else pool.remove(agent);
    return true;
  }

  /** A superset of those that qualify, as small as is known without looking at each. */
  #candidates(requirement: Requirement): Iterable<AgentState> {
    const { agents } = this.#state;
    if (requirement.pin !== undefined) return present([agents.get(requirement.pin)]);
    let rarest: ReadonlySet<AgentState> | undefined;
    for (const { skill } of requirement.skills) {
      const having = this.#bySkill.get(skill) ?? NOBODY;
      if (rarest === undefined || having.size < rarest.size) rarest = having;
    }
    if (requirement.scope !== undefined) {
      const team = agents.get(requirement.scope)?.team ?? [];
      if (rarest === undefined || team.length < rarest.size) return present(team.map((name) => agents.get(name)));
    }
    return rarest ?? agents.values();
  }
}

const NOBODY: ReadonlySet<AgentState> = new Set();

function present(agents: readonly (AgentState | undefined)[]): AgentState[] {
  return agents.filter((agent) => agent !== undefined);
}
