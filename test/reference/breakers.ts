/** What keeps failing, an agent or a resource, is left alone for a while, and then tried by a few. */

import type { BreakerPolicy } from "../../src/kernel/events/agents.ts";
import type { Amounts, Attempt, Breaker, Model, Resource, Task, Watched } from "./model.ts";

/** One that has seen nothing yet. */
export function unwatched(): Watched {
  return { breaker: undefined, failures: 0, calls: [], openedAt: undefined, probes: [] };
}

/** What was seen is forgotten where there is no breaker any more, and where it counts otherwise from now on. */
export function watch(watched: Watched, policy: BreakerPolicy | undefined): void {
  if (policy === undefined || policy.ratio !== watched.breaker?.ratio) Object.assign(watched, unwatched());
  watched.breaker = policy && {
    threshold: policy.failureThreshold ?? 5,
    ratio: policy.ratio,
    minCalls: policy.minCalls ?? 10,
    windowMs: policy.windowMs ?? 60_000,
    resetMs: policy.resetMs ?? 30_000,
    probes: policy.halfOpenMax ?? 1,
  };
}

export function breakerState(model: Model, { breaker, openedAt }: Watched): "closed" | "open" | "half-open" {
  if (breaker === undefined || openedAt === undefined) return "closed";
  return model.openMs >= openedAt + breaker.resetMs ? "half-open" : "open";
}

/** Probes that have not come back, and have not been out for so long that they count as lost. */
function probesOut(model: Model, { probes, breaker }: Watched): number[] {
  return probes.filter((at) => model.openMs < at + (breaker?.resetMs ?? 0));
}

export function breakerAdmits(model: Model, watched: Watched): boolean {
  const state = breakerState(model, watched);
  if (state !== "half-open") return state === "closed";
  return probesOut(model, watched).length < (watched.breaker?.probes ?? 1);
}

/** Whether no breaker keeps any of these resources from being given out. */
export function mayBeGiven(model: Model, needs: Amounts): boolean {
  return resourcesIn(model, needs).every((resource) => breakerAdmits(model, resource));
}

/** Something is given: where a breaker is not closed, it is a probe. */
export function sendProbes(model: Model, all: readonly Watched[]): void {
  for (const watched of all)
    if (breakerState(model, watched) !== "closed") watched.probes = [...probesOut(model, watched), model.openMs];
}

export function resourcesIn(model: Model, amounts: Amounts): readonly Resource[] {
  return model.resources.filter(({ id }) => amounts.has(id));
}

/** How an attempt ended, told to the breakers of its agent and of all that it holds, each once. */
export function tellBreakers(model: Model, task: Task, attempt: Attempt, how: "succeeded" | "failed"): void {
  const held = [task.needs, ...attempt.allocations.map(({ amounts }) => amounts)];
  const resources = new Set(held.flatMap((amounts) => resourcesIn(model, amounts)));
  for (const watched of [attempt.agent, ...resources]) {
    // What is reported while it is open is of calls from before.
    if (watched.breaker !== undefined && breakerState(model, watched) !== "open")
      tell(model, watched, watched.breaker, how);
  }
}

function tell(model: Model, watched: Watched, breaker: Breaker, how: "succeeded" | "failed"): void {
  const failed = how === "failed";
  const isProbe = watched.openedAt !== undefined;
  watched.failures = failed ? watched.failures + 1 : 0;
  const inWindow = watched.calls.filter(({ at }) => model.openMs < at + breaker.windowMs);
  watched.calls = [...inWindow, { at: model.openMs, failed }];
  if (isProbe ? failed : isTooMuch(watched, breaker)) {
    Object.assign(watched, unwatched(), { breaker, openedAt: model.openMs });
  } else if (isProbe) Object.assign(watched, unwatched(), { breaker });
}

function isTooMuch({ failures, calls }: Watched, { ratio, threshold, minCalls }: Breaker): boolean {
  if (ratio === undefined) return failures >= threshold;
  return calls.length >= minCalls && calls.filter(({ failed }) => failed).length / calls.length >= ratio;
}
