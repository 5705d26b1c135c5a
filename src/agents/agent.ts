/** What users write agents against: the types of {@link defineAgent} and {@link defineManager}. */
import type { Vote } from "../coordination/decisions/election.ts";
import type { Json, Money, RecordOf } from "../coordination/structures/types.ts";
import type { BreakerPolicy } from "../kernel/events/agents.ts";
import type { Outcome, TaskHandle, TaskSpec } from "../runtime/task.ts";

/** What a task looks like to the agent that does it. A copy of its own: changing it harms nobody. */
export interface Task<I extends Json = Json> {
  readonly id: string;
  readonly name?: string;
  readonly input: I;
  readonly context?: Json;
  /** The task whose plan or code it came from. */
  readonly parentId?: string;
  readonly priority: number;
  /** Epoch milliseconds. */
  readonly deadlineAt?: number;
  /** What an attempt is estimated to cost, as a plain decimal: so much is set aside for it. Left out: nothing. */
  readonly cost?: string;
}

/** Where structured log lines go; pino and most others fit. */
export interface Logger {
  debug(o: object, m?: string): void;
  info(o: object, m?: string): void;
  warn(o: object, m?: string): void;
  error(o: object, m?: string): void;
}

/** A message between agents. */
export interface Message {
  /** Of this message alone: one that comes twice, after its reader failed, comes with the same id. */
  readonly id: string;
  /** The agent whose attempt sent it. */
  readonly from: string;
  /** The agent that it was sent to; absent for a message to a topic. */
  readonly to?: string;
  readonly topic?: string;
  /** When it was sent: epoch milliseconds. */
  readonly at: number;
  readonly body: Json;
}

/** Which messages to read. */
export interface MessageOptions {
  /** What was published to this topic. Default: what was sent to the attempt's own agent. */
  readonly topic?: string;
  /** Ends when nothing has come for so many milliseconds; 0: when nothing is there. Default: it waits as long as the attempt lasts. */
  readonly timeoutMs?: number;
}

/** A value of the shared state, and its version. */
export interface SharedValue {
  readonly value: Json;
  /** Grows with every change of the key, over deletion too: no version comes a second time. */
  readonly version: number;
}

/** So much of some resources, held by an attempt until it is released, its lease has run out, or the attempt ends. */
export interface Allocation {
  readonly id: string;
  /** Fencing token: an old one is refused. */
  readonly token: number;
  readonly holder: string;
  readonly amounts: Readonly<Record<string, number>>;
  /** Epoch milliseconds; absent: no lease. */
  readonly expiresAt?: number;
}

/**
 * What an attempt may do besides computing. Every member may be taken out of it (`(task, { signal, progress }) => …`).
 * All that speaks for the attempt is `FENCED` once the attempt is over.
 */
