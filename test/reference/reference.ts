/**
 * The reference scheduler: what the coordinator's kernel must do, written to be read. It takes the same commands at the same
 * times and says what comes of them. Slow, obvious, everything scanned, nothing shared with what it is the measure of: from
 * the kernel it has the vocabulary, as types, and nothing else.
 */

import type { ErrorCode } from "../../src/errors.ts";
import type { AgentDescription, Command, TaskRequest } from "../../src/kernel/commands.ts";
import type { GivenVerdict, GuardedPoint } from "../../src/kernel/events/guardrails.ts";
import { admit, atOnce, grant, impossible, place, unpayable } from "./admission.ts";
import { allow, castVote, dueBallots, extendBallot, isMalformedBallot, openBallot, settleBallots } from "./ballots.ts";
import { canFallBack } from "./batches.ts";
import { settleRate } from "./books.ts";
import { tellBreakers, unwatched, watch } from "./breakers.ts";
import { wouldDeadlock } from "./deadlock.ts";
import { leadOrFollow, leave, waitsForOutput } from "./flights.ts";
import type { Reservation } from "./free.ts";
import {
  ask,
  attemptAbandoned,
  attemptClosed,
  attemptFailed,
  attemptStopped,
  becomePending,
  closeAttempt,
  endAs,
  enoughSucceeded,
  giveOutput,
  judge,
  stop,
} from "./life.ts";
import { type Agent, type Attempt, isTerminal, Model, type Task } from "./model.ts";
import { cents, isLeft, pay } from "./money.ts";
import { share } from "./sharing.ts";
import { areMalformed, entries, isMalformedTask, nano, submit, unmetOf } from "./submission.ts";
import { awaitsJudgement, eligible, isToAsk, qualified, type Wish, wantedFor, wishesOf } from "./wishes.ts";

export type RefAnswer = { readonly code: ErrorCode } | { readonly ids: readonly string[] };

const OK: RefAnswer = { ids: [] };

function codeOrOk(code: ErrorCode | undefined): RefAnswer {
  return code === undefined ? OK : { code };
}

interface Timer {
  readonly at: number;
  act(): void;
}

export class Reference {
  readonly model: Model = new Model();
  reservation: Reservation | undefined;

  #closedAt: number | undefined;

