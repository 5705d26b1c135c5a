/**
 * Counters and histograms.
 *
 * 1. What is remembered of a task is forgotten with its end, and of at most {@link OPEN_TASKS}: of those beyond no duration is told.
 */
import type { Counter, Histogram, Meter } from "@opentelemetry/api";
import type { StoredEvent } from "../runtime/event-feed.ts";

/** Tasks whose times are remembered: a few hundred megabytes at the very most. */
const OPEN_TASKS = 1_000_000;
/** From a millisecond to an hour. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1200, 3600];

interface OpenTask {
  readonly submittedAt: number;
  attempt: { readonly agent: string; readonly startedAt: number } | undefined;
  hasStarted: boolean;
}

export class Measures {
  readonly #tasks = new Map<string, OpenTask>();
  readonly #submitted: Counter;
  readonly #ended: Counter;
  readonly #attempts: Counter;
  readonly #dropped: Counter;
  readonly #queueWait: Histogram;
  readonly #duration: Histogram;
  readonly #attemptDuration: Histogram;

  constructor(meter: Meter) {
    const counter = (name: string, description: string, unit: string): Counter =>
      meter.createCounter(`safeguards.${name}`, { description, unit });
    const histogram = (name: string, description: string): Histogram =>
      meter.createHistogram(`safeguards.${name}`, {
        description,
        unit: "s",
        advice: { explicitBucketBoundaries: [...SECONDS] },
      });
    this.#submitted = counter("tasks.submitted", "Tasks that were submitted.", "{task}");
    this.#ended = counter("tasks.ended", "Tasks that have ended, by status.", "{task}");
    this.#attempts = counter("attempts.ended", "Attempts that have ended, by agent and by how.", "{attempt}");
    this.#dropped = counter("spans.dropped", "Tasks without a span, since too many had one.", "{task}");
    this.#queueWait = histogram("task.queue_wait", "From the submission of a task to its first start.");
    this.#duration = histogram("task.duration", "From the submission of a task, or its retry, to its end, by status.");
    this.#attemptDuration = histogram(
      "attempt.duration",
      "From the start of an attempt to its end, by agent and by how.",
    );
  }

  /** A task has no span. */
  dropped(): void {
    this.#dropped.add(1);
  }

  tell(event: StoredEvent): void {
    const { taskId } = event;
    if (typeof taskId !== "string") return;
    switch (event.type) {
      case "task.submitted":
        this.#submitted.add(1);
        this.#open(taskId, { submittedAt: event.at, attempt: undefined, hasStarted: false });
        break;
      case "task.retried":
        this.#open(taskId, { submittedAt: event.at, attempt: undefined, hasStarted: true });
        break;
      case "task.started":
        this.#started(taskId, event);
        break;
      case "attempt.ended":
        this.#attemptEnded(taskId, event.at, String(event.end));
        break;
      case "approval.asked":
        if (event.token !== undefined) this.#attemptEnded(taskId, event.at, "completed");
        break;
      case "task.planned":
        this.#attemptEnded(taskId, event.at, "completed");
        break;
      case "task.completed":
        this.#attemptEnded(taskId, event.at, "completed");
        this.#taskEnded(taskId, event.at, "completed");
        break;
      case "task.failed":
      case "task.skipped":
      case "task.cancelled":
        this.#taskEnded(taskId, event.at, event.type.slice("task.".length));
        break;
      default:
        break;
    }
  }

  #open(taskId: string, task: OpenTask): void {
    if (this.#tasks.size < OPEN_TASKS) this.#tasks.set(taskId, task);
  }

  #started(taskId: string, { at, agent }: StoredEvent): void {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    if (!task.hasStarted) this.#queueWait.record((at - task.submittedAt) / 1000);
    task.hasStarted = true;
    task.attempt = { agent: String(agent), startedAt: at };
  }

  #attemptEnded(taskId: string, at: number, end: string): void {
    const task = this.#tasks.get(taskId);
    if (task?.attempt === undefined) return;
    const by = { "gen_ai.agent.name": task.attempt.agent, "safeguards.attempt.end": end };
    this.#attempts.add(1, by);
    this.#attemptDuration.record((at - task.attempt.startedAt) / 1000, by);
    task.attempt = undefined;
  }

  #taskEnded(taskId: string, at: number, status: string): void {
    const by = { "safeguards.task.status": status };
    this.#ended.add(1, by);
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    this.#duration.record((at - task.submittedAt) / 1000, by);
    this.#tasks.delete(taskId);
  }
}
