import { PassThrough } from "node:stream";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { paint } from "./line.ts";
import { LiveScreen } from "./live-screen.ts";
import { Terminal } from "./terminal.ts";

/** A screen of so many columns that keeps what is written to it; or, without columns, a pipe. */
function stream(columns?: number): { readonly stream: WriteStream & { fd: 1 & 2 }; written(): string } {
  const pipe = new PassThrough();
  let text = "";
  pipe.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const size = columns === undefined ? {} : { isTTY: true, columns, rows: 24 };
  // As much of a terminal as is written to.
  return { stream: Object.assign(pipe, size) as object as WriteStream & { fd: 1 & 2 }, written: () => text };
}

function terminal(columns: number | undefined, env: Record<string, string> = {}) {
  const out = stream(columns);
  const err = stream();
  return {
    terminal: new Terminal({ stdout: out.stream, stderr: err.stream, env }),
    out,
    err,
  };
}

const line = [paint("red", "failed"), " ", "x".repeat(50)];

test("a screen gets colours and lines of its own width", () => {
  const { terminal: screen, out } = terminal(20);
  screen.print(line);
  expect(out.written()).toBe(`\u001b[31mfailed\u001b[39m ${"x".repeat(12)}…\n`);
});

test("what has to be read to its end is cut nowhere", () => {
  for (const columns of [20, undefined]) {
    const { terminal: screen, out } = terminal(columns, { NO_COLOR: "1" });
    screen.printWhole([paint("red", "to approve"), "x".repeat(3_000)]);
    expect(out.written()).toBe(`to approve${"x".repeat(3_000)}\n`);
  }
});

test("NO_COLOR, a dumb terminal and a pipe get no escapes", () => {
  for (const { terminal: plain, out } of [
    terminal(80, { NO_COLOR: "1" }),
    terminal(80, { TERM: "dumb" }),
    terminal(undefined),
  ]) {
    plain.print(line);
    expect(out.written()).toBe(`failed ${"x".repeat(50)}\n`);
  }
  expect(terminal(80, { NO_COLOR: "1" }).terminal.isScreen).toBe(true);
  expect(terminal(80, { TERM: "dumb" }).terminal.isScreen).toBe(false);
});

test("an output is written to a pipe as it is, and to a screen so that it cannot act there", () => {
  const output = "a\u001b[2J\nb";
  const pipe = terminal(undefined);
  pipe.terminal.text(output);
  expect(pipe.out.written()).toBe(`${output}\n`);
  const screen = terminal(80);
  screen.terminal.text(output);
  expect(screen.out.written()).toBe("a\\x1b[2J\nb\n");
});

test("what others write while something is drawn goes above it in whole lines, and the stream is given back", () => {
  const { stream: out, written } = stream(40);
  const before = out.write;
  const screen = new LiveScreen(out, stream().stream);
  screen.draw(["drawn"]);
  out.write("one\ntw");
  out.write("o\nrest");
  screen.close();
  expect(out.write).toBe(before);
  const texts = stripVTControlCharacters(written())
    .split("\n")
    .filter((text) => text !== "");
  expect(texts.filter((text) => text !== "drawn")).toEqual(["one", "two", "rest"]);
  expect(texts.filter((text) => text === "drawn")).toHaveLength(3);
});
