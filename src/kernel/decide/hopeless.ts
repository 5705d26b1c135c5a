/** Tasks that wait for what cannot come. */
import { amountToNumber, compare } from "../../coordination/structures/amount.ts";
import { type LackOfAgents, lackOfAgents } from "../fallback.ts";
import { defaults } from "../limits.ts";
import { READY, type ReadyClass } from "../ready-queue.ts";
import type { Requirement } from "../requirements.ts";
import type { Task } from "../task.ts";
import { whatApproved, withheldBy } from "../withheld.ts";
import { listed } from "../wording.ts";
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
    windDown(desk, task, { as: "failed", error, fallback: "value" }, "cancelled");
  }
}

/** Those that cost more than their budgets will have left. */
export function failUnpayable(desk: Desk): void {
  for (const task of desk.indexes.payers.takeHopeless()) {
    if (task.funding === undefined) continue;
    const { budget, cost } = task.funding;
    windDown(desk, task, { as: "failed", error: beyondReach(budget, cost), fallback: "value" }, "cancelled");
  }
}

/** Those of these classes that nobody registered can do, or nobody is to be had for, and for which nobody came in time. */
export function failUnroutable(desk: Desk, classes: readonly ReadyClass[]): void {
  const { state, now, indexes } = desk;
  const patience = state.settings?.unroutableMs ?? defaults.unroutableMs;
  const due = new Map<Task, string>();
  for (const of of classes) {
    const lack = of.pool && lackOfAgents(state, of, of.pool, now);
    if (of.pool === undefined || lack === undefined) continue;
    const text = inWords(lack, of.pool.requirement, patience);
    const withheld = lack.why === "unable" ? withheldBy(state, of.pool.requirement).map(({ name }) => name) : [];
    for (const { item, measures } of of.index) {
      const since = Math.max(measures[READY]?.whole ?? 0, lack.since ?? 0);
      if (lack.since === undefined || now >= since + patience + state.closedMs)
        due.set(item.task, withheld.length === 0 ? text : onlyApprovers(item.task, withheld, patience));
    }
  }
  for (const task of inOrder(due.keys())) {
    const error = { code: "NO_QUALIFIED_AGENT", message: due.get(task) ?? "", retryable: false } as const;
    windDown(desk, task, { as: "failed", error, fallback: "any" }, "cancelled");
  }
  for (const of of classes) indexes.watchUnroutable(of);
}

function inWords({ why }: LackOfAgents, { skills }: Requirement, patience: number): string {
  switch (why) {
    case "broken":
      return "no breaker of those who can do it lets it through";
    case "offline":
      return `nobody who can do it is online, and none came within ${patience} ms`;
    case "unable": {
      const asked = skills.map(({ skill, level }) => (level > 0 ? `${skill} at ${level}` : skill));
      const which = asked.length === 0 ? "" : ` (${asked.join(", ")})`;
      return `no registered agent can do it${which}, and none came within ${patience} ms`;
    }
  }
}

function onlyApprovers(task: Task, withheld: readonly string[], patience: number): string {
  const what = whatApproved(task, withheld);
  return `those who could do it (${listed(withheld)}) approved ${what}, and nobody else came within ${patience} ms`;
}

function inOrder(tasks: Iterable<Task>): readonly Task[] {
  return [...tasks].sort((a, b) => a.seq - b.seq);
}
