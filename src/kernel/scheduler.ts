/**
 * Admission: the one decision over dependencies, priority, concurrency, skills, room, resources, budgets and breakers together.
 *
 * 1. Waiting tasks are served in the one order (effective priority with aging, then arrival); what fits may start although
 *    something ahead of it does not (greedy backfill), at most `limits.backfillDepth` looks deep in a class.
 * 2. Nothing is taken that is not there: only what `Fitting` has a place for is granted.
 * 3. A promise is kept: what is set aside for a task that others make way for goes to it before anything else is admitted.
 * 4. Starting only takes, so within one admission nothing that did not fit can come to fit: each class is gone through once.
 * 5. A class that cannot start anything is parked until something that it waits for changes.
 *
 * Costs: starting a task is logarithmic in the agents that qualify, in the class, and in the active classes; a batch in which
 * no slot comes free costs nothing but its events.
 */
import { atMost, UNLIMITED, ZERO } from "../coordination/structures/amount.ts";
import { availableIn, shortFor } from "../coordination/structures/budget-book.ts";
import type { FitNode } from "../coordination/structures/fit-index.ts";
import { amountBelow, NO_MONEY } from "../coordination/structures/money.ts";
import { compareOrder, type OrderKey } from "../coordination/structures/order-key.ts";
import type { Need } from "./attempt.ts";
import { availableOf, freeSlots } from "./availability.ts";
import { type Filling, Fitting, type Placement } from "./fitting.ts";
import type { Indexes } from "./indexes.ts";
import { defaults, limits } from "./limits.ts";
import { amountsOf } from "./named.ts";
import type { Eviction } from "./preemption.ts";
import { type Emit, Protection } from "./protection.ts";
import { AMOUNTS, LOAD, noLimits, type ReadyClass, type Wish } from "./ready-queue.ts";
import { holdsUp, type Reservation } from "./reservation.ts";
import { mayBeGiven } from "./resource.ts";
import type { Resource, State } from "./state.ts";

const NOBODY: readonly Wish[] = [];

export class Scheduler {
  readonly fitting: Fitting;
  readonly #state: State;
  readonly #indexes: Indexes;
  readonly #emit: Emit;
  readonly #protection: Protection;
  /** Classes to look at again in the next admission, whatever changes. */
  readonly #aside: ReadyClass[] = [];
  readonly #advanced: ReadyClass[] = [];
  /** Classes whose batches wait for more, as was found in the present admission, and whether anything was given or promised since that was looked at. */
  readonly #held: Set<ReadyClass> = new Set();
  #isTaken = false;

  #admissions = 0;

  constructor(state: State, indexes: Indexes, emit: Emit) {
    this.#state = state;
    this.#indexes = indexes;
    this.#emit = emit;
    this.fitting = new Fitting(state, indexes);
    this.#protection = new Protection(state, indexes, emit, this.fitting);
  }

  /** Starts no task any more; what runs goes on, and is given what it waits for. */
  drain(): void {
    this.#indexes.queue.startNothing();
  }

