/**
 * The other end of `sqlite-worker.ts`: requests go out, each promise is settled by its reply or by the thread's death.
 * The thread keeps the process alive only while something is awaited from it.
 */
import { Worker } from "node:worker_threads";
import { SafeguardsError } from "../errors.ts";
import type { Reply, Request } from "./sqlite-worker.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SafeguardsError) => void;
}

export class SqliteThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #isDead = false;
  #cause: unknown;

  constructor(path: string) {
    this.#path = path;
    // The same file that this one is: TypeScript where Node runs it as it is, else what was compiled from it.
    const file = `./sqlite-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`;
    this.#worker = new Worker(new URL(file, import.meta.url), { name: "safeguards-journal", execArgv: [] });
    this.#worker.on("message", (replies: readonly Reply[]) => this.#settle(replies));
    this.#worker.on("messageerror", (error) => this.#die(error));
    this.#worker.on("error", (error) => this.#die(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#die(undefined);
        resolve();
      });
    });
    this.#worker.unref();
  }

  ask(request: WithoutId<Request>, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#isDead) return Promise.reject(this.#ended("not-written"));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id }, transfer);
    });
  }

  /** Ends the thread once it has answered everything before, and lets go of the file. */
  async close(): Promise<void> {
    try {
      if (!this.#isDead) await this.ask({ do: "close" });
    } finally {
      this.#worker.ref();
      await this.#worker.terminate();
      await this.#exited;
    }
  }

  #settle(replies: readonly Reply[]): void {
    for (const { id, error, value } of replies) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(value);
      else pending?.reject(new SafeguardsError(error.code, error.message, error.details && { details: error.details }));
    }
    if (this.#pending.size === 0) this.#worker.unref();
  }

  #die(cause: unknown): void {
    this.#isDead = true;
    this.#cause ??= cause;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(this.#ended("unknown"));
  }

  #ended(outcome: "not-written" | "unknown"): SafeguardsError {
    const why = this.#cause instanceof Error ? `: ${this.#cause.message}` : "";
    return new SafeguardsError("JOURNAL_FAILED", `the thread that writes ${this.#path} has ended${why}`, {
      details: { path: this.#path, outcome },
      cause: this.#cause,
    });
  }
}
