/** What can sensibly be asked, by kind, once it is known how things stand; undefined: nothing of the kind makes sense then. */

import type { ErrorCode } from "../../src/errors.ts";
import type { Command } from "../../src/kernel/commands.ts";
import type { GivenVerdict, GuardedPoint } from "../../src/kernel/events/guardrails.ts";
import { type Cast, NAMES } from "./cast.fixture.ts";
import { type Attempt, BILLION, isTerminal, type Model, type Task } from "./model.ts";
import type { Tape } from "./tape.fixture.ts";
import { awaitsJudgement } from "./wishes.ts";
import { wrong } from "./wrong.fixture.ts";

/** How things stand, and what is chosen by. */
export interface Situation {
  readonly model: Model;
  readonly cast: Cast;
  readonly tape: Tape;
  /** Ids of allocations, by their tokens: the reference has no names for them. */
  readonly allocations: ReadonlyMap<number, string>;
}

/** Whose attempt speaks. */
export interface Speaker {
  readonly taskId: string;
  readonly token: number;
}

const FAILED = "TASK_FAILED";
const CODES: readonly [ErrorCode, ...ErrorCode[]] = [
  FAILED,
  FAILED,
  FAILED,
  FAILED,
  "BUDGET_EXCEEDED",
  "GUARDRAIL_BLOCKED",
];

type Live = ReturnType<Model["live"]>[number];

type Ask = (situation: Situation) => Command | undefined;

const TEAMS: readonly [string[], ...string[][]] = [["ann", "bob"], ["cy", "dan"], ["dan"], ["ann", "cy", "bob"]];

export const ASKS = {
  submit: ({ cast, tape }) => ({ type: "task.submit", tasks: cast.requests("top", 1 + tape.below(3), tape) }),
  end,
  fail: ({ model, tape }) => {
    const onBreaker = model.live().filter(({ attempt }) => attempt.agent.breaker !== undefined);
    const live = tape.pick(onBreaker.length > 0 && tape.chance(60) ? onBreaker : model.live());
    const code = tape.pick(CODES);
    const error = { code, message: "no", retryable: !tape.chance(20) } as const;
    return live && { type: "attempt.fail", ...speakerOf(live), error };
  },
  pause: (situation) => byPerson("task.pause", someTask(situation)),
  resume: (situation) => byPerson("task.resume", someTask(situation, ({ held }) => held) ?? someTask(situation)),
  cancel: (situation) => byPerson("task.cancel", someTask(situation)),
  retry: (situation) =>
    byPerson("task.retry", someTask(situation, ({ status }) => status === "failed") ?? someTask(situation)),
  prioritize: (situation) => {
    const task = someTask(situation);
    return task && { type: "task.prioritize", taskId: task.id, priority: situation.tape.below(12) };
  },
  agent: ({ cast, tape }) => {
    const name = tape.pick(NAMES);
    if (tape.chance(50)) return { type: "agent.unregister", agent: name };
    return { type: "agent.register", agent: cast.agent(name, tape) };
  },
  capacity: ({ model, cast, tape }) => {
    const waitedFor = tape.pick(model.live().flatMap(({ attempt }) => [...(attempt.request?.amounts ?? [])]));
    if (waitedFor === undefined || !tape.chance(80)) return cast.anotherCapacity(tape);
    const [resource, amount] = waitedFor;
    return cast.lessOf(resource, amount / BILLION);
  },
  team: ({ tape }) => ({ type: "team.set", manager: tape.pick(["boss", "sub"]), team: tape.pick(TEAMS) }),
  submitByCode,
  /** Who has nobody to wait for has somebody help. */
  await: (situation) => {
    const { model, tape } = situation;
    const parents = model
      .live()
      .filter(({ task, attempt }) => attempt.phase === "run" && openChildren(task).length > 0);
    const one = tape.pick(parents);
    if (one === undefined) return submitByCode(situation);
    const on = openChildren(one.task).flatMap(({ id }) => (tape.chance(20) ? [] : [id]));
    return { type: "attempt.await", ...speakerOf(one), on };
  },
  request,
  /** Who has nothing to give back asks for something. */
  release: (situation) => {
    const { model, tape, allocations } = situation;
    const live = tape.pick(model.live().filter(({ attempt }) => attempt.allocations.length > 0));
    const held = tape.pick(live?.attempt.allocations ?? []);
    if (live === undefined || held === undefined) return request(situation);
    const allocationId = allocations.get(held.token) ?? "ghost";
    return { type: "attempt.release", ...speakerOf(live), allocationId, allocationToken: held.token };
  },
  spend: (situation) => {
    const { model, tape } = situation;
    const paid = model.live().filter(({ task }) => task.budget !== undefined);
    const live = tape.pick(paid.length > 0 && tape.chance(90) ? paid : model.live());
    if (live === undefined) return undefined;
    const amount = tape.pick([0.5, 0.25, live.attempt.reserved / 100, "1", 0, 3]);
    return { type: "attempt.spend", ...speakerOf(live), amount };
  },
  budget: ({ cast, tape }) => cast.anotherLimit(tape),
  lose: ({ model, tape }) => {
    const live = tape.pick(model.live());
    return live && { type: "attempt.lose", ...speakerOf(live), message: "silent" };
  },
  approve: (situation) => {
    const task = someTask(situation, isAsked) ?? someTask(situation);
    return task && allow(situation.tape, task);
  },
  offer: (situation) => {
    const [task, given] = situation.tape.pick([...situation.model.offers]) ?? [];
    if (task === undefined || given === undefined) {
      const other = someTask(situation);
      return other && answerOf(situation, other.id, "another");
    }
    return answerOf(situation, task.id, given.from);
  },
  judge: (situation) => {
    const { model } = situation;
    const task = someTask(situation, (one) => awaitsJudgement(model, one));
    return task && judge(situation, task);
  },
  act: (situation) => {
    const from = speaker(situation.model, situation.tape);
    return from && { type: "attempt.act", ...from, action: "send", verdicts: verdictsOn("action", situation) };
  },
  drain: () => ({ type: "coordinator.drain" }),
  gone: ({ model, tape }) => {
    // What is told of one that goes on, or kept nothing, changes nothing.
    const kept = tape.pick(model.kept) ?? speaker(model, tape);
    return kept && { type: "attempt.gone", taskId: kept.taskId, token: kept.token };
  },
  checkpoint: ({ model, tape }) => {
    const from = speaker(model, tape);
    return from && { type: "attempt.checkpoint", ...from, state: null };
  },
  ballot: openBallot,
  vote,
  extend: ({ model, tape }) => {
    const ballot = tape.pick(model.ballots.filter(({ open }) => open)) ?? tape.pick(model.ballots);
    return ballot && { type: "ballot.extend", ballotId: ballot.id, ms: 100 + tape.below(900) };
  },
  close: () => ({ type: "coordinator.close" }),
  wrong,
} satisfies Record<string, Ask>;

