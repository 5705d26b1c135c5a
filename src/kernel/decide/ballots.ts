/** Ballots: electorate and weights are fixed at opening; one counted vote a voter, the last before closing. */

import type { Decision } from "../../coordination/decisions/election.ts";
import { countVotes, favouritesIn } from "../../coordination/decisions/tally.ts";
import { checkTerms, type Terms } from "../../coordination/decisions/terms.ts";
import { learnedWeights, type Standing, standingAfter } from "../../coordination/reputation.ts";
import { amountToNumber } from "../../coordination/structures/amount.ts";
import {
  checkAmount,
  checkDistinct,
  checkId,
  checkKeys,
  entriesOf,
  invalid,
  nullRecord,
} from "../../coordination/structures/arguments.ts";
import type { SafeguardsError } from "../../errors.ts";
import { ballotIn, ballotRow } from "../ballot-row.ts";
import type { Answer, Command } from "../commands.ts";
import type { BallotOpenedEvent } from "../events/ballots.ts";
import { defaults, limits } from "../limits.ts";
import { known } from "../named.ts";
import type { AgentState, Ballot, State } from "../state.ts";
import { agentNamed, type Desk, DONE, refused } from "./desk.ts";
import { duration } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** What `weights` of a ballot may be. */
export const WEIGHTS = 'an object or a Map of weights by agent, or "reputation"';

const KEYS = [
  "type",
  "question",
  "options",
  "voters",
  "method",
  "weights",
  "quorum",
  "threshold",
  "tieBreak",
  "deadlineMs",
  "context",
];

