/** Ballots: who may vote is fixed when they are opened, the last vote of each counts, and they close once. */

import type { Command } from "../../src/kernel/commands.ts";
import { becomePending, complete, endAs } from "./life.ts";
import type { Agent, Ballot, Model, Task } from "./model.ts";
import { qualified } from "./wishes.ts";

type Asked = Extract<Command, { type: "ballot.open" }>;
type Outcome = "decided" | "tied" | "no_majority" | "no_consensus" | "no_quorum";

export interface Counted {
  readonly outcome: Outcome;
  readonly decision: string | undefined;
  readonly abstained: readonly string[];
  readonly invalid: readonly string[];
}

const BY_DEFAULT_MS = 30_000;

/** Nobody is asked twice; what is decided by ballot has one that begins when it is opened. */
export function isMalformedBallot({ voters = [] }: Asked): boolean {
  return new Set(voters).size < voters.length;
}

/** Why it is not opened, or its id. */
export function openBallot(
  model: Model,
  asked: Asked,
): { readonly code: "UNKNOWN_AGENT" | "INVALID_ARGUMENT" } | { readonly ids: readonly string[] } {
  const given = new Map(typeof asked.weights === "object" ? Object.entries(asked.weights) : []);
  const voters = asked.voters ?? model.agents.filter(({ votes, online }) => votes && online).map(({ name }) => name);
  if ([...given.keys(), ...voters].some((name) => model.agent(name) === undefined)) return { code: "UNKNOWN_AGENT" };
  const agents = voters.flatMap((name) => model.agent(name) ?? []);
  if (agents.some(({ votes }) => !votes)) return { code: "INVALID_ARGUMENT" };
  const ballot = newBallot(model, {
    options: asked.options,
    method: asked.method ?? "majority",
    voters: agents,
    given,
    quorum: typeof asked.quorum === "number" ? asked.quorum : undefined,
    threshold: typeof asked.threshold === "number" ? asked.threshold : undefined,
    first: asked.tieBreak === "first",
    forMs: asked.deadlineMs ?? BY_DEFAULT_MS,
    task: undefined,
  });
  return { ids: [ballot.id] };
}

function newBallot(
  model: Model,
  {
    voters,
    given,
    forMs,
    ...terms
  }: Pick<Ballot, "options" | "method" | "quorum" | "threshold" | "first" | "task"> & {
    readonly voters: readonly Agent[];
    readonly given: ReadonlyMap<string, number>;
    readonly forMs: number;
  },
): Ballot {
  const ballot: Ballot = {
    ...terms,
    id: `b${model.ballots.length + 1}`,
    electorate: voters.map(({ name }) => name),
    weights: new Map(voters.map(({ name, weight }) => [name, given.get(name) ?? weight])),
    deadlineAt: model.now + forMs,
    votes: new Map(),
    open: true,
    concluded: false,
  };
  model.ballots.push(ballot);
  closeIfAllVoted(ballot);
  return ballot;
}

export function castVote(
  model: Model,
  { ballotId, voter, vote }: Extract<Command, { type: "ballot.cast" }>,
): "UNKNOWN_BALLOT" | "INVALID_STATE" | "INVALID_ARGUMENT" | undefined {
  const ballot = model.ballots.find(({ id }) => id === ballotId);
  if (ballot === undefined) return "UNKNOWN_BALLOT";
  if (!ballot.open) return "INVALID_STATE";
  if (!ballot.electorate.includes(voter)) return "INVALID_ARGUMENT";
  ballot.votes.set(voter, vote);
  closeIfAllVoted(ballot);
  return undefined;
}

export function extendBallot(
  model: Model,
  { ballotId, ms }: Extract<Command, { type: "ballot.extend" }>,
): "UNKNOWN_BALLOT" | "INVALID_STATE" | undefined {
  const ballot = model.ballots.find(({ id }) => id === ballotId);
  if (ballot === undefined) return "UNKNOWN_BALLOT";
  if (!ballot.open) return "INVALID_STATE";
  ballot.deadlineAt += ms;
  return undefined;
}

function closeIfAllVoted(ballot: Ballot): void {
  if (ballot.electorate.every((voter) => ballot.votes.has(voter))) ballot.open = false;
}

/** Whose time is up, the earliest first. */
export function dueBallots({ ballots, now }: Model): readonly Ballot[] {
  return ballots
    .filter(({ open, deadlineAt }) => open && deadlineAt <= now)
    .sort((a, b) => a.deadlineAt - b.deadlineAt);
}

