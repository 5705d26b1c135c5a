/** A kernel under random commands, for tests: numbers in, commands out, invariants checked after every batch. */
import { type Amount, add, atMost, compare, ZERO } from "../coordination/structures/amount.ts";
import type { Json, Money } from "../coordination/structures/types.ts";
import { AuditBudgets } from "../testing/audit-budgets.ts";
import type { Command, Envelope, OpenSettings, TaskRequest } from "./commands.ts";
import type { BreakerPolicy } from "./events/agents.ts";
import type { ApprovalPolicy } from "./events/approvals.ts";
import type { FallbackPolicy } from "./events/tasks.ts";
import type { KernelEvent } from "./events.ts";
import { thaw } from "./finished-row.ts";
import { heldBy } from "./holdings.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { State } from "./state.ts";
import { judgement, verdictOnOffer } from "./story.fixture.ts";
import { awaitsJudgement, childrenOf, isReady, isTerminal, openChildrenOf, rootOf, type Task } from "./task.ts";

/** Draws numbers from a list given by the test, so that a failing run shrinks. */
export class Draws {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get left(): boolean {
    return this.#at < this.#numbers.length;
  }

  /** 0 to n − 1. */
  below(n: number): number {
    const number = this.#numbers[this.#at] ?? 0;
    this.#at += 1;
    return number % n;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.below(list.length)];
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

const MANAGERS: readonly Command[] = [
  {
    type: "agent.register",
    agent: { name: "boss", kind: "manager", skills: ["lead"], team: ["ann", "bob", "sub"], minSuccess: "any" },
  },
  {
    type: "agent.register",
    agent: { name: "sub", kind: "manager", skills: ["lead"], team: ["cy", "dan"], capacity: 2, failFast: true },
  },
];

const FALLBACKS: readonly FallbackPolicy[] = [
  { value: { stands: "in" } },
  { agent: "dan" },
  { skills: ["y"], value: null },
  { agent: "sub" },
];

export class World {
  readonly state: State = new State();
  readonly kernel: Kernel = new Kernel(this.state);
  readonly log: KernelEvent[] = [];
  /** What has left memory. */
  readonly archive: Map<string, string> = new Map();
  now = 1_000_000;
  /** Tokens of attempts that have been told to stop, in the order in which they were. */
  tokens = 0;

  /** What the books of the budgets, kept from the events alone, complain of. */
  readonly complaints: string[] = [];
  readonly budgets: AuditBudgets = new AuditBudgets((what) => this.complaints.push(what));

  run(...commands: Command[]): KernelEvent[] {
    const { events, answers, departed } = this.kernel.batch(
      commands.map((command) => this.envelope(command)),
      this.now,
    );
    for (const { id, row } of departed) this.archive.set(id, row);
    this.log.push(...events);
    for (const event of events) this.budgets.see(event);
    this.refusals.push(...answers.flatMap((answer) => (answer.ok ? [] : [answer.refusal.code])));
    return [...events];
  }

  /** The command as it is sent: by whom, where somebody says who it is. */
  envelope(command: Command): Envelope {
    const by = this.#askers.get(command);
    return { command, recalled: this.archive, ...(by === undefined ? {} : { by }) };
  }

  readonly #askers: WeakMap<Command, string> = new WeakMap();
  settings: OpenSettings = {};
  /** What `net` has of a breaker. */
  readonly fuse: { readonly breaker: BreakerPolicy } = { breaker: { failureThreshold: 2, resetMs: 1_500 } };
  readonly refusals: string[] = [];

  /** All that there ever were. */
  tasks(): Task[] {
    const rows = [...this.state.finished.rows(), ...this.archive].map(([, row]) => row);
    return [...this.state.tasks.values(), ...rows.map((row) => thaw(row, this.state).task)];
  }

  rows(): Json[] {
    return JSON.parse(JSON.stringify([...this.kernel.snapshot()]));
  }

