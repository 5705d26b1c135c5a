/**
 * What the thread of an isolated attempt has told and the coordinator has not heard yet: bounded, however fast it talks.
 *
 * 1. Whoever tells more waits, on its own thread, until enough has been heard; one message that is larger than all goes alone.
 * 2. What is heard is counted once a turn of the coordinator's loop, so that no turn hears more than that.
 */
import { runtimeLimits } from "./limits.ts";

const { isolatedBacklog, isolatedBacklogCharacters } = runtimeLimits;

function weightOf(text: string): number {
  return 1 + Math.floor(text.length / isolatedBacklogCharacters);
}

/** What both sides share: how much has been heard, as a number of 32 bits that begins anew when it is full. */
export function newBacklog(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** The thread's side. */
export class Told {
  readonly #heard: Int32Array;
  // Kept, since the agent's code could put something else in their place.
  readonly #load: typeof Atomics.load = Atomics.load;
  readonly #wait: typeof Atomics.wait = Atomics.wait;
  #told = 0;

  constructor(backlog: SharedArrayBuffer) {
    this.#heard = new Int32Array(backlog);
  }

  /** Waits until this may be told. */
  add(text: string): void {
    const weight = weightOf(text);
    for (;;) {
      const heard = this.#load(this.#heard, 0);
      const unheard = (this.#told - heard) | 0;
      if (unheard === 0 || unheard + weight <= isolatedBacklog) break;
      this.#wait(this.#heard, 0, heard);
    }
    this.#told = (this.#told + weight) | 0;
  }
}

/** The coordinator's side. */
export class Heard {
  readonly #heard: Int32Array;
  readonly #pause: () => Promise<void>;
  #thisTurn = 0;

  /** `pause` resolves in the next turn of the loop. */
  constructor(backlog: SharedArrayBuffer, pause: () => Promise<void>) {
    this.#heard = new Int32Array(backlog);
    this.#pause = pause;
  }

  add(text: string): void {
    if (this.#thisTurn === 0) void this.#pause().then(() => this.#tell());
    this.#thisTurn += weightOf(text);
  }

  #tell(): void {
    Atomics.add(this.#heard, 0, this.#thisTurn);
    Atomics.notify(this.#heard, 0);
    this.#thisTurn = 0;
  }
}
