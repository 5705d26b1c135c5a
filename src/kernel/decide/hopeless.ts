/** Tasks that wait for what cannot come. */
import { amountToNumber, compare } from "../../coordination/structures/amount.ts";
import { unableSince } from "../agent-pools.ts";
import { defaults } from "../limits.ts";
import { READY, type ReadyClass } from "../ready-queue.ts";
import type { Task } from "../state.ts";
import { beyondReach } from "./budgets.ts";
import type { Desk } from "./desk.ts";
import { windDown } from "./endings.ts";

/** Those that ask for more than a resource's capacity is now. */
export function failImpossible(desk: Desk): void {
  const { impossible } = desk.indexes;
  if (impossible.size === 0) return;
  for (const task of inOrder(impossible)) {
    impossible.delete(task);
    const need = task.needs.find(({ amount, resource }) => compare(amount, resource.capacity) > 0);
    if (need === undefined) continue;
    const { id } = need.resource;
    const asked = amountToNumber(need.amount);
    const capacity = amountToNumber(need.resource.capacity);
    const message = `it asks for ${asked} of ${id}, whose capacity is ${capacity} now`;
    const details = { resource: id, need: asked, capacity };
    const error = { code: "CAPACITY_EXCEEDED", message, retryable: false, details } as const;
    windDown(desk, task, { as: "failed", error }, "cancelled");
  }
}

/** Those that cost more than their budgets will have left. */
export function failUnpayable(desk: Desk): void {
  for (const task of desk.indexes.payers.takeHopeless()) {
    if (task.funding === undefined) continue;
    const { budget, cost } = task.funding;
    windDown(desk, task, { as: "failed", error: beyondReach(budget, cost) }, "cancelled");
  }
}

/** Those of these classes that nobody registered can do, and for which nobody came in time. */
export function failUnroutable(desk: Desk, classes: readonly ReadyClass[]): void {
  const { state, now, indexes } = desk;
  const patience = state.settings?.unroutableMs ?? defaults.unroutableMs;
  const due = new Map<Task, string>();
  for (const { pool, index } of classes) {
    if (pool === undefined || pool.members.size > 0) continue;
    const { requirement } = pool;
    const unableMs = unableSince(state, requirement);
    const skills = requirement.skills.map(({ skill, level }) => (level > 0 ? `${skill} at ${level}` : skill));
    const which = skills.length === 0 ? "" : ` (${skills.join(", ")})`;
    for (const { item, measures } of index) {
      const since = Math.max(measures[READY]?.whole ?? 0, unableMs);
      if (now >= since + patience + state.closedMs) due.set(item.task, which);
    }
  }
  for (const task of inOrder(due.keys())) {
    const message = `no registered agent can do it${due.get(task)}, and none came within ${patience} ms`;
    windDown(
      desk,
      task,
      { as: "failed", error: { code: "NO_QUALIFIED_AGENT", message, retryable: false } },
      "cancelled",
    );
  }
  for (const of of classes) indexes.watchUnroutable(of);
}

function inOrder(tasks: Iterable<Task>): readonly Task[] {
  return [...tasks].sort((a, b) => a.seq - b.seq);
}
