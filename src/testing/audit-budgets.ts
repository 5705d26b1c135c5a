/**
 * What is set aside and spent, kept from the events alone.
 *
 * 1. Nothing is set aside, and nothing spent beyond that, that a budget or one above it has not left: spent − overrun +
 *    reserved is never over the limit, and only a lowered limit makes an overrun.
 * 2. What is set aside for an attempt is settled once, when it ends: given back, or of a lost one taken as spent.
 */
import { show } from "../coordination/structures/arguments.ts";
import { lessToZero, NO_MONEY, type Sum, sumIn, textOf } from "../coordination/structures/money.ts";
import type { KernelEvent } from "../kernel/events.ts";
import type { BudgetInfo, TaskInfo } from "../kernel/views.ts";

interface Book {
  readonly parent: string | undefined;
  limit: Sum;
  reserved: Sum;
  spent: Sum;
}

interface Payment {
  readonly taskId: string;
  /** Still set aside. */
  reserved: Sum;
}

interface Payer {
  readonly budget: string | undefined;
  readonly cost: Sum;
  readonly parentId: string | undefined;
  /** Of it and all below it. */
  spent: Sum;
}

export class AuditBudgets {
  readonly #complain: (what: string) => void;
  readonly #books: Map<string, Book> = new Map();
  readonly #payers: Map<string, Payer> = new Map();
  /** By token: attempts that go on. */
  readonly #payments: Map<number, Payment> = new Map();

  constructor(complain: (what: string) => void) {
    this.#complain = complain;
  }

  see(event: KernelEvent): void {
    switch (event.type) {
      case "budget.set": {
        const { budget, parent } = event;
        const limit = sumIn(event.limit);
        const book = this.#books.get(budget);
        if (book === undefined) this.#books.set(budget, { parent, limit, reserved: NO_MONEY, spent: NO_MONEY });
        else book.limit = limit;
        break;
      }
      case "task.submitted": {
        const { taskId, budget, cost = "0", parentId } = event;
        this.#payers.set(taskId, { budget, cost: sumIn(cost), parentId, spent: NO_MONEY });
        break;
      }
      case "task.started": {
        const { budget, cost = NO_MONEY } = this.#payers.get(event.taskId) ?? {};
        const reserved = budget === undefined ? NO_MONEY : cost;
        this.#payments.set(event.token, { taskId: event.taskId, reserved });
        if (budget !== undefined) this.#book(budget, `task ${show(event.taskId)} starts`, { reserve: reserved });
        break;
      }
      case "budget.spent":
        this.#spend(event.token, sumIn(event.amount), `task ${show(event.taskId)} spends ${event.amount}`);
        break;
      case "attempt.ended": {
        const { assumed } = event;
        const { reserved = NO_MONEY } = this.#payments.get(event.token) ?? {};
        if (assumed !== undefined && !sumIn(assumed).eq(reserved))
          this.#complain(
            `an attempt at task ${show(event.taskId)} is settled with ${assumed}; ${textOf(reserved)} was set aside`,
          );
        if (event.end === "lost" && assumed === undefined && reserved.gt(0))
          this.#complain(`what was set aside for a lost attempt at task ${show(event.taskId)} is given back`);
        if (assumed !== undefined)
          this.#spend(event.token, sumIn(assumed), `a lost attempt at task ${show(event.taskId)}`);
        this.#settle(event.token);
        break;
      }
      // An attempt whose output has to be approved is over before its task is.
      case "approval.asked":
      case "task.completed":
        if (event.token !== undefined) this.#settle(event.token);
        break;
      case "task.planned":
        if (event.token !== undefined) this.#settle(event.token);
        break;
      default:
        break;
    }
  }

  /** Whether the views tell of the same. */
  compare(budgets: readonly BudgetInfo[], tasks: readonly TaskInfo[]): void {
    if (budgets.length !== this.#books.size)
      this.#complain(`${budgets.length} of ${this.#books.size} budgets are shown`);
    for (const { id, limit, reserved, spent, overrun } of budgets) {
      const book = this.#books.get(id);
      const shown = `${spent} spent and ${reserved} set aside of ${limit}, ${overrun} too much`;
      const own =
        book &&
        `${textOf(book.spent)} spent and ${textOf(book.reserved)} set aside of ${textOf(book.limit)}, ${textOf(lessToZero(book.spent.plus(book.reserved), book.limit))} too much`;
      if (shown !== own) this.#complain(`budget ${show(id)} is shown with ${shown}; it has ${own}`);
    }
    for (const { id, cost } of tasks) {
      const own = textOf(this.#payers.get(id)?.spent ?? NO_MONEY);
      if (cost !== own) this.#complain(`task ${show(id)} is shown with a cost of ${cost}; it is ${own}`);
    }
  }

  #spend(token: number, sum: Sum, what: string): void {
    const payment = this.#payments.get(token);
    if (payment === undefined) {
      this.#complain(`${what}, and its attempt is over`);
      return;
    }
    const within = payment.reserved.lt(sum) ? payment.reserved : sum;
    payment.reserved = payment.reserved.minus(within);
    const { budget } = this.#payers.get(payment.taskId) ?? {};
    if (budget !== undefined) this.#book(budget, what, { release: within, spend: sum });
    for (let id: string | undefined = payment.taskId; id !== undefined; ) {
      const payer = this.#payers.get(id);
      if (payer !== undefined) payer.spent = payer.spent.plus(sum);
      id = payer?.parentId;
    }
  }

  #settle(token: number): void {
    const payment = this.#payments.get(token);
    this.#payments.delete(token);
    const { budget } = this.#payers.get(payment?.taskId ?? "") ?? {};
    if (payment !== undefined && budget !== undefined) this.#book(budget, "", { release: payment.reserved });
  }

  /** Books it at every level; what takes more than before must not pass a limit. */
  #book(id: string, what: string, { reserve = NO_MONEY, release = NO_MONEY, spend = NO_MONEY }): void {
    const more = reserve.plus(spend).minus(release);
    for (let at: string | undefined = id; at !== undefined; ) {
      const book = this.#books.get(at);
      if (book === undefined) {
        this.#complain(`${what} at the expense of ${show(at)}, which is not known`);
        return;
      }
      book.reserved = book.reserved.plus(reserve).minus(release);
      book.spent = book.spent.plus(spend);
      const takes = more.gt(0) || (what !== "" && spend.eq(0));
      if (takes && book.spent.plus(book.reserved).gt(book.limit))
        this.#complain(
          `${what}, and of budget ${show(at)} ${textOf(book.spent)} is spent and ${textOf(book.reserved)} set aside where the limit is ${textOf(book.limit)}`,
        );
      at = book.parent;
    }
  }
}
