/**
 * A crew that reviews a folder of source code: `safeguards run crew.ts --input '{ "path": "." }'`.
 *
 * The lead lists the files and plans; specialists look at them, each for what it knows about, no more than four at the
 * disk at once; reviewers vote on every folder; the lead writes the report.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { type CrewSpec, defineCrew, type Json, SafeguardsError } from "../../src/index.ts";
import { judge } from "./judge.ts";
import { lead, type ReviewRequest } from "./lead.ts";
import { reviewers } from "./reviewers.ts";
import { specialties } from "./specialists.ts";
import { surveyor } from "./surveyor.ts";

/** Which folder to review, and where the report goes. */
const input = z.strictObject({ path: z.string().default("."), report: z.string().default(".safeguards/review.md") });

function requested(given: Json): ReviewRequest {
  const { data, error } = input.safeParse(given ?? {});
  if (error !== undefined) throw new SafeguardsError("INVALID_ARGUMENT", `The input: ${z.prettifyError(error)}`);
  return { path: data.path, root: resolve(data.path), report: resolve(data.report) };
}

const crew: CrewSpec = defineCrew({
  name: "repo-review",
  agents: [lead, surveyor, ...specialties.map(({ agent }) => agent), ...reviewers.map(({ agent }) => agent), judge],
  resources: { disk: { type: "storage", capacity: 4 } },
  concurrency: 8,
  tasks: (given) => [{ id: "review", skills: ["review"], input: requested(given) }],
  output: ([review]) => review?.output ?? null,
});
export default crew;
