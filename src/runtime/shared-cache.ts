/**
 * Data that agents load once and share: what is behind `ctx.cache`. Not journaled.
 *
 * 1. For each key at most one load is under way; whoever asks meanwhile gets what it gives.
 * 2. Every value is a copy of its own; an error is kept for nobody.
 * 3. Whoever stops waiting stops nobody else: when the attempt whose load it was is told to stop or is over, nobody waits
 *    for that load any more, and the next who waits loads with its own.
 * 4. No load waits for itself, nor loads for one another in a circle, nor through tasks that they await: who would close one is
 *    refused. Whose load asks is known by the asynchronous context that its code runs in, as long as it asks by the context of
 *    its own attempt.
 * 5. What is kept is bounded in entries and in bytes; who was asked for the longest ago goes first.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { findCycle } from "../coordination/structures/dependency-graph.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { admit, copyOf } from "./json.ts";
import { runtimeLimits } from "./limits.ts";

/** What is asked for, by an attempt whose signal is aborted when it is to stop. */
export interface CacheRequest {
  readonly taskId: string;
  readonly key: string;
  /** How old, in milliseconds, it may be at most. */
  readonly ttlMs: number;
  readonly load: () => Promise<Json>;
  readonly signal: AbortSignal;
}

interface Kept {
  readonly value: Json;
  readonly bytes: number;
  /** By the coordinator's clock. */
  readonly loadedAt: number;
  readonly ttlMs: number;
}

interface Load {
  readonly key: string;
  readonly loaded: Promise<Json>;
  /** Of the attempt whose load it is. */
  readonly signal: AbortSignal;
}

/** What waits, or is waited for: the load for a key, or a task. */
type Node = string;

function loadNode(key: string): Node {
  return JSON.stringify(key);
}

const TASK = "task ";

function taskNode(id: string): Node {
  return TASK + id;
}

function isTask(node: Node): boolean {
  return node.startsWith(TASK);
}

/** The key itself; of a task, that it is one. */
function nameOf(node: Node): string {
  return isTask(node) ? node : String(JSON.parse(node));
}

const NOTHING = (): void => undefined;

export interface CacheBounds {
  readonly entries: number;
  readonly bytes: number;
}

const BOUNDS: CacheBounds = { entries: runtimeLimits.cacheEntries, bytes: runtimeLimits.cacheBytes };

export class SharedCache {
  readonly #now: () => number;
  readonly #aheadOf: (taskId: string) => readonly string[];
  readonly #bounds: CacheBounds;
  /** Who was asked for the longest ago comes first. */
  readonly #kept: Map<string, Kept> = new Map();
  readonly #loads: Map<string, Load> = new Map();
  /** The load whose code runs. */
  readonly #within: AsyncLocalStorage<Load> = new AsyncLocalStorage();
  /** Whom the code of loads and attempts waits for, and in how many places. */
  readonly #waits: Map<Node, Map<Node, number>> = new Map();
  /** How many loads wait for anything: without one, nothing waits in a circle of which the kernel does not know. */
  #waitingLoads = 0;
  #bytes = 0;

  /** `aheadOf`: the tasks for whose end that one is known to wait. */
  constructor(now: () => number, aheadOf: (taskId: string) => readonly string[], bounds: CacheBounds = BOUNDS) {
    this.#now = now;
    this.#aheadOf = aheadOf;
    this.#bounds = bounds;
  }

