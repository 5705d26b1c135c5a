/**
 * Messages that are kept: in the mailboxes of agents until they are read, in topics until newer ones take their place.
 *
 * 1. A message to an agent stays until that agent has read it; nothing else takes it away.
 * 2. A topic keeps its latest messages, whoever has read them. Its readers are told apart by name; whoever comes to a topic for
 *    the first time has read nothing of it.
 * 3. Numbers of messages only grow, and whatever is kept is kept in that order.
 * 4. A mailbox that is full is the sender's to know (`room`); a topic makes room by itself, its oldest message first; and of all
 *    topics, the one to which nothing was published for longest.
 */
import { itemAt } from "../coordination/structures/at.ts";
import type { Json } from "../coordination/structures/types.ts";
import { limits } from "./limits.ts";

/** A message as it is kept. */
export interface KeptMessage {
  readonly id: string;
  readonly number: number;
  readonly from: string;
  /** The agent that it is for; of a message to a topic, that topic. */
  readonly to?: string;
  readonly topic?: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly body: Json;
  /** Characters of its body as JSON. */
  readonly size: number;
}

/** How far an agent has read a topic. */
export interface Reading {
  readonly topic: string;
  readonly agent: string;
  /** All messages up to this number are read. */
  readonly upTo: number;
  /** And these beyond it. */
  readonly beyond: readonly number[];
}

interface Mailbox {
  readonly messages: Map<number, KeptMessage>;
  size: number;
}

interface Reader {
  upTo: number;
  readonly beyond: Set<number>;
}

interface Topic {
  /** Oldest first; never empty. */
  readonly messages: KeptMessage[];
  /** Who has read last stands last. */
  readonly readers: Map<string, Reader>;
}

/** What has no place: how many messages, or how many characters, are the most. */
export type Full = { readonly messages: number } | { readonly characters: number; readonly of: "mailbox" | "all" };

export class Mailroom {
  /** The number of the last message. */
  lastNumber = 0;
  readonly #kept: Map<string, KeptMessage> = new Map();
  readonly #mailboxes: Map<string, Mailbox> = new Map();
  /** To which something was published last stands last. */
  readonly #topics: Map<string, Topic> = new Map();
  /** Characters in all mailboxes, and in all topics. */
  #mailboxSize = 0;
  #topicSize = 0;

