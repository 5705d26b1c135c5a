/** A YAML text as data, and where in the text each part of the data stands. */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { show } from "../coordination/structures/arguments.ts";
import type { Path, Position } from "./fault.ts";

/** Something wrong with the text itself. */
export interface YamlFault extends Position {
  readonly message: string;
}

export interface YamlSource {
  /** `undefined` when it cannot be read at all. */
  readonly data: unknown;
  readonly faults: readonly YamlFault[];
  /** Where the value at a path stands, or its key; what is not there is where it would have to be. */
  locate(path: Path, at?: "key"): Position;
}

/** How many values may be written in another's place by aliases: more is an attack. */
const MAX_ALIASES = 1_000;
const MAX_DEPTH = 64;

/** Reads one YAML 1.2 document; every fault of its syntax is told at once. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const faults: YamlFault[] = [...document.errors, ...document.warnings].map((error) => {
    return { ...position(error.pos[0]), message: `bad YAML: ${error.message}` };
  });
  visit(document, {
    Scalar(_, { value, range }) {
      if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return;
      const message = `the number ${value} is too large to be exact — a whole number up to 2^53 - 1, or text in quotes`;
      faults.push({ ...position(range?.[0] ?? 0), message });
    },
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `bad YAML: the alias ${show(alias.source)} has no anchor before it`;
      faults.push({ ...position(alias.range?.[0] ?? 0), message });
    },
  });
  // A key that is there twice is a fault, and no reason to keep silent about the others.
  const readable = document.errors.every(({ code }) => code === "DUPLICATE_KEY")
    ? parseDocument(text, { uniqueKeys: false, prettyErrors: false })
    : undefined;
  return {
    data: readable === undefined ? undefined : toData(() => readable.toJS({ maxAliasCount: MAX_ALIASES }), faults),
    faults,
    locate: (path, at) =>
      position(offsetOf(document.contents, path, at, (node) => (isAlias(node) ? node.resolve(document) : node))),
  };
}

function toData(read: () => unknown, faults: YamlFault[]): unknown {
  let problem: string;
  try {
    const data = read();
    if (fitsWithin(data, MAX_DEPTH)) return data;
    problem = `nested more than ${MAX_DEPTH} levels deep, or in itself`;
  } catch (error) {
    if (faults.length > 0) return undefined;
    problem =
      error instanceof RangeError ? "nested too deeply" : error instanceof Error ? error.message : String(error);
  }
  faults.push({ line: 1, column: 1, message: `bad YAML: ${problem}` });
  return undefined;
}

function fitsWithin(data: unknown, depth: number): boolean {
  if (typeof data !== "object" || data === null) return true;
  return depth > 0 && Object.values(data).every((value) => fitsWithin(value, depth - 1));
}

function offsetOf(root: Node | null, path: Path, at: "key" | undefined, resolve: (node: unknown) => unknown): number {
  let node: unknown = root;
  let offset = startOf(root) ?? 0;
  for (const [depth, step] of path.entries()) {
    const holder = resolve(node);
    let found: unknown;
    if (isMap(holder)) {
      const pair = holder.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      found = at === "key" && depth === path.length - 1 ? pair?.key : (pair?.value ?? pair?.key);
    } else if (isSeq(holder)) {
      found = holder.items[Number(step)];
    }
    const start = startOf(found);
    if (start === undefined) return offset;
    offset = start;
    node = found;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  if (isAlias(node) || isScalar(node) || isMap(node) || isSeq(node)) return node.range?.[0];
  return undefined;
}
