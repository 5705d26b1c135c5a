/**
 * One attempt of an isolated agent, in a thread of its own.
 *
 * 1. A thread runs one attempt and is terminated: what it leaves behind, timers and all, cannot harm another one.
 * 2. Whatever the thread does, its attempt has one end: what its code gave or threw, that the thread died, or that it was lost
 *    because nothing was heard from it for as long as its lease. Then the thread is terminated.
 * 3. What comes from the thread is data: it was made by code that may have broken into its own thread's modules.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { AgentContext, Task } from "../agents/agent.ts";
import type { IsolatedOptions } from "../agents/definition.ts";
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { Failure } from "../kernel/events/failure.ts";
import { errorFrom, failureFrom, failureOf } from "./failure.ts";
import { Heard, newBacklog } from "./isolated-backlog.ts";
import {
  ASKED,
  type Asked,
  type Assignment,
  type FromThread,
  type Handover,
  LEVELS,
  type ToThread,
} from "./isolated-protocol.ts";
import { IsolatedReaders } from "./isolated-readers.ts";
import { runtimeLimits } from "./limits.ts";
import { heapLimitMb, watchMemory } from "./thread-memory.ts";
import { ThreadSeats } from "./thread-seats.ts";

/** A thread is heard so many times within its lease, if all is well. */
const BEATS_PER_LEASE = 4;

/** Of all coordinators of this process. */
export const threadSeats: ThreadSeats = new ThreadSeats(runtimeLimits.isolatedThreads);

export interface IsolatedParts {
  readonly agent: string;
  readonly options: IsolatedOptions;
  readonly task: Task;
  readonly context: AgentContext;
  /** Calls once after so many milliseconds, unless the function that it returns is called before. */
  after(ms: number, fn: () => void): () => void;
  /** Resolves in the next turn of the loop. */
  pause(): Promise<void>;
  /** Nothing has been heard of it for too long. */
  lost(message: string): void;
}

export class IsolatedThread {
  readonly #parts: IsolatedParts;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ended: PromiseWithResolvers<unknown> = Promise.withResolvers();
  readonly #beatMs: number;
  readonly #readers: IsolatedReaders;
  readonly #backlog: Heard;
  readonly #unwatch: () => void;
  #cancel: () => void = () => undefined;
  #hasBegun = false;
  #isDone = false;
  /** What its code gave or threw, or why it is ended: told when the thread is gone. */
  #conclude: () => void = () => undefined;

