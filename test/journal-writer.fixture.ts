/**
 * Opens the SQLite journal at the path and says so (`open`), then appends records until it is killed, saying each seq
 * that has been acknowledged. `journal-writer.fixture.ts PATH [RECORDS_IN_FLIGHT [BYTES]]`; none in flight: only holds it.
 */
import { writeSync } from "node:fs";
import { endOf } from "../src/journal/chain.ts";
import { seal } from "../src/journal/codec.ts";
import { SqliteJournal } from "../src/journal/sqlite.ts";
import type { KernelEvent } from "../src/kernel/events.ts";

const [path = "", inFlight = "0", bytes = "100"] = process.argv.slice(2);
const journal = new SqliteJournal(path);
const { epoch, ...opened } = await journal.open();
setInterval(() => undefined, 60_000);
say("open");

let end = { lastSeq: opened.lastSeq, lastHash: opened.lastHash };
let flying = 0;
let isSending = false;
fly();

function fly(): void {
  if (isSending) return;
  isSending = true;
  while (flying < Number(inFlight)) send();
  isSending = false;
}

function send(): void {
  const { lastSeq, lastHash } = end;
  const [first, second] = [lastSeq + 1, lastSeq + 2];
  const record = seal([event(first), event(second)], { firstSeq: first, epoch, prevHash: lastHash });
  end = endOf(record);
  flying++;
  journal.append(record, lastSeq).then(() => {
    say(String(second));
    flying--;
    fly();
  }, fail);
}

function event(seq: number): KernelEvent {
  return {
    type: "task.completed",
    v: 1,
    seq,
    at: 1_000,
    taskId: `t${seq}`,
    token: seq,
    output: "x".repeat(Number(bytes)),
  };
}

function fail(error: unknown): void {
  const { code, details } = error as { code?: string; details?: unknown };
  say(`failed ${JSON.stringify({ code, details })}`);
}

/** At once, so that what was said is not lost with the process; when nobody reads for a while, it waits. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