  /** How many values are kept, and their bytes. */
  get size(): CacheBounds {
    return { entries: this.#kept.size, bytes: this.#bytes };
  }

  /**
   * A copy of what is kept, or of what is loaded now. Rejected with what the load throws, with the signal's reason, or with
   * WOULD_DEADLOCK where that load waits for the one that asks.
   */
  async get(request: CacheRequest): Promise<Json> {
    const { key, signal, taskId } = request;
    for (;;) {
      signal.throwIfAborted();
      const kept = this.#fresh(request);
      if (kept !== undefined) return copyOf(kept.value);
      const load = this.#underWay(key) ?? this.#begin(request);
      const done = this.#beginWait(this.#askerOf(taskId, signal), loadNode(key));
      try {
        return copyOf(await untilAborted(load.loaded, [signal, load.signal]));
      } catch (error) {
        // A load that fails as its own attempt is told to stop says nothing about the data.
        if (load.signal === signal || signal.aborted || !load.signal.aborted) throw error;
      } finally {
        done();
      }
    }
  }

  /**
   * Told before an attempt awaits that task; what it returns is called when that has ended. Throws WOULD_DEADLOCK where it would
   * wait for a load that waits for it.
   */
  awaits(attempt: { readonly taskId: string; readonly signal: AbortSignal }, on: string): () => void {
    // Most attempts never look at their signal, which is made for whoever does.
    if (this.#loads.size === 0) return NOTHING;
    return this.#beginWait(this.#askerOf(attempt.taskId, attempt.signal), taskNode(on));
  }

  /** The load in whose code this is asked, or the task whose attempt asks. */
  #askerOf(taskId: string, signal: AbortSignal): Node {
    const within = this.#within.getStore();
    // What a load sets going, such as another attempt, runs in its context and is none of it.
    const isLoad = within !== undefined && within.signal === signal && this.#loads.get(within.key) === within;
    return isLoad ? loadNode(within.key) : taskNode(taskId);
  }

  /** From now on, until what it returns is called, one waits for the other. */
  #beginWait(waiting: Node, on: Node): () => void {
    this.#addWait(waiting, on);
    const done = (): void => this.#endWait(waiting, on);
    if (this.#waitingLoads === 0) return done;
    // What else that one waits for need not be looked at: it may be thousands of tasks.
    const cycle = findCycle([waiting], (node) => (node === waiting ? [on] : this.#waitedForBy(node)));
    if (cycle === undefined) return done;
    done();
    throw new SafeguardsError(
      "WOULD_DEADLOCK",
      `loads of ctx.cache would wait for one another for ever: ${[...cycle, cycle[0]].join(" → ")}`,
      { details: { cycle: cycle.map(nameOf) }, retryable: false },
    );
  }

  #addWait(waiting: Node, on: Node): void {
    let waits = this.#waits.get(waiting);
    if (waits === undefined) {
      waits = new Map();
      this.#waits.set(waiting, waits);
      if (!isTask(waiting)) this.#waitingLoads += 1;
    }
    waits.set(on, (waits.get(on) ?? 0) + 1);
  }

  #endWait(waiting: Node, on: Node): void {
    const waits = this.#waits.get(waiting);
    const places = waits?.get(on);
    if (waits === undefined || places === undefined) return;
    if (places > 1) waits.set(on, places - 1);
    else waits.delete(on);
    if (waits.size > 0) return;
    this.#waits.delete(waiting);
    if (!isTask(waiting)) this.#waitingLoads -= 1;
  }

  *#waitedForBy(node: Node): Generator<Node> {
    yield* this.#waits.get(node)?.keys() ?? [];
    if (isTask(node)) for (const id of this.#aheadOf(node.slice(TASK.length))) yield taskNode(id);
  }

  #fresh({ key, ttlMs }: CacheRequest): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#now() - kept.loadedAt >= Math.min(kept.ttlMs, ttlMs)) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  /** A load of an attempt that goes on. */
  #underWay(key: string): Load | undefined {
    const load = this.#loads.get(key);
    return load?.signal.aborted === true ? undefined : load;
  }

  #begin({ key, ttlMs, load, signal }: CacheRequest): Load {
    const forget = (): void => {
      if (this.#loads.get(key) === begun) this.#loads.delete(key);
    };
    const run = async (): Promise<Json> => {
      try {
        const value: unknown = await load();
        const what = `what is loaded for the key ${JSON.stringify(key)}`;
        const { json, bytes } = admit(value === undefined ? null : value, what, runtimeLimits.outputBytes);
        this.#keep(key, { value: json, bytes: bytes + key.length, loadedAt: this.#now(), ttlMs });
        return json;
      } finally {
        signal.removeEventListener("abort", forget);
        forget();
      }
    };
    // It begins when it is on record: a load that asks for others must not miss itself.
    const loaded = Promise.resolve().then(() => this.#within.run(begun, run));
    loaded.catch(() => undefined);
    const begun: Load = { key, loaded, signal };
    this.#loads.set(key, begun);
    // One that never ends, of a key that nobody asks for again, would stay.
    signal.addEventListener("abort", forget, { once: true });
    return begun;
  }

  #keep(key: string, kept: Kept): void {
    this.#drop(key);
    if (kept.ttlMs === 0 || kept.bytes > this.#bounds.bytes) return;
    this.#kept.set(key, kept);
    this.#bytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#bounds.entries && this.#bytes <= this.#bounds.bytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
  }
}

/** What the promise gives, or the reason of the first of the signals that is aborted. */
function untilAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  const { promise: waited, resolve, reject } = Promise.withResolvers<T>();
  const signal = AbortSignal.any([...signals]);
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  return waited;
}