  open(draws: Draws): void {
    const aging = draws.chance(40) ? { agingMs: draws.below(4) * 500 } : {};
    const protect = draws.chance(70) ? { protectAfterMs: draws.below(4) * 1_000 } : {};
    const keep = draws.chance(50) ? { keepCount: draws.below(6), ...(draws.chance(50) ? { keepMs: 2_000 } : {}) } : {};
    const strict = draws.chance(30) ? { strict: true } : {};
    this.settings = {
      concurrency: 1 + draws.below(6),
      unroutableMs: 5_000,
      ...aging,
      ...protect,
      ...keep,
      ...strict,
      ...guardrailsFrom(draws),
    };
    const agents: Command[] = ["ann", "bob", "cy", "dan"].map((name, i) => ({
      type: "agent.register",
      agent: {
        name,
        kind: "agent",
        skills: i === 0 ? ["x", "y"] : i === 1 ? ["x"] : i === 2 ? { y: 0.5 } : ["x", "y", "z"],
        capacity: 1 + draws.below(4),
        votes: true,
        ...(draws.chance(50) ? { maxBatch: 1 + draws.below(4) } : {}),
        ...(i === 3 ? { breaker: { failureThreshold: 2, resetMs: 2_000 } } : {}),
      },
    }));
    this.run(
      { type: "coordinator.open", ...this.settings },
      ...agents,
      ...MANAGERS,
      { type: "resource.set", resource: "disk", kind: "storage", capacity: 3 },
      { type: "resource.set", resource: "net", kind: "api_call", capacity: 2.5, ...this.fuse },
      { type: "resource.set", resource: "calls", kind: "api_call", capacity: 4, per: 4_000 },
      { type: "budget.set", budget: "all", limit: 1 + draws.below(30) },
      { type: "budget.set", budget: "red", limit: 1 + draws.below(20), parent: "all" },
      { type: "budget.set", budget: "pink", limit: "7.25", parent: "red" },
    );
  }

  request(draws: Draws, nested: boolean): TaskRequest {
    const known = this.tasks();
    const skills =
      draws.pick([["x"], ["y"], ["x", "y"], [{ skill: "y", level: 0.8 }], ["z"], ["lead"], [], ["nobody"]]) ?? [];
    const resources: Record<string, number> = {};
    if (draws.chance(35)) resources.disk = 1 + draws.below(3);
    if (draws.chance(25)) resources.net = (1 + draws.below(5)) / 2;
    if (draws.chance(10)) resources.calls = 1 + draws.below(3);
    const budget = draws.pick(["all", "red", "pink", ...NO_BUDGET]);
    const dependency = draws.chance(25) && !nested ? draws.pick(known) : undefined;
    return {
      skills,
      ...(draws.chance(60) ? { priority: draws.below(10) } : {}),
      ...(draws.chance(30) ? { load: [0.5, 1, 2, 3][draws.below(4)] ?? 1 } : {}),
      ...(Object.keys(resources).length > 0 ? { resources } : {}),
      ...(dependency === undefined
        ? {}
        : { dependsOn: [dependency.id], ...(draws.chance(30) ? { onDependencyFailure: "run" as const } : {}) }),
      ...(draws.chance(40) ? { preemptible: false } : {}),
      ...(draws.chance(30) ? { estimatedMs: 100 * draws.below(30) } : {}),
      ...(draws.chance(20) ? { timeoutMs: 500 + 100 * draws.below(20) } : {}),
      ...(draws.chance(10) ? { deadlineMs: 3_000 + 100 * draws.below(100) } : {}),
      ...(draws.chance(8) ? { agent: draws.pick(["ann", "bob", "dan", "sub"]) ?? "ann" } : {}),
      ...(budget === undefined ? {} : { budget }),
      ...(draws.chance(40) ? { cost: COSTS[draws.below(COSTS.length)] ?? 1 } : {}),
      ...(draws.chance(25) ? { fallback: FALLBACKS[draws.below(FALLBACKS.length)] ?? { value: 0 } } : {}),
      ...(draws.chance(15)
        ? { cacheKey: draws.pick(["k", "l"]) ?? "k", ...(draws.chance(60) ? { cacheMs: 500 * draws.below(4) } : {}) }
        : {}),
      ...(draws.chance(15) ? { approval: approval(draws) } : {}),
      ...(draws.chance(40)
        ? {
            batchKey: draws.pick(["p", "q/r"]) ?? "p",
            ...(draws.chance(50) ? { batchWaitMs: 300 * draws.below(4) } : {}),
          }
        : {}),
      graceMs: 100 * draws.below(10),
      retry: { maxAttempts: 1 + draws.below(3), initialMs: 200 },
    };
  }

