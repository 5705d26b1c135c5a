import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, safeguards, start } from "./cli.fixture.ts";

/** Notes each start and each end in a file, and takes as long as its input says. */
const WORK = `import { appendFileSync } from "node:fs";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { task, input } = JSON.parse(text);
appendFileSync("log.txt", \`start \${task.id}\\n\`);
await new Promise((resolve) => setTimeout(resolve, input?.ms ?? 0));
if (input?.fail) { console.error("cannot"); process.exit(1); }
appendFileSync("log.txt", \`end \${task.id}\\n\`);
console.log(JSON.stringify({ did: task.id }));
`;

function crew(tasks: string, settings = ""): Record<string, string> {
  return {
    "work.mjs": WORK,
    "crew.yaml": `name: demo
${settings}agents:
  - { name: worker, skills: [work], capacity: 2, command: [node, work.mjs] }
  - { name: writer, skills: [prose], command: [node, work.mjs] }
managers:
  - name: lead
    skills: [lead]
    team: [worker]
    plan: [{ id: one, input: "{{ input.each }}" }, { id: two, dependsOn: [one] }]
    aggregate: collect
tasks:
${tasks}`,
  };
}

function log(folder: string): string[] {
  const file = join(folder, "log.txt");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const ESCAPES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

test("a crew runs to its end: what it starts is shown the first time, its outcomes at the end, each run has an id", async () => {
  const folder = folderWith(
    crew(
      `  - { id: managed, skills: [lead], input: { each: { ms: 1 } } }\n  - { id: "ha\\e[31mrm", skills: [prose] }\n`,
    ),
  );
  const first = await safeguards(folder, "run", "crew.yaml");
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("demo r1 begins · sqlite:.safeguards/demo.db");
  expect(first.stdout).toContain("It starts these programs:\n  worker: node work.mjs\n");
  expect(first.stdout).toMatch(/r1\/managed\/two completed on worker after/);
  expect(first.stdout).toMatch(/demo r1 completed in .*\ntasks {3}4 tasks · 4 completed\n/);
  expect(first.stdout).toContain("ha\\x1b[31mrm");
  expect(first.stdout).not.toMatch(ESCAPES);
  const second = await safeguards(folder, "run", "crew.yaml");
  expect(second.stdout).toContain("demo r2 begins");
  expect(second.stdout).not.toContain("It starts these programs");
  expect(log(folder).filter((line) => line.startsWith("end"))).toHaveLength(6);
});

test("--json prints one object, and nothing else", async () => {
  const folder = folderWith(crew(`  - { id: managed, skills: [lead], input: { each: null } }\n`));
  const { code, stdout, stderr } = await safeguards(folder, "run", "crew.yaml", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const output = { managed: { one: { did: "r1/managed/one" }, two: { did: "r1/managed/two" } } };
  expect(JSON.parse(stdout)).toMatchObject({
    crew: "demo",
    run: "r1",
    status: "completed",
    output,
    counts: { total: 3, completed: 3, failed: 0 },
    tasks: [{ id: "r1/managed", status: "completed", agent: "lead", output: output.managed }],
    agents: [{ name: "worker", attempts: 2 }, { name: "writer" }, { name: "lead" }],
  });
});

test("--quiet prints the output, and what failed on stderr", async () => {
  const folder = folderWith(
    crew(`  - { id: good, skills: [work] }\n  - { id: bad, skills: [prose], input: { fail: true } }\n`),
  );
  const { code, stdout, stderr } = await safeguards(folder, "run", "crew.yaml", "--quiet");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ good: { did: "r1/good" } });
  expect(stderr).toBe('r1/bad failed: "node" ended with exit code 1: cannot\n');
});

test("when something fails the rest is done all the same, and the exit code is 1", async () => {
  const folder = folderWith(
    crew(
      `  - { id: bad, skills: [prose], input: { fail: true } }\n  - { id: behind, skills: [work], dependsOn: [bad] }\n  - { id: good, skills: [work] }\n`,
    ),
  );
  const { code, stdout } = await safeguards(folder, "run", "crew.yaml");
  expect(code).toBe(1);
  expect(stdout).toMatch(/demo r1 ended, 2 tasks of 3 not completed/);
  expect(stdout).toContain("3 tasks · 1 completed · 1 failed · 1 skipped");
  expect(stdout).toContain('failed  r1/bad "node" ended with exit code 1: cannot');
});

test("the input fills the templates; one that lacks what they name is a fault with its place", async () => {
  const folder = folderWith({
    ...crew(`  - { id: a, skills: [work], input: "{{ input.a }}" }\n`),
    "in.json": '{"a":{"ms":2}}',
  });
  expect(await safeguards(folder, "run", "crew.yaml", "--input", "@in.json")).toMatchObject({ code: 0 });
  const { code, stderr, stdout } = await safeguards(folder, "run", "crew.yaml", "--input", '{"b":1}');
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    /^crew\.yaml:12:37: tasks\[0\]\.input: \{\{ input\.a \}\}: input is \{"b": 1\} — it has no a\n/,
  );
});

