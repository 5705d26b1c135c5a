/**
 * Attempts whose agent's code is called once for all of them.
 *
 * 1. The code is called when each of them has its input checked or has failed; who has ended by then is not in the call.
 * 2. What the code gives is taken result by result: each attempt ends on its own. A throw fails all that have not ended.
 */
import type { AgentContext, Task } from "../agents/agent.ts";
import { show } from "../coordination/structures/arguments.ts";
import { SafeguardsError } from "../errors.ts";

/** The code of an agent that takes tasks together. */
export type RunBatch = (tasks: readonly Task[], contexts: readonly AgentContext[]) => unknown;

/** One that is in the call. */
interface Seat {
  readonly task: Task;
  readonly context: AgentContext;
  readonly isOver: () => boolean;
  readonly result: PromiseWithResolvers<unknown>;
}

export class BatchRun {
  readonly #runBatch: RunBatch;
  readonly #agent: string;
  readonly #seats: Seat[] = [];
  /** Those of whom it is not known yet whether they are in the call. */
  #expected: number;

  /** `expected`: how many attempts there are. */
  constructor(agent: string, runBatch: RunBatch, expected: number) {
    this.#agent = agent;
    this.#runBatch = runBatch;
    this.#expected = expected;
  }

  /** The attempt is in the call; what comes of it. */
  take(task: Task, context: AgentContext, isOver: () => boolean): Promise<unknown> {
    const result = Promise.withResolvers<unknown>();
    this.#seats.push({ task, context, isOver, result });
    this.#known();
    return result.promise;
  }

  /** One that was expected is not in the call. */
  leave(): void {
    this.#known();
  }

  #known(): void {
    this.#expected -= 1;
    if (this.#expected === 0) void this.#call();
  }

  async #call(): Promise<void> {
    const seats = this.#seats.filter((seat) => {
      if (!seat.isOver()) return true;
      seat.result.resolve(null);
      return false;
    });
    if (seats.length === 0) return;
    try {
      const given = await this.#runBatch(
        seats.map(({ task }) => task),
        seats.map(({ context }) => context),
      );
      if (!Array.isArray(given) || given.length !== seats.length) throw this.#wrongLength(given, seats.length);
      for (const [i, { task, result }] of seats.entries()) this.#settle(task, result, () => given[i]);
    } catch (error) {
      for (const { result } of seats) result.reject(error);
    }
  }

  #settle({ id }: Task, result: PromiseWithResolvers<unknown>, read: () => unknown): void {
    try {
      const given = read();
      if (typeof given === "object" && given !== null) {
        if ("error" in given && given.error !== undefined) {
          result.reject(given.error);
          return;
        }
        if ("output" in given) {
          result.resolve(given.output);
          return;
        }
      }
      const message = `runBatch of agent ${show(this.#agent)} gave ${show(given)} for task ${id}; it must be { output } or { error }`;
      result.reject(new SafeguardsError("TASK_FAILED", message));
    } catch (error) {
      result.reject(error);
    }
  }

  #wrongLength(given: unknown, expected: number): SafeguardsError {
    const what = Array.isArray(given) ? `${given.length} results` : show(given);
    const message = `runBatch of agent ${show(this.#agent)} gave ${what} for ${expected} tasks; it must be a list with a result for each`;
    return new SafeguardsError("TASK_FAILED", message);
  }
}