function openBallot({ model, tape }: Situation): Command {
  const method = tape.pick(["majority", "weighted", "approval", "unanimous"] as const);
  const all = model.agents.filter(({ votes }) => votes).map(({ name }) => name);
  const voters = tape.pick([
    undefined,
    undefined,
    all.slice(1),
    all.slice(0, 2),
    tape.chance(20) ? ["ann", "bob"] : all,
  ]);
  return {
    type: "ballot.open",
    question: "?",
    options: tape.chance(50) ? ["a", "b", "c"] : ["a", "b"],
    method,
    ...(voters === undefined ? {} : { voters: tape.chance(5) ? [...voters, "ann"] : voters }),
    ...(tape.chance(30) ? { quorum: tape.pick([0.5, 1, 0.75]) } : {}),
    ...(tape.chance(50) && method !== "unanimous" ? { threshold: tape.pick([0.5, 0.75]) } : {}),
    ...(tape.chance(30) ? { tieBreak: "first" } : {}),
    ...(tape.chance(30) ? { weights: { ann: 2, bob: tape.below(3) } } : {}),
    ...(tape.chance(70) ? { deadlineMs: 500 + tape.below(4_000) } : {}),
  };
}

/** Mostly for what is offered, by who has a vote that is open; where there is none somebody asks. */
function vote(situation: Situation): Command {
  const { model, tape } = situation;
  const ballot = tape.pick(model.ballots.filter(({ open }) => open));
  if (ballot === undefined) {
    const closed = tape.pick(model.ballots);
    if (closed === undefined || tape.chance(80)) return openBallot(situation);
    return { type: "ballot.cast", ballotId: tape.chance(50) ? closed.id : "b0", voter: "ann", vote: "a" };
  }
  const left = ballot.electorate.filter((voter) => !ballot.votes.has(voter));
  const voter = tape.pick(tape.chance(20) || left.length === 0 ? NAMES : left) ?? "ann";
  if (tape.chance(10)) return { type: "ballot.cast", ballotId: ballot.id, voter };
  const [first = "a", second = "b"] = ballot.options;
  const given = tape.pick([first, second, first, "nothing"]);
  const several = tape.pick([[first], [second, first], [], [first, first], [second]]);
  return { type: "ballot.cast", ballotId: ballot.id, voter, vote: ballot.method === "approval" ? several : given };
}

export type Kind = keyof typeof ASKS;

export function speakerOf({ task, attempt }: Live): Speaker {
  return { taskId: task.id, token: attempt.token };
}

