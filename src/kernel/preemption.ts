/**
 * Whom a waiting task may displace, and no more than it needs to.
 *
 * 1. Only running, preemptible, unshielded attempts of strictly lower effective priority and later order key: one order for
 *    admission and eviction, so two tasks never displace each other in turn.
 * 2. All or nothing: without a set that lets it start, nobody is stopped.
 * 3. The set is minimal: each in it is needed.
 */
import { type Amount, isZero } from "../coordination/structures/amount.ts";
import { compareOrder } from "../coordination/structures/order-key.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import { type Balance, covers, givenBack } from "./availability.ts";
import { roomOf } from "./batches.ts";
import { heldBy } from "./holdings.ts";
import { limits } from "./limits.ts";
import type { AgentState, Resource } from "./state.ts";

/** What a task lacks, as far as others could give it back. */
export interface Lack {
  readonly slot: boolean;
  readonly resources: readonly Need[];
  readonly room: boolean;
}

/** The books as the one who asks may see them. */
export interface Preemptor {
  readonly lack: Lack;
  readonly load: Amount;
  readonly priority: number;
  readonly key: { readonly rank: number; readonly seq: number };
  /** Slots that would be left for it if so many attempts were gone. */
  slotsWithout(gone: number): number;
  /** Room and amounts as it may see them now. */
  room(agent: AgentState): Balance;
  available(resource: Resource): Balance;
  /** Whether the agent could take it if it had room. */
  accepts(agent: AgentState): boolean;
  /** An agent that has room already. */
  agentWithRoom(): AgentState | undefined;
  keyOf(live: LiveAttempt): { readonly rank: number; readonly seq: number };
  priorityOf(live: LiveAttempt): number;
}

export interface Eviction {
  readonly agent: AgentState;
  readonly victims: readonly LiveAttempt[];
}

/** Looks through those below, lowest priority and latest started first, at most `limits.preemptScan` of them. */
export function findEviction(preemptor: Preemptor, below: Iterable<LiveAttempt>): Eviction | undefined {
  const chosen: LiveAttempt[] = [];
  let looked = 0;
  for (const live of below) {
    looked += 1;
    if (looked > limits.preemptScan) return undefined;
    if (compareOrder(preemptor.keyOf(live), preemptor.key) <= 0 || !holdsSomething(preemptor, live)) continue;
    chosen.push(live);
    if (agentWithout(preemptor, chosen) !== undefined) break;
  }
  let agent = agentWithout(preemptor, chosen);
  if (agent === undefined) return undefined;
  const order = [...chosen].sort((a, b) => preemptor.priorityOf(b) - preemptor.priorityOf(a) || a.token - b.token);
  let victims: readonly LiveAttempt[] = chosen;
  for (const live of order) {
    const fewer = victims.filter((other) => other !== live);
    const still = agentWithout(preemptor, fewer);
    if (still === undefined) continue;
    victims = fewer;
    agent = still;
  }
  return { agent, victims };
}

function holdsSomething(preemptor: Preemptor, live: LiveAttempt): boolean {
  const { lack } = preemptor;
  if (lack.slot) return true;
  if (lack.room && preemptor.accepts(live.agent)) return true;
  return lack.resources.some((need) => !isZero(heldBy(live, need.resource)));
}

/** Where it could start if these were gone; undefined: nowhere. */
function agentWithout(preemptor: Preemptor, gone: readonly LiveAttempt[]): AgentState | undefined {
  const { lack, load } = preemptor;
  if (lack.slot && preemptor.slotsWithout(gone.length) < 1) return undefined;
  for (const { resource, amount } of lack.resources) {
    let balance = preemptor.available(resource);
    for (const live of gone) balance = givenBack(balance, heldBy(live, resource), false);
    if (!covers(balance, amount)) return undefined;
  }
  if (!lack.room) return preemptor.agentWithRoom();
  const rooms = new Map<AgentState, Balance>();
  for (const live of gone) {
    const { agent } = live;
    if (!preemptor.accepts(agent)) continue;
    const room = givenBack(rooms.get(agent) ?? preemptor.room(agent), roomOf(live), false);
    if (covers(room, load)) return agent;
    rooms.set(agent, room);
  }
  return undefined;
}
