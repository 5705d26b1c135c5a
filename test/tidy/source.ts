/** The repository's own files, parsed, and the shape of a rule about them. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";
import { type Comment, type Node, VISITOR_KEYS } from "@babel/types";

export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly comments: readonly Comment[];
}

/** What breaks a rule, each as `path:line: what`. */
export type Faults = readonly string[];

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** Every file that is in the repository or could be added to it. */
export function listFiles(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  return listed.split("\n").filter((path) => statSync(`${root}${path}`, { throwIfNoEntry: false })?.isFile());
}

export function readText(path: string): string {
  return readFileSync(`${root}${path}`, "utf8");
}

/** What users import, and the source behind it, as package.json says. */
export function entries(): ReadonlyMap<string, string> {
  const manifest: { name: string; exports: Record<string, { default: string }> } = JSON.parse(readText("package.json"));
  return new Map(
    Object.entries(manifest.exports).map(([subpath, { default: compiled }]) => [
      manifest.name + subpath.slice(1),
      compiled.replace("./dist/", "src/").replace(/\.js$/, ".ts"),
    ]),
  );
}

export function parseSource(path: string, text: string): Source {
  const file = parse(text, { sourceType: "module", plugins: ["typescript"] });
  return { path, text, program: file.program, comments: file.comments ?? [] };
}

/** The TypeScript of the repository; fixtures may be broken on purpose, so they are not ours to parse. */
export function readSources(files: readonly string[]): readonly Source[] {
  const written = files.filter((path) => path.endsWith(".ts") && !path.includes("/fixtures/"));
  return written.map((path) => parseSource(path, readText(path)));
}

export function isTest(path: string): boolean {
  return /\.(test|fixture)\.ts$/.test(path);
}

/** Visits a node and all below it, each with the nodes above it, nearest last. */
export function walk(node: Node, visit: (node: Node, above: readonly Node[]) => void, above: Node[] = []): void {
  visit(node, above);
  above.push(node);
  for (const key of VISITOR_KEYS[node.type] ?? []) {
    const below: unknown = Reflect.get(node, key);
    for (const child of Array.isArray(below) ? below : [below]) {
      if (isNode(child)) walk(child, visit, above);
    }
  }
  above.pop();
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

export function at(source: Source, node: Node | Comment, what: string): string {
  return `${source.path}:${node.loc?.start.line ?? 1}: ${what}`;
}
