/**
 * What an event does to the state. Decision and replay run this very code.
 *
 * 1. Total on valid logs and without choice: nothing here asks for time, sorts without a total key, or computes what another
 *    machine could compute otherwise.
 * 2. Whatever an attempt holds is taken when it starts (or is granted) and given back once, when it ends or waits.
 * 3. What an event changes, the observer is told of; during replay there is none.
 */
import { BREAKER_CLOSED, breakerAdmitted, breakerRule, breakerSucceeded } from "../coordination/circuit-breaker.ts";
import { NO_STANDING } from "../coordination/reputation.ts";
import { add, subtract, ZERO } from "../coordination/structures/amount.ts";
import { sumIn } from "../coordination/structures/money.ts";
import { RateBucket } from "../coordination/structures/rate-bucket.ts";
import { ballotRow } from "./ballot-row.ts";
import { changeReturning, claim, dropClaim } from "./claims.ts";
import type { BallotOpenedEvent, KernelEvent } from "./events.ts";
import { flightKey, follow, lead, leaveFlight, leaveUnjudged, offer } from "./flights.ts";
import { dropAllocation, dropKept, endAttempt, endRequest, seat, take, unseat } from "./holdings.ts";
import { limits } from "./limits.ts";
import { amount, known, liveOf, needsOf, taskOf } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import { breaker, report } from "./reports.ts";
import { resourceOf, setBreaker } from "./resource.ts";
import { budgetSet, spend } from "./spending.ts";
import {
  type AgentState,
  askedOf,
  type Ballot,
  type ExtraAllocation,
  type ExtraRequest,
  type Remembered,
  type State,
  type Task,
} from "./state.ts";
import {
  approvalAsked,
  attemptCompleted,
  attemptEnded,
  becomePending,
  fellBack,
  inputAccepted,
  judgeAllAnew,
  retried,
  setStatus,
  started,
  submitted,
  terminal,
} from "./task-life.ts";

const NONE: readonly never[] = [];

