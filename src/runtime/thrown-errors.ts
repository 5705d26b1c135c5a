import { runtimeLimits } from "./limits.ts";
import type { OutcomeData } from "./outcome.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/**
 * What agents' code threw, as it was thrown: the causes of results in the same process. The latest 1 000; of older ones,
 * and in other processes, there is what the journal tells.
 */
export class ThrownErrors {
  readonly #byTask: Map<string, { readonly token: number; readonly error: unknown }> = new Map();

  keep(attempt: RunningAttempt, error: unknown): void {
    this.#byTask.delete(attempt.taskId);
    this.#byTask.set(attempt.taskId, { token: attempt.token, error });
    if (this.#byTask.size <= runtimeLimits.keptErrors) return;
    for (const oldest of this.#byTask.keys()) {
      this.#byTask.delete(oldest);
      return;
    }
  }

  /** What the attempt threw with which the task failed. */
  of(outcome: OutcomeData): { readonly error: unknown } | undefined {
    if (outcome.status !== "failed") return undefined;
    const thrown = this.#byTask.get(outcome.taskId);
    return thrown !== undefined && thrown.token === outcome.attempts.at(-1)?.token ? thrown : undefined;
  }
}
