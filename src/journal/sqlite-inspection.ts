/**
 * What a writer finds when it opens a journal: where to start from, where the chain ends, and what it had to repair.
 *
 * 1. Everything that is replayed has been checked before opening ends.
 * 2. Only the very last record may be cut off, and only when its own hash is wrong. Everything else that does not fit
 *    stops opening, and then nothing has been changed.
 * 3. A snapshot can always be done without while the records that it stands for are there.
 */
import type { DatabaseSync } from "node:sqlite";
import { SafeguardsError } from "../errors.ts";
import { CHAIN_START, type ChainEnd, corrupt, endOf, verify } from "./chain.ts";
import { chunksOf, type Footer, type RecordRows, type SnapshotRows } from "./sqlite-rows.ts";

/** How far opening checks: what comes after the snapshot that it starts from, or all that is kept. */
export type Verification = "since-snapshot" | "all";

export interface Inspected {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly records: RecordRows;
  readonly snapshots: SnapshotRows;
}

export interface Inspection {
  /** The snapshot to start from. */
  readonly snapshot?: Footer;
  readonly end: ChainEnd;
  readonly repaired?: string;
}

export function inspect(file: Inspected, verification: Verification): Inspection {
  const { usable, damaged } = judgeSnapshots(file);
  const from = verification === "since-snapshot" && usable !== undefined ? after(usable) : beforeFloor(file, usable);
  const { end, torn } = checkRecords(file, from, usable?.seq ?? 0);
  repair(file, damaged, torn);
  const repairs = damaged.map((id) => `snapshot ${id} was damaged and has been removed`);
  if (torn !== undefined) repairs.push(`the last record, of seq ${torn}, was torn and has been cut off`);
  return {
    ...(usable !== undefined && { snapshot: usable }),
    end,
    ...(repairs.length > 0 && { repaired: repairs.join("; ") }),
  };
}

function judgeSnapshots(file: Inspected): { readonly usable?: Footer; readonly damaged: readonly number[] } {
  const { sealed, broken } = file.snapshots.footers();
  const { lastSeq } = file.records.end();
  const ahead = sealed.find((footer) => footer.seq > lastSeq);
  if (ahead !== undefined) {
    const what = `a snapshot is as of seq ${ahead.seq}, but records end with seq ${lastSeq}: those between are lost`;
    throw missing(file, lastSeq + 1, what);
  }
  const usable = sealed.findIndex((footer) => isUsable(file, footer));
  const newer = usable === -1 ? sealed : sealed.slice(0, usable);
  const damaged = [...broken, ...newer.map((footer) => footer.id)];
  const footer = sealed[usable];
  return footer === undefined ? { damaged } : { usable: footer, damaged };
}

function isUsable({ records, snapshots }: Inspected, footer: Footer): boolean {
  if (!records.endsWith(footer.seq, footer.hash)) return false;
  for (let n = 0; n < chunksOf(footer); n++) {
    if (snapshots.chunk(footer, n) === undefined) return false;
  }
  return true;
}

function after({ seq, hash }: Footer): ChainEnd {
  return { lastSeq: seq, lastHash: hash };
}

/** The end that the first record kept must follow. */
function beforeFloor(file: Inspected, snapshot: Footer | undefined): ChainEnd {
  const floor = file.records.floor();
  if (floor === 1) return CHAIN_START;
  const [first] = file.records.page(floor, floor);
  if (snapshot !== undefined && first !== undefined) return { lastSeq: floor - 1, lastHash: first.prevHash };
  throw missing(file, floor, `records begin with seq ${floor}, and no snapshot of what was before can be used`);
}

function missing({ path }: Inspected, firstSeq: number, what: string): SafeguardsError {
  return new SafeguardsError("JOURNAL_CORRUPT", `${path}: ${what}`, { details: { path, firstSeq } });
}

/** Checks the records after that end. Gives the end of the last, and the first seq of one that must be cut off. */
function checkRecords(
  { path, records }: Inspected,
  from: ChainEnd,
  snapshotSeq: number,
): { readonly end: ChainEnd; readonly torn?: number } {
  const lastStart = records.startOf(Number.MAX_SAFE_INTEGER);
  let end = from;
  for (;;) {
    const page = records.page(end.lastSeq + 1, Number.MAX_SAFE_INTEGER);
    if (page.length === 0) return { end };
    for (const record of page) {
      const { firstSeq } = record;
      const misfit = verify(record, end);
      const mayBeCut = firstSeq === lastStart && firstSeq === end.lastSeq + 1 && firstSeq > snapshotSeq;
      if (misfit === "torn" && mayBeCut) return { end, torn: firstSeq };
      if (misfit !== undefined) throw corrupt(record, misfit, path);
      end = endOf(record);
    }
  }
}

function repair({ db }: Inspected, damaged: readonly number[], torn: number | undefined): void {
  db.exec("BEGIN IMMEDIATE");
  for (const id of damaged) db.prepare("DELETE FROM snapshots WHERE id = ?").run(id);
  if (torn !== undefined) db.prepare("DELETE FROM records WHERE first_seq = ?").run(torn);
  // Chunks of snapshots that were never sealed, or that were being removed.
  db.exec("DELETE FROM snapshot_chunks WHERE snapshot NOT IN (SELECT id FROM snapshots)");
  db.exec("COMMIT");
}
