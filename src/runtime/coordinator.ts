import { resolve } from "node:path";
import type { Agent, Logger } from "../agents/agent.ts";
import { checkTeam } from "../agents/manager.ts";
import type { Decision, Threshold, TieBreak, VotingMethod } from "../coordination/decisions/election.ts";
import { checkDuration, checkId, checkInteger, invalid } from "../coordination/structures/arguments.ts";
import type { Json, RecordOf } from "../coordination/structures/types.ts";
import type { Move } from "../coordination/workload-balancer.ts";
import { SafeguardsError } from "../errors.ts";
import { openJournal } from "../journal/open-journal.ts";
import type { BallotRequest, Command } from "../kernel/commands.ts";
import { WEIGHTS } from "../kernel/decide/ballots.ts";
import { limits } from "../kernel/limits.ts";
import type {
  AgentInfo,
  BudgetInfo,
  Explanation,
  ResourceInfo,
  TaskFilter,
  TaskInfo,
  TaskStatus,
} from "../kernel/views.ts";
import type { Accepted, Backend, BallotResult, QueryTypes } from "./backend.ts";
import { SystemClock } from "./clock.ts";
import {
  type BudgetDescription,
  budgetOf,
  budgetsOf,
  type CoordinatorOptions,
  checkCoordinatorOptions,
  type ResourceDescription,
  resourceOf,
  resourcesOf,
  settingsOf,
} from "./coordinator-options.ts";
import { checkFeedOptions, type FeedOptions, type StoredEvent } from "./event-feed.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import { LocalBackend } from "./local-backend.ts";
import { defaultLogger } from "./logger.ts";
import { checkOptional, checkOptions, checkTrace } from "./options.ts";
import type { Progress } from "./progress.ts";
import { Registrations } from "./registrations.ts";
import { RemoteBackend } from "./remote-backend.ts";
import { joinablePath, socketPathOf } from "./remote-protocol.ts";
import { serveRemotes } from "./remote-server.ts";
import type { Stats } from "./stats.ts";
import type { TaskHandle, TaskSpec } from "./task.ts";
import { Handle } from "./task-handle.ts";
import { amountsOf, takeIn, takeInAll } from "./task-request.ts";

/** A question that is put to the vote of agents. */
export interface BallotSpec<O extends string = string> {
  /** At most 4 096 characters. */
  readonly question: string;
  /** 1 to 1 000 distinct strings. */
  readonly options: readonly O[];
  /** Names of agents that vote, each once; who is offline is waited for. Default: all that have a voter and are online. */
  readonly voters?: readonly string[];
  /** How votes are counted, as `tally` of `safeguards/coordination` describes. Default: `"majority"`. */
  readonly method?: VotingMethod;
  /**
   * Instead of the agents' own weights: each ≥ 0, of agents that are registered; or `"reputation"`, what each has learned to weigh from what was revealed
   * before. Default: the agents' own.
   */
  readonly weights?: RecordOf<number> | "reputation";
  /** The least share of the electorate (by weight for `weighted`, else by head) that must have voted validly. Default: one vote. */
  readonly quorum?: number | { readonly atLeast: string };
  /** The share of the valid votes that the leader needs: for majority, weighted and approval. Default: none. */
  readonly threshold?: Threshold;
  /** Default: `"none"`. */
  readonly tieBreak?: TieBreak;
  /**
   * How long voters have, in milliseconds: who has not voted by then abstains. Time in which they could not vote, since one of
   * them kept the process busy as it was asked, is added. Default: 30 000.
   */
  readonly deadlineMs?: number;
  /** What the voters are told besides. */
  readonly context?: Json;
}

/** How tasks are submitted. */
export interface SubmitOptions {
  /** The same key again gives what it gave. */
  readonly key?: string;
  /** 1 to 256 characters. Default: none. */
  readonly trace?: string;
}

const BALLOT_KEYS = [
  "question",
  "options",
  "voters",
  "method",
  "weights",
  "quorum",
  "threshold",
  "tieBreak",
  "deadlineMs",
  "context",
];
const FILTER_KEYS = ["status", "agent", "parentId", "limit", "after"];
const STATUSES: readonly TaskStatus[] = [
  "blocked",
  "pending",
  "running",
  "waiting",
  "paused",
  "completed",
  "failed",
  "skipped",
  "cancelled",
];

