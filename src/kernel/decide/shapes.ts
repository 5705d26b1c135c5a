/** The shapes of what is asked, checked before any name is looked up. */
import { checkMethod } from "../../coordination/decisions/terms.ts";
import { amountToNumber } from "../../coordination/structures/amount.ts";
import {
  checkAmount,
  checkDistinct,
  checkDuration,
  checkId,
  checkInteger,
  checkKeys,
  checkPriority,
  entriesOf,
  invalid,
  nullRecord,
  show,
} from "../../coordination/structures/arguments.ts";
import { checkMoney, textOf } from "../../coordination/structures/money.ts";
import type { RecordOf, SkillRequirement } from "../../coordination/structures/types.ts";
import type { TaskRequest } from "../commands.ts";
import type { ApprovalPolicy } from "../events/approvals.ts";
import type { FallbackPolicy, RetryPolicy, TaskFields } from "../events/tasks.ts";
import { limits } from "../limits.ts";

const TASK_KEYS = [
  "id",
  "name",
  "input",
  "context",
  "skills",
  "agent",
  "priority",
  "load",
  "dependsOn",
  "onDependencyFailure",
  "resources",
  "timeoutMs",
  "deadlineMs",
  "estimatedMs",
  "graceMs",
  "retry",
  "preemptible",
  "budget",
  "cost",
  "fallback",
  "cacheKey",
  "cacheMs",
  "approval",
  "batchKey",
  "batchWaitMs",
];

/** A task's own id: one segment. */
function checkTaskId(id: unknown): string {
  return checkId(id, "task id");
}

/** A global id: segments joined by `/`. */
export function checkGlobalId(id: unknown, what: string): string {
  if (typeof id !== "string" || id.length === 0 || id.length > limits.globalIdLength)
    throw invalid(what, id, `a task's id, up to ${limits.globalIdLength} characters`);
  return id;
}

/** Everything about a task that needs no names; defaults left out. `dependsOn` is as written. */
export function checkTask(request: TaskRequest): TaskFields {
  checkKeys(request, TASK_KEYS, "task");
  const { id, name, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, retry, preemptible } =
    request;
  const fields: { -readonly [K in keyof TaskFields]: TaskFields[K] } = {};
  if (id !== undefined) checkTaskId(id);
  if (name !== undefined) {
    if (typeof name !== "string" || name.length > limits.idLength)
      throw invalid("name", name, `a string of at most ${limits.idLength} characters`);
    fields.name = name;
  }
  if (request.input !== undefined) fields.input = request.input;
  if (request.context !== undefined) fields.context = request.context;
  if (skills !== undefined) {
    const checked = checkRequirements(skills);
    if (checked.length > 0) fields.skills = checked;
  }
  if (agent !== undefined) fields.agent = checkId(agent, "agent");
  if (priority !== undefined) fields.priority = checkPriority(priority);
  if (load !== undefined) {
    const amount = amountToNumber(checkAmount(load, "load", { zero: false }));
    if (amount !== 1) fields.load = amount;
  }
  if (dependsOn !== undefined) {
    if (!Array.isArray(dependsOn) || dependsOn.length > limits.dependenciesPerTask)
      throw invalid("dependsOn", dependsOn, `a list of at most ${limits.dependenciesPerTask} task ids`);
    const ids = dependsOn.map((other: unknown) => checkGlobalId(other, "dependsOn"));
    if (ids.length > 0) fields.dependsOn = [...new Set(ids)];
  }
  if (onDependencyFailure !== undefined) {
    if (onDependencyFailure !== "skip" && onDependencyFailure !== "run")
      throw invalid("onDependencyFailure", onDependencyFailure, '"skip" or "run"');
    if (onDependencyFailure === "run") fields.onDependencyFailure = "run";
  }
  if (resources !== undefined) {
    const amounts = checkAmounts(resources, "resources", { empty: true });
    if (Object.keys(amounts).length > 0) fields.resources = amounts;
  }
  if (request.timeoutMs !== undefined) fields.timeoutMs = duration(request.timeoutMs, "timeoutMs", false);
  if (request.deadlineMs !== undefined) fields.deadlineMs = duration(request.deadlineMs, "deadlineMs", false);
  if (request.estimatedMs !== undefined) fields.estimatedMs = duration(request.estimatedMs, "estimatedMs", true);
  if (request.graceMs !== undefined) fields.graceMs = duration(request.graceMs, "graceMs", true);
  if (retry !== undefined) fields.retry = checkRetry(retry);
  if (preemptible !== undefined) {
    if (typeof preemptible !== "boolean") throw invalid("preemptible", preemptible, "true or false");
    if (!preemptible) fields.preemptible = false;
  }
  if (request.budget !== undefined) fields.budget = checkId(request.budget, "budget");
  if (request.cost !== undefined) {
    const cost = checkMoney(request.cost, "cost");
    if (cost.gt(0)) fields.cost = textOf(cost);
  }
  if (request.fallback !== undefined) fields.fallback = checkFallback(request.fallback);
  if (request.cacheKey !== undefined) fields.cacheKey = checkKey(request.cacheKey, "cacheKey");
  if (request.cacheMs !== undefined) fields.cacheMs = checkCacheMs(request.cacheMs, request.cacheKey);
  if (request.approval !== undefined) fields.approval = checkApproval(request.approval);
  if (request.batchKey !== undefined) fields.batchKey = checkKey(request.batchKey, "batchKey");
  if (request.batchWaitMs !== undefined) {
    if (request.batchKey === undefined)
      throw invalid("batchWaitMs", request.batchWaitMs, "left out where there is no batchKey");
    fields.batchWaitMs = duration(request.batchWaitMs, "batchWaitMs", true);
  }
  return fields;
}

