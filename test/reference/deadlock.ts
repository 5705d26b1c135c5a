/** Whether a wait could never end. */

import { heldFirmly } from "./books.ts";
import { leaderOf } from "./flights.ts";
import { type Budget, isTerminal, type Model, type Task } from "./model.ts";
import { isBeyondReach, levels } from "./money.ts";

/**
 * Whether this task's attempt would be stuck for ever if it waited for these amounts and for these tasks. All that does not
 * wait is taken to end some day and to give back what it holds; who then could be served ends as well; and so on, until
 * nobody more is served.
 */
export function wouldDeadlock(
  model: Model,
  asking: Task,
  amounts: ReadonlyMap<string, number>,
  on: readonly Task[],
): boolean {
  const waits = model
    .live()
    .map(({ task, attempt: { awaiting, request } }) => {
      const tasks = [...awaiting.filter((other) => !isTerminal(other)), ...(task === asking ? on : [])];
      const ahead = mustEnd(model, tasks);
      const toStart = ahead.filter(({ attempt }) => attempt === undefined);
      const needs = toStart.flatMap((other) => [...other.needs]);
      const paid = toStart.filter(({ budget }) => budget !== undefined);
      if (request !== undefined) needs.push(...request.amounts);
      if (task === asking) needs.push(...amounts);
      return { task, needs, paid, on: ahead.filter(({ attempt }) => attempt !== undefined) };
    })
    .filter((wait) => wait.needs.length > 0 || wait.paid.length > 0 || wait.on.length > 0 || wait.task === asking);
  let stuck = waits;
  for (;;) {
    const still = stuck.filter(
      (wait) =>
        wait.on.some((other) => stuck.some(({ task }) => task === other)) ||
        wait.needs.some(([id, amount]) => {
          const resource = model.resource(id);
          if (resource === undefined || resource.rate) return false;
          const kept = stuck.reduce((sum, { task }) => sum + heldFirmly(task, id), 0);
          return resource.capacity - kept < amount;
        }) ||
        // Who costs more than will be left does not wait for money: it fails.
        wait.paid.some(
          (other) =>
            !isBeyondReach(other) &&
            levels(other.budget).some((level) => {
              const kept = stuck.reduce((sum, { task }) => sum + setAsideFor(task, level), 0);
              return level.limit - level.spent - kept < other.cost;
            }),
        ),
    );
    if (still.length === stuck.length) break;
    stuck = still;
  }
  return stuck.some(({ task }) => task === asking);
}

function setAsideFor({ attempt, budget }: Task, level: Budget): number {
  return levels(budget).includes(level) ? (attempt?.reserved ?? 0) : 0;
}

/** These, and all that has to end before they can: what they wait for, and a plan's subtasks. */
function mustEnd(model: Model, tasks: readonly Task[]): readonly Task[] {
  const ahead = tasks.filter((task) => !isTerminal(task));
  for (const task of ahead) {
    if (task.attempt !== undefined) continue;
    const planned = task.status === "waiting" ? task.children.filter(({ round }) => round !== undefined) : [];
    const leader = leaderOf(model, task);
    for (const other of [...task.unmet, ...planned, ...(leader === undefined ? [] : [leader])])
      if (!isTerminal(other) && !ahead.includes(other)) ahead.push(other);
  }
  return ahead;
}
