import { z } from "zod";
import { type Agent, defineAgent } from "../../src/index.ts";

/** What reviewers are told of a folder. */
export const folderFacts = z.object({
  folder: z.string(),
  lines: z.number(),
  /** How many findings of each severity, and how many of security's. */
  errors: z.number(),
  warnings: z.number(),
  dangers: z.number(),
});
export type FolderFacts = z.infer<typeof folderFacts>;

const choice = z.enum(["pass", "fail"]);
export type Choice = z.infer<typeof choice>;

/** A reviewer's verdict on each folder that it was asked about; `null` where it abstains. */
export const verdicts = z.object({
  kind: z.literal("verdicts"),
  verdicts: z.array(z.object({ folder: z.string(), choice: choice.nullable() })),
});
export type Verdicts = z.infer<typeof verdicts>;

export interface Reviewer {
  readonly name: string;
  /** What its vote weighs. */
  readonly weight: number;
  readonly agent: Agent;
}

/** An agent that judges by one rule. */
function reviewer(name: string, weight: number, judge: (facts: FolderFacts) => Choice | null): Reviewer {
  const agent = defineAgent({
    name,
    weight,
    input: z.object({ folders: z.array(folderFacts) }),
    output: verdicts,
    run: ({ input }): Verdicts => ({
      kind: "verdicts",
      verdicts: input.folders.map((facts) => ({ folder: facts.folder, choice: judge(facts) })),
    }),
  });
  return { name, weight, agent };
}

export const reviewers: readonly Reviewer[] = [
  reviewer("guardian", 3, ({ dangers }) => (dangers === 0 ? "pass" : "fail")),
  reviewer("maintainer", 3, ({ errors }) => (errors === 0 ? "pass" : "fail")),
  // One finding in a hundred lines is tolerable; about a handful of lines it has no opinion.
  reviewer("stickler", 2, ({ lines, errors, warnings }) => {
    if (lines < 20) return null;
    return 100 * (errors + warnings) <= lines ? "pass" : "fail";
  }),
];
