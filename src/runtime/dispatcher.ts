/**
 * Runs agents' code as the kernel has decided, and tells it how that went.
 *
 * 1. Code runs at most once for an attempt, and only when the journal says that the attempt has started.
 * 2. Whatever the code does, at most one result of its attempt is reported, and none once the attempt is over.
 * 3. Code that is told to stop has its signal aborted, and everything that it awaits through its context refused.
 * 4. What is told to stop because the coordinator closes has not failed: a throw then is not reported.
 */
import type { AgentContext, Task } from "../agents/agent.ts";
import type { Definition, IsolatedOptions, ManagerDefinition, WorkerDefinition } from "../agents/definition.ts";
import { show } from "../coordination/structures/arguments.ts";
import { SafeguardsError } from "../errors.ts";
import type { Answer, Command } from "../kernel/commands.ts";
import type { Failure } from "../kernel/events/failure.ts";
import type { KernelEvent } from "../kernel/events.ts";
import type { TaskView } from "../kernel/views.ts";
import {
  AttemptContext,
  type AttemptServices,
  ManagerAttemptContext,
  NextRound,
  NO_OUTPUTS,
  type Outputs,
} from "./attempt-context.ts";
import { BatchRun, type RunBatch } from "./batch-run.ts";
import { runChecked } from "./checked-run.ts";
import { bytesOf, failureOf } from "./failure.ts";
import { taskOf } from "./handed-task.ts";
import { IsolatedThread, threadSeats } from "./isolated-thread.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import { handOut, outcomeOf } from "./outcome.ts";
import { RunningAttempt, stopError } from "./running-attempt.ts";
import type { Meters } from "./stats.ts";
import type { Outcome } from "./task.ts";
import { takeInAll } from "./task-request.ts";
import type { ThrownErrors } from "./thrown-errors.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { readonly type: T }>;
type EventOf<T extends KernelEvent["type"]> = Extract<KernelEvent, { readonly type: T }>;

export interface DispatcherParts {
  readonly services: AttemptServices;
  readonly thrown: ThrownErrors;
  readonly meters: Pick<Meters, "queueWait" | "run" | "dispatch" | "partsOf">;
  /** The code of an agent in this process. */
  definition(agent: string): Definition | undefined;
  /** Sends a command of an agent, for whose answer nobody waits. */
  post(command: Command, by: string, bytes: number, answered?: (answer: Answer) => void): void;
  /** Lets others have their turn. */
  pause(): Promise<void>;
  /** Calls once after so many milliseconds, unless the function that it returns is called before. */
  after(ms: number, fn: () => void): () => void;
}

/** An attempt that its agent is given with others. */
interface BatchMember {
  readonly definition: WorkerDefinition;
  readonly runBatch: RunBatch;
  readonly attempt: RunningAttempt;
  readonly view: TaskView;
  readonly outputs: Outputs | Promise<Outputs>;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #running: Map<number, RunningAttempt> = new Map();
  /** Abandoned attempts whose code goes on and keeps what it held, by token. */
  readonly #deaf: Map<number, RunningAttempt> = new Map();
  /** Calls for several attempts that are being put together, by the token of their first. */
  readonly #batches: Map<number, BatchMember[]> = new Map();
  #closing = false;
  #quiet: PromiseWithResolvers<void> | undefined = undefined;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Runs nothing that starts from now on: its attempt ends when the coordinator closes. */
  close(): void {
    this.#closing = true;
  }

