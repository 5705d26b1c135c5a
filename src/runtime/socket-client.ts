/** The other processes' side of the Unix socket beside a journal. */
import { createConnection, type Socket } from "node:net";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { errorFrom } from "./failure.ts";
import { addressOf } from "./socket-address.ts";
import { LineReader, lineOf, type Reply } from "./socket-lines.ts";

export interface SocketClient {
  /** The answer. Rejected with the error that the other side gave, or `CLOSED` when the connection broke before. */
  request(request: Json): Promise<Json>;
  /** What the other side sends until it has answered, over a connection of its own, so that nothing waits for a slow reader. */
  subscribe(request: Json): AsyncIterable<Json>;
  /** Ends what is unanswered with `CLOSED`. */
  close(): void;
}

/** Connects to the socket at that path; `CLOSED` when nobody answers there. It keeps the process alive while it waits for answers. */
export async function connectSocket(path: string): Promise<SocketClient> {
  const connection = new Connection(path, await reached(path));
  const closed = new AbortController();
  return {
    request: (request) => connection.ask(request),
    subscribe: (request) => subscribe(path, request, closed.signal),
    close: () => {
      connection.close();
      closed.abort();
    },
  };
}

/** A connection to that address, or the system's error. */
export function connected(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(address);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function reached(path: string): Promise<Socket> {
  try {
    return await connected(addressOf(path));
  } catch (cause) {
    throw new SafeguardsError("CLOSED", `nobody answers at ${path}`, { details: { path }, cause });
  }
}

interface Pending {
  readonly resolve: (answer: Json) => void;
  readonly reject: (error: SafeguardsError) => void;
}

/** Many requests over one connection. */
class Connection {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #lines = new LineReader();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #end: SafeguardsError | undefined;

  constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    socket.unref();
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("error", (cause) => this.#ended(broken(path, cause)));
    socket.once("close", () => this.#ended(broken(path)));
  }

  async ask(request: Json): Promise<Json> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    const line = lineOf({ id, request });
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.ref();
      this.#socket.write(line);
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#ended(broken(this.#path));
  }

  #take(bytes: Uint8Array | string): void {
    try {
      for (const message of this.#lines.take(bytes)) this.#settle(replyIn(message));
    } catch (cause) {
      this.#socket.destroy();
      this.#ended(broken(this.#path, cause));
    }
  }

  #settle(reply: Reply): void {
    if ("item" in reply) return;
    const pending = reply.id === undefined ? undefined : this.#pending.get(reply.id);
    if (reply.id !== undefined) this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#socket.unref();
    if ("answer" in reply) pending?.resolve(reply.answer);
    else if (pending !== undefined) pending.reject(errorFrom(reply.error));
    else this.#ended(errorFrom(reply.error));
  }

  #ended(why: SafeguardsError): void {
    this.#end ??= why;
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
  }
}

async function* subscribe(path: string, request: Json, closed: AbortSignal): AsyncIterable<Json> {
  const line = lineOf({ id: 1, request });
  const socket = await reached(path);
  const cut = (): void => void socket.destroy();
  closed.addEventListener("abort", cut);
  try {
    if (closed.aborted) throw broken(path);
    socket.write(line);
    const lines = new LineReader();
    for await (const bytes of socket) {
      for (const message of lines.take(bytes)) {
        const reply = replyIn(message);
        if ("error" in reply) throw errorFrom(reply.error);
        if ("answer" in reply) return;
        yield reply.item;
      }
    }
    throw broken(path);
  } catch (error) {
    throw error instanceof SafeguardsError ? error : broken(path, error);
  } finally {
    closed.removeEventListener("abort", cut);
    cut();
  }
}

/** Trusts the other side with the shape of what it sends: it is the same program, of the same user. */
function replyIn(message: unknown): Reply {
  return message as Reply;
}

function broken(path: string, cause?: unknown): SafeguardsError {
  return new SafeguardsError("CLOSED", `the connection to ${path} is closed`, {
    details: { path, outcome: "unknown" },
    cause,
  });
}
