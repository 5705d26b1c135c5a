/** The archive as rows: each with a checksum, since no chain of hashes covers them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { SafeguardsError } from "../errors.ts";
import type { Departed } from "../kernel/departed.ts";

export class ArchiveRows {
  readonly #path: string;
  readonly #put: StatementSync;
  readonly #get: StatementSync;

  constructor(db: DatabaseSync, path: string) {
    this.#path = path;
    this.#put = db.prepare("INSERT OR REPLACE INTO archive VALUES (?, ?, ?, ?)");
    this.#get = db.prepare("SELECT crc, row FROM archive WHERE kind = ? AND id = ?");
  }

  /** In the transaction of the caller. Gives about how many bytes that were. */
  put({ kind, id, row }: Departed): number {
    this.#put.run(kind, id, crc32(row), row);
    return id.length + row.length;
  }

  get(kind: Departed["kind"], ids: readonly string[]): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const id of ids) {
      const kept = this.#get.get(kind, id);
      if (kept === undefined) continue;
      const { crc, row } = kept;
      if (typeof row !== "string" || crc32(row) !== crc) throw this.#damaged(kind, id);
      found.set(id, row);
    }
    return found;
  }

  #damaged(kind: string, id: string): SafeguardsError {
    return new SafeguardsError(
      "JOURNAL_CORRUPT",
      `${this.#path}: what the archive holds of ${kind} ${id} is damaged: its checksum does not fit`,
      { details: { path: this.#path, kind, id } },
    );
  }
}
