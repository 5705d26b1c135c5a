/**
 * The thread in which a SQLite journal is written, since a commit blocks. What has queued up while one commit ran goes
 * into the next together.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { ErrorCode, SafeguardsError } from "../errors.ts";
import type { Departed } from "../kernel/departed.ts";
import { notOpen } from "./refusals.ts";
import { backUp } from "./sqlite-backup.ts";
import { meaningOf } from "./sqlite-file.ts";
import type { Verification } from "./sqlite-inspection.ts";
import { SqliteWriter, type Write } from "./sqlite-writer.ts";

/** What the thread is asked. Answered in order, each once. */
export type Request = { readonly id: number } & (
  | Write
  | { readonly do: "open"; readonly path: string; readonly verification: Verification }
  | { readonly do: "begin-snapshot"; readonly seq: number; readonly hash: Uint8Array }
  | { readonly do: "seal-snapshot" | "drop-snapshot"; readonly snapshot: number }
  | { readonly do: "archived"; readonly kind: Departed["kind"]; readonly ids: readonly string[] }
  | { readonly do: "compact"; readonly beforeSeq: number }
  | { readonly do: "backup"; readonly path: string; readonly target: string }
  | { readonly do: "close" }
);

/** An error on its way to another thread. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly id: number;
  readonly error?: ErrorData;
  readonly value?: unknown;
}

/** What one transaction takes at most, so that the first in it does not wait for ever. */
const MAX_TRANSACTION_WRITES = 1_000;

type WriteRequest = Request & Write;
type OtherRequest = Exclude<Request, Write>;

function serve(port: NonNullable<typeof parentPort>): void {
  let writer: SqliteWriter | undefined;
  let isResting = false;

  const current = (): SqliteWriter => {
    if (writer === undefined) throw notOpen("that this thread writes");
    return writer;
  };

  const answer = (request: OtherRequest): unknown => {
    switch (request.do) {
      case "open": {
        const opened = SqliteWriter.open(request.path, request.verification);
        writer = opened.writer;
        return opened.report;
      }
      case "begin-snapshot":
        return current().beginSnapshot(request.seq, request.hash);
      case "seal-snapshot":
        return current().sealSnapshot(request.snapshot);
      case "drop-snapshot":
        return current().dropSnapshot(request.snapshot);
      case "archived":
        return current().archived(request.kind, request.ids);
      case "compact":
        return current().compact(request.beforeSeq);
      case "backup":
        return backUp(request.path, request.target);
      case "close":
        writer?.close();
        writer = undefined;
        return undefined;
    }
  };

  const reply = (request: OtherRequest): Reply => {
    try {
      return { id: request.id, value: answer(request) };
    } catch (error) {
      return { id: request.id, error: dataOf(meaningOf(error, "the journal")) };
    }
  };

  const write = (requests: readonly WriteRequest[]): readonly Reply[] => {
    const refusals = writer?.write(requests) ?? requests.map(() => notOpen("that this thread writes"));
    return requests.map(({ id }, index) => {
      const refusal = refusals[index];
      return refusal === undefined ? { id } : { id, error: dataOf(refusal) };
    });
  };

  const rest = (): void => {
    isResting = false;
    if (writer?.rest()) restLater();
  };
  const restLater = (): void => {
    if (isResting) return;
    isResting = true;
    setImmediate(rest);
  };

  port.on("message", (first: Request) => {
    const queue = [first, ...waiting(port)];
    for (let from = 0; from < queue.length; ) {
      const writes = leadingWrites(queue, from);
      const request = queue[from];
      if (writes.length > 0) port.postMessage(write(writes));
      else if (request !== undefined && !isWrite(request)) port.postMessage([reply(request)]);
      from += Math.max(writes.length, 1);
    }
    // While messages keep coming, nothing that is put off gets its turn.
    if (writer?.isOverdue) rest();
    else restLater();
  });
}

function waiting(port: NonNullable<typeof parentPort>): readonly Request[] {
  const requests: Request[] = [];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    requests.push(next.message);
  }
  return requests;
}

function isWrite(request: Request): request is WriteRequest {
  return request.do === "append" || request.do === "chunk";
}

function leadingWrites(queue: readonly Request[], from: number): readonly WriteRequest[] {
  const writes: WriteRequest[] = [];
  for (let at = from; at < queue.length && writes.length < MAX_TRANSACTION_WRITES; at++) {
    const request = queue[at];
    if (request === undefined || !isWrite(request)) break;
    writes.push(request);
  }
  return writes;
}

function dataOf({ code, message, details }: SafeguardsError): ErrorData {
  return { code, message, ...(details !== undefined && { details }) };
}

if (parentPort !== null) serve(parentPort);
