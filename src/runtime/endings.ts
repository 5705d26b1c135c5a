/**
 * Who waits for what to end: tasks, and ballots.
 *
 * 1. Whoever waits is told once: when the end is durable, or that it will never be.
 * 2. Who stops waiting leaves nothing behind.
 */
import { show } from "../coordination/structures/arguments.ts";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import type { Query, Release } from "./command-loop.ts";

interface Waiter<T> {
  resolve(end: T): void;
  reject(error: SafeguardsError): void;
}

/** Where queries get their turn. */
interface Line {
  enqueue(query: Query): void;
  lookNow(query: Query): void;
}

export class Endings<T extends object> {
  readonly #name: string;
  readonly #unknown: ErrorCode;
  readonly #lookAt: (id: string) => T | "open" | undefined;
  readonly #find: (id: string) => Promise<T | undefined>;
  readonly #waited: (byAnybody: boolean) => void;
  readonly #waiters: Map<string, Set<Waiter<T>>> = new Map();
  /** Those for whom it has ended, but not yet durably. */
  readonly #telling: Set<Set<Waiter<T>>> = new Set();
  #stopped: SafeguardsError | undefined = undefined;

  /**
   * `name`: what it is called in messages. `unknown`: the code for an id that there is not. `look`: how it ended; `"open"` as
   * long as it has not, undefined when there is none with that id in memory. `find`: the same for what has left it. `waited` is
   * told when the first begins to wait, and when nobody waits any more.
   */
  constructor(
    name: string,
    unknown: ErrorCode,
    look: (id: string) => T | "open" | undefined,
    find: (id: string) => Promise<T | undefined>,
    waited: (byAnybody: boolean) => void = () => undefined,
  ) {
    this.#waited = waited;
    this.#name = name;
    this.#unknown = unknown;
    this.#lookAt = look;
    this.#find = find;
  }

  /** Whether anybody waits. */
  get isWaitedFor(): boolean {
    return this.#waiters.size > 0;
  }

  /**
   * Resolves with how it ended. `inTurn`: looks only when all that was asked for before is decided. The code of the subject
   * when it is unknown; CANCELLED when the signal is aborted before.
   */
  wait(
    loop: Line,
    id: string,
    options: { readonly signal?: AbortSignal | undefined; readonly inTurn?: boolean } = {},
  ): Promise<T> {
    const { signal, inTurn = false } = options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#stopped !== undefined) reject(this.#stopped);
    else if (signal?.aborted === true) reject(this.#aborted(id, signal));
    else {
      const query: Query = { kind: "query", look: () => this.#look(id, signal, { resolve, reject }), failed: reject };
      if (inTurn) loop.enqueue(query);
      else loop.lookNow(query);
    }
    return promise;
  }

  /** It has ended, as far as is decided; what is returned tells those that wait for it. */
  ended(id: string): Release | undefined {
    const waiters = this.#waiters.get(id);
    if (waiters === undefined) return undefined;
    const end = this.#lookAt(id);
    // Begun anew at the same instant: it has not ended after all.
    if (end === "open" || end === undefined) return undefined;
    this.#noMore(id);
    this.#telling.add(waiters);
    return () => {
      this.#telling.delete(waiters);
      for (const waiter of waiters) waiter.resolve(end);
    };
  }

  /** Nothing ends any more. */
  stop(error: SafeguardsError): void {
    this.#stopped = error;
    const all = [...this.#waiters.values(), ...this.#telling];
    if (this.#waiters.size > 0) this.#waited(false);
    this.#waiters.clear();
    this.#telling.clear();
    for (const waiters of all) for (const waiter of waiters) waiter.reject(error);
  }

  #look(id: string, signal: AbortSignal | undefined, waiter: Waiter<T>): Release {
    const end = this.#lookAt(id);
    if (end === undefined) {
      return () => {
        this.#find(id).then((found) => {
          if (found !== undefined) waiter.resolve(found);
          else waiter.reject(new SafeguardsError(this.#unknown, `no ${this.#name} has the id ${show(id)}`));
        }, waiter.reject);
      };
    }
    if (end !== "open") return () => waiter.resolve(end);
    this.#add(id, signal, waiter);
    return () => undefined;
  }

  #add(id: string, signal: AbortSignal | undefined, waiter: Waiter<T>): void {
    const waiters = this.#waiters.get(id) ?? new Set<Waiter<T>>();
    if (this.#waiters.size === 0) this.#waited(true);
    this.#waiters.set(id, waiters);
    if (signal === undefined) {
      waiters.add(waiter);
      return;
    }
    const abort = (): void => {
      waiters.delete(abortable);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#noMore(id);
      waiter.reject(this.#aborted(id, signal));
    };
    const abortable: Waiter<T> = {
      resolve(end) {
        signal.removeEventListener("abort", abort);
        waiter.resolve(end);
      },
      reject(error) {
        signal.removeEventListener("abort", abort);
        waiter.reject(error);
      },
    };
    waiters.add(abortable);
    signal.addEventListener("abort", abort, { once: true });
  }

  #noMore(id: string): void {
    this.#waiters.delete(id);
    if (this.#waiters.size === 0) this.#waited(false);
  }

  #aborted(id: string, signal: AbortSignal): SafeguardsError {
    const message = `the waiting for ${this.#name} ${id} was aborted; the ${this.#name} goes on`;
    return new SafeguardsError("CANCELLED", message, { cause: signal.reason });
  }
}
