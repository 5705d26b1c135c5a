/** What an attempt's code is given besides its task. */

import type { AgentContext, Allocation, Logger, ManagerContext, Message, More } from "../agents/agent.ts";
import {
  checkDuration,
  checkId,
  checkInteger,
  invalid,
  nullRecord,
  show,
} from "../coordination/structures/arguments.ts";
import type { Json, Money, RecordOf } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import { limits } from "../kernel/limits.ts";
import type { Entry } from "../kernel/versioned-state.ts";
import type { TaskView } from "../kernel/views.ts";
import { Awaiting } from "./awaiting.ts";
import type { Accepted, CommandOptions } from "./backend.ts";
import { admit, copyOf } from "./json.ts";
import { blockedError, type Judges } from "./judges.ts";
import { runtimeLimits } from "./limits.ts";
import { withFacts } from "./logger.ts";
import type { Reading } from "./messages.ts";
import { checkFunction, checkOptional, checkOptions } from "./options.ts";
import type { OutcomeData } from "./outcome.ts";
import { checkProgress } from "./progress.ts";
import { quietly, quietlyRead } from "./quietly.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import type { CacheRequest } from "./shared-cache.ts";
import { sharedStateOf } from "./shared-state-context.ts";
import type { TaskHandle, TaskSpec } from "./task.ts";
import { amountsOf, takeIn } from "./task-request.ts";

/** What contexts need of the coordinator that they belong to. */
export interface AttemptServices {
  readonly logger: Logger;
  send(command: Command, options: CommandOptions): Promise<Accepted>;
  task(id: string): TaskView | undefined;
  /** What tells the outputs of tasks that have ended, whatever becomes of them. */
  outputsOf(ids: readonly string[]): Outputs | Promise<Outputs>;
  /** One message after the other, until the attempt is over. */
  messages(attempt: RunningAttempt, reading: Reading): AsyncGenerator<Message, void, undefined>;
  /** What the shared state has under that key, told when it is durable. */
  entry(key: string): Promise<Entry | undefined>;
  /** A handle whose waiting is done so. */
  handle(id: string, wait: (ended: Promise<OutcomeData>) => Promise<OutcomeData>): TaskHandle;
  progress(attempt: RunningAttempt, fraction: number, note: string | undefined): void;
  /** What all attempts of this process share. */
  shared(request: CacheRequest): Promise<Json>;
  /** Told before the attempt awaits the task `on`, as `SharedCache.awaits` is. */
  awaits(attempt: RunningAttempt, on: string): () => void;
  readonly judges: Judges;
}

/** What tells the output of a task, by its id; undefined: it did not complete. */
export type Outputs = ReadonlyMap<string, () => Json | undefined>;

export const NO_OUTPUTS: Outputs = new Map();

/** Another round of subtasks, made by `ctx.more` and by nothing else. */
export class NextRound implements More {
  readonly subtasks: readonly TaskSpec[];

  constructor(subtasks: readonly TaskSpec[]) {
    this.subtasks = subtasks;
  }
}

/**
 * Members are getters, so that they work when taken out of the object, and cost nothing when they are not used. No promise
 * that is made here can end as an unhandled rejection: code that does not wait for a checkpoint harms nobody.
 */
export class AttemptContext implements AgentContext {
  readonly token: number;
  readonly attempt: number;
  readonly resumeFrom?: Json;
  readonly #attempt: RunningAttempt;
  readonly #view: TaskView;
  readonly #services: AttemptServices;
  readonly #outputs: Outputs;
  #dependencies: Readonly<Record<string, Json>> | undefined = undefined;
  #log: Logger | undefined = undefined;

  /** `outputs`: of what the task depends on. */
  constructor(attempt: RunningAttempt, view: TaskView, outputs: Outputs, services: AttemptServices) {
    this.token = attempt.token;
    this.attempt = attempt.number;
    if (view.checkpoint !== undefined) this.resumeFrom = copyOf(view.checkpoint);
    this.#attempt = attempt;
    this.#view = view;
    this.#services = services;
    this.#outputs = outputs;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get idempotencyKey(): string {
    const { taskId, phase } = this.#attempt;
    return phase === "run" ? taskId : `${taskId}#${this.#part()}`;
  }

  get dependencies(): Readonly<Record<string, Json>> {
    if (this.#dependencies === undefined) {
      const outputs = nullRecord<Json>();
      for (const { id, as } of this.#view.dependencies) {
        const output = this.#outputs.get(id)?.();
        if (output !== undefined) outputs[as] = copyOf(output);
      }
      this.#dependencies = outputs;
    }
    return this.#dependencies;
  }

  get log(): Logger {
    const { taskId, agent, number } = this.#attempt;
    this.#log ??= withFacts(this.#services.logger, { taskId, agent, attempt: number });
    return this.#log;
  }

