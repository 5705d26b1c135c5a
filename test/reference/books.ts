/** The books of the reference: nothing here is kept, all of it is added up. */

import type { Agent, Amounts, Attempt, Model, Resource, Seat, Task } from "./model.ts";

/** Seats that would be taken without these, on this agent or anywhere: who was given to an agent together is on one. */
function seats(model: Model, gone: readonly Task[], agent?: Agent): readonly Seat[] {
  const seated = model
    .live()
    .filter(
      ({ task, attempt }) => attempt.seated && !gone.includes(task) && attempt.agent === (agent ?? attempt.agent),
    );
  return [...new Set(seated.map(({ attempt }) => attempt.seat))];
}

export function slotsUsed(model: Model, gone: readonly Task[] = []): number {
  return seats(model, gone).length;
}

export function loadOf(model: Model, agent: Agent, gone: readonly Task[] = []): number {
  return seats(model, gone, agent).reduce((sum, { load }) => sum + load, 0);
}

/** Whether another would be on its seat without it. */
export function sharesSeat(model: Model, attempt: Attempt): boolean {
  return model.live().some(({ attempt: other }) => other !== attempt && other.seated && other.seat === attempt.seat);
}

export function utilization(load: number, capacity: number): number {
  return capacity > 0 ? load / capacity : load === 0 ? 0 : Number.POSITIVE_INFINITY;
}

/** What an attempt holds of a resource: what its task needs, and what it asked for besides. */
export function heldBy(task: Task, attempt: Attempt, resource: Resource): number {
  if (resource.rate) return 0;
  let held = task.needs.get(resource.id) ?? 0;
  for (const allocation of attempt.allocations) held += allocation.amounts.get(resource.id) ?? 0;
  return held;
}

export function allocated(model: Model, resource: Resource): number {
  let sum = 0;
  for (const { task, attempt } of model.live()) sum += heldBy(task, attempt, resource);
  for (const { amounts } of model.kept) sum += amounts.get(resource.id) ?? 0;
  return sum;
}

/** Tokens of a rate, times `per`. */
function levelAt(resource: Resource, now: number): bigint {
  const full = BigInt(resource.capacity) * BigInt(resource.per);
  const level = resource.level + BigInt(resource.capacity) * BigInt(now - resource.levelAt);
  return level > full ? full : level;
}

/** Books the level as it is now: before it, or the capacity, changes. */
export function settleRate(resource: Resource, now: number): void {
  if (!resource.rate) return;
  resource.level = levelAt(resource, now);
  resource.levelAt = now;
}

/** What is free, whoever it is set aside for; below 0 when a capacity was lowered. */
export function free(model: Model, resource: Resource): number {
  if (resource.rate) return Number(levelAt(resource, model.now) / BigInt(resource.per));
  return resource.capacity - allocated(model, resource);
}

export function spendRates(model: Model, amounts: Amounts): void {
  for (const [id, amount] of amounts) {
    const resource = model.resource(id);
    if (resource?.rate !== true) continue;
    settleRate(resource, model.now);
    resource.level -= BigInt(amount) * BigInt(resource.per);
  }
}

/** What it holds until it ends or gives it back itself; what it has for a time comes back by itself. */
export function heldFirmly(task: Task, id: string): number {
  if (task.attempt === undefined) return 0;
  let held = task.needs.get(id) ?? 0;
  for (const { amounts, expiresAt } of task.attempt.allocations)
    if (expiresAt === undefined) held += amounts.get(id) ?? 0;
  return held;
}
