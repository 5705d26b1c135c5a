import fc from "fast-check";
import { expect, test } from "vitest";
import { unseal } from "../src/journal/codec.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import type { KernelEvent } from "../src/kernel/events.ts";
import { type FaultPlan, type SimulatedCrew, type SimulationReport, simulate } from "../src/testing/index.ts";
import { checkCrew } from "../src/testing/simulated-crew.ts";
import { runSimulation } from "../src/testing/simulation.ts";

const everyFault: FaultPlan = {
  agentThrows: 0.2,
  agentHangs: 0.1,
  agentAnswersTwice: 0.2,
  agentAnswersLate: 0.1,
  ignoresAbort: 0.2,
  processDies: 0.1,
  clockJumps: 0.1,
  duplicateCommands: 0.2,
};

/** Twelve tasks that compete for one agent, depend on each other, and run out of time. */
const contested: SimulatedCrew = {
  agents: [{ name: "a", capacity: 2, skills: ["s"] }, { name: "b" }],
  tasks: Array.from({ length: 12 }, (_, at) => ({
    id: `t${at}`,
    estimatedMs: 10 + at,
    priority: at % 5,
    timeoutMs: 40,
    graceMs: 5,
    ...(at % 3 === 0 && at > 0 ? { dependsOn: [`t${at - 1}`] } : {}),
    ...(at % 4 === 0 ? { skills: ["s"], resources: { cpu: 2 } } : {}),
  })),
  resources: { cpu: { type: "compute", capacity: 3 } },
};

/** Forty tasks that ask for the same few things, one by one and in chains. */
const alike: SimulatedCrew = {
  agents: [{ name: "a", capacity: 3 }, { name: "b" }],
  tasks: Array.from({ length: 40 }, (_, at) => ({
    id: `t${at}`,
    estimatedMs: 10 + (at % 7),
    priority: at % 3,
    cacheKey: `k${at % 6}`,
    cacheMs: 30 * (at % 3),
    timeoutMs: 60,
    graceMs: 5,
    ...(at % 4 === 3 ? { dependsOn: [`t${at - 3}`] } : {}),
    ...(at % 5 === 0 ? { resources: { cpu: 2 } } : {}),
  })),
  resources: { cpu: { type: "compute", capacity: 3 } },
};

/** The simulation's report, and its journal, byte for byte and as events. */
async function logged(
  crew: SimulatedCrew,
): Promise<{ report: SimulationReport; bytes: string; events: KernelEvent[] }> {
  const journal = new MemoryJournal();
  const report = await runSimulation(checkCrew(crew), journal);
  const { records } = await journal.open();
  const parts: Uint8Array[] = [];
  const events: KernelEvent[] = [];
  for await (const record of records) {
    parts.push(record.hash, record.bytes);
    events.push(...unseal(record));
  }
  return { report, bytes: Buffer.concat(parts).toString("hex"), events };
}

/** How the attempts at a task ended, in order. */
function ends(events: readonly KernelEvent[], taskId: string): string[] {
  return events.flatMap((event) => {
    if (event.type === "attempt.ended" && event.taskId === taskId) return [event.end];
    return event.type === "task.completed" && event.taskId === taskId ? ["completed"] : [];
  });
}

function one(simulated: SimulationReport): SimulationReport["tasks"][number] | undefined {
  return simulated.tasks[0];
}

