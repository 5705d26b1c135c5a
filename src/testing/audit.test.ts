/** The checks of a simulation can fail: each is shown a log in which what it checks does not hold. */
import { expect, test } from "vitest";
import { CHAIN_START } from "../journal/chain.ts";
import { seal } from "../journal/codec.ts";
import type { JournalRecord } from "../journal/journal.ts";
import type { EventBody, KernelEvent } from "../kernel/events.ts";
import { Audit } from "./audit.ts";

const opened: EventBody = { type: "coordinator.opened", v: 1, concurrency: 2, unroutableMs: 60_000 };
const cpu: EventBody = { type: "resource.set", v: 1, resource: "cpu", kind: "compute", capacity: 3 };
const tokens: EventBody = { type: "resource.set", v: 1, resource: "tokens", kind: "api_call", capacity: 2, per: 100 };

function agent(name: string, capacity: number): EventBody {
  return { type: "agent.registered", v: 1, agent: name, kind: "agent", skills: {}, capacity, weight: 1 };
}

function task(taskId: string, fields: Partial<Extract<EventBody, { type: "task.submitted" }>> = {}): EventBody {
  return { type: "task.submitted", v: 1, taskId, ...fields };
}

function start(taskId: string, token: number, on = "a"): EventBody {
  return { type: "task.started", v: 1, taskId, agent: on, token, attempt: 1, phase: "run" };
}

function complete(taskId: string, token: number, of: number = token): EventBody {
  return { type: "task.completed", v: 1, taskId, token, output: { token: of } };
}

function join(taskId: string, leader: string): EventBody {
  return { type: "flight.joined", v: 1, taskId, leader };
}

function answered(taskId: string, from: string): EventBody {
  return { type: "task.completed", v: 1, taskId, output: null, from };
}

function end(taskId: string, token: number, how: Extract<EventBody, { type: "attempt.ended" }>["end"]): EventBody {
  return { type: "attempt.ended", v: 1, taskId, token, end: how };
}

function failed(taskId: string): EventBody {
  return { type: "task.failed", v: 1, taskId, error: { code: "TASK_FAILED", message: "it failed" } };
}

function skipped(taskId: string, dependency: string): EventBody {
  return { type: "task.skipped", v: 1, taskId, dependency, error: { code: "DEPENDENCY_FAILED", message: "it failed" } };
}

function stop(taskId: string, token: number): EventBody {
  return { type: "attempt.stopping", v: 1, taskId, token, reason: "preempted", graceUntil: 9 };
}

function ending(taskId: string): EventBody {
  return { type: "task.ending", v: 1, taskId, as: "failed" };
}

const crew: readonly EventBody[] = [opened, agent("a", 2), agent("b", 0.5), cpu, tokens];

/** Events as the kernel would number them, a millisecond apart. */
function numbered(bodies: readonly EventBody[], firstSeq = 1): KernelEvent[] {
  return bodies.map((body, at) => ({ seq: firstSeq + at, at: firstSeq + at, ...body }));
}

/** An audit that has been shown the crew, and then these events, as one record each time. */
function audited(bodies: readonly EventBody[]): Audit {
  const audit = new Audit();
  const events = numbered([...crew, ...bodies]);
  audit.kept(recordOf(events), events);
  return audit;
}

function recordOf(events: readonly KernelEvent[], prevHash = CHAIN_START.lastHash, epoch = 1): JournalRecord {
  return seal(events, { firstSeq: events[0]?.seq ?? 1, epoch, prevHash });
}

test("nothing is wrong with a log in which all is well", () => {
  const audit = audited([
    task("one", { resources: { cpu: 3 } }),
    task("two", { dependsOn: ["one"], load: 0.5 }),
    task("three", { dependsOn: ["two"] }),
    task("any", { dependsOn: ["two"], onDependencyFailure: "run", resources: { tokens: 2 } }),
    start("one", 1),
    stop("one", 1),
    end("one", 1, "preempted"),
    start("one", 2),
    complete("one", 2),
    start("two", 3, "b"),
    end("two", 3, "failed"),
    failed("two"),
    skipped("three", "two"),
    start("any", 4),
  ]);
  audit.entered("any", 4);
  audit.opened({ ...openedWith(audit.seq, 2) });
  expect(audit.violations).toEqual([]);
});