  /** One random command, most often one that makes sense. */
  command(draws: Draws): Command {
    const live = [...this.state.live.values()];
    const tasks = [...this.state.tasks.values()].filter((task) => !isTerminal(task.status));
    const one = draws.pick(live);
    const task = draws.pick(tasks);
    switch (draws.below(25)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const requests = Array.from({ length: 1 + draws.below(3) }, () => this.request(draws, false));
        return { type: "task.submit", tasks: requests };
      }
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        if (one === undefined) return { type: "tick" };
        return this.endOf(draws, one.task);
      case 9:
        if (one === undefined) return { type: "tick" };
        return {
          type: "attempt.fail",
          taskId: one.task.id,
          token: one.token,
          error: { code: "TASK_FAILED", message: "no", retryable: !draws.chance(20) },
        };
      case 10:
        return task === undefined
          ? { type: "tick" }
          : draws.chance(50)
            ? { type: "task.pause", taskId: task.id }
            : { type: "task.resume", taskId: task.id };
      case 11:
        return task === undefined
          ? { type: "tick" }
          : { type: "task.prioritize", taskId: task.id, priority: draws.below(12) };
      case 12: {
        if (draws.chance(40) && task !== undefined) return { type: "task.cancel", taskId: task.id };
        const failed = this.tasks().filter((other) => other.status === "failed");
        const again = draws.pick(failed);
        return again === undefined ? { type: "tick" } : { type: "task.retry", taskId: again.id };
      }
      case 13: {
        const name = draws.pick(["ann", "bob", "cy"]) ?? "ann";
        if (draws.chance(30)) return { type: "agent.unregister", agent: name };
        if (draws.chance(10))
          return { type: "team.set", manager: "sub", team: draws.chance(50) ? ["cy", "dan"] : ["bob", "dan"] };
        return {
          type: "agent.register",
          agent: { name, kind: "agent", skills: draws.chance(80) ? ["x", "y"] : ["x"], capacity: draws.below(5) },
        };
      }
      case 14:
        return draws.chance(50)
          ? { type: "resource.set", resource: "disk", kind: "storage", capacity: draws.below(5) }
          : {
              type: "resource.set",
              resource: "net",
              kind: "api_call",
              capacity: 1 + draws.below(3),
              ...(draws.chance(80) ? this.fuse : draws.chance(50) ? { breaker: null } : {}),
            };
      case 15:
        return this.ballot(draws);
      case 16: {
        const again = draws.pick(this.tasks());
        if (again === undefined || again.spec.parentId !== undefined) return { type: "tick" };
        return { type: "task.submit", tasks: [requestOf(again), this.request(draws, false)] };
      }
      case 23:
      case 24:
        return this.approval(draws);
      case 17: {
        const allocation = draws.pick([...this.state.allocations.values()]);
        const kept = draws.pick([...this.state.kept.values()]);
        if (kept !== undefined && draws.chance(60))
          return { type: "attempt.gone", taskId: kept.taskId, token: kept.token };
        if (allocation === undefined) return { type: "tick" };
        const { id, token, live } = allocation;
        return {
          type: "attempt.release",
          taskId: live.task.id,
          token: live.token,
          allocationId: id,
          allocationToken: token,
        };
      }
      case 18:
      case 19: {
        const paid = draws.pick(live.filter((other) => other.task.funding !== undefined)) ?? one;
        if (paid === undefined) return { type: "tick" };
        const amount = COSTS[draws.below(COSTS.length)] ?? 1;
        return { type: "attempt.spend", taskId: paid.task.id, token: paid.token, amount };
      }
      case 20:
        return { type: "budget.set", budget: draws.pick(["all", "red", "pink"]) ?? "all", limit: draws.below(40) };
      default:
        if (one === undefined || one.phase !== "run") return { type: "tick" };
        if (draws.chance(50)) {
          const children = childrenOf(one.task).filter((child) => !isTerminal(child.status));
          if (children.length > 0)
            return {
              type: "attempt.await",
              taskId: one.task.id,
              token: one.token,
              on: children.map((child) => child.id),
            };
          return {
            type: "task.submit",
            tasks: [this.request(draws, true)],
            from: { taskId: one.task.id, token: one.token },
          };
        }
        if (draws.chance(60))
          return {
            type: "attempt.request",
            taskId: one.task.id,
            token: one.token,
            amounts: draws.chance(60) ? { disk: 1 + draws.below(2) } : { net: 0.5, disk: 1 },
            wait: draws.chance(70),
            ...(draws.chance(40) ? { leaseMs: 500 } : {}),
          };
        if (draws.chance(50))
          return { type: "attempt.checkpoint", taskId: one.task.id, token: one.token, state: { at: this.now } };
        return this.talk(draws, { taskId: one.task.id, token: one.token });
    }
  }

