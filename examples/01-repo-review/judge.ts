import { z } from "zod";
import { tally } from "../../src/coordination-entry.ts";
import { defineAgent } from "../../src/index.ts";
import { verdicts } from "./reviewers.ts";

const folderDecision = z.object({
  folder: z.string(),
  /** `undecided`: a tie, or votes of less than half of the weight. */
  decision: z.enum(["pass", "fail", "undecided"]),
  votes: z.array(z.object({ voter: z.string(), weight: z.number(), choice: z.enum(["pass", "fail"]).nullable() })),
});
export type FolderDecision = z.infer<typeof folderDecision>;

/** How the reviewers decided about each folder. */
export const judgement = z.object({ kind: z.literal("judgement"), decisions: z.array(folderDecision) });
export type Judgement = z.infer<typeof judgement>;

/** Counts the verdicts that it depends on: a weighted vote for each folder. */
export const judge = defineAgent({
  name: "judge",
  skills: ["tally"],
  input: z.object({
    folders: z.array(z.string()),
    /** Who votes, with what weight, and which task its verdicts come from. */
    voters: z.array(z.object({ voter: z.string(), weight: z.number(), task: z.string() })),
  }),
  output: judgement,
  run({ input: { folders, voters } }, ctx): Judgement {
    const boxes = voters.map(({ voter, weight, task }) => {
      const given = verdicts.safeParse(ctx.dependencies[task]).data?.verdicts ?? [];
      return { voter, weight, choices: new Map(given.map(({ folder, choice }) => [folder, choice])) };
    });
    const decisions = folders.map((folder): FolderDecision => {
      const votes = boxes.map(({ voter, weight, choices }) => ({ voter, weight, choice: choices.get(folder) ?? null }));
      const { decision } = tally({
        question: `Does ${folder || "the root"} pass?`,
        options: ["pass", "fail"],
        votes: new Map(votes.map(({ voter, choice }) => [voter, choice ?? undefined])),
        electorate: voters.map(({ voter }) => voter),
        weights: new Map(voters.map(({ voter, weight }) => [voter, weight])),
        method: "weighted",
        quorum: { atLeast: "1/2" },
      });
      return { folder, decision: decision ?? "undecided", votes };
    });
    return { kind: "judgement", decisions };
  },
});
