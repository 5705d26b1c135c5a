import { checkKeys, invalid } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { Explanation, TaskStatus } from "../kernel/views.ts";
import type { Backend } from "./backend.ts";
import { handOut, type OutcomeData, resultOf } from "./outcome.ts";
import { quietly } from "./quietly.ts";
import type { Outcome, TaskHandle } from "./task.ts";

/** How a handle waits for its task to end. */
export type Wait = (signal?: AbortSignal) => Promise<OutcomeData>;

/** A task, reached through whatever its coordinator stands on. Keeps nothing but the id. */
export class Handle<O extends Json = Json> implements TaskHandle<O> {
  readonly id: string;
  readonly #backend: Backend;
  readonly #wait: Wait | undefined;

  constructor(id: string, backend: Backend, wait?: Wait) {
    this.id = id;
    this.#backend = backend;
    this.#wait = wait;
  }

  result(options?: { signal?: AbortSignal }): Promise<O> {
    return quietly(
      this.#ended(options).then((ended) => {
        // What a task gives is its submitter's to say.
        return resultOf(ended, this.#backend.thrownBy(ended)) as O;
      }),
    );
  }

  outcome(options?: { signal?: AbortSignal }): Promise<Outcome<O>> {
    return quietly(this.#ended(options).then((ended) => handOut(ended, this.#backend.thrownBy(ended)) as Outcome<O>));
  }

  status(): Promise<TaskStatus> {
    return this.#backend.query("status", this.id);
  }

  explain(): Promise<Explanation> {
    return this.#backend.query("explain", this.id);
  }

  async cancel(reason?: string): Promise<void> {
    const { id: taskId } = this;
    await this.#backend.command({ type: "task.cancel", taskId, ...(reason === undefined ? {} : { reason }) });
  }

  async pause(): Promise<void> {
    await this.#backend.command({ type: "task.pause", taskId: this.id });
  }

  async resume(): Promise<void> {
    await this.#backend.command({ type: "task.resume", taskId: this.id });
  }

  async prioritize(priority: number): Promise<void> {
    await this.#backend.command({ type: "task.prioritize", taskId: this.id, priority });
  }

  async retry(): Promise<void> {
    await this.#backend.command({ type: "task.retry", taskId: this.id });
  }

  async #ended(options: { signal?: AbortSignal } = {}): Promise<OutcomeData> {
    checkKeys(options, ["signal"], "the options of waiting");
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid("signal", signal, "an AbortSignal");
    return this.#wait === undefined ? this.#backend.outcome(this.id, signal) : this.#wait(signal);
  }
}
