/**
 * A thread for vitest that outlives its runs: what is loaded stays loaded, which saves most of what a mutant costs. vitest
 * means to start and to stop a worker for each run; the thread learns of the first start only, and of no stop.
 */
import { EventEmitter } from "node:events";
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from "vitest/node";
import { ThreadsPoolWorker } from "vitest/node";

type Listener = (...values: unknown[]) => void;

export class WarmThread implements PoolRunnerInitializer {
  readonly name: string = "warm";
  #thread: ThreadsPoolWorker | undefined;

  /** Nothing has run in the thread yet. */
  get fresh(): boolean {
    return this.#thread === undefined;
  }

  createPoolWorker(options: PoolOptions): PoolWorker {
    const warm = this.#thread !== undefined;
    this.#thread ??= new ThreadsPoolWorker(options);
    return new Visit(this.#thread, warm);
  }

  /** Ends the thread and forgets all that it had loaded; the next run gets another. */
  async renew(): Promise<void> {
    await this.#thread?.stop();
    this.#thread = undefined;
  }
}

/** One run in the thread. */
class Visit implements PoolWorker {
  readonly name: string = "warm";
  readonly #thread: ThreadsPoolWorker;
  readonly #warm: boolean;
  /** What the thread would have said, had it been asked. */
  readonly #instead: EventEmitter = new EventEmitter();
  readonly #listening: (readonly [event: string, listener: Listener])[] = [];

  constructor(thread: ThreadsPoolWorker, warm: boolean) {
    this.#thread = thread;
    this.#warm = warm;
  }

  on(event: string, listener: Listener): void {
    this.#listening.push([event, listener]);
    this.#thread.on(event, listener);
    this.#instead.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    this.#thread.off(event, listener);
    this.#instead.off(event, listener);
  }

  send(message: WorkerRequest): void {
    if (message.type === "stop") this.#answer("stopped");
    else if (message.type === "start" && this.#warm) this.#answer("started");
    else this.#thread.send(message);
  }

  async start(): Promise<void> {
    if (!this.#warm) await this.#thread.start();
  }

  async stop(): Promise<void> {
    for (const [event, listener] of this.#listening) this.off(event, listener);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  #answer(type: "started" | "stopped"): void {
    queueMicrotask(() => this.#instead.emit("message", { __vitest_worker_response__: true, type }));
  }
}
