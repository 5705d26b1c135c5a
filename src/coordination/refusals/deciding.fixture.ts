import { CircuitBreaker } from "../circuit-breaker.ts";
import { dawidSkene } from "../dawid-skene.ts";
import { FederatedDecisions } from "../decisions/federated-decisions.ts";
import { tally } from "../decisions/tally.ts";
import { fromZero, invalid, noId, type Refused, type Systems, wrong } from "./refused.fixture.ts";

const election = { options: ["yes", "no"], votes: { ann: "yes" }, method: "majority" } as const;

function tallying(more: object): () => unknown {
  return () => tally(wrong({ ...election, ...more }));
}

function deciding(more: object, question: unknown = "?"): (systems: Systems) => unknown {
  return ({ decisions }) => decisions.decide(wrong(question), ["yes", "no"], wrong(more));
}

const terms = "options, method, weights, electorate, quorum, threshold, tieBreak, question";
const shares = 'a number from 0 to 1, or { atLeast: "a/b" } with whole numbers of at most 15 digits, b > 0 and a ≤ b';
const breaks = '"none", "first", { chair: voter } or { seed: integer }';

export const tallies: readonly Refused[] = [
  invalid(`the election has the unknown key "voters"; allowed: ${terms}, votes`, tallying({ voters: [] })),
  invalid("votes is 7; it must be an object or a Map", tallying({ votes: 7 })),
];

export const electionTerms: readonly Refused[] = [
  invalid("the election is null; it must be an object", () => tally(wrong(null))),
  invalid("question is 7; it must be a string", tallying({ question: 7 })),
  invalid(
    'method is "magic"; it must be one of majority, weighted, unanimous, approval, score, borda, instant-runoff, schulze, ranked-pairs',
    tallying({ method: "magic" }),
  ),
  invalid(
    "unanimous takes no threshold; majority, weighted and approval do",
    tallying({ method: "unanimous", threshold: 0.5 }),
  ),
  invalid("options is []; it must be a list of at least one string", tallying({ options: [] })),
  invalid("an option is 7; it must be a string", tallying({ options: ["yes", 7] })),
  invalid(
    "the number of options is 101; it must be at most 100 with ranked-pairs",
    tallying({ options: Array.from({ length: 101 }, (_, at) => `${at}`), method: "ranked-pairs" }),
  ),
  invalid('options has "yes" twice', tallying({ options: ["yes", "no", "yes"] })),
  invalid('electorate is "ann"; it must be a list of ids', tallying({ electorate: "ann" })),
  invalid(noId("a member of electorate", '""'), tallying({ electorate: ["ann", ""] })),
  invalid('electorate has "ann" twice', tallying({ electorate: ["ann", "bob", "ann"] })),
  ...[[1], null, 7, "reputation"].map((weights) =>
    invalid(
      `weights is ${JSON.stringify(weights)}; it must be an object or a Map of weights by voter`,
      tallying({ weights }),
    ),
  ),
  invalid(`the weight of "ann" is -1; ${fromZero}`, tallying({ weights: { ann: -1 } })),
  invalid(
    "the weight of all voters together is 9007199254740992; it must be less than 2^53",
    tallying({ method: "weighted", weights: { ann: Number.MAX_SAFE_INTEGER, bob: 1 }, electorate: ["ann", "bob"] }),
  ),
];

export const shareTerms: readonly Refused[] = [
  invalid(`quorum is 2; it must be ${shares}`, tallying({ quorum: 2 })),
  ...[null, "0.5", [0.5], true].flatMap((share) =>
    ["quorum", "threshold"].map((what) =>
      invalid(`${what} is ${JSON.stringify(share)}; it must be ${shares}`, tallying({ [what]: share })),
    ),
  ),
  invalid(`threshold is -0.1; it must be ${shares}`, tallying({ threshold: -0.1 })),
  invalid('quorum has the unknown key "most"; allowed: atLeast', tallying({ quorum: { most: "1/2" } })),
  invalid(
    'threshold.atLeast is "3/2"; it must be a fraction from 0 to 1 such as "2/3", with whole numbers of at most 15 digits',
    tallying({ threshold: { atLeast: "3/2" } }),
  ),
];

export const tieBreaks: readonly Refused[] = [
  invalid(`tieBreak is "coin"; it must be ${breaks}`, tallying({ tieBreak: "coin" })),
  invalid(`tieBreak is {}; it must be ${breaks}`, tallying({ tieBreak: {} })),
  invalid('tieBreak has the unknown key "vice"; allowed: chair', tallying({ tieBreak: { chair: "ann", vice: "bob" } })),
  invalid('tieBreak has the unknown key "salt"; allowed: seed', tallying({ tieBreak: { seed: 1, salt: 2 } })),
  invalid(noId("tieBreak.chair", "7"), tallying({ tieBreak: { chair: 7 } })),
  invalid(
    "tieBreak.seed is 0.5; it must be an integer from -9007199254740991 to 9007199254740991",
    tallying({ tieBreak: { seed: 0.5 } }),
  ),
];

