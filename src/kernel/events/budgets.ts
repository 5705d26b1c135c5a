/** Budgets, and what is spent of them. */
import type { LayoutsOf } from "./layout.ts";

/** A new budget, or another limit for one. Money is a plain decimal here and everywhere. */
export interface BudgetSetEvent {
  readonly type: "budget.set";
  readonly v: 1;
  readonly budget: string;
  readonly limit: string;
  /** The budget that it is part of, told once. */
  readonly parent?: string;
}

/** An attempt spends so much: of what is set aside for it first, then of what is left. Told before it is spent. */
export interface BudgetSpentEvent {
  readonly type: "budget.spent";
  readonly v: 1;
  readonly taskId: string;
  readonly token: number;
  readonly amount: string;
  /** On what. */
  readonly what?: string;
}

/** By what an attempt has spent, or is taken to have spent, more is spent of a budget than its limit allows by now: so much more. */
export interface BudgetOverrunEvent {
  readonly type: "budget.overrun";
  readonly v: 1;
  readonly budget: string;
  readonly amount: string;
  readonly taskId: string;
  readonly token: number;
}

export type BudgetEvent = BudgetSetEvent | BudgetSpentEvent | BudgetOverrunEvent;

export const BUDGET_EVENTS: LayoutsOf<BudgetEvent> = {
  "budget.set": { code: 36, v: 1, fields: ["budget", "limit", "parent"] },
  "budget.overrun": { code: 73, v: 1, fields: ["budget", "amount", "taskId", "token"] },
  "budget.spent": { code: 37, v: 1, fields: ["taskId", "token", "amount", "what"] },
};
