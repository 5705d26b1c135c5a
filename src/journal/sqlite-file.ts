/**
 * The SQLite file that a journal lives in: how it is made, opened and recognized, and what its errors mean.
 *
 * 1. One connection writes and makes checkpoints, and it holds the lock beside the file; all others only read. (So the
 *    fault of SQLite before 3.51.3, which needs two connections that make checkpoints, cannot be met.)
 * 2. A commit is on the disk when it returns: WAL with `synchronous=FULL`, asserted where commits are made.
 * 3. The file and what SQLite puts beside it have mode 0600, a folder that is made for them 0700.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { SafeguardsError } from "../errors.ts";

/** Marks the file as a journal of ours (`PRAGMA application_id`): "SfgJ". */
const APPLICATION_ID = 0x5366674a;
/** The tables' version (`PRAGMA user_version`). */
const FORMAT = 2;
/** The first had no archive: it is given one when it is opened for writing. */
const WITHOUT_ARCHIVE = 1;
/** How long a statement waits for another process to let go of the file. */
const BUSY_MS = 5_000;

const ARCHIVE = `
  CREATE TABLE archive (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    crc INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT;
`;

const TABLES = `
  CREATE TABLE records (
    first_seq INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  -- A snapshot's footer; chunks whose snapshot has none do not count.
  CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    chunk_hashes BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT;
  CREATE TABLE snapshot_chunks (
    snapshot INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (snapshot, n)
  ) STRICT;
  ${ARCHIVE}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** The one path of the file, however it is reached, so that there is one lock for it. Makes the folder when told to. */
export function canonicalPath(path: string, makeFolder: boolean): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const folder = dirname(absolute);
  if (makeFolder) makeFolderOf(folder);
  return existsSync(folder) ? join(realpathSync(folder), basename(absolute)) : absolute;
}

function makeFolderOf(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let path = folder; path.length >= made.length; path = dirname(path)) syncFolder(dirname(path));
}

/** Makes what was made or renamed in the folder last. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes an empty file with mode 0600 unless there is one. SQLite gives what it puts beside it the same mode. */
export function makeFile(path: string): void {
  try {
    // Never opens a file that exists: closing it again would drop this process's locks on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw error;
  }
  syncFolder(dirname(path));
}

/** Opens the file for its one writer, and makes the tables when it is new. Asks for the lock beforehand. */
export function openForWriting(path: string): DatabaseSync {
  makeFile(path);
  return opened(new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true }), (db) => {
    harden(db);
    if (isNew(db)) {
      db.exec("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
      db.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
    }
    assertOurs(db, path);
    if (!hasArchive(db)) db.exec(`BEGIN IMMEDIATE; ${ARCHIVE} PRAGMA user_version = ${FORMAT}; COMMIT;`);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;");
    // macOS writes through the disk's own cache only when told so.
    db.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;");
    assertDurable(db, path);
  });
}

/** Opens the file for reading only, whoever writes it. */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw absent(path);
  return opened(new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS }), (db) => {
    harden(db);
    if (isNew(db)) throw absent(path);
    assertOurs(db, path);
  });
}

function absent(path: string): SafeguardsError {
  return new SafeguardsError("JOURNAL_FAILED", `there is no journal at ${path}`, { details: { path } });
}

function opened(db: DatabaseSync, prepare: (db: DatabaseSync) => void): DatabaseSync {
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function harden(db: DatabaseSync): void {
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
}

/** Throws unless a commit is on the disk when it returns: some builds of SQLite forget the setting at the first write. */
export function assertDurable(db: DatabaseSync, path: string): void {
  const [mode, synchronous] = [pragma(db, "journal_mode"), pragma(db, "synchronous")];
  if (mode === "wal" && synchronous === 2) return;
  throw new SafeguardsError(
    "JOURNAL_FAILED",
    `${path} would not be durable: SQLite has journal_mode ${mode} (needs wal) and synchronous ${synchronous} (needs 2)`,
    { details: { path } },
  );
}

function isNew(db: DatabaseSync): boolean {
  return pragma(db, "application_id") === 0 && db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
}

function assertOurs(db: DatabaseSync, path: string): void {
  if (pragma(db, "application_id") !== APPLICATION_ID) {
    throw new SafeguardsError("JOURNAL_CORRUPT", `${path} is a database, but not a journal of Safeguards`, {
      details: { path },
    });
  }
  const format = pragma(db, "user_version");
  if (format === FORMAT || format === WITHOUT_ARCHIVE) return;
  throw new SafeguardsError(
    "INVALID_STATE",
    `${path} has journal format ${format}; this version of Safeguards reads format ${FORMAT}: open it with a newer one`,
    { details: { path, format, supported: FORMAT } },
  );
}

export function hasArchive(db: DatabaseSync): boolean {
  return pragma(db, "user_version") !== WITHOUT_ARCHIVE;
}

export function pragma(db: DatabaseSync, name: string): SQLOutputValue | undefined {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** `SQLITE_CORRUPT`, `SQLITE_NOTADB`. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** What an error of SQLite or of the file system means for the journal at that path. */
export function meaningOf(error: unknown, path: string): SafeguardsError {
  if (error instanceof SafeguardsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const details = { path };
  if (isDamage(error)) {
    return new SafeguardsError("JOURNAL_CORRUPT", `${path} is damaged or not a journal: ${message}`, {
      details,
      cause: error,
    });
  }
  return new SafeguardsError("JOURNAL_FAILED", `${path} cannot be used: ${message}`, { details, cause: error });
}

function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") return DAMAGED.has(error.errcode & 0xff);
  // A number that no writer of ours has put there.
  return "code" in error && error.code === "ERR_OUT_OF_RANGE";
}
