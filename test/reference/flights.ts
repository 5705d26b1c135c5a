/** Tasks that ask for the same output: of those under way one is to give it, and the others wait for that. */

import { heldFirmly } from "./books.ts";
import { type Flight, isTerminal, type Model, type Task } from "./model.ts";
import { isNext, wantedFor } from "./wishes.ts";

/** What tasks that ask for the same have in common; those for others, under other guardrails or to be allowed otherwise never do. */
export function flightKey(model: Model, task: Task): string {
  const { pin, skills } = wantedFor(task);
  const levels = new Map<string, number>();
  for (const { skill, level } of skills) levels.set(skill, Math.max(level, levels.get(skill) ?? 0));
  const { scope, cacheKey, approval } = task;
  return JSON.stringify([pin, scope?.name, [...levels].sort(), model.settings.guardrails, cacheKey, approval]);
}

function flightOf(model: Model, task: Task): Flight | undefined {
  return model.flights.find(({ leader, followers }) => leader === task || followers.includes(task));
}

export function ledBy(model: Model, task: Task): Flight | undefined {
  return model.flights.find(({ leader }) => leader === task);
}

/** For whose output it waits. */
export function leaderOf(model: Model, task: Task): Task | undefined {
  return model.flights.find(({ followers }) => followers.includes(task))?.leader;
}

/** Whether it waits for the output of another, or for what guardrails say of that. */
export function waitsForOutput(model: Model, task: Task): boolean {
  return model.flights.some(({ followers }) => followers.includes(task)) || model.offers.has(task);
}

/** A ready task of which it is not decided whether it gives the output or waits for it. */
export function isUndecided(model: Model, task: Task): boolean {
  if (task.cacheKey === undefined || task.fellBack || task.attempt !== undefined) return false;
  return ledBy(model, task) === undefined && isNext(model, task) && task.notBefore <= model.timersAt;
}

/** It is to give the output, for all of its flight if that has lost its leader; or for itself alone. */
export function lead(model: Model, task: Task, { alone }: { readonly alone: boolean }): void {
  if (waitsForOutput(model, task)) task.status = "pending";
  const flight = flightOf(model, task);
  if (flight !== undefined && flight.leader === undefined && !alone) {
    flight.followers = flight.followers.filter((other) => other !== task);
    flight.leader = task;
    return;
  }
  leave(model, task);
  model.flights.push({ key: flightKey(model, task), leader: task, followers: [], isOpen: !alone });
}

/** It waits for whoever is under way, or is to give the output itself. */
export function leadOrFollow(model: Model, task: Task): void {
  const key = flightKey(model, task);
  const flight = model.flights.find((one) => one.isOpen && one.key === key);
  if (flight?.leader === undefined) lead(model, task, { alone: false });
  else if (!mayFollow(model, task, flight.leader)) lead(model, task, { alone: true });
  else {
    model.offers.delete(task);
    flight.followers.push(task);
    task.status = "waiting";
  }
}

/** It has ended, or a person holds it. */
export function leave(model: Model, task: Task): void {
  model.offers.delete(task);
  const flight = flightOf(model, task);
  if (flight === undefined) return;
  if (flight.leader === task) flight.leader = undefined;
  flight.followers = flight.followers.filter((other) => other !== task);
  model.flights = model.flights.filter(({ leader, followers }) => leader !== undefined || followers.length > 0);
}

/** Not what has begun something of its own, nor what the leader, or who holds what the leader may need, waits for. */
function mayFollow(model: Model, task: Task, leader: Task): boolean {
  if (task.children.length > 0 || task.manager !== undefined) return false;
  const waiting = [task];
  for (const one of waiting) {
    if (one === leader) return false;
    if (one.attempt?.seated === false) {
      if ([...leader.needs.keys()].some((id) => heldFirmly(one, id) > 0)) return false;
      if (one.budget !== undefined && leader.budget !== undefined) return false;
    }
    const led = ledBy(model, one)?.followers ?? [];
    const more = [
      ...model.tasks.filter(({ unmet }) => unmet.includes(one)),
      ...(one.parent ? [one.parent] : []),
      ...led,
    ];
    for (const other of more) if (!isTerminal(other) && !waiting.includes(other)) waiting.push(other);
  }
  return true;
}

/** Where new subtasks make a task wait for one that follows it, that one goes alone. */
export function partFollowers(model: Model, parent: Task): void {
  for (;;) {
    const circle = circleFrom(model, parent, [], new Set()) ?? [];
    const follower = circle.find((task) => leaderOf(model, task) !== undefined);
    if (follower === undefined) return;
    lead(model, follower, { alone: true });
  }
}

/** Tasks that wait for one another, the first that is met from here. */
function circleFrom(model: Model, task: Task, path: readonly Task[], seen: Set<Task>): readonly Task[] | undefined {
  if (path.includes(task)) return path.slice(path.indexOf(task));
  if (seen.has(task) || isTerminal(task)) return undefined;
  seen.add(task);
  const leader = leaderOf(model, task);
  for (const on of [...task.unmet, ...task.children, ...(leader === undefined ? [] : [leader])]) {
    const circle = circleFrom(model, on, [...path, task], seen);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
