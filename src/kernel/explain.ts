/** Why a task runs, waits or ended: the scheduler's own verdict, asked of the same code that admits. */
import { isByBallot, subjectOf } from "./approvals.ts";
import type { LiveAttempt } from "./attempt.ts";
import { barredFrom } from "./decide/approvers.ts";
import type { Indexes } from "./indexes.ts";
import { lacksOf } from "./lacks.ts";
import { limits } from "./limits.ts";
import type { Wish } from "./ready-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { State } from "./state.ts";
import {
  type AskedApproval,
  askedOf,
  awaitedBy,
  awaitsJudgement,
  childrenOf,
  type Ended,
  isTerminal,
  isUnasked,
  type Task,
} from "./task.ts";
import type { Explanation, Reason } from "./views.ts";
import { listed, MOST_NAMES } from "./wording.ts";

/** What the verdict is taken from. */
interface Bench {
  readonly indexes: Indexes;
  readonly scheduler: Scheduler;
}

export function explain(state: State, bench: Bench, task: Task, now: number): Explanation {
  return isTerminal(task.status) ? explainEnded(state, task) : tell(state, task, verdictOf(state, bench, task, now));
}

/** The same for one that has ended: no scheduler is asked. */
export function explainEnded(state: State, task: Task): Explanation {
  return tell(state, task, ended(task));
}

function tell(state: State, task: Task, { verdict, text, reasons }: Told): Explanation {
  const agent = task.attempts.at(-1)?.agent;
  return {
    taskId: task.id,
    status: task.status,
    verdict,
    ...(agent === undefined ? {} : { agent }),
    text: reasons.length === 0 ? text : `${text}: ${reasons.map((reason) => reason.text).join("; ")}`,
    reasons,
    seq: state.seq,
  };
}

interface Told {
  readonly verdict: Explanation["verdict"];
  readonly text: string;
  readonly reasons: readonly Reason[];
}

/** What a task fails with that was never given to anybody. */
const REFUSALS: ReadonlySet<string> = new Set([
  "CAPACITY_EXCEEDED",
  "NO_QUALIFIED_AGENT",
  "GUARDRAIL_BLOCKED",
  "BUDGET_EXCEEDED",
]);

function ended({ attempts, status, ended }: Task): Told {
  const error = ended?.error;
  if (error === undefined) return { verdict: "ended", text: completed(attempts, ended), reasons: [] };
  const refused = attempts.length === 0 && REFUSALS.has(error.code);
  return { verdict: refused ? "refused" : "ended", text: `${status} (${error.code}): ${error.message}`, reasons: [] };
}

function completed(attempts: Task["attempts"], ended: Ended | undefined): string {
  if (ended?.from !== undefined) return `completed with the output of ${ended.from}, which has the same cacheKey`;
  const tries = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
  if (ended?.isValue !== undefined) return `completed with the value of its fallback, after ${tries}`;
  const stood = ended?.via === undefined ? "" : ", its fallback,";
  return `completed by ${attempts.at(-1)?.agent}${stood} in attempt ${attempts.length}`;
}

function verdictOf(state: State, { indexes, scheduler }: Bench, task: Task, now: number): Told {
  const { live, claim, ending } = task;
  if (live?.stopping !== undefined) return stopping(task, live, live.stopping, now);
  const own = task.wish ?? live?.wish;
  const more = live?.request?.wish;
  // For whom others make way does not hold the reservation: it is asked for before the promise is taken as kept.
  const reservation = own === undefined && more === undefined ? undefined : scheduler.decidedBy();
  const victims = [...(claim?.victims ?? [])].map((victim) => victim.task.id);
  const lacks = (wish: Wish): readonly Reason[] => lacksOf(state, scheduler, { reservation, victims }, wish, now);
  const lacksMore = more === undefined ? [] : lacks(more);
  if (live?.seated === true) {
    const stands = task.series.fallback === undefined ? "" : ", as its fallback";
    const text = `runs on ${live.agent.name} as attempt ${live.record.number}${stands}`;
    return {
      verdict: "running",
      text: more === undefined ? text : `${text} and waits for more`,
      reasons: lacksMore,
    };
  }
  const lacksOwn = own === undefined ? [] : scheduler.fitting.asIfKept(task, () => lacks(own));
  const reasons = [...waitsFor(state, indexes, task, now), ...lacksOwn, ...lacksMore];
  if (ending !== undefined) return { verdict: "waiting", text: `is to end as ${ending.as}`, reasons };
  if (claim !== undefined && victims.length > 0) {
    return { verdict: "waiting", text: `waits for ${listed(victims)} to make way on ${claim.agent.name}`, reasons };
  }
  return { verdict: "waiting", text: reasons.length === 0 ? "waits for the next admission" : "waits", reasons };
}

/** It was told to stop: whatever it waited for, it gets no more of it. */
function stopping(task: Task, live: LiveAttempt, how: NonNullable<LiveAttempt["stopping"]>, now: number): Told {
  const left = how.graceUntil - now;
  const why = how.for === undefined ? `(${how.reason})` : `(${how.reason}) for ${how.for}`;
  const told = `was told to stop ${why} ${left > 0 ? `within ${left} ms` : "at once"}`;
  if (!live.seated) {
    const own = `its own attempt ${told} and has not stopped yet`;
    const reasons: readonly Reason[] = [...held(task), { code: "dependencies", need: 1, who: [task.id], text: own }];
    return { verdict: "waiting", text: "waits", reasons };
  }
  const text = `runs on ${live.agent.name} as attempt ${live.record.number} and ${told}`;
  return { verdict: "running", text, reasons: [] };
}

