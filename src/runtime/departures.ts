/**
 * What has left memory: on its way to the journal's archive, or there.
 *
 * 1. Whoever asks is told of everything that had left when it asked, durable or not.
 * 2. A call that names tasks, or a ballot, finds, when its turn comes, all of them that have left by then: what was in the
 *    archive when the call was made, and what has left, or was put there anew, since.
 * 3. What is in the archive is held here only as long as a call that was made before waits for its turn.
 */
import { Fifo } from "../coordination/structures/fifo.ts";
import { SafeguardsError } from "../errors.ts";
import type { Archive } from "../journal/journal.ts";
import type { Command } from "../kernel/commands.ts";
import type { Departed } from "../kernel/departed.ts";
import { runtimeLimits } from "./limits.ts";

type Kind = Departed["kind"];

/** What a call needs to know of tasks, or of a ballot, that may have left memory. Its turn comes no sooner than it is ready. */
export interface Recall {
  readonly isReady: boolean;
  readonly failure: SafeguardsError | undefined;
  /** Lines by id, of those that have left by now. */
  rows(): ReadonlyMap<string, string>;
  /** The call is decided, or never will be. */
  done(): void;
}

/** What is in memory: the kernel. */
interface Memory {
  /** Whether anything of that kind has left memory. */
  hasDepartures(kind: Kind): boolean;
  has(kind: Kind, id: string): boolean;
}

/** What left with one batch. */
interface Leaving {
  readonly departed: readonly Departed[];
  /** How many recalls had begun when it was durable; undefined before that. */
  begun: number | undefined;
}

export class Departures {
  readonly #memory: Memory;
  readonly #archive: Archive;
  /** What may not be found in the archive by everybody who waits, by kind and id. */
  readonly #held: Readonly<Record<Kind, Map<string, string>>> = { task: new Map(), ballot: new Map() };
  readonly #leaving: Fifo<Leaving> = new Fifo();
  #begun = 0;
  #done = 0;

  constructor(memory: Memory, archive: Archive) {
    this.#memory = memory;
    this.#archive = archive;
  }

  /** Is on its way to the archive. Returns what is to be called when it is there. */
  leave(departed: readonly Departed[]): () => void {
    for (const { kind, id, row } of departed) this.#held[kind].set(id, row);
    const leaving: Leaving = { departed, begun: undefined };
    this.#leaving.push(leaving);
    return () => {
      leaving.begun = this.#begun;
      this.#letGo();
    };
  }

  /** Its line, if it has left but now. */
  held(kind: Kind, id: string): string | undefined {
    return this.#held[kind].get(id);
  }

  /** Its line, if it has left. */
  async find(kind: Kind, id: string): Promise<string | undefined> {
    return this.held(kind, id) ?? (await this.#archive.get(kind, [id])).get(id);
  }

  /** Lines of those of these that have left. */
  async findAll(kind: Kind, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const elsewhere: string[] = [];
    for (const id of ids) {
      const row = this.#held[kind].get(id);
      if (row === undefined) elsewhere.push(id);
      else found.set(id, row);
    }
    for (let from = 0; from < elsewhere.length; from += runtimeLimits.recalledAtOnce) {
      const some = elsewhere.slice(from, from + runtimeLimits.recalledAtOnce);
      for (const [id, row] of await this.#archive.get(kind, some)) found.set(id, row);
    }
    return found;
  }

  /** What the command needs to know, `ready` being called when that is there; undefined: it names nothing that could have left. */
  recall(command: Command, ready: () => void): Recall | undefined {
    const { kind, ids } = namedBy(command);
    if (ids.length === 0) return undefined;
    this.#begun += 1;
    const recall = new Lookup(ids, this.#held[kind], () => {
      this.#done += 1;
      this.#letGo();
    });
    const unknown = this.#memory.hasDepartures(kind) ? ids.filter((id) => !this.#memory.has(kind, id)) : NONE;
    if (unknown.length === 0) recall.found(NOTHING);
    else {
      this.findAll(kind, unknown)
        .then(
          (rows) => recall.found(rows),
          (error: unknown) => recall.failed(failureOf(error)),
        )
        .finally(ready);
    }
    return recall;
  }

  /** Calls are decided in the order in which they were made, so that their number tells which still wait. */
  #letGo(): void {
    for (let first = this.#leaving.peek(); first?.begun !== undefined; first = this.#leaving.peek()) {
      if (this.#done < first.begun) return;
      this.#leaving.shift();
      for (const { kind, id, row } of first.departed) if (this.#held[kind].get(id) === row) this.#held[kind].delete(id);
    }
  }
}

class Lookup implements Recall {
  readonly #named: readonly string[];
  readonly #held: ReadonlyMap<string, string>;
  readonly done: () => void;
  #found: ReadonlyMap<string, string> | undefined = undefined;
  #failure: SafeguardsError | undefined = undefined;

  constructor(named: readonly string[], held: ReadonlyMap<string, string>, done: () => void) {
    this.#named = named;
    this.#held = held;
    this.done = done;
  }

  get isReady(): boolean {
    return this.#found !== undefined || this.#failure !== undefined;
  }

  get failure(): SafeguardsError | undefined {
    return this.#failure;
  }

  found(rows: ReadonlyMap<string, string>): void {
    this.#found = rows;
  }

  failed(error: SafeguardsError): void {
    this.#failure = error;
  }

  rows(): ReadonlyMap<string, string> {
    const rows = new Map(this.#found);
    for (const id of this.#named) {
      const row = this.#held.get(id);
      if (row !== undefined) rows.set(id, row);
    }
    return rows;
  }
}

interface Named {
  readonly kind: Kind;
  readonly ids: readonly string[];
}

/** What a command names that may have left memory. Subtasks leave with their parents only. */
function namedBy(command: Command): Named {
  if (command.type === "ballot.reveal")
    // From another process it may be anything; the kernel refuses what is no string.
    return typeof command.ballotId === "string" ? { kind: "ballot", ids: [command.ballotId] } : NOBODY;
  if (command.type !== "task.submit" && command.type !== "attempt.plan") return NOBODY;
  const named = new Set<string>();
  const isTop = command.type === "task.submit" && command.from === undefined;
  for (const { id, dependsOn } of command.tasks) {
    if (isTop && id !== undefined) named.add(id);
    for (const other of dependsOn ?? NONE) named.add(other);
  }
  return named.size === 0 ? NOBODY : { kind: "task", ids: [...named] };
}

const NONE: readonly string[] = [];
const NOBODY: Named = { kind: "task", ids: NONE };
const NOTHING: ReadonlyMap<string, string> = new Map();

function failureOf(error: unknown): SafeguardsError {
  if (error instanceof SafeguardsError) return error;
  return new SafeguardsError("JOURNAL_FAILED", "the archive could not be asked", { cause: error });
}
