/** Lists the five longest files and functions of the library, to look at: when one outgrows its room, a concept is missing. */
import type { Node } from "@babel/types";
import { isTest, listFiles, readSources, type Source, walk } from "../test/tidy/source.ts";

const HOW_MANY = 5;

interface Length {
  readonly where: string;
  readonly lines: number;
}

const sources = readSources(listFiles().filter((path) => path.startsWith("src/") && !isTest(path)));
print(
  "files",
  sources.map(({ path, text }) => ({ where: path, lines: text.trimEnd().split("\n").length })),
);
print("functions", sources.flatMap(functionsOf));

function functionsOf(source: Source): Length[] {
  const found: Length[] = [];
  walk(source.program, (node, above) => {
    const isFunction = /Function|ClassMethod|ClassPrivateMethod|ObjectMethod/.test(node.type) && "body" in node;
    if (!isFunction || !node.loc) return;
    const { start, end } = node.loc;
    const lines = end.line - start.line + 1;
    found.push({ where: `${nameOf(node, above.at(-1))} (${source.path}:${start.line})`, lines });
  });
  return found;
}

/** What a function is called by, or by what holds it. */
function nameOf(node: Node, parent: Node | undefined): string {
  for (const candidate of [node, parent]) {
    if (candidate === undefined) continue;
    const named: unknown = Reflect.get(candidate, "id") ?? Reflect.get(candidate, "key");
    if (typeof named !== "object" || named === null) continue;
    const id: unknown = Reflect.get(named, "id") ?? named;
    const name: unknown = typeof id === "object" && id !== null ? Reflect.get(id, "name") : undefined;
    if (typeof name === "string") return name;
  }
  return "anonymous";
}

function print(what: string, lengths: readonly Length[]): void {
  console.log(`The ${HOW_MANY} longest ${what} of ${lengths.length}:`);
  for (const { where, lines } of lengths.toSorted((a, b) => b.lines - a.lines).slice(0, HOW_MANY)) {
    console.log(`${String(lines).padStart(5)}  ${where}`);
  }
}
