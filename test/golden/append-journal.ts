/**
 * Adds a record to `journal-v1.json`: `node test/golden/append-journal.ts < events.json`, with a list of events that have
 * no seq. Records that are there are never changed: they are what old journals hold.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { CHAIN_START, endOf } from "../../src/journal/chain.ts";
import { seal } from "../../src/journal/codec.ts";
import { frameOf, recordOf } from "../../src/journal/frame.ts";
import type { KernelEvent } from "../../src/kernel/events.ts";

interface Golden {
  readonly frame: string;
  readonly events: readonly KernelEvent[];
}

const path = new URL("journal-v1.json", import.meta.url);
const goldens: readonly Golden[] = JSON.parse(readFileSync(path, "utf8"));
const last = goldens.at(-1);
const { lastSeq, lastHash } = last === undefined ? CHAIN_START : endOf(recordOf(Buffer.from(last.frame, "base64")));
const given: readonly KernelEvent[] = JSON.parse(readFileSync(0, "utf8"));
const events = given.map((event, index) => ({ ...event, seq: lastSeq + 1 + index }));
const record = seal(events, { firstSeq: lastSeq + 1, epoch: 1, prevHash: lastHash });
const added = { frame: frameOf(record).toString("base64"), events };
writeFileSync(path, `${JSON.stringify([...goldens, added], null, 1)}\n`);
