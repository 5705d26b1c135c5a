/**
 * Who may spend how much.
 *
 * 1. At every level `spent − overrun + reserved ≤ limit`, in any order of calls; sums are exact.
 * 2. Each reservation is settled or cancelled once.
 * 3. A refused call changes nothing.
 */
import { SafeguardsError } from "../errors.ts";
import { checkId, checkKeys, show } from "./structures/arguments.ts";
import {
  availableIn,
  type BudgetBook,
  book,
  leftAt,
  levelsOf,
  MOST_LEVELS,
  openBook,
  overrunAt,
  shortFor,
} from "./structures/budget-book.ts";
import { wasIssued } from "./structures/issued-ids.ts";
import { checkMoney, NO_MONEY, type Sum, textOf } from "./structures/money.ts";
import type { Money } from "./structures/types.ts";

/** A budget as it is opened. */
export interface BudgetSpec {
  /** How much may be spent under it and all below it: ≥ 0. */
  readonly limit: Money;
  /** The budget that it is part of. Default: none. */
  readonly parent?: string;
}

/** How a budget stands; all are decimals. */
export interface BudgetBalance {
  readonly limit: string;
  /** Set aside by reservations under it and below it. */
  readonly reserved: string;
  readonly spent: string;
  /** What could be reserved now: the least that is left of it and of all above it. */
  readonly available: string;
}

interface Reservation {
  readonly book: BudgetBook;
  readonly amount: Sum;
}

/** Open reservations of one ledger: each is remembered until it is settled. */
const MOST_RESERVATIONS = 1_000_000;

/**
 * Budgets as trees of exact decimals. What is to be spent is reserved before, and settled after with what was really spent: a
 * reservation counts against its budget and every one above it, and is refused where any of them has not as much left. So
 * `spent + reserved` never exceeds a limit by a reservation, however many are made at a time. What was really spent is
 * recorded even beyond the limit; that overrun closes the budget, and all below it, to new reservations until its limit
 * covers it again.
 *
 * Money comes in as a decimal string or a number of at least 0, with at most 15 digits before the point and 15 behind it, and
 * goes out as a plain decimal string: `"0.3"`, never `"0.30"` or `"3e-1"`. A call costs the levels from the budget up, at most 32,
 * however many budgets and reservations there are. `INVALID_ARGUMENT` for what is not as described, `UNKNOWN_BUDGET` for a budget that
 * was never opened.
 *
 * @example
 * ```ts
 * import { BudgetLedger } from "safeguards/coordination";
 * const ledger = new BudgetLedger();
 * ledger.open("company", { limit: "100" });
 * ledger.open("research", { limit: 20, parent: "company" });
 * const call = ledger.reserve("research", "0.25");
 * ledger.settle(call.id, "0.1975"); // { overrun: "0" }
 * ledger.balance("company").available; // "99.8025"
 * ```
 */
export class BudgetLedger {
  readonly #books = new Map<string, BudgetBook>();
  readonly #reservations = new Map<string, Reservation>();
  #issued = 0;

