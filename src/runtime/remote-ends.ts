import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";

interface Waiter {
  /** Asks whether it has ended, and if so tells who waits. */
  ask(): Promise<void>;
  reject(error: unknown): void;
}

/**
 * Waits for tasks and ballots of another process to end: one subscription tells which have, and each is then asked for.
 *
 * 1. Whoever waits is listed before it asks for the first time, and asks only when the subscription misses nothing.
 * 2. When the subscription breaks, everybody who waits is told.
 */
export class RemoteEnds {
  readonly #subscribe: () => Promise<AsyncIterable<Json>>;
  readonly #waiters: Map<string, Set<Waiter>> = new Map();
  #watching: Promise<void> | undefined = undefined;
  #closed: SafeguardsError | undefined = undefined;

  constructor(subscribe: () => Promise<AsyncIterable<Json>>) {
    this.#subscribe = subscribe;
  }

  /** How it ended. `ask` tells that, or null as long as it has not. */
  async of<T>(id: string, ask: () => Promise<T | null>, signal?: AbortSignal): Promise<T> {
    if (this.#closed !== undefined) throw this.#closed;
    if (signal?.aborted === true) throw stopped(id, signal);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter: Waiter = {
      ask: async () => {
        const end = await ask();
        if (end !== null) resolve(end);
      },
      reject,
    };
    const waiters = this.#waiters.get(id) ?? new Set<Waiter>();
    this.#waiters.set(id, waiters);
    waiters.add(waiter);
    const abort = (): void => reject(stopped(id, signal));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      promise.catch(() => undefined);
      await Promise.race([this.#watch(), promise]);
      await Promise.race([this.#askFor(waiter), promise]);
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    }
  }

  close(error: SafeguardsError): void {
    this.#closed = error;
    this.#fail(error);
  }

  async #askFor(waiter: Waiter): Promise<void> {
    await waiter.ask().catch((error: unknown) => waiter.reject(error));
  }

  /** Resolves when nothing will be missed. */
  #watch(): Promise<void> {
    this.#watching ??= this.#start().catch((error: unknown) => {
      this.#watching = undefined;
      throw error;
    });
    return this.#watching;
  }

  async #start(): Promise<void> {
    const items = (await this.#subscribe())[Symbol.asyncIterator]();
    await items.next();
    void this.#read(items);
  }

  async #read(items: AsyncIterator<Json>): Promise<void> {
    try {
      for (let next = await items.next(); next.done !== true; next = await items.next()) {
        for (const waiter of this.#waiters.get(String(next.value)) ?? []) void this.#askFor(waiter);
      }
      this.#fail(new SafeguardsError("CLOSED", "the process that writes the journal has closed it"));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#watching = undefined;
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.reject(error);
  }
}

function stopped(id: string, signal: AbortSignal | undefined): SafeguardsError {
  return new SafeguardsError("CANCELLED", `the waiting for ${id} was aborted; it goes on`, { cause: signal?.reason });
}