test("a hundred years go by without waiting, and the report tells who did what when", async () => {
  const year = 365 * 86_400_000;
  const report = await simulate({
    agents: [{ name: "a" }, { name: "b", capacity: 2 }],
    tasks: [
      { id: "x", estimatedMs: 60 * year, agent: "a" },
      { id: "y", estimatedMs: 40 * year, agent: "b" },
      { id: "z", estimatedMs: 60 * year, agent: "b", dependsOn: ["y"] },
    ],
  });
  expect(report).toEqual({
    makespanMs: 100 * year,
    tasks: [
      { id: "x", status: "completed", agent: "a", startedAt: 0, endedAt: 60 * year, attempts: 1 },
      { id: "y", status: "completed", agent: "b", startedAt: 0, endedAt: 40 * year, attempts: 1 },
      { id: "z", status: "completed", agent: "b", startedAt: 40 * year, endedAt: 100 * year, attempts: 1 },
    ],
    utilization: { a: 0.6, b: 0.5 },
    violations: [],
    events: 12,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test("the same seed gives the same events, byte for byte; another seed others", async () => {
  const crew = { ...contested, faults: everyFault, seed: 4 };
  const first = await logged(crew);
  const again = await logged(crew);
  expect(again.bytes).toBe(first.bytes);
  expect(again.report).toEqual(first.report);
  const other = await logged({ ...crew, seed: 5 });
  expect(other.report.hash).not.toBe(first.report.hash);
  expect(other.bytes).not.toBe(first.bytes);
});

test("without faults the seed changes nothing", async () => {
  const reports = await Promise.all([simulate({ ...contested, seed: 1 }), simulate({ ...contested, seed: 2 })]);
  expect(reports[0]).toEqual(reports[1]);
});

test("any number of tasks that end together are weighed together", async () => {
  const { tasks } = await simulate({
    agents: [{ name: "a", capacity: 2_000 }],
    concurrency: 2_000,
    resources: { cpu: { type: "compute", capacity: 1_000 } },
    tasks: [
      ...Array.from({ length: 1_000 }, () => ({ estimatedMs: 10, resources: { cpu: 1 } })),
      { id: "small", estimatedMs: 5, priority: 3, resources: { cpu: 1 } },
      { id: "large", estimatedMs: 5, priority: 4, resources: { cpu: 1_000 } },
    ],
  });
  expect(tasks.slice(-2).map(({ id, startedAt }) => [id, startedAt])).toEqual([
    ["small", 15],
    ["large", 10],
  ]);
});

test("tasks without duration end at the instant at which they start, along a whole chain", async () => {
  const chain = Array.from({ length: 50 }, (_, at) => ({
    id: `c${at}`,
    dependsOn: at > 0 ? [`c${at - 1}`] : ["first"],
  }));
  const { tasks, makespanMs } = await simulate({
    agents: [{ name: "a" }],
    tasks: [{ id: "first", estimatedMs: 7 }, ...chain, { id: "last", estimatedMs: 0, dependsOn: ["c49"] }],
  });
  expect(makespanMs).toBe(7);
  expect(tasks.slice(1).every(({ startedAt, endedAt }) => startedAt === 7 && endedAt === 7)).toBe(true);
});

test("durations are asked for by task and attempt, and rounded up to whole milliseconds", async () => {
  const asked: string[] = [];
  const { tasks } = await simulate({
    agents: [{ name: "a" }],
    tasks: [{ name: "slow at first", estimatedMs: 1, timeoutMs: 20, retry: { initialMs: 4, jitter: false } }],
    durations: ({ name }, attempt) => {
      asked.push(`${name} ${attempt}`);
      return attempt === 1 ? 30 : 2.5;
    },
  });
  expect(asked).toEqual(["slow at first 1", "slow at first 2"]);
  expect(tasks).toEqual([{ id: "t1", status: "completed", agent: "a", startedAt: 0, endedAt: 27, attempts: 2 }]);
});

test("who makes way for another begins again and takes its whole time", async () => {
  const { tasks, violations } = await simulate({
    agents: [{ name: "a" }, { name: "b" }],
    tasks: [
      { id: "long", estimatedMs: 100, priority: 1, agent: "a" },
      { id: "other", estimatedMs: 15, agent: "b" },
      { id: "urgent", estimatedMs: 10, priority: 9, dependsOn: ["other"], agent: "a" },
    ],
  });
  expect(violations).toEqual([]);
  expect(tasks.map(({ startedAt, endedAt, attempts }) => [startedAt, endedAt, attempts])).toEqual([
    [0, 125, 2],
    [0, 15, 1],
    [15, 25, 1],
  ]);
});

test("a crew whose ids are the names of an object's own parts", async () => {
  const { utilization, tasks } = await simulate({
    agents: [{ name: "__proto__" }],
    tasks: [{ id: "constructor", estimatedMs: 1, resources: new Map([["__proto__", 1]]) }],
    resources: new Map([["__proto__", { type: "data", capacity: 1 }]]),
  });
  expect(Object.entries(utilization)).toEqual([["__proto__", 1]]);
  expect(tasks).toMatchObject([{ id: "constructor", status: "completed", agent: "__proto__" }]);
});

test("a task that nobody can do is told as failed, one that nobody has room for as waiting", async () => {
  const { tasks, violations } = await simulate({
    agents: [{ name: "a" }],
    tasks: [
      { id: "unknown art", skills: ["alchemy"] },
      { id: "too large", load: 2 },
    ],
  });
  expect(tasks).toMatchObject([
    { status: "failed", endedAt: 60_000 },
    { status: "pending", attempts: 0 },
  ]);
  expect(violations).toEqual([]);
});

test("agentThrows: attempts fail, up to the policy's number", async () => {
  const { report, events } = await logged({
    agents: [{ name: "a" }, { name: "b" }],
    tasks: [
      { id: "t", estimatedMs: 5, retry: { maxAttempts: 4 } },
      { id: "after", dependsOn: ["t"] },
    ],
    faults: { agentThrows: 1 },
  });
  expect(ends(events, "t")).toEqual(["failed", "failed", "failed", "failed"]);
  expect(report.tasks).toMatchObject([
    { status: "failed", attempts: 4 },
    { status: "skipped", attempts: 0 },
  ]);
  expect(report.violations).toEqual([]);
});

test("agentHangs: an attempt ends by its timeout, and without one never", async () => {
  const { report, events } = await logged({
    agents: [{ name: "a", capacity: 2 }],
    tasks: [{ id: "timed", timeoutMs: 50, retry: { maxAttempts: 1 } }, { id: "endless" }],
    faults: { agentHangs: 1 },
  });
  expect(ends(events, "timed")).toEqual(["timeout"]);
  expect(report.tasks).toMatchObject([{ status: "failed", endedAt: 50 }, { status: "running" }]);
  expect(report.violations).toEqual([]);
});

test("ignoresAbort: an attempt that is told to stop runs on, and is abandoned after its grace", async () => {
  const tasks = [{ id: "t", estimatedMs: 100, timeoutMs: 50, graceMs: 20, retry: { maxAttempts: 1 } }];
  const obedient = await logged({ agents: [{ name: "a" }], tasks });
  const deaf = await logged({ agents: [{ name: "a" }], tasks, faults: { ignoresAbort: 1 } });
  expect([ends(obedient.events, "t"), one(obedient.report)?.endedAt]).toEqual([["timeout"], 50]);
  expect([ends(deaf.events, "t"), one(deaf.report)?.endedAt]).toEqual([["abandoned"], 70]);
});

test("agentAnswersLate: the answer comes after the grace is over, and changes nothing", async () => {
  const { report, events } = await logged({
    agents: [{ name: "a" }],
    tasks: [{ id: "t", estimatedMs: 5, timeoutMs: 50, graceMs: 20, retry: { maxAttempts: 2, initialMs: 0 } }],
    faults: { agentAnswersLate: 1 },
  });
  expect(ends(events, "t")).toEqual(["abandoned", "abandoned"]);
  expect(report).toMatchObject({ tasks: [{ status: "failed", endedAt: 140 }], violations: [] });
});

test("agentAnswersLate without a timeout: it takes ten times its time", async () => {
  const report = await simulate({
    agents: [{ name: "a" }],
    tasks: [{ id: "t", estimatedMs: 5 }],
    faults: { agentAnswersLate: 1 },
  });
  expect(report).toMatchObject({ makespanMs: 50, tasks: [{ status: "completed" }], violations: [] });
});

test("agentAnswersTwice: one answer counts, and nothing is left of the others", async () => {
  const { report, events } = await logged({ ...contested, faults: { agentAnswersTwice: 1 } });
  expect(events.filter(({ type }) => type === "task.completed")).toHaveLength(contested.tasks.length);
  expect(report.violations).toEqual([]);
});

test("duplicateCommands: a command that is sent twice takes effect once", async () => {
  const once = await logged(contested);
  const twice = await logged({ ...contested, faults: { duplicateCommands: 1 } });
  const types = (events: readonly KernelEvent[]): string[] => events.map(({ type }) => type);
  expect(types(twice.events)).toEqual(types(once.events));
  expect(twice.events.filter(({ commandId }) => commandId === "t3#1")).toMatchObject([{ type: "task.completed" }]);
  expect(twice.report.violations).toEqual([]);
});

test("processDies: attempts are lost and made again, and what was acknowledged stays", async () => {
  const { report, events } = await logged({ ...contested, faults: { processDies: 0.4 } });
  const openings = events.filter(({ type }) => type === "coordinator.opened");
  expect(openings.length).toBeGreaterThan(2);
  expect(events.filter((event) => event.type === "attempt.ended" && event.end === "lost").length).toBeGreaterThan(2);
  expect(report.tasks.map(({ id }) => id)).toEqual(contested.tasks.map(({ id }) => id));
  expect(
    report.tasks.every(({ status }) => status === "completed" || status === "failed" || status === "skipped"),
  ).toBe(true);
  expect(report.violations).toEqual([]);
});

test("processDies always: even so it comes to an end", async () => {
  const { report, events } = await logged({ ...contested, faults: { processDies: 1 } });
  expect(report.violations).toEqual([]);
  expect(events.filter(({ type }) => type === "coordinator.opened").length).toBeGreaterThan(20);
  expect(report.tasks).toHaveLength(12);
});

test("clockJumps: whatever the wall clock does, time in the journal goes on from where it was", async () => {
  const { report, events } = await logged({ ...contested, faults: { clockJumps: 0.5, processDies: 0.1 }, seed: 9 });
  const times = events.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(report.violations).toEqual([]);
});

/** Left out more often than not. */
function seldom<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

const rate = fc.constantFrom(0, 0, 0, 0.1, 0.3, 1);

const crews: fc.Arbitrary<SimulatedCrew> = fc
  .record({
    agents: fc.array(fc.record({ capacity: fc.constantFrom(1, 2, 1.5, 0), skills: fc.subarray(["s", "t"]) }), {
      minLength: 1,
      maxLength: 4,
    }),
    tasks: fc.array(
      fc.record({
        estimatedMs: fc.integer({ min: 0, max: 50 }),
        before: seldom(fc.array(fc.nat(99), { minLength: 1, maxLength: 3 })),
        onDependencyFailure: seldom(fc.constant("run" as const)),
        priority: seldom(fc.integer({ min: 0, max: 9 })),
        load: seldom(fc.constant(0.5)),
        skills: seldom(fc.constantFrom(["s"], ["t"])),
        preemptible: seldom(fc.constant(false)),
        resources: seldom(fc.constantFrom({ cpu: 1 }, { cpu: 2.5 }, { tokens: 1 }, { cpu: 1, tokens: 2 })),
        timeoutMs: seldom(fc.integer({ min: 1, max: 80 })),
        deadlineMs: seldom(fc.integer({ min: 1, max: 400 })),
        graceMs: seldom(fc.integer({ min: 0, max: 20 })),
        budget: seldom(fc.constantFrom("all", "part")),
        cost: seldom(fc.constantFrom("0.25", 1, "1.5")),
        retry: seldom(fc.record({ maxAttempts: fc.integer({ min: 1, max: 4 }), initialMs: fc.nat(100) })),
      }),
      { minLength: 1, maxLength: 25, size: "max" },
    ),
    concurrency: fc.integer({ min: 1, max: 6 }),
    agingMs: fc.constantFrom(Number.POSITIVE_INFINITY, 10),
    protectAfterMs: fc.constantFrom(Number.POSITIVE_INFINITY, 20, 0),
    seed: fc.integer(),
    faults: fc.record({
      agentThrows: rate,
      agentHangs: rate,
      agentAnswersTwice: rate,
      agentAnswersLate: rate,
      ignoresAbort: rate,
      processDies: rate,
      clockJumps: rate,
      duplicateCommands: rate,
    }),
  })
  .map(({ agents, tasks, ...rest }) => ({
    ...rest,
    agents: agents.map((agent, at) => ({ ...agent, name: `a${at}` })),
    tasks: tasks.map(({ before = [], ...task }, at) => {
      const given = Object.fromEntries(Object.entries(task).filter(([, value]) => value !== undefined));
      return { ...given, id: `t${at}`, dependsOn: at === 0 ? [] : [...new Set(before.map((on) => `t${on % at}`))] };
    }),
    resources: { cpu: { type: "compute", capacity: 3 }, tokens: { type: "api_call", capacity: 2, per: 50 } },
    budgets: { part: { limit: 2, parent: "all" }, all: { limit: "3.5" } },
  }));

test("whatever goes wrong for whatever crew, nothing happens that should not, and all of it the same way again", async () => {
  await fc.assert(
    fc.asyncProperty(crews, async (crew) => {
      const report = await simulate(crew);
      expect(report.violations).toEqual([]);
      expect(await simulate(crew)).toEqual(report);
    }),
    { numRuns: 150 },
  );
});

test("what has to be approved is, at once", async () => {
  const report = await simulate({
    agents: [{ name: "a" }],
    tasks: [{ id: "t", estimatedMs: 5, approval: { before: "run" } }],
  });
  expect(report).toMatchObject({ makespanMs: 5, violations: [], tasks: [{ id: "t", status: "completed" }] });
});

test.for<[what: string, crew: object, message: string]>([
  ["a key that is unknown", { cleverness: 1 }, "cleverness"],
  ["a budget that is none", { budgets: { b: { limit: "much" } } }, 'the limit of b is "much"'],
  ["agents that are no list", { agents: { name: "a" } }, "agents is"],
  ["an agent with code", { agents: [{ name: "a", run: () => 1 }] }, '"run"'],
  ["a name that is none", { agents: [{ name: "a/b" }] }, "the name of an agent"],
  ["tasks that are no list", { tasks: {} }, "tasks is"],
  ["a task without sense", { tasks: [{ priority: 0.5 }] }, "priority"],
  ["a task with a key that is unknown", { tasks: [{ budgett: "b" }] }, '"budgett"'],
  ["a seed that is no integer", { seed: 0.5 }, "seed is 0.5"],
  ["durations that are no function", { durations: 5 }, "durations is 5"],
  ["a duration that is negative", { durations: () => -1 }, 'the duration of attempt 1 at task "t" is -1'],
  [
    "a duration past all time",
    { durations: () => 1e300 },
    'the duration of attempt 1 at task "t" is 1e+300; it must be an integer',
  ],
  ["a duration that is none", { durations: () => Number.NaN }, 'the duration of attempt 1 at task "t" is NaN'],
  [
    "durations that throw",
    {
      durations: () => {
        throw new Error("no");
      },
    },
    'the duration of attempt 1 at task "t" could not be told',
  ],
  ["a fault that is unknown", { faults: { gremlins: 1 } }, "gremlins"],
  ["a rate above 1", { faults: { agentThrows: 1.5 } }, "agentThrows of a fault plan is 1.5"],
  ["a rate that is none", { faults: { journalTears: Number.NaN } }, "journalTears of a fault plan is NaN"],
  ["torn journals", { faults: { journalTears: 0.1 } }, "journalTears of a fault plan is not in this version"],
])("refused with INVALID_ARGUMENT: %s", async ([, wrong, message]) => {
  const crew = { agents: [{ name: "a" }], tasks: [{ id: "t" }], ...wrong };
  await expect(simulate(crew)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(message),
  });
});

test.for<[code: string, crew: Partial<SimulatedCrew>]>([
  [
    "DEPENDENCY_CYCLE",
    {
      tasks: [
        { id: "t", dependsOn: ["u"] },
        { id: "u", dependsOn: ["t"] },
      ],
    },
  ],
  ["UNKNOWN_AGENT", { tasks: [{ agent: "nobody" }] }],
  ["UNKNOWN_RESOURCE", { tasks: [{ resources: { gold: 1 } }] }],
  ["UNKNOWN_RESOURCE", { tasks: [{ resources: { gold: 1 } }], faults: { duplicateCommands: 1 } }],
  ["INVALID_ARGUMENT", { concurrency: 0 }],
  ["UNKNOWN_BUDGET", { tasks: [{ budget: "gold" }] }],
  ["BUDGET_EXCEEDED", { tasks: [{ budget: "gold", cost: 2 }], budgets: { gold: { limit: 1 } } }],
])("refused as the coordinator refuses it: %s", async ([code, wrong]) => {
  await expect(simulate({ agents: [{ name: "a" }], tasks: [{ id: "t" }], ...wrong })).rejects.toMatchObject({ code });
});

test("tasks of one cacheKey share outputs, whatever fails, and the audit agrees", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const { report, events } = await logged({ ...alike, seed, faults: everyFault });
    expect(report.violations).toEqual([]);
    const answered = events.filter((event) => event.type === "task.completed" && event.from !== undefined);
    expect(answered.length).toBeGreaterThan(0);
  }
});
