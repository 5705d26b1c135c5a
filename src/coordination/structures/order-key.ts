/**
 * The one order in which everything that waits is served: first the smaller rank, then the earlier arrival number.
 *
 * 1. The order is total: no two waiters share an arrival number, so it never depends on the layout of a heap or a map.
 * 2. Waiting never changes it: with aging, a waiter of priority p that arrived at t has the rank t − p × agingMs, so one
 *    step of priority is worth `agingMs` of waiting, and nothing needs recomputing as time passes.
 */

/** A place in the order. */
export interface OrderKey {
  /** What {@link orderRank} gives: smaller goes first. */
  readonly rank: number;
  /** The number of the arrival, unique among what is compared. */
  readonly seq: number;
}

/**
 * The first part of an order key. Without aging (`agingMs` undefined or Infinity) a higher priority always goes first; with
 * it, a waiter overtakes one of a priority higher by one after having waited `agingMs` longer. `agingMs` 0 is the order of
 * arrival.
 */
export function orderRank(priority: number, arrivalMs: number, agingMs: number | undefined): number {
  if (agingMs === undefined || agingMs === Number.POSITIVE_INFINITY) return -priority;
  return arrivalMs - priority * agingMs;
}

/** Negative when a goes before b, positive when after, 0 only for the same key. */
export function compareOrder(a: OrderKey, b: OrderKey): number {
  return a.rank === b.rank ? a.seq - b.seq : a.rank < b.rank ? -1 : 1;
}
