/**
 * The writer's side of the Unix socket beside a journal: other processes of the same user ask, one handler answers.
 *
 * 1. Only the owner can connect: the socket never has another mode than 0600.
 * 2. Whatever one client sends, fails to read or breaks off, only its own connection suffers.
 * 3. What is held for a client is bounded: its connections, its unanswered requests, and what it has not read yet.
 * 4. A socket on which somebody answers is not taken away.
 */
import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError, SafeguardsError } from "../errors.ts";
import { failureFrom } from "./failure.ts";
import { addressOf, type Binding, bindingFor, removeStale } from "./socket-address.ts";
import { connected } from "./socket-client.ts";
import { LineReader, lineOf, MAX_MESSAGE_BYTES, type Question, type Reply } from "./socket-lines.ts";

const MAX_CONNECTIONS = 256;
/** Requests of one connection that are not answered yet. */
const MAX_UNANSWERED = 1_000;
/** Bytes that may wait for a client to read them. */
const MAX_UNREAD_BYTES = 2 * MAX_MESSAGE_BYTES;

/** What a handler may do besides answering. */
export interface Pushes {
  /** Sends an item. Resolves when it is on its way, which a client that does not read delays, or when the client is gone. */
  send(item: Json): Promise<void>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Answers a request. What it throws goes to the client as an error. */
export type SocketHandler = (request: Json, pushes: Pushes) => Promise<Json>;

export interface SocketServer {
  readonly path: string;
  /** Lets the process end though the socket is open. */
  unref(): void;
  /** Keeps the process alive as long as the socket is open, which it does from the start. */
  ref(): void;
  /** Cuts all connections, aborts what is unanswered, and takes the socket away. */
  close(): Promise<void>;
}

/**
 * Listens at that path until it is closed. `INVALID_STATE` when somebody answers there, or when something else than a
 * socket stands there.
 */
export async function serveSocket(path: string, handler: SocketHandler): Promise<SocketServer> {
  await assertFree(path);
  removeStale(path);
  const binding = bindingFor(path);
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    new Connection(socket, handler);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await listen(server, binding);
  } catch (error) {
    server.close();
    binding.remove();
    throw error;
  }
  return {
    path,
    unref: () => void server.unref(),
    ref: () => void server.ref(),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of connections) socket.destroy();
      await closed;
      binding.remove();
    },
  };
}

async function assertFree(path: string): Promise<void> {
  const socket = await connected(addressOf(path)).catch(() => undefined);
  if (socket === undefined) return;
  socket.destroy();
  throw new SafeguardsError("INVALID_STATE", `somebody listens at ${path} already`, { details: { path } });
}

function listen(server: Server, { address, link }: Binding): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      // One connection that could not be accepted is that client's trouble.
      server.on("error", () => undefined);
      resolve();
    });
    // The socket is made while `listen` runs; threads cannot change the mask, there it is open for an instant.
    const mask = isMainThread ? process.umask(0o177) : undefined;
    try {
      server.listen(address);
    } finally {
      if (mask !== undefined) process.umask(mask);
    }
    chmodSync(address, 0o600);
    link();
  });
}

class Connection {
  readonly #socket: Socket;
  readonly #handler: SocketHandler;
  readonly #lines = new LineReader();
  readonly #gone = new AbortController();
  #unanswered = 0;
  /** Those who wait until the client has read on. */
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, handler: SocketHandler) {
    this.#socket = socket;
    this.#handler = handler;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("drain", () => {
      socket.resume();
      this.#goOn();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#gone.abort();
      this.#goOn();
    });
  }

  #take(bytes: Uint8Array | string): void {
    try {
      for (const message of this.#lines.take(bytes)) void this.#answer(questionIn(message));
    } catch (error) {
      // What follows cannot be understood any more, and who sends it may not read what we say.
      this.#write({ error: failureFrom(ours(error)) });
      this.#socket.destroy();
    }
  }

  async #answer({ id, request }: Question): Promise<void> {
    this.#unanswered++;
    try {
      if (this.#unanswered > MAX_UNANSWERED) throw tooMany();
      const send = (item: Json): Promise<void> => this.#send({ id, item });
      const answer = await this.#handler(request, { send, signal: this.#gone.signal });
      this.#write({ id, answer });
    } catch (error) {
      this.#write({ id, error: failureFrom(ours(error)) });
    } finally {
      this.#unanswered--;
    }
  }

  async #send(item: Reply): Promise<void> {
    this.#write(item);
    if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #write(reply: Reply): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(lineOf(reply));
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.#socket.destroy();
    // Who does not read is not listened to either.
    else if (this.#socket.writableNeedDrain) this.#socket.pause();
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function questionIn(message: unknown): Question {
  if (typeof message === "object" && message !== null && "id" in message && "request" in message) {
    const { id, request } = message;
    if (typeof id === "number" && Number.isSafeInteger(id)) return { id, request: request as Json };
  }
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    "a line on the socket is no request: it has an id, a whole number, and a request",
  );
}

function tooMany(): SafeguardsError {
  return new SafeguardsError("QUEUE_FULL", `${MAX_UNANSWERED} requests of this connection wait for answers already`);
}

function ours(error: unknown): SafeguardsError {
  if (isSafeguardsError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SafeguardsError("INVALID_STATE", `the request could not be answered: ${message}`, { cause: error });
}
