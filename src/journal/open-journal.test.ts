import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MemoryJournal } from "./memory.ts";
import { openJournal } from "./open-journal.ts";

test("memory: is a new journal each time", () => {
  expect(openJournal("memory:")).toBeInstanceOf(MemoryJournal);
  expect(openJournal("memory:")).not.toBe(openJournal("memory:"));
});

test.each(["relative", "absolute"])(
  "sqlite: takes a path that is %s and makes its folders for nobody else",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a", "b", "journal.db");
    const journal = openJournal(`sqlite:${kind === "relative" ? relative(process.cwd(), path) : path}`);
    await journal.open();
    await journal.close();
    expect(statSync(path).isFile()).toBe(true);
    for (const made of [join(folder, "a"), join(folder, "a", "b")]) expect(statSync(made).mode & 0o777).toBe(0o700);
  },
);

test("a journal is taken as it is", () => {
  const journal = new MemoryJournal();
  expect(openJournal(journal)).toBe(journal);
});

test.each([
  ["", "allowed are memory:"],
  ["memory", "allowed are memory:"],
  ["memory:name", "allowed are memory:"],
  ["journal.db", "allowed are memory:"],
  ["sqlite:", "without a path"],
  ["sqlite::memory:", "memory:"],
  ["sqlite:///tmp/x.db", "sqlite:/absolute/path"],
  ["sqlite:a\0b", "NUL"],
  ["nats://127.0.0.1/team", "not available in this version"],
  [{}, "without open, append, read, writeSnapshot, close"],
  [{ ...new MemoryJournal(), open() {} }, "without append, read, writeSnapshot, close"],
])("%j is refused, and the message says what is allowed", (url, told) => {
  expect(() => openJournal(url)).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(told) }),
  );
});
