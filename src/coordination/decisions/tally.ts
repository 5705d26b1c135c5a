import { type Amount, AmountSum, amountToNumber, integer, isZero, ONE, ZERO } from "../structures/amount.ts";
import { checkKeys, columnsOf, nullRecord } from "../structures/arguments.ts";
import { doubleAt, itemAt } from "../structures/at.ts";
import type { Decision, Election, Vote } from "./election.ts";
import { meets, nanosOf } from "./share.ts";
import { type CheckedTerms, checkTerms, TERMS } from "./terms.ts";
import { breakTie } from "./tie-break.ts";
import type { Ballot, Count, Offer, Reading, VotingRule } from "./voting-rule.ts";

/**
 * Counts votes. Pure: the same election gives the same decision, and neither the order of the votes nor the names of the
 * options matter, but to the tie-breaks `first` and `seed`.
 *
 * A vote is one option with the first three methods, a list with the others, scores with `score`:
 * - **majority**: most votes win. **weighted**: most weight wins. **unanimous**: all valid votes are for one option, and
 *   with an `electorate` nobody in it is missing; else `no_consensus`.
 * - **approval**: a list of all options that are approved of; the most approved wins.
 * - **score**: a number of at most nine decimals for each option, 0 for those left out; the highest sum wins.
 * - **borda**, **instant-runoff**, **schulze**, **ranked-pairs**: a ranking, the best first, of some or all options. Schulze
 *   takes 250 options at most and ranked pairs 100. What the tally's scores mean is said below.
 *
 * How it is judged:
 * - In this order: too few valid votes is `no_quorum`; a leader short of the threshold is `no_majority`; several leaders are
 *   `tied`, unless the tie-break finds one. A chair decides if one tied option is above all others tied in its vote.
 * - No valid vote, or none that weighs anything, is `no_quorum` with every method and every quorum.
 * - A vote of `undefined` is an abstention. A vote of a wrong kind (`null` too), for what is not offered, with an option
 *   twice, or from outside the electorate is `invalid`: counted nowhere and reported. `votes` of the decision holds the valid
 *   ones. An empty list, or scores without an option, are valid: they prefer nothing.
 * - Weights count with every method but majority and unanimous. They are added exactly: 0.1 and 0.2 tie with 0.3. All who may
 *   vote together weigh less than 2^53. The quorum is a share of the weight for `weighted`, else of the heads.
 * - Shares are compared exactly: a threshold of 0.5 is exceeded by 2 of 3 and not by 2 of 4, and `{ atLeast: "2/3" }` is
 *   reached by 2 of 3. A threshold of 1 is exceeded by nothing; `{ atLeast: "1/1" }` asks for all.
 *
 * The scores in `tally` are votes or weight; the sum with `score`; points with `borda` (n - 1 for the first of n); with
 * `instant-runoff` what an option had when it left or in the last round; with `schulze` how many others it beats; with
 * `ranked-pairs` how many others it is placed above, as far as the order of equal pairs does not matter.
 *
 * INVALID_ARGUMENT: an unknown key or method, no options, one twice or too many, an elector twice, a weight that is negative
 * or has more than nine decimals, a share outside 0 to 1, a threshold with a method that is not majority, weighted or
 * approval.
 *
 * @example
 * ```ts
 * import { tally } from "safeguards/coordination";
 * const votes = { ann: ["ship", "wait"], bob: ["wait", "stop"], cy: ["stop", "ship"], dee: ["ship"] } as const;
 * const { outcome, decision } = tally({ options: ["ship", "wait", "stop"], votes, method: "schulze" });
 * // "decided", "ship"
 * ```
 */
export function tally<const O extends string>(election: Election<O>): Decision<O> {
  checkKeys(election, [...TERMS, "votes"], "the election");
  const { votes, ...terms } = election;
  const { keys, values } = columnsOf(votes, "votes");
  return count(
    checkTerms(terms, () => keys),
    keys,
    values,
  );
}

/** {@link tally} for terms that were checked before, with votes that may be anything. */
export function countVotes<O extends string>(terms: CheckedTerms<O>, votes: ReadonlyMap<string, unknown>): Decision<O> {
  return count(terms, [...votes.keys()], [...votes.values()]);
}

