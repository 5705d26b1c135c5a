/**
 * Which task first: priority rules of project scheduling (R. Kolisch, "Serial and parallel resource-constrained project
 * scheduling methods revisited", 1996), from durations and dependencies alone.
 */
import { checkDuration, checkId, nullRecord, show } from "../coordination/structures/arguments.ts";
import { SafeguardsError } from "../errors.ts";
import type { TaskSpec } from "../runtime/task.ts";

/**
 * By which rule: `lft`, the earliest latest finish first; `lst`, the earliest latest start first; `mts`, most successors
 * first, direct and indirect; `spt`, the shortest first.
 */
export type PriorityRule = "lft" | "lst" | "mts" | "spt";

/** The longest chain of tasks, and how late each task may end without making it longer. */
export interface CriticalPath {
  readonly lengthMs: number;
  /** One such chain, in order. */
  readonly tasks: readonly string[];
  readonly latestFinishMs: Readonly<Record<string, number>>;
}

interface Activity {
  readonly id: string;
  readonly durationMs: number;
  readonly before: Activity[];
  readonly after: Activity[];
  /** If nothing but its dependencies held it up. */
  earliestFinish: number;
  latestFinish: number;
}

/**
 * The critical path (J. Kelley & M. Walker, 1959) of tasks that take their `estimatedMs` (left out: 0). Linear in tasks
 * and dependencies. INVALID_ARGUMENT for a task without an id or with a duration that is none; DUPLICATE_ID, UNKNOWN_TASK
 * and DEPENDENCY_CYCLE for tasks that could not be submitted together.
 */
export function criticalPath(tasks: readonly TaskSpec[]): CriticalPath {
  const network = networkOf(tasks);
  const lengthMs = lengthOf(network);
  const path: string[] = [];
  let last = network.find(({ earliestFinish }) => earliestFinish === lengthMs);
  while (last !== undefined) {
    path.push(last.id);
    const startMs = startOf(last);
    last = last.before.find(({ earliestFinish }) => earliestFinish === startMs);
  }
  const latestFinishMs = nullRecord<number>();
  for (const { id, latestFinish } of network) latestFinishMs[id] = latestFinish;
  return { lengthMs, tasks: path.reverse(), latestFinishMs };
}

/**
 * Priorities by task, higher goes first, equal where the rule finds no difference. They rank the tasks from 0 up, so that
 * any duration fits. Refuses what {@link criticalPath} refuses. Linear; by `mts`, in tasks times dependencies ÷ 32.
 */
export function prioritize(tasks: readonly TaskSpec[], rule: PriorityRule): Readonly<Record<string, number>> {
  const network = networkOf(tasks);
  const urgency = urgencies(network, rule);
  const ranks = new Map([...new Set(urgency)].sort((a, b) => a - b).map((value, rank) => [value, rank]));
  const priorities = nullRecord<number>();
  for (const [at, { id }] of network.entries()) priorities[id] = ranks.get(urgency[at] ?? 0) ?? 0;
  return priorities;
}

/** The more urgent, the higher. */
function urgencies(network: readonly Activity[], rule: PriorityRule): number[] {
  switch (rule) {
    case "lft":
      return network.map(({ latestFinish }) => -latestFinish);
    case "lst":
      return network.map(({ latestFinish, durationMs }) => durationMs - latestFinish);
    case "mts":
      return totalSuccessors(network);
    case "spt":
      return network.map(({ durationMs }) => -durationMs);
    default: {
      const never: never = rule;
      throw new SafeguardsError("INVALID_ARGUMENT", `rule is ${show(never)}; it must be one of lft, lst, mts, spt`);
    }
  }
}

