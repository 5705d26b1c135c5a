/** Who comes before whom: effective priorities, and order keys that are total. */

import { heldBy, sharesSeat } from "./books.ts";
import { leaderOf } from "./flights.ts";
import { usable } from "./free.ts";
import { isTerminal, type Lender, type Model, type Resource, type Task } from "./model.ts";
import { wishesOf } from "./wishes.ts";

/** Priorities as those who wait raise them; `without` takes one who waits, and what comes through it, out of account. */
export function effectivePriorities(model: Model, without?: Task): ReadonlyMap<Task, number> {
  const open = model.tasks.filter((task) => !isTerminal(task) && task !== without);
  const priorities = new Map(open.map((task) => [task, task.priority]));
  const waits = open.flatMap((waiter) => waitsFor(model, waiter).map((on) => [waiter, on] as const));
  for (let changed = true; changed; ) {
    changed = false;
    for (const [waiter, on] of waits) {
      const raised = priorities.get(waiter) ?? 0;
      const now = priorities.get(on);
      if (now === undefined || now >= raised) continue;
      priorities.set(on, raised);
      changed = true;
    }
  }
  return priorities;
}

/** Those that it waits for: who is to give its output, what it depends on, its plan, what its attempt awaits, and who holds what it lacks. */
function waitsFor(model: Model, waiter: Task): readonly Task[] {
  const planned = waiter.status === "waiting" ? waiter.children.filter((child) => child.round !== undefined) : [];
  const leader = leaderOf(model, waiter);
  return [
    ...waiter.unmet,
    ...planned,
    ...(leader === undefined ? [] : [leader]),
    ...(waiter.attempt?.awaiting ?? []),
    ...holdersInTheWayOf(model, waiter),
  ];
}

/** Whether what an attempt of this task holds can be had by stopping it. */
export function canBeMadeToGiveUp(model: Model, task: Task): boolean {
  const { attempt } = task;
  if (attempt?.seated !== true || attempt.stopping !== undefined) return false;
  // While others are on its seat, that would free neither slot nor room.
  return task.preemptible && task.preemptions < 3 && !sharesSeat(model, attempt);
}

/** Holders of a resource of which there is not enough for it, who cannot be made to give it up. */
function holdersInTheWayOf(model: Model, waiter: Task): readonly Task[] {
  const lent = model.lenders?.filter((lender) => lender.waiter === waiter && wishesOf(model, waiter).length > 0);
  return (lent ?? loansOf(model, waiter)).flatMap(({ resource }) => firmHolders(model, resource));
}

/** Of everybody who waits now. */
export function lenders(model: Model): readonly Lender[] {
  return model.tasks.flatMap((task) => loansOf(model, task));
}

function loansOf(model: Model, waiter: Task): readonly Lender[] {
  return wishesOf(model, waiter).flatMap((wish) =>
    [...wish.needs.keys()].flatMap((id) => {
      const resource = model.resource(id);
      if (resource === undefined || usable(model, wish).amount(id) >= (wish.needs.get(id) ?? 0)) return [];
      return firmHolders(model, resource).length > 0 ? [{ waiter, resource }] : [];
    }),
  );
}

function firmHolders(model: Model, resource: Resource): readonly Task[] {
  return model
    .live()
    .filter(({ task, attempt }) => !canBeMadeToGiveUp(model, task) && heldBy(task, attempt, resource) > 0)
    .map(({ task }) => task);
}

export interface Key {
  readonly key: number;
  readonly arrival: number;
}

export function keyOf(model: Model, task: Task, priority: number): Key {
  const { agingMs } = model.settings;
  const ages = Number.isFinite(agingMs);
  return { key: ages ? task.arrivedAt - priority * agingMs : -priority, arrival: task.arrival };
}

export function compareKeys(a: Key, b: Key): number {
  return a.key - b.key || a.arrival - b.arrival;
}