  /** What an attempt tells others. */
  talk(draws: Draws, from: { readonly taskId: string; readonly token: number }): Command {
    const key = draws.pick(["k", "l", "agent/ann/k"]) ?? "k";
    const expected = draws.chance(50) ? { expectedVersion: draws.below(4) } : {};
    switch (draws.below(5)) {
      case 0:
        return { type: "message.send", ...from, to: draws.pick(["ann", "bob", "boss"]) ?? "ann", body: this.now };
      case 1:
        return { type: "message.send", ...from, topic: draws.pick(["t", "u"]) ?? "t", body: this.now };
      case 2: {
        const kept = [...this.state.mail.messages()].map(({ id }) => id);
        return { type: "message.read", ...from, ids: [draws.pick(kept) ?? "m1", draws.pick(kept) ?? "m2"] };
      }
      case 3:
        return { type: "state.set", ...from, key, value: this.now, ...expected };
      default:
        return { type: "state.delete", ...from, key, ...expected };
    }
  }

  /** Somebody approves or rejects something: what is asked for, or what was once. */
  approval(draws: Draws): Command {
    const asked = this.log.filter((event) => event.type === "approval.asked");
    const waiting = this.kernel.tasks({ status: "waiting" }).flatMap(({ id, approval }) => (approval ? [id] : []));
    const old = draws.chance(30) ? draws.pick(asked) : undefined;
    const taskId = old?.taskId ?? draws.pick(waiting);
    if (taskId === undefined) return { type: "tick" };
    const hash = old === undefined ? {} : { hash: old.hash };
    const command: Command = draws.chance(70)
      ? { type: "task.approve", taskId, ...hash }
      : { type: "task.reject", taskId, reason: "no", ...hash };
    const by = draws.pick([undefined, "rita", "ann", "bob", "cy", "dan", "boss", "sub"]);
    if (by !== undefined) this.#askers.set(command, by);
    return command;
  }

  ballot(draws: Draws): Command {
    const open = draws.pick([...this.state.ballots.values()].filter((ballot) => ballot.open));
    if (open !== undefined && draws.chance(10)) return { type: "ballot.extend", ballotId: open.id, ms: 200 };
    const voter = draws.pick(["ann", "dan"]) ?? "ann";
    if (open !== undefined && draws.chance(70)) {
      const vote = draws.pick(["a", "b", "c", undefined, "approve", "reject", "approve"]);
      return { type: "ballot.cast", ballotId: open.id, voter, ...(vote === undefined ? {} : { vote }) };
    }
    const closed = draws.pick([...this.state.ballots.values()].filter((ballot) => !ballot.open));
    if (closed !== undefined && draws.chance(30))
      return { type: "ballot.reveal", ballotId: closed.id, truth: draws.pick(["a", "b", "c"]) ?? "a" };
    const voters = ["ann", "dan"].filter((name) => this.state.agents.get(name)?.votes === true);
    const learned = draws.chance(50) ? ({ method: "weighted", weights: "reputation" } as const) : {};
    return { type: "ballot.open", question: "?", options: ["a", "b"], voters, deadlineMs: 500, ...learned };
  }

