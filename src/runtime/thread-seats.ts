/**
 * As many threads as there may be at a time, and those that wait for one.
 *
 * 1. What is given back goes to the one that has waited longest.
 * 2. Who is told to stop waits no longer.
 */
export class ThreadSeats {
  readonly #most: number;
  #taken = 0;
  readonly #waiting: Set<() => void> = new Set();

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined when it is taken at once; else resolves when it is, or rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void> | undefined {
    if (this.#taken < this.#most) {
      this.#taken += 1;
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => {
      this.#waiting.delete(begin);
      reject(signal.reason);
    };
    const begin = (): void => {
      this.#waiting.delete(begin);
      signal.removeEventListener("abort", stop);
      resolve();
    };
    if (signal.aborted) stop();
    else {
      this.#waiting.add(begin);
      signal.addEventListener("abort", stop, { once: true });
    }
    return promise;
  }

  giveBack(): void {
    for (const begin of this.#waiting) {
      begin();
      return;
    }
    this.#taken -= 1;
  }
}
