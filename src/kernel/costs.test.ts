import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FitIndex } from "../coordination/structures/fit-index.ts";
import type { Command } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";

/** Every index that has been made since the test began. */
let made: Set<FitIndex<unknown>>;

beforeEach(() => {
  made = new Set();
  const { add } = FitIndex.prototype;
  vi.spyOn(FitIndex.prototype, "add").mockImplementation(function (this: FitIndex<unknown>, ...given) {
    made.add(this);
    return add.apply(this, given);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function visits(): number {
  let sum = 0;
  for (const index of made) sum += index.visits;
  return sum;
}

/** From now on, going through all of this is a fault. */
function forbidScans(...all: readonly (Map<unknown, unknown> | Set<unknown>)[]): void {
  const scan = (): never => {
    throw new Error("everything was gone through");
  };
  for (const one of all)
    Object.assign(one, { values: scan, keys: scan, entries: scan, forEach: scan, [Symbol.iterator]: scan });
}

interface Size {
  readonly agents: number;
  readonly waiting: number;
  readonly settings?: Partial<Extract<Command, { type: "coordinator.open" }>>;
  /** What each task asks for. */
  task(i: number): object;
  /** Before the measured part. */
  prepare?(kernel: Kernel): void;
}

/** Index visits per step, where a step completes what runs longest and submits one more. */
function costOf({ agents, waiting, settings, task, prepare }: Size): number {
  const state = new State();
  const kernel = new Kernel(state);
  const running: { readonly taskId: string; readonly token: number }[] = [];
  let now = 1_000_000;
  const run = (...commands: Command[]): void => {
    const { events, answers } = kernel.batch(
      commands.map((command) => ({ command })),
      now,
    );
    for (const answer of answers) if (!answer.ok) throw new Error(answer.refusal.message);
    for (const event of events) {
      if (event.type === "task.started") running.push({ taskId: event.taskId, token: event.token });
    }
  };
  run({ type: "coordinator.open", concurrency: agents, ...settings });
  run(
    ...Array.from(
      { length: agents },
      (_, i): Command => ({
        type: "agent.register",
        agent: { name: `a${i}`, kind: "agent", skills: ["x", i % 2 === 0 ? "even" : "odd"] },
      }),
    ),
    { type: "resource.set", resource: "disk", kind: "storage", capacity: agents },
  );
  prepare?.(kernel);
  run({ type: "task.submit", tasks: Array.from({ length: agents + waiting }, (_, i) => task(i)) });
  now += 60_000;
  run({ type: "tick" });
  const before = visits();
  forbidScans(state.tasks, state.agents, state.live);
  const steps = 50;
  for (let i = 0; i < steps; i++) {
    now += 1;
    const from = running.shift();
    if (from === undefined) throw new Error("nothing runs");
    run({ type: "attempt.complete", ...from, output: null }, { type: "task.submit", tasks: [task(i)] });
  }
  return (visits() - before) / steps;
}

const cases: readonly (readonly [string, Omit<Size, "agents" | "waiting">])[] = [
  ["alike", { task: () => ({ skills: ["x"] }) }],
  [
    "of many priorities and loads",
    { task: (i) => ({ skills: ["x"], priority: i % 7, load: 1 - (i % 4) / 8, preemptible: false }) },
  ],
  [
    "that ask for resources, with estimates",
    { task: (i) => ({ resources: { disk: 1 + (i % 2) / 2 }, estimatedMs: 1_000 + i }) },
  ],
  [
    "while one that is too big holds the reservation",
    { task: (i) => (i === 3 ? { resources: { disk: 90 } } : { resources: { disk: 1 } }) },
  ],
  [
    "with aging",
    { settings: { agingMs: 1_000 }, task: (i) => ({ skills: ["even"], priority: i % 5, preemptible: false }) },
  ],
  [
    "with a low one that runs elsewhere and could be displaced",
    { task: (i) => (i === 0 ? { skills: ["odd"], priority: 1 } : { skills: ["even"] }) },
  ],
  [
    "paid from a budget that has enough, below one that lets no more start",
    { prepare: budgets, task: () => ({ budget: "part", cost: "1.000000000001" }) },
  ],
  [
    "of which each waits for what the one before it gives back",
    {
      prepare: budgets,
      task: (i) => ({ budget: "part", cost: i % 2 === 0 ? 3 : 2, priority: i % 3, preemptible: false }),
    },
  ],
];

function budgets(kernel: Kernel): void {
  const commands: Command[] = [
    { type: "budget.set", budget: "all", limit: 100 },
    { type: "budget.set", budget: "part", limit: 1_000_000, parent: "all" },
  ];
  kernel.batch(
    commands.map((command) => ({ command })),
    1_000_000,
  );
}

describe("the cost of completing one and admitting the next", () => {
  test.each(cases)("is logarithmic, and nothing is gone through, with tasks %s", { timeout: 120_000 }, (_, size) => {
    const few = costOf({ agents: 100, waiting: 100, ...size });
    const many = costOf({ agents: 10_000, waiting: 10_000, ...size });
    expect({ few, many, logarithmic: many <= 4 * few + 60 }).toMatchObject({ logarithmic: true });
  });
});
