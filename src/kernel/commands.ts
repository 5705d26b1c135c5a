/**
 * What somebody asks. A command and a time go into the kernel; events, or a refusal, come out. Commands are plain data:
 * their shapes are checked by the kernel before anything is decided, names after that.
 */

import type { Json, Money, RecordOf, SkillRequirement } from "../coordination/structures/types.ts";
import type { ErrorCode } from "../errors.ts";
import type { BreakerPolicy } from "./events/agents.ts";
import type { ApprovalPolicy } from "./events/approvals.ts";
import type { Failure } from "./events/failure.ts";
import type { GivenVerdict, GuardrailNames } from "./events/guardrails.ts";
import type { ResourceKind } from "./events/resources.ts";
import type { FallbackPolicy, RetryPolicy } from "./events/tasks.ts";

/** A task as it is asked for: the public TaskSpec with its dependencies as ids. */
export interface TaskRequest {
  readonly id?: string;
  readonly name?: string;
  readonly input?: Json;
  readonly context?: Json;
  readonly skills?: readonly SkillRequirement[];
  readonly agent?: string;
  readonly priority?: number;
  readonly load?: number;
  readonly dependsOn?: readonly string[];
  readonly onDependencyFailure?: "skip" | "run";
  readonly resources?: RecordOf<number>;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly estimatedMs?: number;
  readonly graceMs?: number;
  readonly retry?: RetryPolicy;
  readonly preemptible?: boolean;
  readonly budget?: string;
  readonly cost?: Money;
  readonly fallback?: FallbackPolicy;
  readonly cacheKey?: string;
  readonly cacheMs?: number;
  readonly approval?: ApprovalPolicy;
  readonly batchKey?: string;
  readonly batchWaitMs?: number;
}

export interface AgentDescription {
  readonly name: string;
  readonly kind: "agent" | "manager";
  readonly description?: string;
  readonly skills?: readonly string[] | RecordOf<number>;
  readonly capacity?: number;
  readonly weight?: number;
  readonly team?: readonly string[];
  readonly breaker?: BreakerPolicy;
  readonly votes?: boolean;
  readonly minSuccess?: number | "all" | "any";
  readonly failFast?: boolean;
  /** How many tasks it is given together at most; left out: its code takes one at a time. */
  readonly maxBatch?: number;
}

export interface ResourceSpec {
  readonly kind: ResourceKind;
  readonly capacity: number;
  readonly per?: number;
  /** Left out: the one that it has, if any; null: none. */
  readonly breaker?: BreakerPolicy | null;
}

export interface BudgetSpec {
  readonly limit: Money;
  readonly parent?: string;
}

export interface OpenSettings {
  readonly concurrency?: number;
  readonly agingMs?: number;
  readonly protectAfterMs?: number;
  readonly unroutableMs?: number;
  /** Ended tasks that are kept in memory, and for how many milliseconds at most. */
  readonly keepCount?: number;
  readonly keepMs?: number;
  /** Whether an abandoned attempt keeps its resources until its code has ended. */
  readonly strict?: boolean;
  /** Who looks at inputs, outputs and actions, in the order in which they are asked. */
  readonly guardrails?: GuardrailNames;
}

export interface BallotRequest {
  readonly question: string;
  readonly options: readonly string[];
  readonly voters?: readonly string[];
  readonly method?: string;
  /** `"reputation"`: what each has learned to weigh, as of now. */
  readonly weights?: RecordOf<number> | "reputation";
  readonly quorum?: number | { readonly atLeast: string };
  readonly threshold?: number | { readonly atLeast: string };
  readonly tieBreak?: Json;
  readonly deadlineMs?: number;
  readonly context?: Json;
}

/** An attempt speaks for itself with its task and its token; an old token is `FENCED`. */
interface FromAttempt {
  readonly taskId: string;
  readonly token: number;
}

