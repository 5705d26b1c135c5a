/**
 * A task that has ended, as one line of JSON text: all that is kept of it in memory, in snapshots, and in the archive.
 *
 * The line is an array: the status (a digit), the number of its arrival, the instant of its submission, what was asked for,
 * its attempts, the milliseconds from submission to end, its output, and what few tasks have beyond that.
 */

import { type Sum, sumIn, textOf } from "../coordination/structures/money.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { AttemptRecord } from "./attempt.ts";
import type { AttemptEnd, Phase } from "./events/attempts.ts";
import type { Failure } from "./events/failure.ts";
import type { Substitute, TaskSubmittedEvent } from "./events/tasks.ts";
import type { EventHead } from "./events.ts";
import { amount, known, needsOf } from "./named.ts";
import { fundingOf } from "./spending.ts";
import type { State } from "./state.ts";
import {
  type Before,
  childrenOf,
  FIRST_SERIES,
  runApproversOf,
  type Series,
  type Task,
  type TaskStatus,
} from "./task.ts";

export type EndStatus = Extract<TaskStatus, "completed" | "failed" | "skipped" | "cancelled">;

/** Digits of the line: for ever. */
const STATUSES: readonly TaskStatus[] = ["completed", "failed", "skipped", "cancelled"];
const ENDS: readonly AttemptEnd[] = ["completed", "failed", "timeout", "preempted", "cancelled", "lost", "abandoned"];
const PHASES: readonly Phase[] = ["run", "plan", "aggregate"];

type Spec = Omit<TaskSubmittedEvent, "type" | "v"> & Pick<EventHead, "trace" | "by">;
/** Agent, token, milliseconds from submission to start, from start to end, end, phase, error, cost. */
type AttemptRow = readonly [string, number, number, number, number, number?, (Failure | null)?, string?];
interface More extends Partial<Subtasks> {
  readonly error?: Failure;
  readonly priority?: number;
  readonly closedMs?: number;
  readonly phase?: Phase;
  readonly round?: number;
  /** Guardrails have let its input pass. */
  readonly accepted?: { readonly input?: Json };
  /** What was spent below it. */
  readonly spentBelow?: string;
  readonly via?: Substitute;
  /** How its subtasks stood when its fallback's agents began, one of whom has planned since. */
  readonly before?: Before;
  /** How often a person had it tried again. */
  readonly retries?: number;
  readonly from?: string;
  readonly isValue?: true;
  /** How its subtasks stood when a person had it tried again from the start, and whoever did it has planned since. */
  readonly since?: Before;
  /** Who approved its run: they do nothing below it, should a person have that tried again. */
  readonly approvers?: readonly string[];
}
type Row = readonly [
  status: number,
  seq: number,
  at: number,
  spec: Spec,
  attempts: readonly AttemptRow[],
  endedAfter: number,
  output: Json,
  more?: More,
];

/** Ids of a task's subtasks: those that were planned, then those that its code submitted; and how many were planned. */
export interface Subtasks {
  readonly children: readonly string[];
  readonly planned: number;
}

/** A task as its line tells of it: its relatives are ids. */
export interface Thawed extends Subtasks {
  readonly task: Task;
  /** What was spent below it. */
  readonly spentBelow: Sum;
}

/** The line of a task that has ended. */
export function finishedRow(task: Task): string {
  const { spec, ended } = task;
  const { at } = spec;
  const status = STATUSES.indexOf(task.status);
  if (status < 0 || ended === undefined) throw new RangeError(`task ${task.id} has not ended`);
  const attempts = task.attempts.map((record) => attemptRow(record, at));
  const row = [status, task.seq, at, written(spec), attempts, ended.at - at, ended.output ?? null];
  const more = moreOf(task);
  return JSON.stringify(more === undefined ? row : [...row, more]);
}

/** What was asked for, always in this order: JSON drops what is undefined. */
function written(spec: Spec): { readonly [K in keyof Required<Spec>]: Spec[K] | undefined } {
  return {
    taskId: spec.taskId,
    input: spec.input,
    skills: spec.skills,
    priority: spec.priority,
    name: spec.name,
    context: spec.context,
    agent: spec.agent,
    load: spec.load,
    dependsOn: spec.dependsOn,
    dependsOnAs: spec.dependsOnAs,
    onDependencyFailure: spec.onDependencyFailure,
    resources: spec.resources,
    timeoutMs: spec.timeoutMs,
    deadlineMs: spec.deadlineMs,
    estimatedMs: spec.estimatedMs,
    graceMs: spec.graceMs,
    retry: spec.retry,
    preemptible: spec.preemptible,
    parentId: spec.parentId,
    round: spec.round,
    scope: spec.scope,
    deadlineAt: spec.deadlineAt,
    key: spec.key,
    archived: spec.archived,
    trace: spec.trace,
    budget: spec.budget,
    cost: spec.cost,
    fallback: spec.fallback,
    cacheKey: spec.cacheKey,
    // It tells whose outputs it shares, and who may not approve it.
    by: spec.cacheKey === undefined && spec.approval === undefined ? undefined : spec.by,
    cacheMs: spec.cacheMs,
    approval: spec.approval,
    batchKey: spec.batchKey,
    batchWaitMs: spec.batchWaitMs,
  };
}

function attemptRow(
  { agent, token, startedAt, endedAt, end, phase, error, cost }: AttemptRecord,
  at: number,
): AttemptRow {
  const ranFor = known(endedAt, "the end of attempt", token) - startedAt;
  const row = [
    agent,
    token,
    startedAt - at,
    ranFor,
    ENDS.indexOf(known(end, "how it ended of attempt", token)),
  ] as const;
  if (cost !== undefined) return [...row, PHASES.indexOf(phase), error ?? null, cost];
  if (error !== undefined) return [...row, PHASES.indexOf(phase), error];
  return phase === "run" ? row : [...row, PHASES.indexOf(phase)];
}

