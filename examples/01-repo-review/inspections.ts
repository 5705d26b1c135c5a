import type { Outcome, TaskSpec } from "../../src/index.ts";
import { specialties } from "./specialists.ts";
import { treeOnDisk } from "./tree.ts";

const FILES_PER_SURVEY = 100;
/** So long that only a program that hangs takes it. */
const TIMEOUT_MS = 600_000;
/** How often what was lost is asked for again: a file that kills whoever reads it must not do so for ever. */
const REPETITIONS = 3;

/** The first round: what there is, and what each specialist is to look at. */
export async function planInspections({ root, report }: { root: string; report: string }): Promise<TaskSpec[]> {
  const { files, skipped } = await treeOnDisk(root, report).list("");
  const surveys = chunks(files, FILES_PER_SURVEY).map((chunk, index) => ({
    id: `survey-${index + 1}`,
    skills: ["survey"],
    input: { root, files: chunk, skipped: index === 0 ? skipped : {} },
  }));
  const inspections = specialties.flatMap(({ skill, reads, filesPerTask }) =>
    chunks(files.filter(reads), filesPerTask).map((chunk, index) => ({
      id: `${skill}-${index + 1}`,
      skills: [skill],
      input: { root, files: chunk },
    })),
  );
  return [...surveys, ...inspections].map((task) => ({ ...task, resources: { disk: 1 }, timeoutMs: TIMEOUT_MS }));
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * Another round for the tasks that were given up because their process died under them too often: whoever kills a run
 * again and again still gets the whole report.
 */
export async function planAgain(
  request: { root: string; report: string },
  results: readonly Outcome[],
): Promise<TaskSpec[]> {
  const lost = new Map([...latest(results)].filter(([, outcome]) => wasLost(outcome)));
  if (lost.size === 0) return [];
  return (await planInspections(request)).flatMap((spec) => {
    const outcome = lost.get(spec.id ?? "");
    const times = outcome === undefined ? REPETITIONS : repetitionOf(outcome);
    return times < REPETITIONS ? [{ ...spec, id: `${spec.id} (${times + 1})` }] : [];
  });
}

/** By the id in the plan, the last outcome: tasks that were repeated have several. */
export function latest(results: readonly Outcome[]): Map<string, Outcome> {
  return new Map(results.map((outcome) => [localId(outcome).replace(/ \(\d+\)$/, ""), outcome]));
}

function repetitionOf(outcome: Outcome): number {
  return Number(/ \((\d+)\)$/.exec(localId(outcome))?.[1] ?? 0);
}

function localId({ taskId }: Outcome): string {
  return taskId.slice(taskId.lastIndexOf("/") + 1);
}

function wasLost({ status, attempts }: Outcome): boolean {
  return status === "failed" && attempts.at(-1)?.end === "lost";
}