  /** The process dies, or closes in good order; another opens the same log, and most agents come back. */
  reopen(draws: Draws): void {
    if (draws.chance(40)) this.run({ type: "coordinator.close" });
    this.now += draws.below(10_000);
    const agents = ["ann", "bob", "cy", "dan"]
      .filter(() => draws.chance(80))
      .map(
        (name): Command => ({
          type: "agent.register",
          agent: { name, kind: "agent", skills: ["x", "y"], capacity: 1 + draws.below(4), votes: true },
        }),
      );
    const { guardrails: _, ...settings } = this.settings;
    this.settings = draws.chance(50) ? this.settings : { ...settings, ...guardrailsFrom(draws) };
    this.run({ type: "coordinator.open", ...this.settings }, ...agents, ...MANAGERS);
  }

  /** What the guardrails say of an input that waits for that. */
  judgement(draws: Draws): Command {
    const taskId = draws.pick(this.kernel.awaitingJudgement());
    const offered = draws.pick(this.kernel.offered());
    if (offered !== undefined && (taskId === undefined || draws.chance(50)))
      return verdictOnOffer(this.kernel, offered, draws.chance(30) ? { blocks: "no" } : {});
    if (taskId === undefined) return { type: "tick" };
    if (draws.chance(15)) return judgement(this.kernel, taskId, { blocks: "no" });
    return judgement(this.kernel, taskId, draws.chance(30) ? { input: { changed: this.now } } : {});
  }

  endOf(draws: Draws, task: Task): Command {
    const { live } = task;
    if (live === undefined) return { type: "tick" };
    const from = { taskId: task.id, token: live.token };
    const rounds = live.phase === "plan" || (live.phase === "aggregate" && task.round < 3 && draws.chance(20));
    if (rounds)
      return {
        type: "attempt.plan",
        ...from,
        tasks: Array.from({ length: draws.below(4) }, () => this.request(draws, true)),
      };
    const verdict = draws.chance(10) ? ("block" as const) : ("allow" as const);
    const verdicts = this.settings.guardrails?.output?.map((guardrail) => ({ guardrail, verdict }));
    return { type: "attempt.complete", ...from, output: { by: live.agent.name }, ...(verdicts && { verdicts }) };
  }

  /** Some commands at one instant, after some time. */
  step(draws: Draws): void {
    if (draws.chance(2)) this.reopen(draws);
    this.now += draws.chance(50) ? draws.below(50) : draws.below(1_500);
    const wake = this.kernel.nextWakeAt();
    if (wake !== undefined && wake < this.now && draws.chance(70)) this.now = Math.max(this.state.at, wake);
    const commands: Command[] = [];
    const many = 1 + draws.below(3);
    for (let i = 0; i < many; i++) commands.push(this.command(draws));
    if (draws.chance(70)) commands.push(this.judgement(draws));
    this.run(...commands);
  }

