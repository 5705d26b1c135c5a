import { expect, it } from "vitest";
import { type Coordinator, defineAgent, SafeguardsError } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { runtimeLimits } from "../src/runtime/limits.ts";
import { gate, opened } from "./coordinator.fixture.ts";

const many = 20;
const large = "x".repeat(90_000);

/** A coordinator, and the bytes of the largest record that it has written. */
async function watched(): Promise<{ coordinator: Coordinator; largest(): number }> {
  const journal = new MemoryJournal();
  let largest = 0;
  const append = journal.append.bind(journal);
  journal.append = (record, ...more) => {
    largest = Math.max(largest, record.bytes.byteLength);
    return append(record, ...more);
  };
  return { coordinator: await opened({ journal }), largest: () => largest };
}

it("a record of the journal stays small, however many ballots say much at once", async () => {
  const { coordinator, largest } = await watched();
  await coordinator.register(defineAgent({ name: "voter", run: () => null, vote: () => "a" }));
  const ballot = { question: "which?", options: ["a", "b"], context: large };
  await Promise.all(Array.from({ length: many }, () => coordinator.decide(ballot)));
  expect(largest()).toBeLessThan(2 * runtimeLimits.batchBytes);
});

it("it stays so, too, however many attempts fail at once and say much of it", async () => {
  const { coordinator, largest } = await watched();
  const all = gate();
  let begun = 0;
  const run = async (): Promise<never> => {
    begun += 1;
    if (begun === many) all.resolve();
    await all.promise;
    throw new SafeguardsError("TASK_FAILED", "no", { details: { large } });
  };
  await coordinator.register(defineAgent({ name: "failing", capacity: many, run }));
  const handles = await coordinator.submit(new Array(many).fill({ agent: "failing", retry: { maxAttempts: 1 } }));
  await Promise.all(handles.map((handle) => handle.outcome()));
  expect(largest()).toBeLessThan(2 * runtimeLimits.batchBytes);
});
