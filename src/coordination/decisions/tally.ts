import { type Amount, add, amountToNumber, isZero, ONE, ZERO } from "../structures/amount.ts";
import { checkKeys, entriesOf, nullRecord } from "../structures/arguments.ts";
import type { Decision, Election, Vote } from "./election.ts";
import { meets, nanosOf } from "./share.ts";
import { type CheckedTerms, checkTerms, TERMS } from "./terms.ts";
import { breakTie } from "./tie-break.ts";
import type { Count } from "./voting-rule.ts";

/**
 * Counts votes. Pure: the same election gives the same decision, and neither the order of the votes nor the names of the
 * options matter, but to the tie-breaks `first` and `seed`.
 *
 * - **majority**: most votes win. **weighted**: most weight wins. **unanimous**: all valid votes are for one option, and
 *   with an `electorate` nobody in it is missing; else `no_consensus`. Other methods do not exist yet.
 * - It is judged in this order: too few valid votes is `no_quorum`; a leader short of the threshold is `no_majority`;
 *   several leaders are `tied`, unless the tie-break finds one.
 * - No valid vote, or none that weighs anything, is `no_quorum` with every method and every quorum.
 * - A vote of `undefined` is an abstention. A vote of a wrong kind (`null` too), for what is not offered, or from outside
 *   the electorate is `invalid`: counted nowhere and reported. `votes` of the decision holds the valid ones.
 * - Shares are compared exactly: a threshold of 0.5 is exceeded by 2 of 3 and not by 2 of 4, and `{ atLeast: "2/3" }` is
 *   reached by 2 of 3. A threshold of 1 is exceeded by nothing; `{ atLeast: "1/1" }` asks for all.
 * - Weights are added exactly: 0.1 and 0.2 tie with 0.3. All who may vote together weigh less than 2^53.
 *
 * INVALID_ARGUMENT: an unknown key or method, no options or one twice, an elector twice, a weight that is negative or has
 * more than nine decimals, a share outside 0 to 1, a threshold with `unanimous`.
 *
 * @example
 * ```ts
 * import { tally } from "safeguards/coordination";
 * const votes = { ann: "ship", bob: "wait", cy: "ship" } as const;
 * const { outcome, decision } = tally({ options: ["ship", "wait"], votes, method: "majority", threshold: 0.5 });
 * // "decided", "ship"
 * ```
 */
export function tally<const O extends string>(election: Election<O>): Decision<O> {
  checkKeys(election, [...TERMS, "votes"], "the election");
  const { votes, ...terms } = election;
  const cast = new Map(entriesOf(votes, "votes"));
  return countVotes(checkTerms(terms, cast.keys()), cast);
}

/** {@link tally} for terms that were checked before, with votes that may be anything. */
export function countVotes<O extends string>(terms: CheckedTerms<O>, votes: ReadonlyMap<string, unknown>): Decision<O> {
  const { rule, options } = terms;
  const roll = callRoll(terms, votes);
  const weightOf = (voter: string): Amount => (rule.weighs ? (terms.weights.get(voter) ?? ONE) : ONE);
  const ballots = Array.from(roll.valid, ([voter, vote]) => ({ vote, weight: weightOf(voter) }));
  const count = rule.count(ballots, options);
  return {
    ...judge(terms, roll, count, weightOf),
    tally: count.scores.map(({ option, score }) => ({ option, score: amountToNumber(score) })),
    method: rule.method,
    votes: recordOf(roll.valid),
    abstained: roll.abstained,
    invalid: roll.invalid,
    ...(rule.weighs
      ? { weightsUsed: recordOf(roll.electorate.map((voter) => [voter, amountToNumber(weightOf(voter))])) }
      : {}),
    ...(terms.question === undefined ? {} : { question: terms.question }),
  };
}

/** Who voted what. All in the order of ids. */
interface Roll<O extends string> {
  readonly electorate: readonly string[];
  readonly valid: ReadonlyMap<string, Vote<O>>;
  readonly abstained: readonly string[];
  readonly invalid: readonly string[];
}

function callRoll<O extends string>(terms: CheckedTerms<O>, votes: ReadonlyMap<string, unknown>): Roll<O> {
  const electorate = terms.electorate ?? new Set(votes.keys());
  const offered = new Map<unknown, O>(terms.options.map((option) => [option, option]));
  const valid = new Map<string, Vote<O>>();
  const abstained: string[] = [];
  const invalid: string[] = [];
  for (const voter of [...new Set([...electorate, ...votes.keys()])].sort()) {
    const given = votes.get(voter);
    if (given === undefined) {
      if (electorate.has(voter)) abstained.push(voter);
      continue;
    }
    const vote = electorate.has(voter) ? terms.rule.read(given, offered) : undefined;
    if (vote === undefined) invalid.push(voter);
    else valid.set(voter, vote);
  }
  return { electorate: [...electorate].sort(), valid, abstained, invalid };
}

type Judgement<O extends string> = Pick<Decision<O>, "outcome" | "decision" | "tied">;

function judge<O extends string>(
  terms: CheckedTerms<O>,
  roll: Roll<O>,
  count: Count<O>,
  weightOf: (voter: string) => Amount,
): Judgement<O> {
  const { rule, quorum, threshold } = terms;
  const cast = sumOf(roll.valid.keys(), weightOf);
  if (isZero(cast)) return { outcome: "no_quorum", decision: undefined };
  if (quorum !== undefined) {
    const sizeOf = rule.quorumByWeight ? weightOf : () => ONE;
    const present = sumOf(roll.valid.keys(), sizeOf);
    const everybody = sumOf(roll.electorate, sizeOf);
    if (!meets(quorum, nanosOf(present), nanosOf(everybody))) return { outcome: "no_quorum", decision: undefined };
  }

  const isMissing = terms.electorate !== undefined && roll.valid.size < roll.electorate.length;
  const [leader, ...others] = rule.needsEverybody && isMissing ? [] : count.winners;
  if (leader === undefined) return { outcome: "no_consensus", decision: undefined };
  if (threshold !== undefined) {
    if (!meets(threshold, nanosOf(leader.score), nanosOf(cast))) return { outcome: "no_majority", decision: undefined };
  }
  if (others.length === 0) return { outcome: "decided", decision: leader.option };

  const tied = count.winners.map(({ option }) => option);
  const winner = breakTie(terms.tieBreak, tied, roll.valid);
  if (winner !== undefined) return { outcome: "decided", decision: winner };
  return { outcome: "tied", decision: undefined, tied };
}

function sumOf(voters: Iterable<string>, sizeOf: (voter: string) => Amount): Amount {
  let sum = ZERO;
  for (const voter of voters) sum = add(sum, sizeOf(voter));
  return sum;
}

function recordOf<V>(entries: Iterable<readonly [string, V]>): Readonly<Record<string, V>> {
  const record = nullRecord<V>();
  for (const [key, value] of entries) record[key] = value;
  return record;
}