  /** Lets everything end: whoever runs completes, time passes, and nobody holds anything up. */
  finish(): void {
    for (const name of ["ann", "bob", "cy", "dan"])
      this.run({ type: "agent.register", agent: { name, kind: "agent", skills: ["x", "y", "z"], capacity: 5 } });
    for (const name of ["boss", "sub"]) {
      const team = name === "boss" ? ["ann", "bob", "sub"] : ["cy", "dan"];
      this.run({ type: "agent.register", agent: { name, kind: "manager", skills: ["lead"], capacity: 5, team } });
    }
    this.run(
      { type: "resource.set", resource: "disk", kind: "storage", capacity: 9 },
      { type: "resource.set", resource: "net", kind: "api_call", capacity: 9, breaker: null },
    );
    const calm = new Draws([]);
    for (let rounds = 0; rounds < 2_000; rounds++) {
      const held = [...this.state.tasks.values()]
        .filter((task) => task.held)
        .map((task): Command => ({ type: "task.resume", taskId: task.id }));
      const ends = [...this.state.live.values()]
        .filter((live) => live.awaiting === undefined)
        .map((live) => this.endOf(calm, live.task));
      for (const { taskId, token } of this.state.kept.values()) ends.push({ type: "attempt.gone", taskId, token });
      held.push(...this.kernel.awaitingJudgement().map((id) => judgement(this.kernel, id)));
      held.push(...this.kernel.offered().map((id) => verdictOnOffer(this.kernel, id)));
      const approvals = this.kernel
        .tasks({ status: "waiting" })
        .flatMap(({ id, approval }) => (approval && !approval.ballotId ? [id] : []))
        .map((taskId): Command => ({ type: "task.approve", taskId }));
      if (held.length + ends.length + approvals.length === 0) {
        const wake = this.kernel.nextWakeAt();
        if (wake === undefined) return;
        this.now = Math.max(this.now, wake);
      } else this.now += 1;
      this.run(...held, ...ends, ...approvals, { type: "tick" });
    }
  }
}

/** None, or one on inputs, on outputs, or on both. */
function guardrailsFrom(draws: Draws): OpenSettings {
  const input = draws.chance(30) ? { input: ["size", "secrets"] } : {};
  const output = draws.chance(20) ? { output: ["last"] } : {};
  const guardrails = { ...input, ...output };
  return Object.keys(guardrails).length === 0 ? {} : { guardrails };
}
const NO_BUDGET: readonly undefined[] = [undefined, undefined, undefined, undefined];
const COSTS: readonly Money[] = [0, 1, 2.5, "4", "0.000000000001", "1.000000000001", 0.1];

const ASKED: readonly (keyof TaskRequest & keyof Task["spec"])[] = [
  "skills",
  "agent",
  "priority",
  "load",
  "dependsOn",
  "onDependencyFailure",
  "resources",
  "timeoutMs",
  "deadlineMs",
  "estimatedMs",
  "graceMs",
  "retry",
  "preemptible",
  "budget",
  "cost",
  "fallback",
  "cacheKey",
  "cacheMs",
  "approval",
  "batchKey",
  "batchWaitMs",
];

export function approval(draws: Draws): ApprovalPolicy {
  const before = draws.pick([undefined, "run", "output"] as const);
  const ballot = draws.chance(40);
  return {
    ...(before === undefined ? {} : { before }),
    ...(ballot ? { by: { ballot: draws.pick(["majority", "unanimous"]) ?? "majority" } } : {}),
    ...(draws.chance(40) ? { expiresMs: 100 + 100 * draws.below(30) } : {}),
  };
}

/** The request that made the task, again. */
function requestOf({ id, spec }: Task): TaskRequest {
  return Object.assign({ id }, ...ASKED.map((name) => (spec[name] === undefined ? {} : { [name]: spec[name] })));
}

function sum(amounts: Iterable<Amount>): Amount {
  let total = ZERO;
  for (const amount of amounts) total = add(total, amount);
  return total;
}

type Check = (holds: boolean, what: string) => void;

/** What is set aside is what those with a promise would take; what comes back is what those who make way for them hold. */
function checkPromises(state: State, check: Check): void {
  const claims = [...state.claims].flatMap((task) => task.claim ?? []);
  const victims = claims.flatMap((claim) => [...claim.victims]);
  const seated = victims.filter((victim) => victim.seated);
  check(state.slotsClaimed === state.claims.size, "slots promised");
  check(claims.length === state.claims.size, "whoever has a promise knows it");
  check(state.slotsReturning === seated.length, "slots that come back");
  for (const agent of state.agents.values()) {
    const claimed = sum(claims.filter((claim) => claim.agent === agent).map((claim) => claim.task.load));
    check(compare(claimed, agent.claimed) === 0, `room promised on ${agent.name}`);
    const returning = sum(seated.filter((victim) => victim.agent === agent).map((victim) => victim.task.load));
    check(compare(returning, agent.returning) === 0, `room that comes back on ${agent.name}`);
  }
  for (const resource of state.resources.values()) {
    const needs = claims.flatMap(({ task }) => (task.live === undefined ? task.needs : []));
    const claimed = sum(needs.filter((need) => need.resource === resource).map((need) => need.amount));
    check(compare(resource.rate === undefined ? claimed : ZERO, resource.claimed) === 0, `promised of ${resource.id}`);
    const returning = sum(victims.map((victim) => heldBy(victim, resource)));
    check(compare(returning, resource.returning) === 0, `comes back of ${resource.id}`);
  }
}

