/**
 * What an event does to the state. Decision and replay run this very code.
 *
 * 1. Total on valid logs and without choice: nothing here asks for time, sorts without a total key, or computes what another
 *    machine could compute otherwise.
 * 2. Whatever an attempt holds is taken when it starts (or is granted) and given back once, when it ends or waits.
 * 3. A claim's `claimed` and `returning` sums are exactly those of its task and of its victims that still live.
 */
import {
  BREAKER_CLOSED,
  type BreakerRule,
  type BreakerState,
  breakerAdmitted,
  breakerFailed,
  breakerRule,
  breakerSucceeded,
} from "../coordination/circuit-breaker.ts";
import { type Amount, add, amountOf, subtract, ZERO } from "../coordination/structures/amount.ts";
import { RateBucket } from "../coordination/structures/rate-bucket.ts";
import type { AttemptEndedEvent, KernelEvent, TaskStartedEvent, TaskSubmittedEvent } from "./events.ts";
import { limits } from "./limits.ts";
import {
  type AgentState,
  type AttemptRecord,
  type Claim,
  type ExtraAllocation,
  type ExtraRequest,
  isTerminal,
  type LiveAttempt,
  type Need,
  type Remembered,
  type Resource,
  type State,
  type Task,
  type TaskStatus,
} from "./state.ts";

/** There is less room, or more; or more than that has changed (capacity, skills, presence, breaker). */
export type Change = "taken" | "freed" | "other";

/** Who keeps indexes over the state: told of each thing that an event changed. */
export interface StateObserver {
  task(task: Task): void;
  /** Its own priority, which was `before`, has changed. */
  priority(task: Task, before: number): void;
  /** The task waits for these, or no longer does. */
  waits(task: Task, on: readonly Task[]): void;
  /** It ended; these waited for it. */
  ended(task: Task, dependents: readonly Task[]): void;
  live(live: LiveAttempt): void;
  /** It has ended. */
  gone(live: LiveAttempt): void;
  request(request: ExtraRequest): void;
  allocation(allocation: ExtraAllocation): void;
  agent(agent: AgentState, change: Change): void;
  resource(resource: Resource, change: Change): void;
  team(manager: AgentState): void;
}

const NONE: readonly never[] = [];

/** Amounts in events were checked when they were decided. */
function amount(value: number): Amount {
  const made = amountOf(value);
  if (made === undefined) throw new RangeError(`the journal holds ${value}, which is no amount`);
  return made;
}

function known<T>(found: T | undefined, what: string, id: string | number): T {
  if (found === undefined) throw new RangeError(`the journal names ${what} ${id}, which it never made`);
  return found;
}

function needsOf(state: State, amounts: Readonly<Record<string, number>> | undefined): readonly Need[] {
  if (amounts === undefined) return NONE;
  const names = Object.keys(amounts).sort();
  return names.map((id) => ({
    resource: known(state.resources.get(id), "resource", id),
    amount: amount(amounts[id] ?? 0),
  }));
}

