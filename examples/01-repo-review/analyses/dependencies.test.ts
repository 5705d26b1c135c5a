import { describe, expect, it } from "vitest";
import { dependencies } from "./dependencies.ts";
import { tell } from "./tree.fixture.ts";

function manifest(fields: object): string {
  return JSON.stringify({ name: "it", ...fields }, undefined, 1);
}

describe("unused dependencies", () => {
  const declared = manifest({ dependencies: { it: "1" }, devDependencies: { "@a/tool": "1" } });
  const unused = (text: object): Record<string, string> => ({
    "package.json": declared.replace('"it": "1"', '"dep": "1"'),
    ...text,
  });

  it("tells each at its line", async () => {
    expect(await tell(dependencies, unused({ "a.js": "" }))).toEqual([
      "package.json:4 dependencies/unused Nothing in this package uses dep",
      "package.json:7 dependencies/unused Nothing in this package uses @a/tool",
    ]);
  });

  it.each([
    ["a.js", "import 'dep'; import '@a/tool/part.js'"],
    ["a.js", "export * from 'dep'; export { x } from '@a/tool'"],
    ["a.cjs", "const a = require('dep'); require.resolve('@a/tool/x')"],
    ["a.js", "await import('dep'); import.meta.resolve('@a/tool')"],
    ["a.ts", "import type { A } from 'dep'; let b: import('@a/tool').B"],
    ["a.ts", "import a = require('dep'); import '@a/tool'"],
    ["a.js", "spawn('dep'); execSync('npx tool --all')"],
    ["run.sh", "node_modules/.bin/dep && tool"],
    ["tsconfig.json", '{ "extends": "dep/base.json", "plugins": ["@a/tool"] }'],
    ["page.vue", "<script>import x from 'dep'; import y from '@a/tool'</script>"],
  ])("counts as use what %s says: %s", async (path, text) => {
    expect(await tell(dependencies, unused({ [path]: text }))).toEqual([]);
  });

  it("counts scripts, by the programs that a dependency brings", async () => {
    const texts = {
      "package.json": manifest({ scripts: { test: "frob --all" }, dependencies: { dep: "1" } }),
      "node_modules/dep/package.json": JSON.stringify({ name: "dep", bin: { frob: "x.js" } }),
    };
    expect(await tell(dependencies, texts)).toEqual([]);
    expect(await tell(dependencies, { ...texts, "node_modules/dep/package.json": '{"name":"dep"}' })).toHaveLength(1);
  });

  it("counts what another dependency wants beside it, and settings in the manifest itself", async () => {
    const texts = {
      "package.json": manifest({ dependencies: { host: "1", peer: "1", preset: "1" }, jest: { preset: "preset" } }),
      "node_modules/host/package.json": JSON.stringify({ name: "host", peerDependencies: { peer: "1" } }),
      "a.js": "import 'host'",
    };
    expect(await tell(dependencies, texts)).toEqual([]);
  });

  it("counts what wants each other beside it", async () => {
    const texts = {
      "package.json": manifest({ dependencies: { "a-plugin": "1", host: "1" }, scripts: { test: "host" } }),
      "node_modules/a-plugin/package.json": JSON.stringify({ name: "a-plugin", peerDependencies: { host: "1" } }),
      "node_modules/host/package.json": JSON.stringify({ name: "host", peerDependencies: { "a-plugin": "1" } }),
    };
    expect(await tell(dependencies, texts)).toEqual([]);
  });

  it("counts types of what is declared or builtin, and not of what is gone", async () => {
    const devDependencies = { "@types/node": "1", "@types/dep": "1", "@types/a__b": "1", "@types/gone": "1" };
    const texts = {
      "package.json": manifest({ dependencies: { dep: "1", "@a/b": "1" }, devDependencies }),
      "a.ts": "import 'dep'; import '@a/b'",
    };
    expect(await tell(dependencies, texts)).toEqual([
      "package.json:11 dependencies/unused Nothing in this package uses @types/gone",
    ]);
  });

  it("does not take a README, a lock file or a change log for use", async () => {
    const texts = { "README.md": "dep @a/tool", "package-lock.json": '"dep" "@a/tool"', CHANGELOG: "dep @a/tool" };
    expect(await tell(dependencies, unused(texts))).toHaveLength(2);
  });

  it("does not ask an installed package for what it was built with", async () => {
    expect(await tell(dependencies, unused({ "a.js": "import 'dep'" }), true)).toEqual([]);
  });
});

