/** What the breakers learn: of the agent that did it, and of each resource that was held. */
import type { BreakerRule, BreakerState } from "../coordination/circuit-breaker.ts";
import type { LiveAttempt, Need } from "./attempt.ts";
import type { Resource } from "./state.ts";

/** Whatever a breaker watches: an agent, or a resource. */
export interface Watched {
  readonly breakerRule: BreakerRule | undefined;
  breaker: BreakerState;
}

type Report = (rule: BreakerRule, state: BreakerState, now: number) => BreakerState;

/** `now` in open milliseconds. */
export function breaker(watched: Watched, next: Report, now: number): void {
  if (watched.breakerRule !== undefined) watched.breaker = next(watched.breakerRule, watched.breaker, now);
}

/** How an attempt ended, told to the breakers of its agent and of all that it holds. */
export function report(live: LiveAttempt, next: Report, now: number): void {
  breaker(live.agent, next, now);
  for (const resource of watchedBy(live)) breaker(resource, next, now);
}

const NONE: readonly never[] = [];

/** The resources with a breaker that it holds, each once. */
export function watchedBy(live: LiveAttempt): readonly Resource[] {
  if (live.extra === undefined && !live.task.needs.some(isWatched)) return NONE;
  const needs = [...live.task.needs];
  for (const allocation of live.extra?.values() ?? []) needs.push(...allocation.needs);
  return [...new Set(needs.filter(isWatched).map(({ resource }) => resource))];
}

function isWatched({ resource }: Need): boolean {
  return resource.breakerRule !== undefined;
}
