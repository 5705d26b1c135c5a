/**
 * Where the runtime gets its time from. Everything that waits goes through a {@link Clock}, so that a virtual one can
 * take its place.
 *
 * 1. `now` is a whole number of milliseconds and never runs backwards, whatever the wall clock does.
 * 2. What `soon` is given runs after everything that belongs to the same instant, so that it is decided together.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /**
   * Calls once after so many milliseconds, unless the function that it returns is called before. `quiet`: a process that has
   * nothing else to do need not wait for it.
   */
  after(ms: number, fn: () => void, quiet?: "quiet"): () => void;
  /** Calls once when what is happening now has happened. */
  soon(fn: () => void): void;
}

/** The longest that `setTimeout` can wait: 2^31 - 1 ms, about 25 days. Who waits longer looks again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The wall clock at opening, or the last journaled time if that is later; from there on the monotonic clock. */
export class SystemClock implements Clock {
  readonly #openedAt: number;
  readonly #since: number = performance.now();

  /** `notBefore`: the last journaled time, in epoch milliseconds. */
  constructor(notBefore: number, wall: number = Date.now()) {
    this.#openedAt = Math.max(wall, notBefore);
  }

  now(): number {
    return this.#openedAt + Math.floor(performance.now() - this.#since);
  }

  after(ms: number, fn: () => void, quiet?: "quiet"): () => void {
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    if (quiet !== undefined) timer.unref();
    return () => clearTimeout(timer);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }
}
