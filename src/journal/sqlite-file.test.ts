import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { canonicalPath, openForReading, openForWriting, pragma } from "./sqlite-file.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function open(path: string): DatabaseSync {
  const db = openForWriting(path);
  onTestFinished(() => void (db.isOpen && db.close()));
  return db;
}

const INSERT = "INSERT INTO records VALUES (?, 1, 1, 1, 1, x'00', x'00', x'00')";

test("a commit is on the disk when it returns: when the file is new, after the first write, and when opened again", () => {
  const path = join(newFolder(), "journal.db");
  const db = open(path);
  const durable = { journal_mode: "wal", synchronous: 2 };
  const settings = (opened: DatabaseSync) => ({
    journal_mode: pragma(opened, "journal_mode"),
    synchronous: pragma(opened, "synchronous"),
  });
  expect(settings(db)).toEqual(durable);
  db.prepare(INSERT).run(1);
  expect(settings(db)).toEqual(durable);
  db.close();
  const again = open(path);
  expect(settings(again)).toEqual(durable);
  again.prepare(INSERT).run(2);
  expect(settings(again)).toEqual(durable);
});

test("what a damaged or hostile file could do is switched off, and the file can shrink", () => {
  const path = join(newFolder(), "journal.db");
  const writing = open(path);
  const reading = openForReading(path);
  onTestFinished(() => reading.close());
  for (const db of [writing, reading]) {
    expect([pragma(db, "trusted_schema"), pragma(db, "cell_size_check"), pragma(db, "mmap_size")]).toEqual([0, 1, 0]);
  }
  expect([
    pragma(writing, "foreign_keys"),
    pragma(writing, "auto_vacuum"),
    pragma(writing, "wal_autocheckpoint"),
  ]).toEqual([1, 2, 0]);
});

test("who opens for reading cannot write", () => {
  const path = join(newFolder(), "journal.db");
  open(path);
  const reading = openForReading(path);
  onTestFinished(() => reading.close());
  expect(() => reading.prepare(INSERT).run(1)).toThrow(/readonly/);
});

test("a file has one path, through links and detours, whether it is there or not", () => {
  const folder = newFolder();
  const real = join(folder, "real");
  mkdirSync(real);
  symlinkSync(real, join(folder, "link"));
  const path = join(real, "journal.db");
  expect(canonicalPath(join(folder, "link", "..", "link", "journal.db"), false)).toBe(path);
  open(path);
  symlinkSync(path, join(folder, "file.db"));
  expect(canonicalPath(join(folder, "link", "journal.db"), false)).toBe(path);
  expect(canonicalPath(join(folder, "file.db"), false)).toBe(path);
});