  /** Opens a budget. `DUPLICATE_ID` when it is open; `INVALID_ARGUMENT` for more than 32 one above the other. */
  open(budgetId: string, spec: BudgetSpec): void {
    checkId(budgetId, "budgetId");
    checkKeys(spec, ["limit", "parent"], "spec");
    const limit = checkMoney(spec.limit, "spec.limit");
    const parent = spec.parent === undefined ? undefined : this.#bookOf(checkId(spec.parent, "spec.parent"));
    if (this.#books.has(budgetId))
      throw new SafeguardsError("DUPLICATE_ID", `budget ${show(budgetId)} is open already`);
    if (parent !== undefined && [...levelsOf(parent)].length >= MOST_LEVELS)
      throw new SafeguardsError(
        "INVALID_ARGUMENT",
        `budget ${show(budgetId)} would be below ${MOST_LEVELS} others, one above the other; that is too deep`,
      );
    this.#books.set(budgetId, openBook(budgetId, limit, parent));
  }

  /**
   * Sets money aside, 0 or more. `BUDGET_EXCEEDED` where the budget, or one above it, has not as much left, or is closed by an
   * overrun; `QUEUE_FULL` with 1 000 000 reservations open.
   */
  reserve(budgetId: string, amount: Money): { readonly id: string; readonly amount: string } {
    checkId(budgetId, "budgetId");
    const sum = checkMoney(amount, "amount");
    const at = this.#bookOf(budgetId);
    this.#checkLeft(at, sum, "reserved");
    if (this.#reservations.size >= MOST_RESERVATIONS)
      throw new SafeguardsError("QUEUE_FULL", `${MOST_RESERVATIONS} reservations are open: that is the most`);
    this.#issued += 1;
    const id = `r${this.#issued}`;
    book(at, { reserve: sum });
    this.#reservations.set(id, { book: at, amount: sum });
    return { id, amount: textOf(sum) };
  }

  /**
   * Ends a reservation with what was really spent, more or less than was reserved. `overrun`: by how much the budget, or the
   * one above it that is worst off, is over its limit now. `INVALID_STATE` when it has ended before, `UNKNOWN_ALLOCATION` when
   * it was never given out.
   */
  settle(reservationId: string, actual: Money): { readonly overrun: string } {
    const spend = checkMoney(actual, "actual");
    const { book: at, amount } = this.#end(reservationId);
    book(at, { release: amount, spend });
    let overrun = NO_MONEY;
    for (const level of levelsOf(at)) {
      const own = overrunAt(level);
      if (own.gt(overrun)) overrun = own;
    }
    return { overrun: textOf(overrun) };
  }

  /** Ends a reservation of which nothing was spent. Refused as `settle` is. */
  cancel(reservationId: string): void {
    const { book: at, amount } = this.#end(reservationId);
    book(at, { release: amount });
  }

  /**
   * Lets `to` spend what `from` has not spent or reserved: limits fall on the way up from `from` to the budget that both are
   * part of, and rise on the way down to `to`, so that no more can be spent in all. `BUDGET_EXCEEDED` where one of those
   * that fall, or `from`, has not as much left.
   */
  transfer(from: string, to: string, amount: Money): void {
    checkId(from, "from");
    checkId(to, "to");
    const sum = checkMoney(amount, "amount");
    const giver = this.#bookOf(from);
    const taker = this.#bookOf(to);
    if (giver === taker) throw new SafeguardsError("INVALID_ARGUMENT", `budget ${show(from)} cannot give to itself`);
    const above = new Set(levelsOf(taker));
    const falling = [...levelsOf(giver)].filter((level) => !above.has(level));
    const below = new Set(levelsOf(giver));
    const rising = [...above].filter((level) => !below.has(level));
    for (const level of [giver, ...falling]) if (leftAt(level).lt(sum)) throw exceeded(level, sum, "transferred");
    for (const level of falling) level.limit = level.limit.minus(sum);
    for (const level of rising) level.limit = level.limit.plus(sum);
  }

  /** How the budget stands. */
  balance(budgetId: string): BudgetBalance {
    const at = this.#bookOf(checkId(budgetId, "budgetId"));
    return {
      limit: textOf(at.limit),
      reserved: textOf(at.reserved),
      spent: textOf(at.spent),
      available: textOf(availableIn(at)),
    };
  }

  #bookOf(id: string): BudgetBook {
    const found = this.#books.get(id);
    if (found === undefined) throw new SafeguardsError("UNKNOWN_BUDGET", `no budget ${show(id)} is open`);
    return found;
  }

  #checkLeft(at: BudgetBook, sum: Sum, what: string): void {
    const short = shortFor(at, sum);
    if (short !== undefined) throw exceeded(short, sum, what);
  }

  #end(id: string): Reservation {
    const reservation = this.#reservations.get(checkId(id, "reservationId"));
    if (reservation === undefined) {
      if (!wasIssued(id, "r", this.#issued))
        throw new SafeguardsError("UNKNOWN_ALLOCATION", `no reservation ${show(id)} was ever given out`);
      throw new SafeguardsError("INVALID_STATE", `reservation ${show(id)} was settled or cancelled before`);
    }
    this.#reservations.delete(id);
    return reservation;
  }
}

function exceeded(at: BudgetBook, sum: Sum, what: string): SafeguardsError {
  const left = textOf(leftAt(at));
  const need = textOf(sum);
  const message = overrunAt(at).gt(0)
    ? `${need} cannot be ${what}: budget ${show(at.id)} is over its limit by ${textOf(overrunAt(at))}`
    : `${need} cannot be ${what}: budget ${show(at.id)} has ${left} left of ${textOf(at.limit)}`;
  return new SafeguardsError("BUDGET_EXCEEDED", message, { details: { budget: at.id, need, left } });
}
