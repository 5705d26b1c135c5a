import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { defineManager, type Outcome, SafeguardsError } from "../../src/index.ts";
import { inspection } from "./inspect.ts";
import { latest, planAgain, planInspections } from "./inspections.ts";
import { judge, judgement } from "./judge.ts";
import { countFindings, type Review, writeReport } from "./report.ts";
import { reviewers, verdicts } from "./reviewers.ts";
import { specialties } from "./specialists.ts";
import { combine, survey, surveyor } from "./surveyor.ts";
import { planVotes } from "./votes.ts";

/** `path` is the folder as the user named it; `root`, the same, and `report` are absolute. */
export type ReviewRequest = { path: string; root: string; report: string };

/** Lists the files, hands them to specialists, has reviewers vote on what these found, and writes the report. */
export const lead = defineManager<ReviewRequest>({
  name: "lead",
  skills: ["review"],
  team: [...[...specialties, ...reviewers].map(({ agent }) => agent.name), surveyor.name, judge.name],
  // What could not be reviewed is told in the report; the rest of it is still worth reading.
  minSuccess: 0,

  async plan({ input: { root, report } }) {
    await checkFolder(root);
    return planInspections({ root, report });
  },

  async aggregate({ input }, results, ctx) {
    const again = await planAgain(input, results);
    if (again.length > 0) return ctx.more(again);
    const review = collect(input.path, results);
    const votes = latest(results).has("judge-1") ? [] : planVotes(review);
    if (votes.length > 0) return ctx.more(votes);
    await writeWhole(input.report, writeReport(review));
    const passed = review.decisions.filter(({ decision }) => decision === "pass").length;
    return { report: input.report, ...countFindings(review.findings), folders: review.decisions.length, passed };
  },
});

async function checkFolder(root: string): Promise<void> {
  const isFolder = await stat(root).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new SafeguardsError("INVALID_ARGUMENT", `path is ${root}; it must be a folder`);
}

const answer = z.discriminatedUnion("kind", [survey, inspection, verdicts, judgement]);

/** What the team has answered so far. */
function collect(path: string, results: readonly Outcome[]): Review {
  const answers = results.flatMap(({ output, agent = "nobody" }) => {
    const { data } = answer.safeParse(output);
    return data === undefined ? [] : [{ ...data, agent }];
  });
  return {
    path,
    survey: combine(answers.filter((it) => it.kind === "survey")),
    findings: answers
      .filter((it) => it.kind === "inspection")
      .flatMap(({ findings, agent }) => findings.map((finding) => ({ ...finding, agent }))),
    decisions: answers.filter((it) => it.kind === "judgement").flatMap(({ decisions }) => decisions),
    results,
  };
}

/** A reader finds the old report or the new one, never half of one. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
