/**
 * Pays a list of bills, and kills its own process in the middle, at the worst moment: when the money has moved and nobody has
 * been told. Run again it goes on, until all bills are paid.
 *
 *     node examples/06-crash/main.ts FOLDER
 *
 * `show.ts` runs it until it gets through.
 */
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Coordinator, defineAgent } from "../../src/index.ts";

/** It dies with every so many payments. */
const PAYMENTS_PER_LIFE = 4;

const [folder = "."] = process.argv.slice(2);
const book = join(folder, "payments.txt");
let paid = 0;

const cashier = defineAgent<{ readonly bill: string; readonly amount: number }>({
  name: "cashier",
  capacity: 2,
  run: async (task, { idempotencyKey }) => {
    // The same in every attempt at this task: what is in the book under it has been paid before.
    if ((await lines(book)).some((line) => line.startsWith(`${idempotencyKey} `))) return "was paid before";
    await appendFile(book, `${idempotencyKey} ${task.input.bill} ${task.input.amount}\n`);
    paid += 1;
    if (paid === PAYMENTS_PER_LIFE) process.kill(process.pid, "SIGKILL");
    return "paid";
  },
});

await using coordinator = await Coordinator.open({ journal: `sqlite:${join(folder, "bills.db")}`, concurrency: 2 });
coordinator.register(cashier);
const bills = Array.from({ length: 10 }, (_, i) => ({ bill: `bill-${i + 1}`, amount: 10 * (i + 1) }));
// Submitted anew in every life: the same ids with the same content are the same tasks.
const handles = await coordinator.submit(bills.map((input) => ({ id: input.bill, agent: "cashier", input })));
const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
const lost = outcomes.flatMap(({ attempts }) => attempts.filter(({ end }) => end === "lost")).length;
console.log(`${outcomes.filter(({ status }) => status === "completed").length} of ${bills.length} bills are paid`);
console.log(`${(await lines(book)).length} payments are in the book; ${lost} attempts were lost`);

async function lines(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}
