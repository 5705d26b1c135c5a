/** What every journal refuses, in the same words. */
import { SafeguardsError } from "../errors.ts";
import { MAX_CHUNK_BYTES } from "./journal.ts";

export function notOpen(url: string): SafeguardsError {
  return new SafeguardsError("CLOSED", `the journal ${url} is not open`, { details: { journal: url } });
}

export function openAlready(url: string): SafeguardsError {
  return new SafeguardsError(
    "JOURNAL_LOCKED",
    `the journal ${url} is open in this process (pid ${process.pid}) already; close it first`,
    {
      details: { journal: url, pid: process.pid },
    },
  );
}

export function notARecordsEnd(url: string, seq: number): SafeguardsError {
  return new SafeguardsError(
    "INVALID_ARGUMENT",
    `a snapshot of ${url} is as of a record's last event; no record with that hash ends with seq ${seq}`,
    {
      details: { journal: url, seq },
    },
  );
}

export function checkChunk(chunk: Uint8Array): void {
  if (chunk.byteLength <= MAX_CHUNK_BYTES) return;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `a snapshot's chunk has ${chunk.byteLength} bytes; at most ${MAX_CHUNK_BYTES} are allowed`,
  );
}

export function checkBeforeSeq(beforeSeq: number): void {
  if (Number.isSafeInteger(beforeSeq) && beforeSeq >= 1) return;
  throw new SafeguardsError("INVALID_ARGUMENT", `beforeSeq is ${beforeSeq}; it must be a whole number from 1 on`);
}

/** Checks where reading begins. `floor`: the first seq that is kept; 1 when there is none. */
export function checkFrom(fromSeq: number, floor: number): void {
  if (!Number.isSafeInteger(fromSeq) || fromSeq < 1) {
    throw new SafeguardsError("INVALID_ARGUMENT", `fromSeq is ${fromSeq}; it must be a whole number from 1 on`);
  }
  if (fromSeq < floor) {
    throw new SafeguardsError(
      "SEQ_COMPACTED",
      `events before seq ${floor} are no longer kept; ${fromSeq} was asked for`,
      {
        details: { fromSeq, floor },
      },
    );
  }
}