  /** Starts, and makes way for, all that can be now. */
  admit(): void {
    if (!this.#state.open) return;
    const protection = this.#protection;
    const { queue, lending, now } = this.#indexes;
    lending.update(now);
    this.#keepPromises();
    protection.holdNobody();
    protection.begin();
    queue.admission = ++this.#admissions;
    let slotless = false;
    let last: Wish | undefined;
    for (;;) {
      if (!slotless && freeSlots(this.#state) < 1 && !this.#anyPreemptible()) {
        slotless = true;
        // Nobody that needs a slot is looked at any more, but one of them may be the one to reserve for.
        if (queue.first(true) !== undefined) protection.passedOverAll({ slotsOnly: true });
      }
      const of = queue.first(slotless) ?? (slotless ? undefined : this.#heldElsewhere());
      if (of === undefined) break;
      const first = of.candidate?.item;
      const isBehind = first !== undefined && (last === undefined || compareOrder(first, last) > 0);
      if (isBehind) last = first;
      else if (of.wokenIn === queue.admission) {
        // Woken since its turn, as when one that runs has become less important: that is for the next admission.
        this.#setAside(of);
        continue;
      }
      this.#consider(of);
    }
    queue.admission = 0;
    this.#passOverHeld();
    // Who lends from now on changes the order, but not what was decided.
    if (lending.active) protection.passedOverAll();
    const isComplete = !slotless || lending.active;
    // While no slot is free nobody could take what is set aside.
    if (freeSlots(this.#state) >= 1) protection.keep();
    for (const of of this.#aside) queue.wake(of);
    for (const of of this.#advanced) if (of.entry !== undefined) queue.wake(of);
    for (const of of this.#advanced) of.looks = 0;
    this.#aside.length = 0;
    this.#advanced.length = 0;
    this.#held.clear();
    protection.decided(isComplete);
    lending.update(now);
  }

  /** The reservation by which was decided, for who asks why. */
  decidedBy(): Reservation | undefined {
    return this.#protection.decidedBy();
  }

  /** The reservation that is to be made now. */
  reservation(): Reservation | undefined {
    return this.#protection.anew();
  }

  /** Whether anything that runs could be made to give way to anything that waits. */
  #anyPreemptible(): boolean {
    const { running, queue, lending } = this.#indexes;
    return running.lowest < queue.priorities.highest || lending.active;
  }

  #consider(of: ReadyClass): void {
    const node = of.candidate;
    if (node === undefined) throw new RangeError("an active class has a candidate");
    const wish = node.item;
    let futile = false;
    if (wish.task.claim === undefined || wish.kind === "request") {
      const behind = this.#protection.ahead(wish);
      const placement = this.fitting.place(wish, behind);
      if (placement !== undefined) {
        const filling = this.fitting.filling(wish, placement);
        if (filling !== undefined) {
          this.#hold(of, node, filling);
          return;
        }
        this.#grantAll(wish, placement);
        if (of.index.size > 0 && of.entry === undefined && !of.parked) {
          this.#aside.push(of);
          this.#watch(of);
        }
        return;
      }
      // Who let others take the room in which its batch was to start does not stop them at once.
      const eviction = this.#protection.heldOn(wish) !== undefined ? undefined : this.fitting.evictionFor(wish, behind);
      if (eviction !== undefined) {
        this.#evict(wish, eviction);
        this.#protection.granted(wish, this.#advanced);
      } else futile = true;
      of.looks += 1;
    }
    this.#passOver(of, node, futile);
  }

  /** The batch for which the wish was held back in the last admission. */
  filled(wish: Wish): Filling | undefined {
    return this.fitting.filling(wish, { agent: this.#protection.heldOn(wish) });
  }

  /**
   * The batch in which this wish could start waits for more: the class goes on to the next, which may start elsewhere, and is
   * looked at again in the next admission, which comes when the batch has waited long enough.
   */
  #hold(of: ReadyClass, node: FitNode<Wish>, { agent, until }: Filling): void {
    const { queue, timers } = this.#indexes;
    this.#protection.hold(node.item, agent);
    if (of.filled === undefined || of.filled.index < 0 || of.filled.key !== until) {
      timers.cancel(of.filled);
      of.filled = timers.set(until, { kind: "batch", of });
    }
    this.#held.add(of);
    const next = of.index.next(node);
    if (next === undefined) this.#setAside(of);
    else {
      this.#advanced.push(of);
      queue.advance(of, next);
    }
  }

  /** Where others have taken the room in which a batch was to start, its tasks may start elsewhere: the first in order of all. */
  #heldElsewhere(): ReadyClass | undefined {
    const { queue } = this.#indexes;
    if (!this.#isTaken) return undefined;
    this.#isTaken = false;
    this.#passOverHeld();
    for (const of of this.#held) {
      const node = this.#elsewhere(of);
      if (node === undefined) continue;
      this.#advanced.push(of);
      queue.unpark(of);
      queue.advance(of, node);
    }
    return queue.first(false);
  }

  /** The first of the class whose batch waited for more, and that could start now where none does. */
  #elsewhere(of: ReadyClass): FitNode<Wish> | undefined {
    for (let node = of.index.first(); node !== undefined; node = of.index.next(node)) {
      if (this.#protection.heldOn(node.item) === undefined) continue;
      // As it is considered in its turn: or it would be held again, for ever.
      const placement = this.fitting.place(node.item, this.#protection.ahead(node.item));
      if (placement !== undefined && !this.fitting.fills(node.item, placement)) return node;
    }
    return undefined;
  }

  /** Whose batch waited for more, and who has no place to start any more, has been passed over like all others. */
  #passOverHeld(): void {
    for (const wish of this.#protection.held) {
      const agent = wish.node && this.fitting.place(wish, this.#protection.ahead(wish))?.agent;
      if (agent !== undefined) {
        this.#protection.hold(wish, agent);
        continue;
      }
      this.#protection.release(wish);
      if (wish.node !== undefined) this.#protection.passedOver(wish.of, undefined);
    }
  }

  #setAside(of: ReadyClass): void {
    this.#indexes.queue.setAside(of);
    this.#aside.push(of);
  }

  /** The wish, and with it those of its batch that fit: in order, as many as the agent takes together. */
  #grantAll(wish: Wish, placement: Placement): void {
    const { agent } = placement;
    const { of } = wish;
    const others = of.isBatched && agent !== undefined && agent.maxBatch > 1 ? this.#companions(wish) : NOBODY;
    const batch = others.length === 0 ? undefined : this.#state.lastToken + 1;
    this.#grant(wish, placement, batch);
    this.#protection.granted(wish, this.#advanced);
    if (agent === undefined || batch === undefined) return;
    let size = 1;
    for (const other of others) {
      if (size >= agent.maxBatch) return;
      if (!this.fitting.joins(other, agent, batch, this.#protection.ahead(other))) continue;
      this.#grant(other, placement, batch);
      this.#protection.granted(other, this.#advanced);
      size += 1;
    }
  }

  /** Those that may be given to an agent together with it, in order: it looks at the first `limits.backfillDepth`. */
  #companions({ kind, of, task }: Wish): readonly Wish[] {
    if (kind !== "start") return NOBODY;
    const found: Wish[] = [];
    let looks = 0;
    for (const { item } of of.index) {
      looks += 1;
      if (looks > limits.backfillDepth) break;
      if (item.task !== task && item.task.claim === undefined) found.push(item);
    }
    return found;
  }

  /** The class goes on behind this wish, to the next that could start or preempt. `futile`: it could do neither. */
  #passOver(of: ReadyClass, node: FitNode<Wish>, futile: boolean): void {
    const { queue } = this.#indexes;
    this.#advanced.push(of);
    const next = this.#nextCandidate(of, node, futile);
    this.#protection.passedOver(of, next);
    if (next !== undefined) {
      queue.advance(of, next);
      return;
    }
    const reservation = this.#protection.current();
    const again =
      (of.needsSlot && freeSlots(this.#state) < 1) ||
      this.#held.has(of) ||
      (reservation !== undefined && holdsUp(reservation, of, this.#state));
    if (again) this.#setAside(of);
    else queue.park(of);
    this.#watch(of);
  }

  #nextCandidate(of: ReadyClass, from: FitNode<Wish>, futile: boolean): FitNode<Wish> | undefined {
    const state = this.#state;
    const { now, running, queue } = this.#indexes;
    // All of the class ask for the same resources: where one of those is given to nobody, nobody here is given it.
    if (!mayBeGiven(state, from.item.needs, now)) return undefined;
    const aging = state.settings?.agingMs !== undefined;
    let node: FitNode<Wish> = from;
    // Behind one that is the easiest of its class and could do nothing, nobody can; but a larger one may avoid fewer agents, and
    // one with a promise was not looked at.
    const alike = of.excluded.length === 0;
    const couldNot = (one: FitNode<Wish>): boolean => (one === from ? futile : one.item.task.claim === undefined);
    for (;;) {
      // With aging, more important ones may come later in the order.
      const highest = aging ? queue.priorities.highest : this.#indexes.effective(node.item.task);
      if (running.lowest >= highest || (alike && couldNot(node) && of.isLeast(node))) break;
      const next = of.index.next(node);
      if (next === undefined || of.looks >= limits.backfillDepth) return undefined;
      node = next;
      const { item } = node;
      if (item.task.claim !== undefined) continue;
      if (running.lowest < this.#indexes.effective(item.task) || this.fitting.place(item, undefined) !== undefined)
        return node;
      of.looks += 1;
    }
    const looks = limits.backfillDepth - of.looks;
    if (looks <= 0) return undefined;
    if (of.budget !== undefined && shortFor(of.budget, NO_MONEY) !== undefined) return undefined;
    const room = of.kind === "start" ? (of.pool?.mostRoom(state, now) ?? ZERO) : UNLIMITED;
    const { best } = of.index;
    if (best?.[LOAD] !== undefined && !atMost(best[LOAD], room)) return undefined;
    const most = noLimits(of);
    most[LOAD] = room;
    of.resources.forEach((resource, i) => {
      most[AMOUNTS + i] = availableOf(resource, now);
    });
    if (of.budget !== undefined) most[of.costAt] = amountBelow(availableIn(of.budget));
    return of.index.firstFit(most, {
      after: node,
      maxLooks: looks,
      accept: (wish) => {
        of.looks += 1;
        // A reservation is heeded in its turn: those ahead of it may not have started yet.
        return wish.task.claim === undefined && this.fitting.place(wish, undefined) !== undefined;
      },
    });
  }

  /**
   * Those before this key who wait for the same and could be given it now: what a batch frees goes to them first, when it is
   * admitted. Looks at most `limits.backfillDepth` deep into each class that names one of the resources.
   */
  servedBefore(key: OrderKey, needs: readonly Need[], reservation: Reservation | undefined): readonly Wish[] {
    const served = new Set<Wish>();
    for (const { resource } of needs) {
      for (const of of this.#indexes.queue.naming.get(resource) ?? []) {
        let looks = 0;
        for (const { item } of of.index) {
          looks += 1;
          if (looks > limits.backfillDepth || compareOrder(item, key) >= 0) break;
          if (item.kind !== "request" && item.task.claim !== undefined) continue;
          const isBehind = reservation !== undefined && compareOrder(reservation.wish, item) < 0;
          const placement = this.fitting.place(item, isBehind ? reservation : undefined);
          if (placement !== undefined && !this.fitting.fills(item, placement)) served.add(item);
        }
      }
    }
    return [...served];
  }

  #grant(wish: Wish, placement: Placement, batch?: number): void {
    this.#isTaken = true;
    const { task, request, kind } = wish;
    const token = this.#state.lastToken + 1;
    if (kind === "request") {
      if (request === undefined) throw new RangeError("a wish for more comes with its request");
      const { live, needs, leaseMs } = request;
      this.#emit({
        type: "resource.granted",
        v: 1,
        allocationId: request.id,
        taskId: task.id,
        token: live.token,
        allocationToken: token,
        amounts: amountsOf(needs),
        ...(leaseMs === undefined ? {} : { expiresAt: this.#indexes.now + leaseMs }),
        requestId: request.id,
      });
    } else if (kind === "regain") {
      if (task.live === undefined) throw new RangeError("only a live attempt regains its seat");
      this.#emit({ type: "attempt.regained", v: 1, taskId: task.id, token: task.live.token });
    } else {
      if (placement.agent === undefined) throw new RangeError("a task starts on an agent");
      const { agent } = placement;
      const phase = agent.kind !== "manager" ? "run" : task.phase === "aggregate" ? "aggregate" : "plan";
      this.#emit({
        type: "task.started",
        v: 1,
        taskId: task.id,
        agent: agent.name,
        token,
        attempt: task.attempts.length + 1,
        phase,
        ...(batch === undefined ? {} : { batch }),
      });
    }
  }

  #evict(wish: Wish, eviction: Eviction): void {
    this.#isTaken = true;
    const { task } = wish;
    this.#emit({
      type: "task.promised",
      v: 1,
      taskId: task.id,
      agent: eviction.agent.name,
      victims: eviction.victims.map((live) => live.token),
    });
    for (const live of eviction.victims) {
      const graceUntil = this.#indexes.now + (live.task.spec.graceMs ?? defaults.graceMs);
      this.#emit({
        type: "attempt.stopping",
        v: 1,
        taskId: live.task.id,
        token: live.token,
        reason: "preempted",
        graceUntil,
        for: task.id,
      });
    }
  }

  /** Starts those for whom enough has been set aside by now, in order; a promise that cannot be kept goes back to all. */
  #keepPromises(): void {
    const { claims } = this.#state;
    if (claims.size === 0) return;
    const wishes: Wish[] = [];
    for (const task of claims) {
      const wish = task.wish ?? task.live?.wish;
      if (wish === undefined) this.#emit({ type: "promise.dropped", v: 1, taskId: task.id });
      else wishes.push(wish);
    }
    wishes.sort(compareOrder);
    for (const wish of wishes) {
      const placement = this.fitting.asIfKept(wish.task, () => this.fitting.place(wish, undefined));
      if (placement !== undefined) this.#grant(wish, placement);
      else if (wish.task.claim?.victims.size === 0) {
        this.#emit({ type: "promise.dropped", v: 1, taskId: wish.task.id });
        // It looks for another way, also where what it was promised is of no use to anybody of its kind any more.
        this.#indexes.queue.wake(wish.of);
      }
    }
  }

  /** Sets the timer for what a parked class waits for and time alone brings: tokens, or the end of patience. */
  #watch(of: ReadyClass): void {
    const { timers, now } = this.#indexes;
    if (this.#indexes.watchUnroutable(of) || !of.resources.some(isRate)) return;
    timers.cancel(of.timer);
    of.timer = undefined;
    let earliest = Number.POSITIVE_INFINITY;
    let looks = 0;
    for (const { item } of of.index) {
      looks += 1;
      if (looks > limits.backfillDepth) break;
      let at = now;
      for (const { resource, amount } of item.needs) at = Math.max(at, resource.rate?.readyAt(amount, now) ?? now);
      if (at > now && at < earliest) earliest = at;
    }
    if (earliest < Number.POSITIVE_INFINITY) of.timer = timers.set(earliest, { kind: "tokens", of });
  }
}

function isRate(resource: Resource): boolean {
  return resource.rate !== undefined;
}
