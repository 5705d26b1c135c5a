import { countPicks, firstPick, readChoice } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/** Most weight wins: each vote is for one option and counts what its voter weighs. */
export const weighted: VotingRule = {
  method: "weighted",
  weighs: true,
  quorumByWeight: true,
  hasThreshold: true,
  needsEverybody: false,
  read: readChoice,
  count: countPicks,
  favourite: firstPick,
};