/** Applies one event; `observer` is absent during replay. */
export function evolve(state: State, event: KernelEvent, observer: StateObserver | undefined): void {
  switch (event.type) {
    case "coordinator.opened":
      if (state.settings !== undefined) state.closedMs += Math.max(0, event.at - state.at);
      state.settings = event;
      state.open = true;
      for (const agent of state.agents.values()) {
        agent.online = false;
        observer?.agent(agent, "other");
      }
      break;
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
          claimed: ZERO,
          returning: ZERO,
          memberships: [],
        };
        state.agents.set(event.agent, agent);
        observer?.agent(agent, "other");
        observer?.team(agent);
      } else {
        for (const [skill, level] of before.skills) {
          if ((skills.get(skill) ?? 0) < level) state.skillsLostMs = state.openMs(event.at);
        }
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
      agent.team = event.team;
      agent.teamSet = new Set(event.team);
      observer?.team(agent);
      break;
    }
    case "resource.set": {
      const capacity = amount(event.capacity);
      let resource = state.resources.get(event.resource);
      if (resource === undefined) {
        resource = {
          id: event.resource,
          kind: event.kind,
          capacity,
          allocated: ZERO,
          claimed: ZERO,
          returning: ZERO,
          rate: undefined,
          parked: new Set(),
        };
        if (event.per !== undefined) resource.rate = new RateBucket(capacity, event.per, event.at);
        state.resources.set(event.resource, resource);
      } else {
        resource.kind = event.kind;
        resource.capacity = capacity;
        if (event.per !== undefined) resource.rate?.configure(capacity, event.per, event.at);
      }
      observer?.resource(resource, "other");
      break;
    }
    case "task.submitted":
      submitted(state, event, event.at, observer);
      break;
    case "task.started":
      started(state, event, event.at, observer);
      break;
    case "attempt.ended":
      attemptEnded(state, event, event.at, observer);
      break;
    case "task.completed": {
      const task = taskOf(state, event.taskId);
      task.output = event.output;
      if (task.live !== undefined) {
        breaker(task.live.agent, breakerSucceeded, state.openMs(event.at));
        endAttempt(state, task.live, "completed", event.at, observer);
      }
      terminal(state, task, "completed", event.at, observer);
      break;
    }
    case "task.failed": {
      const task = taskOf(state, event.taskId);
      task.error = event.error;
      terminal(state, task, "failed", event.at, observer);
      break;
    }
    case "task.skipped": {
      const task = taskOf(state, event.taskId);
      task.error = event.error;
      terminal(state, task, "skipped", event.at, observer);
      break;
    }
    case "task.cancelled": {
      const task = taskOf(state, event.taskId);
      task.error = { code: "CANCELLED", message: event.reason ?? "cancelled" };
      terminal(state, task, "cancelled", event.at, observer);
      break;
    }
    case "task.ending": {
      const task = taskOf(state, event.taskId);
      task.ending = { as: event.as, error: event.error, reason: event.reason };
      dropClaim(state, task, observer);
      observer?.task(task);
      break;
    }
    case "attempt.stopping": {
      const live = liveOf(state, event.token);
      live.stopping = {
        reason: event.reason,
        graceUntil: event.graceUntil,
        for: event.for === undefined ? undefined : taskOf(state, event.for),
      };
      observer?.live(live);
      break;
    }
    case "task.promised": {
      const task = taskOf(state, event.taskId);
      const agent = known(state.agents.get(event.agent), "agent", event.agent);
      claim(state, { task, agent, victims: new Set(event.victims.map((token) => liveOf(state, token))) });
      observer?.agent(agent, "taken");
      for (const need of task.needs) observer?.resource(need.resource, "taken");
      break;
    }
    case "promise.dropped":
      dropClaim(state, taskOf(state, event.taskId), observer);
      break;
    case "task.paused": {
      const task = taskOf(state, event.taskId);
      task.held = true;
      if (task.status === "blocked" || task.status === "pending") setStatus(state, task, "paused");
      dropClaim(state, task, observer);
      observer?.task(task);
      break;
    }
    case "task.resumed": {
      const task = taskOf(state, event.taskId);
      task.held = false;
      if (task.status === "paused") {
        setStatus(state, task, task.missing > 0 ? "blocked" : "pending");
        task.readyMs = state.openMs(event.at);
      }
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
      retried(state, taskOf(state, event.taskId), event.at, observer);
      break;
    case "attempt.checkpointed":
      liveOf(state, event.token).task.checkpoint = event.state;
      break;
    case "task.planned": {
      const live = liveOf(state, event.token);
      const { task } = live;
      endAttempt(state, live, "completed", event.at, observer);
      task.round = event.round;
      task.checkpoint = undefined;
      task.phase = "aggregate";
      if (event.count > 0) setStatus(state, task, "waiting");
      else becomePending(state, task, event.at);
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
      for (const need of allocation.needs) take(need, event.at, observer);
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
      const request = state.requests.get(event.requestId);
      if (request !== undefined) endRequest(state, request, observer);
      break;
    }
    case "breaker.changed":
      break;
    case "ballot.opened":
      state.lastBallotNumber += 1;
      state.openBallots += 1;
      state.ballots.set(event.ballotId, {
        id: event.ballotId,
        opened: event,
        at: event.at,
        votes: new Map(),
        open: true,
      });
      break;
    case "ballot.cast":
      known(state.ballots.get(event.ballotId), "ballot", event.ballotId).votes.set(event.voter, event.vote);
      break;
    case "ballot.decided": {
      known(state.ballots.get(event.ballotId), "ballot", event.ballotId).open = false;
      state.openBallots -= 1;
      if (state.ballots.size - state.openBallots > limits.keptBallots) {
        for (const [id, ballot] of state.ballots) {
          if (ballot.open) continue;
          state.ballots.delete(id);
          break;
        }
      }
      break;
    }
    default: {
      const never: never = event;
      throw new RangeError(`unknown event ${String(never)}`);
    }
  }
  state.seq = event.seq;
  state.at = event.at;
  if (event.commandId !== undefined) remember(state.commands, event.commandId, event);
}

