import { isBuiltin } from "node:module";
import { compareText, type Finding } from "../findings.ts";
import type { SourceFile, Tree } from "../tree.ts";
import type { Analysis } from "./analysis.ts";
import { type Import, type Names, namesIn } from "./imports.ts";
import { isPackage, type Manifest, offsetOf, programsOf, readManifest, textsIn } from "./package-manifest.ts";
import { foldersAround, join, type PackageScope, scopeOf } from "./package-scope.ts";
import { isDeclaration, isSourceCode, parseSource } from "./source-code.ts";

/** For each package: dependencies that nothing uses, and imports that nothing declares. */
export const dependencies: Analysis = {
  reads: (path) => /(?:^|\/)package\.json$/.test(path),
  async analyse(file: SourceFile, tree: Tree): Promise<Finding[]> {
    const manifest = readManifest(file.text);
    if (manifest === undefined || !isPackage(manifest)) return [];
    const scope = await scopeOf(file.path, manifest, tree);
    const unused = await candidates(manifest, scope, tree);
    const missing = new Map<string, { file: string; line: number }>();
    unused.see([...Object.values(manifest.scripts).map(String), ...textsIn(file.text)]);
    for (const path of scope.files.filter((other) => other !== file.path && !isProse(other))) {
      const { imports, texts } = namesInFile(path, (await tree.read(path)) ?? "");
      unused.see(texts);
      for (const found of imports) {
        const name = packageOf(found.specifier);
        if (name === undefined || missing.has(name) || !isMissing(name, found, path, scope)) continue;
        missing.set(name, { file: path, line: found.line });
      }
    }
    return [
      ...unused.left().map(([name, field]): Finding => {
        const line = lineAt(file.text, offsetOf(file.text, field, name));
        const message = `Nothing in this package uses ${name}`;
        return { severity: "warning", rule: "dependencies/unused", file: file.path, line, message };
      }),
      ...[...missing].map(([name, place]): Finding => {
        const message = `${name} is imported, but ${file.path} does not declare it`;
        return { severity: "error", rule: "dependencies/missing", ...place, message };
      }),
    ];
  },
};

/** What says nothing about use: a README names whatever it likes, a lock file and a change log everything. */
function isProse(path: string): boolean {
  return /\.(?:md|markdown|txt|map|lock)$|(?:^|\/)(?:package-lock\.json|pnpm-lock\.yaml|CHANGELOG[^/]*|LICEN[CS]E[^/]*)$/i.test(
    path,
  );
}

/** What is no source code, or cannot be parsed, may still name programs and plugins. */
function namesInFile(path: string, text: string): Names {
  const { ast } = isSourceCode(path) ? parseSource({ path, text }) : {};
  return ast === undefined ? { imports: [], texts: new Set([text]) } : namesIn(ast);
}

/** The package of an import; `undefined` for files, builtin modules, and what some bundler makes up. */
function packageOf(specifier: string): string | undefined {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "";
  const legal = /^(?:@[a-z\d][\w.~-]*\/)?[a-z\d][\w.~-]*$/i.test(name);
  return legal && !isBuiltin(specifier) && !isBuiltin(name) ? name : undefined;
}

function isMissing(
  name: string,
  { optional }: Import,
  path: string,
  { folder, reachable, aliases }: PackageScope,
): boolean {
  if (optional || reachable.has(name) || reachable.has(typesOf(name))) return false;
  if (aliases.has(name) || aliases.has(name.replace(/\/.*/, ""))) return false;
  // Declarations speak of other people's programs; fixtures and templates are not the package's own.
  return (
    !isDeclaration(path) && !/(?:^|\/)(?:_*fixtures?_*|__mocks__|testdata|templates?)\//.test(path.slice(folder.length))
  );
}

function typesOf(name: string): string {
  return `@types/${name.replace(/^@/, "").replace("/", "__")}`;
}

/** Declared dependencies, each until something is seen that uses it. */
interface Candidates {
  /** Texts that may name packages or their programs: `vitest`, `npx attw --pack`, `@scope/name/part`. */
  see(texts: Iterable<string>): void;
  left(): [name: string, field: string][];
}

async function candidates(manifest: Manifest, scope: PackageScope, tree: Tree): Promise<Candidates> {
  const left = new Map<string, string>();
  // What is installed comes without its development dependencies, and without what used them.
  const fields = tree.installed ? (["dependencies"] as const) : (["dependencies", "devDependencies"] as const);
  for (const field of fields) for (const name of Object.keys(manifest[field])) left.set(name, field);

  const meanings = new Map<string, string[]>();
  function means(word: string, name: string): void {
    meanings.set(word, [...(meanings.get(word) ?? []), name]);
  }
  for (const name of [...left.keys()]) {
    const installed = await installedManifest(name, scope.folder, tree);
    for (const word of [name, ...programsOf(name, installed)]) means(word, name);
    for (const peer of Object.keys(installed?.peerDependencies ?? {})) left.delete(peer);
  }
  for (const name of left.keys()) {
    if (name === "@types/node" || loadedByConvention(name)) left.delete(name);
    const typed = [...scope.reachable].find((other) => typesOf(other) === name);
    if (typed !== undefined) left.delete(name);
  }
  return {
    see(texts): void {
      for (const text of texts) {
        for (const word of text.split(/[\s;&|()[\]{}<>"'`=:,]+|node_modules\/|\.bin\//)) {
          const names = meanings.get(word) ?? meanings.get(packageOf(word) ?? "") ?? [];
          for (const name of names) left.delete(name);
        }
      }
    },
    left: () => [...left].sort(([a], [b]) => compareText(a, b)),
  };
}

/** Plugins and presets, which their hosts find by a shorter name. */
function loadedByConvention(name: string): boolean {
  return /(?:^|\/)(?:eslint-(?:config|plugin)|babel-(?:preset|plugin)|(?:preset|plugin)-|prettier-plugin|stylelint-)/.test(
    name,
  );
}

async function installedManifest(name: string, folder: string, tree: Tree): Promise<Manifest | undefined> {
  for (const around of [folder, ...foldersAround(folder)]) {
    for (const place of tree.installed ? ["node_modules/", ""] : ["node_modules/"]) {
      const text = await tree.read(join(around, `${place}${name}/package.json`));
      if (text !== undefined) return readManifest(text);
    }
  }
  return undefined;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
