/**
 * Published results of the parallel schedule generation scheme on PSPLIB (R. Kolisch & A. Sprecher, "PSPLIB - a project
 * scheduling problem library", 1996): who serves waiting tasks in order of priority and fills every gap builds exactly
 * these schedules.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TaskSpec } from "../src/index.ts";
import { criticalPath, type PriorityRule, prioritize } from "../src/planning/priority-rules.ts";
import { type SimulationReport, simulate } from "../src/testing/index.ts";

interface Instance {
  readonly instance: string;
  readonly criticalPath: number;
  readonly capacities: readonly number[];
  readonly jobs: readonly {
    readonly job: number;
    readonly duration: number;
    readonly requests: readonly number[];
    readonly successors: readonly number[];
  }[];
}

const data = process.env.SAFEGUARDS_DATA ?? "";

/** Sums of 480 makespans. Those of J60 are published; all of them are those of the scheme programmed by the book. */
const totals: readonly (readonly [set: string, rule: PriorityRule, total: number])[] = [
  ["psplib-j30", "lft", 29_688],
  ["psplib-j30", "lst", 29_757],
  ["psplib-j30", "mts", 29_865],
  ["psplib-j60", "lft", 40_724],
  ["psplib-j60", "lst", 40_596],
  ["psplib-j60", "mts", 40_906],
];

test.for(totals)("%s by %s: the makespans add up to %i", { timeout: 300_000 }, async ([set, rule, total], { skip }) => {
  skip(data === "", "the instances of PSPLIB are not there: SAFEGUARDS_DATA names no folder");
  let sum = 0;
  for (const instance of instances(set)) {
    const { makespanMs, violations } = await scheduled(instance, rule);
    expect(violations, instance.instance).toEqual([]);
    expect(makespanMs, instance.instance).toBeGreaterThanOrEqual(instance.criticalPath);
    sum += makespanMs;
  }
  expect(sum).toBe(total);
});

test.for(["psplib-j30", "psplib-j60"])("%s: the critical paths are those that it states", (set, { skip }) => {
  skip(data === "", "the instances of PSPLIB are not there: SAFEGUARDS_DATA names no folder");
  for (const instance of instances(set)) {
    const { lengthMs } = criticalPath(tasksOf(instance));
    expect(lengthMs, instance.instance).toBe(instance.criticalPath);
  }
});

function scheduled(instance: Instance, rule: PriorityRule): Promise<SimulationReport> {
  const tasks = tasksOf(instance);
  const priorities = prioritize(tasks, rule);
  return simulate({
    agents: [{ name: "everybody", capacity: tasks.length }],
    tasks: tasks.map((task) => ({ ...task, priority: priorities[task.id] ?? 0 })),
    resources: new Map(instance.capacities.map((capacity, at) => [`R${at + 1}`, { type: "compute", capacity }])),
    concurrency: tasks.length,
    protectAfterMs: Number.POSITIVE_INFINITY,
  });
}

function instances(set: string): Instance[] {
  const lines = readFileSync(join(data, `${set}.jsonl`), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** An instance as tasks in the order of its jobs; a unit of its time is a millisecond. */
function tasksOf({ jobs }: Instance): (TaskSpec & { readonly id: string })[] {
  return jobs.map(({ job, duration, requests }) => {
    const amounts = requests.flatMap((amount, at) => (amount > 0 ? [[`R${at + 1}`, amount] as const] : []));
    return {
      id: `${job}`,
      estimatedMs: duration,
      preemptible: false,
      dependsOn: jobs.filter(({ successors }) => successors.includes(job)).map((before) => `${before.job}`),
      ...(amounts.length > 0 ? { resources: Object.fromEntries(amounts) } : {}),
    };
  });
}
