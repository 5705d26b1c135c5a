import { invalid } from "../coordination/structures/arguments.ts";
import { runtimeLimits } from "./limits.ts";
import { checkOptional } from "./options.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/** How far an attempt says that it is. */
export interface Progress {
  readonly taskId: string;
  readonly agent: string;
  readonly attempt: number;
  /** 0 to 1. */
  readonly fraction: number;
  readonly note?: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** INVALID_ARGUMENT for what is no progress. */
export function checkProgress(fraction: unknown, note: unknown): void {
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1))
    throw invalid("fraction", fraction, "a number from 0 to 1");
  checkOptional(note, "string", "note");
}

/** Passes progress on to those who watch: of each attempt at most once in 100 ms, but always the end. */
export class ProgressReports {
  readonly #listeners: Set<(progress: Progress) => void> = new Set();

  /** Listens until the function that it returns is called. */
  listen(listener: (progress: Progress) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  report(attempt: RunningAttempt, fraction: number, note: string | undefined, at: number): void {
    if (this.#listeners.size === 0 || attempt.isOver) return;
    const isFirst = attempt.progressAt === undefined;
    if (!isFirst && fraction < 1 && at - (attempt.progressAt ?? 0) < runtimeLimits.progressMs) return;
    attempt.progressAt = at;
    const { taskId, agent, number } = attempt;
    const progress: Progress = {
      taskId,
      agent,
      attempt: number,
      fraction,
      ...(note === undefined ? {} : { note }),
      at,
    };
    for (const listener of this.#listeners) {
      try {
        listener(progress);
      } catch {
        // Who watches must not harm what is watched.
      }
    }
  }
}
