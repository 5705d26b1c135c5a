/**
 * A crew that is killed over and over: `node crew.fixture.ts <journal path> <effects folder>`.
 *
 * Each task does its one side effect under its idempotency key: it makes a file of that name, which only the first attempt
 * that gets so far can. The program says on stdout when an attempt runs, and when all is done.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Coordinator, defineAgent, defineManager, type TaskSpec } from "../../src/index.ts";

const [journal = "", effects = ""] = process.argv.slice(2);
const retry = { maxAttempts: 10, initialMs: 0 };

const worker = defineAgent({
  name: "worker",
  skills: ["work"],
  capacity: 6,
  async run(task, ctx) {
    process.stdout.write(`running ${task.id}\n`);
    await pause(5 + (ctx.token % 25));
    try {
      writeFileSync(join(effects, encodeURIComponent(ctx.idempotencyKey)), String(ctx.attempt), { flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      process.stdout.write(`repeated ${task.id}\n`);
    }
    await pause(1 + (ctx.token % 10));
    return { did: task.id };
  },
});

function work(count: number): TaskSpec[] {
  return Array.from({ length: count }, (_, i) => ({ id: `w${i}`, skills: ["work"], retry }));
}

/** Two rounds of its own, and a manager below it. */
const lead = defineManager({
  name: "lead",
  skills: ["lead"],
  team: ["worker", "second"],
  plan: () => [...work(400), { id: "below", skills: ["sublead"], retry }],
  aggregate: (_task, results, ctx) =>
    ctx.round === 1
      ? ctx.more(work(100).map((task) => ({ ...task, id: `more-${task.id}` })))
      : { count: results.length },
});
const second = defineManager({ name: "second", skills: ["sublead"], team: ["worker"], plan: () => work(300) });

// So little is kept that most of what has ended is in the archive when it is asked for.
const keepFinished = { count: 20 };
const coordinator = await Coordinator.open({ journal: `sqlite:${journal}`, concurrency: 6, keepFinished });
for (const agent of [worker, lead, second]) await coordinator.register(agent);
const chain: TaskSpec[] = Array.from({ length: 300 }, (_, i) => ({
  id: `chain-${i}`,
  skills: ["work"],
  retry,
  ...(i % 10 === 0 ? {} : { dependsOn: [`chain-${i - 1}`] }),
}));
const handles = await coordinator.submit([{ id: "job", skills: ["lead"], priority: 6, retry }, ...chain], {
  key: "everything",
});
await Promise.all(handles.map((handle) => handle.result()));
await coordinator.close();
process.stdout.write("done\n");