export function openBallot(desk: Desk, command: CommandOf<"ballot.open">): Answer {
  checkKeys(command, KEYS, "ballot");
  const { question, options, voters, method = "majority", quorum, threshold, tieBreak, context } = command;
  const { weights: asked = {} } = command;
  const { state } = desk;
  if (typeof question !== "string" || question.length > limits.messageLength)
    throw invalid("question", question, `a string of at most ${limits.messageLength} characters`);
  if (!Array.isArray(options) || options.length === 0 || options.length > limits.options)
    throw invalid("options", options, `1 to ${limits.options} distinct strings`);
  const deadlineMs =
    command.deadlineMs === undefined ? defaults.ballotDeadlineMs : duration(command.deadlineMs, "deadlineMs", false);
  if (voters !== undefined && (!Array.isArray(voters) || voters.length > limits.voters))
    throw invalid("voters", voters, `a list of at most ${limits.voters} agents' names`);
  const given = new Map(asked === "reputation" ? [] : entriesOf(asked, "weights", WEIGHTS));
  for (const [name, weight] of given) checkAmount(weight, `weight of ${name}`, { zero: true });
  // What is wrong whoever votes is told before who of them is not there.
  const terms = {
    question,
    options,
    method,
    ...(quorum === undefined ? {} : { quorum }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(tieBreak === undefined ? {} : { tieBreak }),
  };
  checkTerms(terms);
  const named = voters?.map((name) => checkId(name, "voter"));
  if (named !== undefined) checkDistinct(named, "voters");
  const electorate = named ?? [...state.agents.values()].filter(isThereToVote).map((agent) => agent.name);
  for (const name of given.keys()) {
    if (!state.agents.has(name))
      throw refused(
        "UNKNOWN_AGENT",
        `weights names ${JSON.stringify(name)}, and no agent is registered under that name`,
        {
          agent: name,
        },
      );
  }
  const agents = electorate.map((name) => agentNamed(state, name));
  const mute = agents.find((agent) => !agent.votes);
  if (mute !== undefined)
    throw refused(
      "INVALID_ARGUMENT",
      `agent ${JSON.stringify(mute.name)} has no voter; give it one, or leave it out of voters`,
      { agent: mute.name },
    );
  const weights =
    asked === "reputation"
      ? learnedWeights(new Map(agents.map(({ name, standing }) => [name, standing])), options.length)
      : new Map(agents.map(({ name, weight }) => [name, given.get(name) ?? weight]));
  if (state.openBallots >= limits.openBallots)
    throw refused("QUEUE_FULL", `${limits.openBallots} ballots are open: that is the most`);
  const opened: BallotOpenedEvent = {
    type: "ballot.opened",
    v: 1,
    ballotId: `b${state.lastBallotNumber + 1}`,
    ...terms,
    electorate,
    weights: exact(weights),
    deadlineAt: desk.now + deadlineMs,
    ...(context === undefined ? {} : { context }),
  };
  checkTerms(termsOf(opened));
  desk.emit(opened);
  const ballot = state.ballots.get(opened.ballotId);
  if (ballot !== undefined) closeIfComplete(desk, ballot);
  return { ok: true, ids: [opened.ballotId] };
}

/** Who is gone is asked by name only: it would be waited for in vain, and break every unanimity. */
function isThereToVote({ votes, online }: AgentState): boolean {
  return votes && online;
}

/** The decimals that they stand for. */
function exact(weights: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const record = nullRecord<number>();
  for (const [name, weight] of weights)
    record[name] = amountToNumber(checkAmount(weight, `weight of ${name}`, { zero: true }));
  return record;
}

/**
 * A vote counts as long as the ballot is open. It closes at its deadline, or as soon after it as anything is decided again, but
 * not before the votes that were given by then: whoever kept the process busy past the deadline takes nobody's vote away.
 */
export function cast(desk: Desk, command: CommandOf<"ballot.cast">): Answer {
  const ballot = ballotNamed(desk.state, command.ballotId);
  if (!ballot.open)
    throw refused("INVALID_STATE", `ballot ${ballot.id} is closed: the vote comes too late`, { ballotId: ballot.id });
  if (!ballot.opened.electorate.includes(command.voter))
    throw refused("INVALID_ARGUMENT", `${JSON.stringify(command.voter)} has no vote in ballot ${ballot.id}`, {
      ballotId: ballot.id,
      voter: command.voter,
    });
  desk.emit({
    type: "ballot.cast",
    v: 1,
    ballotId: ballot.id,
    voter: command.voter,
    ...(command.vote === undefined ? {} : { vote: command.vote }),
  });
  closeIfComplete(desk, ballot);
  return DONE;
}

export function extendBallot(desk: Desk, command: CommandOf<"ballot.extend">): Answer {
  const ms = duration(command.ms, "ms", false);
  const { id, open, opened } = ballotNamed(desk.state, command.ballotId);
  if (!open) throw refused("INVALID_STATE", `ballot ${id} is closed: it cannot be extended any more`, { ballotId: id });
  desk.emit({ type: "ballot.extended", v: 1, ballotId: id, deadlineAt: opened.deadlineAt + ms });
  return DONE;
}

/** What was true, of a ballot wherever it is: what it taught is told in full, so that replaying it computes nothing. */
export function reveal(desk: Desk, command: CommandOf<"ballot.reveal">): Answer {
  const { ballotId, truth } = command;
  if (typeof ballotId !== "string") throw invalid("ballotId", ballotId, "a string");
  if (typeof truth !== "string") throw invalid("truth", truth, "an option of the ballot");
  const { ballots } = desk.state;
  const row = desk.recalled("ballot", ballotId);
  const ballot = ballots.get(ballotId) ?? (row === undefined ? undefined : ballotIn(row));
  if (ballot === undefined) throw unknownBallot(ballotId);
  if (ballot.open)
    throw refused("INVALID_STATE", `ballot ${ballotId} is open: what was true is revealed when it is closed`, {
      ballotId,
    });
  if (ballot.truth !== undefined)
    throw refused("INVALID_STATE", `ballot ${ballotId} was revealed before: ${JSON.stringify(ballot.truth)} was true`, {
      ballotId,
      truth: ballot.truth,
    });
  if (!ballot.opened.options.includes(truth))
    throw refused("INVALID_ARGUMENT", `${JSON.stringify(truth)} was no option of ballot ${ballotId}`, {
      ballotId,
      truth,
    });
  desk.emit({ type: "ballot.revealed", v: 1, ballotId, truth, learned: learnedFrom(desk.state, ballot, truth) });
  // One that has left memory is put into the archive anew, with the commit of the event.
  if (!ballots.has(ballotId))
    desk.state.outbox.add({ kind: "ballot", id: ballotId, row: ballotRow({ ...ballot, truth }) });
  return DONE;
}

/** How those stand now whose vote put one option above all others. */
function learnedFrom(state: State, ballot: Ballot, truth: string): Readonly<Record<string, Standing>> {
  const learned = nullRecord<Standing>();
  for (const [voter, favourite] of favouritesIn(checkTerms(termsOf(ballot.opened)), ballot.votes))
    learned[voter] = standingAfter(agentNamed(state, voter).standing, favourite === truth);
  return learned;
}

function ballotNamed(state: State, id: string): Ballot {
  const ballot = state.ballots.get(id);
  if (ballot === undefined) throw unknownBallot(id);
  return ballot;
}

function unknownBallot(ballotId: string): SafeguardsError {
  return refused("UNKNOWN_BALLOT", `no ballot has the id ${JSON.stringify(ballotId)}`, { ballotId });
}

export function ballotDue(desk: Desk, ballotId: string): void {
  close(desk, known(desk.state.ballots.get(ballotId), "ballot", ballotId));
}

export function closeIfComplete(desk: Desk, ballot: Ballot): void {
  if (ballot.votes.size >= ballot.opened.electorate.length) close(desk, ballot);
}

export function close(desk: Desk, ballot: Ballot): void {
  const decision = countOf(ballot);
  desk.emit({
    type: "ballot.decided",
    v: 1,
    ballotId: ballot.id,
    outcome: decision.outcome,
    ...(decision.decision === undefined ? {} : { decision: decision.decision }),
  });
}

/** The count as it stands, which is made once: until there is another vote. */
export function countOf(ballot: Ballot): Decision {
  ballot.counted ??= recount(ballot);
  return ballot.counted;
}

/** The count as if these had never had a vote. */
export function countWithout({ opened, votes }: Ballot, voters: readonly string[]): Decision {
  const electorate = opened.electorate.filter((voter) => !voters.includes(voter));
  return recount({ opened: { ...opened, electorate }, votes });
}

/** Counts from the votes, whatever was counted before. */
function recount({ opened, votes }: Pick<Ballot, "opened" | "votes">): Decision {
  return countVotes(checkTerms(termsOf(opened)), votes);
}

export function termsOf(opened: BallotOpenedEvent): Terms<string> {
  const { question, options, method, electorate, weights, quorum, threshold, tieBreak } = opened;
  return {
    question,
    options,
    method,
    electorate,
    weights,
    ...(quorum === undefined ? {} : { quorum }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(tieBreak === undefined ? {} : { tieBreak }),
  };
}
