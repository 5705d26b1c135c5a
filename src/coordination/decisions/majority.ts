import { countPicks, firstPick, readChoice } from "./single-choice.ts";
import type { VotingRule } from "./voting-rule.ts";

/** Most votes win (plurality): each vote is for one option and counts 1. With `threshold: 0.5` more than half is needed. */
export const majority: VotingRule = {
  method: "majority",
  weighs: false,
  quorumByWeight: false,
  hasThreshold: true,
  needsEverybody: false,
  read: readChoice,
  count: countPicks,
  favourite: firstPick,
};
