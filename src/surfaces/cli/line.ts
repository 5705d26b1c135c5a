/** Lines of a terminal: spans of printable text, each in one style, cut together to the width that there is. */
import { createColors } from "picocolors";
import { cut, widthOf } from "./text.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta";
/** Text that is printable already; see `printable`. */
export type Span = string | { readonly text: string; readonly style: Style };
export type Line = readonly Span[];

/** How a line becomes characters. */
export interface Paper {
  readonly columns: number;
  readonly colors: boolean;
}

export function paint(style: Style, text: string): Span {
  return { text, style };
}

/** The line's characters: never wider than the paper, and without escapes unless it has colours. */
export function print(line: Line, paper: Paper): string {
  const colors = createColors(paper.colors);
  let left = paper.columns;
  let printed = "";
  for (const span of line) {
    const { text, style } = typeof span === "string" ? { text: span, style: undefined } : span;
    const fitting = cut(text, left);
    left -= widthOf(fitting);
    printed += style === undefined ? fitting : colors[style](fitting);
    if (fitting !== text) break;
  }
  return printed;
}

/** Two lines on one: the second at the right end, where both fit; else the first alone. */
export function spread(left: Line, right: Line, columns: number): Line {
  const space = columns - widthOfLine(left) - widthOfLine(right);
  return space < 2 ? left : [...left, " ".repeat(space), ...right];
}

export function widthOfLine(line: Line): number {
  return line.reduce((width, span) => width + widthOf(typeof span === "string" ? span : span.text), 0);
}

/** A bar of so many columns, of which a share is full. */
export function bar(share: number, columns: number): Line {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return [paint("green", "█".repeat(full)), paint("dim", "░".repeat(columns - full))];
}
