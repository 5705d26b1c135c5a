/** Who may spend how much: nothing that is set aside is kept, all of it is added up from the attempts that there are. */

import type { Money } from "../../src/coordination/structures/types.ts";
import type { Budget, Model, Task } from "./model.ts";

const CENTS = 100;

/** Sums are whole cents, so that they add exactly. */
export function cents(money: Money): number {
  return Math.round(Number(money) * CENTS);
}

export function inText(sum: number): string {
  return `${sum / CENTS}`;
}

/** A budget and all above it. */
export function levels(budget: Budget | undefined): readonly Budget[] {
  return budget === undefined ? [] : [budget, ...levels(budget.parent)];
}

/** What is set aside for attempts that are paid from it or from a part of it. */
export function setAside(model: Model, budget: Budget): number {
  let sum = 0;
  for (const { task, attempt } of model.live()) if (levels(task.budget).includes(budget)) sum += attempt.reserved;
  return sum;
}

/** Below 0 by the overrun. */
export function left(model: Model, budget: Budget): number {
  return budget.limit - budget.spent - setAside(model, budget);
}

/** Whether so much could be set aside, or spent beyond what is, at every level. */
export function isLeft(model: Model, budget: Budget | undefined, sum: number): boolean {
  return levels(budget).every((level) => left(model, level) >= sum);
}

/** Whether it costs more than will be left whatever comes back: what is spent never does. */
export function isBeyondReach({ budget, cost }: Pick<Task, "budget" | "cost">): boolean {
  return levels(budget).some(({ limit, spent }) => limit - spent < cost);
}

/** Its attempt spends so much: first of what is set aside for it. */
export function pay(task: Task, sum: number): void {
  const { attempt } = task;
  if (attempt === undefined) return;
  if (task.budget !== undefined) attempt.reserved -= Math.min(attempt.reserved, sum);
  task.paid += sum;
  for (const level of levels(task.budget)) level.spent += sum;
}

/** What it has cost so far, with all that was submitted as part of it. */
export function costOf(task: Task): number {
  return task.children.reduce((sum, child) => sum + costOf(child), task.paid);
}