export const federatedDecisions: readonly Refused[] = [
  invalid(
    'the options of FederatedDecisions has the unknown key "quorum"; allowed: method, voteTimeoutMs',
    () => new FederatedDecisions(wrong({}), wrong({ quorum: 1 })),
  ),
  invalid(noId("agentId", '"a/b"'), ({ decisions }) => decisions.register("a/b", () => "yes")),
  invalid("voter is 7; it must be a function", ({ decisions }) => decisions.register("bob", wrong(7))),
  invalid(`weight is -1; ${fromZero}`, ({ decisions }) => decisions.register("bob", () => "yes", -1)),
  invalid(
    'the options of decide has the unknown key "weights"; allowed: method, quorum, threshold, tieBreak, voteTimeoutMs, context, vote',
    deciding({ weights: {} }),
  ),
  invalid("vote is 7; it must be a function", deciding({ vote: 7 })),
  invalid("voteTimeoutMs is 0; it must be an integer from 1 to 2147483647", deciding({ voteTimeoutMs: 0 })),
  invalid("question is 7; it must be a string", deciding({}, 7)),
  invalid("context cannot be written as JSON", deciding({ context: 1n })),
  invalid("context is a function; it must be JSON", deciding({ context: () => 1 })),
];

export const circuitBreaker: readonly Refused[] = [
  invalid(
    'the breaker\'s options has the unknown key "limit"; allowed: failureThreshold, ratio, minCalls, windowMs, resetMs, halfOpenMax',
    () => new CircuitBreaker(wrong({ limit: 1 })),
  ),
  invalid(
    "resetMs is 0; it must be a number of milliseconds greater than 0 and finite",
    () => new CircuitBreaker({ resetMs: 0 }),
  ),
  invalid(
    "halfOpenMax is 1001; it must be an integer from 1 to 1000",
    () => new CircuitBreaker({ halfOpenMax: 1_001 }),
  ),
  invalid("minCalls and windowMs say how ratio is taken; ratio is missing", () => new CircuitBreaker({ minCalls: 2 })),
  invalid(
    "failureThreshold is 0; it must be an integer from 1 to 1000000",
    () => new CircuitBreaker({ failureThreshold: 0 }),
  ),
  invalid(
    "failureThreshold and ratio exclude each other; both are given",
    () => new CircuitBreaker({ failureThreshold: 1, ratio: 0.5 }),
  ),
  invalid("ratio is 1.5; it must be above 0 and at most 1", () => new CircuitBreaker({ ratio: 1.5 })),
  invalid(
    "minCalls is 0; it must be an integer from 1 to 1000000",
    () => new CircuitBreaker({ ratio: 0.5, minCalls: 0 }),
  ),
  invalid(
    "windowMs is -1; it must be a number of milliseconds greater than 0 and finite",
    () => new CircuitBreaker({ ratio: 0.5, windowMs: -1 }),
  ),
];

const label = { item: "i", worker: "ann", label: "a" };

export const dawidSkenes: readonly Refused[] = [
  invalid('the options of dawidSkene has the unknown key "rounds"; allowed: model, iterations', () =>
    dawidSkene([], wrong({ rounds: 3 })),
  ),
  invalid('model is "two-coin"; it must be "one-coin" or "full"', () => dawidSkene([], wrong({ model: "two-coin" }))),
  invalid("iterations is 0; it must be an integer from 1 to 10000", () => dawidSkene([], { iterations: 0 })),
  ...[undefined, null, 5, {}, "text"].map((labels) =>
    invalid(
      `labels is ${labels === undefined ? labels : JSON.stringify(labels)}; it must be a list, or another iterable, of labels`,
      () => dawidSkene(wrong(labels)),
    ),
  ),
  invalid("a label is 7; it must be an object with item, worker and label", () => dawidSkene([label, wrong(7)])),
  invalid("worker of a label is 7; it must be a string", () => dawidSkene([{ ...label, worker: wrong(7) }])),
  invalid("4473 labels, 4473 of them distinct: their product must be at most 20000000", () =>
    dawidSkene(Array.from({ length: 4_473 }, (_, i) => ({ ...label, label: `${i}` }))),
  ),
];

export const reputations: readonly Refused[] = [
  invalid(noId("agentId", '""'), ({ reputation }) => reputation.record("", true)),
  invalid("correct is 1; it must be true or false", ({ reputation }) => reputation.record("ann", wrong(1))),
  invalid(noId("agentId", '"a/b"'), ({ reputation }) => reputation.accuracy("a/b")),
  invalid(noId("agentId", "7"), ({ reputation }) => reputation.weight(wrong(7))),
  invalid("options is 0; it must be an integer from 1 to 9007199254740991", ({ reputation }) =>
    reputation.weight("ann", 0),
  ),
];
