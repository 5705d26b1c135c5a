/**
 * The state as rows of JSON; `restore.ts` makes it again.
 *
 * 1. A row an entity, in order of arrival, after one row of counters; links are told by id and made again when all are there.
 * 2. Only what cannot be derived is written: indexes, pools, queues and sums of claims are rebuilt.
 * 3. Restoring what was written gives the same rows again.
 */
import { NO_STANDING } from "../coordination/reputation.ts";
import { amountToNumber } from "../coordination/structures/amount.ts";
import { NO_MONEY, textOf } from "../coordination/structures/money.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import { castIn } from "./ballot-row.ts";
import type { AgentRegisteredEvent } from "./events/agents.ts";
import { amountsOf } from "./named.ts";
import { FORMAT, type LiveRow, type Row, type TaskRow } from "./snapshot-rows.ts";
import type { State } from "./state.ts";
import { isTerminal, type Task } from "./task.ts";

/** Everything, entity by entity. The rows are plain data that JSON keeps as it is. */
export function* snapshotRows(state: State): Generator<Json, void, undefined> {
  for (const row of rowsOf(state)) yield row as unknown as Json;
}

function* rowsOf(state: State): Generator<Row, void, undefined> {
  const { seq, at, open, settings, closedMs } = state;
  const counters = [
    state.arrivals,
    state.registrations,
    state.lastToken,
    state.lastTaskNumber,
    state.lastBallotNumber,
    state.lastRequestNumber,
  ];
  yield {
    row: "meta",
    format: FORMAT,
    seq,
    at,
    open,
    settings: settings ?? null,
    closedMs,
    counters,
    skillsLost: [...state.skillsLost],
    ended: pick(state.counts, ENDED),
  };
  for (const agent of state.agents.values()) {
    const skills: Record<string, number> = Object.create(null);
    for (const [skill, level] of agent.skills) skills[skill] = level;
    const registered: AgentRegisteredEvent = {
      type: "agent.registered",
      v: 1,
      agent: agent.name,
      kind: agent.kind,
      skills,
      capacity: amountToNumber(agent.capacity),
      weight: agent.weight,
      ...defined({ description: agent.description, breaker: agent.breakerPolicy }),
      team: agent.team,
      votes: agent.votes,
      minSuccess: agent.minSuccess,
      failFast: agent.failFast,
      ...(agent.maxBatch === 0 ? {} : { maxBatch: agent.maxBatch }),
    };
    yield {
      row: "agent",
      seq: agent.seq,
      registered,
      breaker: agent.breaker,
      online: agent.online,
      teamLostMs: agent.teamLostMs,
      ...(agent.spent === NO_MONEY ? {} : { spent: textOf(agent.spent) }),
      ...(agent.standing === NO_STANDING ? {} : { standing: agent.standing }),
    };
  }
  for (const { id, kind, capacity, rate, breakerPolicy, breaker } of state.resources.values())
    yield {
      row: "resource",
      id,
      kind,
      capacity: amountToNumber(capacity),
      rate: rate?.state() ?? null,
      ...(breakerPolicy === undefined ? {} : { breaker: { policy: breakerPolicy, state: breaker } }),
    };
  for (const { id, limit, spent, parent } of state.budgets.values())
    yield { row: "budget", id, limit: textOf(limit), spent: textOf(spent), ...defined({ parent: parent?.id }) };
  for (const tree of state.finished.trees()) {
    for (const [i, [id, text]] of tree.entries())
      yield { row: "finished", id, text, ...(i === 0 && tree.length > 1 ? { below: tree.length - 1 } : {}) };
  }
  for (const task of state.tasks.values()) yield taskRow(state, task);
  for (const live of state.live.values()) yield liveRow(live);
  for (const { taskId, token, needs, leases } of state.kept.values()) {
    const leased = [...leases].map((lease) => ({
      id: lease.id,
      token: lease.token,
      needs: heldIn(lease.needs),
      ...defined({ expiresAt: lease.expiresAt }),
    }));
    yield { row: "kept", taskId, token, needs: heldIn(needs), ...(leased.length === 0 ? {} : { leases: leased }) };
  }
  for (const { claim } of state.claims) {
    if (claim !== undefined)
      yield {
        row: "claim",
        taskId: claim.task.id,
        agent: claim.agent.name,
        victims: [...claim.victims].map((live) => live.token),
      };
  }
  for (const { key, leader, followers, open } of state.flights.all()) {
    const ids = [...followers].map((task) => task.id);
    yield { row: "flight", key, ...defined({ leader: leader?.id }), followers: ids, open };
  }
  for (const [task, offer] of state.flights.offers) yield { row: "offer", taskId: task.id, ...offer };
  for (const [key, { taskId, at, output, givers }] of state.outputs.entries())
    yield { row: "output", key, taskId, at, output, ...(givers.length === 0 ? {} : { givers }) };
  if (state.reserved !== undefined) {
    const { task, what, agent, startsAt } = state.reserved;
    const foreseen = startsAt === Number.POSITIVE_INFINITY ? {} : { startsAt };
    yield { row: "reservation", taskId: task.id, what, ...defined({ agent: agent?.name }), ...foreseen };
  }
  for (const ballot of state.ballots.values()) yield { row: "ballot", ...castIn(ballot), open: ballot.open };
  for (const message of state.mail.messages()) yield { row: "message", ...message };
  for (const reading of state.mail.readings()) yield { row: "reading", ...reading };
  for (const [key, entry] of state.shared.entries()) yield { row: "entry", key, ...entry };
  const { lastNumber: lastMessage } = state.mail;
  const { deletedUpTo } = state.shared;
  if (lastMessage > 0 || deletedUpTo > 0) yield { row: "talk", lastMessage, deletedUpTo };
  for (const [id, { ids, type }] of state.commands) yield { row: "command", id, ids, type };
  for (const [id, { ids, type }] of state.keys) yield { row: "key", id, ids, type };
}