function submitByCode({ model, cast, tape }: Situation): Command | undefined {
  const from = speaker(model, tape);
  return from && { type: "task.submit", tasks: cast.requests("code", 1, tape), from };
}

function request({ model, tape }: Situation): Command | undefined {
  const from = speaker(model, tape);
  return from && more(from, tape);
}

/** Whoever's code may ask for something; who holds more than its task named, as often as all others. */
function speaker(model: Model, tape: Tape): Speaker | undefined {
  const code = model.live().filter(({ attempt }) => attempt.phase === "run");
  const holders = code.filter(({ attempt }) => attempt.allocations.length > 0);
  const one = tape.pick(holders.length > 0 && tape.chance(50) ? holders : code);
  return one && speakerOf(one);
}

export function more(from: Speaker, tape: Tape): Command {
  return {
    type: "attempt.request",
    ...from,
    amounts: tape.pick([
      { disk: 1 },
      { disk: 2 },
      { net: 1 },
      { net: 0.5, disk: 1 },
      { calls: 2 },
      { disk: 3 },
      { net: 2 },
    ]),
    wait: tape.chance(75),
    ...(tape.chance(40) ? { leaseMs: 500 } : {}),
  };
}

export function someTask(
  { model, tape }: Situation,
  of: (task: Task) => boolean = (task) => !isTerminal(task),
): Task | undefined {
  return tape.pick(model.tasks.filter(of));
}

function openChildren(task: Task): readonly Task[] {
  return task.children.filter((child) => !isTerminal(child));
}

function byPerson(
  type: "task.pause" | "task.resume" | "task.cancel" | "task.retry",
  task: Task | undefined,
): Command | undefined {
  return task && { type, taskId: task.id };
}

function judge(situation: Situation, { id: taskId }: Task): Command {
  return { type: "task.judge", taskId, verdicts: verdictsOn("input", situation) };
}

/** A person: where a ballot decides there is nobody else to ask. */
function isAsked({ askedUntil, approval }: Task): boolean {
  return askedUntil !== undefined && approval?.ballot === undefined;
}

/** Now and then it is of another's output. */
function answerOf(situation: Situation, taskId: string, from: string): Command {
  const given = situation.tape.chance(10) ? "another" : from;
  return { type: "task.answer", taskId, from: given, verdicts: verdictsOn("output", situation) };
}

/** Now and then it is refused, or another is allowed than was asked for. */
function allow(tape: Tape, { id: taskId }: Task): Command {
  if (tape.chance(52)) return { type: "task.reject", taskId, reason: "no" };
  return { type: "task.approve", taskId, ...(tape.chance(10) ? { hash: "another" } : {}) };
}

/** What the guardrails say; now and then one of them blocks, or not all of them were asked. */
function verdictsOn(on: GuardedPoint, { model, tape }: Situation): readonly GivenVerdict[] {
  const names = model.settings.guardrails[on] ?? [];
  const asked = tape.chance(10) ? names.slice(1) : names;
  const blocks = tape.chance(12) ? tape.below(Math.max(1, asked.length)) : asked.length;
  return asked
    .slice(0, blocks + 1)
    .map((guardrail, i) =>
      i === blocks ? { guardrail, verdict: "block", reason: "no" } : { guardrail, verdict: "allow" },
    );
}

/** A planner plans; who aggregates may ask for another round; else it is done. */
function end(situation: Situation): Command | undefined {
  const { model, cast, tape } = situation;
  const unjudged = someTask(situation, (one) => awaitsJudgement(model, one));
  if (unjudged !== undefined && (model.running.length === 0 || tape.chance(60))) return judge(situation, unjudged);
  const [offered, given] = tape.pick([...model.offers]) ?? [];
  if (offered !== undefined && given !== undefined && tape.chance(50))
    return answerOf(situation, offered.id, given.from);
  const asked = someTask(situation, isAsked);
  if (asked !== undefined && (model.running.length === 0 || tape.chance(30))) return allow(tape, asked);
  if (model.ballots.some(({ open }) => open) && tape.chance(model.running.length === 0 ? 80 : 30))
    return vote(situation);
  const live = tape.pick(model.live());
  if (live === undefined) return undefined;
  const from = speakerOf(live);
  if (plans(live.task, live.attempt, tape))
    return { type: "attempt.plan", ...from, tasks: cast.requests("plan", tape.below(4), tape) };
  const verdicts = verdictsOn("output", situation);
  return { type: "attempt.complete", ...from, output: null, ...(verdicts.length === 0 ? {} : { verdicts }) };
}

function plans(task: Task, { phase }: Attempt, tape: Tape): boolean {
  return phase === "plan" || (phase === "aggregate" && task.rounds < 3 && tape.chance(20));
}
