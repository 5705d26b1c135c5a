/**
 * Text on its way to a terminal. Names, messages and outputs come from tasks and agents: nothing in them may move the
 * cursor, change colours or reorder what is read, and everything is cut by the width that it takes on the screen.
 */
import stringWidth from "string-width";

/** Control characters, and those that change the direction of text or cannot be seen. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SAFE_ASCII = /^[\x20-\x7e]*$/;
const ELLIPSIS = "…";
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The text on one line, with all that is unsafe written as escapes: `\n`, `\x1b`, `\u{202e}`. */
export function printable(text: string): string {
  return SAFE_ASCII.test(text) ? text : text.replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default: {
      const code = character.charCodeAt(0);
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
    }
  }
}

/** JSON for a program, in which nothing can act on a terminal that it is shown on. */
export function safeJson(value: unknown, indent?: number): string {
  // JSON.stringify escapes the first 32 and lone surrogates itself; a newline outside of strings is its own.
  return (JSON.stringify(value, null, indent) ?? "null").replace(UNSAFE, (character) => {
    return character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  return SAFE_ASCII.test(text) ? text.length : stringWidth(text);
}

/** The text, cut to at most so many columns; what was cut is marked. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns <= 0) return "";
  if (SAFE_ASCII.test(text)) return text.slice(0, columns - 1) + ELLIPSIS;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = width + widthOf(segment);
    if (next > columns - 1) break;
    kept += segment;
    width = next;
  }
  return kept + ELLIPSIS;
}

/** An id cut in the middle: its run and its own end are both worth seeing. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns || columns < 8) return cut(text, columns);
  const segments = [...graphemes.segment(text)].map(({ segment }) => segment);
  const head = take(segments, Math.floor((columns - 1) / 3));
  const tail = take(segments.toReversed(), columns - 1 - widthOf(head.join("")));
  return head.join("") + ELLIPSIS + tail.toReversed().join("");
}

function take(segments: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const segment of segments) {
    width += widthOf(segment);
    if (width > columns) break;
    taken.push(segment);
  }
  return taken;
}

/** The text in exactly so many columns. */
export function pad(text: string, columns: number): string {
  const fitting = cut(text, columns);
  return fitting + " ".repeat(Math.max(0, columns - widthOf(fitting)));
}