  /** Leases end; commands in order; what is due; one admission. */
  batch(commands: readonly Command[], now: number): readonly RefAnswer[] {
    const { model } = this;
    model.now = now;
    model.starts = [];
    model.fallbacks = [];
    if (model.open) this.#expireLeases();
    const answers = commands.map((command) => this.#decide(command));
    if (model.open) {
      model.timersAt = now;
      this.#timers();
      this.#settle();
      this.reservation = admit(model);
    }
    return answers;
  }

  /** The process died: the journal heard nothing after this time. */
  killed(at: number): void {
    this.#closedAt = at;
    this.model.open = false;
  }

  /** It is written down and read again: nothing of a drain is. */
  restored(): void {
    this.model.drains = false;
  }

  #decide(command: Command): RefAnswer {
    const { model } = this;
    if (!model.open && command.type !== "coordinator.open") return { code: "CLOSED" };
    if (isMalformed(command)) return { code: "INVALID_ARGUMENT" };
    switch (command.type) {
      case "coordinator.open":
        return this.#open(command);
      case "coordinator.close":
        for (const { task } of model.live()) attemptClosed(model, task);
        model.open = false;
        this.#closedAt = model.now;
        return OK;
      case "coordinator.drain":
        model.drains = true;
        return OK;
      case "agent.register":
        return this.#register(command.agent);
      case "agent.unregister": {
        const agent = model.agent(command.agent);
        if (agent === undefined) return { code: "UNKNOWN_AGENT" };
        agent.online = false;
        return OK;
      }
      case "team.set": {
        const agent = model.agent(command.manager);
        if (agent === undefined) return { code: "UNKNOWN_AGENT" };
        if (!agent.manager) return { code: "INVALID_ARGUMENT" };
        if (this.#closesTeamCycle(agent.name, command.team)) return { code: "TEAM_CYCLE" };
        this.#setTeam(agent, command.team);
        return OK;
      }
      case "resource.set":
        return this.#setResource(command);
      case "budget.set":
        return this.#setBudget(command);
      case "task.submit":
        return this.#submit(command);
      case "task.cancel":
        return this.#person(command.taskId, (task) => {
          if (task.status === "cancelled" || task.ending === "cancelled") return OK;
          if (isTerminal(task)) return { code: "INVALID_STATE" };
          endAs(model, task, "cancelled");
          return OK;
        });
      case "task.pause":
        return this.#person(command.taskId, (task) => {
          if (isTerminal(task) || task.ending !== undefined) return { code: "INVALID_STATE" };
          if (task.held) return OK;
          task.held = true;
          task.promise = undefined;
          if (task.status === "blocked" || task.status === "pending" || waitsForOutput(model, task))
            task.status = "paused";
          if (task.status === "paused") leave(model, task);
          if (task.attempt?.seated === true) stop(model, task, "paused");
          return OK;
        });
      case "task.resume":
        return this.#person(command.taskId, (task) => {
          if (isTerminal(task)) return { code: "INVALID_STATE" };
          if (!task.held) return OK;
          task.held = false;
          if (task.status === "paused" && task.unmet.length > 0) task.status = "blocked";
          else if (task.status === "paused") becomePending(model, task);
          if (task.attempt !== undefined) task.attempt.wishedAt = model.openMs;
          return OK;
        });
      case "task.prioritize":
        return this.#person(command.taskId, (task) => {
          if (isTerminal(task)) return { code: "INVALID_STATE" };
          task.priority = command.priority;
          return OK;
        });
      case "task.retry":
        return this.#person(command.taskId, (task) => this.#retry(task));
      case "task.judge":
        return this.#person(command.taskId, (task) => {
          if (!awaitsJudgement(model, task)) return { code: "INVALID_STATE" };
          if (!this.#isWhole("input", command.verdicts)) return { code: "INVALID_STATE" };
          if (isBlocked(command.verdicts)) endAs(model, task, "failed");
          else {
            task.accepted = true;
            task.readyAt = Math.max(model.now, task.notBefore) - model.closedMs;
          }
          return OK;
        });
      case "task.approve":
        return this.#answer(command, (task) => allow(model, task, []));
      case "task.answer":
        return this.#person(command.taskId, (task) => {
          const isMeant = model.offers.get(task)?.from === command.from;
          if (!isMeant || !this.#isWhole("output", command.verdicts)) return { code: "INVALID_STATE" };
          if (isBlocked(command.verdicts)) leadOrFollow(model, task);
          else giveOutput(model, task, "other", model.offers.get(task)?.by);
          return OK;
        });
      case "task.reject":
        return this.#answer(command, (task) => endAs(model, task, "failed"));
      case "attempt.act":
        return this.#from(command, () => (this.#isWhole("action", command.verdicts) ? OK : { code: "INVALID_STATE" }));
      case "attempt.complete":
        return this.#from(command, (task, attempt) => {
          const { verdicts = [] } = command;
          if (attempt.phase === "plan" || !this.#isWhole("output", verdicts)) return { code: "INVALID_STATE" };
          const reason = attempt.stopping?.reason;
          const late = reason === "cancelled" || reason === "timeout" || reason === "deadline";
          if (late || task.ending !== undefined) attemptStopped(model, task);
          else if (isBlocked(verdicts)) attemptFailed(model, task, "failed", { code: "GUARDRAIL_BLOCKED" });
          else {
            tellBreakers(model, task, attempt, "succeeded");
            closeAttempt(model, task, "completed");
            giveOutput(model, task, task.fellBack ? "other" : "own");
          }
          return OK;
        });
      case "attempt.fail":
        return this.#from(command, (task, attempt) => {
          if (attempt.stopping === undefined) attemptFailed(model, task, "failed", command.error);
          else attemptStopped(model, task);
          return OK;
        });
      case "attempt.lose":
        return this.#from(command, (task, attempt) => {
          // Nobody knows what it has spent: all of it.
          pay(task, attempt.reserved);
          if (attempt.stopping === undefined) attemptFailed(model, task, "lost", undefined, { isSilent: true });
          else attemptStopped(model, task);
          return OK;
        });
      case "attempt.gone":
        model.kept = model.kept.filter(({ taskId, token }) => taskId !== command.taskId || token !== command.token);
        return OK;
      case "attempt.checkpoint":
        return this.#from(command, () => OK);
      case "attempt.plan":
        return this.#from(command, (task, attempt) => {
          if (attempt.phase === "run") return { code: "INVALID_STATE" };
          if (attempt.stopping !== undefined) return { code: "CANCELLED" };
          return this.#plan(task, attempt, command.tasks);
        });
      case "attempt.await":
        return this.#from(command, (task, attempt) => this.#await(task, attempt, command.on));
      case "attempt.request":
        return this.#from(command, (task, attempt) => this.#request(task, attempt, command));
      case "attempt.release":
        return this.#from(command, (_, attempt) => {
          const { allocations } = attempt;
          const known = allocations.find(({ token }) => token === command.allocationToken);
          if (command.allocationId === "ghost") return { code: "UNKNOWN_ALLOCATION" };
          if (known === undefined) return { code: "FENCED" };
          attempt.allocations = allocations.filter((other) => other !== known);
          return OK;
        });
      case "attempt.spend":
        return this.#from(command, (task, attempt) => {
          const sum = cents(command.amount);
          const beyond = sum - attempt.reserved;
          if (task.budget !== undefined && beyond > 0) {
            if (attempt.stopping !== undefined) return { code: "CANCELLED" };
            if (!isLeft(model, task.budget, beyond)) return { code: "BUDGET_EXCEEDED" };
          }
          pay(task, sum);
          return OK;
        });
      case "ballot.open":
        return openBallot(model, command);
      case "ballot.cast":
        return codeOrOk(castVote(model, command));
      case "ballot.extend":
        return codeOrOk(extendBallot(model, command));
      case "tick":
        return OK;
      default:
        throw new RangeError(`the reference knows nothing of ${command.type}`);
    }
  }

  #open(settings: Extract<Command, { type: "coordinator.open" }>): RefAnswer {
    const { model } = this;
    if (this.#closedAt !== undefined) model.closedMs += model.now - this.#closedAt;
    this.#closedAt = undefined;
    model.open = true;
    model.drains = false;
    model.settings = {
      concurrency: settings.concurrency ?? 64,
      agingMs: settings.agingMs ?? Number.POSITIVE_INFINITY,
      protectAfterMs: settings.protectAfterMs ?? 30_000,
      unroutableMs: settings.unroutableMs ?? 60_000,
      strict: settings.strict ?? false,
      guardrails: settings.guardrails ?? {},
    };
    for (const agent of model.agents) agent.online = false;
    // Nobody waits for the output of what guardrails have yet to let pass, nor has one before that.
    for (const { leader, followers } of [...model.flights]) {
      for (const task of [...(leader ? [leader] : []), ...followers]) {
        if (task.attempt !== undefined || !awaitsJudgement(model, task)) continue;
        leave(model, task);
        if (task !== leader) task.status = "pending";
      }
    }
    for (const task of [...model.offers.keys()]) {
      if (!awaitsJudgement(model, task)) continue;
      leave(model, task);
      task.status = "pending";
    }
    // The code that kept something is gone with its process.
    model.kept = [];
    for (const { task, attempt } of model.live()) {
      // Nobody knows what it has spent: all of it.
      pay(task, attempt.reserved);
      if (attempt.stopping === undefined) attemptFailed(model, task, "lost", undefined);
      else attemptStopped(model, task);
    }
    return OK;
  }

  #submit({ tasks, from }: Extract<Command, { type: "task.submit" }>): RefAnswer {
    const { model } = this;
    if (from === undefined) return submit(model, tasks);
    return this.#from(from, (task, attempt) => {
      if (attempt.stopping !== undefined) return { code: "CANCELLED" };
      return submit(model, tasks, { parent: task, round: undefined });
    });
  }

  #plan(task: Task, attempt: Attempt, tasks: readonly TaskRequest[]): RefAnswer {
    const { model } = this;
    const planned = submit(model, tasks, { parent: task, round: task.rounds + 1 });
    if ("code" in planned) return planned;
    task.manager = attempt.agent;
    task.rounds += 1;
    tellBreakers(model, task, attempt, "succeeded");
    closeAttempt(model, task, "completed");
    task.status = "waiting";
    if (tasks.length > 0) judge(model, task);
    // Where there is nothing to wait for, it goes on at once, if what there was before is enough.
    else if (enoughSucceeded(task) === "no") endAs(model, task, "failed", { instead: "any" });
    else becomePending(model, task);
    return planned;
  }

  #retry(task: Task): RefAnswer {
    const { model } = this;
    if (task.status !== "failed") return { code: "INVALID_STATE" };
    if (task.deadlineAt !== undefined && task.deadlineAt <= model.now) return { code: "INVALID_STATE" };
    for (let { parent } = task; parent !== undefined; parent = parent.parent)
      if (parent.status === "cancelled" || parent.ending !== undefined) return { code: "INVALID_STATE" };
    // One that failed before it was ever ready.
    if (task.ended.length === 0 && unmetOf(task).length > 0) return { code: "INVALID_STATE" };
    // Too few of its subtasks succeeded: those first.
    if (task.manager !== undefined && enoughSucceeded(task) !== "yes") return { code: "INVALID_STATE" };
    // Who planned goes on with it; else it begins again with those that it was meant for.
    if (task.manager === undefined) {
      task.fellBack = false;
      task.since = task.rounds;
    }
    task.spent = 0;
    task.losses = 0;
    task.preemptions = 0;
    task.avoid = [];
    task.approved = false;
    task.approvedBy = [];
    task.unmet = [];
    becomePending(model, task);
    return OK;
  }

  #await(task: Task, attempt: Attempt, ids: readonly string[]): RefAnswer {
    const { model } = this;
    if (attempt.stopping !== undefined) return { code: "CANCELLED" };
    if (!attempt.seated) return { code: "INVALID_STATE" };
    const on = ids.flatMap((id) => task.children.find((child) => child.id === id) ?? []);
    if (on.length < ids.length) return { code: "UNKNOWN_TASK" };
    const open = on.filter((child) => !isTerminal(child));
    if (open.length === 0) return OK;
    if (wouldDeadlock(model, task, new Map(), open)) return { code: "WOULD_DEADLOCK" };
    attempt.awaiting = open;
    attempt.seated = false;
    task.status = "waiting";
    return OK;
  }

  #register(description: AgentDescription): RefAnswer {
    const { model } = this;
    const { name, kind, skills = [], capacity = 1, team, breaker, maxBatch = 0 } = description;
    const { votes = false, weight = 1 } = description;
    if (team !== undefined && this.#closesTeamCycle(name, team)) return { code: "TEAM_CYCLE" };
    let agent = model.agent(name);
    if (agent === undefined) {
      agent = newAgent(name);
      model.agents.push(agent);
    }
    agent.manager = kind === "manager";
    const levels = new Map(isList(skills) ? skills.map((skill) => [skill, 1] as const) : entries(skills));
    for (const [skill, level] of agent.skills)
      if ((levels.get(skill) ?? 0) < level) model.skillLostAt.set(skill, model.openMs);
    agent.skills = levels;
    agent.capacity = nano(capacity);
    this.#setTeam(agent, team ?? []);
    agent.minSuccess = description.minSuccess ?? "all";
    agent.failFast = description.failFast ?? false;
    agent.maxBatch = maxBatch;
    agent.online = true;
    agent.votes = votes;
    agent.weight = weight;
    watch(agent, breaker);
    return OK;
  }

  #setTeam(manager: Agent, team: readonly string[]): void {
    if (manager.team.some((member) => !team.includes(member))) manager.teamLostAt = this.model.openMs;
    manager.team = team;
  }

  #closesTeamCycle(name: string, team: readonly string[], seen: string[] = []): boolean {
    return team.some((member) => {
      if (member === name) return true;
      if (seen.includes(member)) return false;
      seen.push(member);
      return this.#closesTeamCycle(name, this.model.agent(member)?.team ?? [], seen);
    });
  }

  #setResource({ resource: id, capacity, per, breaker }: Extract<Command, { type: "resource.set" }>): RefAnswer {
    const { model } = this;
    const known = model.resource(id);
    const amount = nano(capacity);
    if (known === undefined) {
      const level = BigInt(amount) * BigInt(per ?? 1);
      const rate = { rate: per !== undefined, per: per ?? 1, level, levelAt: model.now };
      const made = { id, capacity: amount, ...rate, ...unwatched() };
      watch(made, breaker ?? undefined);
      model.resources.push(made);
      return OK;
    }
    if (known.rate !== (per !== undefined)) return { code: "INVALID_ARGUMENT" };
    settleRate(known, model.now);
    if (known.rate) {
      const tokens = (known.level * BigInt(per ?? 1)) / BigInt(known.per);
      const full = BigInt(amount) * BigInt(per ?? 1);
      known.level = tokens > full ? full : tokens;
    }
    known.capacity = amount;
    known.per = per ?? 1;
    if (breaker !== undefined) watch(known, breaker ?? undefined);
    for (const { attempt } of model.live())
      if ((attempt.request?.amounts.get(id) ?? 0) > amount) attempt.request = undefined;
    return OK;
  }

  #setBudget({ budget: id, limit, parent: above }: Extract<Command, { type: "budget.set" }>): RefAnswer {
    const { model } = this;
    const known = model.budget(id);
    if (known === undefined) {
      const parent = above === undefined ? undefined : model.budget(above);
      if (above !== undefined && parent === undefined) return { code: "UNKNOWN_BUDGET" };
      model.budgets.push({ id, parent, limit: cents(limit), spent: 0 });
      return OK;
    }
    if (above !== undefined && known.parent?.id !== above) return { code: "INVALID_ARGUMENT" };
    known.limit = cents(limit);
    return OK;
  }

  #request(task: Task, attempt: Attempt, command: Extract<Command, { type: "attempt.request" }>): RefAnswer {
    const { model } = this;
    const amounts = new Map(entries(command.amounts).map(([id, amount]) => [id, nano(amount)] as const));
    if (attempt.stopping !== undefined) return { code: "CANCELLED" };
    for (const [id, amount] of amounts) {
      const resource = model.resource(id);
      if (resource === undefined) return { code: "UNKNOWN_RESOURCE" };
      if (amount > resource.capacity) return { code: "CAPACITY_EXCEEDED" };
    }
    const { leaseMs } = command;
    const wish: Wish = { task, kind: "request", slots: 0, load: 0, needs: amounts, since: model.openMs };
    if (place(model, wish, atOnce(model, wish)) !== undefined) {
      grant(model, task, amounts, leaseMs);
      return OK;
    }
    if (command.wait !== true) return { code: "CAPACITY_EXCEEDED" };
    if (attempt.request !== undefined) return { code: "INVALID_STATE" };
    if (wouldDeadlock(model, task, amounts, [])) return { code: "WOULD_DEADLOCK" };
    attempt.request = { amounts, leaseMs, at: model.openMs };
    return OK;
  }

  #person(id: string, act: (task: Task) => RefAnswer): RefAnswer {
    const task = this.model.task(id);
    return task === undefined ? { code: "UNKNOWN_TASK" } : act(task);
  }

  /** What an attempt says: refused if it is not the one that runs. */
  #from(
    from: { readonly taskId: string; readonly token: number },
    act: (task: Task, attempt: Attempt) => RefAnswer,
  ): RefAnswer {
    const task = this.model.task(from.taskId);
    const attempt = task?.attempt;
    if (task === undefined || attempt === undefined || attempt.token !== from.token) return { code: "FENCED" };
    return act(task, attempt);
  }

  /** Whether it is the word of all guardrails in their order, or of those up to the first that blocks. */
  #isWhole(on: GuardedPoint, verdicts: readonly GivenVerdict[]): boolean {
    const names = this.model.settings.guardrails[on] ?? [];
    const told = verdicts.map(({ guardrail }) => guardrail);
    const expected = isBlocked(verdicts) ? names.slice(0, told.length) : names;
    return told.join() === expected.join();
  }

  #expireLeases(): void {
    const { model } = this;
    const lasts = ({ expiresAt = Number.POSITIVE_INFINITY }: { readonly expiresAt: number | undefined }): boolean =>
      model.now < expiresAt;
    for (const { attempt } of model.live()) attempt.allocations = attempt.allocations.filter(lasts);
    model.kept = model.kept.filter(lasts);
  }

  /** Those whom nobody has allowed in time what they asked for, the earliest first. */
  #unanswered(): readonly Task[] {
    const { model } = this;
    const until = ({ askedUntil = Number.POSITIVE_INFINITY }: Task): number => askedUntil;
    const byPerson = model.tasks.filter(({ approval }) => approval?.ballot === undefined);
    return byPerson.filter((task) => until(task) <= model.now).sort((a, b) => until(a) - until(b));
  }

  /** Who may run only when somebody allows it asks for that; who waits for what there will never be fails. Until there is nobody. */
  #settle(): void {
    const { model } = this;
    for (;;) {
      let asked = 0;
      for (let more = true; more; ) {
        const settled = settleBallots(model);
        const asking = model.tasks.filter((task) => isToAsk(model, task));
        for (const task of asking) ask(model, task, task.approval?.expiresMs ?? 0);
        more = settled || asking.length > 0;
        asked += asking.length;
      }
      let inVain = 0;
      for (const waitInVain of [impossible, unpayable]) {
        const tasks = waitInVain(model);
        for (const task of tasks) endAs(model, task, "failed", { instead: "value" });
        inVain += tasks.length;
      }
      if (!share(model) && asked + inVain === 0) return;
    }
  }

  /** Allowed or refused is what was asked for, as long as it is not too late. */
  #answer({ taskId, hash }: { readonly taskId: string; readonly hash?: string }, act: (task: Task) => void): RefAnswer {
    return this.#person(taskId, (task) => {
      const { askedUntil, approval } = task;
      if (approval?.ballot !== undefined) return { code: "INVALID_STATE" };
      if (askedUntil === undefined || askedUntil <= this.model.now) return { code: "INVALID_STATE" };
      // Nobody here knows the right one.
      if (hash !== undefined) return { code: "INVALID_STATE" };
      act(task);
      return OK;
    });
  }

  /** What is due, the earliest first, until nothing is; then those for whom nobody came in time. */
  #timers(): void {
    const { model } = this;
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const due = [...this.#attemptTimers(), ...this.#deadlines()].filter(({ at }) => at <= model.now);
      const [first] = due.sort((a, b) => a.at - b.at);
      const [unanswered] = this.#unanswered();
      const [ballot] = dueBallots(model);
      if (first !== undefined) first.act();
      else if (ballot !== undefined) ballot.open = false;
      else if (unanswered !== undefined) endAs(model, unanswered, "failed");
      else {
        for (const task of this.#hopeless()) endAs(model, task, "failed", { instead: "any" });
        return;
      }
    }
    throw new RangeError("timers without end");
  }

  /** Ends of grace, and timeouts; of those that are due together the oldest attempt comes first. */
  #attemptTimers(): Timer[] {
    const { model } = this;
    return model.live().flatMap(({ task, attempt }): Timer[] => {
      const { stopping, startedAt } = attempt;
      if (stopping !== undefined) return [{ at: stopping.graceUntil, act: () => attemptAbandoned(model, task) }];
      if (task.timeoutMs === undefined) return [];
      return [{ at: startedAt + task.timeoutMs, act: () => stop(model, task, "timeout") }];
    });
  }

  #deadlines(): Timer[] {
    const { model } = this;
    return model.tasks.flatMap((task): Timer[] => {
      if (task.deadlineAt === undefined || isTerminal(task) || task.ending !== undefined) return [];
      return [{ at: task.deadlineAt, act: () => endAs(model, task, "failed", { reason: "deadline" }) }];
    });
  }

  /**
   * Ready tasks that nobody registered can do, and for which nobody has come in time. Who has something to fall back on does
   * not wait either for those who are not there, nor at all for breakers to close.
   */
  #hopeless(): readonly Task[] {
    const { model } = this;
    const { unroutableMs } = model.settings;
    return model.tasks.filter((task) => {
      const wish = wishesOf(model, task).find(({ kind }) => kind === "start");
      if (wish === undefined) return false;
      const able = qualified(model, task);
      if (able.length === 0) return model.openMs >= unableSince(model, task) + unroutableMs;
      if (!canFallBack(task) || eligible(model, wish).length > 0) return false;
      return able.some(({ online }) => online) || model.openMs >= task.readyAt + unroutableMs;
    });
  }
}

