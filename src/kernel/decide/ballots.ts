/** Ballots: electorate and weights are fixed at opening; one counted vote a voter, the last before closing. */

import type { Decision } from "../../coordination/decisions/election.ts";
import { countVotes } from "../../coordination/decisions/tally.ts";
import { checkTerms, type Terms } from "../../coordination/decisions/terms.ts";
import { amountToNumber } from "../../coordination/structures/amount.ts";
import {
  checkAmount,
  checkId,
  checkKeys,
  entriesOf,
  invalid,
  nullRecord,
} from "../../coordination/structures/arguments.ts";
import type { Answer, Command } from "../commands.ts";
import type { BallotOpenedEvent } from "../events.ts";
import { defaults, limits } from "../limits.ts";
import { known } from "../named.ts";
import type { Ballot } from "../state.ts";
import { agentNamed, type Desk, DONE, refused } from "./desk.ts";
import { duration } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

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
  const { state } = desk;
  if (typeof question !== "string" || question.length > limits.messageLength)
    throw invalid("question", question, `a string of at most ${limits.messageLength} characters`);
  if (!Array.isArray(options) || options.length === 0 || options.length > limits.options)
    throw invalid("options", options, `1 to ${limits.options} distinct strings`);
  const deadlineMs =
    command.deadlineMs === undefined ? defaults.ballotDeadlineMs : duration(command.deadlineMs, "deadlineMs", false);
  if (voters !== undefined && (!Array.isArray(voters) || voters.length > limits.voters))
    throw invalid("voters", voters, `a list of at most ${limits.voters} agents' names`);
  const given = command.weights === undefined ? undefined : new Map(entriesOf(command.weights, "weights"));
  for (const [name, weight] of given ?? []) checkAmount(weight, `weight of ${name}`, { zero: true });
  const electorate =
    voters === undefined
      ? [...state.agents.values()].filter((agent) => agent.votes).map((agent) => agent.name)
      : [...new Set(voters.map((name) => checkId(name, "voter")))];
  const weights = nullRecord<number>();
  for (const name of electorate) {
    const agent = agentNamed(state, name);
    if (!agent.votes)
      throw refused(
        "INVALID_ARGUMENT",
        `agent ${JSON.stringify(name)} has no voter; give it one, or leave it out of voters`,
        { agent: name },
      );
    const weight = given?.get(name) ?? agent.weight;
    weights[name] = amountToNumber(checkAmount(weight, `weight of ${name}`, { zero: true }));
  }
  if (state.openBallots >= limits.openBallots)
    throw refused("QUEUE_FULL", `${limits.openBallots} ballots are open: that is the most`);
  const opened: BallotOpenedEvent = {
    type: "ballot.opened",
    v: 1,
    ballotId: `b${state.lastBallotNumber + 1}`,
    question,
    options,
    method,
    electorate,
    weights,
    ...(quorum === undefined ? {} : { quorum }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(tieBreak === undefined ? {} : { tieBreak }),
    deadlineAt: desk.now + deadlineMs,
    ...(context === undefined ? {} : { context }),
  };
  checkTerms(termsOf(opened));
  desk.emit(opened);
  const ballot = state.ballots.get(opened.ballotId);
  if (ballot !== undefined) closeIfComplete(desk, ballot);
  return { ok: true, ids: [opened.ballotId] };
}

export function cast(desk: Desk, command: CommandOf<"ballot.cast">): Answer {
  const ballot = desk.state.ballots.get(command.ballotId);
  if (ballot === undefined)
    throw refused("UNKNOWN_BALLOT", `no ballot has the id ${JSON.stringify(command.ballotId)}`, {
      ballotId: command.ballotId,
    });
  if (!ballot.open || desk.now >= ballot.opened.deadlineAt)
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

export function ballotDue(desk: Desk, ballotId: string): void {
  close(desk, known(desk.state.ballots.get(ballotId), "ballot", ballotId));
}

function closeIfComplete(desk: Desk, ballot: Ballot): void {
  if (ballot.votes.size >= ballot.opened.electorate.length) close(desk, ballot);
}

function close(desk: Desk, ballot: Ballot): void {
  const decision = count(ballot.opened, ballot.votes);
  desk.emit({
    type: "ballot.decided",
    v: 1,
    ballotId: ballot.id,
    outcome: decision.outcome,
    ...(decision.decision === undefined ? {} : { decision: decision.decision }),
  });
}

/** Counts, or recounts. */
export function count(opened: BallotOpenedEvent, votes: Ballot["votes"]): Decision<string> {
  return countVotes(checkTerms(termsOf(opened)), votes);
}

function termsOf(opened: BallotOpenedEvent): Terms<string> {
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
