/** A task as the caller describes it, taken in: shapes that the kernel cannot see are checked, and all of it is copied. */
import { checkKeys, entriesOf, invalid, nullRecord } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import type { TaskRequest } from "../kernel/commands.ts";
import type { FallbackPolicy, RetryPolicy } from "../kernel/events/tasks.ts";
import { limits } from "../kernel/limits.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import { checkOptions } from "./options.ts";
import type { TaskSpec } from "./task.ts";

const KEYS = {
  known: [
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
    "fallback",
    "cacheKey",
    "cacheMs",
    "budget",
    "cost",
    "approval",
    "batchKey",
    "batchWaitMs",
  ],
};

const FALLBACK_KEYS = ["agent", "skills", "value"];
const RETRY_KEYS = ["maxAttempts", "initialMs", "maxMs", "factor", "jitter"];

/** A task on its way to the kernel, and about how many bytes it takes. */
export interface TakenIn {
  readonly request: TaskRequest;
  readonly bytes: number;
}

/** All tasks of one call; `what` names the list in refusals. */
export function takeInAll(specs: unknown, what: string): { readonly requests: TaskRequest[]; readonly bytes: number } {
  if (!Array.isArray(specs)) throw invalid(what, specs, "a list of tasks");
  if (specs.length > limits.tasksPerSubmit) {
    throw invalid(`the length of ${what}`, specs.length, `at most ${limits.tasksPerSubmit}`);
  }
  const requests: TaskRequest[] = [];
  let bytes = 0;
  for (const [index, spec] of specs.entries()) {
    const taken = takeIn(spec, `${what}[${index}]`);
    requests.push(taken.request);
    bytes += taken.bytes;
  }
  return { requests, bytes };
}

/** One task. INVALID_ARGUMENT for keys that are unknown or not there yet, and for what is not JSON where JSON must be. */
export function takeIn(spec: TaskSpec, what = "a task"): TakenIn {
  try {
    return copied(spec, what);
  } catch (error) {
    if (isSafeguardsError(error)) throw error;
    throw new SafeguardsError("INVALID_ARGUMENT", `${what} could not be read: it threw`, { cause: error });
  }
}

function copied(spec: TaskSpec, what: string): TakenIn {
  checkOptions(spec, KEYS, what);
  let bytes = 64;
  const request: Writable<TaskRequest> = {};
  if (spec.id !== undefined) request.id = spec.id;
  if (spec.name !== undefined) request.name = spec.name;
  if (spec.input !== undefined) request.input = weigh(spec.input, "input", runtimeLimits.inputBytes);
  if (spec.context !== undefined) request.context = weigh(spec.context, "context", runtimeLimits.inputBytes);
  if (spec.skills !== undefined) request.skills = list(spec.skills, "skills");
  if (spec.agent !== undefined) request.agent = spec.agent;
  if (spec.priority !== undefined) request.priority = spec.priority;
  if (spec.load !== undefined) request.load = spec.load;
  if (spec.dependsOn !== undefined) request.dependsOn = dependencies(spec.dependsOn, what);
  if (spec.onDependencyFailure !== undefined) request.onDependencyFailure = spec.onDependencyFailure;
  if (spec.resources !== undefined) request.resources = amountsOf(spec.resources, `resources of ${what}`);
  if (spec.timeoutMs !== undefined) request.timeoutMs = spec.timeoutMs;
  if (spec.deadlineMs !== undefined) request.deadlineMs = spec.deadlineMs;
  if (spec.estimatedMs !== undefined) request.estimatedMs = spec.estimatedMs;
  if (spec.graceMs !== undefined) request.graceMs = spec.graceMs;
  if (spec.retry !== undefined) request.retry = retryOf(spec.retry, what);
  if (spec.preemptible !== undefined) request.preemptible = spec.preemptible;
  if (spec.fallback !== undefined) request.fallback = fallbackOf(spec.fallback);
  if (spec.cacheKey !== undefined) request.cacheKey = spec.cacheKey;
  if (spec.cacheMs !== undefined) request.cacheMs = spec.cacheMs;
  if (spec.budget !== undefined) request.budget = spec.budget;
  if (spec.cost !== undefined) request.cost = spec.cost;
  // Copied as JSON; what its parts must be is the kernel's to say.
  if (spec.approval !== undefined)
    request.approval = weigh(spec.approval, "approval", runtimeLimits.specBytes) as NonNullable<
      TaskRequest["approval"]
    >;
  if (spec.batchKey !== undefined) request.batchKey = spec.batchKey;
  if (spec.batchWaitMs !== undefined) request.batchWaitMs = spec.batchWaitMs;
  return { request, bytes };

  function fallbackOf(fallback: FallbackPolicy): FallbackPolicy {
    checkKeys(fallback, FALLBACK_KEYS, `fallback of ${what}`);
    const { agent, skills, value } = fallback;
    return {
      ...(agent === undefined ? {} : { agent }),
      ...(skills === undefined ? {} : { skills: list(skills, "skills of fallback") }),
      ...(value === undefined ? {} : { value: weigh(value, "value of fallback", runtimeLimits.inputBytes) }),
    };
  }

  function weigh(value: unknown, field: string, maxBytes: number): Json {
    const admitted = admit(value, `${field} of ${what}`, maxBytes);
    bytes += admitted.bytes;
    return admitted.json;
  }

  function list(value: unknown, field: string): NonNullable<TaskRequest["skills"]> {
    // Copied as JSON; what its parts must be is the kernel's to say.
    const copy: unknown = weigh(value, field, runtimeLimits.specBytes);
    if (Array.isArray(copy)) return copy;
    throw invalid(`${field} of ${what}`, value, "a list");
  }
}

function retryOf(retry: RetryPolicy, what: string): RetryPolicy {
  checkKeys(retry, RETRY_KEYS, `retry of ${what}`);
  return { ...retry };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function dependencies(dependsOn: unknown, what: string): string[] {
  if (!Array.isArray(dependsOn)) throw invalid(`dependsOn of ${what}`, dependsOn, "a list of ids or handles of tasks");
  return dependsOn.map((dependency: unknown) => {
    if (typeof dependency === "string") return dependency;
    const id: unknown =
      typeof dependency === "object" && dependency !== null ? Reflect.get(dependency, "id") : undefined;
    if (typeof id === "string") return id;
    throw invalid(`a dependency of ${what}`, dependency, "the id or the handle of a task");
  });
}

/** Amounts by resource, copied from an object or a Map. */
export function amountsOf(
  amounts: Parameters<typeof entriesOf<number>>[0],
  what: string,
  allowed?: string,
): Record<string, number> {
  const copy = nullRecord<number>();
  for (const [resource, amount] of entriesOf(amounts, what, allowed)) copy[resource] = amount;
  return copy;
}