  /** Why a message of that size to that agent has no place; undefined: it has. */
  fullFor(agent: string, size: number): Full | undefined {
    const mailbox = this.#mailboxes.get(agent);
    if (mailbox !== undefined && mailbox.messages.size >= limits.messagesPerMailbox)
      return { messages: limits.messagesPerMailbox };
    if ((mailbox?.size ?? 0) + size > limits.mailboxCharacters)
      return { characters: limits.mailboxCharacters, of: "mailbox" };
    if (this.#mailboxSize + size > limits.allMailboxCharacters)
      return { characters: limits.allMailboxCharacters, of: "all" };
    return undefined;
  }

  /** Keeps a message. Constant time, amortized. */
  keep(message: KeptMessage): void {
    this.lastNumber = message.number;
    this.#kept.set(message.id, message);
    if (message.to !== undefined) this.#deliver(message.to, message);
    if (message.topic !== undefined) this.#publish(message.topic, message);
  }

  /** Whether it is kept, for that agent or in a topic, and that agent has not read it. */
  isUnread(agent: string, id: string): boolean {
    const message = this.#kept.get(id);
    if (message === undefined) return false;
    if (message.topic === undefined) return message.to === agent;
    const reader = this.#topics.get(message.topic)?.readers.get(agent);
    return reader === undefined || !hasRead(reader, message.number);
  }

  /** That agent has read it. Logarithmic in the messages of a topic. */
  read(agent: string, id: string): void {
    const message = this.#kept.get(id);
    if (message === undefined) return;
    if (message.topic !== undefined) this.#readIn(message.topic, agent, message.number);
    if (message.to !== undefined) this.#take(message.to, message);
  }

  /**
   * The first that the agent has not read and that is not in hand: of its mailbox, or of a topic. Linear in what is in hand,
   * and logarithmic in the messages of a topic.
   */
  next(agent: string, topic: string | undefined, inHand: { has(id: string): boolean }): KeptMessage | undefined {
    if (topic === undefined) {
      for (const message of this.#mailboxes.get(agent)?.messages.values() ?? [])
        if (!inHand.has(message.id)) return message;
      return undefined;
    }
    const of = this.#topics.get(topic);
    if (of === undefined) return undefined;
    const reader = of.readers.get(agent);
    for (let index = firstAfter(of.messages, reader?.upTo ?? 0); index < of.messages.length; index++) {
      const message = of.messages[index];
      if (message !== undefined && !inHand.has(message.id) && reader?.beyond.has(message.number) !== true)
        return message;
    }
    return undefined;
  }

  /** All that is kept, in order. */
  messages(): Iterable<KeptMessage> {
    return this.#kept.values();
  }

  *readings(): Generator<Reading, void, undefined> {
    for (const [topic, { readers }] of this.#topics)
      for (const [agent, { upTo, beyond }] of readers) yield { topic, agent, upTo, beyond: [...beyond] };
  }

  /** Puts back how far an agent had read a topic whose messages are there. */
  restore({ topic, agent, upTo, beyond }: Reading): void {
    this.#topics.get(topic)?.readers.set(agent, { upTo, beyond: new Set(beyond) });
  }

  #deliver(agent: string, message: KeptMessage): void {
    let mailbox = this.#mailboxes.get(agent);
    if (mailbox === undefined) {
      mailbox = { messages: new Map(), size: 0 };
      this.#mailboxes.set(agent, mailbox);
    }
    mailbox.messages.set(message.number, message);
    mailbox.size += message.size;
    this.#mailboxSize += message.size;
  }

  #take(agent: string, message: KeptMessage): void {
    const mailbox = this.#mailboxes.get(agent);
    if (mailbox === undefined) return;
    this.#kept.delete(message.id);
    mailbox.messages.delete(message.number);
    mailbox.size -= message.size;
    this.#mailboxSize -= message.size;
    if (mailbox.messages.size === 0) this.#mailboxes.delete(agent);
  }

  #publish(name: string, message: KeptMessage): void {
    const topic: Topic = this.#topics.get(name) ?? { messages: [], readers: new Map() };
    this.#topics.delete(name);
    this.#topics.set(name, topic);
    topic.messages.push(message);
    this.#topicSize += message.size;
    if (topic.messages.length > limits.messagesPerTopic) this.#dropOldest(name, topic);
    for (const [quiet, of] of this.#topics) {
      if (!this.#isCrowded) return;
      while (this.#isCrowded && of.messages.length > 0) this.#dropOldest(quiet, of);
    }
  }

  /** Whether topics have more than they may. */
  get #isCrowded(): boolean {
    return this.#topics.size > limits.topics || this.#topicSize > limits.allTopicCharacters;
  }

  #dropOldest(name: string, topic: Topic): void {
    const oldest = topic.messages.shift();
    if (oldest === undefined) return;
    this.#kept.delete(oldest.id);
    this.#topicSize -= oldest.size;
    if (topic.messages.length === 0) this.#topics.delete(name);
  }

  #readIn(name: string, agent: string, number: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    const reader: Reader = topic.readers.get(agent) ?? { upTo: 0, beyond: new Set() };
    topic.readers.delete(agent);
    topic.readers.set(agent, reader);
    if (number > reader.upTo) reader.beyond.add(number);
    settle(reader, topic.messages);
    if (topic.readers.size <= limits.readersPerTopic) return;
    // Whoever has not read for longest is forgotten: should it come again, it sees anew what is kept.
    for (const longest of topic.readers.keys()) {
      topic.readers.delete(longest);
      break;
    }
  }
}

function hasRead({ upTo, beyond }: Reader, number: number): boolean {
  return number <= upTo || beyond.has(number);
}

/** Moves on over all that is read or gone. */
function settle(reader: Reader, messages: readonly KeptMessage[]): void {
  const gone = (messages[0]?.number ?? 0) - 1;
  if (gone > reader.upTo) {
    reader.upTo = gone;
    for (const number of reader.beyond) if (number <= gone) reader.beyond.delete(number);
  }
  for (let index = firstAfter(messages, reader.upTo); reader.beyond.size > 0; index++) {
    const number = messages[index]?.number;
    if (number === undefined || !reader.beyond.delete(number)) return;
    reader.upTo = number;
  }
}

/** The place of the first message with a higher number. */
function firstAfter(messages: readonly KeptMessage[], number: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (itemAt(messages, middle).number <= number) low = middle + 1;
    else high = middle;
  }
  return low;
}
