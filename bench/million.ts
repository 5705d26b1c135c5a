/** A million tasks through one coordinator on a SQLite file: all submitted, then run, then asked for again. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Coordinator, defineAgent } from "../src/index.ts";
import { bytesInUse } from "./collect.ts";
import { inFolder } from "./folder.ts";
import { LISTED, submitInLists } from "./load.ts";
import type { Benchmark, Figure } from "./measure.ts";

const CONCURRENCY = 1000;
const MEGA = 1e6;

export const million: Benchmark = {
  work: `no-op tasks submitted ${LISTED} at a time, then run, ${CONCURRENCY} at a time, on sqlite:, synchronous FULL; the default of what has ended is kept; the heap after a full collection`,
  run: ({ brief }) => inFolder((folder) => measured(join(folder, "journal.db"), brief ? 5000 : 1_000_000)),
};

async function measured(path: string, tasks: number): Promise<readonly Figure[]> {
  const journal = `sqlite:${path}`;
  const empty = bytesInUse();
  const began = performance.now();
  let coordinator = await Coordinator.open({ journal, concurrency: CONCURRENCY });
  await submitInLists(coordinator, tasks);
  const submitted = performance.now();
  const pending = bytesInUse() - empty;
  const from = performance.now();
  await coordinator.register(noop());
  await coordinator.idle();
  const ran = performance.now();
  const finished = bytesInUse() - empty;
  await check(coordinator, tasks);
  await coordinator.close();
  const sizes = { file: statSync(path).size, peak: process.resourceUsage().maxRSS * 1024 };
  const closed = performance.now();
  coordinator = await Coordinator.open({ journal, concurrency: CONCURRENCY });
  const reopened = performance.now();
  await check(coordinator, tasks);
  await coordinator.compact();
  await coordinator.close();
  const once = (what: string, unit: string, value: number): Figure => ({ what, unit, runs: [value] });
  return [
    once(`${tasks} tasks submitted`, "s", (submitted - began) / 1000),
    once(`${tasks} tasks run`, "s", (ran - from) / 1000),
    once("tasks run a second", "tasks/s", (tasks * 1000) / (ran - from)),
    { ...once("heap, all pending", "MB", pending / MEGA), goal: { of: "figure", better: "less", must: 1000 } },
    once("heap, all finished", "MB", finished / MEGA),
    once("most memory of the process", "MB", sizes.peak / MEGA),
    once("the journal's file", "MB", sizes.file / MEGA),
    once("opened again", "s", (reopened - closed) / 1000),
    once("the file, compacted", "MB", statSync(path).size / MEGA),
  ];
}

function noop() {
  return defineAgent({ name: "noop", capacity: CONCURRENCY, run: () => null });
}

/** All are done, and the first can be asked for though it has left memory long ago. */
async function check(coordinator: Coordinator, tasks: number): Promise<void> {
  const { completed } = (await coordinator.stats()).tasks;
  const first = await (await coordinator.task("t1")).outcome();
  if (completed !== tasks || first.status !== "completed") throw new Error(`${completed} of ${tasks} were done`);
}
