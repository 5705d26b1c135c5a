/** Whether waiting could never end. */
import { type Amount, add, atMost, subtractToZero, ZERO } from "../../coordination/structures/amount.ts";
import { levelsOf, spentFor } from "../../coordination/structures/budget-book.ts";
import { NO_MONEY, type Sum } from "../../coordination/structures/money.ts";
import type { LiveAttempt, Need } from "../attempt.ts";
import type { Funding } from "../spending.ts";
import type { Budget, Resource, State } from "../state.ts";
import { awaitedBy, childrenOf, isTerminal, type Task } from "../task.ts";

/** What an attempt that holds something waits for: amounts, and attempts that have to end first. */
interface Wait {
  readonly needs: Need[];
  readonly payments: Funding[];
  readonly on: Set<LiveAttempt>;
}

/**
 * Who is stuck with it, if it waited for these amounts and tasks, and that could never end; undefined: it could. Everybody that
 * does not wait is assumed to give back what it holds; then whoever could be served is, and gives back too, until nobody more
 * can be (reduction of the wait-for graph: R. C. Holt, "Some Deadlock Properties of Computer Systems", ACM Computing Surveys
 * 4(3), 1972). What is held under a lease comes back by itself. Linear in those that wait, a few times over.
 */
export function stuckWith(
  state: State,
  asking: LiveAttempt,
  needs: readonly Need[],
  tasks: Iterable<Task>,
): readonly string[] | undefined {
  const waits = new Map<LiveAttempt, Wait>();
  const waitOf = (live: LiveAttempt): Wait => {
    let wait = waits.get(live);
    if (wait === undefined) {
      wait = { needs: [], payments: [], on: new Set() };
      waits.set(live, wait);
    }
    return wait;
  };
  for (const request of state.requests.values()) waitOf(request.live).needs.push(...request.needs);
  for (const live of state.live.values())
    if (live.awaiting !== undefined && live.awaiting.size > 0) follow(state, live.awaiting, waitOf(live));
  waitOf(asking).needs.push(...needs);
  follow(state, tasks, waitOf(asking));
  for (;;) {
    const held = heldFirmlyBy(waits.keys());
    const reserved = reservedFor(waits.keys());
    const served = [...waits].filter(([, wait]) => canEnd(wait, waits, held) && canBePaid(wait, reserved));
    if (served.length === 0) return [...waits.keys()].filter((live) => live !== asking).map((live) => live.task.id);
    for (const [live] of served) waits.delete(live);
    if (!waits.has(asking)) return undefined;
  }
}

function canEnd(wait: Wait, stuck: ReadonlyMap<LiveAttempt, Wait>, held: ReadonlyMap<Resource, Amount>): boolean {
  for (const live of wait.on) if (stuck.has(live)) return false;
  return wait.needs.every(
    ({ resource, amount }) =>
      resource.rate !== undefined || atMost(amount, subtractToZero(resource.capacity, held.get(resource) ?? ZERO)),
  );
}

function canBePaid({ payments }: Wait, reserved: ReadonlyMap<Budget, Sum>): boolean {
  return payments.every(({ budget, cost }) => {
    // Who waits in vain fails, and so ends.
    if (spentFor(budget, cost) !== undefined) return true;
    for (const level of levelsOf(budget))
      if (
        level.limit
          .minus(level.spent)
          .minus(reserved.get(level) ?? NO_MONEY)
          .lt(cost)
      )
        return false;
    return true;
  });
}

/** What is set aside for these attempts, at every level. */
function reservedFor(attempts: Iterable<LiveAttempt>): ReadonlyMap<Budget, Sum> {
  const reserved = new Map<Budget, Sum>();
  for (const live of attempts) {
    if (live.task.funding === undefined || live.reserved.eq(0)) continue;
    for (const level of levelsOf(live.task.funding.budget))
      reserved.set(level, (reserved.get(level) ?? NO_MONEY).plus(live.reserved));
  }
  return reserved;
}

/** All that has to end before these tasks have: what it will need, and what runs of it. */
function follow(state: State, tasks: Iterable<Task>, wait: Wait): void {
  const ahead = new Set(tasks);
  for (const task of ahead) {
    if (isTerminal(task.status)) continue;
    if (task.live !== undefined) {
      wait.on.add(task.live);
      continue;
    }
    wait.needs.push(...task.needs);
    if (task.funding !== undefined) wait.payments.push(task.funding);
    for (const other of waitedForBy(state, task)) ahead.add(other);
  }
}

/** What has to end before it begins, or goes on: of a task that runs, what its code awaits. */
export function waitedForBy(state: State, task: Task): readonly Task[] {
  if (isTerminal(task.status)) return [];
  if (task.live !== undefined) return [...(task.live.awaiting ?? [])];
  const ahead = [...awaitedBy(task)];
  const leader = state.flights.of(task)?.leader;
  if (leader !== undefined && leader !== task) ahead.push(leader);
  if (task.status === "waiting") ahead.push(...childrenOf(task).filter(({ spec }) => spec.round !== undefined));
  return ahead;
}

function heldFirmlyBy(attempts: Iterable<LiveAttempt>): ReadonlyMap<Resource, Amount> {
  const held = new Map<Resource, Amount>();
  for (const live of attempts) {
    for (const { resource, amount } of heldFirmly(live)) held.set(resource, add(held.get(resource) ?? ZERO, amount));
  }
  return held;
}

/** What it holds until it ends or gives it back itself. */
export function heldFirmly(live: LiveAttempt): readonly Need[] {
  const held = [...live.task.needs];
  for (const { needs, expiresAt } of live.extra?.values() ?? []) if (expiresAt === undefined) held.push(...needs);
  return held;
}
