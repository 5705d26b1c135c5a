/** What is said when an election is refused: what is wrong, which value, and what is allowed. */
import { expect, test } from "vitest";
import { SafeguardsError } from "../../errors.ts";
import { tally } from "./tally.ts";

const ID = 'a string of 1 to 256 characters without "/"';
const AMOUNT_OR_0 = "a number at least 0 and at most 2^53 - 1, with at most nine decimals";
const TIE_BREAK = '"none", "first", { chair: voter } or { seed: integer }';
const SHARE = 'a number from 0 to 1, or { atLeast: "a/b" } with whole numbers of at most 15 digits, b > 0 and a ≤ b';
const FRACTION = 'a fraction from 0 to 1 such as "2/3", with whole numbers of at most 15 digits';

const election = { options: ["a", "b"], votes: {}, method: "majority" } as const;

/** What is thrown, with its code where that is not the usual one. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SafeguardsError)) throw error;
    return error.code === "INVALID_ARGUMENT" ? error.message : `${error.code}: ${error.message}`;
  }
  return "it was accepted";
}

test.each<readonly [said: string, call: (of: typeof election) => unknown]>([
  [
    'the election has the unknown key "vote"; allowed: options, method, weights, electorate, quorum, threshold, tieBreak, question, votes',
    (of) => Reflect.apply(tally, undefined, [{ ...of, vote: {} }]),
  ],
  ["votes is []; it must be an object or a Map", (of) => Reflect.apply(tally, undefined, [{ ...of, votes: [] }])],
  [
    'method is "lottery"; it must be one of majority, weighted, unanimous',
    (of) => Reflect.apply(tally, undefined, [{ ...of, method: "lottery" }]),
  ],
  ["options is []; it must be a list of at least one string", (of) => tally({ ...of, options: [] })],
  ["an option is 1; it must be a string", (of) => Reflect.apply(tally, undefined, [{ ...of, options: [1] }])],
  ['options has "a" twice', (of) => tally({ ...of, options: ["a", "a"] })],
  [`the weight of "ann" is -1; it must be ${AMOUNT_OR_0}`, (of) => tally({ ...of, weights: { ann: -1 } })],
  ['electorate has "ann" twice', (of) => tally({ ...of, electorate: ["ann", "ann"] })],
  [`a member of electorate is ""; it must be ${ID}`, (of) => tally({ ...of, electorate: [""] })],
  [
    'electorate is "ann"; it must be a list of ids',
    (of) => Reflect.apply(tally, undefined, [{ ...of, electorate: "ann" }]),
  ],
  [`quorum is 1.5; it must be ${SHARE}`, (of) => tally({ ...of, quorum: 1.5 })],
  [`quorum.atLeast is "3/2"; it must be ${FRACTION}`, (of) => tally({ ...of, quorum: { atLeast: "3/2" } })],
  [`threshold is -0.5; it must be ${SHARE}`, (of) => tally({ ...of, threshold: -0.5 })],
  [`threshold.atLeast is "1/2x"; it must be ${FRACTION}`, (of) => tally({ ...of, threshold: { atLeast: "1/2x" } })],
  [
    'threshold has the unknown key "or"; allowed: atLeast',
    (of) => Reflect.apply(tally, undefined, [{ ...of, threshold: { atLeast: "1/2", or: 1 } }]),
  ],
  [
    "unanimous takes no threshold; majority and weighted do",
    (of) => tally({ ...of, method: "unanimous", threshold: 0.5 }),
  ],
  [
    `tieBreak is "last"; it must be ${TIE_BREAK}`,
    (of) => Reflect.apply(tally, undefined, [{ ...of, tieBreak: "last" }]),
  ],
  [`tieBreak.chair is ""; it must be ${ID}`, (of) => tally({ ...of, tieBreak: { chair: "" } })],
  [
    "tieBreak.seed is 0.5; it must be an integer from -9007199254740991 to 9007199254740991",
    (of) => tally({ ...of, tieBreak: { seed: 0.5 } }),
  ],
  [`tieBreak is {}; it must be ${TIE_BREAK}`, (of) => Reflect.apply(tally, undefined, [{ ...of, tieBreak: {} }])],
  [
    'tieBreak has the unknown key "seed"; allowed: chair',
    (of) => Reflect.apply(tally, undefined, [{ ...of, tieBreak: { chair: "ann", seed: 1 } }]),
  ],
  ["question is 1; it must be a string", (of) => Reflect.apply(tally, undefined, [{ ...of, question: 1 }])],
])("tally: %s", (said, call) => {
  expect(messageOf(() => call(election))).toBe(said);
});
