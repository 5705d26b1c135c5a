import { runManagerName } from "../../../crew/crew.ts";
import { hasEnded, type RunInfo, runsAmong } from "../../../crew/run.ts";
import type { AgentInfo, BudgetInfo, ResourceInfo, TaskInfo, TaskStatus } from "../../../kernel/views.ts";
import { chooseJournal } from "../journal-choice.ts";
import { type JournalView, viewJournal } from "../journal-view.ts";
import { bar, type Line, paint, type Span } from "../line.ts";
import { clock, count, duration } from "../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { pad, printable, widthOf } from "../text.ts";

export interface StatusOptions {
  readonly journal?: string;
  readonly json?: boolean;
}

const SHOWN_RUNS = 10;
const SHOWN_AGENTS = 30;
const SHOWN_APPROVALS = 10;

interface RunStatus {
  readonly run: RunInfo;
  readonly counts: Partial<Record<TaskStatus, number>>;
  readonly total: number;
  /** Tasks that wait for a person to allow something. */
  readonly toApprove: TaskInfo[];
}

/** Tells where the runs in a journal stand, and what agents and resources do. */
export async function statusCommand(options: StatusOptions, terminal: Terminal): Promise<number> {
  const path = chooseJournal(options.journal);
  const view = await viewJournal(path);
  try {
    const tasks = await view.tasks();
    const crew = { agents: await view.agents(), resources: await view.resources(), budgets: await view.budgets() };
    const runs = statusOf(tasks);
    if (options.json === true) terminal.json(asData(path, view, runs, crew), 2);
    else terminal.print(...asLines(path, view, runs, crew, Date.now()));
    return 0;
  } finally {
    await view.close();
  }
}

/** Who works, and with what. */
interface CrewStatus {
  readonly agents: readonly AgentInfo[];
  readonly resources: readonly ResourceInfo[];
  readonly budgets: readonly BudgetInfo[];
}

/** One pass over all tasks, however many runs there are. */
function statusOf(tasks: readonly TaskInfo[]): RunStatus[] {
  const counted = new Map(
    runsAmong(tasks).map((run) => [
      run.id,
      { run, counts: {} as Partial<Record<TaskStatus, number>>, total: 0, toApprove: [] as TaskInfo[] },
    ]),
  );
  for (const task of tasks) {
    const { id, status, approval } = task;
    const slash = id.indexOf("/");
    const of = slash === -1 ? undefined : counted.get(id.slice(0, slash));
    if (of === undefined) continue;
    of.counts[status] = (of.counts[status] ?? 0) + 1;
    of.total += 1;
    if (approval !== undefined && approval.ballotId === undefined) of.toApprove.push(task);
  }
  return [...counted.values()];
}

function asData(journal: string, { running, asOf }: JournalView, runs: readonly RunStatus[], crew: CrewStatus): object {
  return {
    journal,
    running: running !== undefined,
    ...(asOf === undefined ? {} : { asOf }),
    runs: runs.map(({ run, counts, total, toApprove }) => ({
      id: run.id,
      crew: run.crew,
      file: run.file,
      input: run.input,
      status: run.task.status,
      submittedAt: run.task.submittedAt,
      ...(run.task.endedAt === undefined ? {} : { endedAt: run.task.endedAt }),
      total,
      tasks: counts,
      cost: run.task.cost,
      toApprove: toApprove.map(({ id, approval }) => ({ id, ...approval })),
    })),
    ...crew,
  };
}