function taskOf(state: State, id: string): Task {
  return known(state.tasks.get(id), "task", id);
}

function liveOf(state: State, token: number): LiveAttempt {
  return known(state.live.get(token), "attempt", token);
}

function breaker(
  agent: AgentState,
  next: (rule: BreakerRule, state: BreakerState, now: number) => BreakerState,
  now: number,
): void {
  if (agent.breakerRule !== undefined) agent.breaker = next(agent.breakerRule, agent.breaker, now);
}

export function setStatus(state: State, task: Task, status: TaskStatus): void {
  state.counts[task.status] -= 1;
  task.status = status;
  state.counts[status] += 1;
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
}

function submitted(
  state: State,
  event: TaskSubmittedEvent & { readonly at: number } & KernelEvent,
  at: number,
  observer: StateObserver | undefined,
): void {
  const parent = event.parentId === undefined ? undefined : taskOf(state, event.parentId);
  const dependsOn: Task[] = event.dependsOn === undefined ? NO_TASKS : [];
  const runsAnyway = event.onDependencyFailure === "run";
  const later: string[] = [];
  let missing = 0;
  for (const id of event.dependsOn ?? NONE) {
    const dependency = state.tasks.get(id);
    if (dependency === undefined) later.push(id);
    else dependsOn.push(dependency);
    if (
      dependency === undefined ||
      (dependency.status !== "completed" && !(runsAnyway && isTerminal(dependency.status)))
    )
      missing += 1;
  }
  const open = state.openMs(at);
  const task: Task = {
    id: event.taskId,
    seq: ++state.arrivals,
    spec: event,
    parent,
    load: amount(event.load ?? 1),
    needs: needsOf(state, event.resources),
    dependsOn,
    submittedAt: at,
    arrivedMs: open,
    deadlineAt: event.deadlineAt,
    status: missing > 0 ? "blocked" : "pending",
    priority: event.priority ?? 5,
    missing,
    dependents: undefined,
    children: undefined,
    openChildren: 0,
    openRound: 0,
    planned: 0,
    failedChildren: 0,
    completedChildren: 0,
    round: 0,
    phase: "run",
    held: false,
    readyMs: open,
    notBefore: 0,
    live: undefined,
    attempts: NO_ATTEMPTS,
    failures: 0,
    losses: 0,
    preemptions: 0,
    excluded: NONE,
    checkpoint: undefined,
    claim: undefined,
    ending: undefined,
    output: undefined,
    error: undefined,
    startedAt: undefined,
    endedAt: undefined,
    wish: undefined,
  };
  state.tasks.set(task.id, task);
  state.counts[task.status] += 1;
  const number = generatedNumber(task.id);
  if (number > state.lastTaskNumber) state.lastTaskNumber = number;
  for (const dependency of dependsOn) {
    if (isTerminal(dependency.status)) continue;
    dependency.dependents ??= [];
    dependency.dependents.push(task);
  }
  for (const id of later) {
    const waiters = state.expected.get(id);
    if (waiters === undefined) state.expected.set(id, [task]);
    else waiters.push(task);
  }
  const waiters = state.expected.get(task.id);
  if (waiters !== undefined) {
    state.expected.delete(task.id);
    task.dependents = waiters;
    for (const waiter of waiters) {
      waiter.dependsOn.push(task);
      observer?.waits(waiter, [task]);
    }
  }
  if (parent !== undefined) {
    parent.children ??= [];
    parent.children.push(task);
    parent.openChildren += 1;
    if (event.round !== undefined) {
      parent.openRound += 1;
      parent.planned += 1;
    }
  }
  if (event.key !== undefined) remember(state.keys, event.key, event);
  if (observer !== undefined) {
    const open = dependsOn.filter((dependency) => !isTerminal(dependency.status));
    if (open.length > 0) observer.waits(task, open);
    if (parent !== undefined && event.round !== undefined && parent.status === "waiting")
      observer.waits(parent, [task]);
    observer.task(task);
  }
}