export interface AgentContext {
  /** Aborted when the attempt is to stop: cancelled, preempted, paused, timed out, or the coordinator closes. */
  readonly signal: AbortSignal;
  /** Grows with every attempt: hand it to what you write to, so that it can refuse an older one. */
  readonly token: number;
  /** The same over retries, preemptions and restarts: hand it to what must not be done twice. */
  readonly idempotencyKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Outputs of what the task depended on, by id as written in `dependsOn`; no prototype. Who did not complete is absent. */
  readonly dependencies: Readonly<Record<string, Json>>;
  /** The last checkpoint of an earlier attempt at this task. */
  readonly resumeFrom?: Json;
  /** Keeps this for the next attempt, should this one not end well: JSON of at most 1 000 000 bytes. Durable when it resolves. */
  checkpoint(state: Json): Promise<void>;
  /**
   * Tells that the attempt is alive; FENCED once it is over. Inside the coordinator's own process its life is known, and this is
   * only a way to ask whether the attempt still counts. An isolated agent renews its lease with it, also from code that blocks
   * its thread, and need not: a timer does that wherever the thread is free.
   */
  heartbeat(): Promise<void>;
  /** How far it is, 0 to 1, for those who watch. Not journaled; told at most ten times a second. */
  progress(fraction: number, note?: string): void;
  /** The coordinator's logger; each line has `taskId`, `agent` and `attempt`, which the code cannot say otherwise. */
  readonly log: Logger;
  /**
   * Tells that so much is about to be spent (`what`: on what, at most 4 096 characters), and resolves when that is durable: then
   * spend it. It comes out of what is set aside for the attempt (the task's `cost`), and beyond that out of what is left of
   * its budget and of all above that. BUDGET_EXCEEDED where that is not enough: nothing is spent then. A task without a
   * budget may spend what it likes; what that was is told all the same.
   */
  readonly budget: { spend(amount: Money, what?: string): Promise<void> };
  /**
   * Takes an action once all guardrails on actions let it, with their verdicts durable: GUARDRAIL_BLOCKED else, and it is never
   * called. It is given the arguments as guardrails left them; one that takes no parameter is blocked when they change
   * them. `args`: JSON of at most 1 000 000 bytes, not journaled. At most 10 000 an attempt. Without guardrails on actions
   * it is called at once, and nothing is journaled.
   */
  act<T>(name: string, args: Json, action: (args: Json) => Promise<T>): Promise<T>;
  /**
   * Sends a message to an agent: JSON of at most 65 536 characters. It waits in that agent's mailbox, over restarts too, until
   * an attempt of it has read it. Durable when this resolves. A repeated attempt sends it again, as another message.
   * UNKNOWN_AGENT for a name that nobody ever registered; QUEUE_FULL when 1 000 messages, or 4 194 304 characters, wait there.
   */
  send(agent: string, message: Json): Promise<void>;
  /**
   * The same to all who read a topic, now or later: a topic is there as soon as something is published to it, and keeps its latest
   * 1 000 messages. Never refused for lack of room: older messages make way, and beyond 1 000 topics the quietest.
   */
  publish(topic: string, message: Json): Promise<void>;
  /**
   * The messages to this agent, or those of a topic from the oldest that is kept and that this agent has not read, one after the
   * other in the order of sending. Ends when the attempt is over or told to stop. Attempts of one agent that read at the same
   * time share: each message goes to one of them. A message is read when the loop asks for the next one, or when the attempt
   * gives its output; what an attempt that ends otherwise has in hand comes again, with the same id, to the next one that reads.
   */
  messages(options?: MessageOptions): AsyncIterable<Message>;
  /**
   * What all agents share: values by key (1 to 1 024 characters), each with a version. Keys under `agent/NAME/` are read by all
   * and written by NAME only (UNAUTHORIZED). Reads see only what is durable.
   */
  readonly state: {
    /** Undefined when the key is not there. */
    get(key: string): Promise<SharedValue | undefined>;
    /**
     * Sets a key, and gives its new version. With `expectedVersion` only if the key has that version; with 0 only if it is not
     * there: otherwise INVALID_STATE, with the version that it has in `details.version` (0: none). JSON of at most 1 000 000
     * bytes; QUEUE_FULL beyond 100 000 keys or 67 108 864 characters in all.
     */
    set(key: string, value: Json, expectedVersion?: number): Promise<number>;
    /** Removes a key, on the same condition. A key that is not there is removed already. */
    delete(key: string, expectedVersion?: number): Promise<void>;
  };
  /**
   * Data that agents of this process share: what was loaded under this key (1 to 4 096 characters), by whichever attempt, if
   * that is less than `ttlMs` old and not older than the `ttlMs` with which it was loaded; otherwise what `load` gives now.
   * Who asks while it is loaded waits for the same load; one that fails fails for all of them, and is not kept. When the
   * attempt whose `load` it is is told to stop and the load fails, the next who waits calls its own. Values are JSON of at most
   * 16 000 000 bytes, and each gets a copy. Kept are 10 000 values of 64 000 000 bytes together; what was not asked for the
   * longest goes first. Nothing is journaled: after a restart it is loaded anew. A `load` that asks for its own key, or for one whose load
   * waits for it, is refused at once with WOULD_DEADLOCK, which names the circle.
   *
   * @example
   * ```ts
   * import { defineAgent } from "safeguards";
   * const reader = defineAgent<string, number>({
   *   name: "reader",
   *   run: async (task, { cache }) => {
   *     const page = await cache(task.input, 60_000, async () => (await fetch(task.input)).text());
   *     return page.length;
   *   },
   * });
   * ```
   */
  cache<T extends Json>(key: string, ttlMs: number, load: () => Promise<T>): Promise<T>;
  /**
   * More resources for this attempt. Granted or refused (CAPACITY_EXCEEDED) at once; with `wait`, once it is there, or
   * refused with WOULD_DEADLOCK where waiting could never end. `leaseMs`: it is taken back after so long.
   */
  request(amounts: RecordOf<number>, options?: { wait?: boolean; leaseMs?: number }): Promise<Allocation>;
  release(allocation: Allocation): Promise<void>;
  /**
   * A subtask. Its id is local to this task, and counted when left out, so that a repeated attempt finds the one that it
   * submitted before. After a person's `retry()` it is counted anew, behind `retry1-` and so on: what there was had been cancelled
   * with the failure. One with an id is the same for ever, with what it gave, or as it ended: leave the id out, or make it of
   * something that changes, where it is to be done again.
   *
   * While its `result()` or `outcome()` is awaited, this attempt holds no slot and no load, only its resources. One that
   * awaits several at once holds no slot until the last of them is there: what comes before it is handed over as it
   * comes, and the last when the slot is regained.
   */
  submit<O extends Json = Json>(task: TaskSpec): Promise<TaskHandle<O>>;
}

/** How an agent answers a ballot: with a vote, or with nothing. */
export type Voter = (ballot: {
  readonly question: string;
  readonly options: readonly string[];
  readonly voterId: string;
  /** Aborted when the ballot is closed. */
  readonly signal: AbortSignal;
  readonly context?: Json;
}) => Vote | undefined | Promise<Vote | undefined>;

/** https://standardschema.dev: zod, valibot and arktype schemas are this. */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
    validate(value: unknown): unknown;
  };
}

/** What `defineAgent` and `defineManager` make and `Coordinator.register` takes. */
export interface Agent {
  readonly name: string;
}

