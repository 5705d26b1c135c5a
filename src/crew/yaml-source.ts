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
  return {
    data:
      document.errors.length === 0 ? toData(() => document.toJS({ maxAliasCount: MAX_ALIASES }), faults) : undefined,
    faults,
    locate: (path, at) =>
      position(offsetOf(document.contents, path, at, (node) => (isAlias(node) ? node.resolve(document) : node))),
  };
}

function toData(read: () => unknown, faults: YamlFault[]): unknown {
  try {
    return read();
  } catch (error) {
    if (faults.length === 0)
      faults.push({ line: 1, column: 1, message: `bad YAML: ${error instanceof Error ? error.message : error}` });
    return undefined;
  }
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