/** Shared by all tasks that depend on nothing. */
const NO_TASKS: Task[] = [];

/** Shared by all tasks that were never started. */
const NO_ATTEMPTS: AttemptRecord[] = [];

/** The n of `tn`, 0 for other ids. */
export function generatedNumber(id: string): number {
  if (id.charCodeAt(0) !== 116) return 0;
  const digits = id.slice(1);
  const number = Number(digits);
  return Number.isSafeInteger(number) && number > 0 && String(number) === digits ? number : 0;
}

function started(state: State, event: TaskStartedEvent, at: number, observer: StateObserver | undefined): void {
  const task = taskOf(state, event.taskId);
  const agent = known(state.agents.get(event.agent), "agent", event.agent);
  dropClaim(state, task, observer);
  const record: AttemptRecord = {
    number: event.attempt,
    agent: event.agent,
    token: event.token,
    phase: event.phase,
    startedAt: at,
    endedAt: undefined,
    end: undefined,
    error: undefined,
  };
  const live: LiveAttempt = {
    task,
    agent,
    token: event.token,
    phase: event.phase,
    startedAt: at,
    record,
    seated: false,
    stopping: undefined,
    awaiting: undefined,
    extra: undefined,
    request: undefined,
    place: undefined,
    wish: undefined,
    timer: undefined,
  };
  if (task.attempts === NO_ATTEMPTS) task.attempts = [record];
  else task.attempts.push(record);
  task.live = live;
  task.startedAt ??= at;
  task.notBefore = 0;
  task.phase = event.phase;
  state.live.set(event.token, live);
  state.lastToken = event.token;
  for (const need of task.needs) take(need, at, observer);
  breaker(agent, breakerAdmitted, state.openMs(at));
  seat(state, live, observer);
  setStatus(state, task, "running");
  observer?.task(task);
  observer?.live(live);
}

function seat(state: State, live: LiveAttempt, observer: StateObserver | undefined): void {
  live.seated = true;
  state.slots += 1;
  live.agent.load = add(live.agent.load, live.task.load);
  live.agent.running += 1;
  observer?.agent(live.agent, "taken");
}

function unseat(state: State, live: LiveAttempt, observer: StateObserver | undefined): void {
  if (!live.seated) return;
  live.seated = false;
  state.slots -= 1;
  live.agent.load = subtract(live.agent.load, live.task.load);
  live.agent.running -= 1;
  observer?.agent(live.agent, "freed");
}

function take(need: Need, at: number, observer: StateObserver | undefined): void {
  const { resource } = need;
  if (resource.rate !== undefined) resource.rate.take(need.amount, at);
  else resource.allocated = add(resource.allocated, need.amount);
  observer?.resource(resource, "taken");
}

function giveBack(need: Need, observer: StateObserver | undefined): void {
  const { resource } = need;
  if (resource.rate !== undefined) return;
  resource.allocated = subtract(resource.allocated, need.amount);
  observer?.resource(resource, "freed");
}