/** Successors counted in rounds of 32, each a bit of one pass from the last task to the first. */
function totalSuccessors(network: readonly Activity[]): number[] {
  const place = new Map(network.map((activity, at) => [activity, at]));
  const after = network.map((activity) => activity.after.map((next) => place.get(next) ?? 0));
  const totals = network.map(() => 0);
  for (let first = 0; first < network.length; first += 32) {
    const reached = new Uint32Array(network.length);
    for (let at = network.length - 1; at >= 0; at--) {
      let bits = 0;
      for (const next of after[at] ?? []) {
        bits |= reached[next] ?? 0;
        if (next >= first && next < first + 32) bits |= 1 << (next - first);
      }
      reached[at] = bits;
      for (let left = bits; left !== 0; left &= left - 1) totals[at] = (totals[at] ?? 0) + 1;
    }
  }
  return totals;
}

/** The tasks so that each comes after all that it depends on, with their earliest and latest times. */
function networkOf(tasks: readonly TaskSpec[]): readonly Activity[] {
  const network = sorted(activitiesOf(tasks));
  for (const activity of network) {
    const startMs = activity.before.reduce((most, { earliestFinish }) => Math.max(most, earliestFinish), 0);
    activity.earliestFinish = startMs + activity.durationMs;
  }
  const lengthMs = lengthOf(network);
  for (const activity of network.toReversed())
    activity.latestFinish = activity.after.reduce(
      (least, next) => Math.min(least, next.latestFinish - next.durationMs),
      lengthMs,
    );
  return network;
}

function activitiesOf(tasks: readonly TaskSpec[]): ReadonlyMap<string, Activity> {
  const activities = new Map<string, Activity>();
  for (const { id, estimatedMs = 0 } of tasks) {
    const known = checkId(id, "the id of a task");
    if (activities.has(known)) throw new SafeguardsError("DUPLICATE_ID", `two tasks have the id ${show(known)}`);
    const durationMs = checkDuration(estimatedMs, `estimatedMs of ${show(known)}`, { zero: true });
    activities.set(known, { id: known, durationMs, before: [], after: [], earliestFinish: 0, latestFinish: 0 });
  }
  for (const { id = "", dependsOn = [] } of tasks) {
    const activity = activities.get(id);
    for (const dependency of dependsOn) {
      const on = typeof dependency === "string" ? dependency : dependency.id;
      const before = activities.get(on);
      if (before === undefined || activity === undefined)
        throw new SafeguardsError("UNKNOWN_TASK", `${show(id)} depends on ${show(on)}, which is not among the tasks`);
      activity.before.push(before);
      before.after.push(activity);
    }
  }
  return activities;
}

function sorted(activities: ReadonlyMap<string, Activity>): readonly Activity[] {
  const missing = new Map([...activities.values()].map((activity) => [activity, activity.before.length]));
  const order = [...missing.keys()].filter(({ before }) => before.length === 0);
  for (const { after } of order) {
    for (const next of after) {
      const left = (missing.get(next) ?? 0) - 1;
      missing.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  if (order.length === activities.size) return order;
  throw new SafeguardsError(
    "DEPENDENCY_CYCLE",
    `these tasks depend on one another: ${cycleAmong(missing).join(" → ")}`,
  );
}

/** Of those that wait for ever each waits for another of them, so that following these comes round. */
function cycleAmong(missing: ReadonlyMap<Activity, number>): string[] {
  const waits = (activity: Activity): boolean => (missing.get(activity) ?? 0) > 0;
  const seen: Activity[] = [];
  let at = [...missing.keys()].find(waits);
  while (at !== undefined && !seen.includes(at)) {
    seen.push(at);
    at = at.before.find(waits);
  }
  const cycle = seen.slice(at === undefined ? 0 : seen.indexOf(at)).reverse();
  return [...cycle, ...cycle.slice(0, 1)].map(({ id }) => id);
}

function startOf({ earliestFinish, durationMs }: Activity): number {
  return earliestFinish - durationMs;
}

function lengthOf(network: readonly Activity[]): number {
  return network.reduce((most, { earliestFinish }) => Math.max(most, earliestFinish), 0);
}
