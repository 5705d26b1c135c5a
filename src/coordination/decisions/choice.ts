import type { Vote, VotingMethod } from "./election.ts";

/**
 * The one option that a valid vote puts above all others: the choice itself, the first of a ranking, the only one that is
 * approved of, the one with the highest score. `undefined` when there is no such one.
 */
export function choiceOf<O extends string>(vote: Vote<O>, method: VotingMethod): O | undefined {
  if (typeof vote === "string") return vote;
  if (isList(vote)) return method === "approval" && vote.length > 1 ? undefined : vote[0];
  let choice: O | undefined;
  // What is not scored has 0.
  let highest = 0;
  for (const [option, score] of scoresIn(vote)) {
    if (score > highest) choice = option;
    else if (score === highest) choice = undefined;
    highest = Math.max(highest, score);
  }
  return choice;
}

function isList<O extends string>(vote: Vote<O>): vote is readonly O[] {
  return Array.isArray(vote);
}

/** Its keys are options: it is a valid vote. */
function scoresIn<O extends string>(scores: Readonly<Partial<Record<O, number>>>): [O, number][] {
  return Object.entries(scores) as [O, number][];
}