  get checkpoint(): AgentContext["checkpoint"] {
    return (state) => quietly(this.#checkpoint(state));
  }

  get heartbeat(): AgentContext["heartbeat"] {
    return async () => {
      this.#assertGoing();
    };
  }

  get progress(): AgentContext["progress"] {
    return (fraction, note) => {
      checkProgress(fraction, note);
      this.#services.progress(this.#attempt, fraction, note?.slice(0, runtimeLimits.noteLength));
    };
  }

  get request(): AgentContext["request"] {
    return (amounts, options = {}) => quietly(this.#request(amounts, options));
  }

  get release(): AgentContext["release"] {
    return (allocation) => quietly(this.#release(allocation));
  }

  get submit(): AgentContext["submit"] {
    // What a task gives is the caller's to say.
    return <O extends Json>(task: TaskSpec) => quietly(this.#submit(task)) as Promise<TaskHandle<O>>;
  }

  get budget(): AgentContext["budget"] {
    return { spend: (amount, what) => quietly(this.#spend(amount, what)) };
  }

  get act(): AgentContext["act"] {
    return (name, args, action) => quietly(this.#act(name, args, action));
  }

  get send(): AgentContext["send"] {
    return (to, message) => quietly(this.#send({ to }, message));
  }

  get publish(): AgentContext["publish"] {
    return (topic, message) => quietly(this.#send({ topic }, message));
  }

  get messages(): AgentContext["messages"] {
    return (options = {}) => {
      checkOptions(options, { known: ["topic", "timeoutMs"] }, "the options of messages");
      const { topic, timeoutMs } = options;
      const reading = {
        ...(topic === undefined ? {} : { topic: checkTopic(topic) }),
        ...(timeoutMs === undefined ? {} : { timeoutMs: checkDuration(timeoutMs, "timeoutMs", { zero: true }) }),
      };
      return quietlyRead(this.#services.messages(this.#attempt, reading));
    };
  }

  get state(): AgentContext["state"] {
    const {
      get,
      set,
      delete: remove,
    } = sharedStateOf(this.#attempt, {
      entry: (key) => this.#services.entry(key),
      send: (command, bytes) => this.#tell(command, { bytes }),
    });
    return {
      get: (key) => quietly(get(key)),
      set: (key, value, expected) => quietly(set(key, value, expected)),
      delete: (key, expected) => quietly(remove(key, expected)),
    };
  }

  get cache(): AgentContext["cache"] {
    // What the load gives is the caller's to say.
    return <T extends Json>(key: string, ttlMs: number, load: () => Promise<T>) =>
      quietly(this.#cached(key, ttlMs, load)) as Promise<T>;
  }

  /** Rounds planned so far. */
  protected roundsPlanned(): number {
    return this.#view.round - (this.#view.othersPlans?.round ?? 0);
  }

  /** What tells one phase of a manager from the others. */
  #part(): string {
    const { phase } = this.#attempt;
    return phase === "aggregate" ? `aggregate${this.#view.round}` : phase;
  }

  #assertGoing(): void {
    const { isOver, taskId } = this.#attempt;
    if (isOver) throw new SafeguardsError("FENCED", `this attempt at task ${taskId} is over`, { details: { taskId } });
  }

  async #act<T>(name: string, args: Json, action: (args: Json) => Promise<T>): Promise<T> {
    checkId(name, "the name of an action");
    checkFunction(action, `action ${show(name)}`);
    const { json } = admit(args, `the arguments of action ${show(name)}`, runtimeLimits.inputBytes);
    this.#assertGoing();
    return action(this.#services.judges.watch("action") ? await this.#allowed(name, json, action.length > 0) : json);
  }

  /** The arguments that guardrails let the action have; what they said is durable. */
  async #allowed(action: string, args: Json, takesChange: boolean): Promise<Json> {
    const { judges } = this.#services;
    const attempt = this.#attempt;
    const { taskId, token, agent, stopped } = attempt;
    attempt.actions += 1;
    if (attempt.actions > runtimeLimits.actionsPerAttempt) {
      const message = `an attempt takes at most ${runtimeLimits.actionsPerAttempt} actions that guardrails look at`;
      throw new SafeguardsError("QUEUE_FULL", message, { retryable: false });
    }
    const { verdicts, value, blocked } = await judges.judge("action", this.#view, args, { agent, action, takesChange });
    const bytes = runtimeLimits.verdictBytes * verdicts.length;
    await this.#tell({ type: "attempt.act", taskId, token, action, verdicts }, { bytes });
    if (blocked !== undefined) throw blockedError(blocked, `action ${show(action)}`);
    // What it was told meanwhile comes before what it wanted.
    if (attempt.stopped !== undefined && attempt.stopped !== stopped) throw attempt.stopped;
    return value;
  }

  /** Asks in the name of its agent. */
  #tell(command: Command, options: Omit<CommandOptions, "by"> = {}): Promise<Accepted> {
    return this.#services.send(command, { ...options, by: this.#attempt.agent });
  }

  async #send(where: { readonly to: string } | { readonly topic: string }, message: Json): Promise<void> {
    const { json, bytes } = admit(message, "the message", runtimeLimits.inputBytes);
    const { taskId, token } = this.#attempt;
    await this.#tell({ type: "message.send", taskId, token, ...where, body: json }, { bytes });
  }

  async #checkpoint(state: Json): Promise<void> {
    const { json, bytes } = admit(state, "the checkpoint", runtimeLimits.inputBytes);
    const { taskId, token } = this.#attempt;
    await this.#tell({ type: "attempt.checkpoint", taskId, token, state: json }, { bytes });
  }

  async #request(
    amounts: RecordOf<number>,
    options: NonNullable<Parameters<AgentContext["request"]>[1]>,
  ): Promise<Allocation> {
    checkOptions(options, { known: ["wait", "leaseMs"] }, "the options of a request");
    checkOptional(options.wait, "boolean", "wait");
    const { taskId, token } = this.#attempt;
    const { promise, resolve, reject } = Promise.withResolvers<Allocation>();
    const { allocation } = await this.#tell(
      { type: "attempt.request", taskId, token, amounts: amountsOf(amounts, "amounts"), ...options },
      {
        // Before its grant can be told.
        decided: (answer) => {
          const [requestId] = answer.ok && answer.allocation === undefined ? answer.ids : [];
          if (requestId === undefined) return;
          quietly(promise);
          this.#attempt.addRequest(requestId, {
            resolve: (granted) => resolve({ ...granted, holder: taskId }),
            reject,
          });
        },
      },
    );
    return allocation ?? promise;
  }

  async #spend(amount: Money, what: string | undefined): Promise<void> {
    const { taskId, token } = this.#attempt;
    await this.#tell({ type: "attempt.spend", taskId, token, amount, ...(what === undefined ? {} : { what }) });
  }

