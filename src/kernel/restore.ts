/** The state that the rows of a snapshot tell of. */
import { add } from "../coordination/structures/amount.ts";
import { book, openBook } from "../coordination/structures/budget-book.ts";
import { sumIn } from "../coordination/structures/money.ts";
import { RateBucket } from "../coordination/structures/rate-bucket.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import { ballotOf } from "./ballot-row.ts";
import { batchOf, join, widen } from "./batches.ts";
import { restoreClaim } from "./claims.ts";
import type { KernelEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import { keep } from "./holdings.ts";
import { amount, known, needsOf, taskOf } from "./named.ts";
import { resourceOf, setBreaker } from "./resource.ts";
import { enter } from "./settling.ts";
import {
  type AgentRow,
  type ClaimRow,
  type FlightRow,
  FORMAT,
  type KeptRow,
  type LiveRow,
  type MetaRow,
  type Row,
  type TaskRow,
} from "./snapshot-rows.ts";
import { fundingOf, ownCost, payAbove } from "./spending.ts";
import { type Remembered, State } from "./state.ts";
import { type Approval, isTerminal, type Task } from "./task.ts";

/** Whether rows that begin with this one can be restored here. */
export function isReadable(first: Json | undefined): boolean {
  return typeof first === "object" && first !== null && "format" in first && first.format === FORMAT;
}

/** The state that these rows tell of. */
export function restoreState(rows: Iterable<Json>): State {
  const restoration = new Restoration();
  for (const row of rows) restoration.take(row);
  return restoration.end();
}

/** A state that is made row by row, in the order in which they were written; so others may have their turn in between. */
export class Restoration {
  readonly #state: State = new State();
  readonly #claims: ClaimRow[] = [];
  /** Tasks whose links point forward as well, until all are there. */
  #unlinked: TaskRow[] = [];
  /** Of the tree that is being read, and how many follow its root. */
  readonly #tree: (readonly [id: string, row: string])[] = [];
  #below = 0;
  #meta: MetaRow | undefined;

  take(json: Json): void {
    const state = this.#state;
    const row = json as unknown as Row;
    switch (row.row) {
      case "meta":
        this.#meta = row;
        break;
      case "agent":
        restoreAgent(state, row);
        break;
      case "resource": {
        const { id, kind, rate, breaker } = row;
        const resource = resourceOf(id, state.resources.size + 1, kind, amount(row.capacity));
        if (rate !== null) resource.rate = RateBucket.restore(rate);
        if (breaker !== undefined) {
          setBreaker(resource, breaker.policy);
          resource.breaker = breaker.state;
        }
        state.resources.set(id, resource);
        break;
      }
      case "budget": {
        const { id, limit, spent } = row;
        const parent =
          row.parent === undefined ? undefined : known(state.budgets.get(row.parent), "budget", row.parent);
        const opened = openBook(id, sumIn(limit), parent);
        state.budgets.set(id, { ...opened, spent: sumIn(spent), parent, parked: new Set() });
        break;
      }
      case "finished": {
        const tree = this.#tree;
        tree.push([row.id, row.text]);
        this.#below = row.below ?? (tree.length === 1 ? 0 : this.#below);
        if (tree.length > this.#below) state.finished.add(tree.splice(0));
        break;
      }
      case "task":
        restoreTask(state, row);
        // Rows that are let go at once die young: fewer and shorter pauses to collect them.
        if (row.spec.parentId !== undefined || row.spec.dependsOn !== undefined) this.#unlinked.push(row);
        break;
      case "live":
        this.#link();
        restoreLive(state, row);
        break;
      case "kept": {
        const needsOf = (held: KeptRow["needs"]): readonly Need[] =>
          held.map(([id, sum]) => ({ resource: known(state.resources.get(id), "resource", id), amount: amount(sum) }));
        const leases = (row.leases ?? []).map(({ id, token, needs, expiresAt }) => ({
          id,
          token,
          needs: needsOf(needs),
          expiresAt,
        }));
        keep(state, row.taskId, row.token, needsOf(row.needs), leases, undefined);
        break;
      }
      case "claim":
        this.#claims.push(row);
        break;
      case "flight":
        this.#link();
        restoreFlight(state, row);
        break;
      case "offer": {
        this.#link();
        const { row: _, taskId, ...offer } = row;
        state.flights.offers.set(taskOf(state, taskId), offer);
        break;
      }
      case "output":
        state.outputs.put(row.key, { ...row, givers: row.givers ?? [] });
        break;
      case "reservation": {
        const { what, startsAt = Number.POSITIVE_INFINITY } = row;
        const agent = row.agent === undefined ? undefined : known(state.agents.get(row.agent), "agent", row.agent);
        state.reserved = { task: taskOf(state, row.taskId), what, agent, startsAt };
        break;
      }
      case "ballot": {
        const ballot = ballotOf(row, row.open);
        state.ballots.set(ballot.id, ballot);
        if (row.open) state.openBallots += 1;
        break;
      }
      case "talk":
        // After all that is kept, each of which has counted.
        state.mail.lastNumber = row.lastMessage;
        state.shared.deletedUpTo = row.deletedUpTo;
        break;
      case "message": {
        const { row: _, ...message } = row;
        state.mail.keep(message);
        break;
      }
      case "reading":
        state.mail.restore(row);
        break;
      case "entry":
        state.shared.set(row.key, { value: row.value, version: row.version, size: row.size });
        break;
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

  /** When all have been taken. */
  end(): State {
    const state = this.#state;
    const meta = this.#meta;
    this.#link();
    for (const { taskId, agent, victims } of this.#claims) restoreClaim(state, taskId, agent, victims);
    if (meta === undefined) throw new RangeError("the snapshot has no counters");
    state.seq = meta.seq;
    state.at = meta.at;
    state.open = meta.open;
    state.settings = meta.settings ?? undefined;
    state.closedMs = meta.closedMs;
    const [arrivals = 0, registrations = 0, lastToken = 0, lastTask = 0, lastBallot = 0, lastRequest = 0] =
      meta.counters;
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

  #link(): void {
    for (const row of this.#unlinked) linkTask(this.#state, row);
    this.#unlinked = [];
  }
}

function restoreAgent(state: State, row: AgentRow): void {
  const event: KernelEvent = { seq: 0, at: 0, ...row.registered };
  evolve(state, event, undefined);
  const agent = known(state.agents.get(row.registered.agent), "agent", row.registered.agent);
  agent.breaker = row.breaker;
  agent.online = row.online;
  agent.teamLostMs = row.teamLostMs;
  if (row.standing !== undefined) agent.standing = row.standing;
  if (row.spent !== undefined) agent.spent = sumIn(row.spent);
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
    funding: fundingOf(state, spec),
    dependsOn: [],
    closedMs: row.closedMs,
    status: row.status,
    priority: row.priority,
    missing,
    dependents: undefined,
    family: undefined,
    round: row.round,
    phase: row.phase,
    judgement: row.judgement,
    held: row.held ?? false,
    readyAfter: row.readyAfter,
    notBefore,
    live: undefined,
    attempts: row.attempts.map(({ number, agent, token, phase, startedAt, endedAt, end, error, cost }) => ({
      number,
      agent,
      token,
      phase,
      startedAt,
      endedAt,
      end,
      error,
      cost,
    })),
    series: row.series,
    checkpoint: row.checkpoint,
    claim: undefined,
    approval: row.approval === undefined ? undefined : approvalIn(row.approval),
    ending: row.ending && { ...row.ending, fallback: row.ending.fallback },
    ended: ended && {
      at: ended.at,
      output: ended.output,
      error: ended.error,
      via: ended.via,
      ...(ended.from === undefined ? {} : { from: ended.from }),
      ...(ended.isValue === undefined ? {} : { isValue: ended.isValue }),
    },
    wish: undefined,
  };
  state.tasks.set(task.id, task);
  if (spec.trace !== undefined) state.traced = true;
  state.counts[task.status] += 1;
}

/** With all its fields, those too that JSON has left out. */
function approvalIn(approval: Approval): Approval {
  if (approval.state === "given") return { state: "given", who: approval.who };
  const { state, before, hash, seq, at, expiresAt, ballotId, token, output, via, from, givers } = approval;
  return { state, before, hash, seq, at, expiresAt, ballotId, token, output, via, from, givers };
}

/** Who waits for whom, and whose child it is. What it depends on may have ended and be kept apart, or have left memory. */
function linkTask(state: State, row: TaskRow): void {
  const task = taskOf(state, row.spec.taskId);
  for (const id of isTerminal(task.status) ? [] : (row.spec.dependsOn ?? [])) {
    const dependency = state.tasks.get(id);
    if (dependency === undefined || row.seen?.includes(id) === true) continue;
    task.dependsOn.push(dependency);
    if (isTerminal(dependency.status)) continue;
    dependency.dependents ??= [];
    dependency.dependents.push(task);
  }
  if (task.parent !== undefined) enter(task.parent, task);
  payAbove(task, ownCost(task));
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
    batch: row.batch && batchOf(state, row.batch.id, agent),
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
    reserved: sumIn(row.reserved ?? "0"),
    place: undefined,
    wish: undefined,
    timer: undefined,
  };
  task.live = live;
  state.live.set(live.token, live);
  if (live.seated) {
    agent.running += 1;
    if (live.batch === undefined) {
      state.slots += 1;
      agent.load = add(agent.load, task.load);
    } else {
      join(state, live.batch, live);
      widen(live.batch, amount(row.batch?.load ?? 0));
    }
  }
  for (const need of task.needs) hold(need);
  if (task.funding !== undefined) book(task.funding.budget, { reserve: live.reserved });
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

function restoreFlight(state: State, { key, leader, followers, open }: FlightRow): void {
  state.flights.add({
    key,
    leader: leader === undefined ? undefined : taskOf(state, leader),
    followers: new Set(followers.map((id) => taskOf(state, id))),
    open,
  });
}

function hold({ resource, amount: held }: Need): void {
  if (resource.rate === undefined) resource.allocated = add(resource.allocated, held);
}
