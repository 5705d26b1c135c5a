import { SafeguardsError } from "../../errors.ts";
import { type Amount, AmountSum, ONE } from "../structures/amount.ts";
import { checkAmount, checkDistinct, checkId, checkKeys, entriesOf, invalid, show } from "../structures/arguments.ts";
import type { RecordOf } from "../structures/types.ts";
import { approval } from "./approval.ts";
import { borda } from "./borda.ts";
import type { Quorum, Threshold, TieBreak } from "./election.ts";
import { instantRunoff } from "./instant-runoff.ts";
import { majority } from "./majority.ts";
import { rankedPairs } from "./ranked-pairs.ts";
import { schulze } from "./schulze.ts";
import { score } from "./score.ts";
import { checkQuorum, checkThreshold, nanosOf, type Share } from "./share.ts";
import { checkTieBreak } from "./tie-break.ts";
import { unanimous } from "./unanimous.ts";
import type { VotingRule } from "./voting-rule.ts";
import { weighted } from "./weighted.ts";

/** Every rule there is. Another is a file of its own and a name in this list. */
const RULES: readonly VotingRule[] = [
  majority,
  weighted,
  unanimous,
  approval,
  score,
  borda,
  instantRunoff,
  schulze,
  rankedPairs,
];

const WEIGHTS = "an object or a Map of weights by voter";

/** An election without its votes: what can be checked before anybody is asked. */
export interface Terms<O extends string> {
  readonly options: readonly O[];
  readonly method: string;
  readonly weights?: RecordOf<number>;
  readonly electorate?: readonly string[];
  readonly quorum?: Quorum;
  readonly threshold?: Threshold;
  readonly tieBreak?: unknown;
  readonly question?: string;
}
export const TERMS: readonly (keyof Terms<string>)[] = [
  "options",
  "method",
  "weights",
  "electorate",
  "quorum",
  "threshold",
  "tieBreak",
  "question",
];

/** Terms that are known to be good, as counting needs them. */
export interface CheckedTerms<O extends string> {
  readonly options: readonly O[];
  readonly rule: VotingRule;
  readonly weights: ReadonlyMap<string, Amount>;
  /** In order of ids. `undefined`: whoever has an entry among the votes. */
  readonly electorate: readonly string[] | undefined;
  readonly quorum: Share | undefined;
  readonly threshold: Share | undefined;
  readonly tieBreak: TieBreak;
  readonly question: string | undefined;
}

const NO_WEIGHTS: ReadonlyMap<string, Amount> = new Map();

/** Checks everything but the votes. `voters` may vote where no electorate is given. INVALID_ARGUMENT names what is wrong. */
export function checkTerms<O extends string>(
  terms: Terms<O>,
  voters: () => Iterable<string> = () => [],
): CheckedTerms<O> {
  checkKeys(terms, TERMS, "the election");
  const weights = terms.weights === undefined ? NO_WEIGHTS : checkWeights(terms.weights);
  const electorate = terms.electorate === undefined ? undefined : checkElectorate(terms.electorate);
  return checkTermsFor({ electorate, weights }, terms, voters);
}

/** The same for who may vote, and weighs what, as was checked before. */
export function checkTermsFor<O extends string>(
  { electorate, weights }: Pick<CheckedTerms<O>, "electorate" | "weights">,
  terms: Omit<Terms<O>, "electorate" | "weights">,
  voters: () => Iterable<string> = () => [],
): CheckedTerms<O> {
  const rule = checkMethod(terms.method);
  const options = checkOptions(terms.options, rule);
  if (rule.weighs) refuseTooMuchWeight(electorate ?? voters(), weights);
  return {
    options,
    rule,
    weights,
    electorate,
    quorum: terms.quorum === undefined ? undefined : checkQuorum(terms.quorum),
    threshold: terms.threshold === undefined ? undefined : checkThresholdFor(rule, terms.threshold),
    tieBreak: terms.tieBreak === undefined ? "none" : checkTieBreak(terms.tieBreak),
    question: terms.question === undefined ? undefined : checkText(terms.question, "question"),
  };
}

/** The rule of this name. */
export function checkMethod(method: unknown): VotingRule {
  const rule = RULES.find((known) => known.method === method);
  if (rule !== undefined) return rule;
  throw invalid("method", method, `one of ${RULES.map((known) => known.method).join(", ")}`);
}

function checkThresholdFor(rule: VotingRule, threshold: Threshold): Share {
  if (rule.hasThreshold) return checkThreshold(threshold);
  const methods = RULES.filter((known) => known.hasThreshold).map((known) => known.method);
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `${rule.method} takes no threshold; ${methods.slice(0, -1).join(", ")} and ${methods.at(-1)} do`,
  );
}

function checkOptions<O extends string>(options: readonly O[], { method, mostOptions }: VotingRule): readonly O[] {
  if (!Array.isArray(options) || options.length === 0)
    throw invalid("options", options, "a list of at least one string");
  if (mostOptions !== undefined && options.length > mostOptions)
    throw invalid("the number of options", options.length, `at most ${mostOptions} with ${method}`);
  for (const option of options) checkText(option, "an option");
  checkDistinct(options, "options");
  return [...options];
}

function checkElectorate(electorate: readonly string[]): readonly string[] {
  if (!Array.isArray(electorate)) throw invalid("electorate", electorate, "a list of ids");
  for (const voter of electorate) checkId(voter, "a member of electorate");
  return [...checkDistinct(electorate, "electorate")].sort();
}

function checkWeights(record: RecordOf<number>): ReadonlyMap<string, Amount> {
  const weights = new Map<string, Amount>();
  for (const [voter, weight] of entriesOf(record, "weights", WEIGHTS)) {
    weights.set(voter, checkAmount(weight, `the weight of ${show(voter)}`, { zero: true }));
  }
  return weights;
}

/** Every sum of weights must be an Amount; the largest is that of all who may vote. */
function refuseTooMuchWeight(voters: Iterable<string>, weights: ReadonlyMap<string, Amount>): void {
  const sum = new AmountSum();
  let nanos = 0n;
  for (const voter of voters) sum.add(weights.get(voter) ?? ONE);
  if (!sum.isTooLarge) return;
  for (const voter of voters) nanos += nanosOf(weights.get(voter) ?? ONE);
  throw invalid("the weight of all voters together", Number(nanos) / 1e9, "less than 2^53");
}

function checkText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw invalid(what, value, "a string");
}
