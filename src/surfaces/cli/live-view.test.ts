import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import type { AgentInfo, ResourceInfo } from "../../kernel/views.ts";
import { print } from "./line.ts";
import { type LiveFacts, liveView } from "./live-view.ts";
import { RunProgress } from "./run-progress.ts";

const agent = (name: string, load = 0): AgentInfo => ({
  name,
  skills: {},
  capacity: 4,
  load,
  utilization: load / 4,
  running: load,
  breaker: "closed",
  online: true,
  cost: "0",
});
const resource = (id: string): ResourceInfo => ({
  id,
  type: "storage",
  capacity: 4,
  allocated: 1,
  available: 1,
  waiting: 3,
  holders: [],
});

/** A run of so many tasks, of which every third runs and every fifth is done. */
function facts(tasks: number, name: (n: number) => string = (n) => `task-${n}`): LiveFacts {
  const progress = new RunProgress("r1");
  let seq = 0;
  const apply = (at: number, type: string, fields: object): void =>
    progress.apply({ seq: ++seq, at, type, v: 1, ...fields });
  apply(0, "task.submitted", { taskId: "r1" });
  const reasons = new Map<string, string>();
  for (let n = 0; n < tasks; n++) {
    const taskId = `r1/${name(n)}`;
    apply(1_000, "task.submitted", { taskId, parentId: "r1" });
    if (n % 3 === 0 || n % 5 === 0)
      apply(2_000, "task.started", { taskId, agent: `agent-${n % 2}`, token: n, attempt: 1, phase: "run" });
    else if (reasons.size < 16) reasons.set(taskId, n % 2 === 0 ? "no room on r1/x" : "disk is full");
    if (n % 5 === 0)
      apply(3_500, n % 2 === 0 ? "task.completed" : "task.failed", {
        taskId,
        token: n,
        output: 1,
        error: { message: "boom" },
      });
  }
  const agents = [agent("agent-0", 2), agent("agent-1", 1), agent("idle"), agent("(crew)")];
  return {
    crew: "crew",
    runId: "r1",
    now: 62_000,
    progress,
    agents,
    resources: [resource("disk")],
    reasons,
    notes: new Map(),
  };
}

function shown(view: LiveFacts, columns: number, rows: number): string[] {
  return liveView(view, { columns, rows }).map((line) => print(line, { columns, colors: false }));
}

test("a run is shown with its counts, who does what, what waits and why, and what ended last", () => {
  expect(`\n${shown(facts(20), 90, 30).join("\n")}\n`).toMatchInlineSnapshot(`
    "
    crew r1                                                                           1 m 02 s
    ██████░░░░░░░░░░░░░░░░░░░░░░░░░░ 4/20 · 5 running · 11 waiting · 2 failed
    uses disk 1/4 (3 wait) 
    agents
     agent-0 ██████░░ 3/4    task-6 1 m 00 s, task-12 1 m 00 s, task-18 1 m 00 s
     agent-1 ████░░░░ 2/4    task-3 1 m 00 s, task-9 1 m 00 s
     idle    ░░░░░░░░ 0/4    idle
    waiting
     task-1 and 5 more disk is full
     task-2 and 4 more no room on x
    latest
     ✗ task-15 agent-1 1.5 s boom
     ✓ task-10 agent-0 1.5 s
     ✗ task-5 agent-1 1.5 s boom
     ✓ task-0 agent-0 1.5 s
    Ctrl-C: end what runs, and go on another time
    "
  `);
});

test("it fits a narrow terminal", () => {
  expect(`\n${shown(facts(20), 40, 16).join("\n")}\n`).toMatchInlineSnapshot(`
    "
    crew r1                         1 m 02 s
    ██░░░░░░ 4/20 · 5 running · 11 waiting …
    uses disk 1/4 (3 wait) 
    agents
     agent-0 3/4    task-6 1 m 00 s, task-12
     agent-1 2/4    task-3 1 m 00 s, task-9…
     idle    0/4    idle
    waiting
     task-1 and 5 more disk is full
     task-2 and 4 more no room on x
    latest
     ✗ task-15 agent-1 1.5 s boom
     ✓ task-10 agent-0 1.5 s
     … 2 more
    Ctrl-C: end what runs, and go on anothe…
    "
  `);
});

test("whatever the names and the size, it is never wider nor higher than the terminal, and never moves its cursor", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 });
  const hostile = fc.constantFrom("\u001b[2J", "a\nb\nc", "\u009b31m", "文".repeat(60), "👩‍👩‍👧", "\u202eabc");
  fc.assert(
    fc.property(
      fc.oneof(name, hostile),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 2, max: 40 }),
      (text, columns, rows) => {
        const view = facts(12, (n) => `${text}${n}`);
        const reasons = new Map([...view.reasons.keys()].map((taskId) => [taskId, text]));
        const lines = shown({ ...view, crew: text, agents: [agent(text, 1), ...view.agents], reasons }, columns, rows);
        expect(lines.length).toBeLessThanOrEqual(rows - 1);
        for (const line of lines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("of thousands of tasks only as many lines are made as fit", () => {
  const lines = shown(facts(20_000), 100, 30);
  expect(lines.length).toBeLessThanOrEqual(29);
  expect(lines.join("\n")).toMatch(/… 10\d{3} more/);
});

test("after Ctrl-C it says what a second one does", () => {
  expect(shown({ ...facts(20), stopping: "draining" }, 100, 30).at(-1)).toBe(
    "stopping: 5 tasks still to end; Ctrl-C again aborts",
  );
});
