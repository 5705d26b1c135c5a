/**
 * A record as one run of bytes: header, body, hash. It is what the hash is taken over, what is handed to another thread,
 * and what a stream would carry as one message.
 *
 * 1. The header has a fixed size, so header and body together read in one way only.
 * 2. The hash covers the whole header (the hash of the record before included) and the whole body.
 * 3. The layout never changes: what changes is the codec's number, which tells how to read the body.
 *
 * | offset | size | |
 * |---|---|---|
 * | 0 | 4 | codec |
 * | 4 | 4 | count |
 * | 8 | 8 | first seq |
 * | 16 | 8 | epoch |
 * | 24 | 8 | at |
 * | 32 | 32 | hash of the record before |
 * | 64 | n | body |
 * | 64 + n | 32 | SHA-256 of all before |
 *
 * Numbers are unsigned and big-endian.
 */
import { hash as digest } from "node:crypto";
import type { JournalRecord } from "./journal.ts";

export const HASH_BYTES = 32;
const HEADER_BYTES = 64;

/** What stands for "the record before" in the first record. */
export const NO_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(digest("sha256", bytes, "buffer"));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** An unsealed frame round a text, in memory of its own so that it can be handed to another thread. */
export function frameText(text: string): Buffer<ArrayBuffer> {
  const frame = emptyFrame(Buffer.byteLength(text));
  frame.write(text, HEADER_BYTES, "utf8");
  return frame;
}

function emptyFrame(bodyBytes: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(HEADER_BYTES + bodyBytes + HASH_BYTES);
}

function bodyOf(frame: Uint8Array): Uint8Array {
  return part(frame, HEADER_BYTES, frame.byteLength - HASH_BYTES);
}

/** Of the same memory, and never a Buffer: what a `slice` of it means must not depend on where it came from. */
function part(frame: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(frame.buffer, frame.byteOffset + from, to - from);
}

/** Writes header and hash round the body that is in the frame already. */
export function sealFrame(frame: Buffer, header: Omit<JournalRecord, "hash" | "bytes">): JournalRecord {
  writeHeader(frame, header);
  const hash = sha256(frame.subarray(0, frame.byteLength - HASH_BYTES));
  frame.set(hash, frame.byteLength - HASH_BYTES);
  return { ...header, hash, bytes: bodyOf(frame) };
}

/** What the record's hash must be. */
export function hashOf(record: JournalRecord): Uint8Array {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  writeHeader(header, record);
  return sha256(Buffer.concat([header, record.bytes]));
}

/** The record's frame, to be given away: the memory that its body stands in where that is one already, else a copy. */
export function frameOf(record: JournalRecord): Buffer<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = record.bytes;
  const framed =
    buffer instanceof ArrayBuffer &&
    byteOffset === HEADER_BYTES &&
    buffer.byteLength === HEADER_BYTES + byteLength + HASH_BYTES;
  const frame = framed ? Buffer.from(buffer) : emptyFrame(byteLength);
  if (!framed) frame.set(record.bytes, HEADER_BYTES);
  writeHeader(frame, record);
  frame.set(record.hash, frame.byteLength - HASH_BYTES);
  return frame;
}

/** The record that a frame holds. Nothing is copied. */
export function recordOf(frame: Uint8Array): JournalRecord {
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  return {
    codec: view.getUint32(0),
    count: view.getUint32(4),
    firstSeq: Number(view.getBigUint64(8)),
    epoch: Number(view.getBigUint64(16)),
    at: Number(view.getBigUint64(24)),
    prevHash: part(frame, 32, HEADER_BYTES),
    bytes: bodyOf(frame),
    hash: part(frame, frame.byteLength - HASH_BYTES, frame.byteLength),
  };
}

function writeHeader(frame: Buffer, header: Omit<JournalRecord, "hash" | "bytes">): void {
  frame.writeUInt32BE(header.codec, 0);
  frame.writeUInt32BE(header.count, 4);
  frame.writeBigUInt64BE(BigInt(header.firstSeq), 8);
  frame.writeBigUInt64BE(BigInt(header.epoch), 16);
  frame.writeBigUInt64BE(BigInt(header.at), 24);
  frame.set(header.prevHash, 32);
}
