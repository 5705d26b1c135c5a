import { lstat, open, readdir, readFile, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { compareText } from "./findings.ts";

/** A file that is being reviewed: its path is relative to the tree's root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What an analysis may look at besides its own file. */
export interface Tree {
  /** Whether it lies in `node_modules`: what is there is built, and came without what it was built with. */
  readonly installed: boolean;
  /** The text, without a byte order mark and with `\uFFFD` for what is not UTF-8; `undefined` if it cannot be read. */
  read(path: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** The files worth reviewing under a folder (`""` is the root), at any depth, in order. */
  list(folder: string): Promise<Listing>;
}

export interface Listing {
  readonly files: readonly string[];
  /** How many were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Larger files are data or generated; reading them would tell a reviewer nothing. */
const MAX_BYTES = 1_000_000;
/** A file with a zero byte in its first this many is binary. */
const SNIFFED_BYTES = 8_192;
/** Not part of what anybody wrote: never looked at and never counted. */
const INVISIBLE = new Set([".git", ".safeguards"]);
/** What others wrote and what is built. */
const NOT_OURS = new Set(["node_modules", "dist"]);

/**
 * A tree on disk, but for one file: the report of the last review is no part of this one. Links to other places are not
 * followed, so that a loop of them is harmless.
 */
export function treeOnDisk(root: string, except?: string): Tree {
  // Whoever asks for a review of node_modules wants what is in it.
  const installed = resolve(root).split(sep).includes("node_modules");
  const left = installed ? new Set<string>() : NOT_OURS;

  async function* walk(folder: string): AsyncGenerator<{ path: string; skipped?: string }> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) yield { path: folder, skipped: "unreadable" };
    for (const entry of entries ?? []) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (INVISIBLE.has(entry.name) || join(root, path) === except) continue;
      if (entry.isSymbolicLink()) yield { path, skipped: "symbolic links" };
      else if (!entry.isDirectory()) yield await judge(path);
      else if (left.has(entry.name)) yield { path, skipped: `folders named ${entry.name}` };
      else yield* walk(path);
    }
  }

  async function judge(path: string): Promise<{ path: string; skipped?: string }> {
    try {
      const info = await lstat(join(root, path));
      if (!info.isFile()) return { path, skipped: "neither files nor folders" };
      if (info.size > MAX_BYTES) return { path, skipped: "larger than 1 MB" };
      return (await isBinary(join(root, path))) ? { path, skipped: "binary" } : { path };
    } catch {
      return { path, skipped: "unreadable" };
    }
  }

  return {
    installed,
    async read(path: string): Promise<string | undefined> {
      const bytes = await readFile(join(root, path)).catch(() => undefined);
      return bytes && new TextDecoder().decode(bytes);
    },
    async exists(path: string): Promise<boolean> {
      return stat(join(root, path)).then(
        () => true,
        () => false,
      );
    },
    async list(folder: string): Promise<Listing> {
      const files: string[] = [];
      const counts = new Map<string, number>();
      for await (const { path, skipped } of walk(folder)) {
        if (skipped === undefined) files.push(path);
        else counts.set(skipped, (counts.get(skipped) ?? 0) + 1);
      }
      const skipped = Object.fromEntries([...counts].sort(([a], [b]) => compareText(a, b)));
      return { files: files.sort(compareText), skipped };
    },
  };
}

async function isBinary(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SNIFFED_BYTES) });
  return buffer.subarray(0, bytesRead).includes(0);
}

/** The folder of a path: `""` for what lies at the root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
