/**
 * Runs of a crew on a coordinator. A run is itself a task, named `r1`, `r2`, …, whose plan is the crew's tasks; so it
 * survives a restart as any manager's task does, and its tasks are `r1/…`.
 *
 * 1. A journal has at most one run that has not ended.
 * 2. A run that has not ended is gone on with only by the very file and input that it was begun with: both are part of its
 *    name.
 * 3. What has ended is never touched again.
 */
import { createHash } from "node:crypto";
import type { Agent } from "../agents/agent.ts";
import { defineManager } from "../agents/manager.ts";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import type { TaskInfo } from "../kernel/views.ts";
import type { Coordinator } from "../runtime/coordinator.ts";
import type { CoordinatorOptions } from "../runtime/coordinator-options.ts";
import { isList } from "../runtime/json.ts";
import type { TaskHandle, TaskSpec } from "../runtime/task.ts";
import { type CrewSpec, runManagerName } from "./crew.ts";
import type { LoadedCrew } from "./load.ts";
import { DEFAULT_BUDGET } from "./outline.ts";

/** What a run is of. */
export interface RunName {
  readonly crew: string;
  /** The first digits of the file's hash. */
  readonly file: string;
  /** The first digits of the input's hash, or `none`. */
  readonly input: string;
}

/** A run, as a journal has it. */
export interface RunInfo extends RunName {
  readonly id: string;
  readonly task: TaskInfo;
}

/** A run that is about to go on in this process. */
export interface RunStart {
  readonly id: string;
  readonly isResumed: boolean;
  /** Whether no earlier run here was of this file as it is. */
  readonly isNewFile: boolean;
}

export interface BegunRun extends RunStart {
  readonly handle: TaskHandle;
}

export interface BeginOptions {
  /** What `tasks` of the crew is given; null: nothing. */
  readonly input: Json;
  /** Cancels a run that has not ended, and begins another. */
  readonly fresh?: boolean;
  /** Told before any of the crew's code or programs is started. */
  readonly before?: (start: RunStart) => void;
}

const HASH_DIGITS = 12;
const RUN_ID = /^r[1-9]\d*$/;
const RUN_NAME = /^(?<crew>.*) (?<file>[0-9a-f]{12}) input (?<input>[0-9a-f]{12}|none)$/s;

