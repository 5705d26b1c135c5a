import type { Json } from "../../../coordination/structures/types.ts";
import type { CrewSpec } from "../../../crew/crew.ts";
import { type LoadedCrew, loadCrew } from "../../../crew/load.ts";
import { beginRun, coordinatorOptions, type RunStart } from "../../../crew/run.ts";
import { Coordinator } from "../../../runtime/coordinator.ts";
import { put } from "../../../runtime/json.ts";
import type { Outcome, TaskHandle } from "../../../runtime/task.ts";
import { readInput } from "../input.ts";
import { defaultJournal } from "../journal-choice.ts";
import { type Line, paint } from "../line.ts";
import { count } from "../quantity.ts";
import { RunWatch } from "../run-watch.ts";
import { isSuccess, type RunResult, summaryData, summaryLines } from "../summary.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface RunOptions {
  readonly journal?: string;
  readonly input?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly plain?: boolean;
  readonly new?: boolean;
}

/** How long what runs is waited for after the first Ctrl-C: as good as for ever, the second one ends it. */
const DRAIN_MS = 7 * 24 * 3_600_000;

/** Runs a crew to its end, and gives the exit code. */
export async function runCommand(path: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const input = options.input === undefined ? null : readInput(options.input);
  const read = await loadCrew(path, { env: terminal.env, input });
  if ("faults" in read) {
    if (options.json === true) terminal.json({ faults: read.faults });
    terminal.faults(read.faults, "err");
    terminal.complain(`${path} was not run: ${count(read.faults.length, "fault")}`);
    return 2;
  }
  const result = await runLoaded(read.loaded, input, options, terminal);
  if (options.json === true) terminal.json(summaryData(result), 2);
  else show(result, options.quiet === true, terminal);
  return isSuccess(result) ? 0 : 1;
}

async function runLoaded(loaded: LoadedCrew, input: Json, options: RunOptions, terminal: Terminal): Promise<RunResult> {
  const { crew } = loaded;
  const journal = options.journal ?? defaultJournal(crew.name);
  const isSilent = options.json === true || options.quiet === true;
  const coordinator = await Coordinator.open({ journal, logger: terminal.logger, ...coordinatorOptions(crew) });
  const signals = new Signals(coordinator);
  try {
    const { seq } = await coordinator.stats();
    const run = await beginRun(coordinator, loaded, {
      input,
      fresh: options.new === true,
      before: (start) => {
        if (!isSilent) terminal.print(...startLines(loaded, start, journal));
      },
    });
    const how = isSilent ? "nothing" : options.plain === true || !terminal.isScreen ? "plain" : "live";
    const watched = { coordinator, crew: crew.name, runId: run.id, fromSeq: run.isResumed ? 1 : seq + 1 };
    const watch = new RunWatch(watched, terminal, how);
    signals.told = (stopping) => watch.stopping(stopping);
    try {
      const ending = await endOf(run.handle, signals);
      await watch.sees((await coordinator.stats()).seq);
      const outcomes = ending.status === "stopped" ? [] : await outcomesOf(coordinator, run.id);
      const { progress } = watch;
      return {
        crew: crew.name,
        runId: run.id,
        journal,
        status: ending.status,
        ...(ending.message === undefined ? {} : { message: ending.message }),
        outcomes,
        progress,
        elapsedMs: progress.elapsedMs(Date.now()),
        agents: await coordinator.agents(),
        ...outputOf(crew, ending, outcomes, run.id),
      };
    } finally {
      await watch.close();
    }
  } finally {
    signals.release();
    await coordinator.close();
  }
}

interface Ending {
  readonly status: RunResult["status"];
  readonly output?: Json;
  readonly message?: string;
}

/** How the run ended, or that it was stopped before. */
async function endOf(handle: TaskHandle, signals: Signals): Promise<Ending> {
  const outcome = await Promise.race([handle.outcome(), signals.stopped]);
  if (outcome === undefined) return { status: "stopped" };
  const { status, output = null, error } = outcome;
  if (status === "completed") return { status, output };
  return { status: status === "cancelled" ? "cancelled" : "failed", message: error?.message ?? "" };
}

/** The crew's own output; of one that makes none, what its tasks gave, by id. */
function outputOf(
  crew: CrewSpec,
  { output = null }: Ending,
  outcomes: readonly Outcome[],
  runId: string,
): Pick<RunResult, "output" | "isOwnOutput"> {
  if (crew.output !== undefined) return { output, isOwnOutput: true };
  const outputs: Record<string, Json> = {};
  for (const { taskId, output: given } of outcomes)
    if (given !== undefined) put(outputs, taskId.slice(runId.length + 1), given);
  return { output: outputs, isOwnOutput: false };
}

async function outcomesOf(coordinator: Coordinator, runId: string): Promise<Outcome[]> {
  const tasks = await coordinator.tasks({ parentId: runId });
  const handles = await Promise.all(tasks.map(({ id }) => coordinator.task(id)));
  return Promise.all(handles.map((handle) => handle.outcome()));
}

/** Ctrl-C, or a request to end: once lets what runs end, twice stops it, three times leaves at once. */
class Signals {
  /** Resolves when the run was stopped before its end. */
  readonly stopped: Promise<undefined>;
  told: (stopping: "draining" | "aborting") => void = () => undefined;
  readonly #handler: (signal: NodeJS.Signals) => void;

  constructor(coordinator: Coordinator) {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.stopped = promise;
    promise.catch(() => undefined);
    let times = 0;
    this.#handler = (signal) => {
      times += signal === "SIGHUP" && times === 0 ? 2 : 1;
      if (times > 2) process.exit(1);
      this.told(times === 1 ? "draining" : "aborting");
      coordinator.drain({ graceMs: times === 1 ? DRAIN_MS : 0 }).then(() => resolve(undefined), reject);
    };
    process.on("SIGINT", this.#handler);
    process.on("SIGTERM", this.#handler);
    // The terminal is gone: there will be no second signal.
    process.on("SIGHUP", this.#handler);
  }

  release(): void {
    process.off("SIGINT", this.#handler);
    process.off("SIGTERM", this.#handler);
    process.off("SIGHUP", this.#handler);
  }
}

function show(result: RunResult, isQuiet: boolean, terminal: Terminal): void {
  if (!isQuiet) terminal.print(...summaryLines(result));
  else if (!isSuccess(result)) {
    for (const { taskId, message } of result.progress.failures) terminal.complain(`${taskId} failed: ${message ?? ""}`);
    if (result.message !== undefined) terminal.complain(result.message);
  }
  const { output, isOwnOutput } = result;
  if (output === null || (!isQuiet && !isOwnOutput)) return;
  if (typeof output === "string") terminal.text(output);
  else terminal.json(output, 2);
}

function startLines({ crew, file, programs, isCode }: LoadedCrew, start: RunStart, journal: string): Line[] {
  const verb = start.isResumed ? "goes on" : "begins";
  const lines: Line[] = [[paint("bold", printable(crew.name)), ` ${start.id} ${verb} · ${printable(journal)}`]];
  if (!start.isNewFile) return lines;
  lines.push(["This file was not run here before. It starts these programs:"]);
  if (isCode) lines.push([`  ${printable(file)}, in this process, and whatever its code starts`]);
  for (const { of, argv } of programs) lines.push([`  ${printable(of)}: ${printable(argv.map(quoted).join(" "))}`]);
  return lines;
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : JSON.stringify(argument);
}
