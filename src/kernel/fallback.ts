/**
 * Fallbacks: who may do a task when those are spent whom it was meant for, and when nobody of them is to be had.
 *
 * 1. Whoever it was meant for tries it first, then its fallback's agents in a series of their own, then the value stands for it.
 * 2. Nobody is to be had: at once while no breaker of those online lets it through; after `unroutableMs` while nobody is
 *    registered who could do it, or nobody of them is online. Without a fallback only the second makes it fail.
 */
import { type AgentPool, unableSince } from "./agent-pools.ts";
import type { FallbackPolicy } from "./events/tasks.ts";
import type { ReadyClass } from "./ready-queue.ts";
import type { State } from "./state.ts";
import type { Task } from "./task.ts";

/** Whom the present series of attempts is for. */
export function wantedOf({ spec, series }: Task): Pick<FallbackPolicy, "skills" | "agent"> {
  return series.fallback === undefined ? spec : (spec.fallback ?? spec);
}

/** Whether its fallback names agents. */
export function namesAgents({ agent, skills }: FallbackPolicy): boolean {
  return agent !== undefined || skills !== undefined;
}

/** Whether something is left to fall back on. */
export function hasFallback({ spec: { fallback }, series }: Task): boolean {
  if (fallback === undefined) return false;
  return fallback.value !== undefined || (series.fallback === undefined && namesAgents(fallback));
}

/** Why nobody is to be had. */
export interface LackOfAgents {
  readonly why: "unable" | "offline" | "broken";
  /** Since when, at the latest, in open milliseconds: patience counts from then. Absent: there is none. */
  readonly since?: number;
}

/** Why nobody is to be had for the tasks of a class; undefined: somebody is, or may be. */
export function lackOfAgents(state: State, of: ReadyClass, pool: AgentPool, now: number): LackOfAgents | undefined {
  if (pool.members.size === 0) return { why: "unable", since: unableSince(state, pool.requirement) };
  if (!of.hasFallback || pool.eligibleCount(state, now) > 0) return undefined;
  return pool.online > 0 ? { why: "broken" } : { why: "offline", since: 0 };
}
