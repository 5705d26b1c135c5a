/** Budgets, and what running attempts spend of them. */
import { checkId, checkKeys, invalid, show } from "../../coordination/structures/arguments.ts";
import {
  leftAt,
  levelsOf,
  MOST_LEVELS,
  overrunAt,
  shortFor,
  spentFor,
} from "../../coordination/structures/budget-book.ts";
import { checkMoney, type Sum, textOf } from "../../coordination/structures/money.ts";
import type { Json } from "../../coordination/structures/types.ts";
import type { SafeguardsError } from "../../errors.ts";
import type { LiveAttempt } from "../attempt.ts";
import type { Answer, Command } from "../commands.ts";
import type { Failure } from "../events/failure.ts";
import { limits } from "../limits.ts";
import type { Budget, State } from "../state.ts";
import { type Desk, DONE, refused, speaker } from "./desk.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

export function setBudget(desk: Desk, command: CommandOf<"budget.set">): Answer {
  checkKeys(command, ["type", "budget", "limit", "parent"], "budget");
  const id = checkId(command.budget, "budget");
  const limit = checkMoney(command.limit, `the limit of ${id}`);
  const parent = command.parent === undefined ? undefined : checkId(command.parent, `the parent of ${id}`);
  const { budgets } = desk.state;
  const before = budgets.get(id);
  if (before === undefined) checkPlace(desk.state, id, parent);
  else if (parent !== undefined && before.parent?.id !== parent)
    throw refused(
      "INVALID_ARGUMENT",
      `budget ${id} is ${before.parent === undefined ? "part of no other" : `part of ${before.parent.id}`} and stays so`,
      { budget: id },
    );
  if (before?.limit.eq(limit) === true) return DONE;
  const placed = before === undefined && parent !== undefined ? { parent } : {};
  desk.emit({ type: "budget.set", v: 1, budget: id, limit: textOf(limit), ...placed });
  return DONE;
}

function checkPlace({ budgets }: State, id: string, parent: string | undefined): void {
  if (budgets.size >= limits.budgets)
    throw refused("QUEUE_FULL", `there is no place for budget ${id}: ${limits.budgets} are the most`, { budget: id });
  if (parent === undefined) return;
  const above = budgetNamed(budgets, parent, `budget ${id} is to be part of`);
  if ([...levelsOf(above)].length >= MOST_LEVELS)
    throw refused("INVALID_ARGUMENT", `budget ${id} would be below ${MOST_LEVELS} others, one above the other`, {
      budget: id,
    });
}

export function budgetNamed(budgets: State["budgets"], id: string, what: string): Budget {
  const found = budgets.get(id);
  if (found === undefined)
    throw refused("UNKNOWN_BUDGET", `${what} ${JSON.stringify(id)}, which is no budget`, { budget: id });
  return found;
}

/** An attempt is about to spend: out of what is set aside for it, and beyond that out of what is left. */
export function spendMoney(desk: Desk, command: CommandOf<"attempt.spend">): Answer {
  checkKeys(command, ["type", "taskId", "token", "amount", "what"], "spend");
  const { what } = command;
  const sum = checkMoney(command.amount, "amount");
  if (what !== undefined && (typeof what !== "string" || what.length > limits.messageLength))
    throw invalid("what", what, `a string of at most ${limits.messageLength} characters`);
  const live = speaker(desk.state, command);
  const { task, token, reserved } = live;
  const beyond = sum.minus(reserved);
  if (task.funding !== undefined && beyond.gt(0)) {
    if (live.stopping !== undefined)
      throw refused("CANCELLED", `task ${task.id} was told to stop: it gets no more money`, { taskId: task.id });
    const short = shortFor(task.funding.budget, beyond);
    if (short !== undefined) throw tooMuch(task.id, short, sum, beyond);
  }
  if (sum.gt(0)) {
    const told = what === undefined ? {} : { what };
    desk.emit({ type: "budget.spent", v: 1, taskId: task.id, token, amount: textOf(sum), ...told });
    tellOverruns(desk, live);
  }
  return DONE;
}

/** What the attempt has spent is spent: told where it is beyond a limit, as when that was lowered meanwhile. */
export function tellOverruns(desk: Desk, { task, token }: LiveAttempt): void {
  if (task.funding === undefined) return;
  for (const { id, limit, spent } of levelsOf(task.funding.budget)) {
    if (spent.lte(limit)) continue;
    const amount = textOf(spent.minus(limit));
    desk.emit({ type: "budget.overrun", v: 1, budget: id, amount, taskId: task.id, token });
  }
}

function tooMuch(taskId: string, short: Budget, sum: Sum, beyond: Sum): SafeguardsError {
  const aside = sum.minus(beyond);
  const asked = aside.gt(0) ? `${textOf(sum)}, of which ${textOf(aside)} is set aside for it` : textOf(sum);
  return refused("BUDGET_EXCEEDED", `task ${taskId} is to spend ${asked}; ${stateOf(short)}`, {
    taskId,
    budget: short.id,
    need: textOf(beyond),
    left: textOf(leftAt(short)),
  });
}

/** How a level stands that has too little. */
function stateOf(budget: Budget): string {
  const { id, limit, spent, reserved } = budget;
  if (overrunAt(budget).gt(0))
    return `budget ${id} is over its limit of ${textOf(limit)} by ${textOf(overrunAt(budget))}`;
  const taken = `${textOf(spent)} of ${textOf(limit)} is spent and ${textOf(reserved)} set aside`;
  return `budget ${id} has ${textOf(leftAt(budget))} left (${taken})`;
}

/** Why a task fails that costs more than a budget will have left however little the others spend. */
export function beyondReach(budget: Budget, cost: Sum): Failure {
  const short = spentFor(budget, cost) ?? budget;
  const left = short.limit.minus(short.spent);
  const details: { [key: string]: Json } = { budget: short.id, need: textOf(cost), left: textOf(left) };
  const message = left.lt(0)
    ? `it is to be paid from budget ${show(short.id)}, of which ${textOf(short.spent)} is spent where ${textOf(short.limit)} may be`
    : `it costs ${textOf(cost)}; of budget ${show(short.id)} ${textOf(short.spent)} of ${textOf(short.limit)} is spent, and never more than ${textOf(left)} left`;
  return { code: "BUDGET_EXCEEDED", message, retryable: false, details };
}
