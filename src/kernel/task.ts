/** A task as the state holds it, and what can be said of it from itself and its relatives. */

import type { Amount } from "../coordination/structures/amount.ts";
import type { Sum } from "../coordination/structures/money.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { AttemptRecord, LiveAttempt, Need } from "./attempt.ts";
import type { Phase } from "./events/attempts.ts";
import type { Failure } from "./events/failure.ts";
import type { Substitute, TaskSubmittedEvent } from "./events/tasks.ts";
import type { EventHead } from "./events.ts";
import type { Wish } from "./ready-queue.ts";
import type { Funding } from "./spending.ts";
import type { AgentState } from "./state.ts";

/** Where a task stands. */
export type TaskStatus =
  | "blocked"
  | "pending"
  | "running"
  | "waiting"
  | "paused"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";

/** Room, a slot and resources set aside for a task while others make way for it. */
export interface Claim {
  readonly task: Task;
  readonly agent: AgentState;
  readonly victims: Set<LiveAttempt>;
}

/** What was asked for, and when: epoch milliseconds. */
export type Submitted = TaskSubmittedEvent & Partial<EventHead> & { readonly at: number };

/** The subtasks of a task that has any. */
export interface Family {
  /** All, in the order in which they came. */
  readonly children: Task[];
  /** Children that have not ended, and those of them that belong to the manager's present round. */
  openChildren: number;
  openRound: number;
  /** Subtasks planned so far, over all rounds; those of them that did not succeed, and those that did. */
  planned: number;
  failedChildren: number;
  completedChildren: number;
  /** Tasks of the tree below that have not ended; kept for its root only. */
  openBelow: number;
  /** What attempts at the tasks below have spent. */
  spentBelow: Sum;
}

/** How the present series of attempts goes. */
export interface Series {
  /** Attempts that count, and those lost with their process. */
  readonly failures: number;
  readonly losses: number;
  readonly preemptions: number;
  /** Agents that failed it, each once, who did so last at the end. */
  readonly excluded: readonly string[];
  /** How often a person had it tried again, a new series each time; undefined: never. */
  readonly retries?: number;
  /** Its fallback's agents do it; how its subtasks stood when that began. */
  readonly fallback?: Before;
  /** The same where a person had it tried again from the start. */
  readonly before?: Before;
}

/** The subtasks for which whoever leads it now does not answer. */
export function othersPlans({ fallback, before }: Series): Before | undefined {
  return fallback ?? before;
}

/** How its subtasks stand. */
export function subtasksNow({ round, family }: Task): Before {
  const { planned = 0, completedChildren: completed = 0, failedChildren: failed = 0 } = family ?? {};
  return { round, planned, completed, failed };
}

/** Of what a manager planned before another took its place: its rounds, its subtasks, and those that had ended well or not. */
export interface Before {
  readonly round: number;
  readonly planned: number;
  readonly completed: number;
  readonly failed: number;
}

/** Of a task that was never tried. */
export const FIRST_SERIES: Series = { failures: 0, losses: 0, preemptions: 0, excluded: [] };

/** Whether guardrails have let a task's input pass, and what they made of it, where that is something else. */
export type Judgement = { readonly kind: "awaited" } | { readonly kind: "accepted"; readonly input?: Json };

export const AWAITED: Judgement = { kind: "awaited" };

export const ACCEPTED: Judgement = { kind: "accepted" };

/** How a task ended. */
export interface Ended {
  readonly at: number;
  readonly output: Json | undefined;
  readonly error: Failure | undefined;
  /** Undefined: its own agents. */
  readonly via: Substitute | undefined;
  /** The task whose output it was given, when none of its own attempts gave it. */
  readonly from?: string;
  /** Its fallback's value is its output: none of its attempts gave it. */
  readonly isValue?: true;
}

/** What a task has to be allowed, or was: before its run for a whole series of attempts, before its output counts each output. */
export type Approval =
  | {
      readonly state: "asked";
      readonly before: "run" | "output";
      readonly hash: string;
      /** Number and time of the event that asked. */
      readonly seq: number;
      readonly at: number;
      readonly expiresAt: number | undefined;
      readonly ballotId: string | undefined;
      /** The attempt that gave the output, and that. */
      readonly token: number | undefined;
      readonly output: Json | undefined;
      readonly via: Substitute | undefined;
      readonly from: string | undefined;
      /** The agents that made what another task gave. */
      readonly givers: readonly string[] | undefined;
    }
  | { readonly state: "given"; readonly who: readonly string[] };

export type AskedApproval = Extract<Approval, { readonly state: "asked" }>;

