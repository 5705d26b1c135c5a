/** What could be given to a task now, were there room for it: to start, to go on, or more of a resource. */

import { breakerAdmits } from "./breakers.ts";
import { type Agent, type Amounts, isTerminal, type Model, type Task, type Wanted } from "./model.ts";

export interface Wish {
  readonly task: Task;
  readonly kind: "start" | "regain" | "request";
  /** Slots: 1, or 0 for one who has it. */
  readonly slots: number;
  readonly load: number;
  readonly needs: Amounts;
  /** Since when it is wished, in open time. */
  readonly since: number;
}

const NOTHING: Amounts = new Map();

/** Whether guardrails have to look at its input first. */
export function awaitsJudgement(model: Model, task: Task): boolean {
  const { input } = model.settings.guardrails;
  return input !== undefined && !task.accepted && !isTerminal(task) && task.ending === undefined;
}

/** Whether nothing is in its way but that it may have to be allowed: neither what it depends on, nor guardrails. */
function isFree(model: Model, task: Task): boolean {
  const waits = task.status === "pending" || (task.status === "paused" && !task.held);
  return waits && !awaitsJudgement(model, task) && task.unmet.length === 0 && task.ending === undefined;
}

/** Whether somebody is to be asked now whether it may run. */
export function isToAsk(model: Model, task: Task): boolean {
  return task.approval?.before === "run" && !task.approved && isFree(model, task);
}

/** Whether nothing is in its way any more, but time, before it is started or has an output from another. */
export function isNext(model: Model, task: Task): boolean {
  return isFree(model, task) && !isToAsk(model, task);
}

/** Whether another may give it its output: it has none to wait for before that is decided. */
function isShared(model: Model, task: Task): boolean {
  const leads = model.flights.some(({ leader }) => leader === task);
  return task.cacheKey !== undefined && !task.fellBack && !leads;
}

export function wishesOf(model: Model, task: Task): readonly Wish[] {
  if (isTerminal(task)) return [];
  const { attempt } = task;
  if (attempt === undefined) {
    if (!isNext(model, task) || isShared(model, task) || task.notBefore > model.timersAt) return [];
    return [{ task, kind: "start", slots: 1, load: task.load, needs: task.needs, since: task.readyAt }];
  }
  const wishes: Wish[] = [];
  const { request } = attempt;
  if (!attempt.seated && attempt.stopping === undefined && !task.held && attempt.awaiting.length === 0)
    wishes.push({ task, kind: "regain", slots: 1, load: task.load, needs: NOTHING, since: attempt.wishedAt });
  if (request !== undefined)
    wishes.push({ task, kind: "request", slots: 0, load: 0, needs: request.amounts, since: request.at });
  return wishes;
}

/** Whom its present attempts are for. */
export function wantedFor({ meantFor, fallback, fellBack }: Task): Wanted {
  return fellBack ? (fallback?.others ?? meantFor) : meantFor;
}

/** Who allowed its run, or that of what it is a part of: none of them does it. */
export function approversOf(task: Task): readonly string[] {
  const { approvedBy, parent } = task;
  return parent === undefined ? approvedBy : [...new Set([...approvedBy, ...approversOf(parent)])].sort();
}

/** Agents that the journal knows and that could do it, in order of registration, whether there or not. */
export function qualified(model: Model, task: Task): readonly Agent[] {
  // Who planned goes on with it: nobody else knows what to make of the subtasks.
  const wanted = wantedFor(task);
  const pin = task.manager?.name ?? wanted.pin;
  return model.agents.filter(
    (agent) =>
      (pin === undefined || agent.name === pin) &&
      !approversOf(task).includes(agent.name) &&
      (task.scope === undefined || task.scope.team.includes(agent.name)) &&
      wanted.skills.every(({ skill, level }) => (agent.skills.get(skill) ?? -1) >= level),
  );
}

/** Who may get such work now, room aside: those that are there, and whose breaker admits. */
export function eligible(model: Model, wish: Wish): readonly Agent[] {
  const { attempt } = wish.task;
  if (wish.kind === "request") return [];
  const able = wish.kind === "regain" && attempt !== undefined ? [attempt.agent] : qualified(model, wish.task);
  return able.filter((agent) => agent.online && breakerAdmits(model, agent));
}

/**
 * Who would get it: not one that it failed on, as long as there is another that is large enough on which it did not, or did longer
 * ago. One that goes on stays where it is.
 */
export function hosts(model: Model, wish: Wish): readonly Agent[] {
  const { attempt, avoid, load } = wish.task;
  if (wish.kind === "regain") return attempt === undefined ? [] : [attempt.agent];
  const may = eligible(model, wish);
  const lastFailure = (agent: Agent): number => avoid.lastIndexOf(agent.name);
  const earliest = Math.min(...may.filter((agent) => agent.capacity >= load).map(lastFailure));
  return may.filter((agent) => lastFailure(agent) <= earliest);
}
