/**
 * Who waits for a resource lends its priority to those that hold it and cannot be made to give it up: what is
 * non-preemptible, shielded, told to stop already, or awaits others.
 *
 * 1. A resource with firm holders stands in the graph of waits: those that lack it wait for it, and it waits for its holders.
 * 2. Of each class of waiters only the most important one that lacks the resource is in the graph: no other could lend more.
 * 3. Who leaves the queue lends nothing any more, at once; who lends is looked at anew before each admission.
 */
import { atMost } from "../coordination/structures/amount.ts";
import type { PriorityInheritance } from "../coordination/structures/priority-inheritance.ts";
import type { LiveAttempt } from "./attempt.ts";
import { availableTo } from "./availability.ts";
import { limits } from "./limits.ts";
import type { ReadyClass, ReadyQueue, Wish } from "./ready-queue.ts";
import type { Resource } from "./state.ts";

/** A resource in the graph of waits. */
export interface Pot {
  readonly priority: number;
  readonly resource: Resource;
  readonly holders: Set<LiveAttempt>;
  readonly lenders: Map<ReadyClass, Wish>;
}

interface Prioritized {
  readonly priority: number;
}

export class Lending {
  readonly #inheritance: PriorityInheritance<Prioritized>;
  readonly #queue: ReadyQueue;
  readonly #effective: (wish: Wish) => number;
  readonly #pots: Map<Resource, Pot> = new Map();
  readonly #heldBy: Map<LiveAttempt, readonly Pot[]> = new Map();

  constructor(inheritance: PriorityInheritance<Prioritized>, queue: ReadyQueue, effective: (wish: Wish) => number) {
    this.#inheritance = inheritance;
    this.#queue = queue;
    this.#effective = effective;
  }

  /** Whether anything is held that nobody can be made to give up. */
  get active(): boolean {
    return this.#pots.size > 0;
  }

  /** What the attempt holds firmly now: nothing if it is over or can be preempted. */
  holds(live: LiveAttempt, firmly: boolean): void {
    const before = this.#heldBy.get(live);
    if (!firmly && before === undefined) return;
    const pots = firmly ? this.#potsOf(live) : [];
    for (const pot of before ?? []) {
      if (pots.includes(pot)) continue;
      this.#inheritance.unwait(pot, live.task);
      pot.holders.delete(live);
    }
    for (const pot of pots) {
      if (pot.holders.has(live)) continue;
      pot.holders.add(live);
      this.#inheritance.wait(pot, live.task);
    }
    if (pots.length > 0) this.#heldBy.set(live, pots);
    else this.#heldBy.delete(live);
  }

  /** The wish has left the queue. */
  left(wish: Wish): void {
    for (const pot of wish.lendsTo) this.#end(pot, wish);
  }

  /**
   * Finds who lends now. First those that no longer lack anything stop; what is left is true, if perhaps not all. Then the most
   * important join until nobody would lend more, so the outcome does not hang on what was before. Costs a look at each class
   * that names a resource with firm holders.
   */
  update(now: number): void {
    for (const pot of [...this.#pots.values()]) {
      // Kept until now: who comes to hold it firmly in the course of an admission inherits from those who lent when it began.
      if (pot.holders.size === 0) this.#break(pot);
      for (const wish of [...pot.lenders.values()]) if (!lacks(wish, pot.resource, now)) this.#end(pot, wish);
    }
    let more = this.#pots.size > 0;
    while (more) {
      more = false;
      for (const pot of this.#pots.values()) {
        for (const of of this.#queue.naming.get(pot.resource) ?? []) if (this.#join(pot, of, now)) more = true;
      }
    }
  }

  /** As if this wish lent nothing. */
  without<T>(wish: Wish, now: number, during: () => T): T {
    const pots = [...wish.lendsTo];
    const others = pots.map((pot) => {
      this.#end(pot, wish);
      const other = this.#mostImportant(pot, wish.of, now, wish);
      if (other !== undefined) this.#begin(pot, other);
      return other;
    });
    const result = during();
    pots.forEach((pot, i) => {
      const other = others[i];
      if (other !== undefined) this.#end(pot, other);
      this.#begin(pot, wish);
    });
    return result;
  }

  /** Lets the most important of the class lend, if it would lend more than whoever does. */
  #join(pot: Pot, of: ReadyClass, now: number): boolean {
    const before = pot.lenders.get(of);
    const chosen = this.#mostImportant(pot, of, now, undefined);
    if (chosen === undefined || (before !== undefined && this.#effective(chosen) <= this.#effective(before)))
      return false;
    if (before !== undefined) this.#end(pot, before);
    this.#begin(pot, chosen);
    return true;
  }

  #mostImportant(pot: Pot, of: ReadyClass, now: number, except: Wish | undefined): Wish | undefined {
    let chosen: Wish | undefined;
    let looks = 0;
    for (const { item } of of.index) {
      looks += 1;
      if (looks > limits.backfillDepth) break;
      if (item === except || !lacks(item, pot.resource, now)) continue;
      if (chosen === undefined || this.#effective(item) > this.#effective(chosen)) chosen = item;
      if (of.isMostImportant(chosen)) break;
    }
    return chosen;
  }

  #begin(pot: Pot, wish: Wish): void {
    pot.lenders.set(wish.of, wish);
    wish.lendsTo = [...wish.lendsTo, pot];
    this.#inheritance.wait(wish.task, pot);
  }

  #end(pot: Pot, wish: Wish): void {
    pot.lenders.delete(wish.of);
    wish.lendsTo = wish.lendsTo.filter((other) => other !== pot);
    this.#inheritance.unwait(wish.task, pot);
  }

  #break(pot: Pot): void {
    for (const wish of [...pot.lenders.values()]) this.#end(pot, wish);
    this.#pots.delete(pot.resource);
  }

  #potsOf(live: LiveAttempt): readonly Pot[] {
    const resources = new Set<Resource>();
    for (const { resource } of live.task.needs) resources.add(resource);
    for (const { needs } of live.extra?.values() ?? []) for (const { resource } of needs) resources.add(resource);
    return [...resources].filter((resource) => resource.rate === undefined).map((resource) => this.#pot(resource));
  }

  #pot(resource: Resource): Pot {
    let pot = this.#pots.get(resource);
    if (pot === undefined) {
      pot = { priority: Number.NEGATIVE_INFINITY, resource, holders: new Set(), lenders: new Map() };
      this.#pots.set(resource, pot);
    }
    return pot;
  }
}

function lacks(wish: Wish, resource: Resource, now: number): boolean {
  return wish.needs.some(
    (need) => need.resource === resource && !atMost(need.amount, availableTo(wish.task, resource, now)),
  );
}
