/** The whole life of no-op tasks through a coordinator on a SQLite file. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inFolder } from "./folder.ts";
import { underLoad } from "./load.ts";
import { type Benchmark, type Figure, perSecond, perSecondAsync } from "./measure.ts";

const RUNS = 3;
/** A task of a client that waits for it is two commits: its submission, and its end. */
const COMMITS_A_TASK = 2;
const COMMIT_BYTES = 256;

export const durable: Benchmark = {
  work: "clients in the coordinator's process, each submitting a no-op task and awaiting its result, on sqlite:, synchronous FULL",
  async run({ brief }) {
    const many = brief ? 2000 : 100_000;
    const few = brief ? 100 : 3000;
    const [thousand, some, one, commits]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let run = 0; run < RUNS; run++) {
      thousand.push(await tasksPerSecond(1000, many));
      some.push(await tasksPerSecond(64, many));
      one.push(await tasksPerSecond(1, few));
      commits.push(await commitsPerSecond(few));
    }
    return [
      {
        what: `1000 in flight, ${many} tasks`,
        unit: "tasks/s",
        runs: thousand,
        goal: { of: "figure", better: "more", must: 30_000, aim: 50_000 },
      },
      {
        what: `64 in flight, ${many} tasks`,
        unit: "tasks/s",
        runs: some,
        goal: { of: "figure", better: "more", must: 15_000, aim: 25_000 },
      },
      {
        what: `1 client, ${few} tasks`,
        unit: "tasks/s",
        runs: one,
        peer: { what: "half of the disk's commits", runs: commits.map((speed) => speed / COMMITS_A_TASK) },
        goal: { of: "ratio", better: "more", must: 0.8 },
      },
    ] satisfies Figure[];
  },
};

async function tasksPerSecond(clients: number, tasks: number): Promise<number> {
  return await inFolder((folder) => {
    const journal = `sqlite:${join(folder, "journal.db")}`;
    return underLoad({ journal, clients, tasks, warmUp: Math.ceil(tasks / 5) }, (work) => perSecondAsync(tasks, work));
  });
}

async function commitsPerSecond(commits: number): Promise<number> {
  return await inFolder(async (folder) => {
    const db = new DatabaseSync(join(folder, "commits.db"));
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    db.exec("CREATE TABLE commits (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT");
    const insert = db.prepare("INSERT INTO commits (bytes) VALUES (?)");
    const bytes = new Uint8Array(COMMIT_BYTES);
    const speed = perSecond(commits, () => {
      for (let i = 0; i < commits; i++) insert.run(bytes);
    });
    db.close();
    return speed;
  });
}