function checkKey(key: unknown, what: string): string {
  if (typeof key !== "string" || key.length === 0 || key.length > limits.keyLength)
    throw invalid(what, key, `a string of 1 to ${limits.keyLength} characters`);
  return key;
}

function checkCacheMs(cacheMs: unknown, key: string | undefined): number {
  if (key === undefined) throw invalid("cacheMs", cacheMs, "left out where there is no cacheKey");
  const ms = duration(cacheMs, "cacheMs", true);
  if (ms > limits.cacheMs) throw invalid("cacheMs", cacheMs, `at most ${limits.cacheMs}`);
  return ms;
}

/** What it says in full: `before` always, `by` where it is a ballot. */
function checkApproval(approval: ApprovalPolicy): ApprovalPolicy {
  checkKeys(approval, ["before", "by", "expiresMs"], "approval");
  const { before = "run", by = "person", expiresMs } = approval;
  if (before !== "run" && before !== "output") throw invalid("before of approval", before, '"run" or "output"');
  return {
    before,
    ...(by === "person" ? {} : { by: checkBallot(by) }),
    ...(expiresMs === undefined ? {} : { expiresMs: duration(expiresMs, "expiresMs", false) }),
  };
}

function checkBallot(by: Exclude<ApprovalPolicy["by"], "person" | undefined>): NonNullable<ApprovalPolicy["by"]> {
  if (typeof by !== "object" || by === null) throw invalid("by of approval", by, '"person" or an object with ballot');
  checkKeys(by, ["ballot", "voters"], "by of approval");
  const { ballot, voters } = by;
  checkMethod(ballot);
  if (voters === undefined) return { ballot };
  if (!Array.isArray(voters) || voters.length === 0 || voters.length > limits.voters)
    throw invalid("voters of approval", voters, `a list of 1 to ${limits.voters} agents' names`);
  const names = voters.map((name: unknown) => checkId(name, "voter of approval"));
  checkDistinct(names, "voters of approval");
  return { ballot, voters: names };
}

/** Whole milliseconds: fractions are rounded up, so that nothing is due before its time. */
export function duration(value: unknown, what: string, zero: boolean): number {
  return Math.ceil(checkDuration(value, what, { zero }));
}

function checkRequirements(skills: unknown): readonly SkillRequirement[] {
  if (!Array.isArray(skills) || skills.length > limits.skillsPerTask)
    throw invalid("skills", skills, `a list of at most ${limits.skillsPerTask} skills`);
  return skills.map((required: unknown): SkillRequirement => {
    if (typeof required === "string") return checkId(required, "skill");
    checkKeys(required, ["skill", "level"], "skill requirement");
    const { skill, level } = required as { skill: unknown; level: unknown };
    const name = checkId(skill, "skill");
    return { skill: name, level: checkLevel(level, name) };
  });
}

export function checkLevel(level: unknown, skill: string): number {
  if (typeof level !== "number" || !(level > 0 && level <= 1))
    throw invalid(`the level of ${show(skill)}`, level, "a number above 0, up to 1");
  return level;
}

/** Amounts by resource, as events hold them. */
export function checkAmounts(
  record: RecordOf<number>,
  what: string,
  options: { readonly empty: boolean },
): Record<string, number> {
  const entries = entriesOf(record, what);
  if (entries.length > limits.resourcesPerTask)
    throw invalid(`the number of ${what}`, entries.length, `at most ${limits.resourcesPerTask}`);
  if (entries.length === 0 && !options.empty) throw invalid(what, record, "at least one resource");
  const amounts = nullRecord<number>();
  for (const [id, value] of entries)
    amounts[id] = amountToNumber(checkAmount(value, `amount of ${id}`, { zero: false }));
  return amounts;
}

function checkFallback(fallback: FallbackPolicy): FallbackPolicy {
  checkKeys(fallback, ["agent", "skills", "value"], "fallback");
  const { agent, skills, value } = fallback;
  if (agent === undefined && skills === undefined && value === undefined)
    throw invalid("fallback", fallback, "an agent, skills or a value, or several of them");
  return {
    ...(agent === undefined ? {} : { agent: checkId(agent, "agent of fallback") }),
    ...(skills === undefined ? {} : { skills: checkRequirements(skills) }),
    ...(value === undefined ? {} : { value }),
  };
}

function checkRetry(retry: RetryPolicy): RetryPolicy {
  checkKeys(retry, ["maxAttempts", "initialMs", "maxMs", "factor", "jitter"], "retry");
  const made: { -readonly [K in keyof RetryPolicy]: RetryPolicy[K] } = {};
  if (retry.maxAttempts !== undefined)
    made.maxAttempts = checkInteger(retry.maxAttempts, "maxAttempts", 1, limits.attemptsPerTask);
  if (retry.initialMs !== undefined) made.initialMs = duration(retry.initialMs, "initialMs", true);
  if (retry.maxMs !== undefined) made.maxMs = duration(retry.maxMs, "maxMs", true);
  if (retry.factor !== undefined) {
    if (typeof retry.factor !== "number" || !(retry.factor >= 1 && retry.factor <= 1_000))
      throw invalid("factor", retry.factor, "a number from 1 to 1000");
    made.factor = retry.factor;
  }
  if (retry.jitter !== undefined) {
    if (typeof retry.jitter !== "boolean") throw invalid("jitter", retry.jitter, "true or false");
    made.jitter = retry.jitter;
  }
  return made;
}
