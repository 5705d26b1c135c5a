/**
 * The state as rows of JSON, and back.
 *
 * 1. A row an entity, in order of arrival, after one row of counters; links are told by id and made again when all are there.
 * 2. Only what cannot be derived is written: indexes, pools, queues and sums of claims are rebuilt.
 * 3. Restoring what was written gives the same rows again.
 */

import type { BreakerState } from "../coordination/circuit-breaker.ts";
import { add, amountToNumber, ZERO } from "../coordination/structures/amount.ts";
import { RateBucket, type RateBucketState } from "../coordination/structures/rate-bucket.ts";
import type { Json } from "../coordination/structures/types.ts";
import { restoreClaim } from "./claims.ts";
import type {
  AgentRegisteredEvent,
  BallotOpenedEvent,
  KernelEvent,
  OpenedEvent,
  Phase,
  ResourceKind,
  StopReason,
} from "./events.ts";
import { evolve } from "./evolve.ts";
import { amount, known, needsOf, taskOf } from "./named.ts";
import { enter } from "./settling.ts";
import {
  type AttemptRecord,
  type Ended,
  isTerminal,
  type LiveAttempt,
  type Need,
  type Remembered,
  type Reserved,
  type Series,
  State,
  type Submitted,
  type Task,
  type TaskStatus,
} from "./state.ts";

/** Another number for other rows: who reads a snapshot of another format replays instead. */
const FORMAT = 2;

interface MetaRow {
  readonly row: "meta";
  readonly format: number;
  readonly seq: number;
  readonly at: number;
  readonly open: boolean;
  readonly settings: OpenedEvent | null;
  readonly closedMs: number;
  readonly counters: readonly number[];
  readonly skillsLost: readonly (readonly [string, number])[];
  /** How many tasks have ended so, those among them that have left memory too. */
  readonly ended: Readonly<Partial<Record<TaskStatus, number>>>;
}
interface AgentRow {
  readonly row: "agent";
  readonly seq: number;
  readonly registered: AgentRegisteredEvent;
  readonly breaker: BreakerState;
  readonly online: boolean;
  readonly teamLostMs: number;
}
interface ResourceRow {
  readonly row: "resource";
  readonly id: string;
  readonly kind: ResourceKind;
  readonly capacity: number;
  readonly rate: RateBucketState | null;
}
/** A task of a tree that has ended: its id and its line of text. The root's comes first, and says how many follow. */
interface FinishedRow {
  readonly row: "finished";
  readonly id: string;
  readonly text: string;
  readonly below?: number;
}
interface TaskRow {
  readonly row: "task";
  readonly seq: number;
  readonly spec: Submitted;
  readonly closedMs: number;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly readyAfter: number;
  readonly round: number;
  readonly phase: Phase;
  readonly numbers: readonly number[];
  readonly attempts: readonly AttemptRecord[];
  readonly series: Series;
  /** What it no longer waits for, though that is tried again. */
  readonly seen?: readonly string[];
  readonly held?: boolean;
  readonly checkpoint?: Json;
  readonly ending?: Task["ending"];
  readonly ended?: Partial<Ended> & { readonly at: number };
}
interface LiveRow {
  readonly row: "live";
  readonly taskId: string;
  readonly seated: boolean;
  readonly stopping?: { readonly reason: StopReason; readonly graceUntil: number; readonly for?: string };
  readonly awaiting?: readonly string[];
  readonly seatMs?: number;
  readonly extra: readonly {
    readonly id: string;
    readonly token: number;
    readonly amounts: Readonly<Record<string, number>>;
    readonly expiresAt?: number;
  }[];
  readonly request?: {
    readonly id: string;
    readonly amounts: Readonly<Record<string, number>>;
    readonly leaseMs?: number;
    readonly askedMs: number;
  };
}
interface ClaimRow {
  readonly row: "claim";
  readonly taskId: string;
  readonly agent: string;
  readonly victims: readonly number[];
}
interface ReservationRow {
  readonly row: "reservation";
  readonly taskId: string;
  readonly what: Reserved["what"];
  readonly agent?: string;
  readonly startsAt?: number;
}
interface BallotRow {
  readonly row: "ballot";
  readonly opened: BallotOpenedEvent & { readonly at?: number };
  readonly at: number;
  readonly votes: readonly (readonly [string] | readonly [string, Json])[];
  readonly open: boolean;
}
interface RememberedRow {
  readonly row: "command" | "key";
  readonly id: string;
  readonly ids: readonly string[];
  readonly type: string;
}
type Row =
  | MetaRow
  | AgentRow
  | ResourceRow
  | FinishedRow
  | TaskRow
  | LiveRow
  | ClaimRow
  | ReservationRow
  | BallotRow
  | RememberedRow;

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
    };
    yield {
      row: "agent",
      seq: agent.seq,
      registered,
      breaker: agent.breaker,
      online: agent.online,
      teamLostMs: agent.teamLostMs,
    };
  }
  for (const { id, kind, capacity, rate } of state.resources.values())
    yield { row: "resource", id, kind, capacity: amountToNumber(capacity), rate: rate?.state() ?? null };
  for (const tree of state.finished.trees()) {
    for (const [i, [id, text]] of tree.entries())
      yield { row: "finished", id, text, ...(i === 0 && tree.length > 1 ? { below: tree.length - 1 } : {}) };
  }
  for (const task of state.tasks.values()) yield taskRow(state, task);
  for (const live of state.live.values()) yield liveRow(live);
  for (const { claim } of state.claims) {
    if (claim !== undefined)
      yield {
        row: "claim",
        taskId: claim.task.id,
        agent: claim.agent.name,
        victims: [...claim.victims].map((live) => live.token),
      };
  }
  if (state.reserved !== undefined) {
    const { task, what, agent, startsAt } = state.reserved;
    const foreseen = startsAt === Number.POSITIVE_INFINITY ? {} : { startsAt };
    yield { row: "reservation", taskId: task.id, what, ...defined({ agent: agent?.name }), ...foreseen };
  }
  for (const { opened, at: openedAt, votes, open: isOpen } of state.ballots.values()) {
    yield {
      row: "ballot",
      opened,
      at: openedAt,
      votes: [...votes].map(([voter, vote]) => (vote === undefined ? [voter] : [voter, vote])),
      open: isOpen,
    };
  }
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
      checkpoint: task.checkpoint,
      ending: task.ending,
      ended: ended && { at: ended.at, ...defined({ output: ended.output, error: ended.error }) },
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
    ...(stopping === undefined
      ? {}
      : {
          stopping: { reason: stopping.reason, graceUntil: stopping.graceUntil, ...defined({ for: stopping.for }) },
        }),
    ...(awaiting === undefined ? {} : { awaiting: [...awaiting].map((task) => task.id), seatMs: live.seatMs }),
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

