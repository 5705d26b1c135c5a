/** Who must not approve a task: whoever has it done, does it, alone can do it, or works for who does it. */

import { askedOf, childrenOf, type Task } from "../task.ts";
import { onlyOneFor } from "../withheld.ts";
import type { Desk } from "./desk.ts";

/**
 * Why each of them must not, by name. Linear in the tasks below, in the teams of who does it or has given what answers it, and,
 * before it runs, in the agents up to the second that can do it.
 */
export function barredFrom(
  { state, indexes }: Pick<Desk, "state" | "indexes">,
  task: Task,
): ReadonlyMap<string, string> {
  const barred = new Map<string, string>();
  const bar = (name: string | undefined, why: string): void => {
    if (name !== undefined && !barred.has(name)) barred.set(name, why);
  };
  bar(task.spec.by, "it submitted it");
  for (let above = task.parent; above !== undefined; above = above.parent)
    for (const { agent } of above.attempts) bar(agent, `it works on ${above.id}, by which it was submitted`);
  const doers = [task.spec.agent, task.spec.fallback?.agent, ...task.attempts.map(({ agent }) => agent)].filter(
    (name) => name !== undefined,
  );
  for (const name of doers) bar(name, "it does it");
  const { before, from, givers = [] } = askedOf(task) ?? {};
  if (before === "run") bar(onlyOneFor(state, indexes.requirementOf(task))?.name, "nobody else can do it");
  for (const name of givers) bar(name, `it worked on ${from}, which gave the output`);
  const below: Task[] = [...childrenOf(task)];
  for (const one of below) {
    for (const { agent } of one.attempts) bar(agent, `it works on ${one.id}, which is a part of it`);
    below.push(...childrenOf(one));
  }
  const leads = new Set([...doers, ...givers]);
  for (const lead of leads) {
    for (const member of state.agents.get(lead)?.team ?? []) {
      // What is added to a set while it is walked is walked too, once.
      leads.add(member);
      bar(member, `it works for ${lead}, who does it`);
    }
  }
  return barred;
}
