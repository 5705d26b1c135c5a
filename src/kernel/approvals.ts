/**
 * Approvals: what exactly is to be approved, and what is to be done about approvals next.
 *
 * 1. What is approved is data, and its hash stands for it: the task as it was submitted, or its output.
 * 2. The number of the event that asks is part of it, so that no two askings have the same hash: an approval is for one asking
 *    only, whatever is approved there.
 * 3. The index follows from the state, and is built anew when a journal is opened.
 */
import { canonicalJson } from "../coordination/structures/canonical-json.ts";
import { type HeapEntry, IndexedHeap } from "../coordination/structures/indexed-heap.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { Ballot, State } from "./state.ts";
import { type AskedApproval, askedOf, inputOf, isUnasked, type Task } from "./task.ts";
import { type Timer, Timers } from "./timers.ts";

/** What is asked for, before it has a hash. */
type Asking = Pick<AskedApproval, "before" | "seq" | "output" | "token" | "via" | "from">;

/** What is to be approved, whole: its canonical JSON is what the hash is of. */
export function subjectOf(task: Task, { before, seq, output, token, via, from }: Asking): Json {
  const asked = { before, asked: seq, taskId: task.id };
  if (before === "output") {
    // A value that stands for it was given by nobody.
    const agent = token === undefined ? undefined : task.attempts.at(-1)?.agent;
    const parts = { ...(agent === undefined ? {} : { agent }), ...(via === undefined ? {} : { via }) };
    return { ...asked, ...parts, ...(from === undefined ? {} : { from }), output: output ?? null };
  }
  // What the log adds is not what was asked for; what guardrails made of its input is what its agent gets.
  const { type, v, taskId, key, archived, seq: number, at, commandId, by, trace, ...spec } = task.spec;
  const input = spec.input === undefined && inputOf(task) === null ? {} : { input: inputOf(task) };
  return { ...asked, ...(by === undefined ? {} : { by }), spec: { ...spec, ...input } as Json };
}

/** SHA-256 of a text in UTF-8, as 64 hexadecimal digits: `sha256`, or what gives the same and is faster where it runs. */
export type Digest = (text: string) => string;

export function hashOf(task: Task, asking: Asking, digest: Digest): string {
  return digest(canonicalJson(subjectOf(task, asking)));
}

/** Whether voters decide on it. */
export function isByBallot(task: Task): boolean {
  return typeof task.spec.approval?.by === "object";
}

export class Approvals {
  /** When those that people are asked for come too late. */
  readonly expiries: Timers = new Timers();
  /** Tasks for whose run nobody was asked yet. */
  readonly unasked: Set<Task> = new Set();
  /** Ballots that have closed on a task that waits for them, or that no task waits for any more. */
  readonly settled: Set<Ballot> = new Set();
  readonly #state: State;
  /** Tasks whose ballot has not been opened, in order of arrival. */
  readonly #unopened: IndexedHeap<Task> = new IndexedHeap();
  readonly #unopenedOf: Map<Task, HeapEntry<Task>> = new Map();
  readonly #ballotOf: Map<Task, string> = new Map();
  readonly #expiryOf: Map<Task, HeapEntry<Timer>> = new Map();

  constructor(state: State) {
    this.#state = state;
  }

  /** The next whose ballot is to be opened. */
  get unopened(): Task | undefined {
    return this.#unopened.peek()?.item;
  }

  /** Something about a task that needs an approval has changed. */
  watch(task: Task): void {
    if (isUnasked(task)) this.unasked.add(task);
    else this.unasked.delete(task);
    const asked = askedOf(task);
    this.#watchOpening(task, asked !== undefined && asked.ballotId === undefined && isByBallot(task));
    this.#watchExpiry(task, asked?.ballotId === undefined ? asked?.expiresAt : undefined);
    const before = this.#ballotOf.get(task);
    if (before === asked?.ballotId) return;
    if (asked?.ballotId === undefined) this.#ballotOf.delete(task);
    else this.#ballotOf.set(task, asked.ballotId);
    const ballot = before === undefined ? undefined : this.#state.ballots.get(before);
    if (ballot?.open === true) this.settled.add(ballot);
  }

  /** A ballot was opened or closed. */
  ballot(ballot: Ballot): void {
    const { approves } = ballot.opened;
    if (approves === undefined) return;
    const task = this.#state.tasks.get(approves);
    const isWaitedFor = task !== undefined && askedOf(task)?.ballotId === ballot.id;
    if (isWaitedFor !== ballot.open) this.settled.add(ballot);
  }

  #watchOpening(task: Task, wanted: boolean): void {
    const entry = this.#unopenedOf.get(task);
    if (wanted && entry === undefined) this.#unopenedOf.set(task, this.#unopened.push(task, task.seq, 0));
    else if (!wanted && entry !== undefined) {
      this.#unopened.remove(entry);
      this.#unopenedOf.delete(task);
    }
  }

  #watchExpiry(task: Task, at: number | undefined): void {
    const set = this.#expiryOf.get(task);
    if (set?.key === at) return;
    this.expiries.cancel(set);
    if (at === undefined) this.#expiryOf.delete(task);
    else this.#expiryOf.set(task, this.expiries.set(at, { kind: "approval", task }));
  }
}
