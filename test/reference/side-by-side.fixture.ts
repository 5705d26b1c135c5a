/** The kernel and the reference, told the same, compared after every batch. */

import type { Command } from "../../src/kernel/commands.ts";
import type { KernelEvent } from "../../src/kernel/events.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { countOf } from "./ballots.ts";
import {
  compareAnswers,
  compareBallots,
  compareBooks,
  compareBudgets,
  compareEvents,
  compareTasks,
  compareWakes,
  Differences,
} from "./differences.fixture.ts";
import type { Model, Task } from "./model.ts";
import { Reference } from "./reference.ts";
import { count, happening, type Tally } from "./tally.fixture.ts";

/** What happens at one instant. */
export interface Step {
  /** Milliseconds since the step before. */
  readonly after: number;
  readonly commands: readonly Command[];
  /**
   * Before the commands the coordinator closes, or its process dies, and they open it again; or nothing happens but that the
   * kernel is written down and restored.
   */
  readonly restart?: "close" | "kill" | "restore";
  /** What the next one starts from. */
  readonly from?: "log" | "snapshot";
}

export class SideBySide {
  readonly reference: Reference = new Reference();
  /** Ids of the kernel's allocations, by their tokens. */
  readonly allocations: Map<number, string> = new Map();
  readonly steps: Step[] = [];
  readonly #tally: Tally;
  readonly #log: KernelEvent[] = [];
  readonly #ended: Map<Task, number> = new Map();
  readonly #closed: Set<string> = new Set();
  #kernel: Kernel = new Kernel();
  #now = 1_000_000;

  constructor(tally: Tally) {
    this.#tally = tally;
    tally.sequences += 1;
  }

  get now(): number {
    return this.#now;
  }

  /** When something is due next, as the kernel sees it. */
  get wakeAt(): number | undefined {
    return this.#kernel.nextWakeAt();
  }

  /** Takes a step; throws what differs then. */
  take(step: Step): void {
    this.steps.push(step);
    if (step.restart === "close") this.#batch([{ type: "coordinator.close" }]);
    this.#now += step.after;
    if (step.restart !== undefined && step.restart !== "restore") this.reference.killed(this.#log.at(-1)?.at ?? 0);
    if (step.restart === "restore") this.reference.restored();
    if (step.restart !== undefined) this.#kernel = step.from === "snapshot" ? this.#restored() : this.#replayed();
    this.#batch(step.commands);
  }

  #replayed(): Kernel {
    const kernel = new Kernel();
    for (const event of this.#log) kernel.replay(event);
    return kernel;
  }

  #restored(): Kernel {
    return Kernel.restore(JSON.parse(JSON.stringify([...this.#kernel.snapshot()])));
  }

  #batch(commands: readonly Command[]): void {
    const { model } = this.reference;
    const envelopes = commands.map((command) => ({ command }));
    const { events, answers } = this.#kernel.batch(envelopes, this.#now);
    this.#log.push(...events);
    const expected = this.reference.batch(commands, this.#now);
    this.#hear(commands, events);
    const to = new Differences();
    compareAnswers(to, answers, expected);
    compareEvents(to, events, model, this.#newEnds());
    compareTasks(to, this.#kernel, this.reference, (reason) => count(this.#tally.reasons, reason));
    compareWakes(to, this.#kernel, model);
    compareBooks(to, this.#kernel, model);
    compareBudgets(to, this.#kernel, model);
    compareBallots(to, this.#kernel, model);
    this.#closeOnce(to, events, model);
    for (const answer of answers) if (!answer.ok) count(this.#tally.refusals, answer.refusal.code);
    if (to.found.length > 0) throw new Error(to.found.join("\n"));
  }

  /** Each ballot that is closed has closed once, with what is counted. */
  #closeOnce(to: Differences, events: readonly KernelEvent[], { ballots }: Model): void {
    for (const event of events) {
      if (event.type !== "ballot.decided") continue;
      const { ballotId, outcome, decision } = event;
      to.same(`whether ${ballotId} had closed`, this.#closed.has(ballotId), false);
      this.#closed.add(ballotId);
      const ballot = ballots.find(({ id }) => id === ballotId);
      const counted = ballot && countOf(ballot);
      to.same(`what closed ${ballotId}`, `${outcome} ${decision}`, `${counted?.outcome} ${counted?.decision}`);
    }
    to.same("closed ballots", this.#closed.size, ballots.filter(({ open }) => !open).length);
  }

  #hear(commands: readonly Command[], events: readonly KernelEvent[]): void {
    this.#tally.batches += 1;
    for (const { type } of commands) count(this.#tally.commands, type);
    for (const event of events) {
      count(this.#tally.happenings, happening(event));
      if (event.type === "resource.granted") this.allocations.set(event.allocationToken, event.allocationId);
    }
  }

  #newEnds(): readonly string[] {
    const { tasks } = this.reference.model;
    const ends = tasks.flatMap((task) => {
      const fresh = task.ended.slice(this.#ended.get(task) ?? 0);
      this.#ended.set(task, task.ended.length);
      return fresh.map(({ token, end }) => `${token} ${end}`);
    });
    return ends.sort();
  }
}
