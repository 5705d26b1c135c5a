/**
 * Asks a group of agents and counts what they say.
 *
 * 1. The electorate, the weights and the voters of a decision are those registered when it was asked for.
 * 2. All are asked at the same time, and each hears nothing of the others: neither their votes nor what they do to the
 *    ballot that they were given.
 * 3. Every decision ends, after `voteTimeoutMs` at the latest; who has not voted by then, or has thrown, has abstained.
 * 4. Nobody is asked when the question could not be decided: arguments are checked first.
 */

import { SafeguardsError } from "../../errors.ts";
import type { Amount } from "../structures/amount.ts";
import { checkAmount, checkId, checkInteger, checkKeys, invalid } from "../structures/arguments.ts";
import { itemAt } from "../structures/at.ts";
import type { Json } from "../structures/types.ts";
import type { Decision, Quorum, Threshold, TieBreak, Vote, VotingMethod } from "./election.ts";
import { type PollHost, poll } from "./poll.ts";
import { countElectorate } from "./tally.ts";
import { checkMethod, checkTermsFor } from "./terms.ts";

/** The longest that timers wait: beyond, they would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const OVERRIDES = ["method", "quorum", "threshold", "tieBreak", "voteTimeoutMs", "context", "vote"];

/** What an agent is asked. It is the agent's own copy. */
export interface BallotPaper<Signal> {
  readonly question: string;
  readonly options: readonly string[];
  /** Who is asked. */
  readonly voterId: string;
  /** Aborted when time is up. */
  readonly signal: Signal;
  readonly context?: Json;
}

/** How an agent votes. Giving nothing, throwing and being late are abstentions. */
export type VoterWith<Signal> = (ballot: BallotPaper<Signal>) => Vote | undefined | Promise<Vote | undefined>;

/** How a {@link FederatedDecisions} decides where a decision does not say otherwise. */
export interface FederatedDecisionsOptions {
  /** Default: `"majority"`. */
  readonly method?: VotingMethod;
  /** How long votes are waited for, in whole milliseconds, 1 to 2^31 - 1. Default 30 000. */
  readonly voteTimeoutMs?: number;
}

/** How one decision is made. What is left out is as for `tally`. */
export interface DecideOptions<Signal> extends FederatedDecisionsOptions {
  /** The least share, 0 to 1, of all who are registered (by weight for `weighted`) that must have voted validly. */
  readonly quorum?: Quorum;
  readonly threshold?: Threshold;
  readonly tieBreak?: TieBreak;
  /** What the voters should know. Each gets a copy. */
  readonly context?: Json;
  /** Instead of each agent's own voter; it gets the agent's id. */
  readonly vote?: VoterWith<Signal>;
}

/**
 * Makes decisions by asking every registered agent at the same time, wherever there are timers. The public one, with its
 * description, is in `src/coordination-entry.ts`.
 */
export class FederatedDecisions<Signal> {
  readonly #host: PollHost<Signal>;
  readonly #method: VotingMethod;
  readonly #voteTimeoutMs: number;
  readonly #voters = new Map<string, Registered<Signal>>();
  /** As it stands, until somebody comes or goes. */
  #roster: Roster<Signal> | undefined;

  constructor(host: PollHost<Signal>, options: FederatedDecisionsOptions = {}) {
    checkKeys(options, ["method", "voteTimeoutMs"], "the options of FederatedDecisions");
    this.#host = host;
    this.#method = checkMethod(options.method ?? "majority").method;
    this.#voteTimeoutMs = checkTimeout(options.voteTimeoutMs ?? 30_000);
  }

  /** Adds an agent, or replaces its voter and weight. The weight is ≥ 0 with at most nine decimals, 1 by default. */
  register(agentId: string, voter: VoterWith<Signal>, weight = 1): void {
    checkId(agentId, "agentId");
    checkVoter(voter, "voter");
    this.#voters.set(agentId, { voter, weight: checkAmount(weight, "weight", { zero: true }) });
    this.#roster = undefined;
  }

  /** Whether it was registered. It still has its vote in decisions that are being made. */
  unregister(agentId: string): boolean {
    this.#roster = undefined;
    return this.#voters.delete(agentId);
  }

  /** Asks all who are registered now, and resolves when all have voted or time is up. */
  async decide<const O extends string>(
    question: string,
    options: readonly O[],
    overrides: DecideOptions<Signal> = {},
  ): Promise<Decision<O>> {
    checkKeys(overrides, OVERRIDES, "the options of decide");
    const { method = this.#method, voteTimeoutMs = this.#voteTimeoutMs, quorum, threshold, tieBreak } = overrides;
    this.#roster ??= rosterOf(this.#voters);
    const { electorate, voters, asked, weights } = this.#roster;
    const terms = checkTermsFor(
      { electorate, weights },
      {
        question: checkQuestion(question),
        options,
        method,
        ...(quorum === undefined ? {} : { quorum }),
        ...(threshold === undefined ? {} : { threshold }),
        ...(tieBreak === undefined ? {} : { tieBreak }),
      },
    );
    const timeoutMs = checkTimeout(voteTimeoutMs);
    const instead = overrides.vote === undefined ? undefined : checkVoter(overrides.vote, "vote");
    const context = overrides.context === undefined ? undefined : checkJson(overrides.context);
    const offered = Object.freeze([...terms.options]);

    const votes = await poll(this.#host, asked, timeoutMs, (place, signal) => {
      const vote = instead ?? voters[place];
      const paper = { question, options: offered, voterId: itemAt(electorate, place), signal };
      return vote?.(context === undefined ? paper : { ...paper, context: JSON.parse(context) });
    });
    return countElectorate({ ...terms, electorate }, votes);
  }
}

interface Registered<Signal> {
  readonly voter: VoterWith<Signal>;
  readonly weight: Amount;
}

/** All who are registered at some time: their ids, in order, and their voters, each in the place of its id. */
interface Roster<Signal> {
  readonly electorate: readonly string[];
  readonly voters: readonly VoterWith<Signal>[];
  /** Their places, in the order of registration. */
  readonly asked: readonly number[];
  readonly weights: ReadonlyMap<string, Amount>;
}

function rosterOf<Signal>(registered: ReadonlyMap<string, Registered<Signal>>): Roster<Signal> {
  const inOrder = [...registered].sort(([a], [b]) => (a < b ? -1 : 1));
  const places = new Map(inOrder.map(([agentId], place) => [agentId, place]));
  return {
    electorate: inOrder.map(([agentId]) => agentId),
    voters: inOrder.map(([, { voter }]) => voter),
    asked: Array.from(registered.keys(), (agentId) => places.get(agentId) ?? 0),
    weights: new Map(inOrder.map(([agentId, { weight }]) => [agentId, weight])),
  };
}

function checkTimeout(value: unknown): number {
  return checkInteger(value, "voteTimeoutMs", 1, LONGEST_TIMEOUT_MS);
}

function checkQuestion(value: unknown): string {
  if (typeof value === "string") return value;
  throw invalid("question", value, "a string");
}

function checkVoter<Signal>(value: VoterWith<Signal>, what: string): VoterWith<Signal> {
  if (typeof value === "function") return value;
  throw invalid(what, value, "a function");
}

/** The context as text, from which each voter's copy is made. */
function checkJson(value: Json): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new SafeguardsError("INVALID_ARGUMENT", "context cannot be written as JSON", { cause });
  }
  throw invalid("context", value, "JSON");
}