  /** Tells all code that runs to stop. */
  stopAll(error: SafeguardsError): void {
    for (const attempt of [...this.#running.values()]) attempt.stop(error);
  }

  /** Ends all threads: nobody hears any more what they give. */
  killAll(): void {
    for (const attempt of [...this.#running.values()]) attempt.kill?.();
  }

  /** The longest that code which runs is given to stop, in milliseconds. */
  get longestGraceMs(): number {
    let longest = 0;
    for (const { graceMs } of this.#running.values()) longest = Math.max(longest, graceMs);
    return longest;
  }

  /** Resolves when no code runs. */
  quiet(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    this.#quiet ??= Promise.withResolvers<void>();
    return this.#quiet.promise;
  }

  started(event: EventOf<"task.started">, decidedAt: number): void {
    if (this.#closing) return;
    const definition = this.#parts.definition(event.agent);
    const view = this.#parts.services.task(event.taskId);
    const attempt = new RunningAttempt(event, performance.now(), this.#threwAtStop);
    this.#running.set(event.token, attempt);
    if (definition === undefined || view === undefined) {
      const message = `agent ${show(event.agent)} has no code in this process`;
      this.#threw(attempt, new SafeguardsError("INVALID_STATE", message, { retryable: true }));
      return;
    }
    if (view.graceMs !== undefined) attempt.graceMs = view.graceMs;
    const { meters } = this.#parts;
    attempt.meters = meters.partsOf(event.agent, view.class);
    for (const { dispatch, queueWait } of [meters, ...attempt.meters]) {
      dispatch.record(attempt.startedAt - decidedAt);
      if (event.attempt === 1) queueWait.record(event.at - view.submittedAt);
    }
    const ids = view.dependencies.map(({ id }) => id);
    const outputs = ids.length === 0 ? NO_OUTPUTS : this.#parts.services.outputsOf(ids);
    if (definition.kind === "agent" && definition.runBatch !== undefined) {
      const id = event.batch ?? event.token;
      const members = this.#batches.get(id);
      const member = { definition, runBatch: definition.runBatch, attempt, view, outputs };
      if (members === undefined) this.#batches.set(id, [member]);
      else members.push(member);
      return;
    }
    if (outputs instanceof Promise) {
      outputs.then(
        (fetched) => this.#begin(definition, attempt, view, fetched),
        (error: unknown) => this.#threw(attempt, error),
      );
    } else this.#begin(definition, attempt, view, outputs);
  }

  /** All that has started is told: those who were given to an agent together are known. */
  startedAll(): void {
    if (this.#batches.size === 0) return;
    for (const members of this.#batches.values()) {
      const [first] = members;
      if (first === undefined) continue;
      const run = new BatchRun(first.attempt.agent, first.runBatch, members.length);
      for (const member of members) void this.#beginInBatch(member, run);
    }
    this.#batches.clear();
  }

  /** What is thrown as an attempt is told to stop is no end of it: its code may go on. */
  readonly #threwAtStop = ({ taskId, agent, number }: RunningAttempt, error: unknown): void => {
    const facts = { taskId, agent, attempt: number, error: failureOf(error).message };
    this.#parts.services.logger.warn(facts, `agent ${show(agent)} threw in a listener of its signal`);
  };

  async #beginInBatch({ definition, attempt, view, outputs: given }: BatchMember, run: BatchRun): Promise<void> {
    let isTaken = false;
    try {
      const outputs = await given;
      const context = new AttemptContext(attempt, view, outputs, this.#parts.services);
      const work = (task: Task, ctx: AgentContext): unknown => {
        isTaken = true;
        return run.take(task, ctx, () => attempt.isOver);
      };
      this.#returned(attempt, await runChecked(definition, work, taskOf(view), context));
    } catch (error) {
      this.#threw(attempt, error);
    } finally {
      if (!isTaken) run.leave();
    }
  }

  #begin(definition: Definition, attempt: RunningAttempt, view: TaskView, outputs: Outputs): void {
    // It may have ended while outputs were fetched.
    if (attempt.isOver) {
      this.#gone(attempt);
      return;
    }
    let returned: unknown;
    try {
      returned = this.#run(definition, attempt, view, outputs);
    } catch (error) {
      this.#threw(attempt, error);
      return;
    }
    if (typeof returned === "object" && returned !== null) {
      // It may be a promise; only a promise can find out without risk.
      Promise.resolve(returned).then(
        (value: unknown) => this.#returned(attempt, value),
        (error: unknown) => this.#threw(attempt, error),
      );
    } else {
      this.#returned(attempt, returned);
    }
  }

  stopping(event: EventOf<"attempt.stopping">): void {
    this.#running.get(event.token)?.stop(stopError(event.taskId, event.reason));
  }

  /** For the kernel the attempt is over. */
  over(token: number, end: KernelEvent): void {
    const attempt = this.#running.get(token);
    if (attempt === undefined) return;
    this.#end(attempt);
    const { taskId, agent, number } = attempt;
    attempt.stop(new SafeguardsError("FENCED", `this attempt at task ${taskId} is over`, { details: { taskId } }));
    if (end.type !== "attempt.ended" || end.end !== "abandoned") attempt.kill?.();
    if (end.type === "attempt.ended" && end.end === "abandoned") {
      if (end.keeps === true) this.#deaf.set(token, attempt);
      if (attempt.kill !== undefined) {
        const facts = { taskId, agent, attempt: number };
        this.#parts.services.logger.warn(facts, `agent ${show(agent)} did not stop in time: its thread is ended`);
        attempt.kill();
        return;
      }
      // What it gave came within its grace, and the verdict on that did not.
      if (attempt.hasReturned) return;
      const kept = end.keeps === true ? ", and its resources stay taken until it has ended" : "";
      this.#parts.services.logger.warn(
        { taskId, agent, attempt: number },
        `agent ${show(agent)} did not stop in time and is left to itself: what it still does is not undone, what it returns is discarded${kept}`,
      );
    }
  }

  waits(token: number): void {
    this.#running.get(token)?.awaiting?.waits();
  }

  regained(token: number): void {
    this.#running.get(token)?.awaiting?.regained();
  }

  granted(event: EventOf<"resource.granted">): void {
    if (event.requestId === undefined) return;
    const { allocationId: id, allocationToken: token, amounts, expiresAt } = event;
    const request = this.#running.get(event.token)?.takeRequest(event.requestId);
    request?.resolve({ id, token, amounts, ...(expiresAt === undefined ? {} : { expiresAt }) });
  }

  refused(event: EventOf<"resource.refused">): void {
    const { code, message } = event.error;
    for (const attempt of this.#running.values()) {
      attempt.takeRequest(event.requestId)?.reject(new SafeguardsError(code, message));
    }
  }

  #run(definition: Definition, attempt: RunningAttempt, view: TaskView, outputs: Outputs): unknown {
    const task = taskOf(view);
    if (definition.kind === "agent") {
      const context = new AttemptContext(attempt, view, outputs, this.#parts.services);
      const { isolated } = definition;
      if (isolated === undefined)
        return runChecked(definition, (given, ctx) => definition.run?.(given, ctx), task, context);
      return runChecked(definition, (given, ctx) => this.#isolate(isolated, attempt, given, ctx), task, context);
    }
    const context = new ManagerAttemptContext(attempt, view, outputs, this.#parts.services);
    if (attempt.phase === "plan") return definition.plan(task, context);
    return this.#aggregate(definition, task, view, context);
  }

  /** Has its code run in a thread of its own, once there is one: until then the attempt has begun, and waits. */
  async #isolate(
    options: IsolatedOptions,
    attempt: RunningAttempt,
    task: Task,
    context: AgentContext,
  ): Promise<unknown> {
    const { agent } = attempt;
    // What a schema made of it has to be sent.
    const { json } = admit(task, `what is handed to agent ${show(agent)}`, 3 * runtimeLimits.inputBytes);
    await threadSeats.take(attempt.signal);
    let thread: IsolatedThread;
    try {
      // It may have been told to stop just when it had waited long enough.
      attempt.signal.throwIfAborted();
      thread = new IsolatedThread({
        agent,
        options,
        task: json as unknown as Task,
        context,
        after: this.#parts.after,
        pause: this.#parts.pause,
        lost: (message) => this.#lost(attempt, message),
      });
    } catch (error) {
      threadSeats.giveBack();
      throw error;
    }
    attempt.kill = () => thread.kill();
    return thread.result;
  }

  async #aggregate(
    definition: ManagerDefinition,
    task: Task,
    view: TaskView,
    context: ManagerAttemptContext,
  ): Promise<unknown> {
    const outcomes: Outcome[] = [];
    let since = performance.now();
    for (const id of view.children.slice(view.othersPlans?.planned ?? 0, view.planned)) {
      const child = this.#parts.services.task(id);
      const outcome = child === undefined ? undefined : outcomeOf(child);
      if (outcome !== undefined) outcomes.push(handOut(outcome, this.#parts.thrown.of(outcome)));
      if (performance.now() - since < runtimeLimits.sliceMs) continue;
      await this.#parts.pause();
      since = performance.now();
    }
    return definition.aggregate(task, outcomes, context);
  }

  #returned(attempt: RunningAttempt, value: unknown): void {
    if (attempt.isOver) {
      this.#gone(attempt);
      return;
    }
    let report: { readonly command: Command; readonly bytes: number };
    try {
      report = reportOf(attempt, value);
    } catch (error) {
      this.#threw(attempt, error);
      return;
    }
    if (report.command.type === "attempt.complete" && this.#parts.services.judges.watch("output")) {
      void this.#judge(attempt, report.command, report.bytes);
      return;
    }
    if (!this.#end(attempt)) return;
    this.#parts.post(report.command, attempt.agent, report.bytes, (answer) => {
      // A plan that the kernel refuses is a failure of the attempt; any other refusal says that the attempt is over.
      if (answer.ok || report.command.type !== "attempt.plan" || answer.refusal.code === "FENCED") return;
      this.#fail(attempt, answer.refusal);
    });
  }

  /**
   * While guardrails look at its output, the attempt goes on: it may still run out of time, or be told to stop. Its code has
   * ended, so that it then ends at once; what the guardrails would say is of no use any more.
   */
  async #judge(attempt: RunningAttempt, complete: CommandOf<"attempt.complete">, bytes: number): Promise<void> {
    const { judges, task } = this.#parts.services;
    const view = task(attempt.taskId);
    if (view === undefined) return;
    const { agent } = attempt;
    attempt.hasReturned = true;
    const unwanted = new AbortController();
    attempt.whenStopped((reason) => {
      unwanted.abort(reason);
      if (!this.#end(attempt)) this.#gone(attempt);
      else this.#fail(attempt, failureOf(reason));
    });
    const judged = await judges.judge("output", view, complete.output, { agent, signal: unwanted.signal });
    if (unwanted.signal.aborted) return;
    if (!this.#end(attempt)) {
      this.#gone(attempt);
      return;
    }
    const { verdicts, value, blocked } = judged;
    const output = blocked === undefined ? value : null;
    this.#parts.post({ ...complete, output, verdicts }, agent, bytes + runtimeLimits.verdictBytes * verdicts.length);
  }

  #threw(attempt: RunningAttempt, error: unknown): void {
    if (!this.#end(attempt)) {
      this.#gone(attempt);
      return;
    }
    if (attempt.stopped?.code === "CLOSED") return;
    const failure = failureOf(error);
    // That is what the kernel calls an attempt whose own time is over.
    const own: Failure =
      failure.code === "TIMEOUT"
        ? { ...failure, code: "TASK_FAILED", details: { ...failure.details, code: "TIMEOUT" } }
        : failure;
    this.#parts.thrown.keep(attempt, error);
    this.#fail(attempt, own);
  }

  /** Nothing is heard of it any more. */
  #lost(attempt: RunningAttempt, message: string): void {
    if (!this.#end(attempt) || attempt.stopped?.code === "CLOSED") return;
    const { taskId, token, agent } = attempt;
    attempt.stop(new SafeguardsError("FENCED", `this attempt at task ${taskId} is lost`, { details: { taskId } }));
    this.#parts.post({ type: "attempt.lose", taskId, token, message }, agent, message.length);
  }

  #fail({ taskId, token, agent }: RunningAttempt, error: Failure): void {
    this.#parts.post({ type: "attempt.fail", taskId, token, error }, agent, bytesOf(error));
  }

  /** The code of one that was abandoned has ended after all. */
  #gone({ taskId, token, agent }: RunningAttempt): void {
    if (this.#deaf.delete(token)) this.#parts.post({ type: "attempt.gone", taskId, token }, agent, 0);
  }

  /** Its code has ended, or will not be heard any more. False when that was known. */
  #end(attempt: RunningAttempt): boolean {
    if (attempt.isOver) return false;
    attempt.isOver = true;
    attempt.wakeReaders();
    const ran = performance.now() - attempt.startedAt;
    for (const { run } of [this.#parts.meters, ...attempt.meters]) run.record(ran);
    this.#running.delete(attempt.token);
    if (this.#running.size === 0) {
      this.#quiet?.resolve();
      this.#quiet = undefined;
    }
    return true;
  }
}

/** What is reported of a value that was returned. */
function reportOf(attempt: RunningAttempt, value: unknown): { readonly command: Command; readonly bytes: number } {
  const { taskId, token, phase } = attempt;
  if (phase === "plan") return planOf(attempt, value, "the plan");
  if (phase === "aggregate" && value instanceof NextRound) return planOf(attempt, value.subtasks, "the next round");
  const what = `the output for task ${taskId}`;
  const { json, bytes } = admit(value === undefined ? null : value, what, runtimeLimits.outputBytes);
  return { command: { type: "attempt.complete", taskId, token, output: json, ...readBy(attempt) }, bytes };
}

/** With its output, it has read all that it has in hand. */
function readBy({ inHand }: RunningAttempt): { readonly read?: readonly string[] } {
  return inHand === undefined || inHand.size === 0 ? {} : { read: [...inHand] };
}

function planOf(attempt: RunningAttempt, subtasks: unknown, what: string): { command: Command; bytes: number } {
  const { taskId, token } = attempt;
  const { requests, bytes } = takeInAll(subtasks, `${what} for task ${taskId}`);
  return { command: { type: "attempt.plan", taskId, token, tasks: requests, ...readBy(attempt) }, bytes };
}
