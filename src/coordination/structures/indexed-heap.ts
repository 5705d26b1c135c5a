/**
 * A binary heap whose entries can be moved and removed where they are: the least (key, seq) first, O(log n) for each change.
 *
 * 1. Every entry knows its place: `entries[e.index] === e`; an entry that is not in the heap has index −1.
 * 2. No entry orders before its parent. The order is total as long as no two entries have the same key and seq.
 */
export interface HeapEntry<T> {
  readonly item: T;
  readonly key: number;
  readonly seq: number;
  /** Its place in the heap; −1 once it has left. */
  readonly index: number;
}

type Entry<T> = { -readonly [K in keyof HeapEntry<T>]: HeapEntry<T>[K] };

/** The order of a heap: by key, then by seq. */
export function precedes<T>(a: HeapEntry<T>, b: HeapEntry<T>): boolean {
  return a.key === b.key ? a.seq < b.seq : a.key < b.key;
}

export class IndexedHeap<T> {
  readonly #entries: Entry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  peek(): HeapEntry<T> | undefined {
    return this.#entries[0];
  }

  push(item: T, key: number, seq: number): HeapEntry<T> {
    const entry: Entry<T> = { item, key, seq, index: this.#entries.length };
    this.#entries.push(entry);
    this.#rise(entry);
    return entry;
  }

  pop(): HeapEntry<T> | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Gives the entry another place in the order. It must be in the heap. */
  update(entry: HeapEntry<T>, key: number, seq: number): void {
    const own = this.#own(entry);
    own.key = key;
    own.seq = seq;
    this.#settle(own);
  }

  /** Takes the entry out. It must be in the heap. */
  remove(entry: HeapEntry<T>): void {
    const own = this.#own(entry);
    const last = this.#entries.pop();
    if (last !== undefined && last !== own) {
      this.#place(last, own.index);
      this.#settle(last);
    }
    own.index = -1;
  }

  #own(entry: HeapEntry<T>): Entry<T> {
    const own = this.#entries[entry.index];
    if (own === undefined || own !== entry) throw new RangeError("the entry is not in this heap");
    return own;
  }

  #place(entry: Entry<T>, index: number): void {
    this.#entries[index] = entry;
    entry.index = index;
  }

  #settle(entry: Entry<T>): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #rise(entry: Entry<T>): void {
    let index = entry.index;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#entries[above];
      if (parent === undefined || !precedes(entry, parent)) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(entry, index);
  }

  #sink(entry: Entry<T>): void {
    let index = entry.index;
    for (;;) {
      let below = 2 * index + 1;
      let child = this.#entries[below];
      if (child === undefined) break;
      const other = this.#entries[below + 1];
      if (other !== undefined && precedes(other, child)) {
        child = other;
        below += 1;
      }
      if (!precedes(child, entry)) break;
      this.#place(child, index);
      index = below;
    }
    this.#place(entry, index);
  }
}
