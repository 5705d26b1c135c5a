/** Draws what a terminal showed, with its colours, as an SVG: one frame after the other, the last one longest. */
import stringWidth from "string-width";

export interface PictureOptions {
  readonly columns: number;
  readonly title: string;
}

interface Run {
  readonly text: string;
  readonly column: number;
  readonly classes: string;
}

interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly color: number;
}

const PLAIN: Style = { bold: false, dim: false, color: 0 };
const CELL = 8.4;
const LINE = 18;
const MARGIN = 16;
const BAR = 34;
const FRAME_MS = 500;
const LAST_FRAME_MS = 6_000;
/** Foreground colours of SGR, as they look well on the dark ground. */
const COLORS: Readonly<Record<number, string>> = {
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
};

export function animation(shots: readonly string[], { columns, title }: PictureOptions): string {
  const frames = shots.map((shot) => shot.split("\n"));
  const rows = Math.max(1, ...frames.map((lines) => lines.length));
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = BAR + rows * LINE + MARGIN;
  const total = (frames.length - 1) * FRAME_MS + LAST_FRAME_MS;
  const styles = frames.map((_, index) => frameStyle(index, frames.length, total));
  const groups = shots.map((shot, index) => `<g class="f f${index}">\n${drawLines(shot)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${xml(title)}">
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3; white-space: pre; }
.b { font-weight: 700 } .d { fill: #8b949e } ${Object.entries(COLORS)
    .map(([code, color]) => `.c${code} { fill: ${color} }`)
    .join(" ")}
.f { visibility: hidden } .f${Math.max(0, frames.length - 2)} { visibility: visible }
${styles.join("\n")}
@media (prefers-reduced-motion: reduce) { .f { animation: none !important } }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="17" r="5" fill="#30363d"/><circle cx="38" cy="17" r="5" fill="#30363d"/><circle cx="56" cy="17" r="5" fill="#30363d"/>
<text x="76" y="22" class="d">$ ${xml(title)}</text>
${groups.join("\n")}
</svg>
`;
}

/** Each frame is seen for its part of the whole, over and over. */
function frameStyle(index: number, frames: number, total: number): string {
  const percent = (ms: number): string => `${((ms / total) * 100).toFixed(2)}%`;
  const from = index * FRAME_MS;
  const to = index === frames - 1 ? total : from + FRAME_MS;
  const before = index === 0 ? "" : `0%, ${percent(from - 0.01)} { visibility: hidden } `;
  const after = index === frames - 1 ? "" : ` ${percent(to)}, 100% { visibility: hidden }`;
  const name = `k${index}`;
  return `.f${index} { animation: ${name} ${total}ms step-end infinite } @keyframes ${name} { ${before}${percent(from)} { visibility: visible }${after} }`;
}

/** A style goes on over the ends of lines, until another is set. */
function drawLines(shot: string): string {
  let style = PLAIN;
  let drawn = "";
  for (const [row, line] of shot.split("\n").entries()) {
    const { runs, end } = runsOf(line, style);
    style = end;
    drawn += drawLine(runs, row);
  }
  return drawn;
}

function drawLine(runs: readonly Run[], row: number): string {
  const seen = runs.filter(({ text }) => text.trim() !== "");
  if (seen.length === 0) return "";
  const drawn = seen.map(({ text, column, classes }) => {
    const x = (MARGIN + column * CELL).toFixed(1);
    const length = (stringWidth(text) * CELL).toFixed(1);
    return `<tspan x="${x}" textLength="${length}"${classes === "" ? "" : ` class="${classes}"`}>${xml(text)}</tspan>`;
  });
  return `<text xml:space="preserve" y="${BAR + (row + 1) * LINE - 4}">${drawn.join("")}</text>\n`;
}

/** A line as runs of one style, by the escapes (SGR) in it, and the style that it ends with. */
function runsOf(line: string, start: Style): { readonly runs: readonly Run[]; readonly end: Style } {
  const runs: Run[] = [];
  let column = 0;
  let style = start;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    if (part.startsWith("\u001b[")) {
      style = part.slice(2, -1).split(";").map(Number).reduce(styled, style);
      continue;
    }
    const classes = [style.bold ? "b" : "", style.dim ? "d" : "", style.color in COLORS ? `c${style.color}` : ""];
    runs.push({ text: part, column, classes: classes.filter((name) => name !== "").join(" ") });
    column += stringWidth(part);
  }
  return { runs, end: style };
}

function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, color: 0 };
  if (code >= 90 && code <= 97) return { ...style, color: code - 60 };
  return code >= 30 && code <= 37 ? { ...style, color: code } : style;
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
