/**
 * Who has waited for `protectAfterMs` and is protected by the one reservation.
 *
 * 1. It is for the first in order among those that have waited long enough and could ever fit, of all that an admission has
 *    passed over so far: who is not looked at yet may still start.
 * 2. What it sets aside is looked for anew whenever somebody at or before its place has been given something; the agent stays while
 *    the reservation in the state does.
 */
import type { FitNode } from "../coordination/structures/fit-index.ts";
import { compareOrder } from "../coordination/structures/order-key.ts";
import type { EventBody } from "./events.ts";
import type { Fitting } from "./fitting.ts";
import type { Indexes } from "./indexes.ts";
import type { ReadyClass, Wish } from "./ready-queue.ts";
import { canPay, firstDue, type Reservation, reserve, stands } from "./reservation.ts";
import { mayBeGiven } from "./resource.ts";
import type { AgentState, State } from "./state.ts";

export type Emit = (body: EventBody) => void;

export class Protection {
  readonly #state: State;
  readonly #indexes: Indexes;
  readonly #emit: Emit;
  readonly #fitting: Fitting;
  /** Of the last admission, whose batch waits for more, and where they can start: they lack nothing. */
  readonly #held: Map<Wish, AgentState> = new Map();
  /** Whether it is asked how things are now, and not how they were found in the last admission. */
  #isAnew = false;
  /** The first in order among those passed over so far that have waited long enough. */
  #due: Wish | undefined = undefined;
  #reservation: Reservation | undefined = undefined;
  /** The last event of the last admission, its time, and whether it looked at all who wait: with no slot free it need not. */
  #decidedSeq = 0;
  #decidedAt = 0;
  #isComplete = false;

  constructor(state: State, indexes: Indexes, emit: Emit, fitting: Fitting) {
    this.#state = state;
    this.#indexes = indexes;
    this.#emit = emit;
    this.#fitting = fitting;
  }

