/**
 * Running attempts that may be preempted, lowest effective priority first, and among equals the latest started first.
 *
 * A bucket per priority, in a sorted list; within one a list linked by token. An attempt that starts has the highest token,
 * so it joins at the front in constant time; finding a bucket is a search among the distinct priorities that run.
 */
import { itemAt } from "../coordination/structures/at.ts";
import type { LiveAttempt } from "./attempt.ts";

/** An attempt's place. */
export interface RunningPlace {
  readonly live: LiveAttempt;
  readonly bucket: Bucket;
  before: RunningPlace | undefined;
  after: RunningPlace | undefined;
}

interface Bucket {
  readonly priority: number;
  first: RunningPlace | undefined;
}

export class RunningIndex {
  readonly #buckets: Bucket[] = [];

  /** The lowest effective priority that could be preempted; Infinity when there is none. */
  get lowest(): number {
    return this.#buckets[0]?.priority ?? Number.POSITIVE_INFINITY;
  }

  add(live: LiveAttempt, priority: number): void {
    const bucket = this.#bucket(priority);
    let before: RunningPlace | undefined;
    let after = bucket.first;
    while (after !== undefined && after.live.token > live.token) {
      before = after;
      after = after.after;
    }
    const place: RunningPlace = { live, bucket, before, after };
    if (before === undefined) bucket.first = place;
    else before.after = place;
    if (after !== undefined) after.before = place;
    live.place = place;
  }

  remove(live: LiveAttempt): void {
    const { place } = live;
    if (place === undefined) return;
    live.place = undefined;
    if (place.before === undefined) place.bucket.first = place.after;
    else place.before.after = place.after;
    if (place.after !== undefined) place.after.before = place.before;
    if (place.bucket.first === undefined) this.#buckets.splice(this.#search(place.bucket.priority), 1);
  }

  /** In order, as long as the effective priority is below `priority`. */
  *below(priority: number): Generator<LiveAttempt, void, undefined> {
    for (const bucket of this.#buckets) {
      if (bucket.priority >= priority) return;
      for (let place = bucket.first; place !== undefined; place = place.after) yield place.live;
    }
  }

  #bucket(priority: number): Bucket {
    const at = this.#search(priority);
    const found = this.#buckets[at];
    if (found?.priority === priority) return found;
    const made: Bucket = { priority, first: undefined };
    this.#buckets.splice(at, 0, made);
    return made;
  }

  /** Where the bucket of this priority is, or belongs. */
  #search(priority: number): number {
    let low = 0;
    let high = this.#buckets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (itemAt(this.#buckets, middle).priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
