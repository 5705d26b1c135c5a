import type { VotingMethod } from "../coordination/decisions/election.ts";
import type { Json, Money, RecordOf, SkillRequirement } from "../coordination/structures/types.ts";
import type { ErrorCode, SafeguardsError } from "../errors.ts";
import type { AttemptEnd } from "../kernel/events/attempts.ts";
import type { FallbackPolicy, RetryPolicy } from "../kernel/events/tasks.ts";
import type { TaskStatus } from "../kernel/task.ts";
import type { Explanation } from "../kernel/views.ts";

/**
 * A task as it is asked for. Every field may be left out; unknown ones are refused.
 *
 * @example
 * ```ts
 * import type { TaskSpec } from "safeguards";
 * const task: TaskSpec = { name: "summary", skills: ["prose", { skill: "medicine", level: 0.8 }], input: { page: 7 }, priority: 8 };
 * ```
 */
export interface TaskSpec<I extends Json = Json> {
  /** 1 to 256 characters without `/`. Default: generated. */
  readonly id?: string;
  /** For people and listings. */
  readonly name?: string;
  /** What the agent gets as `task.input`: JSON of at most 1 000 000 bytes, copied. Default: null. */
  readonly input?: I;
  /** What the agent gets as `task.context`, merged over its parent's: JSON, copied. */
  readonly context?: Json;
  /** What its agent must be able to do. Default: nothing, so that any agent may do it. */
  readonly skills?: readonly SkillRequirement[];
  /** The only agent that may do it. */
  readonly agent?: string;
  /** An integer, higher goes first, from -1 000 000 to 1 000 000. Default: 5, or its parent's. */
  readonly priority?: number;
  /** How much of its agent's capacity it takes: > 0. Default: 1. */
  readonly load?: number;
  /** Tasks that must be completed before: ids, or handles. */
  readonly dependsOn?: readonly (string | TaskHandle)[];
  /** What becomes of it when one of those fails. Default: `"skip"`. */
  readonly onDependencyFailure?: "skip" | "run";
  /** What it holds while it runs, by resource. */
  readonly resources?: RecordOf<number>;
  /** How long one attempt may take, in milliseconds. Default: for ever. */
  readonly timeoutMs?: number;
  /** How long all of it may take from its submission on, in milliseconds. Default: for ever, or what its parent has left. */
  readonly deadlineMs?: number;
  /** How long an attempt is thought to take, in milliseconds: lets it fill gaps that others leave. */
  readonly estimatedMs?: number;
  /** How long an attempt that is told to stop may still take, in milliseconds. Default: 5 000. */
  readonly graceMs?: number;
  /** Default: 3 attempts, 1 000 ms growing twofold up to 60 000 ms, with jitter. */
  readonly retry?: RetryPolicy;
  /** Whether it may be stopped in favour of a task of higher priority. Default: true. */
  readonly preemptible?: boolean;
  /**
   * What takes the place of its failure when its attempts are spent or nobody is to be had: first a series of attempts, under the
   * same `retry`, by `agent` or whoever has these `skills`; then `value`, JSON of at most 1 000 000 bytes. At least one of them.
   * `outcome.via` is then `"fallback"`. What was cancelled, skipped, too late or refused by a guardrail falls back on nothing.
   */
  readonly fallback?: FallbackPolicy;
  /**
   * Tasks of one key share one output: 1 to 1 024 characters. One that is ready is answered with an output that is young enough
   * (`outcome.via` is `"cache"`); if another of its key is under way, it waits for that one's output, and should that one
   * fail, goes on itself. Keys of other agents or skills, teams, people, guardrails and approvals are other keys. The latest output of a
   * key is kept, of 10 000 keys and 64 000 000 characters of JSON at most; what was not asked for the longest goes first.
   */
  readonly cacheKey?: string;
  /** How old an output may be to answer it, in milliseconds: 0 (it must be under way still) to 31 622 400 000. Default: 3 600 000. */
  readonly cacheMs?: number;
  /**
   * What it is paid from. Default: its parent's, or nothing. A subtask may name its parent's budget, or one that is part of
   * that. UNKNOWN_BUDGET for a name that is none.
   */
  readonly budget?: string;
  /**
   * What an attempt is thought to cost, ≥ 0: set aside of the budget, and of all that it is part of, while the attempt runs.
   * It waits until as much is left; BUDGET_EXCEEDED when that is more than a limit, or more than what is spent of it leaves.
   * Default: 0.
   */
  readonly cost?: Money;
  /**
   * Tasks of one key that ask for the same (skills, agent, team, names of resources, budget) are given together to an agent with
   * `runBatch`, as many as it takes: 1 to 1 024 characters. Together they take one slot, and room for the largest of their
   * loads; all else is each task's own. While others are in its batch none of them is preempted. Who has only `run` ignores it.
   */
  readonly batchKey?: string;
  /** How long it waits, from when it is ready, for others to fill its batch, in milliseconds: ≥ 0. Default: 0, so that it goes with those that are ready with it. */
  readonly batchWaitMs?: number;
  /** Who must allow that it runs, or that its output counts. Default: nobody. */
  readonly approval?: ApprovalSpec;
}

