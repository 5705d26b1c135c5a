/**
 * Approvals: asked for when a task's turn comes or its output is there, given once, or refused.
 *
 * 1. What is asked for has a hash that no other asking has; who names another is refused.
 * 2. Whoever submitted the task, does it, alone can do it, or works for who does it, neither approves nor rejects it, nor has a
 *    vote on it; who approved its run does not run it, nor anything below it.
 * 3. A task that was rejected, or was not approved in time, fails; nothing tries it again but a person's `retry`, and that asks
 *    anew.
 */

import { checkTerms } from "../../coordination/decisions/terms.ts";
import { checkKeys, invalid, nullRecord, show } from "../../coordination/structures/arguments.ts";
import { isSafeguardsError } from "../../errors.ts";
import { isByBallot } from "../approvals.ts";
import type { Answer, Command } from "../commands.ts";
import type { BallotOpenedEvent } from "../events/ballots.ts";
import { defaults, limits } from "../limits.ts";
import { known } from "../named.ts";
import type { Ballot } from "../state.ts";
import { type AskedApproval, askedOf, type Task } from "../task.ts";
import { listed } from "../wording.ts";
import { barredFrom } from "./approvers.ts";
import { ask } from "./asking.ts";
import { close, closeIfComplete, countOf, countWithout, termsOf } from "./ballots.ts";
import { type Desk, DONE, refused, taskNamed } from "./desk.ts";
import { end, windDown } from "./endings.ts";
import { checkGlobalId } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const APPROVE = "approve";
const REJECT = "reject";

export function approve(desk: Desk, command: CommandOf<"task.approve">): Answer {
  checkKeys(command, ["type", "taskId", "hash"], "approve");
  const { task, asked, who } = waiting(desk, command);
  give(desk, task, asked, { who });
  return DONE;
}

export function reject(desk: Desk, command: CommandOf<"task.reject">): Answer {
  checkKeys(command, ["type", "taskId", "reason", "hash"], "reject");
  const { reason } = command;
  if (typeof reason !== "string" || reason.length === 0 || reason.length > limits.messageLength)
    throw invalid("reason", reason, `a string of 1 to ${limits.messageLength} characters`);
  const { task, asked, who } = waiting(desk, command);
  refuse(desk, task, asked, { reason, who });
  return DONE;
}

interface Waiting {
  readonly task: Task;
  readonly asked: AskedApproval;
  readonly who: readonly string[];
}

/** What is asked of a person, if this one may say it. */
function waiting(desk: Desk, { taskId, hash }: CommandOf<"task.approve" | "task.reject">): Waiting {
  const { by } = desk;
  if (by !== undefined && (typeof by !== "string" || by.length === 0 || by.length > limits.idLength))
    throw invalid("by", by, `a string of 1 to ${limits.idLength} characters`);
  if (hash !== undefined && typeof hash !== "string") throw invalid("hash", hash, "the hash of what is asked for");
  const task = taskNamed(desk.state, checkGlobalId(taskId, "task id"));
  const asked = askedOf(task);
  // What has run out is over, whether that was told before or is told next.
  if (asked === undefined || (asked.expiresAt !== undefined && desk.now >= asked.expiresAt && !isByBallot(task)))
    throw refused("INVALID_STATE", `task ${task.id} is ${task.status}: it waits for no approval now`, {
      taskId: task.id,
      status: task.status,
    });
  if (isByBallot(task))
    throw refused("INVALID_STATE", `task ${task.id} is decided on by ballot, not by a person`, { taskId: task.id });
  if (hash !== undefined && hash !== asked.hash)
    throw refused("INVALID_STATE", `task ${task.id} asks for the approval of ${asked.hash}, not of ${show(hash)}`, {
      taskId: task.id,
      hash: asked.hash,
    });
  const why = by === undefined ? undefined : barredFrom(desk, task).get(by);
  if (why !== undefined)
    throw refused("UNAUTHORIZED", `${show(by)} decides nothing about task ${task.id}: ${why}`, { taskId: task.id });
  return { task, asked, who: by === undefined ? [] : [by] };
}

/** Asks for what has to be asked for, and takes what ballots have decided, until there is no more of either. */
export function settleApprovals(desk: Desk): void {
  const { approvals } = desk.indexes;
  const { state } = desk;
  for (;;) {
    for (const ballot of approvals.settled) {
      approvals.settled.delete(ballot);
      conclude(desk, ballot);
    }
    const unasked = [...approvals.unasked].sort((a, b) => a.seq - b.seq);
    for (const task of unasked) ask(desk, task);
    while (state.openBallots < limits.openBallots && approvals.unopened !== undefined) open(desk, approvals.unopened);
    if (!hasApprovals(desk)) return;
  }
}

/** Whether anything is there to be asked for, to be put to the vote, or to be taken from a ballot. */
export function hasApprovals({ indexes: { approvals }, state }: Desk): boolean {
  const { settled, unasked, unopened } = approvals;
  return settled.size + unasked.size > 0 || (unopened !== undefined && state.openBallots < limits.openBallots);
}