/** The attempt is over: its record says how, and all that it held is free. */
function endAttempt(
  state: State,
  live: LiveAttempt,
  end: AttemptRecord["end"],
  at: number,
  observer: StateObserver | undefined,
): void {
  const { task } = live;
  const claimant = live.stopping?.for?.claim;
  if (claimant?.victims.has(live)) {
    changeReturning(state, live, subtract);
    claimant.victims.delete(live);
  }
  dropClaim(state, task, observer);
  live.record.end = end;
  live.record.endedAt = at;
  unseat(state, live, observer);
  for (const need of task.needs) giveBack(need, observer);
  if (live.extra !== undefined)
    for (const allocation of [...live.extra.values()]) dropAllocation(state, allocation, observer);
  if (live.request !== undefined) endRequest(state, live.request, observer);
  state.live.delete(live.token);
  task.live = undefined;
  observer?.gone(live);
}

function dropAllocation(state: State, allocation: ExtraAllocation, observer: StateObserver | undefined): void {
  allocation.live.extra?.delete(allocation.id);
  state.allocations.delete(allocation.id);
  for (const need of allocation.needs) giveBack(need, observer);
  observer?.allocation(allocation);
}

function endRequest(state: State, request: ExtraRequest, observer: StateObserver | undefined): void {
  request.live.request = undefined;
  state.requests.delete(request.id);
  observer?.request(request);
}

/** Whether an attempt that ended so counts towards the policy's attempts. */
function counts(event: AttemptEndedEvent, live: LiveAttempt): boolean {
  if (event.end === "abandoned") return live.stopping?.reason === "timeout";
  return event.end === "failed" || event.end === "timeout" || event.end === "lost";
}

function attemptEnded(state: State, event: AttemptEndedEvent, at: number, observer: StateObserver | undefined): void {
  const live = liveOf(state, event.token);
  const { task } = live;
  const reason = live.stopping?.reason;
  live.record.error = event.error;
  if (counts(event, live)) {
    task.failures += 1;
    if (event.end === "lost") task.losses += 1;
    else {
      if (!task.excluded.includes(live.agent.name)) task.excluded = [...task.excluded, live.agent.name];
      breaker(live.agent, breakerFailed, state.openMs(at));
    }
  } else if (reason === "preempted") {
    task.preemptions += 1;
  }
  endAttempt(state, live, event.end, at, observer);
  observer?.agent(live.agent, "other");
  task.notBefore = event.notBefore ?? 0;
  if (task.ending !== undefined) {
    if (task.openChildren > 0) setStatus(state, task, "waiting");
  } else if (reason === "preempted" || reason === "paused" || task.held) {
    setStatus(state, task, "paused");
    task.readyMs = state.openMs(at);
  } else {
    becomePending(state, task, at);
  }
  observer?.task(task);
}

/** Ready to be started, or held where a person wants it so. */
function becomePending(state: State, task: Task, at: number): void {
  setStatus(state, task, task.held ? "paused" : "pending");
  task.readyMs = Math.max(state.openMs(at), state.openMs(task.notBefore));
}

function terminal(
  state: State,
  task: Task,
  status: "completed" | "failed" | "skipped" | "cancelled",
  at: number,
  observer: StateObserver | undefined,
): void {
  dropClaim(state, task, observer);
  setStatus(state, task, status);
  task.endedAt = at;
  task.ending = undefined;
  task.held = false;
  task.notBefore = 0;
  task.checkpoint = undefined;
  const { dependents, parent } = task;
  task.dependents = undefined;
  if (dependents !== undefined) {
    for (const dependent of dependents) {
      if (isTerminal(dependent.status)) continue;
      if (status !== "completed" && dependent.spec.onDependencyFailure !== "run") continue;
      dependent.missing -= 1;
      if (dependent.missing > 0) continue;
      dependent.readyMs = state.openMs(at);
      if (dependent.status === "blocked") setStatus(state, dependent, "pending");
      observer?.task(dependent);
    }
  }
  if (parent !== undefined) {
    parent.openChildren -= 1;
    if (task.spec.round !== undefined) {
      if (status === "completed") parent.completedChildren += 1;
      else parent.failedChildren += 1;
      parent.openRound -= 1;
      if (
        parent.openRound === 0 &&
        parent.status === "waiting" &&
        parent.live === undefined &&
        parent.ending === undefined
      ) {
        becomePending(state, parent, at);
        observer?.task(parent);
      }
    }
    const waiting = parent.live;
    if (waiting?.awaiting?.delete(task)) observer?.live(waiting);
  }
  observer?.task(task);
  observer?.ended(task, dependents ?? NONE);
}

