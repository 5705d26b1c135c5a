/**
 * Who writes a journal: the process that holds a transaction on a second SQLite file, `….lock`, for as long as it lives.
 * The system lets go of it when the process dies, however it dies.
 *
 * The holder's pid stands in a third file, `….pid`, since a locked database cannot be read, and since reading its file
 * past SQLite would drop the lock of a holder in the same process. That file may be out of date (its writer was killed,
 * or a new holder has not written it yet), so a pid is told only if a process with that pid, started when the file says,
 * is alive.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SafeguardsError } from "../errors.ts";
import { makeFile, meaningOf } from "./sqlite-file.ts";

/** Two that ask in the same instant may get in each other's way: one of them must be let through. */
const WAIT_MS = 200;
/** How often, and after which pause, the pid of a holder is looked for that may not have written it yet. */
const LOOKS = 5;
const PAUSE_MS = 20;

const SQLITE_BUSY = 5;

/** Takes the lock of the journal at that path; `JOURNAL_LOCKED`, with the holder's pid if that is certain, when it is taken. */
export function takeLock(path: string): () => void {
  const lockPath = `${path}.lock`;
  const pidPath = `${path}.pid`;
  let db: DatabaseSync | undefined;
  try {
    makeFile(lockPath);
    db = new DatabaseSync(lockPath, { timeout: WAIT_MS });
    // No journal beside the lock: nothing is ever written to it that would have to be undone.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    writePid(pidPath);
  } catch (error) {
    db?.close();
    throw isBusy(error) ? locked(path, holder(pidPath)) : meaningOf(error, lockPath);
  }
  const held = db;
  return () => {
    rmSync(pidPath, { force: true });
    held.close();
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

function locked(path: string, pid: number | undefined): SafeguardsError {
  const who =
    pid === undefined
      ? "another process"
      : pid === process.pid
        ? `this process (pid ${pid})`
        : `the process with pid ${pid}`;
  return new SafeguardsError("JOURNAL_LOCKED", `the journal at ${path} is written by ${who}`, {
    details: { path, ...(pid !== undefined && { pid }) },
  });
}

function writePid(pidPath: string): void {
  const text = `${process.pid} ${startOf(process.pid)}\n`;
  writeFileSync(`${pidPath}.new`, text, { mode: 0o600 });
  renameSync(`${pidPath}.new`, pidPath);
}

function holder(pidPath: string): number | undefined {
  for (let look = 0; look < LOOKS; look++) {
    const pid = livingWriter(pidPath);
    if (pid !== undefined) return pid;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
  return undefined;
}

function livingWriter(pidPath: string): number | undefined {
  const [pid, start] = contentOf(pidPath).trim().split(" ");
  const number = Number(pid);
  if (!Number.isInteger(number) || number < 1 || !isAlive(number)) return undefined;
  return startOf(number) === (start ?? "") ? number : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When that process started, in the system's own words; empty where the system does not tell. */
function startOf(pid: number): string {
  const stat = contentOf(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, which may hold anything; the start is the 20th after it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
