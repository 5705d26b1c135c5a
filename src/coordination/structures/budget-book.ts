/**
 * The books of a tree of budgets: how much may be spent under each, how much is set aside for what goes on, and how much is
 * spent.
 *
 * 1. Whatever is set aside or spent is so at every level, from the budget that it is under up to the root.
 * 2. `reserved` and `spent` are exact sums; `spent` never falls.
 * 3. Setting aside never brings `spent + reserved` over a limit, at any level. Only what was spent beyond what was set
 *    aside, and a lowered limit, can: by how much is the overrun, and while there is one nothing more is set aside there.
 */
import { lessToZero, NO_MONEY, type Sum } from "./money.ts";

export interface BudgetBook {
  readonly id: string;
  readonly parent: BudgetBook | undefined;
  limit: Sum;
  reserved: Sum;
  spent: Sum;
}

/** Budgets one above the other: each payment is booked at every level. */
export const MOST_LEVELS = 32;

export function openBook(id: string, limit: Sum, parent: BudgetBook | undefined): BudgetBook {
  return { id, parent, limit, reserved: NO_MONEY, spent: NO_MONEY };
}

/** The budget itself, and all above it. */
export function* levelsOf<B extends { readonly parent: B | undefined }>(book: B): Generator<B, void, undefined> {
  for (let level: B | undefined = book; level !== undefined; level = level.parent) yield level;
}

/** What is left at this level alone; below 0 by the overrun. */
export function leftAt(book: BudgetBook): Sum {
  return book.limit.minus(book.spent).minus(book.reserved);
}

/** By how much what is spent and set aside is beyond the limit. */
export function overrunAt(book: BudgetBook): Sum {
  return lessToZero(book.spent.plus(book.reserved), book.limit);
}

/** What could be set aside: the least that is left at any level, 0 where there is an overrun. */
export function availableIn(book: BudgetBook): Sum {
  let least = leftAt(book);
  for (const level of levelsOf(book)) {
    const left = leftAt(level);
    if (left.lt(least)) least = left;
  }
  return least.lt(0) ? NO_MONEY : least;
}

/** The lowest level that has not as much left; undefined: all have. */
export function shortFor<B extends BudgetBook & { readonly parent: B | undefined }>(book: B, sum: Sum): B | undefined {
  for (const level of levelsOf(book)) if (leftAt(level).lt(sum)) return level;
  return undefined;
}

/** The lowest level that would not have as much left if all that is set aside came back; undefined: all would. */
export function spentFor<B extends BudgetBook & { readonly parent: B | undefined }>(book: B, sum: Sum): B | undefined {
  for (const level of levelsOf(book)) if (level.limit.minus(level.spent).lt(sum)) return level;
  return undefined;
}

/** Changes what is set aside and adds to what is spent, at every level. RangeError where less than nothing would be left set aside. */
export function book(
  at: BudgetBook,
  change: { readonly reserve?: Sum; readonly release?: Sum; readonly spend?: Sum },
): void {
  const { reserve = NO_MONEY, release = NO_MONEY, spend = NO_MONEY } = change;
  for (const level of levelsOf(at)) {
    level.reserved = level.reserved.plus(reserve).minus(release);
    level.spent = level.spent.plus(spend);
    if (level.reserved.lt(0)) throw new RangeError(`less than nothing is set aside of the budget ${level.id}`);
  }
}
