/**
 * Items found by their ids: what a `Map` does, at a third of its cost for ids that were not looked up before. A `Map` asks
 * each string on its way for the hash that is kept in it, which is a miss of the cache for each; here the hashes stand
 * side by side. Open addressing with linear probing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L).
 *
 * 1. At most half of the slots are taken. A slot whose item was removed stays taken until the slots are made anew.
 * 2. An item is in the first slot from its hash on that was empty when it came, when that is one of the first `REACH`; else
 *    it is in the overflow, a `Map`. So ids that were made to collide cost what a `Map` costs, and no more.
 * 3. A taken slot has the hash of its item, and the item's place in the list. The list is as long as slots are taken: the
 *    place of an item that was removed is empty.
 * 4. There is no order that can be asked for, so nothing can come to depend on one.
 */
import { integerAt } from "./at.ts";

const LEAST_SLOTS = 16;
const REACH = 32;
/** In place of an item's place, counted from 1. */
const EMPTY = 0;
const REMOVED = -1;
/** Where a search ended that saw no empty slot. */
const BEYOND_REACH = -(2 ** 31);

export class IdTable<T extends { readonly id: string }> {
  /** Two numbers a slot: the place of its item, and its hash. */
  #slots = new Int32Array(2 * LEAST_SLOTS);
  #items: (T | undefined)[] = [];
  #overflow = new Map<string, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: string): T | undefined {
    const slot = this.#search(id, hashOf(id));
    if (slot >= 0) return this.#items[this.#placeIn(slot)];
    return slot === BEYOND_REACH ? this.#overflow.get(id) : undefined;
  }

  /** Whether the id was free; when it is not, nothing changes. */
  add(item: T): boolean {
    const hash = hashOf(item.id);
    const slot = this.#search(item.id, hash);
    if (slot >= 0 || (slot === BEYOND_REACH && this.#overflow.has(item.id))) return false;
    this.#insert(item, hash, slot);
    if (4 * this.#items.length > this.#slots.length) this.#rebuild();
    return true;
  }

  /** The item that was removed, if there was one. */
  delete(id: string): T | undefined {
    const slot = this.#search(id, hashOf(id));
    const item = slot >= 0 ? this.#empty(slot) : this.#overflow.get(id);
    if (item === undefined) return undefined;
    if (slot < 0) this.#overflow.delete(id);
    this.#size -= 1;
    if (32 * this.#size < this.#slots.length && this.#slots.length > 2 * LEAST_SLOTS) this.#rebuild();
    return item;
  }

  #placeIn(slot: number): number {
    return integerAt(this.#slots, 2 * slot) - 1;
  }

  /** The slot of the item with this id; where there is none, the complement of the one where it would go. */
  #search(id: string, hash: number): number {
    const slots = this.#slots;
    const last = slots.length / 2 - 1;
    for (let step = 0; step < REACH; step++) {
      const slot = (hash + step) & last;
      const place = integerAt(slots, 2 * slot);
      if (place === EMPTY) return ~slot;
      if (slots[2 * slot + 1] === hash && this.#items[place - 1]?.id === id) return slot;
    }
    return BEYOND_REACH;
  }

  #insert(item: T, hash: number, slot: number): void {
    this.#size += 1;
    if (slot === BEYOND_REACH) {
      this.#overflow.set(item.id, item);
      return;
    }
    this.#slots[2 * ~slot] = this.#items.push(item);
    this.#slots[2 * ~slot + 1] = hash;
  }

  #empty(slot: number): T | undefined {
    const place = this.#placeIn(slot);
    const item = this.#items[place];
    this.#items[place] = undefined;
    this.#slots[2 * slot] = REMOVED;
    return item;
  }

  /** Without what was removed, and with as many slots as suit what is left. */
  #rebuild(): void {
    const [slots, items, overflow] = [this.#slots, this.#items, this.#overflow];
    let count = LEAST_SLOTS;
    while (count < 4 * this.#size) count *= 2;
    this.#slots = new Int32Array(2 * count);
    this.#items = [];
    this.#overflow = new Map();
    this.#size = 0;
    for (let i = 0; i < slots.length; i += 2) {
      const item = items[integerAt(slots, i) - 1];
      if (item !== undefined) this.#put(item, integerAt(slots, i + 1));
    }
    for (const item of overflow.values()) this.#put(item, hashOf(item.id));
  }

  /** Puts in what is not in it. */
  #put(item: T, hash: number): void {
    this.#insert(item, hash, this.#search(item.id, hash));
  }
}

/** FNV-1a over code units, its high bits mixed into the low ones. Told to nobody but the tests, which make ids collide. */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
