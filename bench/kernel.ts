/** How many tasks a second the bare kernel takes from submission to completion, in memory. */
import { type Benchmark, type Figure, perSecond } from "./measure.ts";
import { World } from "./world.ts";

const RUNS = 3;
const SIZES = [
  { agents: 10, pending: 1000, must: 100_000, aim: 200_000 },
  { agents: 10_000, pending: 1_000_000, must: 50_000, aim: 100_000 },
];

export const kernel: Benchmark = {
  work: "submit, assign, start, complete; agents with 5 of 50 skills and capacity 4, tasks with two skills of one; concurrency 64",
  async run({ brief }) {
    const [warmUp, tasks] = brief ? [500, 2000] : [20_000, 100_000];
    return SIZES.map(({ agents, pending, must, aim }): Figure => {
      const loaded = brief ? Math.min(pending, 2000) : pending;
      const world = new World(agents);
      world.submit(loaded);
      world.turnOver(warmUp);
      const runs = Array.from({ length: RUNS }, () => perSecond(tasks, () => world.turnOver(tasks)));
      const what = `${agents} agents, ${loaded} pending, ${tasks} tasks a run`;
      return { what, unit: "tasks/s", runs, goal: { of: "figure", better: "more", must, aim } };
    });
  },
};
