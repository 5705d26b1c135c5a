/**
 * Runs the crew without the command line, to show how little that takes:
 *
 *     node examples/01-repo-review/main.ts [path] [--report FILE] [--journal URL]
 *
 * With `--journal sqlite:review.db` it may be killed at any moment; started again it goes on where it was.
 */
import { parseArgs } from "node:util";
import { Coordinator } from "../../src/index.ts";
import crew from "./crew.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { report: { type: "string" }, journal: { type: "string", default: "memory:" } },
});
const [path = "."] = positionals;
const { name, agents, tasks, output, ...settings } = crew;

await using coordinator = await Coordinator.open({ journal: values.journal, ...settings });
for (const agent of agents) await coordinator.register(agent);
const specs =
  typeof tasks === "function" ? await tasks({ path, ...(values.report && { report: values.report }) }) : tasks;
const handles = await coordinator.submit(specs);

const progress = setInterval(() => void tellProgress(), process.stdout.isTTY ? 200 : 2_000);
const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
clearInterval(progress);
tell(`${name}: done`, "\n");

for (const { error } of outcomes) if (error !== undefined) throw error;
console.log(await output?.(outcomes));

async function tellProgress(): Promise<void> {
  const { tasks } = await coordinator.stats();
  const running = await coordinator.tasks({ status: "running" });
  const total = Object.values(tasks).reduce((sum, count) => sum + count, 0);
  const names = running.map(({ id, agent }) => `${agent}: ${id.replace(/^.*\//, "")}`).join(", ");
  tell(`${tasks.completed} of ${total} tasks done; ${names}`, "");
}

/** On a terminal each line replaces the one before. */
function tell(line: string, end: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}${end}`);
  else console.log(line);
}
