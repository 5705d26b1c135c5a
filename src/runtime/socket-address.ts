/**
 * Where a Unix socket is bound so that clients find it at its path.
 *
 * Systems allow a socket's path about a hundred bytes only. A socket with a longer one is bound in a private folder of
 * the temporary folder, and a symbolic link stands at its path, which clients follow.
 */
import { lstatSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { SafeguardsError } from "../errors.ts";

/** What every system takes: macOS 103, Linux 107, without the closing NUL. */
const MAX_PATH_BYTES = 100;

/** The path to connect to. */
export function addressOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return path;
  }
}

/** A path to bind to, and what puts a link to it in its place, and takes both away again. */
export interface Binding {
  readonly address: string;
  link(): void;
  remove(): void;
}

export function bindingFor(path: string): Binding {
  const absolute = resolve(path);
  if (fits(absolute)) return { address: absolute, link: nothing, remove: nothing };
  const address = join(privateFolder(), "socket");
  return {
    address,
    link: () => symlinkSync(address, absolute),
    remove: () => {
      if (addressOf(absolute) === address) unlinkSync(absolute);
      rmSync(dirname(address), { recursive: true, force: true });
    },
  };
}

/** Removes a socket, or a link to one, that nobody answers at. Anything else that stands there is left alone. */
export function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket() && !found.isSymbolicLink()) {
    throw new SafeguardsError("INVALID_STATE", `${path} is in the way of a socket and is none`, { details: { path } });
  }
  unlinkSync(path);
}

function privateFolder(): string {
  const candidates = [tmpdir(), "/tmp"].map((folder) => join(folder, "safeguards-"));
  const prefix = candidates.find((candidate) => fits(`${candidate}XXXXXX/socket`));
  if (prefix === undefined) {
    throw new SafeguardsError("INVALID_STATE", `the temporary folder ${tmpdir()} has too long a path for a socket`);
  }
  return mkdtempSync(prefix);
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_PATH_BYTES;
}

function nothing(): void {}
