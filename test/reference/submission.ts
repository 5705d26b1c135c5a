/** How tasks come in: all of one call, or none. */

import type { RecordOf, SkillRequirement } from "../../src/coordination/structures/types.ts";
import type { ErrorCode } from "../../src/errors.ts";
import type { TaskRequest } from "../../src/kernel/commands.ts";
import { heldFirmly } from "./books.ts";
import { partFollowers } from "./flights.ts";
import { finish } from "./life.ts";
import { BILLION, type Budget, type Fallback, isTerminal, type Model, type Task, type Wanted } from "./model.ts";
import { cents, isBeyondReach, levels } from "./money.ts";
import { approversOf } from "./wishes.ts";

export function nano(amount: number): number {
  return Math.round(amount * BILLION);
}

export function entries<V>(record: RecordOf<V>): (readonly [string, V])[] {
  return record instanceof Map ? [...record] : Object.entries(record);
}

/** Why nothing came of it, or the ids of what did. */
export type Submitted = { readonly code: ErrorCode } | { readonly ids: readonly string[] };

export interface Origin {
  readonly parent: Task;
  /** Of a plan; undefined: submitted by code. */
  readonly round: number | undefined;
}

export function submit(model: Model, requests: readonly TaskRequest[], origin?: Origin): Submitted {
  const ids = nameAll(model, requests, origin);
  if (new Set(ids).size < ids.length) return { code: "DUPLICATE_ID" };
  let namesOthers = false;
  const made: Task[] = [];
  const later: (() => void)[] = [];
  const find = (id: string): Task | undefined => made.find((task) => task.id === id) ?? model.task(id);
  for (const [i, request] of requests.entries()) {
    const id = ids[i] ?? "";
    const names = (request.dependsOn ?? []).map((name) => {
      const siblings =
        origin === undefined ? [] : [ownName(origin.parent, name), name].map((local) => `${origin.parent.id}/${local}`);
      return siblings.find((sibling) => ids.includes(sibling) || model.task(sibling) !== undefined) ?? name;
    });
    if (names.some((name) => !ids.includes(name) && model.task(name) === undefined)) return { code: "UNKNOWN_TASK" };
    namesOthers ||= names.some((name) => !ids.includes(name));
    const known = model.task(id);
    if (known !== undefined) {
      if (origin?.round === undefined && known.asked === JSON.stringify(request)) continue;
      return { code: "DUPLICATE_ID" };
    }
    const refusal = refuse(model, request, origin);
    if (refusal !== undefined) return { code: refusal };
    const task = make(model, id, request, origin, made.length);
    made.push(task);
    later.push(() => {
      task.dependsOn = [...new Set(names)].flatMap((name) => find(name) ?? []);
    });
  }
  for (const act of later) act();
  const cyclic = made.some((task) => leadsTo(task, task, made, origin?.parent));
  if (cyclic) return { code: "DEPENDENCY_CYCLE" };
  model.tasks.push(...made);
  for (const task of made) {
    task.parent?.children.push(task);
    task.unmet = unmetOf(task);
    task.status = task.unmet.length > 0 ? "blocked" : "pending";
  }
  if (origin !== undefined && namesOthers) partFollowers(model, origin.parent);
  for (const task of made) if (!isTerminal(task) && task.unmet.some(isTerminal)) finish(model, task, "skipped");
  for (const id of ids) if (/^t[1-9]\d*$/.test(id)) model.ids = Math.max(model.ids, Number(id.slice(1)));
  return { ids };
}

/** Those of its dependencies that have not ended as it needs them to. */
export function unmetOf({ dependsOn, runsAnyway }: Task): Task[] {
  return dependsOn.filter((on) => on.status !== "completed" && !(runsAnyway && isTerminal(on)));
}

export function isMalformedTask({ id = "a", load = 1, resources = {}, cost = 0 }: TaskRequest): boolean {
  return id.includes("/") || load <= 0 || cents(cost) < 0 || areMalformed(resources, true);
}

export function areMalformed(amounts: RecordOf<number>, mayBeNone: boolean): boolean {
  const all = entries(amounts);
  return all.some(([, amount]) => amount <= 0) || (all.length === 0 && !mayBeNone);
}

