import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { Heard, newBacklog } from "./isolated-backlog.ts";

const code = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.module).then(({ Told }) => {
    const told = new Told(workerData.backlog);
    for (const length of workerData.lengths) {
      const text = "x".repeat(length);
      told.add(text);
      parentPort.postMessage(text);
    }
  });`;

/** How much is heard in each turn of the loop, of texts of these lengths that are told as fast as can be. */
async function turns(lengths: readonly number[]): Promise<readonly (readonly number[])[]> {
  const backlog = newBacklog();
  const heard: number[][] = [];
  let isNew = true;
  const pause = (): Promise<void> =>
    new Promise((resolve) =>
      setImmediate(() => {
        isNew = true;
        resolve();
      }),
    );
  const side = new Heard(backlog, pause);
  const { promise, resolve } = Promise.withResolvers<void>();
  const module = new URL("isolated-backlog.ts", import.meta.url).href;
  const worker = new Worker(code, { eval: true, execArgv: [], workerData: { backlog, lengths, module } });
  onTestFinished(() => void worker.terminate());
  let left = lengths.length;
  worker.on("message", (text: string) => {
    if (isNew) heard.push([]);
    isNew = false;
    heard.at(-1)?.push(text.length);
    side.add(text);
    left -= 1;
    if (left === 0) resolve();
  });
  await promise;
  return heard;
}

test("who tells without end is heard, in turns of at most 256 messages", async () => {
  const heard = await turns(new Array(5_000).fill(1));
  expect(heard.flat()).toHaveLength(5_000);
  expect(Math.max(...heard.map(({ length }) => length))).toBeLessThanOrEqual(256);
});

test("long messages count for more, and one that is larger than all goes alone", async () => {
  const heard = await turns([...new Array(20).fill(1_000_000), 8_000_000, ...new Array(20).fill(1_000_000)]);
  expect(heard.flat()).toHaveLength(41);
  for (const turn of heard) {
    if (turn.includes(8_000_000)) expect(turn).toEqual([8_000_000]);
    else expect(turn.length).toBeLessThanOrEqual(4);
  }
});