function held(task: Task): readonly Reason[] {
  if (!task.held || task.ending !== undefined) return [];
  return [{ code: "held", text: "a person paused it; resume lets it go on" }];
}

/** No agent is given what guardrails have not let pass. */
function unjudged(state: State, task: Task): readonly Reason[] {
  if (!awaitsJudgement(task)) return [];
  return awaitsVerdict("its input", state.settings?.guardrails?.input);
}

/** What has to happen before it could start, or go on, at all. */
function waitsFor(state: State, indexes: Indexes, task: Task, now: number): readonly Reason[] {
  const { live } = task;
  const asked = askedOf(task);
  if (task.ending !== undefined) return awaited("its subtasks", childrenOf(task));
  const reasons: Reason[] = [...held(task), ...unjudged(state, task)];
  reasons.push(...offered(state, task));
  if (state.flights.follows(task)) reasons.push(...sharing(task, state.flights.of(task)?.leader));
  if (live?.awaiting !== undefined) reasons.push(...awaited("the tasks that it awaits", [...live.awaiting]));
  else if (isUnasked(task))
    reasons.push({ code: "approval", text: "its run has to be approved; nobody was asked yet" });
  else if (asked !== undefined) reasons.push(approvalLack({ state, indexes }, task, asked, now));
  else if (task.status === "waiting") {
    // What its code submitted beside the plan is not waited for.
    const planned = childrenOf(task).filter((child) => child.spec.round !== undefined);
    reasons.push(...awaited("its subtasks", planned));
  }
  if (task.missing > 0) {
    reasons.push(...awaited("what it depends on", awaitedBy(task), task.spec.dependsOn?.length));
  }
  if (task.notBefore > now) {
    const { failures } = task.series;
    const tried = failures === 1 ? "1 failed attempt" : `${failures} failed attempts`;
    reasons.push({
      code: "backoff",
      need: task.notBefore,
      have: now,
      text: `it is tried again in ${task.notBefore - now} ms, after ${tried}`,
    });
  }
  return reasons;
}

/** An output is there that is to answer it. */
function offered(state: State, task: Task): readonly Reason[] {
  const offer = state.flights.offers.get(task);
  if (offer === undefined) return [];
  return awaitsVerdict(`the output of ${offer.from}, which is to answer it,`, state.settings?.guardrails?.output);
}

function awaitsVerdict(what: string, guardrails: readonly string[] = []): readonly Reason[] {
  const text = `${what} waits for the verdict of the guardrail${guardrails.length === 1 ? "" : "s"} ${listed(guardrails)}`;
  return [{ code: "approval", who: guardrails.slice(0, MOST_NAMES), text }];
}

/** Another is to give its output. */
function sharing({ spec }: Task, leader: Task | undefined): readonly Reason[] {
  if (leader === undefined) return [];
  const { id, status } = leader;
  const text = `it waits for the output of ${id} (${status}), which has the same cacheKey ${JSON.stringify(spec.cacheKey)}`;
  return [{ code: "dependencies", need: 1, have: 0, who: [id], text }];
}

/** What is to be approved, by whom, and until when. */
function approvalLack(
  { state, indexes }: { readonly state: State; readonly indexes: Indexes },
  task: Task,
  asked: AskedApproval,
  now: number,
): Reason {
  const { before, hash, expiresAt, ballotId } = asked;
  const need = {
    before,
    hash,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    by: isByBallot(task) ? { ballot: ballotId ?? null } : "person",
    subject: subjectOf(task, asked),
  };
  const until = expiresAt === undefined ? "" : ` within ${expiresAt - now} ms`;
  const ballot = ballotId === undefined ? undefined : state.ballots.get(ballotId);
  if (ballot !== undefined) {
    // Who has begun to work on it since it was opened has no vote any more.
    const barred = barredFrom({ state, indexes }, task);
    const who = ballot.opened.electorate.filter((voter) => !ballot.votes.has(voter) && !barred.has(voter));
    const may = who.length === 0 ? `nobody else may vote; it closes${until}` : `${listed(who)} may vote${until}`;
    const text = `its ${before} must be approved by ballot ${ballot.id}: ${may}`;
    return { code: "approval", need, who: who.slice(0, MOST_NAMES), text };
  }
  const text = isByBallot(task)
    ? `its ${before} must be approved by a ballot, which is opened when one of ${limits.openBallots} others has closed`
    : `a person must approve its ${before}${until}: approve or reject it (hash ${hash.slice(0, SHORT_HASH)}…)`;
  return { code: "approval", need, text };
}

/** Digits of a hash by which a person tells it from others. */
const SHORT_HASH = 12;

/** Those of them that have not ended, of so many; nothing when all have. */
function awaited(what: string, tasks: readonly Task[], all = tasks.length): readonly Reason[] {
  const open = tasks.filter((task) => !isTerminal(task.status));
  if (open.length === 0) return [];
  return [
    {
      code: "dependencies",
      need: all,
      have: all - open.length,
      who: open.slice(0, MOST_NAMES).map((task) => task.id),
      text: `${what} must end first: ${listed(open.map((task) => `${task.id} (${task.status})`))}`,
    },
  ];
}
