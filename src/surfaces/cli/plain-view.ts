/**
 * A run as lines of a log, for where there is no terminal. At most {@link LINES_PER_SECOND} lines are written for each
 * second of the log, so that thousands of tasks neither slow the run nor flood who reads; what is left out is counted.
 */
import type { StoredEvent } from "../../runtime/event-feed.ts";
import { clock, count, duration } from "./quantity.ts";
import type { RunProgress } from "./run-progress.ts";
import { printable } from "./text.ts";

const LINES_PER_SECOND = 20;
const STATUS_EVERY_MS = 10_000;

export class PlainView {
  readonly #runId: string;
  readonly #progress: RunProgress;
  #second = 0;
  #written = 0;
  #omitted = 0;
  #statusAt: number | undefined;

  /** `progress` has seen each event before this view does. */
  constructor(runId: string, progress: RunProgress) {
    this.#runId = runId;
    this.#progress = progress;
  }

  /** The lines that an event makes: none, one, or one after those that tell what was left out. */
  lines(event: StoredEvent): string[] {
    const lines: string[] = [];
    const second = Math.floor(event.at / 1_000);
    if (second !== this.#second) {
      if (this.#omitted > 0) lines.push(`${clock(event.at)} … and ${count(this.#omitted, "more line")} like these`);
      this.#second = second;
      this.#written = 0;
      this.#omitted = 0;
    }
    const told = this.#tell(event);
    if (told !== undefined) {
      if (this.#written < LINES_PER_SECOND) lines.push(`${clock(event.at)} ${told}`);
      else this.#omitted += 1;
      this.#written += 1;
    }
    this.#statusAt ??= event.at + STATUS_EVERY_MS;
    if (event.at >= this.#statusAt) {
      this.#statusAt = event.at + STATUS_EVERY_MS;
      lines.push(`${clock(event.at)} ${this.#status()}`);
    }
    return lines;
  }

  #status(): string {
    const { counts, total } = this.#progress;
    const done = counts.completed + counts.failed + counts.skipped + counts.cancelled;
    return `${this.#runId}: ${done} of ${count(total, "task")} done, ${counts.running} running, ${counts.waiting} waiting`;
  }

  #tell(event: StoredEvent): string | undefined {
    const { taskId, agent, attempt, phase, count: subtasks, end, error, reason } = event;
    if (typeof taskId !== "string" || !taskId.startsWith(`${this.#runId}/`)) return undefined;
    const id = printable(taskId);
    const ended = this.#progress.latest.at(-1);
    const by = ended?.agent === undefined ? "" : ` on ${printable(ended.agent)} after ${duration(ended.ms)}`;
    switch (event.type) {
      case "task.started": {
        const doing = phase === "plan" ? "plans" : phase === "aggregate" ? "aggregates" : "started";
        return `${id} ${doing} on ${printable(String(agent))}${phase === "run" && Number(attempt) > 1 ? `, attempt ${attempt}` : ""}`;
      }
      case "task.planned":
        return `${id} has ${count(Number(subtasks), "subtask")}`;
      case "attempt.ended":
        return end === "completed" ? undefined : `${id} attempt ended: ${String(end)}${messageOf(error)}`;
      case "approval.asked":
        return `${id}: its ${String(event.before)} has to be approved`;
      case "approval.given":
        return `${id}: its ${String(event.before)} is approved${whoOf(event.who)}`;
      case "approval.rejected":
        return `${id}: its ${String(event.before)} is rejected${whoOf(event.who)}`;
      case "task.completed":
        return `${id} completed${by}`;
      case "task.failed":
        return `${id} failed${by}${messageOf(error)}`;
      case "task.skipped":
        return `${id} skipped${messageOf(error)}`;
      case "task.cancelled":
        return `${id} cancelled${typeof reason === "string" ? `: ${printable(reason)}` : ""}`;
      default:
        return undefined;
    }
  }
}

function whoOf(who: unknown): string {
  return Array.isArray(who) && who.length > 0 ? ` by ${printable(who.join(", "))}` : "";
}

function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return "";
  return `: ${printable(String(error.message))}`;
}
