import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { definitionOf } from "../agents/definition.ts";
import type { Json } from "../coordination/structures/types.ts";
import { formatFault } from "./fault.ts";
import { loadCrew } from "./load.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "crew-")));
let files = 0;

function write(text: string, extension = ".yaml"): string {
  const file = join(folder, `crew${++files}${extension}`);
  writeFileSync(file, text);
  return file;
}

async function faults(text: string, options: { input?: Json } = {}): Promise<string[]> {
  const file = write(text);
  const read = await loadCrew(file, {
    env: { TOOLS: "/opt" },
    ...("input" in options ? { input: options.input } : {}),
  });
  return "faults" in read
    ? read.faults.map((fault) => formatFault({ ...fault, file: basename(fault.file) }).replace(/^crew\d+/, "crew"))
    : [];
}

async function load(text: string, input?: Json) {
  const read = await loadCrew(write(text), { env: { TOOLS: "/opt" }, ...(input === undefined ? {} : { input }) });
  if ("faults" in read) throw new Error(read.faults.map(formatFault).join("\n"));
  return read.loaded;
}

const GOOD = `name: nightly-review
concurrency: 8
protectAfterMs: .inf
resources:
  disk: { type: storage, capacity: 4 }
  model-calls: { type: api_call, capacity: 60, per: 60000 }
agents:
  - name: linter
    skills: [typescript]
    capacity: 2
    command: [node, "{{ env.TOOLS }}/lint.mjs"]
    output: json
    env: { LEVEL: strict }
  - { name: writer, skills: { prose: 0.8 }, command: [cat], output: text }
managers:
  - name: lead
    skills: [review]
    team: [linter, writer]
    plan:
      - { id: check, skills: [typescript], input: "{{ input.path }}" }
      - { id: tell, skills: [{ skill: prose, level: 0.5 }], dependsOn: [check], name: "tell of {{ input.path }}" }
    aggregate: collect
tasks:
  - { id: review, skills: [review], priority: 8, input: { path: "{{ input.folder }}", at: "in {{ input.folder }}!" }, resources: { disk: 1 } }
`;

test("a crew in YAML becomes agents, resources, and tasks with the run's input filled in", async () => {
  const { crew, programs, hash } = await load(GOOD, { folder: "src" });
  expect(crew).toMatchObject({ name: "nightly-review", concurrency: 8, protectAfterMs: Number.POSITIVE_INFINITY });
  expect(crew.agents.map((agent) => definitionOf(agent).description.skills)).toEqual([
    { typescript: 1 },
    { prose: 0.8 },
    { review: 1 },
  ]);
  expect(typeof crew.tasks === "function" && (await crew.tasks({ folder: "src" }))).toEqual([
    { id: "review", skills: ["review"], priority: 8, input: { path: "src", at: "in src!" }, resources: { disk: 1 } },
  ]);
  expect(programs.map(({ of, argv, cwd }) => [of, argv, cwd === folder])).toEqual([
    ["linter", ["node", "/opt/lint.mjs"], true],
    ["writer", ["cat"], true],
  ]);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
});

test("a manager's plan gets the manager's own input, and collects by the ids of the plan", async () => {
  const { crew } = await load(GOOD, { folder: "src" });
  const lead = definitionOf(crew.agents[2]);
  if (lead.kind !== "manager") throw new Error("no manager");
  const task = { id: "r1/review", input: { path: ["a", 1] }, priority: 5 };
  const context = {} as Parameters<typeof lead.plan>[1];
  expect(() => lead.plan(task, context)).toThrow("inside other text");
  expect(lead.plan({ ...task, input: { path: 7 } }, context)).toMatchObject([{ input: 7 }, { name: "tell of 7" }]);
  expect(() => lead.plan({ ...task, input: {} }, context)).toThrow("input is {} — it has no path");
  const outcome = { status: "completed", attempts: [], cost: "0", endedAt: 0 } as const;
  const results = [
    { ...outcome, taskId: "r1/review/__proto__", output: 1 },
    { ...outcome, taskId: "r1/review/tell", status: "failed" } as const,
  ];
  expect(Object.entries(lead.aggregate(task, results, context) as object)).toEqual([["__proto__", 1]]);
});

