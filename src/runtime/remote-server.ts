/**
 * Answers coordinators that joined. A command is put in line when its request arrives, so that those of one connection are
 * decided in the order in which they were sent.
 */
import { invalid } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { QueryTypes } from "./backend.ts";
import { checkFeedOptions, type FeedOptions, type StoredEvent } from "./event-feed.ts";
import type { LocalBackend } from "./local-backend.ts";
import { checkTrace } from "./options.ts";
import { FORWARDED, type RemoteRequest } from "./remote-protocol.ts";
import { type Pushes, type SocketServer, serveSocket } from "./socket-server.ts";
import { takeInAll } from "./task-request.ts";

const QUERIES: ReadonlySet<string> = new Set<keyof QueryTypes>([
  "settled",
  "status",
  "explain",
  "outcome",
  "decision",
  "recount",
  "tasks",
  "agents",
  "resources",
  "budgets",
  "ballots",
  "stats",
]);

/** Listens at that path until it is closed. Does not keep the process alive. */
export async function serveRemotes(backend: LocalBackend, path: string): Promise<SocketServer> {
  const server = await serveSocket(path, (request, pushes) => answer(backend, requestIn(request), pushes));
  server.unref();
  return server;
}

async function answer(backend: LocalBackend, request: RemoteRequest, pushes: Pushes): Promise<Json> {
  switch (request.do) {
    case "command":
      return asJson(await forward(backend, request));
    case "query":
      return asJson(await backend.query(queryIn(request.name), request.about as never));
    case "events":
      return push(backend.events({ ...optionsOf(request), signal: pushes.signal }), pushes, asJson);
    case "ends": {
      const events = backend.eventsFromNow(pushes.signal);
      await pushes.send(null);
      return push(events, pushes, endIn);
    }
    case "idle":
      await backend.idle();
      return null;
    case "snapshot":
      return asJson(await backend.snapshot());
    case "compact":
      return asJson(await backend.compact(request.beforeSeq));
    case "backup":
      await backend.backup(request.path);
      return null;
    default:
      throw invalid("a request", request, "one that this version knows");
  }
}

function forward(
  backend: LocalBackend,
  { command, id, by, trace }: Extract<RemoteRequest, { readonly do: "command" }>,
): Promise<object> {
  if (typeof command !== "object" || command === null || !FORWARDED.has(command.type)) {
    throw invalid("a command", command, `one of ${[...FORWARDED].join(", ")}`);
  }
  if (typeof id !== "string" || id === "" || id.length > 256)
    throw invalid("the id of a command", id, "a short string");
  checkTrace(trace);
  if (command.type !== "task.submit") return backend.command(command, { id, by, trace });
  if (command.from !== undefined) throw invalid("from", command.from, "left out");
  const { requests, bytes } = takeInAll(command.tasks, "tasks");
  return backend.command({ ...command, tasks: requests }, { id, bytes, trace });
}

async function push(
  events: AsyncIterable<StoredEvent>,
  pushes: Pushes,
  item: (event: StoredEvent) => Json | undefined,
): Promise<Json> {
  for await (const event of events) {
    const pushed = item(event);
    if (pushed !== undefined) await pushes.send(pushed);
  }
  return null;
}

function endIn(event: StoredEvent): Json | undefined {
  switch (event.type) {
    case "task.completed":
    case "task.failed":
    case "task.skipped":
    case "task.cancelled":
      return event.taskId;
    case "ballot.decided":
      return event.ballotId;
    default:
      return undefined;
  }
}

function optionsOf({ from, follow }: { readonly from: number; readonly follow: boolean }): FeedOptions {
  checkFeedOptions({ from, follow });
  return { from, follow };
}

function queryIn(name: string): keyof QueryTypes {
  if (QUERIES.has(name)) return name as keyof QueryTypes;
  throw invalid("a query", name, [...QUERIES].join(", "));
}

function requestIn(request: Json): RemoteRequest {
  if (typeof request === "object" && request !== null && "do" in request) return request as unknown as RemoteRequest;
  throw invalid("a request", request, "an object that says what to do");
}

/** Views are plain data already; what has no value is left out when it is written. */
function asJson(view: unknown): Json {
  return (view ?? null) as Json;
}
