import type { Clock } from "./clock.ts";

/** One timer for all that the kernel waits for. One that rings too early costs less than setting it anew each time. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #set: { readonly at: number; readonly cancel: () => void } | undefined = undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at that time, in epoch milliseconds, or somewhat before; never, if undefined. */
  setTo(at: number | undefined): void {
    if (at !== undefined && this.#set !== undefined && this.#set.at <= at) return;
    this.#set?.cancel();
    this.#set = undefined;
    if (at === undefined) return;
    const cancel = this.#clock.after(at - this.#clock.now(), () => {
      this.#set = undefined;
      this.#ring();
    });
    this.#set = { at, cancel };
  }
}
