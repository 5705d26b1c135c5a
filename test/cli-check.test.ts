import { expect, test } from "vitest";
import { folderWith, safeguards } from "./cli.fixture.ts";

const GOOD = `name: good
agents:
  - { name: cat, skills: [echo], command: [cat] }
tasks:
  - { id: a, skills: [echo] }
`;

test("a crew without faults is fine", async () => {
  const folder = folderWith({ "crew.yaml": GOOD });
  expect(await safeguards(folder, "check", "crew.yaml")).toMatchObject({
    code: 0,
    stdout: "fine crew.yaml: 1 agent for its tasks\n",
    stderr: "",
  });
  const { code, stdout } = await safeguards(folder, "check", "crew.yaml", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    crew: "good",
    agents: ["cat"],
    programs: [{ of: "cat", argv: ["cat"] }],
  });
});

test("all faults of a crew in YAML are told at once, each with file, line and column", async () => {
  const folder = folderWith({
    "crew.yaml": GOOD.replace("skills: [echo] }\n", "skils: [echo], load: 0 }\n").replace("[cat] }", "[cat], url: x }"),
  });
  const { code, stdout } = await safeguards(folder, "check", "crew.yaml");
  expect(code).toBe(2);
  expect(stdout).toMatchInlineSnapshot(`
    "crew.yaml:3:50: agents[0].url: agents reached over A2A are not in this version yet — one of name, description, skills, capacity, weight, breaker, command, cwd, env, maxOutputBytes, output
    crew.yaml:5:14: tasks[0] has the unknown key "skils" — one of id, name, input, context, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, timeoutMs, deadlineMs, estimatedMs, graceMs, retry, preemptible, fallback, cacheKey, cacheMs, budget, cost, approval, batchKey, batchWaitMs
    crew.yaml:5:35: tasks[0].load is 0 — a number above 0, with at most nine decimals
    3 faults
    "
  `);
  const json = await safeguards(folder, "check", "crew.yaml", "--json");
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    faults: [{ file: "crew.yaml", line: 3, column: 50 }, {}, {}],
  });
});

test("a cacheMs without a cacheKey, or too long, is a fault", async () => {
  const task = (more: string) => GOOD.replace("skills: [echo] }\n", `skills: [echo], ${more} }\n`);
  for (const [more, says] of [
    ["cacheMs: 5", "tasks[0].cacheMs is 5 — only beside cacheKey"],
    ["cacheKey: k, cacheMs: 31622400001", "tasks[0].cacheMs is 31622400001 — milliseconds of at least 0, at most"],
    ['cacheKey: ""', 'tasks[0].cacheKey is "" — text of 1 to 1024 characters'],
  ] as const) {
    const { code, stdout } = await safeguards(folderWith({ "crew.yaml": task(more) }), "check", "crew.yaml");
    expect([code, stdout]).toEqual([2, expect.stringContaining(says)]);
  }
  const good = await safeguards(folderWith({ "crew.yaml": task("cacheKey: k, cacheMs: 5") }), "check", "crew.yaml");
  expect(good.code).toBe(0);
});

test("all faults of a crew in TypeScript are told at once, where they stand in the source", async () => {
  const folder = folderWith({
    "crew.ts": `import { command, defineAgent, defineCrew, type TaskSpec } from "safeguards";
const linter = defineAgent({ name: "linter", skills: ["typescript"], run: command(["node"]) });
const tasks: TaskSpec[] = [{ id: "lint", skills: ["prose"] }, { load: -1 }];
const spec = {
  name: "x",
  concurency: 3,
  agents: [linter, linter],
  resources: new Map([["disk", { type: "storage" as const, capacity: 1 }]]),
};
export default defineCrew({ ...spec, tasks: [...tasks, { id: "more", dependsOn: ["lnt"] }] });
`,
  });
  const { code, stdout } = await safeguards(folder, "check", "crew.ts");
  expect(code).toBe(2);
  expect(stdout).toMatchInlineSnapshot(`
    "crew.ts:2:36: agents[1].name is "linter", as agents[0] is — a name of its own
    crew.ts:3:50: tasks[0].skills: nobody in the crew has "prose" — one of typescript
    crew.ts:3:71: tasks[1].load is -1 — a number above 0, with at most nine decimals
    crew.ts:6:3: the crew has the unknown key "concurency" — one of name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, guardrails, tasks, output
    crew.ts:10:82: tasks[2].dependsOn[0] is "lnt", which no task of this list is called — one of lint, more, 1
    5 faults
    "
  `);
});