test("attempts of a batch share a slot, and room for the largest of their loads until the last has ended", () => {
  const audit = audited([
    task("1", { load: 1 }),
    task("2", { load: 2 }),
    task("3", { load: 0.5 }),
    { ...start("1", 1), batch: 1 } as EventBody,
    { ...start("2", 2), batch: 1 } as EventBody,
    start("3", 3, "b"),
    complete("2", 2),
    complete("1", 1),
    task("4", { load: 2 }),
    start("4", 4),
  ]);
  expect(audit.violations).toEqual([]);
  const early = audited([
    task("1", { load: 1 }),
    task("2", { load: 2 }),
    task("3", { load: 1 }),
    { ...start("1", 1), batch: 1 } as EventBody,
    { ...start("2", 2), batch: 1 } as EventBody,
    complete("2", 2),
    start("3", 3),
  ]);
  expect(early.violations).toEqual([expect.stringContaining('agent "a" holds 3 of 2')]);
});

test.for<[what: string, events: readonly EventBody[], told: string]>([
  [
    "more slots than there are",
    [
      task("1", { load: 0.1 }),
      task("2", { load: 0.1 }),
      task("3", { load: 0.1 }),
      start("1", 1),
      start("2", 2),
      start("3", 3),
    ],
    "3 attempts run where 2 may",
  ],
  ["an agent beyond its capacity", [task("1", { load: 0.6 }), start("1", 1, "b")], 'agent "b" holds 0.6 of 0.5'],
  [
    "an agent beyond its capacity, together",
    [task("1", { load: 1.9 }), task("2", { load: 0.2 }), start("1", 1), start("2", 2)],
    'agent "a" holds 2.1 of 2',
  ],
  [
    "a resource beyond its capacity",
    [task("1", { resources: { cpu: 2 } }), task("2", { resources: { cpu: 2 } }), start("1", 1), start("2", 2)],
    'resource "cpu" holds 4 of 3',
  ],
  [
    "tokens that are not there yet",
    [
      task("1", { resources: { tokens: 2 } }),
      start("1", 1),
      complete("1", 1),
      task("2", { resources: { tokens: 1 } }),
      start("2", 2),
    ],
    'resource "tokens" gave',
  ],
  [
    "a resource that is not known",
    [task("1", { resources: { gold: 1 } }), start("1", 1)],
    'takes of "gold", which is not known',
  ],
  [
    "an agent that is not known",
    [task("1"), start("1", 1, "nobody")],
    'on agent "nobody", and one of them is not known',
  ],
  [
    "what is given back twice",
    [task("1"), start("1", 1), end("1", 1, "failed"), end("1", 1, "failed")],
    "the attempt of token 1 gives back what it does not hold",
  ],
  [
    "a follower of another key",
    [task("1", { cacheKey: "k" }), task("2", { cacheKey: "l" }), join("2", "1")],
    'task "2" follows "1", which is none to follow',
  ],
  [
    "a follower of what has ended",
    [task("1", { cacheKey: "k" }), start("1", 1), complete("1", 1), task("2", { cacheKey: "k" }), join("2", "1")],
    'task "2" follows "1", which is none to follow',
  ],
  [
    "a follower that runs",
    [task("1", { cacheKey: "k" }), task("2", { cacheKey: "k" }), start("2", 1), join("2", "1")],
    'task "2" follows another while running',
  ],
  [
    "a follower that starts",
    [task("1", { cacheKey: "k" }), task("2", { cacheKey: "k" }), join("2", "1"), start("2", 1)],
    'task "2" starts while waiting',
  ],
  [
    "an answer by what has not completed",
    [task("1", { cacheKey: "k" }), task("2", { cacheKey: "k" }), answered("2", "1")],
    'task "2" is answered by "1", which has no output for it',
  ],
  ["a task that is submitted twice", [task("1"), task("1")], 'task "1" is submitted twice'],
  ["a task that was never submitted", [failed("1")], 'tells of task "1", which was not submitted'],
  [
    "a start before its dependency has ended",
    [task("1"), task("2", { dependsOn: ["1"] }), start("2", 1)],
    'task "2" starts before what it depends on',
  ],
  [
    "a start after its dependency has failed",
    [task("1"), failed("1"), task("2", { dependsOn: ["1"] }), start("2", 1)],
    'task "2" starts before what it depends on',
  ],
  [
    "a start anyway before its dependency has ended",
    [task("1"), task("2", { dependsOn: ["1"], onDependencyFailure: "run" }), start("2", 1)],
    'task "2" starts before what it depends on',
  ],
  [
    "tasks in a circle",
    [task("1", { dependsOn: ["2"] }), task("2", { dependsOn: ["1"] }), task("3", { dependsOn: ["1"] }), task("4")],
    "3 tasks are in a circle",
  ],
  ["two attempts at a time", [task("1"), start("1", 1), start("1", 2)], 'task "1" starts while running'],
  [
    "a start after the end",
    [task("1"), start("1", 1), complete("1", 1), start("1", 2)],
    'task "1" starts while completed',
  ],
  ["a start of what is to end", [task("1"), ending("1"), start("1", 1)], 'task "1" starts although it is to end'],
  [
    "a start below what has ended",
    [task("1"), failed("1"), task("2", { parentId: "1" }), start("2", 1)],
    'task "2" starts below "1"',
  ],
  ["a token that does not rise", [task("1"), task("2"), start("1", 2), start("2", 2)], "starts with token 2, after 2"],
  [
    "a result with an old token",
    [task("1"), start("1", 1), end("1", 1, "lost"), start("1", 2), complete("1", 1)],
    'token 1 speaks for task "1", whose attempt is 2',
  ],
  [
    "a result with another's token",
    [task("1"), task("2"), start("1", 1), complete("2", 1)],
    'token 1 speaks for task "2", whose attempt is none',
  ],
  [
    "a result that another attempt gave",
    [task("1"), start("1", 1), end("1", 1, "lost"), start("1", 2), complete("1", 2, 1)],
    'task "1" completes with the output of token 1',
  ],
  [
    "a second end",
    [task("1"), start("1", 1), complete("1", 1), failed("1")],
    'task "1" is failed after it was completed',
  ],
  ["an end while an attempt runs", [task("1"), start("1", 1), failed("1")], 'task "1" is failed while an attempt runs'],
  [
    "a second telling to stop",
    [task("1"), start("1", 1), stop("1", 1), stop("1", 1)],
    'task "1" is told to stop twice',
  ],
  [
    "a second beginning of the end",
    [task("1"), start("1", 1), ending("1"), ending("1")],
    'task "1" is to end a second time',
  ],
  [
    "a skip for what went well",
    [task("1"), task("2", { dependsOn: ["1"] }), start("1", 1), complete("1", 1), skipped("2", "1")],
    'task "2" is skipped for "1", which is no reason',
  ],
  [
    "a skip for what it does not depend on",
    [task("1"), task("2"), failed("1"), skipped("2", "1")],
    'task "2" is skipped for "1", which is no reason',
  ],
  [
    "a skip of what has run",
    [
      task("1"),
      task("2", { dependsOn: ["1"], onDependencyFailure: "run" }),
      failed("1"),
      start("2", 1),
      end("2", 1, "failed"),
      skipped("2", "1"),
    ],
    'task "2" is skipped after it has run',
  ],
  [
    "more attempts than the policy has",
    [
      task("1", { retry: { maxAttempts: 2 } }),
      start("1", 1),
      end("1", 1, "failed"),
      start("1", 2),
      end("1", 2, "lost"),
      start("1", 3),
    ],
    'task "1" starts after 2 attempts that count',
  ],
  [
    "what no simulation does",
    [task("1"), { type: "task.retried", v: 1, taskId: "1" }],
    "task.retried is nothing that a simulation brings about",
  ],
])("told: %s", ([, events, told]) => {
  expect(audited(events).violations.join("\n")).toContain(told);
});

