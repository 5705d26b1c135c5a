import { SafeguardsError } from "../../../errors.ts";
import type { TaskInfo, TaskStatus } from "../../../kernel/views.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import { type Line, paint, type Style } from "../line.ts";
import { count, duration } from "../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { pad, printable } from "../text.ts";

export interface TasksOptions {
  readonly journal?: string;
  readonly status?: string;
  readonly agent?: string;
  readonly run?: string;
  readonly after?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

const STATUSES: readonly TaskStatus[] = [
  "blocked",
  "pending",
  "running",
  "waiting",
  "paused",
  "completed",
  "failed",
  "skipped",
  "cancelled",
];
const STYLES: Partial<Record<TaskStatus, Style>> = {
  completed: "green",
  failed: "red",
  running: "cyan",
  skipped: "yellow",
  cancelled: "yellow",
};
const DEFAULT_LIMIT = 100;

/** Lists tasks, in the order in which they were submitted. */
export async function tasksCommand(options: TasksOptions, terminal: Terminal): Promise<number> {
  const limit = limitOf(options.limit);
  const status = statusOf(options.status);
  const { agent, run, after } = options;
  const view = await viewJournal(chooseJournal(options.journal));
  try {
    const filter = { ...(status && { status }), ...(agent && { agent }), ...(after && { after }) };
    const all = await view.tasks(run === undefined ? { ...filter, limit: limit + 1 } : filter);
    const tasks = run === undefined ? all : all.filter(({ id }) => id === run || id.startsWith(`${run}/`));
    const shown = tasks.slice(0, limit);
    if (options.json === true) terminal.json(shown, 2);
    else {
      terminal.print(...shown.map((task) => taskLine(task, Date.now(), view.running !== undefined)));
      const last = shown.at(-1);
      if (last === undefined) terminal.print([paint("dim", "no such task")]);
      else if (tasks.length > shown.length)
        terminal.print([paint("dim", `… more: --after ${printable(last.id)}, or --limit`)]);
    }
    return 0;
  } finally {
    await view.close();
  }
}

function taskLine(task: TaskInfo, now: number, isAlive: boolean): Line {
  const { id, name, status, agent, attempts, startedAt, endedAt, cost, approval } = task;
  const until = endedAt ?? (isAlive ? now : undefined);
  const time = startedAt === undefined || until === undefined ? "" : ` ${duration(until - startedAt)}`;
  const again = attempts > 1 ? `, ${count(attempts, "attempt")}` : "";
  const spent = cost === "0" ? "" : `, cost ${cost}`;
  const style = STYLES[status];
  return [
    style === undefined ? pad(status, 9) : paint(style, pad(status, 9)),
    ` ${printable(id)}`,
    approval === undefined ? "" : paint("yellow", approvalNote(approval)),
    paint(
      "dim",
      `${agent === undefined ? "" : ` ${printable(agent)}`}${time}${again}${spent}${name === undefined ? "" : ` ${printable(name)}`}`,
    ),
  ];
}

/** Which approval it waits for. */
function approvalNote({ before, ballotId }: NonNullable<TaskInfo["approval"]>): string {
  return ballotId === undefined ? `: approve its ${before}?` : `: ballot ${ballotId} on its ${before}`;
}

function statusOf(given: string | undefined): TaskStatus | undefined {
  if (given === undefined) return undefined;
  const status = STATUSES.find((known) => known === given);
  if (status !== undefined) return status;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `--status is ${JSON.stringify(given)}; it must be one of ${STATUSES.join(", ")}`,
  );
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return DEFAULT_LIMIT;
  const limit = Number(given);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `--limit is ${JSON.stringify(given)}; it must be a whole number above 0`,
  );
}
