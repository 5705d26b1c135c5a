/** The public API of `safeguards`, by name. */
export type {
  Agent,
  AgentContext,
  AgentSpec,
  Allocation,
  BatchResult,
  Logger,
  ManagerContext,
  ManagerSpec,
  Message,
  MessageOptions,
  More,
  SharedValue,
  StandardSchema,
  Task,
  Voter,
} from "./agents/agent.ts";
export { type CommandOptions, command } from "./agents/command.ts";
export { defineAgent } from "./agents/function.ts";
export { defineManager } from "./agents/manager.ts";
export type { Decision, Threshold, TieBreak, Vote, VotingMethod } from "./coordination/decisions/election.ts";
export type { Json, Money, RecordOf, SkillRequirement } from "./coordination/structures/types.ts";
export { type CrewSpec, defineCrew } from "./crew/crew.ts";
export { type ErrorCode, isSafeguardsError, SafeguardsError, type SafeguardsErrorOptions } from "./errors.ts";
export { type ActionRateOptions, actionRate } from "./guardrails/action-rate.ts";
export { type AllOfOptions, allOf } from "./guardrails/all-of.ts";
export { type AllowedActionsOptions, allowedActions } from "./guardrails/allowed-actions.ts";
export { type AllowedHostsOptions, allowedHosts } from "./guardrails/allowed-hosts.ts";
export type { GuardedPoint, GuardedSubject, Guardrail, Verdict } from "./guardrails/guardrail.ts";
export { type MatchesSchemaOptions, matchesSchema } from "./guardrails/matches-schema.ts";
export { type NoSecretsOptions, noSecrets } from "./guardrails/no-secrets.ts";
export type { SecretRule } from "./guardrails/secret-rules.ts";
export { type WithinSizeOptions, withinSize } from "./guardrails/within-size.ts";
export type { BreakerPolicy } from "./kernel/events/agents.ts";
export type { ResourceKind } from "./kernel/events/resources.ts";
export type { RetryPolicy } from "./kernel/events/tasks.ts";
export type {
  AgentInfo,
  BudgetInfo,
  Explanation,
  Reason,
  ResourceInfo,
  TaskFilter,
  TaskInfo,
  TaskStatus,
} from "./kernel/views.ts";
export type { BallotResult } from "./runtime/backend.ts";
export { type BallotSpec, Coordinator, type SubmitOptions } from "./runtime/coordinator.ts";
export type { BudgetDescription, CoordinatorOptions, ResourceDescription } from "./runtime/coordinator-options.ts";
export type { DistributionView as Distribution } from "./runtime/distribution.ts";
export type { FeedOptions, StoredEvent } from "./runtime/event-feed.ts";
export { logEvents } from "./runtime/event-log.ts";
export type { Progress } from "./runtime/progress.ts";
export type { PartStats, Stats } from "./runtime/stats.ts";
export type { ApprovalSpec, Attempt, Outcome, TaskHandle, TaskSpec } from "./runtime/task.ts";
