/**
 * `safeguards/coordination`: the systems on their own. Each works without the others, without a coordinator, and in a
 * browser. None has a clock, so time is handed in; only {@link FederatedDecisions}, which waits for votes, uses a timer, and
 * gets it here.
 */
import {
  type FederatedDecisionsOptions,
  FederatedDecisions as FederatedDecisionsWith,
  type VoterWith,
} from "./coordination/decisions/federated-decisions.ts";
import type { PollHost } from "./coordination/decisions/poll.ts";

export { BudgetLedger } from "./coordination/budget-ledger.ts";
export { CircuitBreaker } from "./coordination/circuit-breaker.ts";
export {
  type DawidSkeneEstimate,
  type DawidSkeneOptions,
  dawidSkene,
  type Labels,
} from "./coordination/dawid-skene.ts";
export type {
  Decision,
  Election,
  Threshold,
  TieBreak,
  Vote,
  VotingMethod,
} from "./coordination/decisions/election.ts";
export { tally } from "./coordination/decisions/tally.ts";
export { Reputation } from "./coordination/reputation.ts";
export { type Allocation, type Released, ResourceManager, type ResourceType } from "./coordination/resource-manager.ts";
export { SkillRouter } from "./coordination/skill-router.ts";
export type { Json, Money, RecordOf, SkillRequirement } from "./coordination/structures/types.ts";
export { type ArbitratedStatus, TaskArbitrator } from "./coordination/task-arbitrator.ts";
export { type Move, WorkloadBalancer } from "./coordination/workload-balancer.ts";
export { type ErrorCode, isSafeguardsError, SafeguardsError } from "./errors.ts";

/** How an agent votes. Giving nothing, throwing and being late are abstentions; when it is late its signal is aborted. */
export type Voter = VoterWith<AbortSignal>;

/** Timers and abort signals as browsers and Node have them. */
const host: PollHost<AbortSignal> = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  abortable: () => new AbortController(),
  // One that is set meanwhile makes a timer seem late: it takes effect one turn later then, no more.
  now: () => Date.now(),
};

/**
 * Makes decisions by asking every registered agent at the same time.
 *
 * One who gives nothing, throws, or takes longer than `voteTimeoutMs` (then its signal is aborted, with TIMEOUT as the
 * reason) has abstained; one whose vote is not valid is told in `invalid`; neither spoils the ballot for the others. All who
 * are registered when `decide` is called are the electorate, so quorum and unanimity are of all of them. How votes are
 * counted and judged is described at {@link tally}. Time begins when all have been asked, so that one who keeps everything busy
 * as it is asked takes it from nobody; who answers at once is never late. The timer is cancelled when all have voted, so it keeps no process
 * alive for longer than the decision takes.
 *
 * INVALID_ARGUMENT, thrown by the constructor and `register` and rejected by `decide`, before anybody is asked: unknown
 * keys, methods and options that {@link tally} refuses, a weight that is negative or has more than nine decimals, a timeout
 * that is not a whole number from 1 to 2^31 - 1, a context that is not JSON.
 *
 * @example
 * ```ts
 * import { FederatedDecisions } from "safeguards/coordination";
 * const board = new FederatedDecisions({ method: "weighted", voteTimeoutMs: 5_000 });
 * board.register("cautious", () => "wait", 2);
 * board.register("bold", async ({ options }) => options[0]);
 * const { decision } = await board.decide("Release now?", ["ship", "wait"]); // "wait"
 * ```
 */
export class FederatedDecisions extends FederatedDecisionsWith<AbortSignal> {
  /** Defaults: `"majority"`, 30 000. */
  constructor(options: FederatedDecisionsOptions = {}) {
    super(host, options);
  }
}
