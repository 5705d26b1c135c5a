/** Resources, and what running attempts ask for beyond what their task named. */
import {
  type Amount,
  add,
  amountOf,
  amountToNumber,
  atMost,
  compare,
  subtractToZero,
  ZERO,
} from "../../coordination/structures/amount.ts";
import { checkAmount, checkId, checkInteger, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import { availableOf } from "../availability.ts";
import type { Answer, Command } from "../commands.ts";
import { limits } from "../limits.ts";
import type { ExtraAllocation, LiveAttempt, Need, Resource, State } from "../state.ts";
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
    const token = desk.state.lastToken + 1;
    const expiresAt = leaseMs === undefined ? undefined : desk.now + leaseMs;
    desk.emit({
      type: "resource.granted",
      v: 1,
      allocationId: id,
      taskId: live.task.id,
      token: live.token,
      allocationToken: token,
      amounts,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    return {
      ok: true,
      ids: [id],
      allocation: { id, token, holder: live.task.id, amounts, ...(expiresAt === undefined ? {} : { expiresAt }) },
    };
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
  const blockers = wouldNeverEnd(desk.state, live, needs);
  if (blockers !== undefined)
    throw refused(
      "WOULD_DEADLOCK",
      `task ${live.task.id} would wait for ever: ${blockers.join(", ")} wait for what it holds`,
      { waiting: [...blockers] },
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
  const live = speaker(desk.state, command);
  const allocation = desk.state.allocations.get(command.allocationId);
  if (allocation === undefined || allocation.live !== live) {
    throw refused(
      issued(desk.state, command.allocationId) ? "FENCED" : "UNKNOWN_ALLOCATION",
      `allocation ${command.allocationId} is not held by task ${live.task.id}`,
      { allocationId: command.allocationId },
    );
  }
  const expired = allocation.expiresAt !== undefined && allocation.expiresAt <= desk.now;
  if (expired || allocation.token !== command.allocationToken) {
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
  const reservation = desk.scheduler.reservation();
  const key = { rank: desk.indexes.rankOf(live.task), seq: live.task.seq };
  const behind =
    reservation !== undefined &&
    (reservation.wish.rank < key.rank || (reservation.wish.rank === key.rank && reservation.wish.seq < key.seq))
      ? reservation
      : undefined;
  return needs.every(({ resource, amount }) => {
    let free = availableOf(resource, desk.now);
    for (const need of behind?.wish.needs ?? [])
      if (need.resource === resource) free = subtractToZero(free, need.amount);
    return atMost(amount, free);
  });
}

/** One that waits while it holds something. */
interface Waiter {
  readonly live: LiveAttempt;
  readonly needs: readonly Need[];
}

/**
 * Who is stuck with it, if waiting could never end: everybody that does not wait is assumed to give back what it holds; then
 * whoever could be served is, and gives back too, until nobody more can be (reduction of the wait-for graph: R. C. Holt,
 * "Some Deadlock Properties of Computer Systems", ACM Computing Surveys 4(3), 1972).
 */
function wouldNeverEnd(state: State, asking: LiveAttempt, needs: readonly Need[]): readonly string[] | undefined {
  const own: Waiter = { live: asking, needs };
  let stuck: Waiter[] = [own];
  for (const request of state.requests.values()) stuck.push({ live: request.live, needs: request.needs });
  for (const live of state.live.values()) {
    if (live.awaiting === undefined || live.awaiting.size === 0) continue;
    stuck.push({ live, needs: [...live.awaiting].flatMap((task) => (task.live === undefined ? task.needs : [])) });
  }
  for (;;) {
    const held = heldBy(stuck);
    const left = stuck.filter(({ needs: wanted }) =>
      wanted.some(
        ({ resource, amount }) =>
          resource.rate === undefined && !atMost(amount, subtractToZero(resource.capacity, held.get(resource) ?? ZERO)),
      ),
    );
    if (!left.includes(own)) return undefined;
    if (left.length === stuck.length)
      return left.filter((waiter) => waiter !== own).map((waiter) => waiter.live.task.id);
    stuck = left;
  }
}

function heldBy(waiters: readonly Waiter[]): ReadonlyMap<Resource, Amount> {
  const held = new Map<Resource, Amount>();
  const hold = ({ resource, amount }: Need): void => void held.set(resource, add(held.get(resource) ?? ZERO, amount));
  for (const { live } of waiters) {
    live.task.needs.forEach(hold);
    for (const allocation of live.extra?.values() ?? []) allocation.needs.forEach(hold);
  }
  return held;
}

/** An attempt awaits others: refused where what they need is what it holds. */
export function awaitTasks(desk: Desk, command: CommandOf<"attempt.await">): Answer {
  const live = speaker(desk.state, command);
  const { task } = live;
  if (live.stopping !== undefined || task.ending !== undefined)
    throw refused("CANCELLED", `task ${task.id} was told to stop`);
  if (live.awaiting !== undefined) throw refused("INVALID_STATE", `task ${task.id} awaits others already`);
  const open: string[] = [];
  for (const id of command.on) {
    const other = desk.state.tasks.get(id);
    if (other === undefined || other.parent !== task)
      throw refused("UNKNOWN_TASK", `${JSON.stringify(id)} is not a task that ${task.id} submitted`, { taskId: id });
    if (other.endedAt !== undefined) continue;
    open.push(id);
    for (const { resource, amount } of other.needs) {
      const held = heldBy([{ live, needs: [] }]).get(resource) ?? ZERO;
      if (other.live === undefined && !atMost(amount, subtractToZero(resource.capacity, held))) {
        throw refused(
          "WOULD_DEADLOCK",
          `task ${id} asks for more of ${resource.id} than is left beside what ${task.id} holds while it waits for it`,
          { taskId: id, resource: resource.id },
        );
      }
    }
  }
  if (open.length > 0) desk.emit({ type: "attempt.waiting", v: 1, taskId: task.id, token: live.token, on: open });
  return { ok: true, ids: open };
}
