/**
 * Copies a journal that may be written meanwhile, as it is at one instant. Synchronous: it has a thread of its own.
 *
 * The copy is one read transaction, so the write-ahead log keeps for as long as it takes what is written meanwhile. (SQLite's
 * online backup would not: on the writer's connection its steps get in the way of commits, and on any other it begins anew
 * with each.)
 */
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { SafeguardsError } from "../errors.ts";
import { canonicalPath, makeFile, meaningOf, openForReading, syncFolder } from "./sqlite-file.ts";

/** The copy has its name once it is whole and on the disk. */
export function backUp(path: string, target: string): void {
  if (existsSync(target)) throw taken(target);
  const unfinished = `${target}.${randomUUID()}.unfinished`;
  try {
    makeFile(unfinished);
    const db = openForReading(canonicalPath(path, false));
    try {
      db.prepare("VACUUM INTO ?").run(unfinished);
    } finally {
      db.close();
    }
    sync(unfinished);
    // Unlike a rename, this puts nothing in the place of what has come there meanwhile.
    linkSync(unfinished, target);
    syncFolder(dirname(target));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw taken(target);
    throw meaningOf(error, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function taken(target: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `there is something at ${target}; a backup needs a new path`, {
    details: { path: target },
  });
}

/** SQLite does not wait for the disk when it makes a copy. */
function sync(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
