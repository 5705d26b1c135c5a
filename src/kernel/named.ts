/** What events name, looked up; a journal that names what it never made is broken. */
import { type Amount, amountOf, amountToNumber } from "../coordination/structures/amount.ts";
import { nullRecord } from "../coordination/structures/arguments.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import type { State } from "./state.ts";
import type { Task } from "./task.ts";

/** Amounts in events were checked when they were decided. */
export function amount(value: number): Amount {
  const made = amountOf(value);
  if (made === undefined) throw new RangeError(`the journal holds ${value}, which is no amount`);
  return made;
}

export function known<T>(found: T | undefined, what: string, id: string | number): T {
  if (found === undefined) throw new RangeError(`the journal names ${what} ${id}, which it never made`);
  return found;
}

export function needsOf(state: State, amounts: Readonly<Record<string, number>> | undefined): readonly Need[] {
  if (amounts === undefined) return [];
  const named = Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1));
  return named.map(([id, value]) => ({
    resource: known(state.resources.get(id), "resource", id),
    amount: amount(value),
  }));
}

export function taskOf(state: State, id: string): Task {
  return known(state.tasks.get(id), "task", id);
}

export function liveOf(state: State, token: number): LiveAttempt {
  return known(state.live.get(token), "attempt", token);
}

/** Amounts by resource, as events hold them. */
export function amountsOf(needs: readonly Need[]): Record<string, number> {
  const amounts = nullRecord<number>();
  for (const { resource, amount } of needs) amounts[resource.id] = amountToNumber(amount);
  return amounts;
}
