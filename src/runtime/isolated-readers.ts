import type { AgentContext, Message, MessageOptions } from "../agents/agent.ts";
import { checkInteger } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { runtimeLimits } from "./limits.ts";

/** The loops over messages that go on in the thread of an isolated attempt, each by the number that it has there. */
export class IsolatedReaders {
  readonly #context: AgentContext;
  readonly #open: Map<number, AsyncIterator<Message>> = new Map();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** Its next message; undefined: there are no more. What comes from the thread is checked. */
  async next(given: Json | undefined, options: Json | undefined): Promise<Message | undefined> {
    const reader = checkInteger(given, "the number of a reader", 1, Number.MAX_SAFE_INTEGER);
    const messages = this.#open.get(reader) ?? this.#begin(reader, options);
    const { done, value } = await messages.next();
    if (done !== true) return value;
    this.#open.delete(reader);
    return undefined;
  }

  /** The loop has been left. */
  left(reader: number): void {
    this.#open.delete(reader);
  }

  #begin(reader: number, options: Json | undefined): AsyncIterator<Message> {
    if (this.#open.size >= runtimeLimits.readersPerAttempt) {
      const message = `an isolated attempt reads messages in ${this.#open.size} places: that is the most`;
      throw new SafeguardsError("QUEUE_FULL", message);
    }
    const messages = this.#context.messages(options as MessageOptions | undefined)[Symbol.asyncIterator]();
    this.#open.set(reader, messages);
    return messages;
  }
}
