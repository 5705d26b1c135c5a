/**
 * Has the guardrails look at what the kernel keeps back for that: inputs of tasks, and outputs of others that are to answer them.
 *
 * 1. A task is looked at once at a time, in the order in which they came, and only so many at one time.
 * 2. Nothing is remembered here: what was not decided when the process ended is asked for again when the journal is opened.
 */
import { Fifo } from "../coordination/structures/fifo.ts";
import type { Answer, Command } from "../kernel/commands.ts";
import type { TaskView } from "../kernel/views.ts";
import type { Judges } from "./judges.ts";
import { runtimeLimits } from "./limits.ts";

export interface VerdictRequestParts {
  task(id: string): TaskView | undefined;
  /** What the guardrails say of the task, on its way to the kernel; undefined: it waits for no such verdict. */
  asked(view: TaskView): Promise<Verdicts> | undefined;
  post(command: Command, bytes: number, answered?: (answer: Answer) => void): void;
  /** Lets others have their turn. */
  pause(): Promise<void>;
}

export interface Verdicts {
  readonly command: Command;
  readonly bytes: number;
}

/** On the input of a task, or on the output of another that is to answer it. */
export function verdictsOn(judges: Judges, view: TaskView): Promise<Verdicts> | undefined {
  if (view.awaitsJudgement) return onInput(judges, view);
  return view.offer === undefined ? undefined : onOffer(judges, view, view.offer);
}

async function onInput(judges: Judges, view: TaskView): Promise<Verdicts> {
  const { verdicts, value, changed, blocked } = await judges.judge("input", view, view.input);
  const input = changed && blocked === undefined ? { input: value } : {};
  const command = { type: "task.judge", taskId: view.id, verdicts, ...input } as const;
  return { command, bytes: runtimeLimits.verdictBytes * verdicts.length };
}

async function onOffer(judges: Judges, view: TaskView, offer: NonNullable<TaskView["offer"]>): Promise<Verdicts> {
  const { verdicts, value, changed, blocked } = await judges.judge("output", view, offer.output);
  const output = changed && blocked === undefined ? { output: value } : {};
  const command = { type: "task.answer", taskId: view.id, from: offer.from, verdicts, ...output } as const;
  return { command, bytes: runtimeLimits.verdictBytes * verdicts.length };
}

export class VerdictRequests {
  readonly #parts: VerdictRequestParts;
  readonly #waiting: Fifo<string> = new Fifo();
  /** Those that wait, and those that are looked at. */
  readonly #known: Set<string> = new Set();
  #asked = 0;
  #works = false;
  #stopped = false;

  constructor(parts: VerdictRequestParts) {
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
    while (this.#asked < runtimeLimits.verdictsAtOnce) {
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
    const asked = this.#ask(taskId);
    if (asked === undefined) {
      this.#done(taskId);
      return;
    }
    const { command, bytes } = await asked;
    if (this.#stopped) return;
    this.#parts.post(command, bytes, (answer) => {
      this.#done(taskId);
      if (!answer.ok && answer.refusal.code !== "INVALID_STATE") return;
      // It may wait for another verdict by now: when it was tried again, or is to be answered by another.
      const view = this.#parts.task(taskId);
      if (view?.awaitsJudgement === true || view?.offer !== undefined) this.add(taskId);
    });
  }

  #ask(taskId: string): Promise<Verdicts> | undefined {
    const view = this.#parts.task(taskId);
    return view === undefined ? undefined : this.#parts.asked(view);
  }

  #done(taskId: string): void {
    this.#known.delete(taskId);
    this.#asked -= 1;
    void this.#work();
  }
}
