/**
 * What attempts spend. The estimate is set aside when an attempt starts; what it spends comes out of that, and what is beyond
 * out of what is left of the budget; what is still set aside when it ends goes back, or, of one that was lost, is taken as
 * spent.
 */
import type { Amount } from "../coordination/structures/amount.ts";
import { book, levelsOf, openBook } from "../coordination/structures/budget-book.ts";
import { amountBelow, NO_MONEY, type Sum, sumIn, textOf } from "../coordination/structures/money.ts";
import type { LiveAttempt } from "./attempt.ts";
import type { BudgetSetEvent } from "./events/budgets.ts";
import type { TaskFields } from "./events/tasks.ts";
import { known } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import type { Budget, State } from "./state.ts";
import type { Task } from "./task.ts";

/** Out of what an attempt is paid, and how much is set aside for each. */
export interface Funding {
  readonly budget: Budget;
  readonly cost: Sum;
  /** The same for indexes: rounded down. */
  readonly measure: Amount;
}

/** Whether the measure is all of the cost. */
export function isMeasured({ cost }: Funding): boolean {
  return cost.round(9).eq(cost);
}

/** Of a task that names a budget. */
export function fundingOf(state: State, { budget, cost }: Pick<TaskFields, "budget" | "cost">): Funding | undefined {
  if (budget === undefined) return undefined;
  const sum = cost === undefined ? NO_MONEY : sumIn(cost);
  return { budget: known(state.budgets.get(budget), "budget", budget), cost: sum, measure: amountBelow(sum) };
}

export function budgetSet(state: State, event: BudgetSetEvent, observer: StateObserver | undefined): void {
  const limit = sumIn(event.limit);
  const budget = state.budgets.get(event.budget);
  if (budget === undefined) {
    const parent =
      event.parent === undefined ? undefined : known(state.budgets.get(event.parent), "budget", event.parent);
    state.budgets.set(event.budget, { ...openBook(event.budget, limit, parent), parent, parked: new Set() });
    return;
  }
  const gain = limit.minus(budget.limit);
  budget.limit = limit;
  observer?.budget([budget], gain);
}

/** An attempt starts: its estimate is set aside. */
export function setAside(live: LiveAttempt): void {
  const { funding } = live.task;
  if (funding === undefined) return;
  live.reserved = funding.cost;
  book(funding.budget, { reserve: funding.cost });
}

/** It spends so much. */
export function spend(live: LiveAttempt, sum: Sum, observer: StateObserver | undefined): void {
  const within = live.reserved.lt(sum) ? live.reserved : sum;
  settlePart(live, within, sum, observer);
}

/** It is over: what is still set aside goes back, but for what is assumed to be spent. */
export function settleMoney(live: LiveAttempt, assumed: string | undefined, observer: StateObserver | undefined): void {
  if (live.task.funding !== undefined)
    settlePart(live, live.reserved, assumed === undefined ? NO_MONEY : sumIn(assumed), observer);
}

function settlePart(live: LiveAttempt, release: Sum, paid: Sum, observer: StateObserver | undefined): void {
  const { task, record } = live;
  if (paid.gt(0)) {
    record.cost = textOf(record.cost === undefined ? paid : sumIn(record.cost).plus(paid));
    live.agent.spent = live.agent.spent.plus(paid);
    payAbove(task, paid);
  }
  if (task.funding === undefined) return;
  const { budget } = task.funding;
  live.reserved = live.reserved.minus(release);
  book(budget, { release, spend: paid });
  observer?.budget(levelsOf(budget), release.minus(paid));
}

/** What a task spends is spent below all those that it is part of. */
export function payAbove(task: Task, sum: Sum): void {
  for (let { parent } = task; parent !== undefined; parent = parent.parent)
    if (parent.family !== undefined) parent.family.spentBelow = parent.family.spentBelow.plus(sum);
}

/** What all attempts at a task have spent, without its subtasks. */
export function ownCost(task: Pick<Task, "attempts">): Sum {
  let sum = NO_MONEY;
  for (const { cost } of task.attempts) if (cost !== undefined) sum = sum.plus(cost);
  return sum;
}
