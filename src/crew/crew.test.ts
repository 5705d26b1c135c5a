import { expect, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import { defineManager } from "../agents/manager.ts";
import { SafeguardsError } from "../errors.ts";
import { defineCrew } from "./crew.ts";
import { type Flaw, formatPath } from "./fault.ts";

const linter = defineAgent({ name: "linter", skills: { typescript: 0.5 }, run: () => null });

function flaws(spec: unknown): string[] {
  try {
    defineCrew(spec as Parameters<typeof defineCrew>[0]);
    return [];
  } catch (error) {
    if (!(error instanceof SafeguardsError)) throw error;
    expect(error.code).toBe("INVALID_ARGUMENT");
    const found = error.details?.flaws ?? [];
    return (found as Flaw[]).map((flaw) => `${formatPath(flaw.path)}: ${flaw.message}`);
  }
}

test("a crew without fault is given back", () => {
  const crew = { name: "x", agents: [linter], tasks: [{ id: "a", skills: ["typescript"] }, { dependsOn: ["a"] }] };
  expect(flaws({ ...crew, tasks: [{ skills: [{ skill: "typescript", level: 0.5 }] }] })).toEqual([]);
  expect(flaws({ ...crew, tasks: [{ id: "a" }, { dependsOn: ["a"] }] })).toEqual([]);
  expect(defineCrew({ ...crew, tasks: () => [] }).name).toBe("x");
});

test("every fault is told at once, with its path, the value and what is allowed", () => {
  const found = flaws({
    name: "a/b",
    concurrency: 0,
    budgets: { a: { limit: 1, parent: "b" }, b: { limit: 1, parent: "a" }, c: { limit: "0.5", parent: "a" } },
    agentz: [],
    agents: [linter, { name: "fake" }],
    resources: { disk: { type: "disc", capacity: -1 } },
    tasks: [
      { id: "a", skills: "typescript", load: Number.NaN, input: () => 1 },
      { id: "a", dependsOn: ["b"], resources: { disc: 1 }, retry: { maxAttempts: 0 } },
      { agent: "nobody", onDependencyFailure: "stop", budget: "c", cost: 0.75 },
    ],
  });
  expect(found).toMatchInlineSnapshot(`
    [
      "name: name is "a/b" — text of 1 to 200 characters without "/"",
      "concurrency: concurrency is 0 — a whole number of at least 1",
      "resources.disk.type: resources.disk.type is "disc" — one of compute, memory, storage, api_call, data",
      "resources.disk.capacity: resources.disk.capacity is -1 — a number of at least 0, with at most nine decimals",
      "agents[1]: agents[1] is {"name": "fake"} — what defineAgent or defineManager returned",
      "tasks[0].input: tasks[0].input is a function — JSON of at most 1000000 bytes, nested at most 64 deep, with finite numbers",
      "tasks[0].skills: tasks[0].skills is "typescript" — a list of skills",
      "tasks[0].load: tasks[0].load is NaN — a number above 0, with at most nine decimals",
      "tasks[1].retry.maxAttempts: tasks[1].retry.maxAttempts is 0 — a whole number from 1 to 1000",
      "tasks[2].onDependencyFailure: tasks[2].onDependencyFailure is "stop" — skip or run",
      "agentz: the crew has the unknown key "agentz" — one of name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, guardrails, tasks, output",
      "budgets.a.parent: budgets.a.parent is "b": the budgets are part of one another (a → b → a) — no cycle",
      "tasks[1].id: tasks[1].id is "a", as that of tasks[0] is — an id of its own",
      "tasks[1].dependsOn[0]: tasks[1].dependsOn[0] is "b", which no task of this list is called — one of a, 2",
      "tasks[1].resources.disc: tasks[1].resources.disc: no resource is called "disc" — one of disk",
      "tasks[2].cost: tasks[2].cost is 0.75 — at most 0.5, the limit of budget "c"",
      "tasks[2].agent: tasks[2].agent is "nobody", whom nobody is called — one of linter",
    ]
  `);
});

test("budgets may be Maps, and what costs no more than the limits all the way up is no fault", () => {
  const budgets = new Map([
    ["__proto__", { limit: "1.5" }],
    ["part", { limit: 1, parent: "__proto__" }],
  ]);
  const crew = { name: "x", agents: [linter], budgets };
  expect(
    flaws({
      ...crew,
      tasks: [
        { budget: "part", cost: "1" },
        { budget: "__proto__", cost: 1.5 },
      ],
    }),
  ).toEqual([]);
  expect(flaws({ ...crew, tasks: [{ budget: "part", cost: "1.1" }] })).toHaveLength(1);
  expect(flaws({ ...crew, tasks: [{ budget: "constructor" }] })).toHaveLength(1);
});

test("a resource may have a breaker, or none any more", () => {
  const withBreaker = (breaker: unknown) =>
    flaws({ name: "x", agents: [linter], tasks: [], resources: { api: { type: "api_call", capacity: 1, breaker } } });
  expect(withBreaker({ failureThreshold: 2 })).toEqual([]);
  expect(withBreaker(null)).toEqual([]);
  expect(withBreaker(false)).toEqual([
    "resources.api.breaker: resources.api.breaker is false — a mapping with failureThreshold, ratio, minCalls, windowMs, resetMs, halfOpenMax",
  ]);
});

test("resources may be Maps, and any id may be the key", () => {
  const resources = new Map([["__proto__", { type: "storage", capacity: 1 }]]);
  const crew = { name: "x", agents: [linter], resources };
  expect(flaws({ ...crew, tasks: [{ resources: new Map([["__proto__", 1]]) }] })).toEqual([]);
  expect(flaws({ ...crew, tasks: [{ resources: new Map([["__proto__", 2]]) }] })).toHaveLength(1);
  expect(flaws({ ...crew, tasks: [{ resources: { constructor: 1 } }] })).toHaveLength(1);
});

test("a task that nobody in the crew can do is a fault", () => {
  expect(flaws({ name: "x", agents: [], tasks: [{}] })).toEqual([
    "tasks[0]: tasks[0]: there is nobody in the crew to do it — at least one agent",
  ]);
  const crew = { name: "x", agents: [linter] };
  expect(flaws({ ...crew, tasks: [{ skills: ["prose"] }] })).toMatchInlineSnapshot(`
    [
      "tasks[0].skills: tasks[0].skills: nobody in the crew has "prose" — one of typescript (0.5)",
    ]
  `);
  expect(flaws({ ...crew, tasks: [{ skills: [{ skill: "typescript", level: 0.8 }] }] })).toMatchInlineSnapshot(`
    [
      "tasks[0].skills: tasks[0].skills: nobody in the crew has "typescript" at 0.8 — one of typescript (0.5)",
    ]
  `);
  expect(flaws({ ...crew, tasks: [{ load: 2 }] })).toMatchInlineSnapshot(`
    [
      "tasks[0].load: tasks[0].load is 2 — at most 1, the capacity of those who can do it",
    ]
  `);
});

test("teams name agents of the crew and never go round", () => {
  const manager = (name: string, ...team: string[]) => defineManager({ name, team, plan: () => [] });
  const crew = { name: "x", tasks: [{}] };
  expect(flaws({ ...crew, agents: [linter, manager("lead", "linter", "lintr")] })).toMatchInlineSnapshot(`
    [
      "agents[1].team[1]: agents[1].team[1] is "lintr", whom nobody is called — one of linter, lead",
    ]
  `);
  expect(flaws({ ...crew, agents: [manager("a", "b"), manager("b", "c"), manager("c", "a")] })).toMatchInlineSnapshot(`
    [
      "agents[0].team[0]: agents[0].team[0] is "b": the teams go round (a → b → c → a) — no cycle",
    ]
  `);
  const deep = Array.from({ length: 33 }, (_, n) =>
    n === 0 ? manager("m0", "linter") : manager(`m${n}`, `m${n - 1}`),
  );
  expect(flaws({ ...crew, agents: [linter, ...deep] })).toHaveLength(1);
  expect(flaws({ ...crew, agents: [linter, ...deep.slice(0, 31)] })).toEqual([]);
});

test("those who vote on an approval have a voter, and are named once; where nobody votes a person decides", () => {
  const judge = defineAgent({ name: "judge", vote: () => "approve" });
  const by = (...voters: string[]) => ({
    approval: { by: { ballot: "majority", ...(voters.length > 0 ? { voters } : {}) } },
  });
  const tasks = [by(), by("judge", "linter", "nobody", "judge")];
  expect(flaws({ name: "x", agents: [linter, judge], tasks })).toMatchInlineSnapshot(`
    [
      "tasks[1].approval.by.voters[1]: tasks[1].approval.by.voters[1] is "linter", who has no voter — one of judge",
      "tasks[1].approval.by.voters[2]: tasks[1].approval.by.voters[2] is "nobody", whom nobody is called — one of linter, judge",
      "tasks[1].approval.by.voters[3]: tasks[1].approval.by.voters[3] is "judge", as tasks[1].approval.by.voters[0] is — each voter once",
    ]
  `);
  expect(flaws({ name: "x", agents: [linter], tasks: tasks.slice(0, 1) })).toMatchInlineSnapshot(`
    [
      "tasks[0].approval.by: tasks[0].approval.by is a ballot, and no agent here votes — person",
    ]
  `);
});

test("each cycle among tasks is told once", () => {
  const tasks = [
    { id: "a", dependsOn: ["b"] },
    { id: "b", dependsOn: ["a"] },
    { id: "c", dependsOn: ["a", "c"] },
  ];
  expect(flaws({ name: "x", agents: [linter], tasks })).toMatchInlineSnapshot(`
    [
      "tasks[0].dependsOn[0]: tasks[0].dependsOn[0] is "b": the tasks wait for one another (a → b → a) — no cycle",
      "tasks[2].dependsOn[1]: tasks[2].dependsOn[1] is "c": the tasks wait for one another (c → c) — no cycle",
    ]
  `);
});

test("names are given once, and the run's own to nobody", () => {
  const other = defineAgent({ name: "(x)", run: () => null });
  expect(flaws({ name: "x", agents: [linter, linter, other], tasks: [{}] })).toMatchInlineSnapshot(`
    [
      "agents[1].name: agents[1].name is "linter", as agents[0] is — a name of its own",
      "agents[2].name: agents[2].name is "(x)", which names the run itself — another name",
    ]
  `);
});
