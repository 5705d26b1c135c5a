/**
 * A reader is paid by the token out of a budget that does not suffice for everything:
 *
 *     node examples/03-budget/main.ts
 */
import { Coordinator } from "../../src/index.ts";
import { priceOf, reader, type Summary } from "./reader.ts";
import { texts } from "./texts.ts";

await using coordinator = await Coordinator.open({
  concurrency: 1,
  budgets: { day: { limit: "0.04" }, nature: { limit: "0.03", parent: "day" } },
});
await coordinator.register(reader);

const handles = await coordinator.submit<Summary & { [key: string]: string | number }>([
  // The estimate is set aside before the task starts: this one can read to its end.
  {
    id: "tides",
    skills: ["read"],
    input: texts.tides ?? [],
    budget: "nature",
    cost: priceOf((texts.tides ?? []).join("")),
  },
  // Without one it reads as far as the money goes: that of `nature` first.
  { id: "bees", skills: ["read"], input: texts.bees ?? [], budget: "nature" },
  { id: "bridges", skills: ["read"], input: texts.bridges ?? [], budget: "day" },
]);
for (const handle of handles) {
  const { taskId, output, cost } = await handle.outcome();
  if (output !== undefined)
    console.log(`${taskId}: ${output.read} of ${output.of} paragraphs for ${cost}. ${output.sentence}`);
}

// More than a limit is never accepted; more than what is left waits, or fails.
const late = await coordinator.submit({
  id: "again",
  skills: ["read"],
  input: texts.bees ?? [],
  budget: "nature",
  cost: "0.02",
});
const { error } = await late.outcome();
console.log(`again: ${error?.code}`);
// A person may raise the limits, and try again.
await coordinator.setBudget("day", { limit: "0.3" });
await coordinator.setBudget("nature", { limit: "0.3" });
await late.retry();
console.log(`again: ${(await late.outcome()).status}`);

for (const { id, spent, limit, available } of await coordinator.budgets())
  console.log(`${id}: ${spent} of ${limit} spent, ${available} left`);