/**
 * Who must allow that a task runs, or that its output counts; until then it is `waiting`. Whoever submitted the task, does it,
 * or works for who does it has no say. A task that is rejected fails with UNAUTHORIZED, and is not tried again by itself.
 *
 * @example
 * ```ts
 * import { Coordinator, defineAgent } from "safeguards";
 * await using coordinator = await Coordinator.open();
 * await coordinator.register(defineAgent({ name: "deployer", run: () => "deployed" }));
 * const handle = await coordinator.submit({ input: "v2", approval: { before: "run", expiresMs: 3_600_000 } });
 * const [waiting] = await coordinator.tasks({ status: "waiting" });
 * await coordinator.approve(handle.id, { by: "rita", ...(waiting?.approval && { hash: waiting.approval.hash }) });
 * await handle.result(); // "deployed"
 * ```
 */
export interface ApprovalSpec {
  /**
   * `"run"`: asked for when its turn comes, once for each series of attempts. `"output"`: asked for each output, when the attempt
   * that gave it has ended and holds nothing any more. Default: `"run"`.
   */
  readonly before?: "run" | "output";
  /**
   * `"person"`: whoever calls `approve` or `reject`. Or agents by ballot, over the options `approve` and `reject`: these voters, each
   * named once, by default all that have a vote; whatever comes of it but `approve` is a rejection. Default: `"person"`.
   */
  readonly by?: "person" | { readonly ballot: VotingMethod; readonly voters?: readonly string[] };
  /**
   * Milliseconds from when it is asked for. A person who is late lets the task fail with TIMEOUT; a voter who is late abstains.
   * Default: for ever, for a ballot 30 000.
   */
  readonly expiresMs?: number;
}

/** One attempt at a task, as it is told afterwards. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  readonly agent: string;
  /** Its fencing token. */
  readonly token: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Absent while it runs. */
  readonly end?: AttemptEnd;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** What it has spent, as a decimal; of one that was lost, all that was set aside for it. */
  readonly cost: string;
}

/** How a task ended. */
export interface Outcome<O extends Json = Json> {
  readonly taskId: string;
  readonly name?: string;
  readonly status: "completed" | "failed" | "skipped" | "cancelled";
  /** When completed. */
  readonly output?: O;
  /** When not. */
  readonly error?: SafeguardsError;
  /** Who gave the output. */
  readonly via?: "agent" | "fallback" | "cache";
  /** The agent of the last attempt. */
  readonly agent?: string;
  readonly attempts: readonly Attempt[];
  /** What its attempts, and those at its subtasks, have spent, as a decimal. */
  readonly cost: string;
  readonly startedAt?: number;
  readonly endedAt: number;
}

/**
 * A task that was submitted. A handle that nobody awaits costs nothing and raises nothing.
 *
 * @example
 * ```ts
 * import { Coordinator, defineAgent } from "safeguards";
 * await using coordinator = await Coordinator.open();
 * await coordinator.register(defineAgent<{ n: number }>({ name: "doubler", run: (task) => task.input.n * 2 }));
 * const handle = await coordinator.submit<number>({ input: { n: 21 } });
 * await handle.result(); // 42
 * ```
 */
export interface TaskHandle<O extends Json = Json> {
  readonly id: string;
  /**
   * The output, when the task has completed. Throws TASK_FAILED (the agent threw; `cause` is its error), TIMEOUT (the
   * last attempt or the deadline ran out), DEPENDENCY_FAILED, CANCELLED, NO_QUALIFIED_AGENT, …; CLOSED when the
   * coordinator is closed before. An aborted `signal` ends the waiting only, with CANCELLED.
   *
   * Inside an attempt, on a handle from `ctx.submit`: while it waits, the attempt gives up its slot and load.
   */
  result(options?: { signal?: AbortSignal }): Promise<O>;
  /** How it ended, whichever way it did. Waits as `result` does. */
  outcome(options?: { signal?: AbortSignal }): Promise<Outcome<O>>;
  status(): Promise<TaskStatus>;
  /** Why it runs, waits or ended. */
  explain(): Promise<Explanation>;
  /** Cancels it and all below it. `INVALID_STATE` when it has ended. */
  cancel(reason?: string): Promise<void>;
  /** Holds it until `resume`; stops its attempt if it runs. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Another priority from now on. */
  prioritize(priority: number): Promise<void>;
  /**
   * A failed task again: a new series of attempts. `INVALID_STATE` when it has not failed. Subtasks that its code submits without
   * an id are new ones then; one with an id is the one that there was, as it ended.
   */
  retry(): Promise<void>;
}