/**
 * A team at work: agents are registered, tasks submitted, and the coordinator decides who does which, when and with what,
 * writes all of it to its journal, and goes on where it stood when the same journal is opened again.
 *
 * Every method takes effect in the order of the calls. All throw {@link SafeguardsError} only: INVALID_ARGUMENT for what is
 * not as described, JOURNAL_FAILED when the journal could not be written (`details.outcome` says whether it may have been
 * all the same), CLOSED after `close`. Close it when it is done with: an open one may keep the process alive.
 *
 * @example
 * ```ts
 * import { Coordinator, defineAgent } from "safeguards";
 * await using coordinator = await Coordinator.open({ journal: "memory:", concurrency: 4 });
 * coordinator.register(defineAgent({ name: "greeter", skills: ["talk"], run: (task) => `Hello, ${task.input}!` }));
 * const handle = await coordinator.submit({ skills: ["talk"], input: "world" });
 * console.log(await handle.result()); // Hello, world!
 * ```
 */
export class Coordinator implements AsyncDisposable {
  readonly #backend: Backend;
  /** Set when the kernel is in this process. */
  readonly #local: LocalBackend | undefined;
  readonly #registrations: Registrations = new Registrations();
  #closed: Promise<void> | undefined = undefined;

  private constructor(backend: Backend, local: LocalBackend | undefined) {
    this.#backend = backend;
    this.#local = local;
  }

  /**
   * Opens the journal and goes on where it stands: attempts that ran when its last process died count as lost, agents are
   * offline until they are registered again. JOURNAL_LOCKED when another process writes it (use `join` to forward to that
   * one), JOURNAL_CORRUPT when it is damaged. Linear in the events since its newest snapshot.
   */
  static async open(options: CoordinatorOptions = {}): Promise<Coordinator> {
    const { join, guardrails } = checkCoordinatorOptions(options);
    const { journal = "memory:", logger = defaultLogger } = options;
    if (join) return new Coordinator(await RemoteBackend.join(joinablePath(journal)), undefined);
    const kept = openJournal(journal);
    const local = await LocalBackend.open({
      journal: kept,
      logger,
      settings: settingsOf({ ...options, guardrails }),
      resources: resourcesOf(options),
      budgets: budgetsOf(options),
      guardrails,
      clock: (notBefore) => new SystemClock(notBefore),
    });
    const path = socketPathOf(kept.url);
    if (path !== undefined) await serve(local, path, logger);
    return new Coordinator(local, local);
  }

