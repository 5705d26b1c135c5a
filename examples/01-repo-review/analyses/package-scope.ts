import { parse as parseJsonc } from "jsonc-parser";
import { z } from "zod";
import { folderOf, type Tree } from "../tree.ts";
import { declaredBy, isPackage, type Manifest, readManifest } from "./package-manifest.ts";

/** What belongs to one package, and what it may import besides its own dependencies. */
export interface PackageScope {
  readonly folder: string;
  readonly files: readonly string[];
  /** Itself, what the packages around it declare, and the other members of its workspace. */
  readonly reachable: ReadonlySet<string>;
  /** Names that TypeScript's settings give to folders: `app` for `app/*`. */
  readonly aliases: ReadonlySet<string>;
}

export async function scopeOf(manifestPath: string, manifest: Manifest, tree: Tree): Promise<PackageScope> {
  const folder = folderOf(manifestPath);
  const { files: all } = await tree.list(folder);
  const inner = await innerPackages(manifestPath, all, tree);
  const files = all.filter((path) => !inner.some(({ folder: other }) => path.startsWith(`${other}/`)));
  const reachable = new Set(declaredBy(manifest));
  if (manifest.name !== undefined) reachable.add(manifest.name);
  if (await isWorkspace(folder, manifest, tree)) for (const { name } of inner) reachable.add(name);
  for (const around of foldersAround(folder)) {
    const other = readManifest((await tree.read(join(around, "package.json"))) ?? "");
    if (other === undefined) continue;
    for (const name of [other.name ?? "", ...declaredBy(other)]) reachable.add(name);
    if (!(await isWorkspace(around, other, tree))) continue;
    const members = await innerPackages(join(around, "package.json"), (await tree.list(around)).files, tree);
    for (const { name } of members) reachable.add(name);
  }
  return { folder, files, reachable, aliases: await aliasesOf(folder, files, tree) };
}

/** The packages below one, each with a scope of its own. */
async function innerPackages(
  manifestPath: string,
  files: readonly string[],
  tree: Tree,
): Promise<{ folder: string; name: string }[]> {
  const inner: { folder: string; name: string }[] = [];
  for (const path of files) {
    if (path === manifestPath || !path.endsWith("/package.json")) continue;
    const manifest = readManifest((await tree.read(path)) ?? "");
    if (manifest === undefined || isPackage(manifest))
      inner.push({ folder: folderOf(path), name: manifest?.name ?? "" });
  }
  return inner;
}

async function isWorkspace(folder: string, manifest: Manifest, tree: Tree): Promise<boolean> {
  return manifest.workspaces !== undefined || (await tree.exists(join(folder, "pnpm-workspace.yaml")));
}

/** From the nearest to the root. */
export function foldersAround(folder: string): string[] {
  const around: string[] = [];
  for (let inner = folder; inner !== ""; inner = folderOf(inner)) around.push(folderOf(inner));
  return around;
}

export function join(folder: string, path: string): string {
  return folder === "" ? path : `${folder}/${path}`;
}

const compilerOptions = z.object({
  compilerOptions: z.object({
    paths: z.record(z.string(), z.unknown()).catch({}),
    baseUrl: z.string().optional().catch(undefined),
  }),
});

async function aliasesOf(folder: string, files: readonly string[], tree: Tree): Promise<Set<string>> {
  const aliases = new Set<string>();
  for (const path of files.filter((file) => /(?:^|\/)[tj]sconfig[^/]*\.json$/.test(file))) {
    const settings = compilerOptions.safeParse(parseJsonc((await tree.read(path)) ?? "")).data?.compilerOptions;
    for (const alias of Object.keys(settings?.paths ?? {})) aliases.add(alias.replace(/\/?\*$/, ""));
    if (settings?.baseUrl === undefined) continue;
    // With a base, whatever lies in it can be imported by its bare name.
    for (const file of files)
      for (const part of file.slice(folder.length).split("/")) aliases.add(part.replace(/\.\w+$/, ""));
  }
  return aliases;
}
