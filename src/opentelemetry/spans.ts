/**
 * A span for each task, and below it one for each of its attempts.
 *
 * 1. At most {@link OPEN_TASKS} tasks have an open span; those beyond have none, nor have their attempts.
 * 2. A span is ended once; what it was opened for is then forgotten.
 */
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { StoredEvent } from "../runtime/event-feed.ts";

/** Spans of open tasks that are kept in memory: some ten megabytes. */
const OPEN_TASKS = 10_000;

interface OpenTask {
  readonly span: Span;
  readonly name: string;
  attempt: { readonly span: Span; readonly token: number } | undefined;
}

export class Spans {
  readonly #tracer: Tracer;
  readonly #dropped: () => void;
  readonly #tasks = new Map<string, OpenTask>();

  /** `dropped`: a task is not traced, since too many are. */
  constructor(tracer: Tracer, dropped: () => void) {
    this.#tracer = tracer;
    this.#dropped = dropped;
  }

  tell(event: StoredEvent): void {
    const { taskId } = event;
    if (typeof taskId !== "string") return;
    if (event.type === "task.submitted" || event.type === "task.retried") this.#opened(taskId, event);
    const task = this.#tasks.get(taskId);
    if (task !== undefined) this.#tell(task, taskId, event);
  }

  /** Ends all that is open. */
  end(): void {
    for (const { span, attempt } of this.#tasks.values()) {
      for (const one of [attempt?.span, span]) one?.setAttribute("safeguards.unfinished", true).end();
    }
    this.#tasks.clear();
  }

  /** A task that failed and is tried again has another span: the first has ended. */
  #opened(taskId: string, event: StoredEvent): void {
    if (this.#tasks.size >= OPEN_TASKS) {
      this.#dropped();
      return;
    }
    const name = typeof event.name === "string" ? event.name : taskId;
    const attributes: Attributes = { "safeguards.task.id": taskId, "safeguards.task.name": name };
    if (typeof event.priority === "number") attributes["safeguards.task.priority"] = event.priority;
    const { parentId } = event;
    const parent = typeof parentId === "string" ? this.#tasks.get(parentId)?.span : undefined;
    const within = parent === undefined ? remote(event.trace) : trace.setSpan(ROOT_CONTEXT, parent);
    const span = this.#tracer.startSpan(`task ${name}`, { startTime: event.at, attributes }, within);
    this.#tasks.set(taskId, { span, name, attempt: undefined });
  }

  #tell(task: OpenTask, taskId: string, event: StoredEvent): void {
    const { at } = event;
    switch (event.type) {
      case "task.started":
        this.#started(task, taskId, event);
        break;
      case "attempt.ended":
        endAttempt(task, event, String(event.end));
        break;
      case "approval.asked":
        if (event.token !== undefined) endAttempt(task, event, "completed");
        task.span.addEvent(event.type, undefined, at);
        break;
      case "approval.given":
      case "approval.rejected":
        task.span.addEvent(event.type, undefined, at);
        break;
      case "task.planned":
        endAttempt(task, event, "completed");
        break;
      case "attempt.checkpointed":
        task.attempt?.span.addEvent("checkpoint", undefined, at);
        break;
      case "task.paused":
      case "task.resumed":
        task.span.addEvent(event.type.slice("task.".length), undefined, at);
        break;
      case "task.completed":
        endAttempt(task, event, "completed");
        this.#ended(task, taskId, event, "completed");
        break;
      case "task.failed":
      case "task.skipped":
      case "task.cancelled":
        this.#ended(task, taskId, event, event.type.slice("task.".length));
        break;
      default:
        break;
    }
  }

  #started(task: OpenTask, taskId: string, event: StoredEvent): void {
    const agent = String(event.agent);
    const attributes: Attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": agent,
      "safeguards.task.id": taskId,
      "safeguards.attempt.number": Number(event.attempt),
      "safeguards.attempt.phase": String(event.phase),
    };
    const span = this.#tracer.startSpan(
      `invoke_agent ${agent}`,
      { kind: SpanKind.INTERNAL, startTime: event.at, attributes },
      trace.setSpan(ROOT_CONTEXT, task.span),
    );
    task.attempt = { span, token: Number(event.token) };
  }

  #ended({ span }: OpenTask, taskId: string, event: StoredEvent, status: string): void {
    span.setAttribute("safeguards.task.status", status);
    if (status === "failed") fail(span, event.error);
    span.end(event.at);
    this.#tasks.delete(taskId);
  }
}

function endAttempt(task: OpenTask, event: StoredEvent, end: string): void {
  const { attempt } = task;
  if (attempt === undefined || attempt.token !== event.token) return;
  const { span } = attempt;
  span.setAttribute("safeguards.attempt.end", end);
  if (event.error !== undefined) fail(span, event.error);
  span.end(event.at);
  task.attempt = undefined;
}

function fail(span: Span, error: unknown): void {
  const { code, message } = Object(error);
  span.setAttribute("error.type", String(code));
  span.setStatus({ code: SpanStatusCode.ERROR, message: String(message) });
}

/** The caller's own span, when its trace is told as W3C Trace Context (level 1) has it: `00-TRACE-SPAN-FLAGS`. */
function remote(traceparent: string | undefined): Context {
  const [version, traceId = "", spanId = "", flags = ""] = traceparent?.split("-") ?? [];
  const caller = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return version === "00" && isSpanContextValid(caller) ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
}