  async #release(allocation: Allocation): Promise<void> {
    if (typeof allocation !== "object" || allocation === null) throw invalid("allocation", allocation, "an allocation");
    if (typeof allocation.id !== "string") throw invalid("the id of an allocation", allocation.id, "a string");
    checkInteger(allocation.token, "the token of an allocation", 0, Number.MAX_SAFE_INTEGER);
    const { taskId, token } = this.#attempt;
    const { id: allocationId, token: allocationToken } = allocation;
    await this.#tell({ type: "attempt.release", taskId, token, allocationId, allocationToken });
  }

  async #cached(key: string, ttlMs: number, load: () => Promise<Json>): Promise<Json> {
    if (typeof key !== "string" || key.length === 0 || key.length > runtimeLimits.cacheKeyLength)
      throw invalid("key", key, `a string of 1 to ${runtimeLimits.cacheKeyLength} characters`);
    checkDuration(ttlMs, "ttlMs", { zero: true });
    checkFunction(load, "load");
    const { isOver, taskId, signal } = this.#attempt;
    if (isOver) throw new SafeguardsError("FENCED", `this attempt at task ${taskId} is over`, { details: { taskId } });
    return this.#services.shared({ taskId, key, ttlMs, load, signal });
  }

  async #await(awaiting: Awaiting, id: string, ended: Promise<OutcomeData>): Promise<OutcomeData> {
    ended.catch(() => undefined);
    const done = this.#services.awaits(this.#attempt, id);
    try {
      return await awaiting.await(id, ended);
    } finally {
      done();
    }
  }

  async #submit(task: TaskSpec): Promise<TaskHandle> {
    const { request, bytes } = takeIn(task);
    const attempt = this.#attempt;
    const { taskId, token, phase } = attempt;
    // Counted, so that a repeated attempt finds the same tasks; apart from those of a manager's plan.
    const counted = request.id === undefined ? attempt.submits++ : 0;
    // What was submitted in an earlier series, or by those whose place it has taken, was cancelled with their failure.
    const { retries, fallback } = this.#view;
    const own = `${retries === undefined ? "" : `retry${retries}-`}${fallback === undefined ? "" : "fallback-"}`;
    const id = request.id ?? (phase === "run" ? `${own}${counted}` : `${own}${this.#part()}-${counted}`);
    const { ids } = await this.#tell(
      { type: "task.submit", tasks: [{ ...request, id }], from: { taskId, token } },
      { bytes },
    );
    const globalId = ids[0] ?? `${taskId}/${id}`;
    attempt.awaiting ??= new Awaiting((on, answered) => {
      this.#tell({ type: "attempt.await", taskId, token, on }).then(
        () => answered(undefined),
        (error) => answered(error),
      );
    });
    const { awaiting } = attempt;
    return this.#services.handle(globalId, (ended) => quietly(this.#await(awaiting, globalId, ended)));
  }
}

/** The same for a manager. */
export class ManagerAttemptContext extends AttemptContext implements ManagerContext {
  get round(): number {
    return this.roundsPlanned();
  }

  get more(): ManagerContext["more"] {
    return (subtasks) => {
      if (!Array.isArray(subtasks)) throw invalid("subtasks", subtasks, "a list of tasks");
      return new NextRound(subtasks);
    };
  }
}

function checkTopic(topic: unknown): string {
  if (typeof topic === "string" && topic.length > 0 && topic.length <= limits.idLength) return topic;
  throw invalid("topic", topic, `a string of 1 to ${limits.idLength} characters`);
}
