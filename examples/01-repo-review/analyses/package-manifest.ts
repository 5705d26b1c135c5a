import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import { z } from "zod";

/** The fields of a `package.json` in which it declares what it needs. */
const DECLARING = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] as const;

const names = z.record(z.string(), z.unknown()).catch({});
const text = z.string().optional().catch(undefined);
const shape = z.object({
  name: text,
  main: text,
  bin: z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .optional()
    .catch(undefined),
  scripts: names,
  workspaces: z
    .union([z.array(z.string()), z.object({ packages: z.array(z.string()) }).transform((it) => it.packages)])
    .optional()
    .catch(undefined),
  dependencies: names,
  devDependencies: names,
  peerDependencies: names,
  optionalDependencies: names,
});

/** What a `package.json` says, as far as it makes sense: a field of the wrong kind counts as absent. */
export type Manifest = z.output<typeof shape>;

/** `undefined` for what is no JSON object. */
export function readManifest(source: string): Manifest | undefined {
  try {
    return shape.safeParse(JSON.parse(source)).data;
  } catch {
    return undefined;
  }
}

/** Some only set a module format for their folder: they are part of the package around them. */
export function isPackage(manifest: Manifest): boolean {
  return manifest.name !== undefined || DECLARING.some((field) => Object.keys(manifest[field]).length > 0);
}

export function declaredBy(manifest: Manifest): string[] {
  return DECLARING.flatMap((field) => Object.keys(manifest[field]));
}

/** The programs that a package brings: as declared, or else the one that its name suggests. */
export function programsOf(name: string, manifest: Manifest | undefined): string[] {
  const own = name.replace(/^@[^/]+\//, "");
  if (manifest === undefined) return [own, name];
  return typeof manifest.bin === "object" ? Object.keys(manifest.bin) : [own];
}

/** Where a dependency is declared, as an offset. */
export function offsetOf(source: string, field: string, name: string): number {
  const root = parseTree(source);
  const value = root && findNodeAtLocation(root, [field, name]);
  return value?.parent?.offset ?? 0;
}

/** Every text in a manifest outside scripts and the declarations themselves: presets and plugins are named there. */
export function textsIn(source: string): string[] {
  const ignored = new Set<unknown>([...DECLARING, "scripts", "name", "overrides", "resolutions", "pnpm", "keywords"]);
  const texts: string[] = [];
  const open: Node[] = (parseTree(source)?.children ?? []).filter(({ children }) => !ignored.has(children?.[0]?.value));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "string") texts.push(String(node.value));
    for (const child of node.children ?? []) open.push(child);
  }
  return texts;
}
