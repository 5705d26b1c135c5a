/** Messages on a Unix socket: JSON, one a line. */
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { Failure } from "../kernel/events/failure.ts";

/** The most bytes that a message has: room for the largest output. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** What a client sends. */
export interface Question {
  readonly id: number;
  readonly request: Json;
}

/** What a server sends: any number of items, then an answer or an error. Without id: to the whole connection. */
export type Reply =
  | { readonly id: number; readonly item: Json }
  | { readonly id: number; readonly answer: Json }
  | { readonly id?: number | undefined; readonly error: Failure };

/** The message as a line. `INVALID_ARGUMENT` when it is too large. */
export function lineOf(message: Question | Reply): string {
  const line = `${JSON.stringify(message)}\n`;
  const bytes = Buffer.byteLength(line);
  if (bytes <= MAX_MESSAGE_BYTES) return line;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `a message has ${bytes} bytes; at most ${MAX_MESSAGE_BYTES} are allowed`,
    {
      details: { bytes, maxBytes: MAX_MESSAGE_BYTES },
    },
  );
}

/** Cuts a stream of bytes into messages. Linear in its bytes, however they are cut. */
export class LineReader {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** What the bytes complete. `INVALID_ARGUMENT` when a line is too long, is not JSON or is not UTF-8. */
  *take(data: Uint8Array | string): Generator<unknown> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, at));
      from = at + 1;
      yield this.#message();
    }
    this.#keep(bytes.subarray(from));
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > MAX_MESSAGE_BYTES) throw refused(`has more than ${MAX_MESSAGE_BYTES} bytes`);
    if (part.byteLength > 0) this.#parts.push(part);
  }

  #message(): unknown {
    const line = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    try {
      return JSON.parse(UTF8.decode(line));
    } catch {
      throw refused("is not JSON");
    }
  }
}

function refused(what: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `a line on the socket ${what}`);
}
