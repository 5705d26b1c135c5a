import { expect, test } from "vitest";
import { folderWith, safeguards } from "./cli.fixture.ts";

const CREW = `import { defineAgent, defineCrew } from "safeguards";
const thinker = defineAgent({
  name: "thinker",
  run: async (task, { budget }) => {
    await budget.spend(task.input, "tokens");
  },
});
export default defineCrew({
  name: "thrifty",
  agents: [thinker],
  budgets: { month: { limit: "1.00" }, today: { limit: 0.75, parent: "month" } },
  tasks: [
    { id: "a", budget: "today", cost: "0.25", input: "0.20" },
    { id: "b", budget: "month", cost: "0.1", input: "0.1" },
    { id: "c", budget: "today", cost: "0.25", input: 2, dependsOn: ["a"], retry: { maxAttempts: 1 } },
  ],
});
`;

test("what tasks cost, and what is left of the budgets, is told on the command line", async () => {
  const folder = folderWith({ "crew.ts": CREW });
  const run = await safeguards(folder, "run", "crew.ts");
  expect(run.stdout).toMatch(/cost +0\.3\n/);
  expect(run.stdout).toContain("is to spend 2");
  const tasks = await safeguards(folder, "tasks");
  expect(tasks.stdout).toMatch(/completed r1\/a thinker \S+ \S+, cost 0\.2\n/);
  const status = await safeguards(folder, "status");
  expect(status.stdout).toMatch(/r1 thrifty .*, cost 0\.3\n/);
  expect(status.stdout).toContain("budgets\n  month 0.3 of 1 spent\n  today 0.2 of 0.75 spent, part of month\n");
  const data = JSON.parse((await safeguards(folder, "status", "--json")).stdout);
  expect(data).toMatchObject({
    runs: [{ cost: "0.3" }],
    budgets: [{ id: "month", available: "0.7" }, { id: "today" }],
  });
});

test("a crew in YAML has budgets too", async () => {
  const folder = folderWith({
    "crew.yaml": `name: sums
agents: [{ name: cat, command: [cat] }]
budgets:
  all: { limit: "2.50" }
tasks:
  - { id: a, budget: all, cost: 0.5 }
`,
  });
  expect((await safeguards(folder, "run", "crew.yaml")).code).toBe(0);
  expect((await safeguards(folder, "status")).stdout).toContain("all 0.5 of 2.5 spent");
});

test("tasks of a crew that name no budget are paid from its default one, and stop where that ends", async () => {
  const crew = (budgets: string, tasks: string) => `name: sums
agents: [{ name: cat, command: [cat] }]
budgets: ${budgets}
tasks: ${tasks}
`;
  const folder = folderWith({
    "crew.yaml": crew(
      '{ default: { limit: "1" }, other: { limit: 9 } }',
      "[{ cost: 0.4 }, { cost: 0.4 }, { cost: 0.4 }, { cost: 0.4, budget: other }]",
    ),
    "dear.yaml": crew("{ default: { limit: 1 } }", "[{ cost: 1.4 }]"),
    "other.yaml": crew("{ other: { limit: 1 } }", "[{ cost: 1.4 }]"),
  });
  expect((await safeguards(folder, "run", "crew.yaml")).code).toBe(1);
  expect((await safeguards(folder, "status")).stdout).toContain(
    "budgets\n  default 0.8 of 1 spent\n  other 0.4 of 9 spent\n",
  );
  expect((await safeguards(folder, "check", "dear.yaml")).stdout).toContain(
    "tasks[0].cost is 1.4 — at most 1, the limit of budget",
  );
  expect((await safeguards(folder, "check", "other.yaml")).code).toBe(0);
});