function moreOf(task: Task): More | undefined {
  const { ended, closedMs, phase, round, family, judgement, series } = task;
  const { fallback: before, before: since } = phase === "aggregate" ? series : FIRST_SERIES;
  const asked = task.spec.priority ?? 5;
  const accepted = judgement?.kind === "accepted" ? judgement : undefined;
  const approvers = runApproversOf(task);
  const plain =
    approvers.length === 0 &&
    ended?.error === undefined &&
    ended?.via === undefined &&
    task.priority === asked &&
    closedMs === 0 &&
    series.retries === undefined &&
    phase === "run";
  if (plain && round === 0 && family === undefined && accepted === undefined) return undefined;
  return {
    ...(ended?.error === undefined ? {} : { error: ended.error }),
    ...(task.priority === asked ? {} : { priority: task.priority }),
    ...(closedMs === 0 ? {} : { closedMs }),
    ...(phase === "run" ? {} : { phase }),
    ...(round === 0 ? {} : { round }),
    ...(ended?.via === undefined ? {} : { via: ended.via }),
    ...(ended?.from === undefined ? {} : { from: ended.from }),
    ...(ended?.isValue === undefined ? {} : { isValue: ended.isValue }),
    ...(approvers.length === 0 ? {} : { approvers }),
    ...(before === undefined ? {} : { before }),
    ...(since === undefined ? {} : { since }),
    ...(series.retries === undefined ? {} : { retries: series.retries }),
    ...(family === undefined ? {} : subtasksOf(task)),
    ...(accepted === undefined ? {} : { accepted: accepted.input === undefined ? {} : { input: accepted.input } }),
    ...(family === undefined || family.spentBelow.eq(0) ? {} : { spentBelow: textOf(family.spentBelow) }),
  };
}

export function subtasksOf(task: Task): Subtasks {
  const children = childrenOf(task);
  const planned = children.filter((child) => child.spec.round !== undefined);
  const others = children.filter((child) => child.spec.round === undefined);
  return { children: [...planned, ...others].map((child) => child.id), planned: planned.length };
}

/** The status, without reading the rest. */
export function statusIn(row: string): EndStatus {
  switch (row[1]) {
    case "0":
      return "completed";
    case "1":
      return "failed";
    case "2":
      return "skipped";
    case "3":
      return "cancelled";
    default:
      throw new RangeError(`a finished task has the status ${row[1]}, which is none`);
  }
}

/** The number of its arrival, without reading the rest. */
export function seqIn(row: string): number {
  return Number.parseInt(row.slice(3), 10);
}

/** When it ended: epoch milliseconds. */
export function endedAtIn(row: string): number {
  const [, , at, , , endedAfter] = parse(row);
  return at + endedAfter;
}

/** Its id, and its parent's. */
export function idsIn(row: string): { readonly taskId: string; readonly parentId?: string } {
  const { taskId, parentId } = parse(row)[3];
  return { taskId, ...(parentId === undefined ? {} : { parentId }) };
}

/** The trace that it belongs to. */
export function traceIn(row: string): string | undefined {
  return parse(row)[3].trace;
}

/** The task again, without its relatives. */
export function thaw(row: string, state: State): Thawed {
  const [, seq, at, fields, attempts, endedAfter, output, more = {}] = parse(row);
  const status = statusIn(row);
  const spec = { ...fields, type: "task.submitted", v: 1, at } as const;
  const task: Task = {
    id: spec.taskId,
    seq,
    spec,
    parent: undefined,
    load: amount(spec.load ?? 1),
    needs: needsOf(state, spec.resources),
    funding: fundingOf(state, spec),
    dependsOn: [],
    closedMs: more.closedMs ?? 0,
    status,
    priority: more.priority ?? spec.priority ?? 5,
    missing: 0,
    dependents: undefined,
    family: undefined,
    round: more.round ?? 0,
    phase: more.phase ?? "run",
    judgement: more.accepted && { kind: "accepted", ...more.accepted },
    held: false,
    readyAfter: 0,
    notBefore: 0,
    live: undefined,
    attempts: attempts.map((attempt, i) => attemptIn(attempt, i, at)),
    series: seriesIn(more),
    checkpoint: undefined,
    claim: undefined,
    approval: more.approvers && { state: "given", who: more.approvers },
    ending: undefined,
    ended: {
      at: at + endedAfter,
      output: status === "completed" ? output : undefined,
      error: more.error,
      via: more.via,
      ...(more.from === undefined ? {} : { from: more.from }),
      ...(more.isValue === undefined ? {} : { isValue: more.isValue }),
    },
    wish: undefined,
  };
  const spentBelow = sumIn(more.spentBelow ?? "0");
  return { task, children: more.children ?? [], planned: more.planned ?? 0, spentBelow };
}

function seriesIn({ before: fallback, since, retries }: More): Series {
  if (fallback === undefined && retries === undefined) return FIRST_SERIES;
  return {
    ...FIRST_SERIES,
    ...(fallback === undefined ? {} : { fallback }),
    ...(since === undefined ? {} : { before: since }),
    ...(retries === undefined ? {} : { retries }),
  };
}

function attemptIn(
  [agent, token, after, ranFor, end, phase = 0, error, cost]: AttemptRow,
  i: number,
  at: number,
): AttemptRecord {
  const startedAt = at + after;
  return {
    number: i + 1,
    agent,
    token,
    phase: known(PHASES[phase], "phase", phase),
    startedAt,
    endedAt: startedAt + ranFor,
    end: ENDS[end],
    error: error ?? undefined,
    cost,
  };
}

function parse(row: string): Row {
  return JSON.parse(row);
}