  /** On a seat of `threadSeats` that was taken for it, and that it gives back. */
  constructor(parts: IsolatedParts) {
    this.#parts = parts;
    this.#readers = new IsolatedReaders(parts.context);
    const { memoryMb, leaseMs } = parts.options;
    this.#beatMs = Math.ceil(leaseMs / BEATS_PER_LEASE);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    // The same kind of file that this one is: TypeScript where Node runs it as it is, else what was compiled from it.
    const file = `./isolated-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`;
    this.#worker = new Worker(new URL(file, import.meta.url), {
      name: `safeguards-${parts.agent}`,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb(memoryMb) },
    });
    this.#unwatch = watchMemory(this.#worker, {
      memoryMb,
      after: parts.after,
      tooMuch: () => this.#end(() => this.#ended.reject(tookTooMuch(parts))),
    });
    this.#worker.on("error", (error) => this.#end(() => this.#ended.reject(diedOf(error, parts))));
    this.#worker.once("exit", (code) => this.#exited(code));
    port1.on("message", (message: unknown) => {
      if (typeof message === "string") this.#heard(message);
    });
    const backlog = newBacklog();
    this.#backlog = new Heard(backlog, parts.pause);
    const handover: Handover = { port: port2, backlog };
    this.#worker.postMessage(handover, [port2]);
    this.#tell({ tell: "run", assignment: this.#assignment() });
    const { signal } = parts.context;
    if (signal.aborted) this.#stop();
    else signal.addEventListener("abort", this.#stop, { once: true });
    this.#cancel = parts.after(runtimeLimits.isolatedStartMs, () => {
      const message = `the module of agent ${show(parts.agent)} was not there within ${runtimeLimits.isolatedStartMs} ms`;
      this.#end(() => this.#ended.reject(new SafeguardsError("TASK_FAILED", message, { retryable: true })));
    });
  }

  /** What its code returns, or throws; settled when the thread is gone. */
  get result(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Ends the thread, whatever it does. */
  kill(): void {
    this.#end(() => this.#ended.reject(new SafeguardsError("CANCELLED", "its thread was ended")));
  }

  #assignment(): Assignment {
    const { agent, options, task, context } = this.#parts;
    const { token, attempt, idempotencyKey, dependencies, resumeFrom } = context;
    const { module } = options;
    const resumed = resumeFrom === undefined ? {} : { resumeFrom };
    return { agent, module, beatMs: this.#beatMs, task, token, attempt, idempotencyKey, dependencies, ...resumed };
  }

  readonly #stop = (): void => {
    const { reason } = this.#parts.context.signal;
    // What has not begun need not be asked to stop.
    if (!this.#hasBegun) this.#end(() => this.#ended.reject(reason));
    else this.#tell({ tell: "stop", reason: failureOf(reason) });
  };

  #tell(message: ToThread): void {
    this.#port.postMessage(JSON.stringify(message));
  }

  /** Another lease begins. */
  #renew(): void {
    this.#cancel();
    const { after, options } = this.#parts;
    // This thread may have been kept busy itself: what was sent meanwhile is heard before anybody is given up.
    this.#cancel = after(options.leaseMs - this.#beatMs, () => {
      this.#cancel = after(this.#beatMs, () => this.#expired());
    });
  }

  #expired(): void {
    const { agent, options, lost } = this.#parts;
    const message = `nothing was heard of agent ${show(agent)} for ${options.leaseMs} ms: its lease has run out`;
    this.#end(() => this.#ended.reject(new SafeguardsError("TASK_FAILED", message)));
    lost(message);
  }

  #heard(text: string): void {
    if (this.#isDone) return;
    this.#backlog.add(text);
    const message = messageIn(text);
    if (message === undefined) return;
    this.#renew();
    const { log, progress } = this.#parts.context;
    switch (message.tell) {
      case "begun":
        this.#hasBegun = true;
        break;
      case "ask":
        this.#answer(message.id, message.what, message.args);
        break;
      case "left":
        this.#readers.left(message.reader);
        break;
      case "progress":
        ignoringRefusals(() => progress(message.fraction, message.note));
        break;
      case "log":
        if (LEVELS.includes(message.level)) ignoringRefusals(() => log[message.level](message.facts, message.text));
        break;
      case "returned":
        this.#end(() => this.#ended.resolve(message.output));
        break;
      case "threw": {
        const error = errorFrom(failureFrom(message.failure));
        this.#end(() => this.#ended.reject(error));
        break;
      }
      default:
        break;
    }
  }

  #answer(id: number, what: Asked, args: readonly Json[]): void {
    const tell = (answer: { readonly value?: Json; readonly error?: Failure }): void => {
      if (!this.#isDone) this.#tell({ tell: "answer", id, ...answer });
    };
    askedOf(this.#parts.context, this.#readers, what, args).then(
      (value) => tell(value === undefined ? {} : { value }),
      (error: unknown) => tell({ error: failureOf(error) }),
    );
  }

  /** The end is decided; it is told when the thread is gone. */
  #end(conclude: () => void): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#conclude = conclude;
    this.#cancel();
    this.#unwatch();
    this.#parts.context.signal.removeEventListener("abort", this.#stop);
    this.#port.close();
    void this.#worker.terminate();
  }

  #exited(code: number): void {
    threadSeats.giveBack();
    const { agent } = this.#parts;
    this.#end(() => {
      const message = `the thread of agent ${show(agent)} ended with exit code ${code} before its task did`;
      this.#ended.reject(new SafeguardsError("TASK_FAILED", message, { retryable: true, details: { exitCode: code } }));
    });
    this.#conclude();
  }
}

function messageIn(text: string): FromThread | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null && "tell" in message ? (message as FromThread) : undefined;
  } catch {
    return undefined;
  }
}

/** What a context refuses of that for which nobody waits is told to nobody. */
function ignoringRefusals(what: () => void): void {
  try {
    what();
  } catch {
    // As it says.
  }
}

/** The context checks what it is given: here it is what it must be, or refused. */
async function askedOf(
  context: AgentContext,
  readers: IsolatedReaders,
  what: Asked,
  args: readonly Json[],
): Promise<Json | undefined> {
  if (!ASKED.includes(what) || !Array.isArray(args)) throw new SafeguardsError("INVALID_ARGUMENT", "no such request");
  // It is JSON, or nothing.
  return (await Reflect.apply(memberOf(context, readers, what), undefined, args)) as Json | undefined;
}

function memberOf(
  context: AgentContext,
  readers: IsolatedReaders,
  what: Asked,
): (...args: never[]) => Promise<unknown> {
  switch (what) {
    case "messages":
      return (reader: Json, options: Json) => readers.next(reader, options);
    case "state.get":
      return context.state.get;
    case "state.set":
      return context.state.set;
    case "state.delete":
      return context.state.delete;
    case "budget.spend":
      return context.budget.spend;
    default:
      return context[what];
  }
}

function diedOf(error: unknown, parts: IsolatedParts): SafeguardsError {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  return code === "ERR_WORKER_OUT_OF_MEMORY" ? tookTooMuch(parts, error) : died(failureOf(error).message, parts, error);
}

function tookTooMuch(parts: IsolatedParts, cause?: unknown): SafeguardsError {
  return died(`it took more than the ${parts.options.memoryMb} MB that it may`, parts, cause);
}

function died(why: string, { agent }: IsolatedParts, cause: unknown): SafeguardsError {
  return new SafeguardsError("TASK_FAILED", `the thread of agent ${show(agent)} died: ${why}`, {
    retryable: true,
    cause,
  });
}
