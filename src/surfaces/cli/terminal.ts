/** Where the commands write to, and what that place can show. */
import type { WriteStream } from "node:tty";
import type { Logger } from "../../agents/agent.ts";
import { type Fault, formatFault } from "../../crew/fault.ts";
import { type Line, type Paper, print } from "./line.ts";
import { printable, safeJson } from "./text.ts";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Of lines that nobody sees on a screen: they are cut only where they are absurd. */
const UNBOUNDED_COLUMNS = 2_000;

export class Terminal {
  readonly out: WriteStream;
  readonly err: WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #colors: boolean;

  constructor({ stdout, stderr, env }: Pick<NodeJS.Process, "stdout" | "stderr" | "env">) {
    this.out = stdout;
    this.err = stderr;
    this.env = env;
    this.#colors = this.isScreen && (env.NO_COLOR ?? "") === "";
  }

  /** Whether somebody looks at a screen, and it can be written to anywhere. */
  get isScreen(): boolean {
    return this.out.isTTY === true && this.env.TERM !== "dumb";
  }

  get columns(): number {
    return this.out.isTTY === true ? this.out.columns || DEFAULT_COLUMNS : UNBOUNDED_COLUMNS;
  }

  get rows(): number {
    return this.out.rows || DEFAULT_ROWS;
  }

  paper(columns: number = this.columns): Paper {
    return { columns, colors: this.#colors };
  }

  print(...lines: readonly Line[]): void {
    const paper = this.paper();
    for (const line of lines) this.out.write(`${print(line, paper)}\n`);
  }

  /** The same uncut, for what has to be read to its end: a screen wraps it. */
  printWhole(...lines: readonly Line[]): void {
    const paper = this.paper(Number.POSITIVE_INFINITY);
    for (const line of lines) this.out.write(`${print(line, paper)}\n`);
  }

  /** For people who look for what went wrong: on stderr, uncut and without colours. */
  complain(message: string): void {
    this.err.write(`${message.split("\n").map(printable).join("\n")}\n`);
  }

  /** Warnings and errors of a coordinator, as people read them. */
  get logger(): Logger {
    const tell = (o: object, message = ""): void => this.complain(`safeguards: ${message} ${safeJson(o)}`);
    return { debug: () => undefined, info: () => undefined, warn: tell, error: tell };
  }

  /** An output as it is; on a screen, with what could act on that written as escapes. */
  text(text: string): void {
    const shown = this.out.isTTY === true ? text.split("\n").map(printable).join("\n") : text;
    this.out.write(shown.endsWith("\n") ? shown : `${shown}\n`);
  }

  json(value: unknown, indent?: number): void {
    this.out.write(`${safeJson(value, indent)}\n`);
  }

  /** Faults of a crew, where `stream` says. */
  faults(faults: readonly Fault[], stream: "out" | "err"): void {
    for (const fault of faults) this[stream].write(`${printable(formatFault(fault))}\n`);
  }
}
