/**
 * One process of a simulation: a coordinator, from its opening to the end or to the death of the process.
 *
 * 1. When it has died it does nothing more, and whoever waits for it waits for ever.
 * 2. What it had not written is lost with it; what it had written is kept, whether or not anybody was told.
 */
import type { AgentContext, Logger, Task } from "../agents/agent.ts";
import { checkDuration, checkInteger, show } from "../coordination/structures/arguments.ts";
import type { Money } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { JournalRecord, Opened } from "../journal/journal.ts";
import type { MemoryJournal } from "../journal/memory.ts";
import type { Answer, Command } from "../kernel/commands.ts";
import type { KernelEvent } from "../kernel/events.ts";
import { defaults } from "../kernel/limits.ts";
import type { Accepted, CommandOptions } from "../runtime/backend.ts";
import type { BatchLimits } from "../runtime/command-loop.ts";
import { LocalBackend } from "../runtime/local-backend.ts";
import type { TaskSpec } from "../runtime/task.ts";
import type { Audit } from "./audit.ts";
import type { Script } from "./fault-plan.ts";
import { type Stage, scriptedAgent, sendTwice } from "./scripted-agent.ts";
import type { CheckedCrew } from "./simulated-crew.ts";
import { type AppendWatch, SimulatedJournal } from "./simulated-journal.ts";
import { VirtualClock, type VirtualTime } from "./virtual-time.ts";

/** What outlives a process. */
export interface World {
  readonly crew: CheckedCrew;
  readonly time: VirtualTime;
  readonly kept: MemoryJournal;
  readonly audit: Audit;
  /** The tasks by the ids that the kernel knows them by. */
  readonly specs: Map<string, TaskSpec>;
  /** Appends that any process has asked for. */
  appends: number;
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** However much falls on one instant is decided together. */
const ALL_OF_AN_INSTANT: BatchLimits = { commands: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** The id of the command that submits the tasks: a process that does not know whether it was accepted sends it again. */
const SUBMISSION = "submission";

export class SimulatedProcess implements Stage, AppendWatch {
  readonly clock: VirtualClock;
  readonly journal: SimulatedJournal;
  /** Tasks whose code here will never answer, and that no time limit stops. */
  readonly hanging: Set<string> = new Set();
  readonly #world: World;
  #backend: LocalBackend | undefined = undefined;
  #diesNow: "before" | "after" | undefined = undefined;
  #error: SafeguardsError | undefined = undefined;

  constructor(world: World) {
    this.#world = world;
    this.clock = new VirtualClock(world.time);
    this.journal = new SimulatedJournal(world.kept, this);
  }

  /** Why it cannot go on, if it died of that. */
  get error(): SafeguardsError | undefined {
    return this.#error;
  }

  get isAlive(): boolean {
    return this.clock.isAlive;
  }

  /** Opens the journal, registers the agents and submits the tasks; what it is told as refused, it throws. */
  async begin(): Promise<LocalBackend> {
    const { settings, resources, budgets, agents, requests, faults } = this.#world.crew;
    const backend = await LocalBackend.open({
      journal: this.journal,
      logger: SILENT,
      settings,
      resources,
      budgets,
      clock: (notBefore) => {
        this.clock.start(notBefore);
        return this.clock;
      },
      batchLimits: ALL_OF_AN_INSTANT,
    });
    this.#backend = backend;
    const command: Command = { type: "task.submit", tasks: requests };
    await Promise.all([
      ...agents.map((agent) => backend.register(scriptedAgent(agent, this), () => undefined)),
      this.send(command, { id: SUBMISSION }),
      ...(faults.strike("duplicateCommands", SUBMISSION) ? [sendTwice(command, SUBMISSION, this)] : []),
    ]);
    return backend;
  }

  die(): void {
    this.clock.die();
  }

  async send(command: Command, options: CommandOptions): Promise<Accepted> {
    if (this.#backend === undefined) throw new SafeguardsError("CLOSED", "the process has not begun");
    const decided = (answer: Answer): void => this.#decided(command, answer);
    return this.#backend.command(command, { ...options, decided });
  }

  complain(what: string): void {
    this.#world.audit.complain(what);
  }

  entered({ id }: Task, { token, attempt }: AgentContext): Script {
    const { audit, crew, specs } = this.#world;
    audit.entered(id, token);
    const spec = specs.get(id) ?? {};
    const { timeoutMs, deadlineMs, graceMs = defaults.graceMs } = spec;
    const script = crew.faults.script(`${id}#${attempt}`, this.#duration(spec, id, attempt), { timeoutMs, graceMs });
    if (script.ends === "never" && timeoutMs === undefined && deadlineMs === undefined) this.hanging.add(id);
    return script;
  }

  costOf(taskId: string): Money | undefined {
    return this.#world.specs.get(taskId)?.cost;
  }

  opened(opened: Opened): void {
    this.#world.audit.opened(opened);
  }

  /** Whether it dies before this append is written. */
  before(): boolean {
    const { crew, time } = this.#world;
    this.#world.appends += 1;
    const append = `${this.#world.appends}`;
    const jump = crew.faults.clockJump(append);
    if (jump !== undefined) time.jump(jump);
    this.#diesNow = crew.faults.death(append);
    return this.#dies("before");
  }

  /** Whether it dies before this append is acknowledged. */
  kept(record: JournalRecord, events: readonly KernelEvent[]): boolean {
    this.#world.audit.kept(record, events);
    return this.#dies("after");
  }

  #dies(when: "before" | "after"): boolean {
    if (this.#diesNow === when) this.die();
    return !this.isAlive;
  }

  #decided({ type }: Command, answer: Answer): void {
    if (type !== "task.submit" || !answer.ok) return;
    const { crew, specs } = this.#world;
    for (const [index, id] of answer.ids.entries()) {
      const spec = crew.specs[index] ?? {};
      if ((specs.get(id) ?? spec) !== spec) this.complain(`task ${show(id)} is another one than before`);
      specs.set(id, spec);
    }
  }

  #duration(spec: TaskSpec, id: string, attempt: number): number {
    const what = `the duration of attempt ${attempt} at task ${show(id)}`;
    try {
      const ms = checkDuration(this.#world.crew.durations(spec, attempt), what, { zero: true });
      return checkInteger(Math.ceil(ms), what, 0, Number.MAX_SAFE_INTEGER);
    } catch (cause) {
      const error = cause instanceof SafeguardsError ? cause : undefined;
      this.#error ??= error ?? new SafeguardsError("INVALID_ARGUMENT", `${what} could not be told`, { cause });
      this.die();
      return 0;
    }
  }
}