/** What of a crew the coordinator is opened with. */
export function coordinatorOptions(crew: CrewSpec): CoordinatorOptions {
  const { resources, budgets, guardrails, concurrency, agingMs, protectAfterMs } = crew;
  return {
    ...(guardrails === undefined ? {} : { guardrails }),
    ...(resources === undefined ? {} : { resources }),
    ...(budgets === undefined ? {} : { budgets }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(agingMs === undefined ? {} : { agingMs }),
    ...(protectAfterMs === undefined ? {} : { protectAfterMs }),
  };
}

/** The runs that a journal knows of, oldest first. */
export function runsAmong(tasks: readonly TaskInfo[]): RunInfo[] {
  return tasks.flatMap((task): RunInfo[] => {
    if (task.parentId !== undefined || !RUN_ID.test(task.id)) return [];
    const { crew, file, input } = RUN_NAME.exec(task.name ?? "")?.groups ?? {};
    if (crew === undefined || file === undefined || input === undefined) return [];
    return [{ id: task.id, crew, file, input, task }];
  });
}

/** Whether a task has ended. */
export function hasEnded({ status }: Pick<TaskInfo, "status">): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

/**
 * Begins a run, or goes on with the one that has not ended. INVALID_STATE when that is of another crew, or the file or the
 * input is another since.
 */
export async function beginRun(
  coordinator: Coordinator,
  { crew, file, hash }: LoadedCrew,
  { input, fresh = false, before }: BeginOptions,
): Promise<BegunRun> {
  const runs = runsAmong(await coordinator.tasks());
  const name: RunName = { crew: crew.name, file: hash.slice(0, HASH_DIGITS), input: hashOf(input) };
  const open = runs.find((run) => !hasEnded(run.task));
  if (open !== undefined && fresh) {
    const old = await coordinator.task(open.id);
    await old.cancel("a new run was begun");
    await old.outcome();
  } else if (open !== undefined) {
    checkSame(open, name, file);
  }
  const start: RunStart = {
    id: open === undefined || fresh ? await nextId(coordinator, runs) : open.id,
    isResumed: open !== undefined && !fresh,
    isNewFile: !runs.some((run) => run.crew === name.crew && run.file === name.file),
  };
  before?.(start);
  await Promise.all(agentsOf(crew).map((agent) => coordinator.register(agent)));
  const task = {
    id: start.id,
    name: `${name.crew} ${name.file} input ${name.input}`,
    agent: runManagerName(crew.name),
    input,
    priority: LOWEST_PRIORITY,
  };
  // The same again is the task that exists already.
  return { ...start, handle: await coordinator.submit(task) };
}

/** The first number that no run has or had: ended ones may have left memory. */
async function nextId(coordinator: Coordinator, runs: readonly RunInfo[]): Promise<string> {
  for (let next = Math.max(0, ...runs.map((run) => Number(run.id.slice(1)))) + 1; ; next++) {
    try {
      await coordinator.task(`r${next}`);
    } catch (error) {
      if (isSafeguardsError(error, "UNKNOWN_TASK")) return `r${next}`;
      throw error;
    }
  }
}

function checkSame(open: RunInfo, now: RunName, file: string): void {
  const refuse = (what: string): never => {
    const message = `run ${open.id} has not ended, and ${what}; --new cancels it and begins another run`;
    throw new SafeguardsError("INVALID_STATE", message, { details: { run: open.id } });
  };
  if (open.crew !== now.crew) refuse(`is of the crew ${JSON.stringify(open.crew)}, not of ${JSON.stringify(now.crew)}`);
  if (open.file !== now.file)
    refuse(`was begun with ${file} as it was (${open.file}), which has changed since (${now.file})`);
  if (open.input !== now.input) refuse(`was begun with another input (${open.input}) than this one (${now.input})`);
}

/** Subtasks are never below their parent's priority: below this none is. */
const LOWEST_PRIORITY = -1_000_000;
const DEFAULT_PRIORITY = 5;

/** The crew's agents, and the manager that is the run. */
function agentsOf(crew: CrewSpec): Agent[] {
  const run = defineManager({
    name: runManagerName(crew.name),
    team: crew.agents.map(({ name }) => name),
    // Whatever fails, the rest is done, and the crew's output made of what there is.
    minSuccess: 0,
    plan: async ({ input }) => {
      const tasks = typeof crew.tasks === "function" ? await crew.tasks(input) : crew.tasks;
      return tasks.map((task) => paidFromDefault(crew, { ...task, priority: task.priority ?? DEFAULT_PRIORITY }));
    },
    aggregate: (task, outcomes) => {
      const local = outcomes.map((outcome) => ({ ...outcome, taskId: outcome.taskId.slice(task.id.length + 1) }));
      return crew.output?.(local) ?? null;
    },
  });
  return [...crew.agents, run];
}

/** The task, paid from the crew's `default` budget where it names none and there is one. */
function paidFromDefault({ budgets }: CrewSpec, task: TaskSpec): TaskSpec {
  if (task.budget !== undefined || budgets === undefined) return task;
  const hasDefault = budgets instanceof Map ? budgets.has(DEFAULT_BUDGET) : Object.hasOwn(budgets, DEFAULT_BUDGET);
  return hasDefault ? { ...task, budget: DEFAULT_BUDGET } : task;
}

function hashOf(input: Json): string {
  return input === null ? "none" : createHash("sha256").update(canonical(input)).digest("hex").slice(0, HASH_DIGITS);
}

/** JSON with its keys sorted. */
function canonical(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join()}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
