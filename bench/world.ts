/** A bare kernel with agents and tasks, whose running tasks are completed and replaced: what several benchmarks work on. */
import type { Envelope, TaskRequest } from "../src/kernel/commands.ts";
import type { KernelEvent } from "../src/kernel/events.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { numbers } from "./measure.ts";

const SKILLS = 50;
const SKILLS_AN_AGENT = 5;
const CAPACITY = 4;
const CONCURRENCY = 64;
/** Ended tasks that are kept: more than any benchmark has. */
const KEPT = 10_000_000;
/** Tasks that end in one batch, and tasks that are submitted in one while loading. */
const ENDS_A_BATCH = 32;
const SUBMITTED_A_BATCH = 1000;

export class World {
  readonly kernel: Kernel = new Kernel();
  readonly #random: (n: number) => number = numbers();
  readonly #skills: string[][] = [];
  readonly #heard: (events: readonly KernelEvent[]) => void;
  #running: { readonly taskId: string; readonly token: number }[] = [];
  #now = 1_700_000_000_000;

  /** `heard` is told the events of each batch. */
  constructor(agents: number, heard: (events: readonly KernelEvent[]) => void = () => {}) {
    this.#heard = heard;
    this.#batch([{ command: { type: "coordinator.open", concurrency: CONCURRENCY, keepCount: KEPT } }]);
    const registrations: Envelope[] = [];
    for (let i = 0; i < agents; i++) {
      const skills = new Set<string>();
      while (skills.size < SKILLS_AN_AGENT) skills.add(`s${this.#random(SKILLS)}`);
      this.#skills.push([...skills]);
      const agent = { name: `a${i}`, kind: "agent", skills: [...skills], capacity: CAPACITY } as const;
      registrations.push({ command: { type: "agent.register", agent } });
    }
    this.#batch(registrations);
  }

  submit(tasks: number): void {
    for (let left = tasks; left > 0; left -= SUBMITTED_A_BATCH) {
      const requests = Array.from({ length: Math.min(SUBMITTED_A_BATCH, left) }, () => this.#task());
      this.#batch([{ command: { type: "task.submit", tasks: requests } }]);
    }
  }

  /** Completes what runs, at least so many tasks; for each that ends a new one is submitted. */
  turnOver(tasks: number): void {
    this.#complete(tasks, true);
  }

  /** Completes so many tasks, and submits none. */
  finish(tasks: number): void {
    this.#complete(tasks, false);
  }

  #complete(tasks: number, replaced: boolean): void {
    for (let done = 0; done < tasks; ) {
      const ending = this.#running.splice(0, ENDS_A_BATCH);
      if (ending.length === 0) throw new Error(`nothing runs after ${done} tasks`);
      done += ending.length;
      const envelopes: Envelope[] = ending.map(({ taskId, token }) => ({
        command: { type: "attempt.complete", taskId, token, output: null },
      }));
      if (replaced) {
        for (const _ of ending) envelopes.push({ command: { type: "task.submit", tasks: [this.#task()] } });
      }
      this.#batch(envelopes);
    }
  }

  /** Two skills of an agent by chance. */
  #task(): TaskRequest {
    const skills = this.#skills[this.#random(this.#skills.length)] ?? [];
    const first = this.#random(SKILLS_AN_AGENT);
    const second = (first + 1 + this.#random(SKILLS_AN_AGENT - 1)) % SKILLS_AN_AGENT;
    return { skills: [skills[first] ?? "", skills[second] ?? ""] };
  }

  #batch(envelopes: readonly Envelope[]): void {
    const { events } = this.kernel.batch(envelopes, this.#now++);
    for (const event of events) {
      if (event.type === "task.started") this.#running.push({ taskId: event.taskId, token: event.token });
    }
    this.#heard(events);
  }
}
