/**
 * Promises: what is set aside for a task while others make way for it.
 *
 * 1. `claimed` of slots, agents and resources is the sum of what the tasks with a claim would take.
 * 2. `returning` is the sum of what the victims of claims that still live hold, and so will give back. A victim has its slot and
 *    room until it ends: who is told to stop awaits nothing any more.
 */
import { type Amount, add, subtract } from "../coordination/structures/amount.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import { roomOf } from "./batches.ts";
import { known, liveOf, taskOf } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import type { State } from "./state.ts";
import type { Claim, Task } from "./task.ts";

export function claim(state: State, claimed: Claim): void {
  state.claims.add(claimed.task);
  enterClaim(state, claimed);
}

/** What was set aside goes back to all. */
export function dropClaim(state: State, task: Task, observer: StateObserver | undefined): void {
  const claimed = task.claim;
  if (claimed === undefined) return;
  state.claims.delete(task);
  forgetClaim(state, claimed);
  if (observer === undefined) return;
  observer.agent(claimed.agent, "freed");
  for (const victim of claimed.victims) observer.agent(victim.agent, "freed");
  for (const need of task.needs) observer.resource(need.resource, "freed");
}

/** Takes a victim's holdings out of, or back into, what is coming back for the claim that it makes way for. */
export function changeReturning(state: State, live: LiveAttempt, sum: Sum): void {
  if (claimOver(state, live) !== undefined) changeVictim(state, live, sum, sum === add ? 1 : -1);
}

/** The claim for which the attempt makes way, as long as that stands. */
export function claimOver(state: State, live: LiveAttempt): Claim | undefined {
  const { stopping } = live;
  const claim = stopping?.for === undefined ? undefined : state.tasks.get(stopping.for)?.claim;
  return claim?.victims.has(live) === true ? claim : undefined;
}

/** Makes a claim that a snapshot tells of. */
export function restoreClaim(state: State, taskId: string, agent: string, victims: readonly number[]): void {
  claim(state, {
    task: taskOf(state, taskId),
    agent: known(state.agents.get(agent), "agent", agent),
    victims: new Set(victims.map((token) => liveOf(state, token))),
  });
}

/** Takes a task's claim out of the books for as long as `during` runs: what could it start with if the promise were kept now? */
export function withoutClaim<T>(state: State, task: Task, during: () => T, after: () => void): T {
  const claimed = task.claim;
  if (claimed === undefined) return during();
  forgetClaim(state, claimed);
  const result = during();
  enterClaim(state, claimed);
  after();
  return result;
}

/** Into the books, and out of them again. */
function enterClaim(state: State, claimed: Claim): void {
  claimed.task.claim = claimed;
  changeClaimed(state, claimed, add, 1);
  for (const victim of claimed.victims) changeVictim(state, victim, add, 1);
}

function forgetClaim(state: State, claimed: Claim): void {
  claimed.task.claim = undefined;
  changeClaimed(state, claimed, subtract, -1);
  for (const victim of claimed.victims) changeVictim(state, victim, subtract, -1);
}

type Sum = (a: Amount, b: Amount) => Amount;

/** What a start of this task would take beside a slot and room: nothing when it only wants its seat back. */
function startNeeds(task: Task): readonly Need[] {
  return task.live === undefined ? task.needs : [];
}

function changeClaimed(state: State, claim: Claim, sum: Sum, sign: 1 | -1): void {
  state.slotsClaimed += sign;
  claim.agent.claimed = sum(claim.agent.claimed, claim.task.load);
  for (const need of startNeeds(claim.task)) {
    if (need.resource.rate === undefined) need.resource.claimed = sum(need.resource.claimed, need.amount);
  }
}

function changeVictim(state: State, live: LiveAttempt, sum: Sum, sign: 1 | -1): void {
  state.slotsReturning += sign;
  live.agent.returning = sum(live.agent.returning, roomOf(live));
  for (const need of live.task.needs) changeNeed(need, sum);
  if (live.extra !== undefined) {
    for (const allocation of live.extra.values()) for (const need of allocation.needs) changeNeed(need, sum);
  }
}

function changeNeed(need: Need, sum: Sum): void {
  if (need.resource.rate === undefined) need.resource.returning = sum(need.resource.returning, need.amount);
}
