/** How late the event loop is while a coordinator is busy. */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Coordinator, defineAgent } from "../src/index.ts";
import { inFolder } from "./folder.ts";
import { LISTED, submitInLists, underLoad } from "./load.ts";
import type { Benchmark, Figure } from "./measure.ts";

const RUNS = 3;
const CONCURRENCY = 1000;
/** How often the loop is looked at, in milliseconds: that much of each delay is none. */
const RESOLUTION_MS = 1;
const NANOS_A_MS = 1e6;

export const loop: Benchmark = {
  work: `clients in the coordinator's process, each awaiting no-op tasks one by one; tasks in lists of ${LISTED}, submitted, run, opened again; the loop looked at every ${RESOLUTION_MS} ms, that taken off`,
  async run({ brief }) {
    const tasks = brief ? 2000 : 100_000;
    const warmUp = tasks / 5;
    const measured = new Map<string, Delays[]>();
    const keep = (what: string, delays: Delays) => {
      measured.set(what, [...(measured.get(what) ?? []), delays]);
    };
    for (let run = 0; run < RUNS; run++) {
      for (const journal of ["sqlite:", "memory:"]) {
        for (const clients of [1000, 64]) {
          await inFolder(async (folder) => {
            const load = { journal: at(journal, folder), clients, tasks, warmUp };
            keep(`${journal}, ${clients} clients`, await underLoad(load, watched));
          });
        }
        await inFolder(async (folder) => {
          for (const [phase, delays] of await inLists(at(journal, folder), tasks))
            keep(`${journal}, lists ${phase}`, delays);
        });
      }
    }
    return [...measured].flatMap(([what, runs]) => figuresOf(what, runs));
  },
};

/** In milliseconds. */
interface Delays {
  readonly p99: number;
  readonly max: number;
}

function at(journal: string, folder: string): string {
  return journal === "sqlite:" ? `sqlite:${join(folder, "journal.db")}` : journal;
}

async function inLists(journal: string, tasks: number): Promise<readonly (readonly [string, Delays])[]> {
  const noop = defineAgent({ name: "noop", capacity: CONCURRENCY, run: () => null });
  let coordinator = await Coordinator.open({ journal, concurrency: CONCURRENCY });
  const submitted = await watched(() => submitInLists(coordinator, tasks));
  const run = await watched(async () => {
    await coordinator.register(noop);
    await coordinator.idle();
  });
  await submitInLists(coordinator, tasks);
  await coordinator.close();
  const opened = await watched(async () => {
    coordinator = await Coordinator.open({ journal, concurrency: CONCURRENCY });
  });
  await coordinator.close();
  const phases = [
    ["submitted", submitted],
    ["run", run],
  ] as const;
  return journal === "memory:" ? phases : [...phases, ["opened again", opened]];
}

async function watched(work: () => Promise<void>): Promise<Delays> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await work();
  histogram.disable();
  const late = (nanos: number) => Math.max(0, nanos / NANOS_A_MS - RESOLUTION_MS);
  return { p99: late(histogram.percentile(99)), max: late(histogram.max) };
}

function figuresOf(what: string, runs: readonly Delays[]): Figure[] {
  return [
    {
      what: `${what}: p99`,
      unit: "ms",
      runs: runs.map(({ p99 }) => p99),
      goal: { of: "figure", better: "less", must: 10, aim: 5 },
    },
    { what: `${what}: longest`, unit: "ms", runs: runs.map(({ max }) => max) },
  ];
}