test("a crew in TypeScript runs, its own output is printed, and what it logs is kept", async () => {
  const folder = folderWith({
    "crew.ts": `import { defineAgent, defineCrew } from "safeguards";
const echo = defineAgent<string, string>({ name: "echo", run: (task) => { console.log("doing", task.id); return task.input.toUpperCase(); } });
export default defineCrew({
  name: "echoes",
  agents: [echo],
  tasks: (input) => [{ id: "a", input: "x" }, { id: "b", input }],
  output: (outcomes) => outcomes.map(({ taskId, output }) => \`\${taskId}: \${output}\`).join("\\n"),
});
`,
  });
  const { code, stdout } = await safeguards(folder, "run", "crew.ts", "--input", '"y"');
  expect(code).toBe(0);
  expect(stdout).toContain("doing r1/b\n");
  expect(stdout).toMatch(/\na: X\nb: Y\n$/);
});

test("a run whose process was killed goes on where it stood: what was completed is not done again", async () => {
  const folder = folderWith(
    crew(
      `  - { id: fast, skills: [work] }\n  - { id: slow, skills: [work], input: { ms: 60000 }, timeoutMs: 2000, retry: { maxAttempts: 2 } }\n  - { id: last, skills: [prose], dependsOn: [fast] }\n`,
    ),
  );
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await Promise.all([says("r1/last completed"), says("r1/slow started")]);
  child.kill("SIGKILL");
  expect(await ended).toMatchObject({ signal: "SIGKILL" });
  const { code, stdout } = await safeguards(folder, "run", "crew.yaml");
  expect(code).toBe(1);
  expect(stdout).toContain("demo r1 goes on");
  expect(stdout).toContain("3 tasks · 2 completed · 1 failed");
  const starts = log(folder).filter((line) => line.startsWith("start"));
  expect(starts.filter((line) => line !== "start r1/slow").toSorted()).toEqual(["start r1/fast", "start r1/last"]);
  expect(starts.filter((line) => line === "start r1/slow")).toHaveLength(2);
});

test("Ctrl-C once lets what runs end, and starts nothing more; the next run goes on", async () => {
  const folder = folderWith(
    crew(`  - { id: a, skills: [work], input: { ms: 1500 } }\n  - { id: b, skills: [prose], dependsOn: [a] }\n`),
  );
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/a started");
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(stdout).toContain("r1/a completed");
  expect(stdout).toContain(", before its end; run it again to go on");
  expect(log(folder)).toEqual(["start r1/a", "end r1/a"]);
  expect(await safeguards(folder, "run", "crew.yaml")).toMatchObject({ code: 0 });
  expect(log(folder)).toEqual(["start r1/a", "end r1/a", "start r1/b", "end r1/b"]);
});

test("Ctrl-C twice stops what runs, with its programs", async () => {
  const folder = folderWith(crew(`  - { id: a, skills: [work], input: { ms: 600000 } }\n`));
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/a started");
  // The program itself has begun.
  await vi.waitFor(() => expect(log(folder)).toEqual(["start r1/a"]), 20_000);
  child.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(stdout).toContain("before its end; run it again");
  expect(log(folder)).toEqual(["start r1/a"]);
});

test("a run is not gone on with by a file or an input that changed; --new cancels it and begins another", async () => {
  const files = crew(`  - { id: a, skills: [work], input: "{{ input }}" }\n`);
  const folder = folderWith(files);
  const { child, says, ended } = start(folder, ["run", "crew.yaml", "--input", '{"ms":600000}']);
  await says("r1/a started");
  child.kill("SIGKILL");
  await ended;
  const otherInput = await safeguards(folder, "run", "crew.yaml", "--input", '{"ms":1}');
  expect(otherInput).toMatchObject({ code: 2, stdout: "" });
  expect(otherInput.stderr).toMatch(
    /^safeguards: run r1 has not ended, and was begun with another input \([0-9a-f]{12}\) than this one \([0-9a-f]{12}\); --new .*\n$/,
  );
  const changed = folderWith({ ...files, "crew.yaml": `${files["crew.yaml"]}# another\n` });
  const journal = `sqlite:${join(folder, ".safeguards", "demo.db")}`;
  const otherFile = await safeguards(changed, "run", "crew.yaml", "--input", '{"ms":600000}', "--journal", journal);
  expect(otherFile.code).toBe(2);
  expect(otherFile.stderr).toMatch(
    /run r1 has not ended, and was begun with crew\.yaml as it was \([0-9a-f]{12}\), which has changed since \([0-9a-f]{12}\)/,
  );
  const fresh = await safeguards(folder, "run", "crew.yaml", "--input", '{"ms":1}', "--new");
  expect(fresh.code).toBe(0);
  expect(fresh.stdout).toContain("demo r2 begins");
  const { stdout } = await safeguards(folder, "status", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    running: false,
    runs: [
      { id: "r1", status: "cancelled" },
      { id: "r2", status: "completed" },
    ],
  });
});