  /**
   * Gives an agent its code in this process. A name that the journal knows is bound anew, with what it can do from now on.
   * Need not be awaited: when it is refused and nobody has looked, the next call fails, with the refusal as its cause.
   * INVALID_ARGUMENT for what neither `defineAgent` nor `defineManager` made; TEAM_CYCLE when managers would manage
   * one another in a circle.
   */
  register(agent: Agent): Promise<void> {
    return this.#registrations.track(async (decided) => {
      await this.#here("agents are registered").register(agent, decided);
    });
  }

  /** Takes an agent's code away: it gets no more tasks; what it runs goes on. UNKNOWN_AGENT. */
  async unregister(name: string): Promise<void> {
    await this.#here("agents are unregistered").unregister(name, this.#registrations.guard());
  }

  /** Another team for a manager, for what it plans from now on. UNKNOWN_AGENT, TEAM_CYCLE. */
  async setTeam(manager: string, team: readonly string[]): Promise<void> {
    this.#assertOpen();
    await this.#command({ type: "team.set", manager, team: checkTeam(team, manager) });
  }

  /**
   * Submits one task, or several that may depend on each other in any order: all or none. The same id with an equal task
   * gives the handle of the one that exists; with another, DUPLICATE_ID. `key` makes a whole call idempotent: the same key
   * again gives what it gave. DEPENDENCY_CYCLE names the cycle; UNKNOWN_TASK, UNKNOWN_AGENT, UNKNOWN_RESOURCE, UNKNOWN_BUDGET name
   * what is not there; CAPACITY_EXCEEDED, BUDGET_EXCEEDED what could never run. `trace`: the trace that they and their subtasks belong to, such as a
   * W3C traceparent; every event about them says so.
   */
  submit<O extends Json = Json>(task: TaskSpec, options?: SubmitOptions): Promise<TaskHandle<O>>;
  submit<O extends Json = Json>(tasks: readonly TaskSpec[], options?: SubmitOptions): Promise<TaskHandle<O>[]>;
  async submit(tasks: TaskSpec | readonly TaskSpec[], options: SubmitOptions = {}): Promise<TaskHandle | TaskHandle[]> {
    this.#assertOpen();
    checkOptions(options, { known: ["key", "trace"] }, "the options of submit");
    const { key, trace } = options;
    checkTrace(trace);
    if (isList(tasks)) {
      const { requests, bytes } = takeInAll(tasks, "tasks");
      const { ids } = await this.#command(
        { type: "task.submit", tasks: requests, ...(key === undefined ? {} : { key }) },
        bytes,
        { trace },
      );
      return ids.map((id) => new Handle(id, this.#backend));
    }
    const { request, bytes } = takeIn(tasks);
    const { ids } = await this.#command(
      { type: "task.submit", tasks: [request], ...(key === undefined ? {} : { key }) },
      bytes,
      { trace },
    );
    const [id] = ids;
    if (id === undefined)
      throw new SafeguardsError("INVALID_ARGUMENT", `the key ${key} belongs to a call without tasks`);
    return new Handle(id, this.#backend);
  }

  /** The handle of a task that was submitted before, in this process or another. UNKNOWN_TASK. */
  async task<O extends Json = Json>(id: string): Promise<TaskHandle<O>> {
    this.#assertOpen();
    await this.#query("status", checkText(id, "the id of a task"));
    return new Handle<O>(id, this.#backend);
  }

  /** Why a task runs, waits or ended: the scheduler's own verdict. UNKNOWN_TASK. */
  async explain(taskId: string): Promise<Explanation> {
    this.#assertOpen();
    return this.#query("explain", checkText(taskId, "the id of a task"));
  }

  /**
   * Puts a question to the vote and waits for the decision. Voters are asked at the same time; who throws or is late
   * abstains. UNKNOWN_AGENT for a voter, or one with a weight, that nobody registered, INVALID_ARGUMENT for a voter without
   * a vote, or named twice.
   */
  async decide<const O extends string>(ballot: BallotSpec<O>): Promise<Decision<O> & { readonly ballotId: string }> {
    this.#assertOpen();
    const { request, bytes } = ballotOf(ballot);
    const { ids } = await this.#command({ type: "ballot.open", ...request }, bytes);
    const { open: _, ...decision } = await this.#backend.decision(ids[0] ?? "");
    // Its options are those that were given.
    return decision as Decision<O> & { readonly ballotId: string };
  }

  /**
   * Tells what was true: everybody whose valid vote put one option above all others was right or wrong. Accuracies
   * (`agents()`) and the weights of ballots with `weights: "reputation"` learn from it; ballots that are open keep theirs. Once
   * for each ballot, as soon as it is closed, however long ago. UNKNOWN_BALLOT; INVALID_STATE for one that is open, or was
   * revealed before; INVALID_ARGUMENT for a truth that was not among its options.
   */
  async reveal(ballotId: string, truth: string): Promise<void> {
    this.#assertOpen();
    checkText(ballotId, "the id of a ballot");
    if (typeof truth !== "string") throw invalid("truth", truth, "an option of the ballot");
    await this.#command({ type: "ballot.reveal", ballotId, truth });
  }

  /**
   * Lets a task run, or its output count, that waits for a person to allow it (`approval` of its spec). `by`: who says so, for the
   * log; UNAUTHORIZED when that is an agent that submitted the task, does it, or works for who does it. `hash`: only if this is
   * what is asked for now (`tasks` and `explain` tell it); default: whatever is. INVALID_STATE when nothing is asked, something
   * else is, it is too late, or a ballot decides. UNKNOWN_TASK.
   */
  async approve(taskId: string, options: { by?: string; hash?: string } = {}): Promise<void> {
    this.#assertOpen();
    const { by, about } = decisionOf(taskId, options, "the options of approve");
    await this.#command({ type: "task.approve", ...about }, 0, { by });
  }

  /** The same, but refuses it: the task fails with UNAUTHORIZED and that reason, and is not tried again by itself. */
  async reject(taskId: string, reason: string, options: { by?: string; hash?: string } = {}): Promise<void> {
    this.#assertOpen();
    const { by, about } = decisionOf(taskId, options, "the options of reject");
    await this.#command({ type: "task.reject", ...about, reason }, 0, { by });
  }

  /**
   * A new resource, or another capacity for one. Lowering a capacity takes nothing back. A breaker stays as it is when `breaker` is
   * left out, also while it is open; `breaker: null` takes it away.
   */
  async setResource(id: string, spec: ResourceDescription): Promise<void> {
    this.#assertOpen();
    await this.#command({ type: "resource.set", resource: checkId(id, "resource"), ...resourceOf(id, spec) });
  }

  /**
   * A new budget, or another limit for one: those who wait for it may start then. A limit that is lowered takes nothing back;
   * while it does not cover what is spent and set aside, nothing starts at its expense, and tasks that cost more than it
   * leaves beside what is spent fail with BUDGET_EXCEEDED. UNKNOWN_BUDGET for a parent that there is not; INVALID_ARGUMENT for
   * another parent than it has.
   */
  async setBudget(id: string, spec: BudgetDescription): Promise<void> {
    this.#assertOpen();
    await this.#command({ type: "budget.set", budget: checkId(id, "budget"), ...budgetOf(id, spec) });
  }

  /**
   * Moves assigned work that has not started from busy agents to idle ones. In this version a task is assigned when it
   * starts, so that there is nothing to move: always empty.
   */
  async rebalance(): Promise<readonly Move[]> {
    await this.#query("settled", undefined);
    return [];
  }

  /** Tasks in order of submission, subtasks and those that have ended too. `after`: only those submitted after that one; UNKNOWN_TASK when there is none. */
  async tasks(filter: TaskFilter = {}): Promise<readonly TaskInfo[]> {
    this.#assertOpen();
    checkOptions(filter, { known: FILTER_KEYS }, "the filter of tasks");
    const { limit, status, agent, parentId, after } = filter;
    if (limit !== undefined) checkInteger(limit, "limit", 1, Number.MAX_SAFE_INTEGER);
    for (const [name, value] of Object.entries({ status, agent, parentId, after }))
      checkOptional(value, "string", name);
    if (status !== undefined && !STATUSES.includes(status)) throw invalid("status", status, STATUSES.join(", "));
    return this.#query("tasks", { ...filter });
  }

  /** Agents in order of registration. */
  async agents(): Promise<readonly AgentInfo[]> {
    return this.#query("agents", undefined);
  }

  /** Resources in order of registration: how much there is, is taken and is waited for, and who holds it. */
  async resources(): Promise<readonly ResourceInfo[]> {
    return this.#query("resources", undefined);
  }

  /** Budgets in the order in which they came: what is spent, set aside and left of each. */
  async budgets(): Promise<readonly BudgetInfo[]> {
    return this.#query("budgets", undefined);
  }

  /** Ballots that are open, and closed ones that are kept, as they were counted; of an open one, the count as it stands. */
  async ballots(): Promise<readonly BallotResult[]> {
    return this.#query("ballots", undefined);
  }

  /**
   * Counts a ballot again, from its votes as they are journaled; of an open one, the count as it stands. It gives what
   * `decide` gave, also after a restart, and for as long as the ballot is kept: closed ones are in memory first, and in
   * the journal's archive from then on. UNKNOWN_BALLOT for an id that there never was.
   */
  async recount(ballotId: string): Promise<BallotResult> {
    this.#assertOpen();
    return this.#query("recount", checkText(ballotId, "the id of a ballot"));
  }

  /** How many tasks there are in each status, and how long things take. */
  async stats(): Promise<Stats> {
    return this.#query("stats", undefined);
  }

  /**
   * The log, from a seq on: up to now, or with `follow` on and on until the signal is aborted or the coordinator closed;
   * then it ends. Only what is durable is seen. SEQ_COMPACTED below what is kept.
   */
  async *events(options: FeedOptions = {}): AsyncGenerator<StoredEvent, void, undefined> {
    this.#assertOpen();
    checkFeedOptions(options);
    await this.#query("settled", undefined);
    yield* this.#backend.events({ ...options });
  }

  /** Writes the whole state down, so that the next opening need not replay what led to it. Done by itself now and then. */
  async snapshot(): Promise<{ readonly seq: number }> {
    await this.#query("settled", undefined);
    return this.#backend.snapshot();
  }

  /**
   * Copies the journal, as it is at some instant meanwhile, to a new file: `Coordinator.open({ journal: "sqlite:PATH" })` goes
   * on from there. Work goes on. INVALID_ARGUMENT where something is at that path already, INVALID_STATE for `memory:`.
   */
  async backup(path: string): Promise<void> {
    this.#assertOpen();
    const target = resolve(checkText(path, "path"));
    await this.#query("settled", undefined);
    await this.#backend.backup(target);
  }

  /**
   * Takes a snapshot and drops events before `beforeSeq` (default: all that need not be kept) from the journal. Kept is what
   * the two newest snapshots need, so that a damaged one can be done without; `floor` is the first seq that is left. Results
   * of tasks that have ended stay.
   */
  async compact(beforeSeq?: number): Promise<{ readonly floor: number }> {
    this.#assertOpen();
    if (beforeSeq !== undefined) checkInteger(beforeSeq, "beforeSeq", 1, Number.MAX_SAFE_INTEGER);
    await this.#query("settled", undefined);
    return this.#backend.compact(beforeSeq);
  }

  /** Resolves when nothing runs and nothing can run without a new call. */
  async idle(): Promise<void> {
    await this.#query("settled", undefined);
    await this.#backend.idle();
  }

  /**
   * Starts nothing more, waits for what runs, and tells what still runs after `graceMs` (default 30 000) to stop. What has
   * not ended is left for the next opening. All that is left to do then is to look, and to close.
   */
  async drain(options: { graceMs?: number } = {}): Promise<void> {
    this.#assertOpen();
    checkOptions(options, { known: ["graceMs"] }, "the options of drain");
    const { graceMs = runtimeLimits.drainGraceMs } = options;
    await this.#backend.drain(checkDuration(graceMs, "graceMs", { zero: true }));
  }

  /**
   * Stops what runs (it goes on at the next opening, without counting as failed), and closes the journal. Whoever still
   * waits gets CLOSED. Any number of times.
   */
  close(): Promise<void> {
    this.#closed ??= this.#backend.close();
    return this.#closed;
  }

  /** What `await using` calls at the end of its block: {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Tells how far running attempts are, as they report it, until the function that it returns is called. */
  onProgress(listener: (progress: Progress) => void): () => void {
    return this.#here("progress is told").onProgress(listener);
  }

  async #command(
    command: Command,
    bytes = 0,
    from: { readonly by?: string | undefined; readonly trace?: string | undefined } = {},
  ): Promise<Accepted> {
    this.#assertOpen();
    return this.#backend.command(command, { bytes, ...from, guard: this.#registrations.guard() });
  }

  async #query<N extends keyof QueryTypes>(name: N, about: QueryTypes[N]["in"]): Promise<QueryTypes[N]["out"]> {
    this.#assertOpen();
    return this.#backend.query(name, about, this.#registrations.guard());
  }

  #here(what: string): LocalBackend {
    this.#assertOpen();
    if (this.#local !== undefined) return this.#local;
    throw new SafeguardsError(
      "INVALID_STATE",
      `${what} in the process that writes the journal; this coordinator has joined it`,
    );
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new SafeguardsError("CLOSED", "the coordinator is closed");
  }
}

