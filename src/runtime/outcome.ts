/** How a task ended: as data, and as those who asked for it get it. */
import type { Json } from "../coordination/structures/types.ts";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import type { Failure } from "../kernel/events/failure.ts";
import type { TaskStatus } from "../kernel/task.ts";
import type { TaskView } from "../kernel/views.ts";
import { errorFrom } from "./failure.ts";
import { copyOf } from "./json.ts";
import type { Attempt, Outcome } from "./task.ts";

/** An outcome as plain data. */
export interface OutcomeData extends Omit<Outcome, "error"> {
  readonly error?: Failure;
}

type Ended = Outcome["status"];

function isEnded(status: TaskStatus): status is Ended {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

/** The outcome of a task; undefined while it has none. Its output is the kernel's own: to be copied before it is handed out. */
export function outcomeOf(view: TaskView): OutcomeData | undefined {
  if (!isEnded(view.status)) return undefined;
  return {
    taskId: view.id,
    ...(view.name === undefined ? {} : { name: view.name }),
    status: view.status,
    ...(view.output === undefined ? {} : { output: view.output }),
    ...(view.error === undefined ? {} : { error: view.error }),
    ...(view.status === "completed" ? { via: view.via ?? "agent" } : {}),
    ...(view.agent === undefined ? {} : { agent: view.agent }),
    attempts: view.attempts.map(attemptOf),
    cost: view.cost,
    ...(view.startedAt === undefined ? {} : { startedAt: view.startedAt }),
    endedAt: view.endedAt ?? view.submittedAt,
  };
}

function attemptOf(attempt: TaskView["attempts"][number]): Attempt {
  const { number, agent, token, startedAt, endedAt, end, error, cost } = attempt;
  return {
    number,
    agent,
    token,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(end === undefined ? {} : { end }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    cost,
  };
}

/** The outcome to hand out. `thrown`: what the agent's code threw, where that is still known. */
export function handOut(data: OutcomeData, thrown?: { readonly error: unknown }): Outcome {
  const { error, output, ...rest } = data;
  return {
    ...rest,
    ...(output === undefined ? {} : { output: copyOf(output) }),
    ...(error === undefined ? {} : { error: errorOf(error, thrown) }),
  };
}

/** The output of a task that has completed, to hand out; throws the error of one that has not. */
export function resultOf(data: OutcomeData, thrown?: { readonly error: unknown }): Json {
  if (data.status === "completed") return copyOf(data.output ?? null);
  const { error } = data;
  throw error === undefined
    ? new SafeguardsError("TASK_FAILED", `task ${data.taskId} ${data.status}`)
    : errorOf({ ...error, message: `task ${data.taskId} ${TOLD[data.status]}: ${error.message}` }, thrown);
}

const TOLD: Readonly<Record<Ended, string>> = {
  completed: "completed",
  failed: "failed",
  skipped: "was skipped",
  cancelled: "was cancelled",
};

function errorOf(failure: Failure, thrown: { readonly error: unknown } | undefined): SafeguardsError {
  const { cause, causes } = failure.details ?? {};
  if (thrown !== undefined && cause !== undefined) return errorFrom(failure, thrown.error);
  if (cause !== undefined) return errorFrom(failure, rebuilt(cause));
  if (isList(causes)) return errorFrom(failure, new AggregateError(causes.map(rebuilt), failure.message));
  return errorFrom(failure);
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** An error made again of what the journal tells of it. */
function rebuilt(told: Json): Error {
  const code = textOf(told, "code");
  const message = textOf(told, "message") ?? "";
  const taskId = textOf(told, "taskId");
  if (code === undefined || (code === "TASK_FAILED" && taskId === undefined)) {
    const error = new Error(message);
    const name = textOf(attribute(told, "details"), "name");
    if (name !== undefined) error.name = name;
    return error;
  }
  // What was journaled as an error's code is one.
  return new SafeguardsError(code as ErrorCode, message, taskId === undefined ? {} : { details: { taskId } });
}

function attribute(json: Json | undefined, key: string): Json | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const value: unknown = Object.hasOwn(json, key) ? Reflect.get(json, key) : undefined;
  return value === undefined ? undefined : (value as Json);
}

function textOf(json: Json | undefined, key: string): string | undefined {
  const value = attribute(json, key);
  return typeof value === "string" ? value : undefined;
}
