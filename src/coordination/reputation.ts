/**
 * How often voters were right, and what their votes weigh for that.
 *
 * 1. What is known of a voter is two counts: how often it was right, and how often wrong.
 * 2. Accuracy and weight are computed from the counts alone, so the order of what was learned does not matter.
 * 3. A weight is a nine-place decimal, at least 0. It takes a logarithm, which two machines may round differently: whoever
 *    must come to the same again later keeps the weight, not only the counts.
 *
 * The functions are the whole logic, for whoever keeps the counts elsewhere; {@link Reputation} holds them.
 */
import { checkId, checkInteger, invalid } from "./structures/arguments.ts";

const NANOS = 1_000_000_000;

/** How often a voter was right and wrong, as far as the truth became known. */
export interface Standing {
  readonly right: number;
  readonly wrong: number;
}

/** Of one of whom nothing is known. */
export const NO_STANDING: Standing = { right: 0, wrong: 0 };

/** The standing after one more vote of which the truth is known. */
export function standingAfter({ right, wrong }: Standing, correct: boolean): Standing {
  return correct ? { right: right + 1, wrong } : { right, wrong: wrong + 1 };
}

/** Mean of the Beta(1 + right, 1 + wrong) posterior: above 0 and below 1. */
export function accuracyOf({ right, wrong }: Standing): number {
  return (1 + right) / (2 + right + wrong);
}

/** max(0, ln((k − 1) p / (1 − p))) for k options, to nine places; p / (1 − p) is a quotient of counts. */
export function votingWeightOf({ right, wrong }: Standing, options: number): number {
  const log = Math.log(((options - 1) * (1 + right)) / (1 + wrong));
  return log > 0 ? Math.round(log * NANOS) / NANOS : 0;
}

/** What each of these voters weighs among so many options: when that is nothing for all of them, all weigh 1. */
export function learnedWeights(standings: ReadonlyMap<string, Standing>, options: number): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  let heaviest = 0;
  for (const [voter, standing] of standings) {
    const weight = votingWeightOf(standing, options);
    weights.set(voter, weight);
    heaviest = Math.max(heaviest, weight);
  }
  if (heaviest === 0) for (const voter of weights.keys()) weights.set(voter, 1);
  return weights;
}

/**
 * Learns from known truths how often each voter is right, and says what its vote should weigh for that.
 *
 * With independent voters, no other weights decide rightly more often: for two options S. Nitzan & J. Paroush, "Optimal
 * decision rules in uncertain dichotomous choice situations", International Economic Review 23, 1982; for more, with errors
 * that fall on all wrong options alike. One of whom nothing is known has an accuracy of 0.5; who does no better than guessing
 * weighs 0. Where that would be everybody, give all of them 1: no vote that weighs anything is `no_quorum`.
 *
 * INVALID_ARGUMENT: an id that is none, `correct` that is no boolean, `options` that is not an integer from 1 to 2^53 - 1.
 *
 * @example
 * ```ts
 * import { Reputation, tally } from "safeguards/coordination";
 * const reputation = new Reputation();
 * for (const correct of [true, true, true, false]) reputation.record("ann", correct);
 * reputation.record("bob", true);
 * reputation.accuracy("ann"); // 4 / 6: three times right and once wrong, on top of one of each
 * const votes = { ann: "yes", bob: "no" } as const;
 * const weights = { ann: reputation.weight("ann"), bob: reputation.weight("bob") };
 * const { outcome } = tally({ options: ["yes", "no"], votes, weights, method: "weighted" }); // "tied": both weigh ln 2
 * ```
 */
export class Reputation {
  readonly #standings: Map<string, Standing> = new Map();

  /** The truth became known, and the voter was right or wrong. */
  record(agentId: string, correct: boolean): void {
    checkId(agentId, "agentId");
    if (typeof correct !== "boolean") throw invalid("correct", correct, "true or false");
    this.#standings.set(agentId, standingAfter(this.#of(agentId), correct));
  }

  /** Mean of the Beta(1 + right, 1 + wrong) posterior; 0.5 for one of whom nothing is known. */
  accuracy(agentId: string): number {
    return accuracyOf(this.#of(checkId(agentId, "agentId")));
  }

  /** What its vote weighs among so many options (default 2): max(0, ln((k − 1) p / (1 − p))), to nine places. */
  weight(agentId: string, options = 2): number {
    checkId(agentId, "agentId");
    return votingWeightOf(this.#of(agentId), checkInteger(options, "options", 1, Number.MAX_SAFE_INTEGER));
  }

  #of(agentId: string): Standing {
    return this.#standings.get(agentId) ?? NO_STANDING;
  }
}
