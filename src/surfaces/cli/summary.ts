/** What a run came to, for people and for programs. */
import { NO_MONEY, sumIn, textOf } from "../../coordination/structures/money.ts";
import type { Json } from "../../coordination/structures/types.ts";
import { runManagerName } from "../../crew/crew.ts";
import type { AgentInfo } from "../../kernel/views.ts";
import type { Outcome } from "../../runtime/task.ts";
import { bar, type Line, paint, type Span } from "./line.ts";
import { count, duration, percent } from "./quantity.ts";
import type { RunProgress } from "./run-progress.ts";
import { pad, printable, safeJson, widthOf } from "./text.ts";

export interface RunResult {
  readonly crew: string;
  readonly runId: string;
  readonly journal: string;
  /** `stopped`: it did not end, and goes on the next time. */
  readonly status: "completed" | "failed" | "cancelled" | "stopped";
  /** Why the run itself did not complete. */
  readonly message?: string;
  /** The crew's own output; of one that makes none, what its tasks gave, by id. */
  readonly output: Json;
  readonly isOwnOutput: boolean;
  /** Of the crew's own tasks, in their order: those that have ended. */
  readonly outcomes: readonly Outcome[];
  readonly progress: RunProgress;
  readonly elapsedMs: number;
  readonly agents: readonly AgentInfo[];
}

/** Whether everything that the crew was to do is done. */
export function isSuccess({ status, outcomes }: RunResult): boolean {
  return status === "completed" && outcomes.every((outcome) => outcome.status === "completed");
}

/** What each agent did: how long, and what share of its capacity that was. */
function workOf({ progress, agents, elapsedMs, crew }: RunResult) {
  return agents
    .filter(({ name, online }) => name !== runManagerName(crew) && (online || progress.agents.has(name)))
    .map(({ name, capacity }) => {
      const { busyMs, attempts, completed, lost } = progress.agents.get(name) ?? {
        busyMs: 0,
        attempts: 0,
        completed: 0,
        lost: 0,
      };
      const utilization = elapsedMs > 0 && capacity > 0 ? busyMs / (capacity * elapsedMs) : 0;
      return { name, capacity, attempts, completed, lost, busyMs, utilization };
    });
}

/** For a program: everything, as one object. */
export function summaryData(result: RunResult): object {
  const { crew, runId, journal, status, message, output, outcomes, progress, elapsedMs } = result;
  return {
    crew,
    run: runId,
    journal,
    status: status === "completed" && !isSuccess(result) ? "failed" : status,
    ...(message === undefined ? {} : { message }),
    output,
    counts: { total: progress.total, ...progress.counts },
    elapsedMs,
    queueWaitMs: progress.queueWaitMs,
    runMs: progress.runMs,
    cost: costOf(outcomes),
    agents: workOf(result),
    tasks: outcomes.map(({ taskId, name, status: end, agent, attempts, cost, output: made, error }) => ({
      id: taskId,
      ...(name === undefined ? {} : { name }),
      status: end,
      ...(agent === undefined ? {} : { agent }),
      attempts: attempts.length,
      cost,
      ...(made === undefined ? {} : { output: made }),
      ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    })),
  };
}

const SHOWN_FAILURES = 10;
const SHOWN_AGENTS = 20;
const SHOWN_OUTPUTS = 5;

/** For a person. */
export function summaryLines(result: RunResult): Line[] {
  const { crew, runId, progress, message, journal } = result;
  const { counts, total } = progress;
  const lines: Line[] = [
    [paint("bold", `${printable(crew)} ${runId} `), ...headline(result)],
    ...(message === undefined ? [] : [row("why", [paint("red", printable(message))])]),
    row("tasks", [
      count(total, "task"),
      ...figure(counts.completed, "completed", "green"),
      ...figure(counts.failed, "failed", "red"),
      ...figure(counts.skipped, "skipped", "yellow"),
      ...figure(counts.cancelled, "cancelled", "yellow"),
      ...figure(counts.running + counts.waiting + counts.managing, "not ended", "yellow"),
    ]),
    row("time", [
      `${duration(progress.runMs)} of work, ${duration(progress.queueWaitMs)} of waiting to be started, over all tasks`,
    ]),
    row("cost", [costOf(result.outcomes)]),
    ...agentLines(result),
    ...failureLines(result),
    ...outputLines(result),
    row("journal", [paint("dim", printable(journal))]),
  ];
  return lines;
}

function headline({ status, outcomes, elapsedMs }: RunResult): Line {
  const time = duration(elapsedMs);
  if (status === "stopped") return [paint("yellow", `stopped after ${time}, before its end; run it again to go on`)];
  if (status !== "completed") return [paint("red", status), ` after ${time}`];
  const lost = outcomes.filter((outcome) => outcome.status !== "completed").length;
  if (lost === 0) return [paint("green", "completed"), ` in ${time}`];
  return [paint("red", `ended, ${count(lost, "task")} of ${outcomes.length} not completed`), ` in ${time}`];
}

function agentLines(result: RunResult): Line[] {
  const work = workOf(result).toSorted((a, b) => b.busyMs - a.busyMs);
  const columns = Math.min(24, Math.max(0, ...work.map(({ name }) => widthOf(printable(name)))));
  const lines = work.slice(0, SHOWN_AGENTS).map(({ name, utilization, busyMs, attempts, completed }, index): Line => {
    const figures = ` ${percent(utilization).padStart(5)}  ${duration(busyMs)} of work, ${completed} of ${count(attempts, "attempt")} completed`;
    return row(index === 0 ? "agents" : "", [pad(printable(name), columns), " ", ...bar(utilization, 10), figures]);
  });
  if (work.length > SHOWN_AGENTS) lines.push(row("", [paint("dim", `… ${work.length - SHOWN_AGENTS} more`)]));
  return lines;
}

function failureLines({ progress, runId }: RunResult): Line[] {
  const lines = progress.failures.slice(0, SHOWN_FAILURES).map(({ taskId, message }, index): Line => {
    return row(index === 0 ? "failed" : "", [paint("red", printable(taskId)), ` ${printable(message ?? "")}`]);
  });
  const more = progress.counts.failed - lines.length;
  if (more > 0) lines.push(row("", [paint("dim", `… ${more} more: safeguards tasks --status failed --run ${runId}`)]));
  return lines;
}

/** Of a crew that makes no output of its own, what its tasks gave. */
function outputLines({ outcomes, isOwnOutput, runId }: RunResult): Line[] {
  if (isOwnOutput) return [];
  const given = outcomes.filter((outcome) => outcome.output !== undefined && outcome.output !== null);
  const lines = given.slice(0, SHOWN_OUTPUTS).map((outcome, index): Line => {
    const text = typeof outcome.output === "string" ? printable(outcome.output) : safeJson(outcome.output);
    return row(index === 0 ? "outputs" : "", [
      printable(outcome.taskId.slice(runId.length + 1)),
      " ",
      paint("dim", text),
    ]);
  });
  if (given.length > lines.length)
    lines.push(row("", [paint("dim", `… ${given.length - lines.length} more; --json has them all`)]));
  return lines;
}

function row(title: string, line: Line): Line {
  return [paint("dim", pad(title, 8)), ...line];
}

function figure(number: number, what: string, style: "green" | "red" | "yellow"): Span[] {
  return number === 0 ? [] : [" · ", paint(style, `${number} ${what}`)];
}

/** Added exactly. */
function costOf(outcomes: readonly Outcome[]): string {
  return textOf(outcomes.reduce((sum, { cost }) => sum.plus(sumIn(cost)), NO_MONEY));
}