function taskRow(state: State, task: Task): TaskRow {
  const { seq, spec, closedMs, status, priority, readyAfter, round, phase, attempts, series, ended } = task;
  return {
    row: "task",
    seq,
    spec,
    closedMs,
    status,
    priority,
    readyAfter,
    round,
    phase,
    numbers: [task.missing, task.notBefore],
    attempts,
    series,
    ...(task.held ? { held: true } : {}),
    ...defined({
      seen: seenBy(state, task),
      judgement: task.judgement,
      checkpoint: task.checkpoint,
      approval: task.approval,
      ending: task.ending,
      ended: ended && {
        at: ended.at,
        ...defined({
          output: ended.output,
          error: ended.error,
          via: ended.via,
          from: ended.from,
          isValue: ended.isValue,
        }),
      },
    }),
  };
}

/** Who runs whatever becomes of a dependency has seen it fail, also when a person has it tried again. */
function seenBy(state: State, task: Task): readonly string[] | undefined {
  if (task.spec.onDependencyFailure !== "run" || isTerminal(task.status)) return undefined;
  const seen = task.spec.dependsOn?.filter((id) => {
    const dependency = state.tasks.get(id);
    return dependency !== undefined && !isTerminal(dependency.status) && !dependency.dependents?.includes(task);
  });
  return seen !== undefined && seen.length > 0 ? seen : undefined;
}

function liveRow(live: LiveAttempt): LiveRow {
  const { stopping, awaiting, request } = live;
  return {
    row: "live",
    taskId: live.task.id,
    seated: live.seated,
    ...(live.batch === undefined ? {} : { batch: { id: live.batch.id, load: amountToNumber(live.batch.load) } }),
    ...(stopping === undefined
      ? {}
      : {
          stopping: { reason: stopping.reason, graceUntil: stopping.graceUntil, ...defined({ for: stopping.for }) },
        }),
    ...(awaiting === undefined ? {} : { awaiting: [...awaiting].map((task) => task.id), seatMs: live.seatMs }),
    ...(live.reserved.eq(0) ? {} : { reserved: textOf(live.reserved) }),
    extra: [...(live.extra?.values() ?? [])].map(({ id, token, needs, expiresAt }) => ({
      id,
      token,
      amounts: amountsOf(needs),
      ...defined({ expiresAt }),
    })),
    ...(request === undefined
      ? {}
      : {
          request: {
            id: request.id,
            amounts: amountsOf(request.needs),
            askedMs: request.askedMs,
            ...defined({ leaseMs: request.leaseMs }),
          },
        }),
  };
}

const ENDED = ["completed", "failed", "skipped", "cancelled"] as const;

function heldIn(needs: readonly Need[]): readonly (readonly [resource: string, amount: number])[] {
  return needs.map(({ resource, amount }) => [resource.id, amountToNumber(amount)]);
}

function pick<K extends string>(from: Readonly<Record<K, number>>, keys: readonly K[]): Partial<Record<K, number>> {
  const picked: Partial<Record<K, number>> = {};
  for (const key of keys) picked[key] = from[key];
  return picked;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function defined<T extends object>(fields: T): Defined<T> {
  const made: object = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return made as Defined<T>;
}
