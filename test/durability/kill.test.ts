import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { Coordinator, type StoredEvent } from "../../src/index.ts";
import { unseal } from "../../src/journal/codec.ts";
import { openSqliteReader } from "../../src/journal/sqlite-reader.ts";

const KILLS = 20;
const folder = mkdtempSync(join(tmpdir(), "safeguards-kill-"));
const journal = join(folder, "crew.db");
const effects = join(folder, "effects");
mkdirSync(effects);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As an event holds it. */
type Token = StoredEvent[string];

interface Life {
  readonly finished: boolean;
  /** Side effects that an earlier attempt had done already. */
  readonly metAgain: number;
  readonly stderr: string;
}

/** One process from its start to its death. Killed `afterMs` after its first attempt runs, or after its start when `early`. */
async function live(kill: { readonly afterMs: number; readonly early: boolean } | undefined): Promise<Life> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "crew.fixture.ts"), journal, effects], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let stderr = "";
  const running = new Promise<void>((resolve) => {
    child.stdout.on("data", (data) => {
      out += String(data);
      if (out.includes("running ")) resolve();
    });
  });
  child.stderr.on("data", (data) => {
    stderr += String(data);
  });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  if (kill !== undefined) {
    await Promise.race([kill.early ? undefined : running, closed]);
    await Promise.race([pause(kill.afterMs), closed]);
    child.kill("SIGKILL");
  }
  await closed;
  return { finished: out.includes("done\n"), metAgain: out.split("repeated ").length - 1, stderr };
}

async function eventsOf(): Promise<StoredEvent[]> {
  await using coordinator = await Coordinator.open({ journal: `sqlite:${journal}` });
  const events: StoredEvent[] = [];
  for await (const event of coordinator.events()) events.push(event);
  return events;
}

/** How each of these tasks ended, as whoever opens the journal is told. */
async function endsOf(ids: Iterable<string>): Promise<Set<string>> {
  await using coordinator = await Coordinator.open({ journal: `sqlite:${journal}` });
  const ends = new Set<string>();
  for (const id of ids) ends.add((await (await coordinator.task(id)).outcome()).status);
  return ends;
}

/** What the journal tells after a kill. */
interface Found {
  /** Processes that have opened it so far. */
  readonly openings: number;
  readonly running: ReadonlySet<Token>;
  readonly lost: readonly StoredEvent[];
}

/** Read as anybody may, without opening it for writing. */
async function found(): Promise<Found> {
  const reader = openSqliteReader(journal);
  const running = new Set<Token>();
  const lost: StoredEvent[] = [];
  let openings = 0;
  for await (const record of reader.read(1)) {
    for (const event of unseal(record) as readonly StoredEvent[]) {
      if (event.type === "coordinator.opened") openings += 1;
      if (event.type === "task.started") running.add(event.token);
      // One that was told to make way has stopped, whatever stopped it.
      if (event.type === "attempt.stopping" || ENDS.has(event.type)) running.delete(event.token);
      if (event.type === "attempt.ended" && event.end === "lost") lost.push(event);
    }
  }
  reader.close();
  return { openings, running, lost };
}

const ENDS: ReadonlySet<string> = new Set(["task.completed", "task.planned", "attempt.ended"]);

test("killed at random moments, over and over on one journal, every task completes exactly once and nothing is lost", {
  timeout: 240_000,
}, async () => {
  const kills: { readonly opened: boolean; readonly inFlight: ReadonlySet<Token>; readonly metAgain: number }[] = [];
  let openings = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const early = kill % 5 === 4;
    const life = await live({ early, afterMs: early ? Math.random() * 400 : 60 + Math.random() * 240 });
    expect(life.stderr).toBe("");
    expect(life.finished).toBe(false);
    const after = await found();
    const opened = after.openings > openings;
    openings = after.openings;
    kills.push({ opened, inFlight: opened ? after.running : new Set(), metAgain: life.metAgain });
  }
  const last = await live(undefined);
  expect(last.stderr).toBe("");
  expect(last.finished).toBe(true);

  const { lost, running } = await found();
  const lostTokens = new Set(lost.map((event) => event.token));
  const events = await eventsOf();
  const attempts = new Map(
    events.filter((event) => event.type === "task.started").map((event) => [event.token, event]),
  );
  const repeats = (token: Token): boolean =>
    events.some(
      (event) =>
        event.type === "task.started" &&
        event.taskId === attempts.get(token)?.taskId &&
        Number(event.token) > Number(token),
    );
  console.table(
    kills.map(({ opened, inFlight, metAgain }, i) => ({
      kill: i + 1,
      moment: opened ? "open" : "opening",
      "attempts in flight": inFlight.size,
      lost: [...inFlight].filter((token) => lostTokens.has(token)).length,
      repeated: [...inFlight].filter(repeats).length,
      "effects met again": metAgain,
    })),
  );

  const submitted = new Set(
    events.filter((event) => event.type === "task.submitted").map((event) => String(event.taskId)),
  );
  const completed = events.filter((event) => event.type === "task.completed").map((event) => String(event.taskId));
  // The job, its 401 + 100 subtasks, 300 below, and the chain of 300.
  expect(submitted.size).toBe(1 + 401 + 100 + 300 + 300);
  expect(completed).toHaveLength(submitted.size);
  expect(new Set(completed)).toEqual(submitted);
  expect(events.filter((event) => ["task.failed", "task.skipped", "task.cancelled"].includes(event.type))).toEqual([]);

  expect(await endsOf(submitted)).toEqual(new Set(["completed"]));

  // What was in flight at a kill is lost, nothing else is, and all of it ran again.
  expect(running.size).toBe(0);
  expect(lostTokens).toEqual(new Set(kills.flatMap(({ inFlight }) => [...inFlight])));
  expect([...lostTokens].every(repeats)).toBe(true);
  expect(kills.filter(({ inFlight }) => inFlight.size > 0).length).toBeGreaterThanOrEqual(15);

  // An attempt's key is its task's id, so each task's effect stands there once.
  const managers = new Set(["job", "job/below"]);
  const keys = readdirSync(effects).map(decodeURIComponent).sort();
  expect(keys).toEqual([...submitted].filter((id) => !managers.has(id)).sort());
});
