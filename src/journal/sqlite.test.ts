import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { journalConformance } from "../testing/journal-conformance.ts";
import { SqliteJournal } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "safeguards-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

journalConformance("sqlite journal", () => new SqliteJournal(join(folder, `${++made}.db`)), { test, expect });
