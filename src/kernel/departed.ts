/** What has left memory: tasks that have ended, and ballots that are closed. */

/** A task, or a ballot, that has left memory: its id and its line of text. */
export interface Departed {
  readonly kind: "task" | "ballot";
  readonly id: string;
  readonly row: string;
}

/** What has left memory and was not yet handed out, for the archive. No state: what replays leaves it empty. */
export class Outbox {
  #departed: Departed[] = [];
  /** The lines of the tasks among them, by id. */
  readonly #tasks: Map<string, string> = new Map();

  add(departed: Departed): void {
    this.#departed.push(departed);
    if (departed.kind === "task") this.#tasks.set(departed.id, departed.row);
  }

  /** The line of a task that is here. */
  row(taskId: string): string | undefined {
    return this.#tasks.get(taskId);
  }

  /** Hands out all that is here. */
  take(): readonly Departed[] {
    const departed = this.#departed;
    if (departed.length === 0) return NOTHING;
    this.#departed = [];
    this.#tasks.clear();
    return departed;
  }
}

const NOTHING: readonly Departed[] = [];
