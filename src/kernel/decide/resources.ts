/** Resources, and what running attempts ask for beyond what their task named. */
import {
  amountOf,
  amountToNumber,
  atMost,
  compare,
  subtractToZero,
  ZERO,
} from "../../coordination/structures/amount.ts";
import { checkAmount, checkId, checkInteger, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import { compareOrder } from "../../coordination/structures/order-key.ts";
import { availableOf } from "../availability.ts";
import type { Answer, Command } from "../commands.ts";
import { limits } from "../limits.ts";
import { reservedOf } from "../reservation.ts";
import {
  type ExtraAllocation,
  isTerminal,
  type LiveAttempt,
  type Need,
  type Resource,
  type State,
  type Task,
} from "../state.ts";
import { answerAgain } from "./again.ts";
import { stuckWith } from "./deadlock.ts";
import { type Desk, DONE, refused, speaker } from "./desk.ts";
import { checkAmounts, duration } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const KINDS: readonly string[] = ["compute", "memory", "storage", "api_call", "data"];

export function setResource(desk: Desk, command: CommandOf<"resource.set">): Answer {
  checkKeys(command, ["type", "resource", "kind", "capacity", "per"], "resource");
  const { kind, per } = command;
  const resource = checkId(command.resource, "resource");
  if (!KINDS.includes(kind)) throw invalid("resource type", kind, KINDS.join(", "));
  const capacity = amountToNumber(checkAmount(command.capacity, `capacity of ${resource}`, { zero: true }));
  if (per !== undefined) checkInteger(per, "per", 1, Number.MAX_SAFE_INTEGER);
  const before = desk.state.resources.get(resource);
  if (before === undefined && desk.state.resources.size >= limits.resources)
    throw refused("QUEUE_FULL", `${limits.resources} resources exist: that is the most`);
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
    compare(before.capacity, amountOf(capacity) ?? ZERO) === 0 &&
    before.rate?.per === per;
  if (!same) desk.emit({ type: "resource.set", v: 1, resource, kind, capacity, ...(per === undefined ? {} : { per }) });
  if (before !== undefined) refuseImpossible(desk, before);
  return DONE;
}

/** Requests of running attempts that the lowered capacity makes impossible end with it. */
function refuseImpossible(desk: Desk, resource: Resource): void {
  const waiting = [...desk.state.requests.values()].sort((a, b) => a.live.token - b.live.token);
  for (const request of waiting) {
    if (!request.needs.some((need) => need.resource === resource && compare(need.amount, resource.capacity) > 0))
      continue;
    desk.emit({
      type: "resource.refused",
      v: 1,
      requestId: request.id,
      error: {
        code: "CAPACITY_EXCEEDED",
        message: `the capacity of ${resource.id} is now less than what was asked for`,
        details: { resource: resource.id },
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
  const needs = needsOf(desk.state, amounts);
  const number = desk.state.lastRequestNumber + 1;
  const id = `a${number}`;
  if (fits(desk, live, needs)) {
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
    const short = needs.find((need) => !atMost(need.amount, availableOf(need.resource, desk.now))) ?? needs[0];
    throw refused("CAPACITY_EXCEEDED", `${short?.resource.id} has not so much free now; ask with wait, or later`, {
      resource: short?.resource.id ?? "",
      need: amountToNumber(short?.amount ?? ZERO),
      have: short === undefined ? 0 : amountToNumber(availableOf(short.resource, desk.now)),
    });
  }
  if (live.request !== undefined)
    throw refused("INVALID_STATE", `task ${live.task.id} waits for another request already`);
  if (desk.state.requests.size >= limits.waitingRequests)
    throw refused("QUEUE_FULL", `${limits.waitingRequests} requests wait: that is the most`);
  const stuck = stuckWith(desk.state, live, needs, live.awaiting ?? []);
  if (stuck !== undefined)
    throw refused(
      "WOULD_DEADLOCK",
      `task ${live.task.id} would wait for ever: ${stuck.length === 0 ? "it holds what it asks for itself" : `${stuck.join(", ")} wait for what it holds`}`,
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

export function leaseDue(desk: Desk, allocation: ExtraAllocation): void {
  if (desk.state.allocations.get(allocation.id) === allocation)
    desk.emit({ type: "resource.released", v: 1, allocationId: allocation.id, why: "expired" });
}

function needsOf(state: State, amounts: Readonly<Record<string, number>>): readonly Need[] {
  return Object.keys(amounts)
    .sort()
    .map((id) => {
      const resource = state.resources.get(id);
      if (resource === undefined)
        throw refused("UNKNOWN_RESOURCE", `${JSON.stringify(id)} is no resource`, { resource: id });
      const amount = amountOf(amounts[id] ?? 0) ?? ZERO;
      if (compare(amount, resource.capacity) > 0) {
        throw refused(
          "CAPACITY_EXCEEDED",
          `${amounts[id]} of ${id} is more than its capacity of ${amountToNumber(resource.capacity)}`,
          { resource: id, need: amounts[id] ?? 0, capacity: amountToNumber(resource.capacity) },
        );
      }
      return { resource, amount };
    });
}

/** Whether it can be had now, without taking what is set aside for an earlier one. */
function fits(desk: Desk, live: LiveAttempt, needs: readonly Need[]): boolean {
  desk.indexes.lending.update(desk.now);
  const reservation = desk.scheduler.reservation();
  const key = { rank: desk.indexes.rankOf(live.task), seq: live.task.seq };
  const behind = reservation !== undefined && compareOrder(reservation.wish, key) < 0 ? reservation : undefined;
  return needs.every(({ resource, amount }) => {
    const free = availableOf(resource, desk.now);
    return atMost(amount, behind === undefined ? free : subtractToZero(free, reservedOf(behind, resource)));
  });
}

/** An attempt awaits others: refused where that could never end, as where what they need is what it holds. */
export function awaitTasks(desk: Desk, command: CommandOf<"attempt.await">): Answer {
  const { on } = command;
  if (!Array.isArray(on) || on.length > limits.tasksPerSubmit)
    throw invalid("on", on, `a list of at most ${limits.tasksPerSubmit} tasks' ids`);
  const live = speaker(desk.state, command);
  const { task } = live;
  if (live.stopping !== undefined || task.ending !== undefined)
    throw refused("CANCELLED", `task ${task.id} was told to stop`);
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
