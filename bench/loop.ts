/** How late the event loop is while a coordinator is busy. */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { inFolder } from "./folder.ts";
import { underLoad } from "./load.ts";
import type { Benchmark, Figure } from "./measure.ts";

const RUNS = 3;
const CLIENTS = 1000;
/** How often the loop is looked at, in milliseconds: that much of each delay is none. */
const RESOLUTION_MS = 1;
const NANOS_A_MS = 1e6;

export const loop: Benchmark = {
  work: `${CLIENTS} clients in the coordinator's process, each awaiting no-op tasks one by one; the loop looked at every ${RESOLUTION_MS} ms, that taken off`,
  async run({ brief }) {
    const [warmUp, tasks] = brief ? [1000, 2000] : [20_000, 100_000];
    const durable: Delays[] = [];
    const inMemory: Delays[] = [];
    for (let run = 0; run < RUNS; run++) {
      await inFolder(async (folder) => {
        durable.push(await delays(`sqlite:${join(folder, "journal.db")}`, { warmUp, tasks }));
      });
      inMemory.push(await delays("memory:", { warmUp, tasks }));
    }
    return [...figuresOf(`sqlite:, ${tasks} tasks`, durable), ...figuresOf(`memory:, ${tasks} tasks`, inMemory)];
  },
};

/** In milliseconds. */
interface Delays {
  readonly p99: number;
  readonly max: number;
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

async function delays(journal: string, { warmUp, tasks }: { warmUp: number; tasks: number }): Promise<Delays> {
  return await underLoad({ journal, clients: CLIENTS, tasks, warmUp }, async (work) => {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    await work();
    histogram.disable();
    const late = (nanos: number) => Math.max(0, nanos / NANOS_A_MS - RESOLUTION_MS);
    return { p99: late(histogram.percentile(99)), max: late(histogram.max) };
  });
}
