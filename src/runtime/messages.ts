/**
 * Hands messages to the code of running attempts.
 *
 * 1. A message is handed over when it is durable, in the order of sending, and to one attempt of its reader at a time.
 * 2. It is read when whoever got it asks for the next one, or when the attempt's output is taken; whatever else ends the
 *    attempt puts it back, for the next attempt that looks. So none is lost, and one may come twice.
 * 3. Who waits for a message is woken by one that comes, or comes back, and by the end of its attempt.
 */
import type { Message } from "../agents/agent.ts";
import { SafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import type { MessageSentEvent } from "../kernel/events/messages.ts";
import { limits } from "../kernel/limits.ts";
import type { KeptMessage } from "../kernel/mailroom.ts";
import type { Clock } from "./clock.ts";
import { copyOf } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import type { RunningAttempt } from "./running-attempt.ts";

export interface MessageParts {
  readonly clock: Pick<Clock, "now" | "after">;
  /** The first message that the agent has not read and that is not in hand. */
  next(agent: string, topic: string | undefined, inHand: { has(id: string): boolean }): KeptMessage | undefined;
  /** Looks when all that was asked for before is decided, and tells it when that is durable. */
  seen<T>(look: () => T): Promise<T>;
  send(command: Command, by: string): Promise<unknown>;
  /** A message was handed over, so many milliseconds after it was sent. */
  handed(attempt: RunningAttempt, ms: number): void;
}

/** Where somebody reads: a topic, or else the mailbox of its agent. */
export interface Reading {
  readonly topic?: string;
  /** Ends when nothing has come for so long; default: never. */
  readonly timeoutMs?: number;
}

/** A message that no other attempt of the agent gets, as long as this one has it. */
interface PickedUp {
  readonly attempt: RunningAttempt;
  readonly message: KeptMessage;
}

type Wake = () => void;

export class Messages {
  readonly #parts: MessageParts;
  /** What attempts of an agent have picked up and not read yet: by agent and id. */
  readonly #inHand: Map<string, Map<string, PickedUp>> = new Map();
  /** The same by the attempt's token. */
  readonly #pickedUp: Map<number, Set<PickedUp>> = new Map();
  readonly #atMailbox: Map<string, Set<Wake>> = new Map();
  readonly #atTopic: Map<string, Set<Wake>> = new Map();

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  /** One message after the other, until the attempt is over or told to stop. */
  async *read(attempt: RunningAttempt, reading: Reading): AsyncGenerator<Message, void, undefined> {
    let last: string | undefined;
    for (;;) {
      const message = await this.#next(attempt, reading, last);
      if (message === undefined) return;
      this.#parts.handed(attempt, this.#parts.clock.now() - message.at);
      last = message.id;
      yield handedOut(message);
    }
  }

  /** It is durable. */
  sent({ to, topic }: MessageSentEvent): void {
    if (to !== undefined) wakeAll(this.#atMailbox.get(to));
    else if (topic !== undefined) wakeAll(this.#atTopic.get(topic));
  }

  /** For the kernel the attempt is over: what it has not read is there for others. */
  over(token: number): void {
    for (const picked of [...(this.#pickedUp.get(token) ?? [])]) this.#putBack(picked);
  }

  async #next(attempt: RunningAttempt, reading: Reading, last: string | undefined): Promise<KeptMessage | undefined> {
    let read = last;
    for (;;) {
      const waiter = this.#waiter(attempt, reading);
      try {
        // Asked for before the next one is looked for, so that it is decided before that.
        const marked = read === undefined ? undefined : this.#markRead(attempt, read);
        const [picked] = await Promise.all([this.#parts.seen(() => this.#pickUp(attempt, reading.topic)), marked]);
        read = undefined;
        if (picked !== undefined && !isEnding(attempt)) return this.#handOver(attempt, picked);
        if (picked !== undefined) this.#putBack(picked);
        if (isEnding(attempt) || !(await waiter.woken)) return undefined;
      } catch (error) {
        if (isEnding(attempt)) return undefined;
        throw error;
      } finally {
        waiter.leave();
      }
    }
  }

  async #markRead(attempt: RunningAttempt, id: string): Promise<void> {
    const { taskId, token, agent } = attempt;
    await this.#parts.send({ type: "message.read", taskId, token, ids: [id] }, agent);
    const picked = this.#inHand.get(agent)?.get(id);
    if (picked?.attempt === attempt) this.#putDown(picked);
  }

  #pickUp(attempt: RunningAttempt, topic: string | undefined): PickedUp | undefined {
    if (isEnding(attempt)) return undefined;
    const { agent, token, taskId } = attempt;
    const own = this.#pickedUp.get(token) ?? new Set();
    if (own.size >= limits.messagesInHand)
      throw new SafeguardsError(
        "QUEUE_FULL",
        `the attempt at task ${taskId} has ${own.size} messages in hand: that is the most`,
      );
    const inHand = this.#inHand.get(agent) ?? new Map();
    const message = this.#parts.next(agent, topic, inHand);
    if (message === undefined) return undefined;
    const picked = { attempt, message };
    this.#inHand.set(agent, inHand.set(message.id, picked));
    this.#pickedUp.set(token, own.add(picked));
    return picked;
  }

  /** From now on the attempt's output says that it has read it. */
  #handOver(attempt: RunningAttempt, { message }: PickedUp): KeptMessage {
    attempt.inHand ??= new Set();
    attempt.inHand.add(message.id);
    return message;
  }

  #putBack(picked: PickedUp): void {
    const { attempt, message } = picked;
    this.#putDown(picked);
    wakeAll(message.topic === undefined ? this.#atMailbox.get(attempt.agent) : this.#atTopic.get(message.topic));
  }

  #putDown(picked: PickedUp): void {
    const { attempt, message } = picked;
    attempt.inHand?.delete(message.id);
    const own = this.#pickedUp.get(attempt.token);
    own?.delete(picked);
    if (own?.size === 0) this.#pickedUp.delete(attempt.token);
    const inHand = this.#inHand.get(attempt.agent);
    inHand?.delete(message.id);
    if (inHand?.size === 0) this.#inHand.delete(attempt.agent);
  }

  /** Waits from now on. `woken` is false when nothing has come for too long. */
  #waiter(attempt: RunningAttempt, { topic, timeoutMs }: Reading): { readonly woken: Promise<boolean>; leave(): void } {
    attempt.readers ??= new Set();
    const { readers } = attempt;
    if (readers.size >= runtimeLimits.readersPerAttempt) {
      throw new SafeguardsError(
        "QUEUE_FULL",
        `the attempt at task ${attempt.taskId} waits for messages in ${readers.size} places: that is the most`,
      );
    }
    const { promise: woken, resolve } = Promise.withResolvers<boolean>();
    const wake = (): void => resolve(true);
    const late = timeoutMs === undefined ? undefined : this.#parts.clock.after(timeoutMs, () => resolve(false));
    const [places, place] = topic === undefined ? [this.#atMailbox, attempt.agent] : [this.#atTopic, topic];
    const there = places.get(place) ?? new Set();
    places.set(place, there);
    there.add(wake);
    readers.add(wake);
    return {
      woken,
      leave: () => {
        late?.();
        readers.delete(wake);
        there.delete(wake);
        if (there.size === 0 && places.get(place) === there) places.delete(place);
      },
    };
  }
}

function isEnding(attempt: RunningAttempt): boolean {
  return attempt.isOver || attempt.stopped !== undefined;
}

function wakeAll(wakes: Iterable<Wake> | undefined): void {
  for (const wake of wakes ?? []) wake();
}

function handedOut({ id, from, to, topic, at, body }: KeptMessage): Message {
  const where = { ...(to === undefined ? {} : { to }), ...(topic === undefined ? {} : { topic }) };
  return { id, from, ...where, at, body: copyOf(body) };
}
