/**
 * `npm run bench`: all benchmarks, each in a process of its own; `npm run bench -- NAME`: one of them. Prints a table, and
 * writes `bench/results/NAME.json`. With `--brief` there is so little work that it only shows that the benchmarks run.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { durable } from "./durable.ts";
import { journal } from "./journal.ts";
import { kernel } from "./kernel.ts";
import { latency } from "./latency.ts";
import { loop } from "./loop.ts";
import type { Benchmark } from "./measure.ts";
import { memory } from "./memory.ts";
import { million } from "./million.ts";
import { printed, write } from "./report.ts";
import { sketch } from "./sketch.ts";
import { voting } from "./voting.ts";

const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map(
  Object.entries({ kernel, sketch, memory, journal, latency, loop, durable, million, voting }),
);

const { values, positionals } = parseArgs({ options: { brief: { type: "boolean" } }, allowPositionals: true });
const { brief = false } = values;
const [name, argument] = positionals;
process.exitCode = name === undefined ? runAll() : await runOne(name);

function runAll(): number {
  let status = 0;
  for (const each of BENCHMARKS.keys()) {
    const args = [...process.execArgv, fileURLToPath(import.meta.url), each, ...(brief ? ["--brief"] : [])];
    status ||= spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
  }
  return status;
}

async function runOne(name: string): Promise<number> {
  const benchmark = BENCHMARKS.get(name);
  if (benchmark === undefined) {
    console.error(`There is no benchmark ${JSON.stringify(name)}; there are ${[...BENCHMARKS.keys()].join(", ")}.`);
    return 2;
  }
  const figures = await benchmark.run({ brief, argument });
  if (typeof figures === "string") {
    console.log(`${name}: skipped: ${figures}\n`);
    return 0;
  }
  console.log(`${name}: ${benchmark.work}${brief ? " (brief: says nothing about speed)" : ""}`);
  console.log(printed(figures, { judged: !brief }));
  console.log(`${write(name, { work: benchmark.work, brief, figures })}\n`);
  return 0;
}