function retried(state: State, task: Task, at: number, observer: StateObserver | undefined): void {
  setStatus(state, task, "pending");
  task.failures = 0;
  task.losses = 0;
  task.preemptions = 0;
  task.excluded = NONE;
  task.error = undefined;
  task.endedAt = undefined;
  task.readyMs = state.openMs(at);
  const { parent } = task;
  if (parent !== undefined) {
    parent.openChildren += 1;
    if (task.spec.round !== undefined) {
      parent.failedChildren -= 1;
      parent.openRound += 1;
      if (parent.status === "waiting") observer?.waits(parent, [task]);
    }
  }
  observer?.task(task);
}

type Sum = (a: Amount, b: Amount) => Amount;

/** What a start of this task would take beside a slot and room: nothing when it only wants its seat back. */
function startNeeds(task: Task): readonly Need[] {
  return task.live === undefined ? task.needs : NONE;
}

function changeClaimed(state: State, claim: Claim, sum: Sum, sign: 1 | -1): void {
  state.slotsClaimed += sign;
  claim.agent.claimed = sum(claim.agent.claimed, claim.task.load);
  for (const need of startNeeds(claim.task)) {
    if (need.resource.rate === undefined) need.resource.claimed = sum(need.resource.claimed, need.amount);
  }
}

function changeVictim(state: State, live: LiveAttempt, sum: Sum, sign: 1 | -1): void {
  if (live.seated) {
    state.slotsReturning += sign;
    live.agent.returning = sum(live.agent.returning, live.task.load);
  }
  for (const need of live.task.needs) changeNeed(need, sum);
  if (live.extra !== undefined) {
    for (const allocation of live.extra.values()) for (const need of allocation.needs) changeNeed(need, sum);
  }
}

function changeNeed(need: Need, sum: Sum): void {
  if (need.resource.rate === undefined) need.resource.returning = sum(need.resource.returning, need.amount);
}

/** Takes a victim's holdings out of, or back into, what is coming back for the claim that it makes way for. */
function changeReturning(state: State, live: LiveAttempt, sum: Sum): void {
  if (live.stopping?.for?.claim?.victims.has(live)) changeVictim(state, live, sum, sum === add ? 1 : -1);
}

function claim(state: State, claimed: Claim): void {
  state.claims.add(claimed.task);
  enterClaim(state, claimed);
}

/** Into the books, and out of them again. */
function enterClaim(state: State, claimed: Claim): void {
  claimed.task.claim = claimed;
  changeClaimed(state, claimed, add, 1);
  for (const victim of claimed.victims) changeVictim(state, victim, add, 1);
}

function forgetClaim(state: State, claimed: Claim): void {
  claimed.task.claim = undefined;
  changeClaimed(state, claimed, subtract, -1);
  for (const victim of claimed.victims) changeVictim(state, victim, subtract, -1);
}

/** What was set aside goes back to all. */
function dropClaim(state: State, task: Task, observer: StateObserver | undefined): void {
  const claimed = task.claim;
  if (claimed === undefined) return;
  state.claims.delete(task);
  forgetClaim(state, claimed);
  if (observer === undefined) return;
  observer.agent(claimed.agent, "freed");
  for (const victim of claimed.victims) observer.agent(victim.agent, "freed");
  for (const need of task.needs) observer.resource(need.resource, "freed");
}

/** Makes a claim that a snapshot tells of. */
export function restoreClaim(state: State, taskId: string, agent: string, victims: readonly number[]): void {
  claim(state, {
    task: taskOf(state, taskId),
    agent: known(state.agents.get(agent), "agent", agent),
    victims: new Set(victims.map((token) => liveOf(state, token))),
  });
}

/** Takes a task's claim out of the books for as long as `during` runs: what could it start with if the promise were kept now? */
export function withoutClaim<T>(state: State, task: Task, during: () => T): T {
  const claimed = task.claim;
  if (claimed === undefined) return during();
  forgetClaim(state, claimed);
  const result = during();
  enterClaim(state, claimed);
  return result;
}
