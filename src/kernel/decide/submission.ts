/** Submitting tasks: by a user, by an attempt's code, or as a manager's plan. All or nothing. */

import { add, amountToNumber, atMost, compare, subtractToZero, ZERO } from "../../coordination/structures/amount.ts";
import { checkKeys, invalid, nullRecord } from "../../coordination/structures/arguments.ts";
import { itemAt } from "../../coordination/structures/at.ts";
import { levelsOf, spentFor } from "../../coordination/structures/budget-book.ts";
import { canonicalJson } from "../../coordination/structures/canonical-json.ts";
import { findCycle, findCycleAmong } from "../../coordination/structures/dependency-graph.ts";
import { sumIn, textOf } from "../../coordination/structures/money.ts";
import type { Json } from "../../coordination/structures/types.ts";
import { SafeguardsError } from "../../errors.ts";
import type { Answer, Command, TaskRequest } from "../commands.ts";
import type { TaskFields, TaskSubmittedEvent } from "../events/tasks.ts";
import { type EndStatus, statusIn } from "../finished-row.ts";
import { limits } from "../limits.ts";
import { amount } from "../named.ts";
import type { Budget, State } from "../state.ts";
import { awaitedBy, childrenOf, isTerminal, runApproversOf, type Task } from "../task.ts";
import { sameIds } from "./again.ts";
import { watchingBreakers } from "./attempts.ts";
import { budgetNamed } from "./budgets.ts";
import { heldFirmly } from "./deadlock.ts";
import { type Desk, isPresent, refused, speaker, taskKnown } from "./desk.ts";
import { end, failFast, judgeRound, skipped } from "./endings.ts";
import { noteRead } from "./messages.ts";
import { checkTask } from "./shapes.ts";
import { partFollowers } from "./sharing.ts";
import { dependencyId, globalIds } from "./task-ids.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Within what a task is submitted. */
interface Place {
  readonly parent: Task | undefined;
  /** The manager whose team may do it. */
  readonly scope: string | undefined;
  readonly round: number | undefined;
}

export function submit(desk: Desk, command: CommandOf<"task.submit">): Answer {
  const { key, from } = command;
  checkKeys(command, ["type", "tasks", "key", "from"], "submit");
  const shapes = checkShapes(command.tasks);
  if (key !== undefined) {
    if (typeof key !== "string" || key.length === 0 || key.length > limits.idLength)
      throw invalid("key", key, `a string of 1 to ${limits.idLength} characters`);
    const made = desk.state.keys.get(key);
    if (made !== undefined) return { ok: true, ids: sameIds(command.tasks, from?.taskId, made.ids) };
  }
  let place: Place = { parent: undefined, scope: undefined, round: undefined };
  if (from !== undefined) {
    const live = speaker(desk.state, from);
    if (live.stopping !== undefined || live.task.ending !== undefined)
      throw refused("CANCELLED", `task ${live.task.id} was told to stop: it submits nothing more`);
    place = {
      parent: live.task,
      scope: live.agent.kind === "manager" ? live.agent.name : live.task.spec.scope,
      round: undefined,
    };
  }
  const prepared = prepare(desk, command.tasks, shapes, place, key);
  submitAll(desk, prepared, place.parent);
  return { ok: true, ids: prepared.ids };
}

export function plan(desk: Desk, command: CommandOf<"attempt.plan">): Answer {
  const live = speaker(desk.state, command);
  const { task } = live;
  if (live.phase === "run")
    throw refused("INVALID_STATE", `${live.agent.name} is not a manager: it has no plan to give`);
  const shapes = checkShapes(command.tasks);
  if (live.stopping !== undefined || task.ending !== undefined)
    throw refused("CANCELLED", `task ${task.id} was told to stop: its plan comes too late`);
  const round = task.round + 1;
  if (round > limits.rounds)
    throw refused("INVALID_ARGUMENT", `task ${task.id} asks for round ${round}; at most ${limits.rounds} are allowed`);
  const prepared = prepare(desk, command.tasks, shapes, { parent: task, scope: live.agent.name, round }, undefined);
  noteRead(desk, live, command.read);
  const count = prepared.events.length;
  watchingBreakers(desk, live, () => {
    desk.emit({ type: "task.planned", v: 1, taskId: task.id, token: live.token, round, count });
  });
  submitAll(desk, prepared, task);
  judgePlan(desk, task, count);
  return { ok: true, ids: prepared.ids };
}

