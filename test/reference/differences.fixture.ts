/** What the kernel and the reference may differ in: statuses, agents, starts and their order, books, tokens, refusals, reasons. */

import type { Answer } from "../../src/kernel/commands.ts";
import type { KernelEvent } from "../../src/kernel/events.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { countOf } from "./ballots.ts";
import { fillsUntil } from "./batches.ts";
import { allocated, loadOf } from "./books.ts";
import { breakerState } from "./breakers.ts";
import { usable } from "./free.ts";
import { BILLION, isTerminal, type Model, type Task } from "./model.ts";
import { costOf, inText, left, levels, setAside } from "./money.ts";
import { effectivePriorities } from "./order.ts";
import { type ReasonCode, reasonsOf } from "./reasons.ts";
import type { RefAnswer, Reference } from "./reference.ts";

type StartedEvent = Extract<KernelEvent, { type: "task.started" }>;

/** Gathers what is not the same. */
export class Differences {
  readonly found: string[] = [];

  same(what: string, kernel: unknown, reference: unknown): void {
    if (Object.is(kernel, reference)) return;
    this.found.push(`${what}: the kernel says ${String(kernel)}, the reference ${String(reference)}`);
  }
}

export function compareAnswers(to: Differences, answers: readonly Answer[], expected: readonly RefAnswer[]): void {
  for (const [i, wanted] of expected.entries()) {
    const answer = answers[i];
    const told = answer?.ok === true ? "accepted" : answer?.refusal.code;
    to.same(`command ${i}`, told, "code" in wanted ? wanted.code : "accepted");
  }
}

/** What was started, went on or was granted, in order; and which attempts ended, and how. */
export function compareEvents(
  to: Differences,
  events: readonly KernelEvent[],
  model: Model,
  ends: readonly string[],
): void {
  to.same("started", startsOf(events).join("; "), model.starts.join("; "));
  to.same("fallen back", fallbacksOf(events).join("; "), model.fallbacks.join("; "));
  to.same("attempts ended", endsOf(events).join("; "), ends.join("; "));
}

/** Every task's status and place in the order, and why it waits. `tell` hears the reasons. */
export function compareTasks(
  to: Differences,
  kernel: Kernel,
  { model, reservation }: Reference,
  tell: (reason: ReasonCode) => void,
): void {
  const infos = kernel.tasks();
  to.same("number of tasks", infos.length, model.tasks.length);
  for (const [i, task] of model.tasks.entries()) {
    const info = infos[i];
    to.same(`id of task ${i}`, info?.id, task.id);
    to.same(`status of ${task.id}`, info?.status, task.status);
    to.same(`cost of ${task.id}`, info?.cost, inText(costOf(task)));
  }
  const priorities = effectivePriorities(model);
  for (const task of model.tasks) {
    if (isTerminal(task)) continue;
    const view = kernel.task(task.id);
    to.same(`effective priority of ${task.id}`, view?.effectivePriority, priorities.get(task));
    to.same(`held ${task.id}`, view?.held, task.held);
    // Nobody is there to be asked.
    if (!model.open) continue;
    const reasons = reasonsOf(model, task, reservation);
    for (const reason of reasons) tell(reason);
    compareReasons(to, kernel, model, task, reasons);
  }
}

/** Running is said of exactly those that run; of all others at least one reason, and each of them is true. */
function compareReasons(
  to: Differences,
  kernel: Kernel,
  model: Model,
  task: Task,
  reasons: readonly ReasonCode[],
): void {
  const explained = kernel.explain(task.id, model.now);
  const runs = task.attempt?.seated === true;
  to.same(`verdict on ${task.id}`, explained?.verdict, runs ? "running" : "waiting");
  const told = [...new Set(explained?.reasons.map(({ code }) => code))];
  to.same(`reasons of ${task.id}`, told.sort().join(" "), [...reasons].sort().join(" "));
  // One that runs may wait for more.
  if (!runs) to.same(`whether ${task.id} has no reason`, told.length === 0, false);
}

/** Whose batch waits for more is looked at again when it has waited long enough. */
export function compareWakes(to: Differences, kernel: Kernel, model: Model): void {
  const wakeAt = kernel.nextWakeAt() ?? Number.POSITIVE_INFINITY;
  for (const [task, agent] of model.open ? model.held : []) {
    const until = fillsUntil(model, task, agent);
    to.same(`whether ${task.id} is woken in time`, until !== undefined && wakeAt <= until, true);
  }
}

