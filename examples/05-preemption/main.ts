/**
 * A long task makes way for an urgent one and goes on from where it was:
 *
 *     node examples/05-preemption/main.ts
 */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Coordinator, defineAgent } from "../../src/index.ts";
import { indexer } from "./indexer.ts";

/** The urgent question comes when so many documents have been counted for the first time. */
const QUESTION_AFTER = 3;

const folder = fileURLToPath(new URL("../../src/kernel", import.meta.url));
const documents = (await readdir(folder, { recursive: true }))
  .filter((name) => name.endsWith(".ts"))
  .sort()
  .slice(0, 12)
  .map((name) => `${folder}/${name}`);

// One slot: what runs keeps everything else from running.
await using coordinator = await Coordinator.open({ concurrency: 1 });
coordinator.register(
  indexer((done) => console.log(done === 0 ? "indexer: begins" : `indexer: goes on behind document ${done}`)),
);
coordinator.register(
  defineAgent({ name: "answerer", run: (task) => console.log(`answerer: answers ${JSON.stringify(task.input)}`) }),
);

const long = await coordinator.submit({ id: "long", agent: "indexer", input: { documents }, priority: 1 });
const events = coordinator.events({ follow: true });
let counted = 0;
let asked = false;
for await (const event of events) {
  if (event.type === "attempt.checkpointed") counted += 1;
  if (counted >= QUESTION_AFTER && !asked) {
    asked = true;
    console.log(`${counted} documents are counted, and an urgent question comes`);
    await coordinator.submit({ id: "urgent", agent: "answerer", input: "What now?", priority: 9 });
  }
  if (event.type === "task.completed" && event.taskId === "long") break;
}

const { output, attempts } = await long.outcome();
console.log(`${JSON.stringify(output)} in ${attempts.length} attempts: ${attempts.map(({ end }) => end).join(", ")}`);