/** Global ids: local ones joined to the parent's; counted where none is given, those taken left out. */
function nameAll(model: Model, requests: readonly TaskRequest[], origin: Origin | undefined): readonly string[] {
  const global = (local: string): string => (origin === undefined ? local : `${origin.parent.id}/${local}`);
  let next =
    origin === undefined ? model.ids : origin.parent.children.filter(({ round }) => round !== undefined).length - 1;
  return requests.map(({ id }) => {
    if (id !== undefined) {
      if (origin !== undefined) next += 1;
      return global(origin?.round === undefined ? id : ownName(origin.parent, id));
    }
    for (;;) {
      next += 1;
      const local = origin === undefined ? `t${next}` : `${next}`;
      if (!requests.some((other) => other.id === local) && model.task(global(local)) === undefined)
        return global(local);
    }
  });
}

/** With a number behind it that is new, where subtasks of the name are from a plan that does not count any more, or from none. */
function ownName({ id, since, children }: Task, written: string): string {
  const isTheirs = (local: string) =>
    since > 0 && children.some((child) => child.id === `${id}/${local}` && (child.round ?? 0) <= since);
  for (let number = 1; ; number++) {
    const local = number === 1 ? written : `${written}~${number}`;
    if (!isTheirs(local)) return local;
  }
}

/** Whether one has to end before the other can, in the end: by what it depends on, or as part of it. */
function leadsTo(
  from: Task,
  to: Task,
  made: readonly Task[],
  parent: Task | undefined,
  seen: Set<Task> = new Set(),
): boolean {
  const waitsFor = isTerminal(from)
    ? []
    : [...(made.includes(from) ? from.dependsOn : from.unmet), ...from.children, ...(from === parent ? made : [])];
  return waitsFor.some((task) => {
    if (task === to) return true;
    if (seen.has(task)) return false;
    seen.add(task);
    return leadsTo(task, to, made, parent, seen);
  });
}

function refuse(model: Model, request: TaskRequest, origin: Origin | undefined): ErrorCode | undefined {
  for (const pin of [request.agent, request.fallback?.agent]) {
    if (pin === undefined) continue;
    if (model.agent(pin) === undefined) return "UNKNOWN_AGENT";
    const scope = scopeOf(origin);
    if (scope !== undefined && !scope.team.includes(pin)) return "INVALID_ARGUMENT";
    if (origin !== undefined && approversOf(origin.parent).includes(pin)) return "INVALID_ARGUMENT";
  }
  const unpaid = refusePayment(model, request, origin?.parent);
  if (unpaid !== undefined) return unpaid;
  const { by } = request.approval ?? {};
  for (const name of (typeof by === "object" ? by.voters : undefined) ?? []) {
    const agent = model.agent(name);
    if (agent?.votes !== true) return agent === undefined ? "UNKNOWN_AGENT" : "INVALID_ARGUMENT";
  }
  for (const [id, amount] of entries(request.resources ?? {})) {
    const resource = model.resource(id);
    if (resource === undefined) return "UNKNOWN_RESOURCE";
    if (nano(amount) > resource.capacity) return "CAPACITY_EXCEEDED";
    // What an ancestor holds while it waits for this could never be had.
    for (let above = origin?.parent; above !== undefined; above = above.parent)
      if (above.attempt?.seated === false && resource.capacity - heldFirmly(above, id) < nano(amount))
        return "WOULD_DEADLOCK";
  }
  return undefined;
}

/** A budget must be there, a part of its parent's if that has one, and large enough; who waits for it must not keep the money for itself. */
function refusePayment(model: Model, request: TaskRequest, parent: Task | undefined): ErrorCode | undefined {
  if (request.budget !== undefined && model.budget(request.budget) === undefined) return "UNKNOWN_BUDGET";
  const budget = budgetOf(model, request, parent);
  if (budget === undefined) return undefined;
  if (parent?.budget !== undefined && !levels(budget).includes(parent.budget)) return "INVALID_ARGUMENT";
  const cost = cents(request.cost ?? 0);
  if (levels(budget).some(({ limit }) => limit < cost)) return "BUDGET_EXCEEDED";
  // What an ancestor has set aside while it waits for this could never be had. What is spent already is no matter of waiting.
  for (let above = parent; above !== undefined && !isBeyondReach({ budget, cost }); above = above.parent) {
    const { attempt } = above;
    if (attempt === undefined || attempt.seated || attempt.reserved === 0) continue;
    const both = levels(budget).filter((level) => levels(above?.budget).includes(level));
    if (both.some(({ limit, spent }) => limit - spent - attempt.reserved < cost)) return "WOULD_DEADLOCK";
  }
  return undefined;
}