function amountsOf(needs: readonly Need[]): Readonly<Record<string, number>> {
  const amounts: Record<string, number> = Object.create(null);
  for (const { resource, amount } of needs) amounts[resource.id] = amountToNumber(amount);
  return amounts;
}

const ENDED = ["completed", "failed", "skipped", "cancelled"] as const;

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

/** Whether rows that begin with this one can be restored here. */
export function isReadable(first: Json | undefined): boolean {
  return typeof first === "object" && first !== null && "format" in first && first.format === FORMAT;
}

/** The state that these rows tell of. */
export function restoreState(rows: Iterable<Json>): State {
  const state = new State();
  const claims: ClaimRow[] = [];
  let meta: MetaRow | undefined;
  const linkLater: TaskRow[] = [];
  /** Of the tree that is being read, and how many follow its root. */
  const tree: (readonly [id: string, row: string])[] = [];
  let below = 0;
  let linked = false;
  const link = (): void => {
    if (linked) return;
    linked = true;
    for (const row of linkLater) linkTask(state, row);
  };
  for (const json of rows) {
    const row = json as unknown as Row;
    switch (row.row) {
      case "meta":
        meta = row;
        break;
      case "agent":
        restoreAgent(state, row);
        break;
      case "resource": {
        const { id, kind, rate } = row;
        const capacity = amount(row.capacity);
        state.resources.set(id, {
          id,
          kind,
          capacity,
          allocated: ZERO,
          claimed: ZERO,
          returning: ZERO,
          rate: rate === null ? undefined : RateBucket.restore(rate),
          parked: new Set(),
        });
        break;
      }
      case "finished":
        tree.push([row.id, row.text]);
        below = row.below ?? (tree.length === 1 ? 0 : below);
        if (tree.length > below) state.finished.add(tree.splice(0));
        break;
      case "task":
        restoreTask(state, row);
        linkLater.push(row);
        break;
      case "live":
        link();
        restoreLive(state, row);
        break;
      case "claim":
        claims.push(row);
        break;
      case "reservation": {
        const { what, startsAt = Number.POSITIVE_INFINITY } = row;
        const agent = row.agent === undefined ? undefined : known(state.agents.get(row.agent), "agent", row.agent);
        state.reserved = { task: taskOf(state, row.taskId), what, agent, startsAt };
        break;
      }
      case "ballot": {
        const votes = new Map(row.votes.map((entry): [string, Json | undefined] => [entry[0], entry[1]]));
        state.ballots.set(row.opened.ballotId, {
          id: row.opened.ballotId,
          opened: row.opened,
          at: row.at,
          votes,
          open: row.open,
        });
        if (row.open) state.openBallots += 1;
        break;
      }
      case "command":
      case "key": {
        const remembered: Remembered = { ids: [...row.ids], type: row.type };
        (row.row === "key" ? state.keys : state.commands).set(row.id, remembered);
        break;
      }
      default: {
        const never: never = row;
        throw new RangeError(`unknown row ${JSON.stringify(never)}`);
      }
    }
  }
  link();
  for (const { taskId, agent, victims } of claims) restoreClaim(state, taskId, agent, victims);
  if (meta === undefined) throw new RangeError("the snapshot has no counters");
  state.seq = meta.seq;
  state.at = meta.at;
  state.open = meta.open;
  state.settings = meta.settings ?? undefined;
  state.closedMs = meta.closedMs;
  const [arrivals = 0, registrations = 0, lastToken = 0, lastTask = 0, lastBallot = 0, lastRequest = 0] = meta.counters;
  state.arrivals = arrivals;
  state.registrations = registrations;
  state.lastToken = lastToken;
  state.lastTaskNumber = lastTask;
  state.lastBallotNumber = lastBallot;
  state.lastRequestNumber = lastRequest;
  for (const [skill, ms] of meta.skillsLost) state.skillsLost.set(skill, ms);
  Object.assign(state.counts, meta.ended);
  return state;
}

