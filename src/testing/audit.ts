/**
 * What holds of every log, checked record by record as it is kept, from the events alone: the kernel is not asked.
 *
 * The sequence of events, the chain of records, epochs and time are checked here; who holds what in {@link AuditBooks}; who spends
 * what in {@link AuditBudgets};
 * the lives of tasks in {@link AuditLives}. An event that no simulation should bring about is told as well.
 */
import { CHAIN_START, type ChainEnd, endOf, verify } from "../journal/chain.ts";
import type { JournalRecord, Opened } from "../journal/journal.ts";
import type { EventType, KernelEvent } from "../kernel/events.ts";
import type { AgentInfo, BudgetInfo, ResourceInfo, TaskInfo } from "../kernel/views.ts";
import { AuditBooks } from "./audit-books.ts";
import { AuditBudgets } from "./audit-budgets.ts";
import { AuditLives } from "./audit-lives.ts";

/** More would not tell more. */
const MOST_VIOLATIONS = 100;

const EXPECTED: ReadonlySet<EventType> = new Set([
  "coordinator.opened",
  "coordinator.closed",
  "agent.registered",
  "resource.set",
  "budget.set",
  "budget.spent",
  "budget.overrun",
  "task.submitted",
  "task.started",
  "task.completed",
  "flight.led",
  "flight.joined",
  "task.failed",
  "task.skipped",
  "task.cancelled",
  "task.ending",
  "task.promised",
  "promise.dropped",
  "reservation.made",
  "reservation.dropped",
  "attempt.stopping",
  "attempt.ended",
]);

export class Audit {
  readonly violations: string[] = [];
  readonly #lives: AuditLives;
  readonly #books: AuditBooks;
  readonly #budgets: AuditBudgets;
  #end: ChainEnd = CHAIN_START;
  #records = 0;
  #at = 0;
  #epoch = 0;
  /** The record in which a command took effect, by its id. */
  readonly #commands: Map<string, number> = new Map();

  constructor() {
    const complain = (what: string): void => this.complain(what);
    this.#lives = new AuditLives(complain);
    this.#books = new AuditBooks(complain);
    this.#budgets = new AuditBudgets(complain);
  }

  /** Seq of the last event. */
  get seq(): number {
    return this.#end.lastSeq;
  }

  /** Hash of the last record, in hexadecimal digits. */
  get hash(): string {
    return Buffer.from(this.#end.lastHash).toString("hex");
  }

  complain(what: string): void {
    if (this.violations.length < MOST_VIOLATIONS) this.violations.push(`after seq ${this.#end.lastSeq}: ${what}`);
  }

  /** A journal was opened: all that was acknowledged must be there, and its writer must be a new one. */
  opened({ lastSeq, epoch }: Opened): void {
    if (lastSeq !== this.seq) this.complain(`the journal is opened with ${lastSeq} events; ${this.seq} were kept`);
    if (epoch !== this.#epoch + 1) this.complain(`epoch ${epoch} follows ${this.#epoch}`);
  }

  /** A record was kept, with these events. */
  kept(record: JournalRecord, events: readonly KernelEvent[]): void {
    const misfit = verify(record, this.#end);
    if (misfit !== undefined) this.complain(`the record from seq ${record.firstSeq} on does not follow (${misfit})`);
    if (record.epoch < this.#epoch) this.complain(`epoch ${record.epoch} writes after ${this.#epoch}`);
    this.#epoch = record.epoch;
    this.#records += 1;
    let { lastSeq } = this.#end;
    for (const event of events) {
      if (event.seq !== lastSeq + 1) this.complain(`seq ${event.seq} follows ${lastSeq}`);
      lastSeq = event.seq;
      this.#see(event);
    }
    this.#lives.settled();
    this.#end = endOf(record);
  }

  /** An agent's code is entered. */
  entered(taskId: string, token: number): void {
    this.#lives.entered(taskId, token);
  }

  /** What is shown must be what was told. */
  compare(views: {
    readonly tasks: readonly TaskInfo[];
    readonly agents: readonly AgentInfo[];
    readonly resources: readonly ResourceInfo[];
    readonly budgets: readonly BudgetInfo[];
  }): void {
    this.#lives.compare(views.tasks);
    this.#books.compare(views.agents, views.resources);
    this.#budgets.compare(views.budgets, views.tasks);
  }

  /** The share of each agent's capacity that was in use, on average from 0 to `until`. */
  utilization(until: number): Record<string, number> {
    return this.#books.utilization(until);
  }

  #see(event: KernelEvent): void {
    if (event.at < this.#at) this.complain(`time runs backwards: ${event.at} after ${this.#at}`);
    this.#at = event.at;
    if (!EXPECTED.has(event.type)) this.complain(`${event.type} is nothing that a simulation brings about`);
    const { commandId } = event;
    if (commandId !== undefined) {
      const before = this.#commands.get(commandId) ?? this.#records;
      if (before !== this.#records) this.complain(`command ${commandId} takes effect a second time`);
      this.#commands.set(commandId, before);
    }
    this.#lives.see(event);
    this.#books.see(event);
    this.#budgets.see(event);
  }
}
