/** What every decision works with, and how a refusal is made. */

import type { Json } from "../../coordination/structures/types.ts";
import { type ErrorCode, SafeguardsError } from "../../errors.ts";
import type { Answer } from "../commands.ts";
import type { EventBody } from "../events.ts";
import type { Indexes } from "../indexes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { AgentState, LiveAttempt, State, Task } from "../state.ts";

export interface Desk {
  readonly state: State;
  readonly indexes: Indexes;
  readonly scheduler: Scheduler;
  /** The instant of the batch. */
  readonly now: number;
  /** Appends an event and applies it. */
  emit(body: EventBody): void;
}

/** A refusal on its way out: a decision that refuses has emitted nothing. */
export function refused(code: ErrorCode, message: string, details?: { readonly [key: string]: Json }): SafeguardsError {
  return new SafeguardsError(code, message, details === undefined ? {} : { details });
}

export const DONE: Answer = { ok: true, ids: [] };

export function taskNamed(state: State, id: string): Task {
  const task = state.tasks.get(id);
  if (task === undefined) throw refused("UNKNOWN_TASK", `no task has the id ${JSON.stringify(id)}`, { taskId: id });
  return task;
}

export function agentNamed(state: State, name: string): AgentState {
  const agent = state.agents.get(name);
  if (agent === undefined)
    throw refused("UNKNOWN_AGENT", `no agent is registered under the name ${JSON.stringify(name)}`, { agent: name });
  return agent;
}

/** The live attempt that speaks; any other token is old. */
export function speaker(state: State, from: { readonly taskId: string; readonly token: number }): LiveAttempt {
  const live = state.live.get(from.token);
  if (live === undefined || live.task.id !== from.taskId) {
    throw refused(
      "FENCED",
      `token ${from.token} of task ${JSON.stringify(from.taskId)} is not that of a running attempt`,
      { taskId: from.taskId, token: from.token },
    );
  }
  return live;
}