/** A round that is empty has ended as it begins; one of which all is skipped at once was judged by that. */
function judgePlan(desk: Desk, task: Task, count: number): void {
  if (count === 0) judgeRound(desk, task);
  else if ((task.family?.openRound ?? 0) > 0 && task.ending === undefined) failFast(desk, task);
}

/** First all are there; then those end whose dependency is lost already, so that nobody judges an incomplete round. */
function submitAll(desk: Desk, { events, outside }: Prepared, parent: Task | undefined): void {
  for (const event of events) desk.emit(event);
  if (outside && parent !== undefined) partFollowers(desk, parent);
  for (const { taskId, dependsOn, onDependencyFailure } of events) {
    if (dependsOn === undefined || onDependencyFailure === "run") continue;
    const task = desk.state.tasks.get(taskId);
    if (task?.status !== "blocked") continue;
    for (const id of dependsOn) {
      const status = desk.state.tasks.get(id)?.status ?? endedStatus(desk, id);
      if (status === undefined || status === "completed" || !isTerminal(status)) continue;
      const lost = taskKnown(desk, id);
      if (lost !== undefined) end(desk, task, skipped(task, lost));
      break;
    }
  }
}

/** How a task ended that has left the present; undefined: it has not. */
function endedStatus(desk: Desk, id: string): EndStatus | undefined {
  const row = desk.state.finished.row(id) ?? desk.recalled("task", id);
  return row === undefined ? undefined : statusIn(row);
}

function checkShapes(tasks: readonly TaskRequest[]): readonly TaskFields[] {
  if (!Array.isArray(tasks) || tasks.length > limits.tasksPerSubmit)
    throw invalid(
      "tasks",
      Array.isArray(tasks) ? tasks.length : tasks,
      `a list of at most ${limits.tasksPerSubmit} tasks`,
    );
  return tasks.length === 1 ? tasks.map(checkTask) : tasks.map(checkTaskOfMany);
}

/** Its place among them says which is wrong. */
function checkTaskOfMany(task: TaskRequest, index: number): TaskFields {
  try {
    return checkTask(task);
  } catch (error) {
    if (!(error instanceof SafeguardsError)) throw error;
    throw refused(error.code, `tasks[${index}]: ${error.message}`);
  }
}

const NOBODY: ReadonlySet<string> = new Set();

interface Prepared {
  /** Of all tasks asked for, those that exist already among them. */
  readonly ids: readonly string[];
  readonly events: readonly TaskSubmittedEvent[];
  /** Whether any depends on a task that was there before. */
  readonly outside: boolean;
}

