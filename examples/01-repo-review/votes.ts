import type { TaskSpec } from "../../src/index.ts";
import { compareText } from "./findings.ts";
import { chunks } from "./inspections.ts";
import type { Review } from "./report.ts";
import { type FolderFacts, reviewers } from "./reviewers.ts";
import { folderOf } from "./tree.ts";

const FOLDERS_PER_VOTE = 50;

/** For every few folders: each reviewer's verdicts, and the judge, who waits for them and counts. */
export function planVotes(review: Pick<Review, "survey" | "findings">): TaskSpec[] {
  return chunks(factsOf(review), FOLDERS_PER_VOTE).flatMap((folders, index) => {
    const voters = reviewers.map(({ name, weight }) => ({ voter: name, weight, task: `${name}-${index + 1}` }));
    const ballots = voters.map(({ voter, task }): TaskSpec => ({ id: task, agent: voter, input: { folders } }));
    const count: TaskSpec = {
      id: `judge-${index + 1}`,
      skills: ["tally"],
      dependsOn: voters.map(({ task }) => task),
      // A reviewer who fails has abstained.
      onDependencyFailure: "run",
      input: { folders: folders.map(({ folder }) => folder), voters },
    };
    return [...ballots, count];
  });
}

/** What is known of each folder, in order. */
function factsOf({ survey, findings }: Pick<Review, "survey" | "findings">): FolderFacts[] {
  const byFolder = Map.groupBy(findings, ({ file }) => folderOf(file));
  return survey.folders
    .map(({ folder, lines }) => {
      const found = byFolder.get(folder) ?? [];
      return {
        folder,
        lines,
        errors: found.filter(({ severity }) => severity === "error").length,
        warnings: found.filter(({ severity }) => severity === "warning").length,
        dangers: found.filter(({ rule }) => rule.startsWith("security/")).length,
      };
    })
    .sort((a, b) => compareText(a.folder, b.folder));
}
