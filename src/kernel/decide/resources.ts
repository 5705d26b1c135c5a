/** Resources, and what running attempts ask for beyond what their task named. */
import { breakerRule } from "../../coordination/circuit-breaker.ts";
import { amountToNumber, atMost, compare, isZero, subtractToZero, ZERO } from "../../coordination/structures/amount.ts";
import { checkAmount, checkId, checkInteger, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import { compareOrder } from "../../coordination/structures/order-key.ts";
import type { Allocation, LiveAttempt, Need } from "../attempt.ts";
import { availableOf } from "../availability.ts";
import type { Answer, Command } from "../commands.ts";
import { limits } from "../limits.ts";
import { needsOf } from "../named.ts";
import { neededOf } from "../reservation.ts";
import { givenFrom } from "../resource.ts";
import type { Resource, State } from "../state.ts";
import { isTerminal, type Task } from "../task.ts";
import { answerAgain } from "./again.ts";
import { stuckWith } from "./deadlock.ts";
import { type Desk, DONE, refused, speaker } from "./desk.ts";
import { checkAmounts, duration } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const KINDS: readonly string[] = ["compute", "memory", "storage", "api_call", "data"];

export function setResource(desk: Desk, command: CommandOf<"resource.set">): Answer {
  checkKeys(command, ["type", "resource", "kind", "capacity", "per", "breaker"], "resource");
  const { kind, per } = command;
  const resource = checkId(command.resource, "resource");
  if (!KINDS.includes(kind)) throw invalid("resource type", kind, `one of ${KINDS.join(", ")}`);
  const capacity = checkAmount(command.capacity, `capacity of ${resource}`, { zero: true });
  if (per !== undefined) checkInteger(per, "per", 1, Number.MAX_SAFE_INTEGER);
  const before = desk.state.resources.get(resource);
  // Another capacity is no reason to trust it again.
  const breaker = (command.breaker === undefined ? before?.breakerPolicy : command.breaker) ?? undefined;
  const rule = breaker === undefined ? undefined : breakerRule(breaker);
  if (before === undefined && desk.state.resources.size >= limits.resources)
    throw refused("QUEUE_FULL", `there is no place for resource ${resource}: ${limits.resources} are the most`, {
      resource,
    });
  if (before !== undefined && (before.rate === undefined) !== (per === undefined)) {
    throw refused(
      "INVALID_ARGUMENT",
      `resource ${resource} ${before.rate === undefined ? "is not a rate and cannot become one" : "is a rate and stays one: give per"}`,
      { resource },
    );
  }
  const same =
    before !== undefined &&
    before.kind === kind &&
    compare(before.capacity, capacity) === 0 &&
    before.rate?.per === per &&
    JSON.stringify(before.breakerRule) === JSON.stringify(rule);
  const set = {
    resource,
    kind,
    capacity: amountToNumber(capacity),
    ...(per === undefined ? {} : { per }),
    ...(breaker === undefined ? {} : { breaker: { ...breaker } }),
  };
  if (!same) desk.emit({ type: "resource.set", v: 1, ...set });
  if (before !== undefined) refuseImpossible(desk, before);
  return DONE;
}

/** Requests of running attempts that the lowered capacity makes impossible end with it. */
function refuseImpossible(desk: Desk, resource: Resource): void {
  const waiting = [...desk.state.requests.values()].sort((a, b) => a.live.token - b.live.token);
  for (const request of waiting) {
    const need = request.needs.find((one) => one.resource === resource);
    if (need === undefined || compare(need.amount, resource.capacity) <= 0) continue;
    const asked = amountToNumber(need.amount);
    const capacity = amountToNumber(resource.capacity);
    desk.emit({
      type: "resource.refused",
      v: 1,
      requestId: request.id,
      error: {
        code: "CAPACITY_EXCEEDED",
        message: `${asked} of ${resource.id} was asked for, whose capacity is ${capacity} now`,
        details: { resource: resource.id, need: asked, capacity },
      },
    });
  }
}

export function request(desk: Desk, command: CommandOf<"attempt.request">): Answer {
  checkKeys(command, ["type", "taskId", "token", "amounts", "wait", "leaseMs"], "request");
  const amounts = checkAmounts(command.amounts, "amounts", { empty: false });
  const leaseMs = command.leaseMs === undefined ? undefined : duration(command.leaseMs, "leaseMs", false);
  const live = speaker(desk.state, command);
  if (live.stopping !== undefined)
    throw refused("CANCELLED", `task ${live.task.id} was told to stop: it gets nothing more`);
  const needs = checkedNeeds(desk.state, amounts);
  const number = desk.state.lastRequestNumber + 1;
  const id = `a${number}`;
  const short = shortOf(desk, live, needs);
  if (short === undefined) {
    desk.emit({
      type: "resource.granted",
      v: 1,
      allocationId: id,
      taskId: live.task.id,
      token: live.token,
      allocationToken: desk.state.lastToken + 1,
      amounts,
      ...(leaseMs === undefined ? {} : { expiresAt: desk.now + leaseMs }),
    });
    return answerAgain(desk.state, command, { ids: [id], type: "resource.granted" });
  }
  if (command.wait !== true) {
    const { resource, need, have, aside, shutMs } = short;
    if (shutMs > 0)
      throw refused(
        "CAPACITY_EXCEEDED",
        `${need} of ${resource} is asked for, whose breaker gives nobody any for ${shutMs} ms; ask with wait, or later`,
        { resource, need, have: 0, shutMs },
      );
    const beside = aside === undefined ? "" : ` beside what is set aside for ${aside}`;
    throw refused(
      "CAPACITY_EXCEEDED",
      `${need} of ${resource} is asked for, ${have} is free now${beside}; ask with wait, or later`,
      { resource, need, have },
    );
  }
  if (live.request !== undefined)
    throw refused("INVALID_STATE", `task ${live.task.id} waits for another request already, ${live.request.id}`);
  if (desk.state.requests.size >= limits.waitingRequests)
    throw refused("QUEUE_FULL", `${limits.waitingRequests} requests wait: that is the most`);
  const stuck = stuckWith(desk.state, live, needs, live.awaiting ?? []);
  if (stuck !== undefined)
    throw refused(
      "WOULD_DEADLOCK",
      `task ${live.task.id} would wait for ever: ${stuck.length === 0 ? "it holds what it asks for itself" : `what it holds is waited for by ${stuck.join(", ")}`}`,
      { waiting: [...stuck] },
    );
  desk.emit({
    type: "resource.requested",
    v: 1,
    requestId: id,
    taskId: live.task.id,
    token: live.token,
    amounts,
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  return { ok: true, ids: [id] };
}

export function release(desk: Desk, command: CommandOf<"attempt.release">): Answer {
  checkId(command.allocationId, "allocation");
  const live = speaker(desk.state, command);
  const allocation = desk.state.allocations.get(command.allocationId);
  if (allocation === undefined || allocation.live !== live) {
    throw refused(
      issued(desk.state, command.allocationId) ? "FENCED" : "UNKNOWN_ALLOCATION",
      `allocation ${command.allocationId} is not held by task ${live.task.id}`,
      { allocationId: command.allocationId },
    );
  }
  if (allocation.token !== command.allocationToken) {
    throw refused("FENCED", `token ${command.allocationToken} of allocation ${allocation.id} is old`, {
      allocationId: allocation.id,
    });
  }
  desk.emit({ type: "resource.released", v: 1, allocationId: allocation.id, why: "released" });
  return DONE;
}

function issued(state: State, id: string): boolean {
  const number = Number(id.slice(1));
  return id.startsWith("a") && Number.isSafeInteger(number) && number > 0 && number <= state.lastRequestNumber;
}

export function leaseDue(desk: Desk, allocation: Allocation): void {
  desk.emit({ type: "resource.released", v: 1, allocationId: allocation.id, why: "expired" });
}

function checkedNeeds(state: State, amounts: Readonly<Record<string, number>>): readonly Need[] {
  for (const id of Object.keys(amounts).sort())
    if (!state.resources.has(id))
      throw refused("UNKNOWN_RESOURCE", `${JSON.stringify(id)} is no resource`, { resource: id });
  const needs = needsOf(state, amounts);
  for (const { resource, amount } of needs) {
    if (compare(amount, resource.capacity) <= 0) continue;
    const { id } = resource;
    const need = amountToNumber(amount);
    const capacity = amountToNumber(resource.capacity);
    const message = `${need} of ${id} is more than its capacity of ${capacity}`;
    throw refused("CAPACITY_EXCEEDED", message, { resource: id, need, capacity });
  }
  return needs;
}

/** What it lacks first. */
interface Short {
  readonly resource: string;
  readonly need: number;
  readonly have: number;
  /** For whom some of it is set aside. */
  readonly aside: string | undefined;
  /** For how long its breaker gives nobody any: milliseconds, 0 when it does. */
  readonly shutMs: number;
}

/**
 * What cannot be had now, without taking what is set aside for an earlier one, or what one of those could be given;
 * undefined: all can.
 */
function shortOf(desk: Desk, live: LiveAttempt, needs: readonly Need[]): Short | undefined {
  desk.indexes.lending.update(desk.now);
  const reservation = desk.scheduler.reservation();
  const key = { rank: desk.indexes.rankOf(live.task), seq: live.task.seq };
  const behind = reservation !== undefined && compareOrder(reservation.wish, key) < 0 ? [reservation.wish] : [];
  const before = [...behind, ...desk.scheduler.servedBefore(key, needs, reservation)];
  for (const { resource, amount } of needs) {
    const shutMs = givenFrom(desk.state, resource, desk.now) - desk.now;
    let free = shutMs > 0 ? ZERO : availableOf(resource, desk.now);
    let aside: string | undefined;
    for (const wish of before) {
      const needed = neededOf(wish, resource);
      if (isZero(needed)) continue;
      free = subtractToZero(free, needed);
      aside ??= wish.task.id;
    }
    if (!atMost(amount, free))
      return { resource: resource.id, need: amountToNumber(amount), have: amountToNumber(free), aside, shutMs };
  }
  return undefined;
}

/** An attempt awaits others: refused where that could never end, as where what they need is what it holds. */
export function awaitTasks(desk: Desk, command: CommandOf<"attempt.await">): Answer {
  const { on } = command;
  if (!Array.isArray(on) || on.length > limits.tasksPerSubmit)
    throw invalid("on", on, `a list of at most ${limits.tasksPerSubmit} tasks' ids`);
  const live = speaker(desk.state, command);
  const { task } = live;
  if (live.stopping !== undefined || task.ending !== undefined)
    throw refused("CANCELLED", `task ${task.id} was told to stop: it awaits nothing more`);
  if (live.awaiting !== undefined) throw refused("INVALID_STATE", `task ${task.id} awaits others already`);
  const open = new Set<Task>();
  for (const id of on) {
    const other = desk.state.tasks.get(id);
    if (other === undefined || other.parent !== task)
      throw refused("UNKNOWN_TASK", `${JSON.stringify(id)} is not a task that ${task.id} submitted`, { taskId: id });
    if (!isTerminal(other.status)) open.add(other);
  }
  if (open.size === 0) return DONE;
  const ids = [...open].map((other) => other.id);
  const stuck = stuckWith(desk.state, live, [], open);
  if (stuck !== undefined)
    throw refused(
      "WOULD_DEADLOCK",
      `task ${task.id} would await ${ids.join(", ")} for ever: what is needed there is held by what waits for it`,
      { taskId: task.id, waiting: [...stuck] },
    );
  desk.emit({ type: "attempt.waiting", v: 1, taskId: task.id, token: live.token, on: ids });
  return { ok: true, ids };
}