export type Command =
  | ({ readonly type: "coordinator.open" } & OpenSettings)
  /** No task is started until it is opened again; what runs goes on, and is given what it waits for. Leaves no event. */
  | { readonly type: "coordinator.drain" }
  | { readonly type: "coordinator.close" }
  | { readonly type: "agent.register"; readonly agent: AgentDescription }
  | { readonly type: "agent.unregister"; readonly agent: string }
  | { readonly type: "team.set"; readonly manager: string; readonly team: readonly string[] }
  | ({ readonly type: "resource.set"; readonly resource: string } & ResourceSpec)
  /** A new budget, or another limit for one. */
  | ({ readonly type: "budget.set"; readonly budget: string } & BudgetSpec)
  /** All or nothing. `from`: submitted by the code of that attempt; ids are then local to its task. */
  | {
      readonly type: "task.submit";
      readonly tasks: readonly TaskRequest[];
      readonly key?: string;
      readonly from?: FromAttempt;
    }
  | { readonly type: "task.cancel"; readonly taskId: string; readonly reason?: string }
  | { readonly type: "task.pause"; readonly taskId: string }
  | { readonly type: "task.resume"; readonly taskId: string }
  | { readonly type: "task.prioritize"; readonly taskId: string; readonly priority: number }
  | { readonly type: "task.retry"; readonly taskId: string }
  /** Whoever asks (`by` of the envelope) allows what waits to be allowed; `hash`: only if it is this. */
  | { readonly type: "task.approve"; readonly taskId: string; readonly hash?: string }
  /** The same for refusing it: the task fails. */
  | { readonly type: "task.reject"; readonly taskId: string; readonly reason: string; readonly hash?: string }
  /** What the guardrails on inputs said of a task's; `input`: what they made of it, where that is something else. */
  | {
      readonly type: "task.judge";
      readonly taskId: string;
      readonly verdicts: readonly GivenVerdict[];
      readonly input?: Json;
    }
  /** What the guardrails on outputs said of one, that of the task `from`, that is to answer it; `output`: what they made of it. */
  | {
      readonly type: "task.answer";
      readonly taskId: string;
      readonly from: string;
      readonly verdicts: readonly GivenVerdict[];
      readonly output?: Json;
    }
  /**
   * Also how a manager's aggregate phase gives its output. `verdicts`: of the guardrails on outputs, where there are any; `read`: messages
   * that it has read meanwhile.
   */
  | ({
      readonly type: "attempt.complete";
      readonly output: Json;
      readonly read?: readonly string[];
      readonly verdicts?: readonly GivenVerdict[];
    } & FromAttempt)
  /** What the guardrails on actions said of one that it is about to take. */
  | ({
      readonly type: "attempt.act";
      readonly action: string;
      readonly verdicts: readonly GivenVerdict[];
    } & FromAttempt)
  /** It threw, or stopped because it was told to. */
  | ({ readonly type: "attempt.fail"; readonly error: Failure } & FromAttempt)
  /** Nothing is heard any more of what ran it. */
  | ({ readonly type: "attempt.lose"; readonly message: string } & FromAttempt)
  /** The code of an abandoned attempt has ended after all: what it kept is free. Nothing where it kept nothing. */
  | ({ readonly type: "attempt.gone" } & FromAttempt)
  | ({ readonly type: "attempt.checkpoint"; readonly state: Json } & FromAttempt)
  /** A manager's phase gives subtasks: its plan, or another round after aggregate. */
  | ({
      readonly type: "attempt.plan";
      readonly tasks: readonly TaskRequest[];
      readonly read?: readonly string[];
    } & FromAttempt)
  /** It awaits these tasks; answered when it has its slot and load again (`attempt.regained`). */
  | ({ readonly type: "attempt.await"; readonly on: readonly string[] } & FromAttempt)
  | ({
      readonly type: "attempt.request";
      readonly amounts: RecordOf<number>;
      readonly wait?: boolean;
      readonly leaseMs?: number;
    } & FromAttempt)
  | ({
      readonly type: "attempt.release";
      readonly allocationId: string;
      readonly allocationToken: number;
    } & FromAttempt)
  /** To one agent, or to a topic. Answered with the message's id. */
  | ({
      readonly type: "message.send";
      readonly to?: string;
      readonly topic?: string;
      readonly body: Json;
    } & FromAttempt)
  /** The attempt's agent has read these messages: they are handed to it no more. */
  | ({ readonly type: "message.read"; readonly ids: readonly string[] } & FromAttempt)
  /** `expectedVersion`: only if the key has that version; 0: only if it is not there. Answered with the new version. */
  | ({
      readonly type: "state.set";
      readonly key: string;
      readonly value: Json;
      readonly expectedVersion?: number;
    } & FromAttempt)
  | ({ readonly type: "state.delete"; readonly key: string; readonly expectedVersion?: number } & FromAttempt)
  /** It is about to spend so much. */
  | ({ readonly type: "attempt.spend"; readonly amount: Money; readonly what?: string } & FromAttempt)
  | ({ readonly type: "ballot.open" } & BallotRequest)
  | { readonly type: "ballot.cast"; readonly ballotId: string; readonly voter: string; readonly vote?: Json }
  /** One voter has kept all others from voting for so long: it is put off by that. */
  | { readonly type: "ballot.extend"; readonly ballotId: string; readonly ms: number }
  /** What was true: those who voted learn from it. */
  | { readonly type: "ballot.reveal"; readonly ballotId: string; readonly truth: string }
  /** Time has passed; nothing else. */
  | { readonly type: "tick" };

/** A command on its way: who asks, and an id under which asking again changes nothing. */
export interface Envelope {
  readonly command: Command;
  readonly id?: string;
  readonly by?: string;
  readonly trace?: string;
  /** What the archive holds of the tasks, or the ballot, that the command names, as lines of text by id. */
  readonly recalled?: ReadonlyMap<string, string>;
}

/** An expected refusal, as data. It leaves no trace. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: { readonly [key: string]: Json };
}

/** What the asker gets: ids of what was made (tasks in the order asked for, a ballot, an allocation, a queued request, a message), or a refusal. */
export type Answer =
  | {
      readonly ok: true;
      readonly ids: readonly string[];
      readonly allocation?: GrantedAllocation;
      /** Of the value that was set. */
      readonly version?: number;
    }
  | { readonly ok: false; readonly refusal: Refusal };

export interface GrantedAllocation {
  readonly id: string;
  readonly token: number;
  readonly holder: string;
  readonly amounts: Readonly<Record<string, number>>;
  readonly expiresAt?: number;
}