function prepare(
  desk: Desk,
  requests: readonly TaskRequest[],
  shapes: readonly TaskFields[],
  place: Place,
  key: string | undefined,
): Prepared {
  const { state } = desk;
  if (place.parent !== undefined) checkDepth(place.parent);
  const ids = globalIds(desk, requests, place);
  // One that stands alone meets nobody.
  const own = ids.length === 1 && shapes[0]?.dependsOn === undefined ? NOBODY : new Set(ids);
  if (own.size > 0 && own.size < ids.length)
    for (const [i, id] of ids.entries())
      if (ids.indexOf(id) < i)
        throw refused("DUPLICATE_ID", `two tasks of this submit have the id ${JSON.stringify(id)}`, { taskId: id });
  /** Of those that have any. */
  let dependencies: Map<string, readonly string[]> | undefined;
  const events: TaskSubmittedEvent[] = [];
  let outside = false;
  for (const [i, id] of ids.entries()) {
    const fields = itemAt(shapes, i);
    const dependsOn = fields.dependsOn?.map((written) => dependencyId(desk, own, place.parent, written, id));
    if (dependsOn !== undefined) {
      dependencies ??= new Map();
      dependencies.set(id, dependsOn);
      outside ||= dependsOn.some((other) => !own.has(other));
    }
    const event = eventFor(desk, id, fields, dependsOn, place, key);
    const existing = requests[i]?.id === undefined ? undefined : taskKnown(desk, id);
    if (existing !== undefined) {
      // The round would go on as if it had never been asked for.
      if (place.round !== undefined)
        throw refused(
          "DUPLICATE_ID",
          `a subtask with the id ${JSON.stringify(id)} exists already; a manager plans each of its subtasks once, over all rounds`,
          { taskId: id },
        );
      if (!sameTask(existing.spec, event))
        throw refused("DUPLICATE_ID", `a task with the id ${JSON.stringify(id)} exists already, and is another`, {
          taskId: id,
        });
      continue;
    }
    checkNames(state, event, place);
    events.push(event);
  }
  const cycle =
    dependencies &&
    (findCycleAmong(dependencies) ??
      (place.parent !== undefined && outside ? cycleThroughParent(state, dependencies, place.parent) : undefined));
  if (cycle !== undefined) {
    throw refused(
      "DEPENDENCY_CYCLE",
      `these tasks would wait for one another for ever: ${[...cycle, cycle[0]].join(" → ")}`,
      { cycle: [...cycle] },
    );
  }
  const { counts } = state;
  const open = counts.blocked + counts.pending + counts.running + counts.waiting + counts.paused;
  if (open + events.length > limits.liveTasks)
    throw refused(
      "QUEUE_FULL",
      `${open} tasks wait or run; ${events.length} more would be over ${limits.liveTasks}, the most that may`,
      { open, limit: limits.liveTasks, more: events.length },
    );
  return { ids, events, outside };
}

function checkDepth(parent: Task): void {
  let depth = 0;
  for (let task: Task | undefined = parent; task !== undefined; task = task.parent) depth += 1;
  if (depth > limits.managerDepth)
    throw refused(
      "INVALID_ARGUMENT",
      `a subtask of ${parent.id} would have ${depth} tasks above it; at most ${limits.managerDepth} are allowed`,
    );
}

/** The cycle that closes because the parent waits for its subtasks. */
function cycleThroughParent(
  state: State,
  added: ReadonlyMap<string, readonly string[]>,
  parent: Task,
): readonly string[] | undefined {
  return findCycle([parent.id], (id) => {
    const own = added.get(id);
    if (own !== undefined) return own;
    const task = state.tasks.get(id);
    if (task === undefined || isTerminal(task.status)) return [];
    const ids = awaitedBy(task).map((dependency) => dependency.id);
    for (const child of childrenOf(task)) if (!isTerminal(child.status)) ids.push(child.id);
    if (task === parent) ids.push(...added.keys());
    return ids;
  });
}

function eventFor(
  desk: Desk,
  id: string,
  fields: TaskFields,
  dependsOn: readonly string[] | undefined,
  place: Place,
  key: string | undefined,
): TaskSubmittedEvent {
  const { parent, scope, round } = place;
  const { dependsOn: written, ...rest } = fields;
  const event: { -readonly [K in keyof TaskSubmittedEvent]: TaskSubmittedEvent[K] } = {
    type: "task.submitted",
    v: 1,
    taskId: id,
    ...rest,
  };
  if (event.skills !== undefined) event.skills = desk.indexes.requirements.listOf(event.skills);
  if (dependsOn !== undefined && written !== undefined) {
    event.dependsOn = dependsOn;
    const archived = archivedAmong(desk, dependsOn);
    if (archived !== undefined) event.archived = archived;
    if (dependsOn.some((other, i) => other !== written[i])) event.dependsOnAs = written;
  }
  let deadlineAt = fields.deadlineMs === undefined ? undefined : desk.now + fields.deadlineMs;
  if (parent !== undefined) {
    event.parentId = parent.id;
    event.priority = Math.max(fields.priority ?? parent.priority, parent.priority);
    const context = merged(parent.spec.context, fields.context);
    if (context !== undefined) event.context = context;
    if (fields.budget === undefined && parent.spec.budget !== undefined) event.budget = parent.spec.budget;
    const above = parent.spec.deadlineAt;
    if (above !== undefined) deadlineAt = Math.min(above, deadlineAt ?? above);
  }
  if (event.priority === 5) delete event.priority;
  if (scope !== undefined) event.scope = scope;
  if (round !== undefined) event.round = round;
  if (deadlineAt !== undefined) event.deadlineAt = deadlineAt;
  if (key !== undefined) event.key = key;
  return event;
}