test("a fallback is taken as it stands, and its agent must be there", async () => {
  const crewOf = (fallback: string): string => `name: c
agents:
  - { name: cat, command: [cat] }
tasks:
  - { id: a, fallback: ${fallback} }
`;
  const { crew } = await load(crewOf("{ agent: cat, skills: [x], value: [1] }"), {});
  expect(typeof crew.tasks === "function" && (await crew.tasks({}))).toEqual([
    { id: "a", fallback: { agent: "cat", skills: ["x"], value: [1] } },
  ]);
  expect(await faults(crewOf("{ agent: dog }"))).toEqual([
    'crew.yaml:5:33: tasks[0].fallback.agent is "dog", whom nobody is called — one of cat',
  ]);
  expect(await faults(crewOf("{}"))).toEqual([
    "crew.yaml:5:24: tasks[0].fallback is {} — a mapping with agent, skills or value",
  ]);
});

test("every fault of a bad crew is told at once, in the order of its lines", async () => {
  const found = await faults(`name: nightly/review
concurency: 8
resources:
  disk: { type: storag, capacity: 4 }
budgets:
  default: { limit: five, parent: nobody }
agents:
  - name: linter
    skills: [typescript, 7]
    capacity: -2
    command: node lint.mjs
  - name: linter
    url: https://agents.example/writer
  - { name: writer, skills: { prose: 2 }, command: [cat, "{{ input.x }}"], description: "{{ env.HOME }}" }
managers:
  - name: lead
    team: [linter, nobody]
    plan:
      - { id: check, skills: [prose], input: "{{ inptu.path }}" }
      - { id: check, dependsOn: [chekc], agent: writer }
    aggregate: colect
tasks:
  - { id: review, priority: high, input: { key: "{{ env.KEY }}" }, resources: { disc: 1, disk: 5 } }
  - { id: a, dependsOn: [b], runBatch: k }
  - { id: b, dependsOn: [a], load: 3, budget: defualt, cost: -1, input: 12345678901234567890 }
`);
  expect(found).toMatchInlineSnapshot(`
    [
      "crew.yaml:1:7: name is "nightly/review" — text of 1 to 200 characters without "/"",
      "crew.yaml:2:1: the crew has the unknown key "concurency" — one of name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, managers, tasks, guardrails",
      "crew.yaml:4:17: resources.disk.type is "storag" — one of compute, memory, storage, api_call, data",
      "crew.yaml:6:21: budgets.default.limit is "five" — a decimal of at least 0, with at most 15 digits before the point and 15 behind it",
      "crew.yaml:6:35: budgets.default.parent is "nobody", which is no budget — one of default",
      "crew.yaml:9:26: agents[0].skills[1] is 7 — the name of a skill: text of 1 to 256 characters without "/"",
      "crew.yaml:10:15: agents[0].capacity is -2 — a number of at least 0, with at most nine decimals",
      "crew.yaml:11:14: agents[0].command is "node lint.mjs" — a list of text: a program and its arguments",
      "crew.yaml:12:5: agents[1].command is missing — a list of text: a program and its arguments",
      "crew.yaml:12:11: agents[1].name is "linter", as agents[0] is — a name of its own",
      "crew.yaml:13:5: agents[1].url: agents reached over A2A are not in this version yet — one of name, description, skills, capacity, weight, breaker, command, cwd, env, maxOutputBytes, output",
      "crew.yaml:14:38: agents[2].skills.prose is 2 — a number above 0 and at most 1",
      "crew.yaml:14:58: agents[2].command[1]: {{ input.x }} names an input where there is none — {{ env.NAME }}",
      "crew.yaml:14:89: agents[2].description: templates are not filled in here — only in name, input and context of tasks, and in command, cwd and env",
      "crew.yaml:17:20: managers[0].team[1] is "nobody", whom nobody is called — one of linter, writer, lead",
      "crew.yaml:19:30: managers[0].plan[0].skills: nobody on the team has "prose" — one of typescript",
      "crew.yaml:19:46: managers[0].plan[0].input: the template "{{ inptu.path }}" — {{ input }}, {{ input.x }} or {{ env.NAME }}",
      "crew.yaml:20:15: managers[0].plan[1].id is "check", as that of managers[0].plan[0] is — an id of its own",
      "crew.yaml:20:34: managers[0].plan[1].dependsOn[0] is "chekc", which no task of this list is called — one of check",
      "crew.yaml:20:49: managers[0].plan[1].agent is "writer", who is not on the team — one of linter",
      "crew.yaml:21:16: managers[0].aggregate is "colect" — merge, collect or { command: [program, arguments…] }",
      "crew.yaml:23:29: tasks[0].priority is "high" — a whole number from -1000000 to 1000000",
      "crew.yaml:23:49: tasks[0].input.key: {{ env.KEY }}: the environment has no KEY — one that is set",
      "crew.yaml:23:81: tasks[0].resources.disc: no resource is called "disc" — one of disk",
      "crew.yaml:23:96: tasks[0].resources.disk is 5 — at most 4, all there is of it",
      "crew.yaml:24:26: tasks[1].dependsOn[0] is "b": the tasks wait for one another (a → b → a) — no cycle",
      "crew.yaml:24:30: tasks[1] has the unknown key "runBatch" — one of id, name, input, context, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, timeoutMs, deadlineMs, estimatedMs, graceMs, retry, preemptible, fallback, cacheKey, cacheMs, budget, cost, approval, batchKey, batchWaitMs",
      "crew.yaml:25:36: tasks[2].load is 3 — at most 1, the capacity of those who can do it",
      "crew.yaml:25:47: tasks[2].budget is "defualt", which is no budget — one of default",
      "crew.yaml:25:62: tasks[2].cost is -1 — a decimal of at least 0, with at most 15 digits before the point and 15 behind it",
      "crew.yaml:25:73: the number 12345678901234567000 is too large to be exact — a whole number up to 2^53 - 1, or text in quotes",
    ]
  `);
});

