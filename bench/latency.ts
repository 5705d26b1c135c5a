/** From submission to the agent's code, when there is nothing else to do. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Coordinator, defineAgent } from "../src/index.ts";
import { inFolder } from "./folder.ts";
import { type Benchmark, type Figure, quantile } from "./measure.ts";

const RUNS = 3;
const PAGE_BYTES = 4096;
const IDLE_MS = 1;

export const latency: Benchmark = {
  work: `one client submits a no-op task and waits for it, ${IDLE_MS} ms after the last; the peer: ${PAGE_BYTES} bytes written and fsynced on the same disk, in turn`,
  async run({ brief }) {
    const [warmUp, tasks] = brief ? [5, 50] : [300, 1000];
    const durable: Sample[] = [];
    const inMemory: Sample[] = [];
    for (let run = 0; run < RUNS; run++) {
      await inFolder(async (folder) => {
        const probe = fsyncProbe(join(folder, "probe"));
        durable.push(await sampled(`sqlite:${join(folder, "journal.db")}`, { warmUp, tasks, probe: probe.ms }));
        probe.close();
      });
      inMemory.push(await sampled("memory:", { warmUp, tasks, probe: () => 0 }));
    }
    const figure = (share: number, must: number): Figure => ({
      what: `sqlite:, p${share * 100} of ${tasks}`,
      unit: "ms",
      runs: durable.map(({ entered }) => quantile(entered, share)),
      peer: { what: "fsync", runs: durable.map(({ probed }) => quantile(probed, share)) },
      goal: { of: "ratio", better: "less", must, aim: must / 2 },
    });
    return [
      figure(0.5, 2),
      figure(0.99, 5),
      { what: `memory:, p50 of ${tasks}`, unit: "ms", runs: inMemory.map(({ entered }) => quantile(entered, 0.5)) },
      {
        what: `memory:, p99 of ${tasks}`,
        unit: "ms",
        runs: inMemory.map(({ entered }) => quantile(entered, 0.99)),
        goal: { of: "figure", better: "less", must: 0.2, aim: 0.1 },
      },
    ];
  },
};

interface Sample {
  /** Milliseconds from the call of `submit` to the agent's first line. */
  readonly entered: readonly number[];
  readonly probed: readonly number[];
}

async function sampled(
  journal: string,
  { warmUp, tasks, probe }: { warmUp: number; tasks: number; probe: () => number },
): Promise<Sample> {
  await using coordinator = await Coordinator.open({ journal });
  let enteredAt = 0;
  await coordinator.register(
    defineAgent({
      name: "noop",
      run: () => {
        enteredAt = performance.now();
        return null;
      },
    }),
  );
  const entered: number[] = [];
  const probed: number[] = [];
  for (let i = 0; i < warmUp + tasks; i++) {
    await sleep(IDLE_MS);
    const began = performance.now();
    const handle = await coordinator.submit({});
    await handle.result();
    if (i >= warmUp) {
      entered.push(enteredAt - began);
      probed.push(probe());
    }
  }
  return { entered, probed };
}

/** How long the disk takes to keep a page, each at a new place of a file. */
function fsyncProbe(path: string): { ms(): number; close(): void } {
  const file = openSync(path, "w");
  const page = new Uint8Array(PAGE_BYTES);
  return {
    ms: () => {
      const began = performance.now();
      writeSync(file, page);
      fsyncSync(file);
      return performance.now() - began;
    },
    close: () => closeSync(file),
  };
}
