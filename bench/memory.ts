/** What a task takes in memory: while it waits, and once it has ended and is kept. */
import { bytesInUse } from "./collect.ts";
import type { Benchmark, Figure } from "./measure.ts";
import { World } from "./world.ts";

const AGENTS = 10;
const MEGA = 1e6;

export const memory: Benchmark = {
  work: `a bare kernel with ${AGENTS} agents; tasks with two skills and no input; the heap after a full collection`,
  async run({ brief }) {
    const [tasks, many, runs] = brief ? [5000, 20_000, 1] : [200_000, 1_000_000, 3];
    const measured = Array.from({ length: runs }, () => perTask(tasks));
    const figures: Figure[] = [
      {
        what: `a pending task, of ${tasks}`,
        unit: "bytes",
        runs: measured.map(({ pending }) => pending),
        goal: { of: "figure", better: "less", must: 700, aim: 500 },
      },
      {
        what: `a finished task that is kept, of ${tasks}`,
        unit: "bytes",
        runs: measured.map(({ finished }) => finished),
        goal: { of: "figure", better: "less", must: 300 },
      },
      {
        what: `${many} pending tasks`,
        unit: "MB",
        runs: [(perTask(many, { finish: false }).pending * many) / MEGA],
        goal: { of: "figure", better: "less", must: 1000 },
      },
    ];
    return figures;
  },
};

function perTask(tasks: number, { finish = true } = {}): { pending: number; finished: number } {
  const world = new World(AGENTS);
  const empty = bytesInUse();
  world.submit(tasks);
  const pending = (bytesInUse() - empty) / tasks;
  if (finish) world.finish(tasks);
  const finished = (bytesInUse() - empty) / tasks;
  // Looked at last, so that it is still there.
  if (world.kernel.seq === 0) throw new Error("nothing happened");
  return { pending, finished };
}