/** Takes what ballots have decided on tasks, and opens those that tasks wait for. Whether there was anything of it. */
export function settleBallots(model: Model): boolean {
  let any = false;
  for (const ballot of model.ballots) {
    const { task } = ballot;
    if (task === undefined || ballot.concluded) continue;
    const waits = task.askedUntil !== undefined && task.ballot === ballot;
    if (waits && ballot.open) continue;
    ballot.open = false;
    ballot.concluded = true;
    any = true;
    if (waits) conclude(model, task, ballot);
  }
  for (const task of model.tasks) {
    if (task.askedUntil === undefined || task.ballot !== undefined || task.approval?.ballot === undefined) continue;
    const { method, voters } = task.approval.ballot;
    const barred = barredFrom(model, task);
    const agents = (voters ?? model.agents.map(({ name }) => name)).flatMap((name) => model.agent(name) ?? []);
    const { expiresMs } = task.approval;
    task.ballot = newBallot(model, {
      options: ["approve", "reject"],
      method,
      voters: agents.filter(({ name, votes }) => votes && !barred.has(name)),
      given: new Map(),
      quorum: undefined,
      threshold: undefined,
      first: false,
      forMs: expiresMs === Number.POSITIVE_INFINITY ? BY_DEFAULT_MS : expiresMs,
      task,
    });
    any = true;
  }
  return any;
}

function conclude(model: Model, task: Task, ballot: Ballot): void {
  // Who has begun to work on it since has no vote any more.
  const barred = barredFrom(model, task);
  const electorate = ballot.electorate.filter((name) => !barred.has(name));
  const { decision, invalid } = countOf({ ...ballot, electorate });
  if (decision !== "approve") endAs(model, task, "failed");
  else {
    const helped = [...ballot.votes].filter(
      ([voter, vote]) =>
        electorate.includes(voter) && vote !== undefined && vote !== "reject" && !invalid.includes(voter),
    );
    allow(
      model,
      task,
      helped.map(([voter]) => voter),
    );
  }
}

/** It goes on. Who allowed its run does not run it. */
export function allow(model: Model, task: Task, who: readonly string[]): void {
  task.askedUntil = undefined;
  if (task.approval?.before === "output") complete(model, task);
  else {
    task.approved = true;
    task.approvedBy = who;
    becomePending(model, task);
  }
}

/** Who has the task done, does it, or works for who does it. */
function barredFrom(model: Model, task: Task): ReadonlySet<string> {
  const attempted = (one: Task): string[] => [
    ...one.ended.map(({ agent }) => agent),
    ...(one.attempt === undefined ? [] : [one.attempt.agent.name]),
  ];
  const barred = new Set<string>();
  for (let { parent } = task; parent !== undefined; parent = parent.parent)
    for (const name of attempted(parent)) barred.add(name);
  const doers = [task.meantFor.pin, task.fallback?.others?.pin, ...attempted(task)].filter(
    (name) => name !== undefined,
  );
  const able = task.approval?.before === "run" ? qualified(model, task) : [];
  if (able.length === 1) for (const { name } of able) barred.add(name);
  const makers = task.approval?.before === "output" ? task.givenBy : [];
  const crew = new Set([...doers, ...makers]);
  for (const name of crew) for (const member of model.agent(name)?.team ?? []) crew.add(member);
  const parts = [...task.children];
  for (const part of parts) {
    for (const name of attempted(part)) barred.add(name);
    parts.push(...part.children);
  }
  return new Set([...barred, ...crew]);
}

/** Counted by the book, from the votes alone. */
export function countOf({ options, method, electorate, weights, votes, quorum, threshold, first }: Ballot): Counted {
  const picks = new Map<string, readonly string[]>();
  const abstained: string[] = [];
  const invalid: string[] = [];
  for (const voter of [...electorate].sort()) {
    const vote = votes.get(voter);
    const picked = method === "approval" ? vote : [vote];
    if (vote === undefined) abstained.push(voter);
    else if (!isPicking(picked, options)) invalid.push(voter);
    else picks.set(voter, picked);
  }
  const isWeighed = method === "weighted" || method === "approval";
  const weigh = (voters: Iterable<string>): number =>
    [...voters].reduce((sum, voter) => sum + (isWeighed ? (weights.get(voter) ?? 1) : 1), 0);
  const told = (outcome: Outcome, decision?: string): Counted => ({ outcome, decision, abstained, invalid });

  const cast = weigh(picks.keys());
  if (cast === 0) return told("no_quorum");
  const [present, everybody] = method === "weighted" ? [cast, weigh(electorate)] : [picks.size, electorate.length];
  if (quorum !== undefined && present < quorum * everybody) return told("no_quorum");
  const scores = options.map((option) =>
    weigh([...picks].flatMap(([voter, of]) => (of.includes(option) ? [voter] : []))),
  );
  const lead = Math.max(...scores);
  const leaders = options.filter((_, place) => scores[place] === lead);
  if (method === "unanimous" && lead < electorate.length) return told("no_consensus");
  if (threshold !== undefined && lead <= threshold * cast) return told("no_majority");
  const [leader] = leaders;
  return leaders.length === 1 || first ? told("decided", leader) : told("tied");
}

function isPicking(picked: unknown, options: readonly string[]): picked is readonly string[] {
  return (
    Array.isArray(picked) && new Set(picked).size === picked.length && picked.every((one) => options.includes(one))
  );
}
