import { SafeguardsError } from "../errors.ts";
import type { Phase, StopReason } from "../kernel/events/attempts.ts";
import { defaults } from "../kernel/limits.ts";
import type { Awaiting } from "./awaiting.ts";
import { guardedController } from "./guarded-signal.ts";
import type { PartMeters } from "./stats.ts";

/** One attempt whose code runs in this process. */
export class RunningAttempt {
  readonly taskId: string;
  readonly agent: string;
  readonly token: number;
  readonly number: number;
  readonly phase: Phase;
  /** By the monotonic clock. */
  readonly startedAt: number;
  /** Its code has returned or thrown, or the kernel has given it up: nothing that it still does counts. */
  isOver = false;
  /** Its code has returned an output, which guardrails look at. */
  hasReturned = false;
  /** Milliseconds that its code is given to stop. */
  graceMs: number = defaults.graceMs;
  /** What is measured of its agent, and of tasks of its class. */
  meters: readonly PartMeters[] = [];
  /** Subtasks submitted without an id. */
  submits = 0;
  /** Actions that guardrails looked at. */
  actions = 0;
  awaiting: Awaiting | undefined = undefined;
  /** Messages that it was handed and that are not read yet, by id. */
  inHand: Set<string> | undefined = undefined;
  /** Wakes those of its code that wait for a message. */
  readers: Set<() => void> | undefined = undefined;
  /** Ends its thread, where it has one of its own. */
  kill: (() => void) | undefined = undefined;
  /** When its progress was last told: epoch milliseconds. */
  progressAt: number | undefined = undefined;
  /** Told what a listener of its code threw as it was told to stop. */
  readonly #threw: ((attempt: RunningAttempt, error: unknown) => void) | undefined;
  #controller: AbortController | undefined = undefined;
  #stopped: SafeguardsError | undefined = undefined;
  #whenStopped: ((reason: SafeguardsError) => void) | undefined = undefined;
  /** Requests for resources that wait, by id. */
  #requests: Map<string, PendingRequest> | undefined = undefined;

  constructor(
    started: {
      readonly taskId: string;
      readonly agent: string;
      readonly token: number;
      readonly attempt: number;
      readonly phase: Phase;
    },
    startedAt: number,
    threw?: (attempt: RunningAttempt, error: unknown) => void,
  ) {
    this.taskId = started.taskId;
    this.agent = started.agent;
    this.token = started.token;
    this.number = started.attempt;
    this.phase = started.phase;
    this.startedAt = startedAt;
    this.#threw = threw;
  }

  /** Made when it is first asked for: most attempts never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = guardedController((error) => this.#threw?.(this, error));
      if (this.#stopped !== undefined) this.#controller.abort(this.#stopped);
    }
    return this.#controller.signal;
  }

  /** Why it is to stop, once it is. */
  get stopped(): SafeguardsError | undefined {
    return this.#stopped;
  }

  /** Tells its code to stop: the signal is aborted, and whatever it awaits fails with this. */
  stop(reason: SafeguardsError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#controller?.abort(reason);
    this.awaiting?.stop(reason);
    this.wakeReaders();
    for (const request of this.#requests?.values() ?? []) request.reject(reason);
    this.#requests = undefined;
    // Closing leaves it the time that it has.
    if (reason.code !== "CLOSED") this.#whenStopped?.(reason);
  }

  /** Calls when it is told to stop from now on, other than by a coordinator that closes. */
  whenStopped(fn: (reason: SafeguardsError) => void): void {
    this.#whenStopped = fn;
  }

  /** Nothing more will be read: whoever waits for a message finds that out. */
  wakeReaders(): void {
    for (const wake of this.readers ?? []) wake();
  }

  /** Waits for the answer to a request. */
  addRequest(requestId: string, request: PendingRequest): void {
    if (this.#stopped !== undefined) {
      request.reject(this.#stopped);
      return;
    }
    this.#requests ??= new Map();
    this.#requests.set(requestId, request);
  }

  /** The request with that id, which waits no longer. */
  takeRequest(requestId: string): PendingRequest | undefined {
    const request = this.#requests?.get(requestId);
    this.#requests?.delete(requestId);
    return request;
  }
}

export interface PendingRequest {
  resolve(allocation: GrantedToAttempt): void;
  reject(error: SafeguardsError): void;
}

export interface GrantedToAttempt {
  readonly id: string;
  readonly token: number;
  readonly amounts: Readonly<Record<string, number>>;
  readonly expiresAt?: number;
}

const WORDS: Readonly<Record<StopReason, string>> = {
  preempted: "it makes way for a task of higher priority",
  paused: "its task was paused",
  cancelled: "its task was cancelled",
  timeout: "its time is over",
  deadline: "its task's deadline has passed",
};

/** What the signal of an attempt is aborted with. */
export function stopError(taskId: string, reason: StopReason): SafeguardsError {
  const code = reason === "timeout" || reason === "deadline" ? "TIMEOUT" : "CANCELLED";
  return new SafeguardsError(code, `this attempt at task ${taskId} is to stop: ${WORDS[reason]}`, {
    details: { reason },
  });
}
