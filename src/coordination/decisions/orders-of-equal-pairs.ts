/**
 * Finds all options that ranked pairs elects in some order of equal pairs.
 *
 * 1. A pair that no circle of locked and equal pairs goes through is locked in every order; only the others are contested.
 * 2. An option is elected in some order only if, for each victory over it, there is a path of victories back that are at
 *    least as strong (else that victory is locked). Options without these paths are never looked into.
 * 3. As soon as an option is above all that could still be locked above it, it is elected, whatever the order of the rest.
 * 4. What is left is looked through exhaustively, contested pair by contested pair, locked or left out.
 */
import { integerAt, itemAt } from "../structures/at.ts";
import type { LockedPairs, Pair } from "./locked-pairs.ts";

/** How many looks at pairs of options are spent on one election, about: so that they take a few tenths of a second. */
const MOST_LOOKS = 20_000_000;

/** How far locking has come. */
export interface Progress {
  readonly locked: LockedPairs;
  /** The group that is being locked. */
  readonly at: number;
  /** Pairs of that group for which it is still to be said whether they are locked. */
  readonly open: readonly Pair[];
  /** Pairs of that group that are to be left out, because others will be locked against them. */
  readonly out: readonly Pair[];
}

/** Locks all of these equal pairs that are locked in every order; returns the contested ones. */
export function settle(
  locked: LockedPairs,
  group: readonly Pair[],
  all: LockedPairs = withAll(locked, group),
): readonly Pair[] {
  const live = group.filter((pair) => isOpen(locked, pair));
  const isContested = ({ winner, loser }: Pair) => all.isAbove(loser, winner);
  for (const pair of live) if (!isContested(pair)) locked.lock(pair.winner, pair.loser);
  return live.filter((pair) => isContested(pair) && isOpen(locked, pair));
}

/** As if all the pairs could be locked that are not contradicted yet: circles show as options above themselves. */
function withAll(locked: LockedPairs, group: readonly Pair[]): LockedPairs {
  const all = locked.copy();
  for (const pair of group) if (isOpen(locked, pair)) all.lock(pair.winner, pair.loser);
  return all;
}

/** Whether the pair is neither locked, nor follows from what is, nor contradicts it. */
function isOpen(locked: LockedPairs, { winner, loser }: Pair): boolean {
  return !locked.isAbove(winner, loser) && !locked.isAbove(loser, winner);
}

export class OrdersOfEqualPairs {
  readonly #strengths: Int32Array;
  readonly #groups: readonly (readonly Pair[])[];
  readonly #size: number;
  readonly #start: Progress;
  readonly #mostLooks: number;
  #looks = 0;

  /** From the first group on whose order matters. */
  constructor(
    strengths: Int32Array,
    groups: readonly (readonly Pair[])[],
    start: Progress,
    mostLooks: number = MOST_LOOKS,
  ) {
    this.#strengths = strengths;
    this.#groups = groups;
    this.#size = start.locked.size;
    this.#start = start;
    this.#mostLooks = mostLooks;
  }