/**
 * Since when there may have been nobody for a ready task. The clock starts anew when somebody leaves the team, or an agent
 * loses a skill that is asked for: until then somebody may have been able.
 */
function unableSince(model: Model, task: Task): number {
  const lost = wantedFor(task).skills.map(({ skill }) => model.skillLostAt.get(skill) ?? 0);
  return Math.max(task.readyAt, task.scope?.teamLostAt ?? 0, ...lost);
}

function isBlocked(verdicts: readonly GivenVerdict[]): boolean {
  return verdicts.at(-1)?.verdict === "block";
}

/** Shapes are looked at before names. */
function isMalformed(command: Command): boolean {
  switch (command.type) {
    case "agent.register":
      return (command.agent.capacity ?? 1) < 0;
    case "resource.set":
      return command.capacity < 0;
    case "budget.set":
      return cents(command.limit) < 0;
    case "task.reject":
      return command.reason === "";
    case "ballot.open":
      return isMalformedBallot(command);
    case "attempt.spend":
      return cents(command.amount) < 0;
    case "task.submit":
      return command.tasks.some(isMalformedTask);
    case "attempt.request":
      return areMalformed(command.amounts, false);
    default:
      return false;
  }
}

function newAgent(name: string): Agent {
  return {
    name,
    manager: false,
    skills: new Map(),
    capacity: 0,
    team: [],
    teamLostAt: 0,
    minSuccess: "all",
    failFast: false,
    online: true,
    maxBatch: 0,
    votes: false,
    weight: 1,
    ...unwatched(),
  };
}

/** Array.isArray does not narrow readonly lists. */
function isList(skills: NonNullable<AgentDescription["skills"]>): skills is readonly string[] {
  return Array.isArray(skills);
}
