import { checkId, checkInteger, checkKeys, invalid } from "../structures/arguments.ts";
import type { TieBreak } from "./election.ts";

const ALLOWED = '"none", "first", { chair: voter } or { seed: integer }';

/** A tie-break of one of the four kinds. */
export function checkTieBreak(value: unknown): TieBreak {
  if (value === "none" || value === "first") return value;
  if (typeof value !== "object" || value === null) throw invalid("tieBreak", value, ALLOWED);
  if ("chair" in value) {
    checkKeys(value, ["chair"], "tieBreak");
    return { chair: checkId(value.chair, "tieBreak.chair") };
  }
  if ("seed" in value) {
    checkKeys(value, ["seed"], "tieBreak");
    return { seed: checkInteger(value.seed, "tieBreak.seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) };
  }
  throw invalid("tieBreak", value, ALLOWED);
}

/**
 * The winner among the tied options (in option order), or `undefined` where the tie stands. `favourite` tells which of them
 * a voter with a valid vote put above all the others.
 */
export function breakTie<O extends string>(
  tieBreak: TieBreak,
  tied: readonly O[],
  favourite: (voter: string) => O | undefined,
): O | undefined {
  if (tieBreak === "none") return undefined;
  if (tieBreak === "first") return tied[0];
  if ("chair" in tieBreak) return favourite(tieBreak.chair);
  return draw(tieBreak.seed, tied);
}

/**
 * Draws one of the options, each equally likely over the seeds. The options are sorted by code units, so that only which
 * they are matters; seed and options are hashed, and the hash h, an unsigned 32-bit integer, picks the one at
 * ⌊h × n ÷ 2³²⌋. Anybody can do the draw again.
 */
function draw<O extends string>(seed: number, tied: readonly O[]): O | undefined {
  const sorted = [...tied].sort();
  return sorted[Math.floor((hash(JSON.stringify([seed, ...sorted])) * sorted.length) / 2 ** 32)];
}

/** FNV-1a over UTF-16 code units (Fowler, Noll, Vo), mixed by MurmurHash3's 32-bit finalizer (Appleby) so that all bits count. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
