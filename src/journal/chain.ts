/**
 * What follows what. Each record carries the hash of the one before, so that a record that is damaged, missing, moved or
 * of another history is noticed. This finds accidents, not forgers: whoever can write the journal can write its hashes.
 */
import { SafeguardsError } from "../errors.ts";
import { HASH_BYTES, hashOf, NO_HASH, sameBytes } from "./frame.ts";
import type { JournalRecord } from "./journal.ts";

/** The end of a chain: the last seq, and the hash of the record that holds it. */
export interface ChainEnd {
  readonly lastSeq: number;
  readonly lastHash: Uint8Array;
}

/** The end of a chain that has no records. */
export const CHAIN_START: ChainEnd = { lastSeq: 0, lastHash: NO_HASH };

/** The chain's end once that record is its last. */
export function endOf(record: JournalRecord): ChainEnd {
  return { lastSeq: lastSeqOf(record), lastHash: record.hash };
}

export function lastSeqOf(record: Pick<JournalRecord, "firstSeq" | "count">): number {
  return record.firstSeq + record.count - 1;
}

/**
 * Why a record cannot follow that end: `"torn"` when its own hash is not its hash, `"chain"` when it is whole but belongs
 * elsewhere; `undefined` when it fits. Linear in the record's size.
 */
export function verify(record: JournalRecord, after: ChainEnd): "torn" | "chain" | undefined {
  if (!isWhole(record)) return "torn";
  return follows(record, after) ? undefined : "chain";
}

/** Whether the record is what its hash says, wherever it belongs. */
export function isWhole(record: JournalRecord): boolean {
  return isWellFormed(record) && sameBytes(hashOf(record), record.hash);
}

/** Whether the record, if whole, comes next after that end. */
export function follows(record: JournalRecord, end: ChainEnd): boolean {
  return record.firstSeq === end.lastSeq + 1 && sameBytes(record.prevHash, end.lastHash);
}

/** The refusal of an append that was made for another end than this one; `undefined` when it was made for this one. */
export function fence(record: JournalRecord, expectedSeq: number, end: ChainEnd): SafeguardsError | undefined {
  if (expectedSeq === end.lastSeq && follows(record, end)) return undefined;
  const { firstSeq } = record;
  return new SafeguardsError(
    "FENCED",
    `the journal ends with seq ${end.lastSeq}; a record from seq ${firstSeq} on that expects ${expectedSeq} does not follow it`,
    { details: { lastSeq: end.lastSeq, firstSeq, expectedSeq } },
  );
}

/** What to say of a record that does not fit where it stands. */
export function corrupt(
  record: Pick<JournalRecord, "firstSeq">,
  misfit: "torn" | "chain",
  where: string,
): SafeguardsError {
  const what = misfit === "torn" ? "its hash does not fit its content" : "it does not follow the record before";
  return new SafeguardsError("JOURNAL_CORRUPT", `${where}: the record of seq ${record.firstSeq} is damaged: ${what}`, {
    details: { firstSeq: record.firstSeq, path: where },
  });
}

function isWellFormed({ firstSeq, count, epoch, at, codec, prevHash, hash }: JournalRecord): boolean {
  return (
    [firstSeq, epoch, at].every((value) => Number.isSafeInteger(value) && value >= 0) &&
    [count, codec].every((value) => Number.isInteger(value) && value > 0 && value < 2 ** 32) &&
    prevHash.byteLength === HASH_BYTES &&
    hash.byteLength === HASH_BYTES
  );
}
