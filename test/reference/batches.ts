/** Tasks that are given to an agent together: who may be, and how long they wait for more of their kind. */

import type { Agent, Model, Task } from "./model.ts";
import { approversOf, wantedFor, wishesOf } from "./wishes.ts";

/** What all of a batch have in common: their key, whom they are for, and what they ask for, if not how much of it. */
function kindOf(task: Task): string {
  const { pin, skills } = wantedFor(task);
  const levels = new Map<string, number>();
  for (const { skill, level } of skills) levels.set(skill, Math.max(level, levels.get(skill) ?? 0));
  const lastOn = [...new Set(task.avoid.toReversed())];
  const not = [lastOn, approversOf(task).toSorted()];
  const who = [task.manager?.name ?? pin, task.scope?.name, [...levels].sort(), ...not];
  return JSON.stringify([task.batchKey, who, [...task.needs.keys()].sort(), task.budget?.id, canFallBack(task)]);
}

export function canFallBack({ fallback, fellBack }: Task): boolean {
  return fallback?.hasValue === true || (fallback?.others !== undefined && !fellBack);
}

/** All that could be given to an agent together with it, itself among them. For whom something is set aside starts by itself. */
export function batchOf(model: Model, task: Task): readonly Task[] {
  if (task.batchKey === undefined) return [task];
  const kind = kindOf(task);
  return model.tasks.filter(
    (other) =>
      other.batchKey !== undefined &&
      other.promise === undefined &&
      wishesOf(model, other).some((wish) => wish.kind === "start") &&
      kindOf(other) === kind,
  );
}

/** Until when it waits there for more that this agent could be given with it; undefined: it does not. */
export function fillsUntil(model: Model, task: Task, agent: Agent | undefined): number | undefined {
  if (task.batchKey === undefined || task.attempt !== undefined) return undefined;
  if (agent === undefined || agent.maxBatch < 2) return undefined;
  const batch = batchOf(model, task);
  if (batch.length >= agent.maxBatch) return undefined;
  const until = Math.min(...batch.map(({ readyAt, batchWaitMs }) => readyAt + batchWaitMs)) + model.closedMs;
  return until > model.now ? until : undefined;
}
