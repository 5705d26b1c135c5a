/** What commands, events and errors are made of, as schemas. */
import * as z from "zod";
import type { Standing } from "../../src/coordination/reputation.ts";
import type { Json, Money, SkillRequirement } from "../../src/coordination/structures/types.ts";
import type { AgentDescription, TaskRequest } from "../../src/kernel/commands.ts";
import type { BreakerPolicy } from "../../src/kernel/events/agents.ts";
import type { ApprovalPolicy } from "../../src/kernel/events/approvals.ts";
import type { Failure } from "../../src/kernel/events/failure.ts";
import type { GivenVerdict, GuardrailNames } from "../../src/kernel/events/guardrails.ts";
import type { FallbackPolicy, RetryPolicy } from "../../src/kernel/events/tasks.ts";
import { code } from "./errors.ts";
import { assertNothing, type Wrong } from "./same.ts";

/** An object with these fields and no others. */
export function object<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).readonly();
}

export function list<T extends z.ZodType>(item: T) {
  return z.array(item).readonly();
}

export function byId<T extends z.ZodType>(value: T) {
  return z.record(z.string(), value).readonly();
}

/** Any JSON. */
export const json = z.custom<Json>((value) => value !== undefined);
export const text = z.string();
export const flag = z.boolean();
export const number = z.number();
export const count = z.int().min(0);
export const ms = z.number().min(0).describe("Milliseconds.");
export const instant = z.int().describe("Epoch milliseconds.");
export const token = z.int().min(1).describe("The fencing token of an attempt.");
export const taskId = z.string().min(1).describe("The task's global id.");
export const money = z.union([z.string(), z.number()]).describe("A decimal.");
export const decimal = z.string().describe("A plain decimal.");
const level = z.number().gt(0).lte(1);
export const phase = z.enum(["run", "plan", "aggregate"]);
export const breakerState = z.enum(["closed", "open", "half-open"]);
export const resourceKind = z.enum(["compute", "memory", "storage", "api_call", "data"]);
export const agentKind = z.enum(["agent", "manager"]);
export const minSuccess = z.union([z.number(), z.enum(["all", "any"])]);
/** A share: a number, or an exact fraction such as "2/3" that must be reached. */
export const share = z.union([z.number(), object({ atLeast: text })]);
const skills = list(z.union([text, object({ skill: text, level })]));

export const failure = object({
  code,
  message: text,
  retryable: flag.exactOptional(),
  details: byId(json).exactOptional(),
}).describe("An error as data.");

const retry = object({
  maxAttempts: count.exactOptional(),
  initialMs: ms.exactOptional(),
  maxMs: ms.exactOptional(),
  factor: number.exactOptional(),
  jitter: flag.exactOptional(),
}).describe("How often and after how long a failed task is tried again.");

const approval = object({
  before: z.enum(["run", "output"]).exactOptional(),
  by: z.union([z.literal("person"), object({ ballot: text, voters: list(text).exactOptional() })]).exactOptional(),
  expiresMs: ms.exactOptional(),
}).describe("Who must allow that it runs, or that its output counts.");

const fallback = object({
  agent: text.exactOptional(),
  skills: skills.exactOptional(),
  value: json.exactOptional(),
}).describe("What takes the place of a failure: other agents, then the value.");

export const breaker = object({
  failureThreshold: count.exactOptional(),
  ratio: number.exactOptional(),
  minCalls: count.exactOptional(),
  windowMs: ms.exactOptional(),
  resetMs: ms.exactOptional(),
  halfOpenMax: count.exactOptional(),
}).describe("When one that keeps failing is left alone for a while.");

export const guardedPoint = z.enum(["input", "output", "action"]);
const names = list(text);
export const guardrailNames = object({
  input: names.exactOptional(),
  output: names.exactOptional(),
  action: names.exactOptional(),
}).describe("Names of the guardrails that look at each of these, in the order in which they are asked.");

/** The fields of a verdict, for what has more. */
export const verdictFields = {
  guardrail: text,
  verdict: z.enum(["allow", "block", "change"]),
  reason: text.exactOptional(),
};
export const verdict = object(verdictFields).describe("What a guardrail said.");

export const standing = object({ right: count, wrong: count }).describe("How often a voter was right, and wrong.");

/** What a task asks for, in requests and events alike. A new option of tasks stands here. */
export const taskOptions = {
  name: text.exactOptional(),
  input: json.exactOptional(),
  context: json.exactOptional(),
  skills: skills.exactOptional(),
  agent: text.exactOptional(),
  priority: z.int().exactOptional(),
  load: number.exactOptional(),
  dependsOn: list(text).exactOptional(),
  resources: byId(number).exactOptional(),
  timeoutMs: ms.exactOptional(),
  deadlineMs: ms.exactOptional(),
  estimatedMs: ms.exactOptional(),
  graceMs: ms.exactOptional(),
  retry: retry.exactOptional(),
  budget: text.exactOptional(),
  fallback: fallback.exactOptional(),
  cacheKey: text.exactOptional(),
  cacheMs: ms.exactOptional(),
  approval: approval.exactOptional(),
  batchKey: text.exactOptional(),
  batchWaitMs: ms.exactOptional(),
};

export const taskRequest = object({
  ...taskOptions,
  id: text.exactOptional(),
  onDependencyFailure: z.enum(["skip", "run"]).exactOptional(),
  preemptible: flag.exactOptional(),
  cost: money.exactOptional(),
});

export const agentDescription = object({
  name: text,
  kind: agentKind,
  description: text.exactOptional(),
  skills: z.union([list(text), byId(level)]).exactOptional(),
  capacity: number.exactOptional(),
  weight: number.exactOptional(),
  team: list(text).exactOptional(),
  breaker: breaker.exactOptional(),
  votes: flag.exactOptional(),
  minSuccess: minSuccess.exactOptional(),
  failFast: flag.exactOptional(),
  maxBatch: count.exactOptional(),
});

const parts = {
  failure,
  retry,
  fallback,
  approval,
  breaker,
  guardrailNames,
  verdict,
  standing,
  taskRequest,
  agentDescription,
  skills,
  money,
};
assertNothing<
  Wrong<
    typeof parts,
    {
      failure: Failure;
      retry: RetryPolicy;
      fallback: FallbackPolicy;
      approval: ApprovalPolicy;
      breaker: BreakerPolicy;
      guardrailNames: GuardrailNames;
      verdict: GivenVerdict;
      standing: Standing;
      taskRequest: TaskRequest;
      agentDescription: AgentDescription;
      skills: readonly SkillRequirement[];
      money: Money;
    }
  >
>({});
