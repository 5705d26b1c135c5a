/**
 * Registrations need not be awaited: one that is refused, and that nobody has looked at by then, makes the next call fail.
 *
 * 1. A call is decided after all registrations that were asked for before it.
 * 2. A refusal is told once: to who awaits the registration, or else to the next call, as the cause.
 */
import { SafeguardsError } from "../errors.ts";
import type { Guard } from "./command-loop.ts";

type Decided = (refusal: SafeguardsError | undefined) => void;

export class Registrations {
  #issued = 0;
  #decided = 0;
  #refused: { readonly registration: Registration; readonly error: SafeguardsError }[] = [];

  /** Runs `register`, which calls `decided` once the kernel has decided, with the refusal if it is one. */
  track(register: (decided: Decided) => Promise<void>): Promise<void> {
    this.#issued += 1;
    let isDecided = false;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const registration = new Registration((settle) => settle(promise));
    registration.handle();
    const decided: Decided = (refusal) => {
      if (isDecided) return;
      isDecided = true;
      this.#decided += 1;
      if (refusal !== undefined) this.#refused.push({ registration, error: refusal });
    };
    register(decided).then(resolve, (error: unknown) => {
      decided(error instanceof SafeguardsError ? error : undefined);
      reject(error);
    });
    return registration;
  }

  /** What the call that is made now must ask when its turn comes; nothing, when nothing is left to be found out. */
  guard(): Guard | undefined {
    if (this.#issued === this.#decided && this.#refused.length === 0) return undefined;
    const before = this.#issued;
    return () => (this.#decided < before ? "wait" : this.#next());
  }

  #next(): SafeguardsError | undefined {
    const unnoticed = this.#refused.filter(({ registration }) => !registration.isNoticed);
    this.#refused = [];
    const [first] = unnoticed;
    if (first === undefined) return undefined;
    const { code, message, retryable, details } = first.error;
    return new SafeguardsError(code, `an agent could not be registered before: ${message}`, {
      cause: first.error,
      retryable,
      ...(details === undefined ? {} : { details }),
    });
  }
}

/** A promise that knows whether anybody looks at it. */
class Registration extends Promise<void> {
  isNoticed = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: that is how one learns that somebody waits
  override then<A = void, B = never>(
    // biome-ignore lint/suspicious/noConfusingVoidType: as Promise has it
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isNoticed = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Its rejection is not unhandled; yet nobody has looked at it. */
  handle(): void {
    super.then(undefined, () => undefined);
  }
}