function asLines(
  journal: string,
  view: JournalView,
  runs: readonly RunStatus[],
  { agents, resources, budgets }: CrewStatus,
  now: number,
): Line[] {
  const lines: Line[] = [[paint("bold", printable(journal)), " ", written(view)]];
  lines.push(...runs.slice(-SHOWN_RUNS).flatMap((run) => [runLine(run, view, now), ...approvalLines(run)]));
  if (runs.length === 0) lines.push([paint("dim", "no run was begun here yet")]);
  const shown = agents.filter(({ name }) => !runs.some(({ run }) => name === runManagerName(run.crew)));
  const columns = Math.min(24, Math.max(0, ...shown.map(({ name }) => widthOf(printable(name)))));
  if (shown.length > 0) lines.push([paint("bold", "agents")]);
  for (const agent of shown.slice(0, SHOWN_AGENTS)) lines.push(agentLine(agent, columns, view));
  if (shown.length > SHOWN_AGENTS)
    lines.push([paint("dim", `  … ${shown.length - SHOWN_AGENTS} more; --json has them all`)]);
  if (resources.length > 0) lines.push([paint("bold", "resources")]);
  for (const { id, allocated, capacity, waiting } of resources) {
    lines.push([
      "  ",
      printable(id),
      ` ${allocated} of ${capacity} taken`,
      waiting > 0 ? `, ${count(waiting, "task")} wait` : "",
    ]);
  }
  if (budgets.length > 0) lines.push([paint("bold", "budgets")]);
  for (const budget of budgets) lines.push(budgetLine(budget));
  return lines;
}

function budgetLine({ id, parent, limit, spent, reserved, overrun }: BudgetInfo): Line {
  const part = parent === undefined ? "" : `, part of ${printable(parent)}`;
  const aside = reserved === "0" ? "" : `, ${reserved} set aside`;
  const over: Span[] = overrun === "0" ? [] : [", ", paint("red", `${overrun} too much`)];
  return ["  ", printable(id), ` ${spent} of ${limit} spent${aside}`, ...over, paint("dim", part)];
}

function written({ running, asOf }: JournalView): Span {
  if (running !== undefined) return paint("green", "a process runs it");
  if (asOf === undefined || asOf.seq === 0) return paint("dim", "nothing was written yet");
  return paint("dim", `nobody runs it; as of event ${asOf.seq}, ${clock(asOf.at)}`);
}

function runLine({ run, counts, total }: RunStatus, { running }: JournalView, now: number): Line {
  const { task, id, crew } = run;
  const done = (counts.completed ?? 0) + (counts.failed ?? 0) + (counts.skipped ?? 0) + (counts.cancelled ?? 0);
  const isOpen = !hasEnded(task);
  const state = isOpen ? (running === undefined ? "interrupted" : "running") : task.status;
  const missing = Object.entries(counts).filter(([status]) => status !== "completed");
  return [
    paint("bold", id),
    ` ${printable(crew)} `,
    paint(state === "completed" ? "green" : state === "running" ? "cyan" : "yellow", state),
    ` ${done}/${total} done`,
    ...missing.map(([status, number]) => ` · ${number} ${status}`),
    paint("dim", isOpen && running === undefined ? "" : ` ${duration((task.endedAt ?? now) - task.submittedAt)}`),
    paint("dim", task.cost === "0" ? "" : `, cost ${task.cost}`),
  ];
}

/** What a person has to do for the run to go on. */
function approvalLines({ toApprove }: RunStatus): Line[] {
  const lines = toApprove.slice(0, SHOWN_APPROVALS).map(({ id, approval }): Line => {
    const what = approval === undefined ? "" : ` its ${approval.before}?`;
    return ["  ", paint("yellow", "to approve"), ` ${printable(id)}`, paint("dim", what)];
  });
  const more = toApprove.length - lines.length;
  if (more > 0) lines.push([paint("dim", `  … ${more} more to approve; safeguards tasks --status waiting has them`)]);
  return lines;
}

function agentLine(agent: AgentInfo, columns: number, { running }: JournalView): Line {
  const { name, load, capacity, utilization, breaker, online } = agent;
  const state = running === undefined ? "" : online ? count(agent.running, "task") : "offline";
  const circuit: Span[] = breaker === "closed" ? [] : [" ", paint("red", `circuit ${breaker}`)];
  const gauge =
    running === undefined ? [] : [...bar(Number.isFinite(utilization) ? utilization : 1, 8), ` ${load}/${capacity} `];
  const skills = Object.keys(agent.skills).map(printable).join(", ");
  return ["  ", pad(printable(name), columns), " ", ...gauge, state, ...circuit, " ", paint("dim", skills)];
}
