import type { Command } from "../commands.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

const open = { type: "ballot.open", question: "Ship it?", options: ["yes", "no"], voters: ["ann"] } as const;

function opening(more: object): unknown {
  return { ...open, ...more };
}

function cast(voter: string): Command {
  return { type: "ballot.cast", ballotId: "b1", voter, vote: "yes" };
}

function extend(ms: number): Command {
  return { type: "ballot.extend", ballotId: "b1", ms };
}

const shares = 'a number from 0 to 1, or { atLeast: "a/b" } with whole numbers of at most 15 digits, b > 0 and a ≤ b';
const amount = "it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals";

function reveal(truth: unknown, ballotId: unknown = "b1"): unknown {
  return { type: "ballot.reveal", ballotId, truth };
}

export const ballots: readonly Refused[] = [
  invalid(
    'ballot has the unknown key "title"; allowed: type, question, options, voters, method, weights, quorum, threshold, tieBreak, deadlineMs, context',
    opening({ title: "x" }),
  ),
  invalid("question is 7; it must be a string of at most 4096 characters", opening({ question: 7 })),
  invalid("options is []; it must be 1 to 1000 distinct strings", opening({ options: [] })),
  invalid('options is "yes"; it must be 1 to 1000 distinct strings', opening({ options: "yes" })),
  invalid("deadlineMs is 0; it must be a number of milliseconds greater than 0 and finite", opening({ deadlineMs: 0 })),
  invalid('voters is "ann"; it must be a list of at most 10000 agents\' names', opening({ voters: "ann" })),
  ...[7, null, [1], "fame"].map((weights) =>
    invalid(
      `weights is ${JSON.stringify(weights)}; it must be an object or a Map of weights by agent, or "reputation"`,
      opening({ weights }),
    ),
  ),
  {
    ask: () => opening({ weights: { eve: 2 } }),
    code: "UNKNOWN_AGENT",
    says: 'weights names "eve", and no agent is registered under that name',
    details: { agent: "eve" },
  },
  ...[null, "0.5", [0.5]].flatMap((share) =>
    ["quorum", "threshold"].map((what) =>
      invalid(`${what} is ${JSON.stringify(share)}; it must be ${shares}`, opening({ [what]: share })),
    ),
  ),
  invalid(`weight of bob is -1; ${amount}`, opening({ weights: { bob: -1 } })),
  invalid(`weight of ann is "1"; ${amount}`, opening({ weights: { ann: "1" } })),
  invalid(noId("voter", "null"), opening({ voters: ["ann", null] })),
  invalid('voters has "ann" twice', opening({ voters: ["ann", "bob", "ann"] })),
  invalid(
    'method is "magic"; it must be one of majority, weighted, unanimous, approval, score, borda, instant-runoff, schulze, ranked-pairs',
    opening({ method: "magic" }),
  ),
  {
    ask: () => opening({ voters: ["eve"] }),
    code: "UNKNOWN_AGENT",
    says: 'no agent is registered under the name "eve"',
    details: { agent: "eve" },
  },
  {
    ask: (story) => {
      story.agent("mute");
      return opening({ voters: ["ann", "mute"] });
    },
    code: "INVALID_ARGUMENT",
    says: 'agent "mute" has no voter; give it one, or leave it out of voters',
    details: { agent: "mute" },
  },
  {
    ask: (story) => {
      story.do(...Array.from({ length: 10_000 }, () => open));
      return open;
    },
    code: "QUEUE_FULL",
    says: "10000 ballots are open: that is the most",
  },
  {
    ask: () => cast("ann"),
    code: "UNKNOWN_BALLOT",
    says: 'no ballot has the id "b1"',
    details: { ballotId: "b1" },
  },
  {
    ask: (story) => {
      story.do(open, cast("ann"));
      return cast("ann");
    },
    code: "INVALID_STATE",
    says: "ballot b1 is closed: the vote comes too late",
    details: { ballotId: "b1" },
  },
  {
    ask: (story) => {
      story.do(open);
      return cast("bob");
    },
    code: "INVALID_ARGUMENT",
    says: '"bob" has no vote in ballot b1',
    details: { ballotId: "b1", voter: "bob" },
  },
  invalid("ms is 0; it must be a number of milliseconds greater than 0 and finite", extend(0)),
  {
    ask: () => extend(5),
    code: "UNKNOWN_BALLOT",
    says: 'no ballot has the id "b1"',
    details: { ballotId: "b1" },
  },
  {
    ask: (story) => {
      story.do(open, cast("ann"));
      return extend(5);
    },
    code: "INVALID_STATE",
    says: "ballot b1 is closed: it cannot be extended any more",
    details: { ballotId: "b1" },
  },
  invalid("ballotId is 7; it must be a string", reveal("yes", 7)),
  invalid("truth is null; it must be an option of the ballot", reveal(null)),
  {
    ask: () => reveal("yes"),
    code: "UNKNOWN_BALLOT",
    says: 'no ballot has the id "b1"',
    details: { ballotId: "b1" },
  },
  {
    ask: (story) => {
      story.do(open);
      return reveal("yes");
    },
    code: "INVALID_STATE",
    says: "ballot b1 is open: what was true is revealed when it is closed",
    details: { ballotId: "b1" },
  },
  {
    ask: (story) => {
      story.do(open, cast("ann"), { type: "ballot.reveal", ballotId: "b1", truth: "no" });
      return reveal("yes");
    },
    code: "INVALID_STATE",
    says: 'ballot b1 was revealed before: "no" was true',
    details: { ballotId: "b1", truth: "no" },
  },
  {
    ask: (story) => {
      story.do(open, cast("ann"));
      return reveal("perhaps");
    },
    code: "INVALID_ARGUMENT",
    says: '"perhaps" was no option of ballot b1',
    details: { ballotId: "b1", truth: "perhaps" },
  },
];
