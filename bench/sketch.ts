/** The systems on their own beside plain Python classes of the same names, which a page has in its code blocks. */
import { TaskArbitrator, WorkloadBalancer } from "../src/coordination-entry.ts";
import type { Benchmark, Figure, Goal } from "./measure.ts";
import { timePage } from "./page.ts";

interface Work {
  readonly runs: number;
  readonly assign: readonly { readonly agents: number; readonly calls: number }[];
  readonly complete: { readonly pending: number; readonly calls: number };
}

/** Calls a second in one run. */
interface Speeds {
  readonly assign: readonly number[];
  readonly complete: number;
}

const FULL: Work = {
  runs: 3,
  assign: [
    { agents: 10, calls: 100_000 },
    { agents: 10_000, calls: 500 },
  ],
  complete: { pending: 10_000, calls: 200 },
};
const BRIEF: Work = {
  runs: 1,
  assign: [
    { agents: 10, calls: 1000 },
    { agents: 1000, calls: 10 },
  ],
  complete: { pending: 500, calls: 10 },
};
const ASSIGN_GOALS: readonly Goal[] = [
  { of: "ratio", better: "more", must: 3, aim: 10 },
  { of: "ratio", better: "more", must: 1000, aim: 2000 },
];
/** Ours would be over before it could be timed: it does as many calls as take long enough, each with the same work. */
const CALLS = 100_000;
/** How often all of them are assigned, each time by a new balancer: less is over before the compiler is done. */
const ROUNDS = 20;
const SHARE_COMPLETED = 0.1;

export const sketch: Benchmark = {
  work: "WorkloadBalancer: tasks of load 1 assigned; TaskArbitrator: 5 slots, whatever runs completed, the next started",
  async run({ brief, argument }) {
    if (argument === undefined) return "it needs a page with Python classes: npm run bench -- sketch PAGE.md";
    const work = brief ? BRIEF : FULL;
    // What is still interpreted does not count.
    measureOurs(work);
    // In turn, so that what slows the machine down slows both.
    const runs = Array.from({ length: work.runs }, () => ({
      theirs: timePage<Speeds>(argument, work),
      ours: measureOurs(work),
    }));
    const pick = (of: (one: Speeds) => number | undefined): Pick<Figure, "unit" | "runs" | "peer"> => ({
      unit: "calls/s",
      runs: runs.map(({ ours }) => of(ours) ?? Number.NaN),
      peer: { what: "Python", runs: runs.map(({ theirs }) => of(theirs) ?? Number.NaN) },
    });
    return [
      ...work.assign.map(({ agents }, i): Figure => {
        const goal = ASSIGN_GOALS[i];
        return { what: `assign, ${agents} agents`, ...pick(({ assign }) => assign[i]), ...(goal && { goal }) };
      }),
      {
        what: `complete, ${work.complete.pending} pending`,
        ...pick(({ complete }) => complete),
        goal: { of: "ratio", better: "more", must: 5000, aim: 10_000 },
      },
    ];
  },
};

function measureOurs({ assign: sizes, complete: { pending } }: Work): Speeds {
  return { assign: sizes.map(({ agents }) => assign(agents)), complete: complete(pending) };
}

function assign(agents: number): number {
  let ms = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const balancer = new WorkloadBalancer();
    for (let i = 0; i < agents; i++) balancer.register(`a${i}`, 1_000_000);
    const ids = Array.from({ length: CALLS }, (_, i) => `t${i}`);
    const began = performance.now();
    for (const id of ids) balancer.assign(id, 1);
    ms += performance.now() - began;
  }
  return (ROUNDS * CALLS * 1000) / ms;
}

/** From a little more than that many pending to a little less, again and again. */
function complete(pending: number): number {
  const calls = Math.ceil(pending * SHARE_COMPLETED);
  let ms = 0;
  const rounds = Math.ceil(CALLS / calls);
  for (let round = 0; round < rounds; round++) {
    const arbitrator = new TaskArbitrator({ maxConcurrent: 5 });
    const total = pending + calls / 2 + 5;
    for (let i = 0; i < total; i++) arbitrator.register({ id: `t${i}`, priority: (i * 7919) % 10 }, 0);
    const running = [...arbitrator.startReady(0)];
    const began = performance.now();
    for (let done = 0; done < calls; done++) {
      const id = running.shift();
      if (id === undefined) throw new Error(`nothing runs after ${done} completions`);
      running.push(...arbitrator.complete(id, 1));
    }
    ms += performance.now() - began;
  }
  return (rounds * calls * 1000) / ms;
}