/** Of a key one task is at work, but for those that go alone; whoever follows waits, and a flight has a leader. */
function checkFlights(state: State, check: Check): void {
  const open = new Map<string, Task>();
  let following = 0;
  for (const { leader, followers, open: joins, key } of state.flights.all()) {
    following += followers.size;
    check(leader !== undefined, `a flight of ${key} has a leader`);
    if (leader === undefined) continue;
    check(!isTerminal(leader.status) && state.flights.leads(leader), `${leader.id} leads and has not ended`);
    check(joins || followers.size === 0, `nobody follows ${leader.id}, which goes alone`);
    check(!joins || open.get(key) === undefined, `${leader.id} leads, and so does ${open.get(key)?.id}`);
    if (joins) open.set(key, leader);
    for (const task of followers) check(task.status === "waiting" && task.live === undefined, `${task.id} follows`);
  }
  check(following === state.flights.following, "followers counted");
  for (const task of state.flights.offers.keys())
    check(task.status === "waiting" && state.flights.of(task) === undefined, `${task.id} waits for a verdict`);
  for (const { task } of state.live.values())
    check(
      task.spec.cacheKey === undefined || task.series.fallback !== undefined || state.flights.leads(task),
      `${task.id} runs in a flight`,
    );
}

function checkChildren(task: Task, check: Check): void {
  const { family } = task;
  const children = childrenOf(task);
  const planned = children.filter((child) => child.spec.round !== undefined);
  const completed = planned.filter((child) => child.status === "completed");
  const open = planned.filter((child) => !isTerminal(child.status));
  const lost = planned.length - completed.length - open.length;
  check(openChildrenOf(task) === children.filter((child) => !isTerminal(child.status)).length, `open under ${task.id}`);
  check((family?.planned ?? 0) === planned.length, `subtasks of ${task.id}`);
  check((family?.openRound ?? 0) === open.length, `open subtasks of ${task.id}`);
  check((family?.completedChildren ?? 0) === completed.length, `subtasks of ${task.id} that succeeded`);
  check((family?.failedChildren ?? 0) === lost, `subtasks of ${task.id} that did not succeed`);
}