/** The same for the votes of the whole electorate, each in its place; `undefined` is an abstention. */
export function countElectorate<O extends string>(
  terms: CheckedTerms<O> & { readonly electorate: readonly string[] },
  votes: readonly unknown[],
): Decision<O> {
  return count(terms, terms.electorate, votes);
}

/** The option that each voter put above all others, for those whose vote is valid and puts one there. By the same terms. */
export function favouritesIn<O extends string>(
  terms: CheckedTerms<O>,
  votes: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, O> {
  const offer = offerOf(terms.options);
  const roll = callRoll(terms, offer, [...votes.keys()], [...votes.values()]);
  const places = terms.options.map((_, place) => place);
  const favourites = new Map<string, O>();
  for (const voter of Object.keys(roll.votes)) {
    const option = favouriteOf(terms, offer, roll.votes[voter], places);
    if (option !== undefined) favourites.set(voter, option);
  }
  return favourites;
}

/** The option among these places that a valid vote puts above all the others. */
function favouriteOf<O extends string>(
  { rule, options }: CheckedTerms<O>,
  offer: Offer<O>,
  vote: Vote<O> | undefined,
  places: readonly number[],
): O | undefined {
  const reading = vote === undefined ? undefined : rule.read(vote, offer);
  const place = reading === undefined ? undefined : rule.favourite(reading, places);
  return place === undefined ? undefined : options[place];
}

function count<O extends string>(
  terms: CheckedTerms<O>,
  voters: readonly string[],
  votes: readonly unknown[],
): Decision<O> {
  const { rule, options } = terms;
  const offer = offerOf(options);
  const roll = callRoll(terms, offer, voters, votes);
  const counted = rule.count(roll.ballots, options.length);
  return {
    ...judge(terms, offer, roll, counted),
    tally: options.map((option, place) => ({ option, score: itemAt(counted.scores, place) })),
    method: rule.method,
    votes: roll.votes,
    abstained: roll.abstained,
    invalid: roll.invalid,
    ...(rule.weighs ? { weightsUsed: weightsOf(roll.electorate, terms) } : {}),
    ...(terms.question === undefined ? {} : { question: terms.question }),
  };
}

function weightsOf(voters: readonly string[], { weights }: CheckedTerms<string>): Readonly<Record<string, number>> {
  const record = nullRecord<number>();
  for (const voter of voters) record[voter] = amountToNumber(weights.get(voter) ?? ONE);
  return record;
}

/** Who voted what. All that is by voter is in the order of ids. */
interface Roll<O extends string> {
  readonly electorate: readonly string[];
  /** The votes that are valid, and how many. */
  readonly votes: Readonly<Record<string, Vote<O>>>;
  readonly heads: number;
  /** These votes, to be counted: one each, or where they weigh nothing of their own, one for all that are for the same option. */
  readonly ballots: readonly Ballot[];
  readonly abstained: readonly string[];
  readonly invalid: readonly string[];
}

/** One pass over the votes: what is done for each is most of the work of a tally. */
function callRoll<O extends string>(
  terms: CheckedTerms<O>,
  offer: Offer<O>,
  voters: readonly string[],
  votes: readonly unknown[],
): Roll<O> {
  const { rule, weights } = terms;
  const order = orderOf(voters);
  const inOrder = order === undefined ? voters : order.map((at) => itemAt(voters, at));
  const electorate = terms.electorate ?? inOrder;
  const told = nullRecord<Vote<O>>();
  const ballots: Ballot[] = [];
  const heads = new Float64Array(terms.options.length);
  const abstained: string[] = [];
  const invalid: string[] = [];
  // Both are sorted: electors and votes are met with in step.
  let next = 0;
  for (let at = 0; at < inOrder.length; at += 1) {
    const voter = itemAt(inOrder, at);
    let elector = electorate[next];
    for (; elector !== undefined && elector !== voter && elector < voter; elector = electorate[next]) {
      abstained.push(elector);
      next += 1;
    }
    const isElector = elector === voter;
    if (isElector) next += 1;
    const given = votes[order?.[at] ?? at];
    if (given === undefined) {
      if (isElector) abstained.push(voter);
      continue;
    }
    const reading = isElector ? read(rule, given, offer) : undefined;
    if (reading === undefined) {
      invalid.push(voter);
      continue;
    }
    const { vote, picks, points } = reading;
    told[voter] = vote;
    if (rule.weighs) ballots.push({ picks, points, weight: weights.get(voter) ?? ONE });
    else {
      const place = itemAt(picks, 0);
      heads[place] = doubleAt(heads, place) + 1;
    }
  }
  for (; next < electorate.length; next += 1) abstained.push(itemAt(electorate, next));
  return {
    electorate,
    votes: told,
    heads: rule.weighs ? ballots.length : heads.reduce((sum, some) => sum + some, 0),
    ballots: rule.weighs
      ? ballots
      : Array.from(heads, (some, place) => ({ picks: [place], points: undefined, weight: integer(some) })),
    abstained,
    invalid,
  };
}

function offerOf<O extends string>(options: readonly O[]): Offer<O> {
  return {
    options,
    places: new Map(options.map((option, place) => [option, place])),
    choices: new Map(options.map((option, place) => [option, { vote: option, picks: [place], points: undefined }])),
  };
}

/** Where each is in the order of the ids; `undefined` when they are in order. */
function orderOf(ids: readonly string[]): readonly number[] | undefined {
  let at = 1;
  while (at < ids.length && itemAt(ids, at - 1) < itemAt(ids, at)) at += 1;
  if (at >= ids.length) return undefined;
  return Array.from(ids, (_, place) => place).sort((a, b) => (itemAt(ids, a) < itemAt(ids, b) ? -1 : 1));
}

/** A vote may be an object that throws when it is looked at: that spoils nobody else's. */
function read<O extends string>(rule: VotingRule, vote: unknown, offer: Offer<O>): Reading<O> | undefined {
  try {
    return rule.read(vote, offer);
  } catch {
    return undefined;
  }
}

type Judgement<O extends string> = Pick<Decision<O>, "outcome" | "decision" | "tied">;

function judge<O extends string>(terms: CheckedTerms<O>, offer: Offer<O>, roll: Roll<O>, counted: Count): Judgement<O> {
  const { rule, quorum, threshold } = terms;
  const heads = integer(roll.heads);
  const cast = rule.weighs ? sumOf(roll.ballots, ({ weight }) => weight) : heads;
  if (isZero(cast)) return { outcome: "no_quorum", decision: undefined };
  if (quorum !== undefined) {
    const everybody = rule.quorumByWeight
      ? sumOf(roll.electorate, (voter) => terms.weights.get(voter) ?? ONE)
      : integer(roll.electorate.length);
    const present = rule.quorumByWeight ? cast : heads;
    if (!meets(quorum, nanosOf(present), nanosOf(everybody))) return { outcome: "no_quorum", decision: undefined };
  }

  const isMissing = terms.electorate !== undefined && roll.heads < roll.electorate.length;
  const winners = rule.needsEverybody && isMissing ? [] : counted.winners;
  if (winners.length === 0) return { outcome: "no_consensus", decision: undefined };
  if (threshold !== undefined) {
    const lead = counted.lead ?? ZERO;
    if (!meets(threshold, nanosOf(lead), nanosOf(cast))) return { outcome: "no_majority", decision: undefined };
  }
  return decide(terms, offer, roll, winners);
}

function decide<O extends string>(
  terms: CheckedTerms<O>,
  offer: Offer<O>,
  { votes }: Roll<O>,
  winners: readonly number[],
): Judgement<O> {
  const tied = terms.options.filter((_, place) => winners.includes(place));
  if (tied.length === 1) return { outcome: "decided", decision: tied[0] };
  const decision = breakTie(terms.tieBreak, tied, (voter) => favouriteOf(terms, offer, votes[voter], winners));
  if (decision !== undefined) return { outcome: "decided", decision };
  return { outcome: "tied", decision: undefined, tied };
}

function sumOf<T>(parts: readonly T[], weightOf: (part: T) => Amount): Amount {
  const sum = new AmountSum();
  for (const part of parts) sum.add(weightOf(part));
  return sum.total();
}