export function compareBooks(to: Differences, kernel: Kernel, model: Model): void {
  for (const [i, info] of kernel.agents(model.now).entries()) {
    const agent = model.agents[i];
    to.same(`name of agent ${i}`, info.name, agent?.name);
    if (agent === undefined) continue;
    to.same(`load of ${agent.name}`, info.load, loadOf(model, agent) / BILLION);
    to.same(`online ${agent.name}`, info.online, agent.online);
    to.same(`breaker of ${agent.name}`, info.breaker, breakerState(model, agent));
  }
  const left = usable(model, undefined);
  for (const [i, info] of kernel.resources(model.now).entries()) {
    const resource = model.resources[i];
    to.same(`id of resource ${i}`, info.id, resource?.id);
    if (resource === undefined) continue;
    const breaker = resource.breaker && breakerState(model, resource);
    to.same(`breaker of ${resource.id}`, info.breaker, breaker);
    to.same(`capacity of ${resource.id}`, info.capacity, resource.capacity / BILLION);
    if (!resource.rate) to.same(`allocated of ${resource.id}`, info.allocated, allocated(model, resource) / BILLION);
    to.same(`available of ${resource.id}`, info.available, Math.max(0, left.amount(resource.id)) / BILLION);
  }
}

export function compareBudgets(to: Differences, kernel: Kernel, model: Model): void {
  for (const [i, info] of kernel.budgets().entries()) {
    const budget = model.budgets[i];
    to.same(`id of budget ${i}`, info.id, budget?.id);
    if (budget === undefined) continue;
    const least = Math.min(...levels(budget).map((level) => left(model, level)));
    to.same(`limit of ${budget.id}`, info.limit, inText(budget.limit));
    to.same(`set aside of ${budget.id}`, info.reserved, inText(setAside(model, budget)));
    to.same(`spent of ${budget.id}`, info.spent, inText(budget.spent));
    to.same(`overrun of ${budget.id}`, info.overrun, inText(Math.max(0, -left(model, budget))));
    to.same(`available of ${budget.id}`, info.available, inText(Math.max(0, least)));
  }
}

/** Who may vote and has voted, until when, and what is counted; a recount gives the same. */
export function compareBallots(to: Differences, kernel: Kernel, { ballots }: Model): void {
  const views = kernel.ballots();
  to.same("number of ballots", views.length, ballots.length);
  for (const [i, ballot] of ballots.entries()) {
    const { ballotId, open, opened, voted, decision } = views[i] ?? {};
    const { id } = ballot;
    const counted = countOf(ballot);
    to.same(`id of ballot ${i}`, ballotId, id);
    to.same(`whether ${id} is open`, open, ballot.open);
    to.same(`electorate of ${id}`, opened?.electorate.join(), ballot.electorate.join());
    to.same(`deadline of ${id}`, opened?.deadlineAt, ballot.deadlineAt);
    to.same(`what ${id} decides on`, opened?.approves, ballot.task?.id);
    to.same(`who has voted in ${id}`, voted?.join(), [...ballot.votes.keys()].join());
    to.same(`outcome of ${id}`, decision?.outcome, counted.outcome);
    to.same(`decision of ${id}`, decision?.decision, counted.decision);
    to.same(`who abstained in ${id}`, decision?.abstained.join(), counted.abstained.join());
    to.same(`whose vote in ${id} is invalid`, decision?.invalid.join(), counted.invalid.join());
    to.same(`recount of ${id}`, JSON.stringify(kernel.recount(id)?.decision), JSON.stringify(decision));
  }
}

function startsOf(events: readonly KernelEvent[]): readonly string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case "task.started":
        return [`${event.taskId} on ${event.agent} ${event.token} ${event.phase}${together(event, events)}`];
      case "attempt.regained":
        return [`${event.taskId} regains ${event.token}`];
      case "resource.granted":
        return [`${event.taskId} is granted ${event.allocationToken}`];
      default:
        return [];
    }
  });
}

/** By the first of those that were given to an agent with it. */
function together({ batch }: StartedEvent, events: readonly KernelEvent[]): string {
  const isIn = (event: KernelEvent): boolean => event.type === "task.started" && event.batch === batch;
  return batch === undefined || events.filter(isIn).length < 2 ? "" : ` in ${batch}`;
}

function fallbacksOf(events: readonly KernelEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === "task.fell-back" ? [`${event.taskId} ${event.to}`] : []));
}

function endsOf(events: readonly KernelEvent[]): readonly string[] {
  // Whose output is allowed has completed before.
  const allowed = new Set(events.flatMap((event) => (event.type === "approval.given" ? [event.taskId] : [])));
  const ends = events.flatMap((event) => {
    switch (event.type) {
      case "attempt.ended":
        return [`${event.token} ${event.end}`];
      case "task.planned":
        return [`${event.token} completed`];
      case "approval.asked":
        return event.token === undefined ? [] : [`${event.token} completed`];
      case "task.completed":
        return event.token === undefined || allowed.has(event.taskId) ? [] : [`${event.token} completed`];
      default:
        return [];
    }
  });
  return ends.sort();
}
