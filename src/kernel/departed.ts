/** What has left memory: tasks that have ended, and ballots that are closed. */

/** A task, or a ballot, that has left memory: its id and its line of text. */
export interface Departed {
  readonly kind: "task" | "ballot";
  readonly id: string;
  readonly row: string;
}

/** What has left memory, or has changed since, and was not yet handed out, for the archive. No state: what replays leaves it empty. */
export class Outbox {
  #departed: Departed[] = [];
  /** The newest lines among them, by id. */
  readonly #rows: Readonly<Record<Departed["kind"], Map<string, string>>> = { task: new Map(), ballot: new Map() };

  add(departed: Departed): void {
    this.#departed.push(departed);
    this.#rows[departed.kind].set(departed.id, departed.row);
  }

  /** The line of one that is here. */
  row(kind: Departed["kind"], id: string): string | undefined {
    return this.#rows[kind].get(id);
  }

  /** Hands out all that is here. */
  take(): readonly Departed[] {
    const departed = this.#departed;
    if (departed.length === 0) return NOTHING;
    this.#departed = [];
    this.#rows.task.clear();
    this.#rows.ballot.clear();
    return departed;
  }
}

const NOTHING: readonly Departed[] = [];
