/**
 * Whether a write-ahead log has lost commits in its middle.
 *
 * SQLite ends recovery at the first frame whose checksum does not fit and forgets all commits from there on, which is
 * right for the last commit, cut short by a crash, and silent loss when a bit flipped before that. Frames of the log's
 * present generation carry its salts, each commit is on the disk before the next begins, and every writer of ours starts
 * with an empty log: so a frame of this generation behind the end of a commit that does not fit proves a loss.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says that checksums read words big-endian. */
const MAGIC = 0x377f0682;

/** What does not fit, in words; `undefined` when nothing was lost but perhaps the last commit. Asks for the lock beforehand. */
export function lossInWal(walPath: string): string | undefined {
  if (!existsSync(walPath)) return undefined;
  const file = openSync(walPath, "r");
  try {
    return lossIn(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function lossIn(file: number, size: number): string | undefined {
  if (size <= HEADER_BYTES + FRAME_HEADER_BYTES) return undefined;
  const header = readAt(file, 0, HEADER_BYTES);
  const magic = header.getUint32(0);
  const checksum = new Checksum((magic & 1) === 0);
  checksum.add(header, 0, 24);
  if (magic >>> 1 !== MAGIC >>> 1 || !checksum.isAt(header, 24))
    return "the header of its write-ahead log does not fit its checksum";

  const frameBytes = FRAME_HEADER_BYTES + header.getUint32(8);
  const frames = Math.floor((size - HEADER_BYTES) / frameBytes);
  const isOfThisGeneration = (frame: DataView): boolean =>
    frame.getUint32(8) === header.getUint32(16) && frame.getUint32(12) === header.getUint32(20);
  const endsCommit = (frame: DataView): boolean => frame.getUint32(4) !== 0;

  let index = 0;
  for (; index < frames; index++) {
    const frame = readAt(file, HEADER_BYTES + index * frameBytes, frameBytes);
    if (!isOfThisGeneration(frame)) break;
    checksum.add(frame, 0, 8);
    checksum.add(frame, FRAME_HEADER_BYTES, frameBytes);
    if (!checksum.isAt(frame, 16)) break;
  }
  const broken = index;
  let commitEnded = false;
  for (; index < frames; index++) {
    const frame = readAt(file, HEADER_BYTES + index * frameBytes, FRAME_HEADER_BYTES);
    if (!isOfThisGeneration(frame)) continue;
    if (commitEnded) return `frame ${broken} of its write-ahead log does not fit its checksum, and commits follow it`;
    commitEnded = endsCommit(frame);
  }
  return undefined;
}

function readAt(file: number, position: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  readSync(file, bytes, 0, length, position);
  return new DataView(bytes.buffer);
}

/** SQLite's running checksum over pairs of 32-bit words. */
class Checksum {
  readonly #littleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  add(view: DataView, from: number, to: number): void {
    for (let at = from; at < to; at += 8) {
      this.#first = (this.#first + view.getUint32(at, this.#littleEndian) + this.#second) >>> 0;
      this.#second = (this.#second + view.getUint32(at + 4, this.#littleEndian) + this.#first) >>> 0;
    }
  }

  /** Whether this is the checksum that stands there. */
  isAt(view: DataView, at: number): boolean {
    return view.getUint32(at) === this.#first && view.getUint32(at + 4) === this.#second;
  }
}