test("told: a gap in the seqs, and time that runs backwards", () => {
  const audit = new Audit();
  const events = numbered(crew);
  audit.kept(
    recordOf(events),
    events.map((event) => (event.seq === 3 ? { ...event, seq: 4, at: 1 } : event)),
  );
  expect(audit.violations).toEqual([
    "after seq 0: seq 4 follows 2",
    "after seq 0: time runs backwards: 1 after 2",
    "after seq 0: seq 4 follows 4",
  ]);
});

test("told: a record that does not follow the last, and an epoch that is over", () => {
  const audit = new Audit();
  const events = numbered(crew);
  audit.kept(recordOf(events, CHAIN_START.lastHash, 2), events);
  const more = numbered([task("1")], events.length + 1);
  audit.kept(recordOf(more, CHAIN_START.lastHash, 1), more);
  expect(audit.violations).toEqual([
    "after seq 5: the record from seq 6 on does not follow (chain)",
    "after seq 5: epoch 1 writes after 2",
  ]);
});

test("told: a command that takes effect twice", () => {
  const audit = new Audit();
  const events = numbered(crew);
  audit.kept(recordOf(events), events);
  for (const id of ["1", "2"]) {
    const more = numbered([task(`${id} a`), task(`${id} b`)], audit.seq + 1).map((event) => ({
      ...event,
      commandId: "c",
    }));
    audit.kept(seal(more, { firstSeq: audit.seq + 1, epoch: 1, prevHash: Buffer.from(audit.hash, "hex") }), more);
  }
  expect(audit.violations).toEqual(Array(2).fill("after seq 7: command c takes effect a second time"));
});

