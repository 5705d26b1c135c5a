import { expect, test } from "vitest";
import { journalConformance } from "../testing/journal-conformance.ts";
import { MemoryJournal } from "./memory.ts";

journalConformance("memory journal", () => new MemoryJournal(), { test, expect });
