/** Elections as they are published: so many voters with the same vote. */
import type { Decision, Vote, VotingMethod } from "./election.ts";
import { tally } from "./tally.ts";

/** So many who vote so; a ranking or a set may be written as one word, a letter an option. */
export type Group = readonly [count: number, vote: Vote | undefined];

function votesOf(groups: readonly Group[]): Map<string, Vote | undefined> {
  const votes = new Map<string, Vote | undefined>();
  groups.forEach(([count, vote], group) => {
    for (let i = 0; i < count; i += 1) votes.set(`g${group} v${i}`, vote);
  });
  return votes;
}

/** A ranking of options that are letters. */
function ranked(letters: string): readonly string[] {
  return letters.split("");
}

/** Rankings of options that are letters. */
export function rankings(...groups: readonly (readonly [count: number, letters: string])[]): readonly Group[] {
  return groups.map(([count, letters]) => [count, ranked(letters)]);
}

export function elect(method: VotingMethod, options: readonly string[], groups: readonly Group[]): Decision {
  return tally({ options, votes: votesOf(groups), method });
}

/** One or all that are tied. */
export function winnersOf({ decision, tied }: Decision): readonly string[] {
  return decision === undefined ? (tied ?? []) : [decision];
}

export function scoresOf({ tally }: Decision): Record<string, number> {
  return Object.fromEntries(tally.map(({ option, score }) => [option, score]));
}

/** Where the capital of Tennessee should be: each city's voters prefer the nearest (the example of many textbooks). */
export const TENNESSEE = ["Memphis", "Nashville", "Chattanooga", "Knoxville"] as const;
export const NEAREST: readonly Group[] = [
  [42, ["Memphis", "Nashville", "Chattanooga", "Knoxville"]],
  [26, ["Nashville", "Chattanooga", "Knoxville", "Memphis"]],
  [15, ["Chattanooga", "Knoxville", "Nashville", "Memphis"]],
  [17, ["Knoxville", "Chattanooga", "Nashville", "Memphis"]],
];