/** Nobody has approved it in time. */
export function approvalDue(desk: Desk, task: Task): void {
  const asked = askedOf(task);
  if (asked === undefined) return;
  const message = `nobody approved its ${asked.before} within ${task.spec.approval?.expiresMs} ms`;
  const details = { approval: asked.before, hash: asked.hash };
  windDown(desk, task, { as: "failed", error: { code: "TIMEOUT", message, retryable: false, details } }, "cancelled");
}

/** Lets those decide who have a vote and nothing to do with the task. */
function open(desk: Desk, task: Task): void {
  const { state } = desk;
  const { by, expiresMs = defaults.ballotDeadlineMs } = task.spec.approval ?? {};
  const asked = askedOf(task);
  if (asked === undefined || typeof by !== "object") return;
  const barred = barredFrom(desk, task);
  const names = by.voters ?? state.agents.keys();
  const electorate: string[] = [];
  const weights = nullRecord<number>();
  for (const name of names) {
    const agent = state.agents.get(name);
    if (agent?.votes !== true || barred.has(name)) continue;
    electorate.push(name);
    weights[name] = agent.weight;
  }
  const opened: BallotOpenedEvent = {
    type: "ballot.opened",
    v: 1,
    ballotId: `b${state.lastBallotNumber + 1}`,
    question: asked.before === "run" ? `May task ${task.id} run?` : `May the output of task ${task.id} count?`,
    options: [APPROVE, REJECT],
    method: by.ballot,
    electorate,
    weights,
    deadlineAt: desk.now + expiresMs,
    approves: task.id,
  };
  const flaw = flawOf(opened);
  if (flaw !== undefined) {
    refuse(desk, task, asked, { reason: flaw, who: [] });
    return;
  }
  desk.emit(opened);
  closeIfComplete(desk, known(state.ballots.get(opened.ballotId), "ballot", opened.ballotId));
}

/** Weights may be too large together: nobody knew before who would vote. */
function flawOf(opened: BallotOpenedEvent): string | undefined {
  try {
    checkTerms(termsOf(opened));
    return undefined;
  } catch (error) {
    if (isSafeguardsError(error)) return error.message;
    throw error;
  }
}

/** What a ballot decided on the task that waits for it; one that nobody waits for is closed. */
function conclude(desk: Desk, ballot: Ballot): void {
  const task = desk.state.tasks.get(ballot.opened.approves ?? "");
  const asked = task === undefined ? undefined : askedOf(task);
  if (task === undefined || asked?.ballotId !== ballot.id) {
    if (ballot.open) close(desk, ballot);
    return;
  }
  if (ballot.open) return;
  // Who has begun to work on it since it was opened has no vote any more.
  const barred = barredFrom(desk, task);
  const late = ballot.opened.electorate.filter((voter) => barred.has(voter));
  const { outcome, decision, invalid: invalidVotes } = late.length === 0 ? countOf(ballot) : countWithout(ballot, late);
  const valid = [...ballot.votes].filter(([voter, vote]) => vote !== undefined && !invalidVotes.includes(voter));
  if (decision === APPROVE) {
    // Whoever has not plainly said no has helped it along.
    const who = valid.filter(([, vote]) => vote !== REJECT).map(([voter]) => voter);
    give(desk, task, asked, { who, ballotId: ballot.id });
    return;
  }
  const who = valid.filter(([, vote]) => vote !== APPROVE).map(([voter]) => voter);
  const how = decision === REJECT ? "was for rejecting it" : `ended as ${outcome}`;
  const without = late.length === 0 ? "" : ` without ${listed(late)}, who may have no vote by now`;
  const reason = `ballot ${ballot.id} ${how}${without}`;
  refuse(desk, task, asked, { reason, who, ballotId: ballot.id });
}

interface Said {
  readonly who: readonly string[];
  readonly ballotId?: string;
}

function give(desk: Desk, task: Task, { before, hash, token, output, via, from }: AskedApproval, said: Said): void {
  desk.emit({ type: "approval.given", v: 1, taskId: task.id, before, hash, ...said });
  if (before === "run") return;
  end(desk, task, {
    type: "task.completed",
    v: 1,
    taskId: task.id,
    output: output ?? null,
    ...(token === undefined ? {} : { token }),
    ...(via === undefined ? {} : { via }),
    ...(from === undefined ? {} : { from }),
  });
}

function refuse(
  desk: Desk,
  task: Task,
  { before, hash }: AskedApproval,
  said: Said & { readonly reason: string },
): void {
  const { reason, who, ballotId } = said;
  desk.emit({ type: "approval.rejected", v: 1, taskId: task.id, before, hash, ...said });
  const by = ballotId !== undefined || who.length === 0 ? "" : ` by ${who.join()}`;
  const message = `its ${before} was rejected${by}: ${reason}`;
  const details = { approval: before, hash, reason, who, ...(ballotId === undefined ? {} : { ballotId }) };
  const error = { code: "UNAUTHORIZED", message, retryable: false, details } as const;
  windDown(desk, task, { as: "failed", error }, "cancelled");
}
