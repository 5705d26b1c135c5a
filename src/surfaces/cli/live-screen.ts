/**
 * The part of a terminal that is drawn over and over. What others write meanwhile (an agent's own `console.log`) goes above
 * it, line by line, and stays.
 */

import type { WriteStream } from "node:tty";
import { createLogUpdate } from "log-update";

type Write = WriteStream["write"];

export class LiveScreen {
  readonly #streams: readonly Intercepted[];
  readonly #update: ReturnType<typeof createLogUpdate>;
  #drawn: readonly string[] = [];

  constructor(out: WriteStream, err: WriteStream) {
    const write: Write = out.write.bind(out);
    // The same terminal, but written to directly.
    const screen: WriteStream = Object.create(out, { write: { value: write } });
    this.#update = createLogUpdate(screen);
    const above = (lines: string): void => {
      this.#update.clear();
      write(lines);
      this.draw(this.#drawn);
    };
    this.#streams = [out, err].filter(({ isTTY }) => isTTY).map((stream) => new Intercepted(stream, above));
  }

  draw(lines: readonly string[]): void {
    this.#drawn = lines;
    this.#update(lines.join("\n"));
  }

  /** Takes what was drawn away, and gives the streams back. */
  close(): void {
    this.#drawn = [];
    this.#update.clear();
    for (const stream of this.#streams) stream.release();
    this.#update.done();
  }
}

class Intercepted {
  readonly #stream: WriteStream;
  #partial = "";

  constructor(stream: WriteStream, above: (lines: string) => void) {
    this.#stream = stream;
    const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      this.#partial += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      const end = this.#partial.lastIndexOf("\n") + 1;
      if (end > 0) {
        const lines = this.#partial.slice(0, end);
        this.#partial = this.#partial.slice(end);
        above(lines);
      }
      const done = rest.at(-1);
      if (typeof done === "function") process.nextTick(done);
      return true;
    };
    Object.defineProperty(stream, "write", { value: write, configurable: true, writable: true });
  }

  release(): void {
    Reflect.deleteProperty(this.#stream, "write");
    if (this.#partial !== "") this.#stream.write(`${this.#partial}\n`);
  }
}