test("told: a journal that lost what was kept, and a writer that is not a new one", () => {
  const audit = audited([]);
  audit.opened(openedWith(4, 1));
  expect(audit.violations).toEqual([
    "after seq 5: the journal is opened with 4 events; 5 were kept",
    "after seq 5: epoch 1 follows 1",
  ]);
});

test("told: code that is entered before its attempt is kept, or when it is over", () => {
  const audit = audited([task("1"), task("2"), start("2", 1), complete("2", 1)]);
  audit.entered("1", 2);
  audit.entered("2", 1);
  expect(audit.violations).toHaveLength(2);
});

test("told: views that show something else", () => {
  const audit = audited([task("1", { resources: { cpu: 2 } }), task("2", { dependsOn: ["1"] }), start("1", 1)]);
  const views = {
    tasks: [
      { id: "1", status: "running", priority: 5, submittedAt: 6, startedAt: 8, attempts: 1, cost: "0" },
      { id: "2", status: "blocked", priority: 5, submittedAt: 7, attempts: 0, cost: "0" },
    ],
    agents: [],
    resources: [{ id: "cpu", type: "compute", capacity: 3, allocated: 2, available: 1, waiting: 0, holders: [] }],
    budgets: [],
  } as const;
  audit.compare(views);
  expect(audit.violations).toEqual([]);
  audit.compare({
    ...views,
    tasks: [
      { ...views.tasks[0], attempts: 2 },
      { ...views.tasks[1], status: "pending" },
    ],
  });
  audit.compare({ ...views, tasks: views.tasks.slice(1) });
  audit.compare({ ...views, resources: [{ ...views.resources[0], allocated: 1 }] });
  const shown = { skills: {}, capacity: 2, utilization: 0.5, breaker: "closed", online: true, cost: "0" } as const;
  audit.compare({ ...views, agents: [{ ...shown, name: "a", load: 1, running: 2 }] });
  audit.compare({ ...views, agents: [{ ...shown, name: "a", load: 0, running: 1 }] });
  expect(audit.violations.map((line) => line.replace("after seq 8: ", ""))).toEqual([
    'task "1" is shown as running with 2 attempts; it is running with 1',
    'task "2" is shown as pending with 0 attempts; it is blocked with 0',
    "1 tasks are shown; there are 2",
    'resource "cpu" is shown with 1 allocated; it is 2',
    'agent "a" is shown with 2 attempts and a load of 1; it has 1 attempts with a load of 1',
    'agent "a" is shown with 1 attempts and a load of 0; it has 1 attempts with a load of 1',
  ]);
});

const money: readonly EventBody[] = [
  { type: "budget.set", v: 1, budget: "all", limit: "3" },
  { type: "budget.set", v: 1, budget: "part", limit: "2", parent: "all" },
  task("1", { budget: "part", cost: "1.5" }),
  task("2", { budget: "all", cost: "1" }),
];

function spent(taskId: string, token: number, amount: string): EventBody {
  return { type: "budget.spent", v: 1, taskId, token, amount };
}

