/**
 * Has the guardrails look at the inputs of tasks that the kernel keeps back for that.
 *
 * 1. A task is looked at once at a time, in the order in which they came, and only so many at one time.
 * 2. Nothing is remembered here: what was not decided when the process ended is asked for again when the journal is opened.
 */
import { Fifo } from "../coordination/structures/fifo.ts";
import type { Answer, Command } from "../kernel/commands.ts";
import type { TaskView } from "../kernel/views.ts";
import type { Judges } from "./judges.ts";
import { runtimeLimits } from "./limits.ts";

export interface InputCheckParts {
  readonly judges: Judges;
  task(id: string): TaskView | undefined;
  post(command: Command, bytes: number, answered?: (answer: Answer) => void): void;
  /** Lets others have their turn. */
  pause(): Promise<void>;
}

export class InputChecks {
  readonly #parts: InputCheckParts;
  readonly #waiting: Fifo<string> = new Fifo();
  /** Those that wait, and those that are looked at. */
  readonly #known: Set<string> = new Set();
  #asked = 0;
  #works = false;
  #stopped = false;

  constructor(parts: InputCheckParts) {
    this.#parts = parts;
  }

  add(taskId: string): void {
    if (this.#stopped || this.#known.has(taskId)) return;
    this.#known.add(taskId);
    this.#waiting.push(taskId);
    void this.#work();
  }

  /** Asks about nothing more; what is answered from now on is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
  }

  async #work(): Promise<void> {
    if (this.#works) return;
    this.#works = true;
    let since = performance.now();
    while (this.#asked < runtimeLimits.inputsJudgedAtOnce) {
      const taskId = this.#waiting.peek();
      if (taskId === undefined) break;
      this.#waiting.shift();
      this.#asked += 1;
      void this.#judge(taskId);
      if (performance.now() - since < runtimeLimits.sliceMs) continue;
      await this.#parts.pause();
      since = performance.now();
    }
    this.#works = false;
  }

  async #judge(taskId: string): Promise<void> {
    const { judges, task, post } = this.#parts;
    const view = task(taskId);
    if (view?.awaitsJudgement !== true) {
      this.#done(taskId);
      return;
    }
    const { verdicts, value, changed, blocked } = await judges.judge("input", view, view.input);
    if (this.#stopped) return;
    const input = changed && blocked === undefined ? { input: value } : {};
    post({ type: "task.judge", taskId, verdicts, ...input }, runtimeLimits.verdictBytes * verdicts.length, (answer) => {
      this.#done(taskId);
      // It may have been tried again since.
      if (answer.ok && task(taskId)?.awaitsJudgement) this.add(taskId);
    });
  }

  #done(taskId: string): void {
    this.#known.delete(taskId);
    this.#asked -= 1;
    void this.#work();
  }
}
