/**
 * Attempts that their agent is given together: they share one slot, and the room for the largest of their loads.
 *
 * 1. The slot and the room are taken when the first of them starts, and given back when the last of them ends, or awaits others.
 * 2. Who awaits others leaves the batch, and comes back on a slot and with room of its own.
 */
import { type Amount, add, larger, subtractToZero, ZERO } from "../coordination/structures/amount.ts";
import type { LiveAttempt } from "./attempt.ts";
import type { AgentState, State } from "./state.ts";

export interface Batch {
  /** The token of its first attempt. */
  readonly id: number;
  readonly agent: AgentState;
  /** The largest load of those that were ever in it. */
  load: Amount;
  /** Attempts that are in it. */
  readonly members: Set<LiveAttempt>;
}

/** The batch of that id on the agent, begun if there is none. */
export function batchOf(state: State, id: number, agent: AgentState): Batch {
  let batch = state.batches.get(id);
  if (batch === undefined) {
    batch = { id, agent, load: ZERO, members: new Set() };
    state.batches.set(id, batch);
  }
  return batch;
}

/** How much room it would take beyond what its batch has. */
export function roomBeyond(batch: Batch, load: Amount): Amount {
  return subtractToZero(load, batch.load);
}

/** An attempt is in it from now on. */
export function join(state: State, batch: Batch, live: LiveAttempt): void {
  if (batch.members.size === 0) state.slots += 1;
  widen(batch, live.task.load);
  batch.members.add(live);
}

/** One of a larger load was in it before. */
export function widen(batch: Batch, load: Amount): void {
  batch.agent.load = add(batch.agent.load, roomBeyond(batch, load));
  batch.load = larger(batch.load, load);
}

/** The room that it has on its agent: that of its batch, where it is in one. */
export function roomOf({ batch, task }: LiveAttempt): Amount {
  return batch === undefined ? task.load : batch.load;
}

/** Whether others are in its batch: then stopping it frees neither slot nor room. */
export function isShared({ batch }: LiveAttempt): boolean {
  return batch !== undefined && batch.members.size > 1;
}

/** Attempts that are taken to end one after the other: the last of a batch frees its slot and its room. */
export class Departures {
  #left: Map<Batch, number> | undefined;

  /** Whether its slot and room are free once it, too, has ended. */
  leave({ batch }: LiveAttempt): boolean {
    if (batch === undefined || batch.members.size === 1) return true;
    this.#left ??= new Map();
    const left = (this.#left.get(batch) ?? batch.members.size) - 1;
    this.#left.set(batch, left);
    return left === 0;
  }
}