test("YAML that cannot be read is told where, with all that is wrong", async () => {
  expect(await faults("name: a\nname: b\nagents: [\n")).toMatchInlineSnapshot(`
    [
      "crew.yaml:2:1: bad YAML: Map keys must be unique",
      "crew.yaml:4:1: bad YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ]
  `);
  expect(await faults("")).toMatchInlineSnapshot(`
    [
      "crew.yaml:1:1: the crew is null — a mapping with name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, managers, tasks, guardrails",
    ]
  `);
  expect(await faults("- a\n- b\n")).toMatchInlineSnapshot(`
    [
      "crew.yaml:1:1: the crew is ["a", "b"] — a mapping with name, concurrency, agingMs, protectAfterMs, resources, budgets, agents, managers, tasks, guardrails",
    ]
  `);
});

test("templates of the run's input are tried when there is an input, and only then", async () => {
  expect(await faults(GOOD)).toEqual([]);
  expect(await faults(GOOD, { input: { folder: [1] } })).toMatchInlineSnapshot(`
    [
      "crew.yaml:24:91: tasks[0].input.at: {{ input.folder }} is [1] inside other text — text, a number, true or false",
    ]
  `);
});

test("what is no crew file is refused", async () => {
  await expect(loadCrew(join(folder, "none.yaml"), { env: {} })).rejects.toThrow("there is no file");
  await expect(loadCrew(write("", ".json"), { env: {} })).rejects.toThrow("it must end with .yaml, .yml, .ts");
});