/** What must hold after every batch, recomputed the slow way. Returns what does not. */
export function violations(world: World): string[] {
  const { state, kernel, now } = world;
  const found: string[] = [];
  const check: Check = (holds, what) => {
    if (!holds) found.push(what);
  };
  const live = [...state.live.values()];
  const seated = live.filter((one) => one.seated);
  const batches = new Set(seated.flatMap((one) => one.batch ?? []));
  const alone = seated.filter((one) => one.batch === undefined);
  check(state.slots === alone.length + batches.size, "slots are those of who is seated alone, and one a batch");
  check(batches.size === state.batches.size, "batches are those of who is seated");
  for (const { id, load, agent, members } of batches) {
    for (const { task, agent: on } of members)
      check(atMost(task.load, load) && on === agent, `${task.id} fits batch ${id}`);
    check(members.size <= Math.max(agent.maxBatch, limits.batchedTasks), `size of batch ${id}`);
  }
  check(state.slots <= (state.settings?.concurrency ?? 0), "slots within concurrency");
  for (const agent of state.agents.values()) {
    const loads = alone.filter((one) => one.agent === agent).map((one) => one.task.load);
    for (const batch of batches) if (batch.agent === agent) loads.push(batch.load);
    check(compare(sum(loads), agent.load) === 0, `load of ${agent.name} is what runs there`);
    check(agent.running === seated.filter((one) => one.agent === agent).length, `count of ${agent.name}`);
  }
  for (const resource of state.resources.values()) {
    if (resource.rate !== undefined) continue;
    const needs = live.flatMap((one) => [
      ...one.task.needs,
      ...[...(one.extra?.values() ?? [])].flatMap((allocation) => allocation.needs),
    ]);
    for (const one of state.kept.values()) needs.push(...one.needs, ...[...one.leases].flatMap((lease) => lease.needs));
    const held = sum(needs.filter((need) => need.resource === resource).map((need) => need.amount));
    check(
      compare(held, resource.allocated) === 0,
      `${resource.id} is held by those that run, or kept by code that goes on`,
    );
  }
  checkPromises(state, check);
  const unjudged = [...state.tasks.values()]
    .filter(awaitsJudgement)
    .sort((a, b) => a.seq - b.seq)
    .map((task) => task.id);
  check(kernel.awaitingJudgement().join() === unjudged.join(), "who awaits judgement is known");
  check(
    live.every(({ task }) => !awaitsJudgement(task)),
    "nobody is given what guardrails have not let pass",
  );
  world.budgets.compare(kernel.budgets(), kernel.tasks());
  found.push(...world.complaints);
  checkFlights(state, check);
  const seen: Record<string, number> = {};
  for (const task of state.tasks.values()) {
    seen[task.status] = (seen[task.status] ?? 0) + 1;
    checkChildren(task, check);
    if (task.parent === undefined) {
      const below = [...state.tasks.values()].filter((other) => other !== task && rootOf(other) === task);
      const unended = below.filter((other) => !isTerminal(other.status)).length;
      check((task.family?.openBelow ?? 0) === unended, `open tasks below ${task.id}`);
      check(!isTerminal(task.status) || unended > 0, `${task.id} and all below it have ended and are kept apart`);
    }
    check((task.live !== undefined) === live.some((one) => one.task === task), `live attempt of ${task.id}`);
    if (isTerminal(task.status)) {
      check(
        task.live === undefined && task.wish === undefined && task.claim === undefined,
        `${task.id} has ended whole`,
      );
      continue;
    }
    const missing = task.dependsOn.filter(
      (other) => other.status !== "completed" && !(task.spec.onDependencyFailure === "run" && isTerminal(other.status)),
    );
    // One that runs anyway has seen its dependency fail, also when a person has that tried again.
    if (task.spec.onDependencyFailure === "run") continue;
    check(task.missing === missing.length, `missing of ${task.id}`);
    check(
      (task.status === "blocked") === (missing.length > 0 && !task.held && task.status !== "paused"),
      `${task.id} is ${task.status} with ${missing.length} missing`,
    );
    if (task.live !== undefined) check(missing.length === 0, `${task.id} runs before what it needs`);
    const explained = kernel.explain(task.id, now);
    const runs = task.live?.seated === true;
    check((explained?.verdict === "running") === runs, `${task.id} is explained as ${explained?.verdict}`);
    check(
      runs || (explained?.reasons.length ?? 0) > 0 || task.claim !== undefined || task.live?.stopping !== undefined,
      `${task.id} (${task.status}) waits without reason`,
    );
    check(
      !explained?.reasons.some((reason) => reason.code === "beyond-backfill-depth"),
      `${task.id} could start and did not`,
    );
    check(
      (isReady(task) && task.notBefore <= now) === (task.wish !== undefined),
      `${task.id} is in the queue exactly while it is ready`,
    );
  }
  for (const status of ["blocked", "pending", "running", "waiting", "paused"] as const)
    check((seen[status] ?? 0) === state.counts[status], `count of ${status}`);
  const all = Object.values(state.counts).reduce((sum, count) => sum + count, 0);
  check(all === state.arrivals, `${all} of ${state.arrivals} tasks counted`);
  return found;
}
