/** Running attempts by when they end, as their estimates tell; without an estimate nobody is predicted to end. */
import { type Amount, integer } from "../coordination/structures/amount.ts";
import { FitIndex, type FitNode } from "../coordination/structures/fit-index.ts";
import type { LiveAttempt } from "./attempt.ts";

export interface PredictedEnd {
  readonly live: LiveAttempt;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Joining and leaving cost the logarithm of those with an estimate. */
export class PredictedEnds {
  readonly #nodes: Map<LiveAttempt, FitNode<LiveAttempt>> = new Map();
  readonly #index: FitIndex<LiveAttempt> = new FitIndex("atLeast", 1);

  /** Whether it runs, and so will end. */
  set(live: LiveAttempt, runs: boolean): void {
    const { estimatedMs } = live.task.spec;
    const node = this.#nodes.get(live);
    if (runs && node === undefined && estimatedMs !== undefined) {
      const at = live.startedAt + estimatedMs;
      this.#nodes.set(live, this.#index.add(live, at, live.token, [instant(at)]));
    } else if (!runs && node !== undefined) {
      this.#index.remove(node);
      this.#nodes.delete(live);
    }
  }

  /** Those that are not past their estimate, in the order of their ends: who ends right now is among them. */
  *after(now: number): Generator<PredictedEnd, void, undefined> {
    for (let node = this.#index.firstFit([instant(now)]); node !== undefined; node = this.#index.next(node))
      yield { live: node.item, at: node.rank };
  }
}

function instant(at: number): Amount {
  return integer(Math.floor(at));
}