/** Its own, or its parent's. */
function budgetOf(model: Model, request: TaskRequest, parent: Task | undefined): Budget | undefined {
  return request.budget === undefined ? parent?.budget : model.budget(request.budget);
}

/** Whose team may do it: the manager's that asks for it, or that of the task whose code does. */
function scopeOf(origin: Origin | undefined): Task["scope"] {
  if (origin === undefined) return undefined;
  const { attempt, scope } = origin.parent;
  return attempt?.agent.manager ? attempt.agent : scope;
}

function wanted({ agent, skills = [] }: Pick<TaskRequest, "agent" | "skills">): Wanted {
  const leveled = (need: SkillRequirement): Wanted["skills"][number] =>
    typeof need === "string" ? { skill: need, level: 0 } : need;
  return { pin: agent, skills: skills.map(leveled) };
}

function fallbackOf(asked: TaskRequest["fallback"]): Fallback | undefined {
  if (asked === undefined) return undefined;
  const others = asked.agent === undefined && asked.skills === undefined ? undefined : wanted(asked);
  return { others, hasValue: asked.value !== undefined };
}

function approvalOf(asked: TaskRequest["approval"]): Task["approval"] {
  if (asked === undefined) return undefined;
  const { before = "run", expiresMs = Number.POSITIVE_INFINITY, by } = asked;
  const ballot = typeof by === "object" ? { method: by.ballot, voters: by.voters } : undefined;
  return { before, expiresMs, ballot };
}

function make(model: Model, id: string, request: TaskRequest, origin: Origin | undefined, behind: number): Task {
  const { parent } = origin ?? {};
  const own = request.deadlineMs === undefined ? undefined : model.now + request.deadlineMs;
  const deadlines = [own, parent?.deadlineAt].filter((at) => at !== undefined);
  const priority =
    parent === undefined ? (request.priority ?? 5) : Math.max(request.priority ?? parent.priority, parent.priority);
  return {
    id,
    asked: JSON.stringify(request),
    arrival: model.tasks.length + behind,
    arrivedAt: model.openMs,
    parent,
    round: origin?.round,
    scope: scopeOf(origin),
    meantFor: wanted(request),
    fallback: fallbackOf(request.fallback),
    load: nano(request.load ?? 1),
    needs: new Map(entries(request.resources ?? {}).map(([resource, amount]) => [resource, nano(amount)])),
    budget: budgetOf(model, request, parent),
    cost: cents(request.cost ?? 0),
    runsAnyway: request.onDependencyFailure === "run",
    timeoutMs: request.timeoutMs,
    deadlineAt: deadlines.length === 0 ? undefined : Math.min(...deadlines),
    estimatedMs: request.estimatedMs,
    graceMs: request.graceMs ?? 5_000,
    maxAttempts: request.retry?.maxAttempts ?? 3,
    initialMs: request.retry?.initialMs ?? 1_000,
    maxMs: request.retry?.maxMs ?? 60_000,
    factor: request.retry?.factor ?? 2,
    preemptible: request.preemptible ?? true,
    priority,
    status: "pending",
    accepted: false,
    approval: approvalOf(request.approval),
    approved: false,
    approvedBy: [],
    ballot: undefined,
    given: "own",
    givenBy: [],
    cacheKey: request.cacheKey,
    cacheMs: request.cacheMs ?? 3_600_000,
    batchKey: request.batchKey,
    batchWaitMs: request.batchWaitMs ?? 0,
    askedUntil: undefined,
    held: false,
    dependsOn: [],
    unmet: [],
    children: [],
    manager: undefined,
    rounds: 0,
    fellBack: false,
    since: 0,
    attempt: undefined,
    ended: [],
    paid: 0,
    preemptions: 0,
    losses: 0,
    spent: 0,
    avoid: [],
    notBefore: 0,
    readyAt: model.openMs,
    ending: undefined,
    instead: undefined,
    promise: undefined,
  };
}
