/**
 * A coordinator that joined: everything is asked of the process that writes the journal, through the socket beside it.
 *
 * 1. Requests leave in the order of the calls, no more at a time than the other side takes.
 * 2. Each command has an id, so that one whose answer was lost with the connection can be sent again.
 * 3. However many tasks are waited for, one subscription tells which have ended.
 */
import { randomUUID } from "node:crypto";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import type { Accepted, Backend, BallotResult, CommandOptions, QueryTypes } from "./backend.ts";
import type { Guard } from "./command-loop.ts";
import type { FeedOptions, StoredEvent } from "./event-feed.ts";
import type { OutcomeData } from "./outcome.ts";
import { RemoteEnds } from "./remote-ends.ts";
import type { RemoteRequest } from "./remote-protocol.ts";
import { connectSocket, type SocketClient } from "./socket-client.ts";

/** Requests that wait for their answer at a time: fewer than the other side refuses. */
const MAX_UNANSWERED = 500;

export class RemoteBackend implements Backend {
  readonly #path: string;
  readonly #name: string = randomUUID();
  readonly #ends: RemoteEnds;
  #client: Promise<SocketClient>;
  #commands = 0;
  #unanswered = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #closed: AbortController = new AbortController();

  /** CLOSED when nobody listens at that path. */
  static async join(path: string): Promise<RemoteBackend> {
    return new RemoteBackend(path, await connectSocket(path));
  }

  private constructor(path: string, client: SocketClient) {
    this.#path = path;
    this.#client = Promise.resolve(client);
    this.#ends = new RemoteEnds(async () => {
      const request: RemoteRequest = { do: "ends" };
      return (await this.#client).subscribe(request as unknown as Json);
    });
  }

  async command(command: Command, { guard, by, trace }: CommandOptions = {}): Promise<Accepted> {
    this.#commands += 1;
    const from = { ...(by === undefined ? {} : { by }), ...(trace === undefined ? {} : { trace }) };
    // What the other side answers is what this side asks for: both are the same program.
    return (await this.#ask(
      { do: "command", id: `${this.#name}-${this.#commands}`, command, ...from },
      guard,
    )) as unknown as Accepted;
  }

  async query<N extends keyof QueryTypes>(
    name: N,
    about: QueryTypes[N]["in"],
    guard?: Guard,
  ): Promise<QueryTypes[N]["out"]> {
    return (await this.#ask(
      { do: "query", name, ...(about === undefined ? {} : { about }) },
      guard,
    )) as unknown as QueryTypes[N]["out"];
  }

  outcome(taskId: string, signal?: AbortSignal): Promise<OutcomeData> {
    return this.#ends.of(taskId, () => this.query("outcome", taskId), signal);
  }

  thrownBy(): undefined {
    return undefined;
  }

  decision(ballotId: string): Promise<BallotResult> {
    return this.#ends.of(ballotId, () => this.query("decision", ballotId));
  }

  async *events({ from = 1, follow = false, signal }: FeedOptions): AsyncGenerator<StoredEvent, void, undefined> {
    const over = AbortSignal.any(signal === undefined ? [this.#closed.signal] : [this.#closed.signal, signal]);
    // A connection of its own, which can be cut while it waits for the next event.
    const client = await connectSocket(this.#path);
    const cut = (): void => client.close();
    over.addEventListener("abort", cut);
    try {
      if (over.aborted) return;
      const request: RemoteRequest = { do: "events", from, follow };
      for await (const event of client.subscribe(request as unknown as Json)) yield event as StoredEvent;
    } catch (error) {
      if (!over.aborted) throw error;
    } finally {
      over.removeEventListener("abort", cut);
      cut();
    }
  }

  async idle(): Promise<void> {
    await this.#ask({ do: "idle" });
  }

  async snapshot(): Promise<{ readonly seq: number }> {
    return (await this.#ask({ do: "snapshot" })) as { readonly seq: number };
  }

  async compact(beforeSeq?: number): Promise<{ readonly floor: number }> {
    const request: RemoteRequest = { do: "compact", ...(beforeSeq === undefined ? {} : { beforeSeq }) };
    return (await this.#ask(request)) as { readonly floor: number };
  }

  async backup(path: string): Promise<void> {
    await this.#ask({ do: "backup", path });
  }

  async drain(): Promise<void> {
    throw new SafeguardsError(
      "INVALID_STATE",
      "the process that writes the journal drains it; this coordinator has joined it",
    );
  }

  /** Leaves; the process that writes goes on. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#ends.close(new SafeguardsError("CLOSED", "the coordinator is closed"));
    (await this.#client.catch(() => undefined))?.close();
  }

  async #ask(request: RemoteRequest, guard?: Guard): Promise<Json> {
    const refusal = guard?.();
    if (refusal instanceof SafeguardsError) throw refusal;
    if (this.#unanswered >= MAX_UNANSWERED) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#unanswered += 1;
    try {
      return await this.#askOnce(request).catch((error: unknown) => this.#askAgain(request, error));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#unanswered -= 1;
      else next();
    }
  }

  async #askOnce(request: RemoteRequest): Promise<Json> {
    return (await this.#client).request(request as unknown as Json);
  }

  /** After the connection broke, once more over another. */
  async #askAgain(request: RemoteRequest, error: unknown): Promise<Json> {
    if (!isSafeguardsError(error, "CLOSED") || error.details?.path !== this.#path || this.#closed.signal.aborted)
      throw error;
    const broken = this.#client;
    const client = connectSocket(this.#path);
    // Those that broke together connect together.
    if (this.#client === broken) this.#client = client;
    return (await client).request(request as unknown as Json);
  }
}
