/** What every decision works with, and how a refusal is made. */

import type { Json } from "../../coordination/structures/types.ts";
import { type ErrorCode, SafeguardsError } from "../../errors.ts";
import type { Digest } from "../approvals.ts";
import type { LiveAttempt } from "../attempt.ts";
import type { Answer } from "../commands.ts";
import type { Departed } from "../departed.ts";
import type { EventBody } from "../events.ts";
import { thaw } from "../finished-row.ts";
import type { Indexes } from "../indexes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { AgentState, State } from "../state.ts";
import type { Task } from "../task.ts";

export interface Desk {
  readonly state: State;
  readonly indexes: Indexes;
  readonly scheduler: Scheduler;
  /** The instant of the batch. */
  readonly now: number;
  /** Who asks, as the present command's envelope says. */
  readonly by: string | undefined;
  readonly digest: Digest;
  /** The line of a task, or a ballot, that has left memory, as far as the command names it. */
  recalled(kind: Departed["kind"], id: string): string | undefined;
  /** Appends an event and applies it. */
  emit(body: EventBody): void;
}

/** A refusal on its way out: a decision that refuses has emitted nothing. */
export function refused(code: ErrorCode, message: string, details?: { readonly [key: string]: Json }): SafeguardsError {
  return new SafeguardsError(code, message, details === undefined ? {} : { details });
}

export const DONE: Answer = { ok: true, ids: [] };

/** The task, one that has ended without its relatives. */
export function taskNamed(state: State, id: string): Task {
  const task = state.tasks.get(id);
  if (task !== undefined) return task;
  const row = state.finished.row(id);
  if (row === undefined) throw refused("UNKNOWN_TASK", `no task has the id ${JSON.stringify(id)}`, { taskId: id });
  return thaw(row, state).task;
}

/** Whether a task with that id is in memory. */
export function isPresent(state: State, id: string): boolean {
  return state.tasks.has(id) || state.finished.has(id);
}

/** Whether there is, or ever was, a task with that id. */
export function isKnown(desk: Desk, id: string): boolean {
  return isPresent(desk.state, id) || desk.recalled("task", id) !== undefined;
}

/** The task, wherever it is: one that has ended without its relatives. */
export function taskKnown(desk: Desk, id: string): Task | undefined {
  const { state } = desk;
  const present = state.tasks.get(id);
  if (present !== undefined) return present;
  const row = state.finished.row(id) ?? desk.recalled("task", id);
  return row === undefined ? undefined : thaw(row, state).task;
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