function restoreAgent(state: State, row: AgentRow): void {
  const event: KernelEvent = { seq: 0, at: 0, ...row.registered };
  evolve(state, event, undefined);
  const agent = state.agents.get(row.registered.agent);
  if (agent === undefined) return;
  agent.breaker = row.breaker;
  agent.online = row.online;
  agent.teamLostMs = row.teamLostMs;
  Object.assign(agent, { seq: row.seq });
}

function restoreTask(state: State, row: TaskRow): void {
  const { spec } = row;
  const [missing = 0, notBefore = 0] = row.numbers;
  const { ended } = row;
  const task: Task = {
    id: spec.taskId,
    seq: row.seq,
    spec,
    parent: spec.parentId === undefined ? undefined : state.tasks.get(spec.parentId),
    load: amount(spec.load ?? 1),
    needs: needsOf(state, spec.resources),
    dependsOn: [],
    closedMs: row.closedMs,
    status: row.status,
    priority: row.priority,
    missing,
    dependents: undefined,
    family: undefined,
    round: row.round,
    phase: row.phase,
    held: row.held ?? false,
    readyAfter: row.readyAfter,
    notBefore,
    live: undefined,
    attempts: row.attempts.map(({ number, agent, token, phase, startedAt, endedAt, end, error }) => ({
      number,
      agent,
      token,
      phase,
      startedAt,
      endedAt,
      end,
      error,
    })),
    series: row.series,
    checkpoint: row.checkpoint,
    claim: undefined,
    ending: row.ending,
    ended: ended && { at: ended.at, output: ended.output, error: ended.error },
    wish: undefined,
  };
  state.tasks.set(task.id, task);
  state.counts[task.status] += 1;
}

/** Who waits for whom, and whose child it is. What it depends on may have ended and be kept apart, or have left memory. */
function linkTask(state: State, row: TaskRow): void {
  const task = state.tasks.get(row.spec.taskId);
  if (task === undefined) return;
  for (const id of isTerminal(task.status) ? [] : (row.spec.dependsOn ?? [])) {
    const dependency = state.tasks.get(id);
    if (dependency === undefined || row.seen?.includes(id) === true) continue;
    task.dependsOn.push(dependency);
    if (isTerminal(dependency.status)) continue;
    dependency.dependents ??= [];
    dependency.dependents.push(task);
  }
  if (task.parent !== undefined) enter(task.parent, task);
}

function restoreLive(state: State, row: LiveRow): void {
  const task = state.tasks.get(row.taskId);
  const record = task?.attempts.at(-1);
  const agent = record === undefined ? undefined : state.agents.get(record.agent);
  if (task === undefined || record === undefined || agent === undefined)
    throw new RangeError(`the snapshot's attempt of ${row.taskId} has no task or agent`);
  const live: LiveAttempt = {
    task,
    agent,
    token: record.token,
    phase: record.phase,
    startedAt: record.startedAt,
    record,
    seated: row.seated,
    stopping:
      row.stopping === undefined
        ? undefined
        : {
            reason: row.stopping.reason,
            graceUntil: row.stopping.graceUntil,
            for: row.stopping.for,
          },
    awaiting:
      row.awaiting === undefined
        ? undefined
        : new Set(row.awaiting.map((id) => state.tasks.get(id)).filter((other) => other !== undefined)),
    seatMs: row.seatMs ?? 0,
    extra: undefined,
    request: undefined,
    place: undefined,
    wish: undefined,
    timer: undefined,
  };
  task.live = live;
  state.live.set(live.token, live);
  if (live.seated) {
    state.slots += 1;
    agent.load = add(agent.load, task.load);
    agent.running += 1;
  }
  for (const need of task.needs) hold(need);
  for (const { id, token, amounts, expiresAt } of row.extra) {
    const allocation = { id, token, live, needs: needsOf(state, amounts), expiresAt };
    live.extra ??= new Map();
    live.extra.set(id, allocation);
    state.allocations.set(id, allocation);
    for (const need of allocation.needs) hold(need);
  }
  if (row.request !== undefined) {
    const { id, amounts, leaseMs, askedMs } = row.request;
    live.request = { id, live, needs: needsOf(state, amounts), leaseMs, askedMs, wish: undefined };
    state.requests.set(id, live.request);
  }
}

function hold({ resource, amount: held }: Need): void {
  if (resource.rate === undefined) resource.allocated = add(resource.allocated, held);
}