describe("missing dependencies", () => {
  it("tells each once, where it is first imported", async () => {
    const texts = {
      "package.json": manifest({}),
      "b.js": "\nimport '@a/b/c';\nimport x from 'missing/part'",
      "c.ts": "import 'missing'",
    };
    expect(await tell(dependencies, texts)).toEqual([
      "b.js:2 dependencies/missing @a/b is imported, but package.json does not declare it",
      "b.js:3 dependencies/missing missing is imported, but package.json does not declare it",
    ]);
  });

  it.each([
    [
      "builtin modules",
      "import 'fs'; import 'node:fs/promises'; import 'path/posix'; import 'node:sqlite'; import 'bun:test'",
    ],
    [
      "its own files and name",
      "import './a.js'; import '../b.js'; import '#internal'; import 'it/part'; import '/abs.js'",
    ],
    ["aliases of bundlers", "import '@/a'; import '~/b'; import 'virtual:c'; import 'https://example.com/d.js'"],
    ["what it can go without", "try { require('extra') } catch {}"],
    ["what is only said", "// import 'x'\nconst s = \"import 'y'\"; obj.require('z'); require(name)"],
  ])("leaves alone %s", async (_what, text) => {
    expect(await tell(dependencies, { "package.json": manifest({}), "a.js": text })).toEqual([]);
  });

  it.each(["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"])(
    "accepts %s",
    async (field) => {
      const texts = { "package.json": manifest({ [field]: { dep: "1" } }), "a.js": "import 'dep'" };
      expect(await tell(dependencies, texts)).toEqual([]);
    },
  );

  it("lets a package use what those around it declare, and the members of its workspace", async () => {
    const texts = {
      "package.json": manifest({ workspaces: ["packages/*"], devDependencies: { shared: "1" } }),
      "run.js": "import 'shared'; import '@it/b'",
      "packages/a/package.json": JSON.stringify({ name: "@it/a" }),
      "packages/a/a.js": "import 'shared'; import '@it/b'; import 'it'; import 'other'",
      "packages/b/package.json": JSON.stringify({ name: "@it/b" }),
    };
    expect(await tell(dependencies, texts)).toEqual([
      "packages/a/a.js:1 dependencies/missing other is imported, but packages/a/package.json does not declare it",
    ]);
  });

  it("does not take packages that only lie in one folder for a workspace", async () => {
    const texts = {
      "package.json": manifest({}),
      "a/package.json": JSON.stringify({ name: "a" }),
      "a/a.js": "import 'b'",
      "b/package.json": JSON.stringify({ name: "b" }),
    };
    expect(await tell(dependencies, texts)).toHaveLength(1);
    expect(await tell(dependencies, { ...texts, "pnpm-workspace.yaml": "packages: ['*']" })).toEqual([]);
  });

  it("keeps each package to its own files, and a nameless manifest to the package around it", async () => {
    const texts = {
      "package.json": manifest({ dependencies: { dep: "1" } }),
      "esm/package.json": '{ "type": "module" }',
      "esm/a.js": "import 'dep'",
      "inner/package.json": JSON.stringify({ name: "inner" }),
      "inner/a.js": "import 'own'",
    };
    expect(await tell(dependencies, texts)).toEqual([
      "inner/a.js:1 dependencies/missing own is imported, but inner/package.json does not declare it",
    ]);
  });

  it("knows the names that TypeScript's settings give to folders", async () => {
    const texts = {
      "package.json": manifest({}),
      "tsconfig.json":
        '{ // a comment\n "compilerOptions": { "paths": { "app/*": ["./src/*"], "@lib/core": ["x"] } } }',
      "a.ts": "import 'app/a'; import '@lib/core'; import 'lost'",
    };
    expect((await tell(dependencies, texts)).map((line) => line.split(" ")[2])).toEqual(["lost"]);
  });

  it.each(["", "null", "[]", '{"dependencies": []}', '{"name": 3, "scripts": "x", "dependencies": "y"}'])(
    "says nothing of a manifest that makes no sense: %s",
    async (text) => {
      expect(await tell(dependencies, { "package.json": text, "a.js": "import './a.js'" })).toEqual([]);
    },
  );
});