test("a module that cannot be loaded is told with the line that is to blame", async () => {
  const folder = folderWith({
    "syntax.ts": "const a = ;\nexport default a;\n",
    "enum.ts": "\nenum A { b }\nexport default A;\n",
    "import.ts": 'import "node:fs";\nimport { a } from "./nowhere.ts";\nexport default a;\n',
    "package.mjs": 'import x from "no-such-package";\nexport default x;\n',
    "throws.mjs": '\nthrow new TypeError("no");\n',
    "helper.ts": 'export const a = 1;\nif (a === 1) throw new Error("helper is broken");\n',
    "helped.ts": 'import { a } from "./helper.ts";\nexport default a;\n',
    "none.ts": "export const crew = 1;\n",
    "number.ts": "export default 7;\n",
    "agent.ts": 'import { defineAgent } from "safeguards";\n\nexport const a = defineAgent({ name: "a/b" });\n',
  });
  const files = [
    "syntax.ts",
    "enum.ts",
    "import.ts",
    "package.mjs",
    "throws.mjs",
    "helped.ts",
    "none.ts",
    "number.ts",
    "agent.ts",
  ];
  const told = await Promise.all(
    files.map(async (file) => {
      const { code, stdout } = await safeguards(folder, "check", file);
      return `${code} ${stdout.split("\n")[0] ?? ""}`.replaceAll(folder, "…");
    }),
  );
  expect(told).toMatchInlineSnapshot(`
    [
      "2 syntax.ts:1:11: bad syntax: Unexpected token",
      "2 enum.ts:2:1: SyntaxError: TypeScript enum is not supported in strip-only mode",
      "2 import.ts:2:19: Error: Cannot find module '…/nowhere.ts' imported from …/import.ts",
      "2 package.mjs:1:15: Error: Cannot find package 'no-such-package' imported from …/package.mjs",
      "2 throws.mjs:2:7: TypeError: no",
      "2 helper.ts:2:20: Error: helper is broken",
      "2 none.ts:1:1: the module has no default export — export default defineCrew({ … })",
      "2 number.ts:1:16: the crew is 7 — a mapping with name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, guardrails, tasks, output",
      "2 agent.ts:3:18: SafeguardsError: the name of an agent is "a/b"; it must be a string of 1 to 256 characters without "/"",
    ]
  `);
});

test("bad usage is one clear line and exit code 2", async () => {
  const folder = folderWith({ "crew.yaml": GOOD, "crew.json": "{}" });
  const cases: [string[], RegExp][] = [
    [["check", "none.yaml"], /^safeguards: there is no file none\.yaml\n$/],
    [["check", "crew.json"], /^safeguards: crew\.json is no crew file: it must end with \.yaml, .*\n$/],
    [["check", "crew.yaml", "--input", "{"], /^safeguards: --input is not JSON, or cannot be read: .*\n$/],
    [["check", "crew.yaml", "--input", "@none.json"], /^safeguards: the file "none\.json" of --input .*\n$/],
    [["check", "crew.yaml", "--frobnicate"], /unknown option '--frobnicate'/],
    [["check"], /missing required argument 'crew'/],
    [["chek"], /unknown command 'chek'/],
    [["status"], /^safeguards: there is no journal in \.safeguards here; name one with --journal sqlite:PATH\n$/],
    [["tasks", "--status", "done"], /^safeguards: --status is "done"; it must be one of blocked, .*\n$/],
    [["tasks", "--limit", "x"], /^safeguards: --limit is "x"; .*\n$/],
    [["events", "--from", "0"], /^safeguards: --from is "0"; .*\n$/],
    [
      ["status", "--journal", "memory:"],
      /^safeguards: --journal is "memory:"; it must be sqlite: and the path of a file\n$/,
    ],
    [["run", "crew.yaml", "--journal", "redis:x"], /^safeguards: journal is "redis:x"; allowed are .*\n$/],
  ];
  await Promise.all(
    cases.map(async ([args, says]) => {
      const { code, stdout, stderr } = await safeguards(folder, ...args);
      expect([args.join(" "), code, stdout]).toEqual([args.join(" "), 2, ""]);
      expect(stderr).toMatch(says);
    }),
  );
});

test("every command tells how it is used, with an example", async () => {
  const folder = folderWith({});
  for (const command of ["run", "check", "status", "tasks", "events", "explain", "cancel"]) {
    const { code, stdout } = await safeguards(folder, command, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain(`Example:\n  $ safeguards ${command}`);
  }
});

test("with --json an error is JSON too", async () => {
  const { code, stdout } = await safeguards(folderWith({}), "status", "--json");
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
});