/** Lets other processes join. Without that everything else works. */
async function serve(local: LocalBackend, path: string, logger: Logger): Promise<void> {
  try {
    const server = await serveRemotes(local, path);
    local.beforeRelease(() => server.close());
    // What a person has to do, who may come in that way, is worth waiting for; else nothing but the wait kept the process alive.
    local.whileWaited((byAnybody) => (byAnybody ? server.ref() : server.unref()));
  } catch (error) {
    logger.warn({ path, error }, "other processes cannot join: the socket beside the journal could not be opened");
  }
}

function isList(tasks: TaskSpec | readonly TaskSpec[]): tasks is readonly TaskSpec[] {
  return Array.isArray(tasks);
}

function checkText(value: unknown, what: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= limits.globalIdLength) return value;
  throw invalid(what, value, `a string of 1 to ${limits.globalIdLength} characters`);
}

/** Whose decision on which approval it is. */
function decisionOf(
  taskId: string,
  options: { readonly by?: string; readonly hash?: string },
  what: string,
): { readonly by: string | undefined; readonly about: { readonly taskId: string; readonly hash?: string } } {
  checkOptions(options, { known: ["by", "hash"] }, what);
  const { by, hash } = options;
  for (const [name, value] of Object.entries({ by, hash })) checkOptional(value, "string", name);
  return { by, about: { taskId: checkText(taskId, "the id of a task"), ...(hash === undefined ? {} : { hash }) } };
}

/** A ballot, copied; what its parts must be is the kernel's to say. */
function ballotOf(ballot: BallotSpec): { readonly request: BallotRequest; readonly bytes: number } {
  checkOptions(ballot, { known: BALLOT_KEYS }, "a ballot");
  const { weights, context, ...rest } = ballot;
  const { json, bytes } = admit(rest, "the ballot", runtimeLimits.inputBytes);
  const about =
    context === undefined ? undefined : admit(context, "the context of the ballot", runtimeLimits.inputBytes);
  const request = {
    // A copy of what was checked to be a ballot has its shape.
    ...(json as unknown as BallotRequest),
    ...(weights === undefined
      ? {}
      : { weights: weights === "reputation" ? weights : amountsOf(weights, "weights", WEIGHTS) }),
    ...(about === undefined ? {} : { context: about.json }),
  };
  return { request, bytes: bytes + (about?.bytes ?? 0) };
}