  /** Ascending. When too much would have to be looked at, whoever is not shown to lose is among them. */
  winners(): readonly number[] {
    const all = Array.from({ length: this.#size }, (_, place) => place);
    const hopeful = all.filter((option) => this.#hasHope(option, this.#start));
    if (hopeful.length <= 1) return hopeful;
    return hopeful.filter((option) => this.#winsAtOnce(option) || this.#winsSomehow(option) !== false);
  }

  /** Whether locking all that puts something new below the option, whenever there is a choice, makes it win. */
  #winsAtOnce(option: number): boolean {
    let progress: Progress | undefined = this.#start;
    while (progress !== undefined) {
      const { at, open } = progress;
      const locked = progress.locked.copy();
      for (let pair = growing(locked, open, option); pair !== undefined; pair = growing(locked, open, option)) {
        this.#looks += open.length;
        locked.lock(pair.winner, pair.loser);
      }
      if (!this.#isThreatened(option, locked)) return true;
      for (const pair of open) if (isOpen(locked, pair)) locked.lock(pair.winner, pair.loser);
      progress = this.#next(locked, at);
      if (progress === undefined) return isTop(option, locked);
    }
    return false;
  }

  /** Looks through the orders until the option wins; `undefined` when looking any longer is too much. */
  #winsSomehow(option: number): boolean | undefined {
    const stack: Progress[] = [this.#start];
    const seen = new Set<string>();
    for (let progress = stack.pop(); progress !== undefined; progress = stack.pop()) {
      if (this.#looks > this.#mostLooks) return undefined;
      if (!this.#hasHope(option, progress)) continue;
      if (!this.#isThreatened(option, progress.locked)) return true;
      if (progress.open.length > 0) stack.push(...this.#branches(option, progress));
      else if (progress.out.length === 0) {
        const locked = progress.locked.copy();
        const next = this.#next(locked, progress.at);
        if (next === undefined) {
          if (isTop(option, locked)) return true;
          continue;
        }
        const key = `${next.at} ${locked.key()}`;
        if (!seen.has(key)) stack.push(next);
        seen.add(key);
      }
    }
    return false;
  }

  /** With one of the open pairs left out, and, to be looked at first, with it locked. */
  #branches(option: number, { locked, at, open, out }: Progress): readonly Progress[] {
    const pair = growing(locked, open, option) ?? open[0];
    if (pair === undefined) return [];
    const others = open.filter((other) => other !== pair);
    const more = locked.copy();
    more.lock(pair.winner, pair.loser);
    return [
      this.#followed({ locked: locked.copy(), at, open: others, out: [...out, pair] }),
      this.#followed({ locked: more, at, open: others, out }),
    ].filter((progress) => progress !== undefined);
  }

  /** With all that follows; `undefined` where a pair that is to be left out cannot be. `locked` is locked on. */
  #followed({ locked, at, open, out }: Progress): Progress | undefined {
    this.#looks += (this.#size + open.length) * this.#size;
    const all = withAll(locked, open);
    if (out.some(({ winner, loser }) => !all.isAbove(loser, winner))) return undefined;
    const contested = settle(locked, open, all);
    if (out.some(({ winner, loser }) => locked.isAbove(winner, loser))) return undefined;
    return { locked, at, open: contested, out: out.filter(({ winner, loser }) => !locked.isAbove(loser, winner)) };
  }

  /** On to the next group whose order matters. `locked` is locked on. `undefined` when there is none. */
  #next(locked: LockedPairs, at: number): Progress | undefined {
    for (let next = at + 1; next < this.#groups.length; next += 1) {
      const group = itemAt(this.#groups, next);
      this.#looks += group.length * this.#size;
      const open = settle(locked, group);
      if (open.length > 0) return { locked, at: next, open, out: [] };
    }
    return undefined;
  }

  /** Whether anything is locked above it, or still could be. */
  #isThreatened(option: number, locked: LockedPairs): boolean {
    this.#looks += this.#size;
    for (let other = 0; other < this.#size; other += 1) {
      if (locked.isAbove(other, option)) return true;
      if (this.#strength(other, option) > 0 && !locked.isAbove(option, other)) return true;
    }
    return false;
  }

  /**
   * Whether nothing is locked above the option, and the strongest paths from it, by what is locked and what could still be,
   * are at least as strong as each victory over it.
   */
  #hasHope(option: number, progress: Progress): boolean {
    const { locked } = progress;
    const paths = this.#strongestPaths(option, progress);
    for (let other = 0; other < this.#size; other += 1) {
      if (locked.isAbove(other, option) || itemAt(paths, other) < this.#strength(other, option)) return false;
    }
    return true;
  }

  /** By option: how strong the strongest path to it is (Dijkstra's order of looking, with minimum and maximum). */
  #strongestPaths(option: number, { locked, at, open }: Progress): readonly number[] {
    const size = this.#size;
    this.#looks += size * size;
    const strength = this.#groups.length - at;
    const isInOpen = new Set(open.map(({ winner, loser }) => winner * size + loser));
    const link = (from: number, to: number): number => {
      if (locked.isAbove(from, to)) return Number.POSITIVE_INFINITY;
      if (locked.isAbove(to, from)) return 0;
      const victory = this.#strength(from, to);
      return victory < strength || isInOpen.has(from * size + to) ? victory : 0;
    };
    const paths = new Array<number>(size).fill(0);
    const isDone = new Uint8Array(size);
    paths[option] = Number.POSITIVE_INFINITY;
    for (let from: number | undefined = option; from !== undefined; from = strongest(paths, isDone)) {
      isDone[from] = 1;
      for (let to = 0; to < size; to += 1) {
        if (isDone[to] === 1) continue;
        paths[to] = Math.max(itemAt(paths, to), Math.min(itemAt(paths, from), link(from, to)));
      }
    }
    return paths;
  }

  #strength(winner: number, loser: number): number {
    return integerAt(this.#strengths, winner * this.#size + loser);
  }
}

/** An open pair that would put something new below the option. */
function growing(locked: LockedPairs, open: readonly Pair[], option: number): Pair | undefined {
  const isBelow = (place: number) => place === option || locked.isAbove(option, place);
  return open.find((pair) => isOpen(locked, pair) && isBelow(pair.winner) && !isBelow(pair.loser));
}

function isTop(option: number, locked: LockedPairs): boolean {
  return locked.top().includes(option);
}

/** The one with the strongest path that is not done, among those that have any. */
function strongest(paths: readonly number[], isDone: Uint8Array): number | undefined {
  let best: number | undefined;
  for (let to = 0; to < paths.length; to += 1) {
    if (isDone[to] === 0 && itemAt(paths, to) > (best === undefined ? 0 : itemAt(paths, best))) best = to;
  }
  return best;
}