/** Applies one event; `observer` is absent during replay. */
export function evolve(state: State, event: KernelEvent, observer: StateObserver | undefined): void {
  switch (event.type) {
    case "coordinator.opened": {
      if (state.settings !== undefined) state.closedMs += Math.max(0, event.at - state.at);
      const wasGuarded = state.settings?.guardrails?.input !== undefined;
      state.settings = event;
      state.open = true;
      if (wasGuarded || event.guardrails?.input !== undefined) {
        judgeAllAnew(state);
        for (const task of leaveUnjudged(state, observer)) setStatus(state, task, "pending");
      }
      for (const agent of state.agents.values()) {
        agent.online = false;
        observer?.agent(agent, "other");
      }
      break;
    }
    case "coordinator.closed":
      state.open = false;
      break;
    case "agent.registered": {
      const skills = new Map(Object.entries(event.skills));
      const team = event.team ?? NONE;
      const before = state.agents.get(event.agent);
      const fresh = {
        kind: event.kind,
        skills,
        capacity: amount(event.capacity),
        weight: event.weight,
        description: event.description,
        team,
        teamSet: new Set(team),
        votes: event.votes ?? false,
        maxBatch: event.maxBatch ?? 0,
        minSuccess: event.minSuccess ?? "all",
        failFast: event.failFast ?? false,
        breakerPolicy: event.breaker,
        breakerRule: event.breaker === undefined ? undefined : breakerRule(event.breaker),
        online: true,
      };
      if (before === undefined) {
        const agent: AgentState = {
          name: event.agent,
          seq: ++state.registrations,
          ...fresh,
          load: ZERO,
          running: 0,
          breaker: BREAKER_CLOSED,
          standing: NO_STANDING,
          claimed: ZERO,
          returning: ZERO,
          teamLostMs: 0,
          memberships: [],
        };
        state.agents.set(event.agent, agent);
        observer?.agent(agent, "other");
        observer?.team(agent);
      } else {
        for (const [skill, level] of before.skills) {
          if ((skills.get(skill) ?? 0) < level) state.skillsLost.set(skill, state.openMs(event.at));
        }
        noteTeam(state, before, fresh.teamSet, event.at);
        if (event.breaker === undefined || event.breaker.ratio !== before.breakerPolicy?.ratio)
          before.breaker = BREAKER_CLOSED;
        Object.assign(before, fresh);
        observer?.agent(before, "other");
        observer?.team(before);
      }
      break;
    }
    case "agent.unregistered": {
      const agent = known(state.agents.get(event.agent), "agent", event.agent);
      agent.online = false;
      observer?.agent(agent, "other");
      break;
    }
    case "team.changed": {
      const agent = known(state.agents.get(event.agent), "agent", event.agent);
      const teamSet = new Set(event.team);
      noteTeam(state, agent, teamSet, event.at);
      agent.team = event.team;
      agent.teamSet = teamSet;
      observer?.team(agent);
      break;
    }
    case "resource.set": {
      const capacity = amount(event.capacity);
      let resource = state.resources.get(event.resource);
      if (resource === undefined) {
        resource = resourceOf(event.resource, state.resources.size + 1, event.kind, capacity);
        if (event.per !== undefined) resource.rate = new RateBucket(capacity, event.per, event.at);
        state.resources.set(event.resource, resource);
      } else {
        resource.kind = event.kind;
        resource.capacity = capacity;
        if (event.per !== undefined) resource.rate?.configure(capacity, event.per, event.at);
        if (event.breaker === undefined || event.breaker.ratio !== resource.breakerPolicy?.ratio)
          resource.breaker = BREAKER_CLOSED;
      }
      setBreaker(resource, event.breaker);
      observer?.resource(resource, "other");
      break;
    }
    case "budget.set":
      budgetSet(state, event, observer);
      break;
    case "budget.spent":
      spend(liveOf(state, event.token), sumIn(event.amount), observer);
      break;
    case "task.submitted":
      submitted(state, event, observer);
      if (event.key !== undefined) remember(state.keys, event.key, event);
      break;
    case "task.started":
      started(state, event, event.at, observer);
      break;
    case "attempt.ended":
      attemptEnded(state, event, event.at, observer);
      break;
    case "task.completed": {
      const task = taskOf(state, event.taskId);
      const { token, output, at, from } = event;
      // The attempt whose output was approved has ended before.
      if (token !== undefined && (task.approval?.state !== "given" || task.live !== undefined))
        attemptCompleted(state, token, at, observer);
      const via = event.via ?? (task.series.fallback === undefined ? undefined : "fallback");
      if (from !== undefined) state.outputs.touch(flightKey(state, task));
      else if (task.spec.cacheKey !== undefined && via === undefined)
        state.outputs.put(flightKey(state, task), { taskId: task.id, at, output });
      terminal(
        state,
        task,
        "completed",
        { at, output, error: undefined, via, ...(from === undefined ? {} : { from }) },
        observer,
      );
      break;
    }
    case "task.fell-back":
      if (event.to === "agents") fellBack(state, taskOf(state, event.taskId), event.at, observer);
      break;
    case "task.failed": {
      const task = taskOf(state, event.taskId);
      terminal(
        state,
        task,
        "failed",
        { at: event.at, output: undefined, error: event.error, via: undefined },
        observer,
      );
      break;
    }
    case "task.skipped": {
      const task = taskOf(state, event.taskId);
      terminal(
        state,
        task,
        "skipped",
        { at: event.at, output: undefined, error: event.error, via: undefined },
        observer,
      );
      break;
    }
    case "task.cancelled": {
      const task = taskOf(state, event.taskId);
      const error = { code: "CANCELLED", message: event.reason ?? "cancelled" } as const;
      terminal(state, task, "cancelled", { at: event.at, output: undefined, error, via: undefined }, observer);
      break;
    }
    case "task.ending": {
      const task = taskOf(state, event.taskId);
      task.ending = { as: event.as, error: event.error, reason: event.reason, fallback: event.fallback };
      // What it was allowed it may still fall back with.
      if (askedOf(task) !== undefined) task.approval = undefined;
      if (task.live === undefined) setStatus(state, task, "waiting");
      dropClaim(state, task, observer);
      observer?.task(task);
      break;
    }
    case "attempt.stopping": {
      const live = liveOf(state, event.token);
      live.stopping = {
        reason: event.reason,
        graceUntil: event.graceUntil,
        for: event.for,
      };
      observer?.live(live);
      break;
    }
    case "task.promised": {
      const task = taskOf(state, event.taskId);
      const agent = known(state.agents.get(event.agent), "agent", event.agent);
      const victims = new Set(event.victims.map((token) => liveOf(state, token)));
      claim(state, { task, agent, victims });
      if (observer === undefined) break;
      observer.agent(agent, "taken");
      for (const need of task.needs) observer.resource(need.resource, "taken");
      // Who makes way gives back, perhaps more than was promised of it: others may see more now.
      for (const victim of victims) {
        observer.agent(victim.agent, "freed");
        for (const need of victim.task.needs) observer.resource(need.resource, "freed");
      }
      break;
    }
    case "promise.dropped":
      dropClaim(state, taskOf(state, event.taskId), observer);
      break;
    case "reservation.made": {
      const { what, startsAt = Number.POSITIVE_INFINITY } = event;
      const agent = event.agent === undefined ? undefined : known(state.agents.get(event.agent), "agent", event.agent);
      state.reserved = { task: taskOf(state, event.taskId), what, agent, startsAt };
      break;
    }
    case "reservation.dropped":
      state.reserved = undefined;
      break;
    case "task.paused": {
      const task = taskOf(state, event.taskId);
      task.held = true;
      if (task.status === "blocked" || task.status === "pending" || state.flights.waits(task))
        setStatus(state, task, "paused");
      if (task.status === "paused") leaveFlight(state, task, observer);
      dropClaim(state, task, observer);
      observer?.task(task);
      if (task.live !== undefined) observer?.live(task.live);
      break;
    }
    case "task.resumed": {
      const task = taskOf(state, event.taskId);
      task.held = false;
      if (task.status === "paused") {
        if (task.missing > 0) setStatus(state, task, "blocked");
        else becomePending(state, task, event.at, observer);
      }
      observer?.task(task);
      if (task.live === undefined) break;
      task.live.seatMs = state.openMs(event.at);
      observer?.live(task.live);
      break;
    }
    case "flight.led": {
      const task = taskOf(state, event.taskId);
      if (state.flights.waits(task)) setStatus(state, task, "pending");
      lead(state, task, event.alone === true, observer);
      observer?.task(task);
      break;
    }
    case "flight.joined": {
      const task = taskOf(state, event.taskId);
      setStatus(state, task, "waiting");
      follow(state, task, taskOf(state, event.leader), observer);
      observer?.task(task);
      break;
    }
    case "output.offered": {
      const task = taskOf(state, event.taskId);
      setStatus(state, task, "waiting");
      offer(state, task, { from: event.from, output: event.output }, observer);
      observer?.task(task);
      break;
    }
    case "task.prioritized": {
      const task = taskOf(state, event.taskId);
      const before = task.priority;
      task.priority = event.priority;
      observer?.priority(task, before);
      break;
    }
    case "task.retried":
      retried(state, event.taskId, event.at, observer);
      break;
    case "approval.asked":
      approvalAsked(state, event, observer);
      break;
    case "approval.given": {
      const task = taskOf(state, event.taskId);
      task.approval = { state: "given", who: event.who };
      if (event.before === "run") becomePending(state, task, event.at, observer);
      observer?.task(task);
      break;
    }
    case "approval.rejected": {
      const task = taskOf(state, event.taskId);
      task.approval = undefined;
      observer?.task(task);
      break;
    }
    case "attempt.checkpointed":
      liveOf(state, event.token).task.checkpoint = event.state;
      break;
    case "task.planned": {
      const live = liveOf(state, event.token);
      const { task } = live;
      report(live, breakerSucceeded, state.openMs(event.at));
      endAttempt(state, live, "completed", event.at, observer);
      task.round = event.round;
      task.checkpoint = undefined;
      task.phase = "aggregate";
      if (event.count > 0) setStatus(state, task, "waiting");
      else becomePending(state, task, event.at, observer);
      observer?.task(task);
      break;
    }
    case "attempt.waiting": {
      const live = liveOf(state, event.token);
      live.awaiting = new Set(event.on.map((id) => taskOf(state, id)));
      unseat(state, live, observer);
      setStatus(state, live.task, "waiting");
      observer?.live(live);
      if (observer !== undefined) for (const on of live.awaiting) observer.waits(live.task, [on]);
      break;
    }
    case "attempt.regained": {
      const live = liveOf(state, event.token);
      dropClaim(state, live.task, observer);
      live.awaiting = undefined;
      seat(state, live, observer);
      setStatus(state, live.task, "running");
      observer?.live(live);
      break;
    }
    case "resource.requested": {
      const live = liveOf(state, event.token);
      state.lastRequestNumber += 1;
      const request: ExtraRequest = {
        id: event.requestId,
        live,
        needs: needsOf(state, event.amounts),
        leaseMs: event.leaseMs,
        askedMs: state.openMs(event.at),
        wish: undefined,
      };
      live.request = request;
      state.requests.set(request.id, request);
      observer?.request(request);
      break;
    }
    case "resource.granted": {
      const live = liveOf(state, event.token);
      const request = event.requestId === undefined ? undefined : state.requests.get(event.requestId);
      if (request !== undefined) endRequest(state, request, observer);
      else state.lastRequestNumber += 1;
      const allocation: ExtraAllocation = {
        id: event.allocationId,
        token: event.allocationToken,
        live,
        needs: needsOf(state, event.amounts),
        expiresAt: event.expiresAt,
      };
      state.lastToken = event.allocationToken;
      changeReturning(state, live, subtract);
      live.extra ??= new Map();
      live.extra.set(allocation.id, allocation);
      changeReturning(state, live, add);
      state.allocations.set(allocation.id, allocation);
      for (const need of allocation.needs) {
        breaker(need.resource, breakerAdmitted, state.openMs(event.at));
        take(need, event.at, observer);
      }
      observer?.allocation(allocation);
      break;
    }
    case "resource.released": {
      const allocation = known(state.allocations.get(event.allocationId), "allocation", event.allocationId);
      changeReturning(state, allocation.live, subtract);
      dropAllocation(state, allocation, observer);
      changeReturning(state, allocation.live, add);
      break;
    }
    case "resource.refused": {
      endRequest(state, known(state.requests.get(event.requestId), "request", event.requestId), observer);
      break;
    }
    case "attempt.gone":
      dropKept(state, event.token, observer);
      break;
    case "breaker.changed":
    case "resource.breaker-changed":
      break;
    case "message.sent": {
      const { messageId: id, from, to, topic, body, size, at } = event;
      const number = state.mail.lastNumber + 1;
      const where = to === undefined ? (topic === undefined ? {} : { topic }) : { to };
      state.mail.keep({ id, number, from, ...where, at, body, size });
      break;
    }
    case "message.read":
      for (const id of event.ids) state.mail.read(event.agent, id);
      break;
    case "state.set":
      state.shared.set(event.key, { value: event.value, version: event.version, size: event.size });
      break;
    case "state.deleted":
      state.shared.delete(event.key);
      break;
    case "ballot.opened": {
      const { ballotId: id, at } = event;
      const ballot: Ballot = { id, opened: event, at, votes: new Map(), open: true, truth: undefined };
      state.lastBallotNumber += 1;
      state.openBallots += 1;
      state.ballots.set(ballot.id, ballot);
      if (event.approves !== undefined) votedOn(taskOf(state, event.approves), event, observer);
      observer?.ballot(ballot);
      break;
    }
    case "ballot.cast":
      known(state.ballots.get(event.ballotId), "ballot", event.ballotId).votes.set(event.voter, event.vote);
      break;
    case "ballot.decided": {
      const decided = known(state.ballots.get(event.ballotId), "ballot", event.ballotId);
      decided.open = false;
      state.openBallots -= 1;
      observer?.ballot(decided);
      if (state.ballots.size - state.openBallots > limits.keptBallots) {
        for (const [id, ballot] of state.ballots) {
          // The task that it is about is told of it first.
          if (ballot.open || (ballot === decided && decided.opened.approves !== undefined)) continue;
          state.ballots.delete(id);
          state.outbox.add({ kind: "ballot", id, row: ballotRow(ballot) });
          break;
        }
      }
      break;
    }
    case "ballot.revealed": {
      for (const [name, standing] of Object.entries(event.learned))
        known(state.agents.get(name), "agent", name).standing = standing;
      // One that has left memory keeps it in the archive.
      const revealed = state.ballots.get(event.ballotId);
      if (revealed !== undefined) revealed.truth = event.truth;
      break;
    }
    case "guardrail.judged":
      break;
    case "input.accepted":
      inputAccepted(state, event, event.at, observer);
      break;
    default: {
      const never: never = event;
      throw new RangeError(`unknown event ${String(never)}`);
    }
  }
  state.seq = event.seq;
  state.at = event.at;
  if (event.commandId !== undefined) remember(state.commands, event.commandId, event);
}

