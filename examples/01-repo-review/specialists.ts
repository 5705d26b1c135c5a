import { fileURLToPath } from "node:url";
import { type Agent, command, defineAgent } from "../../src/index.ts";
import type { Analysis } from "./analyses/analysis.ts";
import { data } from "./analyses/data.ts";
import { dependencies } from "./analyses/dependencies.ts";
import { javascript } from "./analyses/javascript.ts";
import { markdown } from "./analyses/markdown.ts";
import { security } from "./analyses/security.ts";
import { assignment, inspect, inspection } from "./inspect.ts";

/** One skill: who has it, which files it is for, and how many of them make one task of a second or so. */
export interface Specialty {
  readonly skill: string;
  readonly agent: Agent;
  readonly reads: Analysis["reads"];
  readonly filesPerTask: number;
}

/** Specialists that work in this process. */
function specialty(name: string, skill: string, analysis: Analysis, filesPerTask: number): Specialty {
  const agent = defineAgent({
    name,
    skills: [skill],
    input: assignment,
    output: inspection,
    run: (task, ctx) => inspect(analysis, task.input, ctx),
  });
  return { skill, agent, reads: analysis.reads, filesPerTask };
}

const program = fileURLToPath(new URL("./dependencies.program.ts", import.meta.url));

/** A specialist that is a program of its own: it is told its task on stdin and prints what it found. */
const librarian = defineAgent({
  name: "librarian",
  skills: ["dependencies"],
  capacity: 2,
  input: assignment,
  output: inspection,
  run: command([process.execPath, program]),
});

/** In the order in which their tasks are planned: the program first, because it works beside all the others. */
export const specialties: readonly Specialty[] = [
  { skill: "dependencies", agent: librarian, reads: dependencies.reads, filesPerTask: 4 },
  specialty("engineer", "javascript", javascript, 20),
  specialty("editor", "markdown", markdown, 10),
  specialty("archivist", "data", data, 20),
  specialty("guard", "security", security, 20),
];
