/** The kernel and the reference, told the same, compared after every batch. */

import type { Answer, Command } from "../../src/kernel/commands.ts";
import type { KernelEvent } from "../../src/kernel/events.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { allocated, breakerState, loadOf } from "./books.ts";
import { usable } from "./free.ts";
import { BILLION, isTerminal, type Task } from "./model.ts";
import { effectivePriorities } from "./order.ts";
import { reasonsOf } from "./reasons.ts";
import { type RefAnswer, Reference } from "./reference.ts";
import { CURRENT, STALE, type Step } from "./script.fixture.ts";

/** How often something came up. */
export type Counts = Map<string, number>;

export function count(counts: Counts, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

export class SideBySide {
  readonly reference: Reference = new Reference();
  readonly commands: Counts = new Map();
  readonly refusals: Counts = new Map();
  readonly reasons: Counts = new Map();
  #kernel: Kernel = new Kernel();
  readonly log: KernelEvent[] = [];
  /** Ids of the kernel's allocations, by their tokens. */
  #allocations = new Map<number, string>();
  #now = 1_000_000;

  /** Commands as they were given last, tokens and all. */
  given: readonly Command[] = [];

  get now(): number {
    return this.#now;
  }

  get kernel(): Kernel {
    return this.#kernel;
  }

  /** Takes a step; gives every difference that there is then. */
  take(step: Step): readonly string[] {
    if (step.restart === "close") {
      const found = this.#batch([{ type: "coordinator.close" }]);
      if (found.length > 0) return found;
    }
    this.#now += step.after;
    if (step.restart !== undefined) {
      this.reference.killed(this.log.at(-1)?.at ?? this.#now);
      this.#kernel = new Kernel();
      for (const event of this.log) this.#kernel.replay(event);
    }
    return this.#batch(step.commands);
  }

  #batch(asked: readonly Command[]): readonly string[] {
    const commands = asked.map((command) => this.#resolve(command));
    this.given = commands;
    const { events, answers } = this.#kernel.batch(
      commands.map((command) => ({ command })),
      this.#now,
    );
    this.log.push(...events);
    const expected = this.reference.batch(commands, this.#now);
    for (const [i, command] of commands.entries()) {
      count(this.commands, command.type);
      const answer = answers[i];
      if (answer?.ok === false) count(this.refusals, answer.refusal.code);
    }
    return [...differingAnswers(answers, expected), ...this.#differences(events)];
  }

  /** Writes real tokens where symbols stand. */
  #resolve(command: Command): Command {
    const { model } = this.reference;
    const tokenOf = (taskId: string, token: number): number => {
      if (token !== CURRENT && token !== STALE) return token;
      const task = model.task(taskId);
      const current = task?.attempt?.token ?? task?.ended.at(-1)?.token ?? 1;
      return token === CURRENT ? current : current - 1;
    };
    if ("token" in command) {
      const token = tokenOf(command.taskId, command.token);
      if (command.type !== "attempt.release" || command.allocationId !== "") return { ...command, token };
      const allocationId = this.#allocations.get(command.allocationToken) ?? "ghost";
      return { ...command, token, allocationId };
    }
    if (command.type === "task.submit" && command.from !== undefined) {
      const { taskId, token } = command.from;
      return { ...command, from: { taskId, token: tokenOf(taskId, token) } };
    }
    return command;
  }

  #differences(events: readonly KernelEvent[]): readonly string[] {
    const { model, reservation } = this.reference;
    const found: string[] = [];
    const same = (what: string, kernel: unknown, reference: unknown): void => {
      if (!Object.is(kernel, reference))
        found.push(`${what}: the kernel says ${String(kernel)}, the reference ${String(reference)}`);
    };
    same("started", startsOf(events, this.#allocations).join("; "), model.starts.join("; "));
    const infos = this.#kernel.tasks();
    same("number of tasks", infos.length, model.tasks.length);
    for (const [i, task] of model.tasks.entries()) {
      const info = infos[i];
      same(`id of task ${i}`, info?.id, task.id);
      same(`status of ${task.id}`, info?.status, task.status);
    }
    const priorities = effectivePriorities(model);
    for (const task of model.tasks) {
      if (isTerminal(task)) continue;
      const view = this.#kernel.task(task.id);
      same(`effective priority of ${task.id}`, view?.effectivePriority, priorities.get(task));
      same(`held ${task.id}`, view?.held, task.held);
      // Nobody is there to be asked.
      if (!model.open) continue;
      const reasons = reasonsOf(model, task, reservation);
      for (const reason of reasons) count(this.reasons, reason);
      const explained = this.#kernel.explain(task.id, this.#now);
      same(`verdict on ${task.id}`, explained?.verdict === "running", task.attempt?.seated === true);
      const told = [...new Set(explained?.reasons.map(({ code }) => code))].sort().join(" ");
      same(`reasons of ${task.id}`, told, [...reasons].sort().join(" "));
    }
    same("attempts ended", endsOf(events).join("; "), this.#newEnds(model.tasks).join("; "));
    for (const [i, info] of this.#kernel.agents(this.#now).entries()) {
      const agent = model.agents[i];
      if (agent === undefined) continue;
      same(`name of agent ${i}`, info.name, agent.name);
      same(`load of ${agent.name}`, info.load, loadOf(model, agent) / BILLION);
      same(`online ${agent.name}`, info.online, agent.online);
      same(`breaker of ${agent.name}`, info.breaker, breakerState(model, agent));
    }
    const left = usable(model, undefined);
    for (const [i, info] of this.#kernel.resources(this.#now).entries()) {
      const resource = model.resources[i];
      if (resource === undefined) continue;
      same(`capacity of ${resource.id}`, info.capacity, resource.capacity / BILLION);
      if (!resource.rate) same(`allocated of ${resource.id}`, info.allocated, allocated(model, resource) / BILLION);
      same(`available of ${resource.id}`, info.available, Math.max(0, left.amount(resource.id)) / BILLION);
    }
    return found;
  }

  #seen = new Map<Task, number>();

  #newEnds(tasks: readonly Task[]): readonly string[] {
    const ends: string[] = [];
    for (const task of tasks) {
      for (const { token, end } of task.ended.slice(this.#seen.get(task) ?? 0)) ends.push(`${token} ${end}`);
      this.#seen.set(task, task.ended.length);
    }
    return ends.sort();
  }
}

function differingAnswers(answers: readonly Answer[], expected: readonly RefAnswer[]): readonly string[] {
  const told = (answer: Answer | undefined): string =>
    answer?.ok === true ? "accepted" : (answer?.refusal.code ?? "nothing");
  const wanted = (answer: RefAnswer | undefined): string =>
    answer === undefined ? "nothing" : "code" in answer ? answer.code : "accepted";
  return expected.flatMap((answer, i) => {
    const [kernel, reference] = [told(answers[i]), wanted(answer)];
    return kernel === reference ? [] : [`command ${i}: the kernel says ${kernel}, the reference ${reference}`];
  });
}

function startsOf(events: readonly KernelEvent[], allocations: Map<number, string>): readonly string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case "task.started":
        return [`${event.taskId} on ${event.agent} ${event.token} ${event.phase}`];
      case "attempt.regained":
        return [`${event.taskId} regains ${event.token}`];
      case "resource.granted":
        allocations.set(event.allocationToken, event.allocationId);
        return [`${event.taskId} is granted ${event.allocationToken}`];
      default:
        return [];
    }
  });
}

function endsOf(events: readonly KernelEvent[]): readonly string[] {
  const ends = events.flatMap((event) => {
    if (event.type === "attempt.ended") return [`${event.token} ${event.end}`];
    return event.type === "task.completed" || event.type === "task.planned" ? [`${event.token} completed`] : [];
  });
  return ends.sort();
}