/** A task that waits to be approved has a ballot that decides, and until when. */
function votedOn(task: Task, { ballotId, deadlineAt }: BallotOpenedEvent, observer: StateObserver | undefined): void {
  const asked = askedOf(task);
  if (asked !== undefined) task.approval = { ...asked, ballotId, expiresAt: deadlineAt };
  observer?.task(task);
}

/** Who leaves a team may have been the only one who could do what is asked of it. */
function noteTeam(state: State, manager: AgentState, team: ReadonlySet<string>, at: number): void {
  if (manager.team.some((member) => !team.has(member))) manager.teamLostMs = state.openMs(at);
}

/** Remembers what a command made, oldest dropped first. */
function remember(memory: Map<string, Remembered>, id: string, event: KernelEvent): void {
  let remembered = memory.get(id);
  if (remembered === undefined) {
    remembered = { ids: [], type: event.type };
    memory.set(id, remembered);
    if (memory.size > limits.commandMemory) {
      for (const oldest of memory.keys()) {
        memory.delete(oldest);
        break;
      }
    }
  }
  if (event.type === "task.submitted") remembered.ids.push(event.taskId);
  else if (event.type === "ballot.opened") remembered.ids.push(event.ballotId);
  else if (event.type === "resource.granted" && event.requestId === undefined) remembered.ids.push(event.allocationId);
  else if (event.type === "resource.requested") remembered.ids.push(event.requestId);
  else if (event.type === "attempt.waiting") remembered.ids.push(...event.on);
  else if (event.type === "message.sent") remembered.ids.push(event.messageId);
  else if (event.type === "state.set") remembered.ids.push(String(event.version));
}