  /** An admission begins: the parked cannot start for certain. */
  begin(): void {
    this.#due = undefined;
    this.#reservation = undefined;
    if (this.#dueMs() === undefined) return;
    for (let link = this.#indexes.queue.parked.first; link !== undefined; link = link.after)
      this.passedOver(link.item, undefined);
  }

  /** Of what the class has passed over before `until`, the first that is due may be the one to reserve for. */
  passedOver(of: ReadyClass, until: FitNode<Wish> | undefined): void {
    const dueMs = this.#dueMs();
    if (dueMs === undefined || (of.kind === "start" && this.#indexes.queue.startsNothing)) return;
    const except = of.isBatched ? (wish: Wish): boolean => this.#isFilling(wish) : undefined;
    const due = firstDue(this.#state, of, dueMs, this.#indexes.now, except);
    if (due === undefined || (until !== undefined && compareOrder(due, until) >= 0)) return;
    if (this.#due !== undefined && !comesBefore(due, this.#due)) return;
    this.#due = due;
    this.#reservation = undefined;
  }

  /** Whoever waits, at least for a slot, will not start any more in this admission. */
  passedOverAll({ slotsOnly = false }: { readonly slotsOnly?: boolean } = {}): void {
    for (const of of this.#indexes.queue.classes.values())
      if (of.needsSlot || !slotsOnly) this.passedOver(of, undefined);
  }

  /** This wish was given something. The one reserved for, if not ahead of it, may start elsewhere or later now. */
  granted(wish: Wish, advanced: readonly ReadyClass[]): void {
    const due = this.#due;
    if (due === undefined || compareOrder(wish, due) > 0) return;
    this.#reservation = undefined;
    // It may be that one itself, or have sent the last probe of whoever, or of what, could have been given to that one, or have
    // taken the money for it.
    const { pool } = due.of;
    const { now } = this.#indexes;
    const isTaken = pool === undefined || pool.eligibleCount(this.#state, now) > 0;
    if (wish !== due && isTaken && mayBeGiven(this.#state, due.needs, now) && canPay(due)) return;
    this.begin();
    for (const of of advanced) if (!of.parked) this.passedOver(of, of.entry && of.candidate);
  }

  /** The reservation as far as is known by now. */
  current(): Reservation | undefined {
    return this.#due && this.#reserve(this.#due);
  }

  /** The reservation, when it is ahead of this wish. */
  ahead(wish: Wish): Reservation | undefined {
    return this.#due === undefined || compareOrder(this.#due, wish) >= 0 ? undefined : this.current();
  }

  /** From now on it is for the one who is due, and stays where it is until it is for another. */
  keep(): void {
    const due = this.#due;
    if (due === undefined) {
      this.end();
      return;
    }
    const kept = this.#state.reserved;
    if (kept !== undefined && stands(kept, due, (agent) => this.#fitting.accepts(due, agent))) return;
    const { agent, foreseen } = this.#reserve(due);
    this.#emit({
      type: "reservation.made",
      v: 1,
      taskId: due.task.id,
      what: due.kind,
      ...(agent === undefined ? {} : { agent: agent.name }),
      ...(foreseen === Number.POSITIVE_INFINITY ? {} : { startsAt: foreseen }),
    });
  }

  /** Nothing is set aside any more. */
  end(): void {
    const kept = this.#state.reserved;
    if (kept !== undefined) this.#emit({ type: "reservation.dropped", v: 1, taskId: kept.task.id });
  }

  /** The admission is over. `isComplete`: all who wait were looked at. */
  decided(isComplete: boolean): void {
    this.#decidedSeq = this.#state.seq;
    this.#decidedAt = this.#indexes.now;
    this.#isComplete = isComplete;
  }

  /** The reservation by which was decided; anew when something has happened since, or time has passed. */
  decidedBy(): Reservation | undefined {
    if (this.#state.seq !== this.#decidedSeq || this.#indexes.now !== this.#decidedAt) return this.anew();
    if (!this.#isComplete) this.passedOverAll();
    return this.current();
  }

  /** The reservation that is to be made now. */
  anew(): Reservation | undefined {
    this.#isAnew = true;
    this.begin();
    this.passedOverAll();
    this.#isAnew = false;
    return this.current();
  }

  /** Those that are held in this admission. */
  get held(): Iterable<Wish> {
    return this.#held.keys();
  }

  /** Another admission begins. */
  holdNobody(): void {
    this.#held.clear();
  }

  /** On whom its batch waits for more. */
  heldOn(wish: Wish): AgentState | undefined {
    return this.#held.get(wish);
  }

  /** Its batch waits for more on an agent on which it can start: nothing need be set aside for it. */
  hold(wish: Wish, agent: AgentState): void {
    this.#held.set(wish, agent);
  }

  /** It cannot start there any more. */
  release(wish: Wish): void {
    this.#held.delete(wish);
  }

  #isFilling(wish: Wish): boolean {
    return this.#isAnew ? this.#fitting.fills(wish, this.#fitting.place(wish, undefined)) : this.#held.has(wish);
  }

  #reserve(due: Wish): Reservation {
    const accepts = (agent: AgentState): boolean => this.#fitting.accepts(due, agent);
    this.#reservation ??= reserve(this.#state, this.#indexes.ends, due, accepts, this.#indexes.now);
    return this.#reservation;
  }

  /** Before which instant of readiness a wish has waited long enough; none when nobody ever has. */
  #dueMs(): number | undefined {
    const after = this.#state.settings?.protectAfterMs;
    return after === undefined ? undefined : this.#state.openMs(this.#indexes.now) - after;
  }
}

/** In order; of what one task waits for, its seat first. */
function comesBefore(a: Wish, b: Wish): boolean {
  const order = compareOrder(a, b);
  return order === 0 ? a.of.needsSlot && !b.of.needsSlot : order < 0;
}
