/**
 * SHA-256 (FIPS 180-4) of a text in UTF-8, as 64 hexadecimal digits. Pure, so that what decides can name what it decides on:
 * the same text has the same hash on every machine. About 60 megabytes a second: who has a faster one hands it to the kernel.
 */
import { integerAt } from "./at.ts";

const ROUND_CONSTANTS: Int32Array = Int32Array.from(
  (
    "428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 72be5d74 " +
    "80deb1fe 9bdc06a7 c19bf174 e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da 983e5152 a831c66d " +
    "b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967 27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e " +
    "92722c85 a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 19a4c116 1e376c08 2748774c 34b0bcb5 " +
    "391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2"
  )
    .split(" ")
    .map((word) => Number.parseInt(word, 16)),
);

const INITIAL = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const;

const BLOCK_BYTES = 64;
/** Where the length of the message stands in the last block. */
const LENGTH_AT = 56;

export function sha256(text: string): string {
  const hash = new Sha256();
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0;
    hash.code(point);
    // A pair is one code point.
    if (point > 0xffff) at += 1;
  }
  return hash.digest();
}

class Sha256 {
  readonly #state: Int32Array = Int32Array.from(INITIAL);
  readonly #words: Int32Array = new Int32Array(BLOCK_BYTES);
  readonly #block: Uint8Array = new Uint8Array(BLOCK_BYTES);
  #used = 0;
  #bytes = 0;

  /** One code point, in UTF-8; half of a pair, which is none, as the replacement character. */
  code(point: number): void {
    if (point < 0x80) this.#byte(point);
    else if (point < 0x800) {
      this.#byte(0xc0 | (point >> 6));
      this.#byte(0x80 | (point & 0x3f));
    } else if (point >= 0xd800 && point < 0xe000) this.code(0xfffd);
    else if (point < 0x10000) {
      this.#byte(0xe0 | (point >> 12));
      this.#byte(0x80 | ((point >> 6) & 0x3f));
      this.#byte(0x80 | (point & 0x3f));
    } else {
      this.#byte(0xf0 | (point >> 18));
      this.#byte(0x80 | ((point >> 12) & 0x3f));
      this.#byte(0x80 | ((point >> 6) & 0x3f));
      this.#byte(0x80 | (point & 0x3f));
    }
  }

  digest(): string {
    const bits = this.#bytes * 8;
    this.#byte(0x80);
    while (this.#used !== LENGTH_AT) this.#byte(0);
    for (let shift = 7; shift >= 0; shift--) this.#byte(Math.floor(bits / 2 ** (8 * shift)) & 0xff);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #byte(byte: number): void {
    this.#block[this.#used] = byte;
    this.#used += 1;
    this.#bytes += 1;
    if (this.#used < BLOCK_BYTES) return;
    this.#compress();
    this.#used = 0;
  }

  #compress(): void {
    const words = this.#words;
    const block = this.#block;
    for (let i = 0; i < 16; i++) {
      const at = 4 * i;
      words[i] =
        (integerAt(block, at) << 24) |
        (integerAt(block, at + 1) << 16) |
        (integerAt(block, at + 2) << 8) |
        integerAt(block, at + 3);
    }
    for (let i = 16; i < BLOCK_BYTES; i++) {
      const a = integerAt(words, i - 15);
      const b = integerAt(words, i - 2);
      const mixedA = rotated(a, 7) ^ rotated(a, 18) ^ (a >>> 3);
      const mixedB = rotated(b, 17) ^ rotated(b, 19) ^ (b >>> 10);
      words[i] = integerAt(words, i - 16) + mixedA + integerAt(words, i - 7) + mixedB;
    }
    const state = this.#state;
    let a = integerAt(state, 0);
    let b = integerAt(state, 1);
    let c = integerAt(state, 2);
    let d = integerAt(state, 3);
    let e = integerAt(state, 4);
    let f = integerAt(state, 5);
    let g = integerAt(state, 6);
    let h = integerAt(state, 7);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const first = (h + s1 + ((e & f) ^ (~e & g)) + integerAt(ROUND_CONSTANTS, i) + integerAt(words, i)) | 0;
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] = integerAt(state, 0) + a;
    state[1] = integerAt(state, 1) + b;
    state[2] = integerAt(state, 2) + c;
    state[3] = integerAt(state, 3) + d;
    state[4] = integerAt(state, 4) + e;
    state[5] = integerAt(state, 5) + f;
    state[6] = integerAt(state, 6) + g;
    state[7] = integerAt(state, 7) + h;
  }
}

function rotated(bits: number, by: number): number {
  return (bits >>> by) | (bits << (32 - by));
}