/** How those of these tasks ended that have left memory: nothing that is in the state tells it when this is replayed. */
function archivedAmong(desk: Desk, ids: readonly string[]): TaskSubmittedEvent["archived"] {
  let statuses: Record<string, EndStatus> | undefined;
  for (const id of ids) {
    if (isPresent(desk.state, id)) continue;
    const row = desk.recalled("task", id);
    if (row === undefined) continue;
    statuses ??= nullRecord();
    statuses[id] = statusIn(row);
  }
  return statuses;
}

/** A subtask's context: its parent's, with its own keys over them. */
function merged(inherited: Json | undefined, own: Json | undefined): Json | undefined {
  if (own === undefined || inherited === undefined) return own ?? inherited;
  if (!isObject(inherited) || !isObject(own)) return own;
  const made: { [key: string]: Json } = {};
  for (const source of [inherited, own]) {
    for (const [name, value] of Object.entries(source))
      Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkNames(state: State, event: TaskSubmittedEvent, place: Place): void {
  const { parent } = place;
  if (event.agent !== undefined) checkPin(state, event.taskId, event.agent, place);
  if (event.fallback?.agent !== undefined) checkPin(state, event.taskId, event.fallback.agent, place);
  checkBudget(state, event, parent);
  if (typeof event.approval?.by === "object") {
    for (const name of event.approval.by.voters ?? []) {
      if (state.agents.get(name)?.votes === true) continue;
      const told = `task ${event.taskId} is to be approved by ${JSON.stringify(name)}, who`;
      const details = { taskId: event.taskId, agent: name };
      throw state.agents.has(name)
        ? refused("INVALID_ARGUMENT", `${told} has no voter`, details)
        : refused("UNKNOWN_AGENT", `${told} was never registered`, details);
    }
  }
  for (const [id, value] of Object.entries(event.resources ?? {})) {
    const resource = state.resources.get(id);
    if (resource === undefined)
      throw refused("UNKNOWN_RESOURCE", `task ${event.taskId} asks for ${JSON.stringify(id)}, which is no resource`, {
        taskId: event.taskId,
        resource: id,
      });
    const asked = amount(value);
    if (compare(asked, resource.capacity) > 0) {
      const capacity = amountToNumber(resource.capacity);
      throw refused(
        "CAPACITY_EXCEEDED",
        `task ${event.taskId} asks for ${value} of ${id}, whose capacity is ${capacity}`,
        { taskId: event.taskId, resource: id, need: value, capacity },
      );
    }
    for (let above = parent; above !== undefined; above = above.parent) {
      if (above.live === undefined || above.live.seated) continue;
      let held = ZERO;
      for (const need of heldFirmly(above.live)) if (need.resource === resource) held = add(held, need.amount);
      if (!atMost(asked, subtractToZero(resource.capacity, held))) {
        throw refused(
          "WOULD_DEADLOCK",
          `task ${event.taskId} asks for ${value} of ${id}, which ${above.id} holds while it waits for it`,
          { taskId: event.taskId, resource: id, holder: above.id },
        );
      }
    }
  }
}

/** It is there, its parent may use it, and has room for what it is thought to cost; no ancestor holds that while it waits. */
function checkBudget(state: State, event: TaskSubmittedEvent, parent: Task | undefined): void {
  const { taskId } = event;
  if (event.budget === undefined) return;
  const budget = budgetNamed(state.budgets, event.budget, `task ${taskId} is to be paid from`);
  const details = { taskId, budget: budget.id };
  const levels = [...levelsOf(budget)];
  const own = parent?.spec.budget;
  if (parent !== undefined && own !== undefined && !levels.some(({ id }) => id === own))
    throw refused(
      "INVALID_ARGUMENT",
      `task ${taskId} is to be paid from ${budget.id}, which is no part of ${own}, which ${parent.id} is paid from`,
      details,
    );
  const cost = sumIn(event.cost ?? "0");
  for (const { id, limit } of levels) {
    if (limit.gte(cost)) continue;
    const [need, most] = [textOf(cost), textOf(limit)];
    throw refused("BUDGET_EXCEEDED", `task ${taskId} costs ${need}; the limit of budget ${id} is ${most}`, {
      ...details,
      budget: id,
      need,
      limit: most,
    });
  }
  for (let above = parent; above !== undefined; above = above.parent) {
    const { live } = above;
    if (live === undefined || live.seated || live.reserved.eq(0)) continue;
    const paying = above.funding?.budget;
    if (paying === undefined) continue;
    const shared = new Set(levelsOf(paying));
    const isHeld = (level: Budget): boolean =>
      shared.has(level) && level.limit.minus(level.spent).minus(live.reserved).lt(cost);
    // What is spent already it lacks whoever waits: then it fails.
    if (spentFor(budget, cost) !== undefined || !levels.some(isHeld)) continue;
    throw refused(
      "WOULD_DEADLOCK",
      `task ${taskId} costs ${textOf(cost)} of ${budget.id}, which is set aside for ${above.id} while it waits for it`,
      { ...details, holder: above.id },
    );
  }
}

function checkPin(state: State, taskId: string, agent: string, { scope, parent }: Place): void {
  if (!state.agents.has(agent))
    throw refused(
      "UNKNOWN_AGENT",
      `task ${taskId} names the agent ${JSON.stringify(agent)}, which was never registered`,
      { taskId, agent },
    );
  if (scope !== undefined && state.agents.get(scope)?.teamSet.has(agent) !== true) {
    throw refused(
      "INVALID_ARGUMENT",
      `task ${taskId} names the agent ${JSON.stringify(agent)}, which is not on the team of ${scope}`,
      { taskId, agent },
    );
  }
  for (let above = parent; above !== undefined; above = above.parent) {
    if (!runApproversOf(above).includes(agent)) continue;
    throw refused(
      "INVALID_ARGUMENT",
      `task ${taskId} names the agent ${JSON.stringify(agent)}, which approved ${above.id}, of which it is a part`,
      { taskId, agent },
    );
  }
}

/** The same request again? Compared as data, without what the log adds. */
function sameTask(existing: TaskSubmittedEvent, asked: TaskSubmittedEvent): boolean {
  const plain = (event: TaskSubmittedEvent): string => {
    const {
      name,
      input,
      context,
      skills,
      agent,
      load,
      dependsOn,
      onDependencyFailure,
      resources,
      timeoutMs,
      deadlineMs,
      estimatedMs,
      graceMs,
      retry,
      preemptible,
      budget,
      cost,
      fallback,
      cacheKey,
      cacheMs,
      approval,
      batchKey,
      batchWaitMs,
      parentId,
    } = event;
    const priority = parentId === undefined ? event.priority : undefined;
    return canonicalJson({
      name,
      input,
      context,
      skills,
      agent,
      load,
      dependsOn,
      onDependencyFailure,
      resources,
      timeoutMs,
      deadlineMs,
      estimatedMs,
      graceMs,
      retry,
      preemptible,
      budget,
      cost,
      fallback,
      cacheKey,
      cacheMs,
      approval,
      batchKey,
      batchWaitMs,
      parentId,
      priority,
    });
  };
  return plain(existing) === plain(asked);
}
