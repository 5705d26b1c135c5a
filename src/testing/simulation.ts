/** One simulation: one process after the other runs the crew, until one of them lives to see the end. */
import { isDeepStrictEqual } from "node:util";
import type { Json } from "../coordination/structures/types.ts";
import { unseal } from "../journal/codec.ts";
import type { MemoryJournal } from "../journal/memory.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { TaskInfo, TaskStatus } from "../kernel/views.ts";
import type { LocalBackend } from "../runtime/local-backend.ts";
import { Audit } from "./audit.ts";
import { stranded } from "./liveness.ts";
import type { CheckedCrew } from "./simulated-crew.ts";
import { SimulatedProcess, type World } from "./simulated-process.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What came of a simulation. Instants are milliseconds since its beginning. */
export interface SimulationReport {
  /** When the last task ended; 0 if none did. */
  readonly makespanMs: number;
  /** In order of submission. */
  readonly tasks: readonly {
    readonly id: string;
    readonly status: TaskStatus;
    /** Who had it last. */
    readonly agent?: string;
    /** Of the first attempt. */
    readonly startedAt?: number;
    readonly endedAt?: number;
    readonly attempts: number;
  }[];
  /** By agent, the share of its capacity that was in use, on average over the makespan. */
  readonly utilization: Readonly<Record<string, number>>;
  /** What should never be, in words; at most 100. */
  readonly violations: readonly string[];
  /** How many events there were. */
  readonly events: number;
  /** Of the last record, and through it of all before: equal exactly when all events are, byte for byte. */
  readonly hash: string;
}

/** Runs the crew on a journal that is empty and not open. */
export async function runSimulation(crew: CheckedCrew, kept: MemoryJournal): Promise<SimulationReport> {
  const time = new VirtualTime();
  const world: World = { crew, time, kept, audit: new Audit(), specs: new Map(), appends: 0 };
  for (;;) {
    const process = new SimulatedProcess(world);
    const backend = await survivor(process, time);
    if (backend !== undefined) return concluded(world, process, backend);
    if (process.error !== undefined) throw process.error;
  }
}

/** The coordinator of the process when nothing more can happen; nothing, if the process has died. */
async function survivor(process: SimulatedProcess, time: VirtualTime): Promise<LocalBackend | undefined> {
  let begun: LocalBackend | undefined;
  let refusal: { readonly error: unknown } | undefined;
  process.begin().then(
    (backend) => {
      begun = backend;
    },
    (error: unknown) => {
      refusal = { error };
    },
  );
  // Opening a long journal takes real time besides.
  do await time.run();
  while (process.isAlive && begun === undefined && refusal === undefined);
  if (!process.isAlive) return undefined;
  if (refusal === undefined) return begun;
  process.die();
  throw refusal.error;
}

async function concluded(world: World, process: SimulatedProcess, backend: LocalBackend): Promise<SimulationReport> {
  const { audit, time, specs } = world;
  const looking = Promise.all([
    backend.query("tasks", {}),
    backend.query("agents", undefined),
    backend.query("resources", undefined),
    backend.query("budgets", undefined),
    backend.snapshot(),
  ]);
  // Whoever waits lets time pass meanwhile; a coordinator that has broken refuses.
  looking.catch(() => undefined);
  await time.run();
  const [tasks, agents, resources, budgets] = await looking;
  audit.compare({ tasks, agents, resources, budgets });
  const { hanging } = process;
  for (const what of stranded({ tasks, agents, resources, specs, hanging })) audit.complain(what);
  const live = process.journal.snapshot.split("\n").filter((line) => line !== "");
  const again = await replayed(world.kept);
  if (!isDeepStrictEqual(live.map(parsed), again.map(parsed))) audit.complain("a replay gives another state");
  const makespanMs = tasks.reduce((last, { endedAt = 0 }) => Math.max(last, endedAt), 0);
  const { seq: events, hash } = audit;
  const utilization = audit.utilization(makespanMs);
  const closed = backend.close();
  await time.run();
  // It may die even of that.
  await (process.isAlive ? closed : world.kept.close());
  return { makespanMs, tasks: tasks.map(told), utilization, violations: audit.violations, events, hash };
}

/** The state that the journal gives, as lines of a snapshot. */
async function replayed(kept: MemoryJournal): Promise<string[]> {
  const kernel = new Kernel();
  for await (const record of kept.read(1)) for (const event of unseal(record)) kernel.replay(event);
  return [...kernel.snapshot()].map((row) => JSON.stringify(row));
}

function parsed(line: string): Json {
  return JSON.parse(line);
}

function told({ id, status, agent, startedAt, endedAt, attempts }: TaskInfo): SimulationReport["tasks"][number] {
  return {
    id,
    status,
    ...(agent === undefined ? {} : { agent }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    attempts,
  };
}
