/** A task is over: those that waited for it are told, and its tree is put away when all of it is. */
import { dropClaim } from "../claims.ts";
import { leaveFlight } from "../flights.ts";
import type { StateObserver } from "../observer.ts";
import { familyOf, settle } from "../settling.ts";
import type { State } from "../state.ts";
import { askedOf, type Ended, isTerminal, othersPlans, rootOf, runApproversOf, type Task } from "../task.ts";
import { becomePending, readyAt, setStatus } from "../task-status.ts";

const NONE: readonly never[] = [];

export function terminal(
  state: State,
  task: Task,
  status: "completed" | "failed" | "skipped" | "cancelled",
  how: Ended,
  observer: StateObserver | undefined,
): void {
  const { at } = how;
  dropClaim(state, task, observer);
  if (state.reserved?.task === task) state.reserved = undefined;
  setStatus(state, task, status);
  if (task.spec.cacheKey !== undefined) leaveFlight(state, task, observer);
  task.ended = how;
  task.ending = undefined;
  task.held = false;
  task.notBefore = 0;
  task.checkpoint = undefined;
  // Who approved its run does nothing of it, also of what goes on below it when it has ended.
  if (runApproversOf(task).length === 0) task.approval = undefined;
  const { dependents, parent, dependsOn } = task;
  task.dependents = undefined;
  // Else each of a chain would keep all before it.
  if (dependsOn.length > 0) dependsOn.length = 0;
  if (dependents !== undefined) {
    for (const dependent of dependents) {
      if (isTerminal(dependent.status)) continue;
      if (status !== "completed" && dependent.spec.onDependencyFailure !== "run") continue;
      dependent.missing -= 1;
      if (dependent.missing > 0) continue;
      readyAt(state, dependent, at);
      if (dependent.status === "blocked") setStatus(state, dependent, "pending");
      observer?.task(dependent);
    }
  }
  if (parent !== undefined) {
    const family = familyOf(parent);
    family.openChildren -= 1;
    familyOf(rootOf(parent)).openBelow -= 1;
    if (task.spec.round !== undefined) {
      countChild(parent, task, status === "completed" ? "completed" : "failed", 1);
      family.openRound -= 1;
      if (
        family.openRound === 0 &&
        parent.status === "waiting" &&
        parent.live === undefined &&
        parent.ending === undefined &&
        askedOf(parent) === undefined
      ) {
        becomePending(state, parent, at, observer);
        observer?.task(parent);
      }
    }
    const waiting = parent.live;
    if (waiting?.awaiting?.delete(task)) {
      waiting.seatMs = state.openMs(at);
      observer?.live(waiting);
    }
  }
  observer?.task(task);
  observer?.ended(task, dependents ?? NONE);
  settle(state, task, at);
}

/** A planned subtask has ended so, or goes on after it had. What another had planned stays none of the present manager's. */
export function countChild(parent: Task, { spec }: Task, how: "completed" | "failed", by: 1 | -1): void {
  const family = familyOf(parent);
  if (how === "completed") family.completedChildren += by;
  else family.failedChildren += by;
  const before = othersPlans(parent.series);
  if (before === undefined || (spec.round ?? 0) > before.round) return;
  const since = { ...before, [how]: before[how] + by };
  parent.series = {
    ...parent.series,
    ...(parent.series.fallback === undefined ? { before: since } : { fallback: since }),
  };
}