test("nothing is wrong with budgets of which no more is set aside or spent than there is", () => {
  const audit = audited([
    ...money,
    start("1", 1),
    start("2", 2),
    spent("1", 1, "2"),
    { ...end("1", 1, "lost") },
    { type: "budget.set", v: 1, budget: "all", limit: "1" },
    { ...end("2", 2, "lost"), assumed: "1" } as EventBody,
  ]);
  expect(audit.violations).toEqual([]);
});

test.for<[what: string, events: readonly EventBody[], told: string]>([
  [
    "more set aside than there is",
    [...money, task("3", { budget: "part", cost: "1" }), start("1", 1), start("3", 2)],
    'task "3" starts, and of budget "part" 0 is spent and 2.5 set aside where the limit is 2',
  ],
  [
    "a start at the expense of a budget that is over its limit",
    [
      ...money,
      start("1", 1),
      { type: "budget.set", v: 1, budget: "part", limit: "1" },
      task("3", { budget: "part" }),
      start("3", 2),
    ],
    'task "3" starts, and of budget "part" 0 is spent and 1.5 set aside where the limit is 1',
  ],
  [
    "more spent than there is, further up",
    [...money, start("1", 1), start("2", 2), spent("2", 2, "1.75")],
    'task "2" spends 1.75, and of budget "all" 1.75 is spent and 1.5 set aside where the limit is 3',
  ],
  [
    "a lost attempt that is not settled in full",
    [...money, start("1", 1), end("1", 1, "lost")],
    'what was set aside for a lost attempt at task "1" is given back',
  ],
  [
    "a lost attempt that is settled with another sum",
    [...money, start("1", 1), spent("1", 1, "0.5"), { ...end("1", 1, "lost"), assumed: "1.5" } as EventBody],
    'an attempt at task "1" is settled with 1.5; 1 was set aside',
  ],
  [
    "spending when the attempt is over",
    [...money, start("1", 1), complete("1", 1), spent("1", 1, "1")],
    'task "1" spends 1, and its attempt is over',
  ],
  [
    "a budget that is not known",
    [task("1", { budget: "gold" }), start("1", 1)],
    'task "1" starts at the expense of "gold", which is not known',
  ],
])("told of budgets: %s", ([, events, told]) => {
  expect(audited(events).violations.map((line) => line.replace(/^after seq \d+: /, ""))).toContain(told);
});

test("told: views that show other budgets or costs", () => {
  const audit = audited([...money, start("1", 1), spent("1", 1, "0.5")]);
  const shown = { spent: "0.5", reserved: "1", overrun: "0", available: "0.5" };
  const budgets = [
    { id: "all", limit: "3", ...shown },
    { id: "part", limit: "2", parent: "all", ...shown },
  ] as const;
  const tasks = [
    { id: "1", status: "running", priority: 5, submittedAt: 8, startedAt: 10, attempts: 1, cost: "0.5" },
    { id: "2", status: "pending", priority: 5, submittedAt: 9, attempts: 0, cost: "0" },
  ] as const;
  const views = { agents: [], resources: [], budgets, tasks };
  audit.compare(views);
  expect(audit.violations).toEqual([]);
  audit.compare({ ...views, budgets: budgets.slice(1) });
  audit.compare({ ...views, budgets: [budgets[0], { ...budgets[1], overrun: "1" }] });
  audit.compare({ ...views, tasks: [{ ...tasks[0], cost: "0" }, tasks[1]] });
  expect(audit.violations.map((line) => line.replace(/^after seq \d+: /, ""))).toEqual([
    "1 of 2 budgets are shown",
    'budget "part" is shown with 0.5 spent and 1 set aside of 2, 1 too much; it has 0.5 spent and 1 set aside of 2, 0 too much',
    'task "1" is shown with a cost of 0; it is 0.5',
  ]);
});

test("utilization is the share of capacity in use over time, of what still runs too", () => {
  const audit = audited([task("1", { load: 1.5 }), start("1", 1), complete("1", 1), task("2"), start("2", 2)]);
  expect(audit.utilization(20)).toEqual({ a: (1.5 + 10) / 40, b: 0 });
  expect(audit.utilization(0)).toEqual({ a: 0, b: 0 });
});

function openedWith(lastSeq: number, epoch: number): Parameters<Audit["opened"]>[0] {
  return { records: nothing(), lastSeq, lastHash: CHAIN_START.lastHash, epoch };
}

async function* nothing(): AsyncGenerator<JournalRecord, void, undefined> {}
