/** What the code of an isolated agent is given besides its task: the same, as far as it can be had from another thread. */

import type { AgentContext, Allocation, Logger, Message, MessageOptions } from "../agents/agent.ts";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import { errorFrom } from "./failure.ts";
import type { Asked, Assignment, FromThread, Level, ToThread } from "./isolated-protocol.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import { checkProgress } from "./progress.ts";
import { quietly, quietlyRead } from "./quietly.ts";

type Answer = Extract<ToThread, { readonly tell: "answer" }>;

export class IsolatedContext implements AgentContext {
  readonly token: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly dependencies: Readonly<Record<string, Json>>;
  readonly resumeFrom?: Json;
  readonly log: Logger;
  readonly #tell: (message: FromThread) => void;
  readonly #controller: AbortController = new AbortController();
  readonly #asked: Map<number, { readonly answer: PromiseWithResolvers<Json | undefined>; readonly bytes: number }> =
    new Map();
  #askedBytes = 0;
  /** The heartbeat whose answer is not there yet. */
  #beat: Promise<void> | undefined = undefined;
  #lastAsked = 0;
  #lastReader = 0;

  constructor(assignment: Assignment, tell: (message: FromThread) => void) {
    const { token, attempt, idempotencyKey, dependencies, resumeFrom } = assignment;
    this.token = token;
    this.attempt = attempt;
    this.idempotencyKey = idempotencyKey;
    this.dependencies = dependencies;
    if (resumeFrom !== undefined) this.resumeFrom = resumeFrom;
    this.#tell = tell;
    this.log = {
      debug: (facts, text) => this.#log("debug", facts, text),
      info: (facts, text) => this.#log("info", facts, text),
      warn: (facts, text) => this.#log("warn", facts, text),
      error: (facts, text) => this.#log("error", facts, text),
    };
  }

  /** The attempt is to stop. */
  stop(reason: SafeguardsError): void {
    this.#controller.abort(reason);
  }

  answered({ id, value, error }: Answer): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    this.#askedBytes -= asked.bytes;
    if (error === undefined) asked.answer.resolve(value);
    else asked.answer.reject(errorFrom(error));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get checkpoint(): AgentContext["checkpoint"] {
    return (state) => this.#ask<void>("checkpoint", state);
  }

  get heartbeat(): AgentContext["heartbeat"] {
    return () => {
      // Code that blocks its thread may call it without end: each is a sign of life, and one answer is for all.
      if (this.#beat !== undefined) {
        this.#tell({ tell: "alive" });
        return this.#beat;
      }
      const beat = this.#ask<void>("heartbeat");
      const answered = (): void => {
        this.#beat = undefined;
      };
      this.#beat = beat;
      beat.then(answered, answered);
      return beat;
    };
  }

  get progress(): AgentContext["progress"] {
    return (fraction, note) => {
      checkProgress(fraction, note);
      const text = note === undefined ? {} : { note: note.slice(0, runtimeLimits.noteLength) };
      this.#tell({ tell: "progress", fraction, ...text });
    };
  }

  get request(): AgentContext["request"] {
    return (amounts, options) => {
      const plain = amounts instanceof Map ? Object.fromEntries(amounts) : amounts;
      return this.#ask<Allocation>("request", plain, options);
    };
  }

  get release(): AgentContext["release"] {
    return (allocation) => this.#ask<void>("release", allocation);
  }

  get send(): AgentContext["send"] {
    return (agent, message) => this.#ask<void>("send", agent, message);
  }

  get publish(): AgentContext["publish"] {
    return (topic, message) => this.#ask<void>("publish", topic, message);
  }

  get state(): AgentContext["state"] {
    return {
      get: (key) => this.#ask("state.get", key),
      set: (key, value, expected) => this.#ask("state.set", key, value, expected),
      delete: (key, expected) => this.#ask("state.delete", key, expected),
    };
  }

  get budget(): AgentContext["budget"] {
    return { spend: (amount, what) => this.#ask<void>("budget.spend", amount, what) };
  }

  get act(): AgentContext["act"] {
    return () => elsewhere("ctx.act");
  }

  get messages(): AgentContext["messages"] {
    return (options) => quietlyRead(this.#read(options));
  }

  get cache(): AgentContext["cache"] {
    return () => elsewhere("ctx.cache");
  }

  get submit(): AgentContext["submit"] {
    return () => elsewhere("ctx.submit");
  }

  async *#read(options: MessageOptions | undefined): AsyncGenerator<Message, void, undefined> {
    this.#lastReader += 1;
    const reader = this.#lastReader;
    try {
      for (;;) {
        const message = await this.#ask<Message | undefined>("messages", reader, options);
        if (message === undefined) return;
        yield message;
      }
    } finally {
      this.#tell({ tell: "left", reader });
    }
  }

  /** The other side checks what is asked; here, that it is JSON. What it answers is what the member gives. */
  #ask<T>(what: Asked, ...args: readonly unknown[]): Promise<T> {
    const answer = Promise.withResolvers<Json | undefined>();
    quietly(answer.promise);
    try {
      // What is left out at the end is left out there, too.
      const given = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
      const admitted = given.map((arg) => admit(arg, `what ctx.${what} is given`, runtimeLimits.inputBytes));
      const bytes = admitted.reduce((sum, one) => sum + one.bytes, 0);
      // Of those there is one at a time.
      if (what !== "heartbeat") this.#assertRoom(bytes);
      this.#lastAsked += 1;
      this.#asked.set(this.#lastAsked, { answer, bytes });
      this.#askedBytes += bytes;
      this.#tell({ tell: "ask", id: this.#lastAsked, what, args: admitted.map(({ json }) => json) });
    } catch (error) {
      answer.reject(error);
    }
    return answer.promise as Promise<T>;
  }

  /** For one more that waits for its answer. */
  #assertRoom(bytes: number): void {
    const { isolatedAsked, isolatedAskedBytes } = runtimeLimits;
    if (this.#asked.size < isolatedAsked && this.#askedBytes + bytes <= isolatedAskedBytes) return;
    const most = `${isolatedAsked} calls, or ${isolatedAskedBytes} bytes of what they are given`;
    throw new SafeguardsError("QUEUE_FULL", `an isolated attempt waits for the answers to at most ${most}`);
  }

  #log(level: Level, facts: object, text: string | undefined): void {
    // Whoever hears it stands still meanwhile.
    const said = text === undefined ? {} : { text: String(text).slice(0, runtimeLimits.inputBytes) };
    this.#tell({ tell: "log", level, facts: plain(facts), ...said });
  }
}

/** What a log line tells, as far as it is JSON of a size that is read. */
function plain(facts: object): Readonly<Record<string, Json>> {
  try {
    const { json } = admit({ ...facts }, "the facts of a log line", runtimeLimits.inputBytes);
    return json as Readonly<Record<string, Json>>;
  } catch (error) {
    return { unreadable: isSafeguardsError(error) ? error.message : true };
  }
}

function notHere(what: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `${what} is not available to an isolated agent`);
}

function elsewhere(what: string): Promise<never> {
  return quietly(Promise.reject(notHere(what)));
}