/** What came of one task of several that an agent was given together: its output, or what it failed with. */
export type BatchResult<O extends Json> = { readonly output: O } | { readonly error: unknown };

/** An agent: what it is called, what it can do, how much at once, and its code. */
export interface AgentSpec<I extends Json = Json, O extends Json = Json> {
  /** 1 to 256 characters without `/`. */
  readonly name: string;
  readonly description?: string;
  /** Skills with levels in (0, 1]; a list means level 1. Default: none. */
  readonly skills?: readonly string[] | RecordOf<number>;
  /** How much load it takes at once: ≥ 0, 0 is drained. Default: 1. */
  readonly capacity?: number;
  /** Its weight in ballots: ≥ 0. Default: 1. */
  readonly weight?: number;
  /** Checked, and what it gives used, before `run`. A task whose input does not fit fails and is not tried again. */
  readonly input?: StandardSchema<I>;
  /** Checked, and what it gives used, after `run`. An output that does not fit fails the attempt. */
  readonly output?: StandardSchema<O>;
  /** Its work. What it returns must be JSON of at most 16 000 000 bytes; nothing is null. Left out: it only votes. */
  // biome-ignore lint/suspicious/noConfusingVoidType: code that returns nothing gives null
  run?(task: Task<I>, ctx: AgentContext): O | void | Promise<O | void>;
  /**
   * Its work on several tasks in one call, in the place of `run`: a result for each, in their order. Tasks of one `batchKey` come
   * together; any other comes alone. Each has its own context and ends on its own: one that is to stop has its own signal
   * aborted, and says so with `{ error }`. A throw, and a list of another length, fail all of them.
   */
  readonly runBatch?: (
    tasks: readonly Task<I>[],
    contexts: readonly AgentContext[],
  ) => Promise<readonly BatchResult<O>[]>;
  /** How many tasks it takes together: 1 to 1 000. Default: 16. */
  readonly maxBatch?: number;
  /** Its vote. Left out: it is no voter. */
  readonly vote?: Voter;
  /**
   * Instead of `run`: its code is in this module, a file URL or a path (seen from the working directory), whose default export,
   * or the agent of this name among its exports, is what `defineAgent` made of a `run`. Each attempt runs in a thread of its own
   * that can be killed: an endless loop, `process.exit`, too much memory or a crash end that attempt and nothing else.
   *
   * `memoryMb`: of JavaScript objects, from 16 to 65 536; more ends the thread. Default: 256. `leaseMs`: when nothing is heard of
   * the thread for so long, as when its code blocks it, the attempt is lost; from 100. Default: 30 000. What its thread cannot be
   * given says so: `ctx.act`, `ctx.cache` and `ctx.submit`.
   */
  readonly isolated?: { readonly module: string; readonly memoryMb?: number; readonly leaseMs?: number };
  /** When to stop giving it tasks. Defaults: 5 failures in a row; or, with `ratio`, that share of at least `minCalls` in `windowMs`; 30 000 ms; 1. */
  readonly breaker?: BreakerPolicy | undefined;
}

/** What a manager may do besides. */
export interface ManagerContext extends AgentContext {
  /** To be returned from `aggregate`: another round of subtasks before the output (at most 100 rounds). */
  more(subtasks: readonly TaskSpec[]): More;
  /** Rounds planned so far: 0 in `plan`, 1 in the first `aggregate`. */
  readonly round: number;
}

/** Another round, made by `ctx.more`. */
export interface More {
  readonly subtasks: readonly TaskSpec[];
}

/** A manager: an agent that plans subtasks for its team and makes one output of theirs. */
export interface ManagerSpec<I extends Json = Json, O extends Json = Json> {
  /** 1 to 256 characters without `/`. */
  readonly name: string;
  readonly description?: string;
  /** Skills with levels in (0, 1]; a list means level 1. Default: none. */
  readonly skills?: readonly string[] | RecordOf<number>;
  /** Names of the agents that may do its subtasks; managers too. */
  readonly team: readonly string[];
  /** How much load it takes at once: ≥ 0; only while it plans and aggregates. Default: 1. */
  readonly capacity?: number;
  /**
   * Subtasks for a task. Ids are local to it, and each is planned once, over all rounds: one that is there already fails the
   * attempt with DUPLICATE_ID. Independent ones run at once. At most 32 tasks are above one another.
   */
  plan(task: Task<I>, ctx: ManagerContext): readonly TaskSpec[] | Promise<readonly TaskSpec[]>;
  /**
   * One output of all outcomes, in the order of the plan, over all rounds; or `ctx.more(…)`. Left out: object outputs are
   * merged key by key into lists, lists are concatenated, and what is no object has no keys and is left out.
   */
  aggregate?(task: Task<I>, results: readonly Outcome[], ctx: ManagerContext): O | More | Promise<O | More>;
  /** How many of its subtasks, of all rounds, must complete; `"any"` is 1, and `"all"` of none is enough. Default: `"all"`. */
  readonly minSuccess?: number | "all" | "any";
  /** Whether it fails as soon as that is out of reach, not only at the end of the round. Default: false. */
  readonly failFast?: boolean;
}