/** Of this there may be millions: what few of them have stands in an object of its own, and times are small differences. */
export interface Task {
  readonly id: string;
  /** Order of arrival. */
  readonly seq: number;
  readonly spec: Submitted;
  readonly parent: Task | undefined;
  readonly load: Amount;
  readonly needs: readonly Need[];
  /** From what it is paid; undefined: it has no budget. */
  readonly funding: Funding | undefined;
  /** Those of its dependencies that had not ended long before. */
  readonly dependsOn: Task[];
  /** Milliseconds during which no coordinator was open, before it was submitted. */
  readonly closedMs: number;
  status: TaskStatus;
  priority: number;
  /** Dependencies that have not ended well. */
  missing: number;
  /** Tasks that wait for this one; undefined when none. */
  dependents: Task[] | undefined;
  family: Family | undefined;
  /** Rounds planned so far. */
  round: number;
  /** What its next attempt is asked to do. */
  phase: Phase;
  /** Undefined: there were no guardrails on inputs yet. */
  judgement: Judgement | undefined;
  /** Held by a person until resumed. */
  held: boolean;
  /** When it last became ready: milliseconds since it arrived, during which a coordinator was open. */
  readyAfter: number;
  /** Epoch milliseconds before which it is not tried again; 0: none. */
  notBefore: number;
  live: LiveAttempt | undefined;
  attempts: AttemptRecord[];
  series: Series;
  checkpoint: Json | undefined;
  claim: Claim | undefined;
  /** Undefined: none was asked for, or none is needed. */
  approval: Approval | undefined;
  ending:
    | {
        readonly as: "failed" | "cancelled";
        readonly error: Failure | undefined;
        readonly reason: string | undefined;
        readonly fallback: "any" | "value" | undefined;
      }
    | undefined;
  ended: Ended | undefined;
  /** The scheduler's own mark: its place in the queue. */
  wish: Wish | undefined;
}

/** When it was submitted, in milliseconds during which a coordinator was open. */
export function arrivedMs(task: Task): number {
  return task.spec.at - task.closedMs;
}

/** When it last became ready, in milliseconds during which a coordinator was open. */
export function readyMs(task: Task): number {
  return arrivedMs(task) + task.readyAfter;
}

const NO_CHILDREN: readonly Task[] = [];

export function childrenOf(task: Task): readonly Task[] {
  return task.family?.children ?? NO_CHILDREN;
}

export function openChildrenOf(task: Task): number {
  return task.family?.openChildren ?? 0;
}

/** The task at the top of the tree that it is in. */
export function rootOf(task: Task): Task {
  let root = task;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

/** Whether the status is one that only a person's retry leaves. */
export function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

/** Whether it would start if everything else allowed it. */
export function isReady(task: Task): boolean {
  return isDue(task) && !lacksApproval(task);
}

/** Whether nothing but an approval of its run has to be asked for. */
export function isUnasked(task: Task): boolean {
  return isDue(task) && task.approval === undefined && lacksApproval(task);
}

function isDue(task: Task): boolean {
  return (
    (task.status === "pending" || (task.status === "paused" && !task.held)) &&
    task.missing === 0 &&
    task.ending === undefined &&
    task.judgement?.kind !== "awaited"
  );
}

/** Whether it may not run before somebody allows that. */
function lacksApproval({ spec, approval }: Task): boolean {
  return spec.approval?.before === "run" && approval?.state !== "given";
}

const NOBODY: readonly string[] = [];

/** Who approved its run, also once it has ended. */
export function runApproversOf({ spec, approval }: Task): readonly string[] {
  return approval?.state === "given" && spec.approval?.before === "run" ? approval.who : NOBODY;
}

/** Who must not do it: those who approved its run, or that of anything of which it is a part. Sorted where there are several. */
export function approversOf(task: Task): readonly string[] {
  let names = runApproversOf(task);
  for (let above = task.parent; above !== undefined; above = above.parent) {
    const more = runApproversOf(above);
    if (more.length > 0) names = names.length === 0 ? more : [...names, ...more];
  }
  return names.length < 2 ? names : [...new Set(names)].sort();
}

/** What is asked of others before it goes on. */
export function askedOf(task: Task): AskedApproval | undefined {
  return task.approval?.state === "asked" ? task.approval : undefined;
}

/** Whether it is kept back until guardrails have looked at its input. */
export function awaitsJudgement(task: Task): boolean {
  return task.judgement?.kind === "awaited" && task.ending === undefined && !isTerminal(task.status);
}

/** What it depends on and waits for. What it has seen fail, and is tried again since, it waits for no more. */
export function awaitedBy(task: Task): readonly Task[] {
  const open = task.dependsOn.filter(({ status }) => !isTerminal(status));
  return open.length <= task.missing ? open : open.filter(({ dependents }) => dependents?.includes(task) === true);
}

/**
 * Who made its output, by itself or below it: none of them approves that where it answers another task. Asked of those only whose
 * outputs have to be approved, since only those answer tasks of which that is so too.
 */
export function giversOf(task: Task): readonly string[] {
  if (task.spec.approval?.before !== "output") return NOBODY;
  const names = new Set<string>();
  const tree: Task[] = [task];
  for (const one of tree) {
    for (const { agent } of one.attempts) names.add(agent);
    tree.push(...childrenOf(one));
  }
  return [...names];
}

/** What agents are given: what was submitted, or what guardrails made of it. */
export function inputOf({ spec, judgement }: Task): Json {
  if (judgement?.kind === "accepted" && judgement.input !== undefined) return judgement.input;
  return spec.input ?? null;
}
