/**
 * One admission: those who wait, in order, each with the question whether it can start; whether it may take what it lacks
 * from others; or whether it has waited long enough to have what it needs set aside.
 */

import { batchOf, fillsUntil } from "./batches.ts";
import { loadOf, spendRates, utilization } from "./books.ts";
import { mayBeGiven, resourcesIn, sendProbes } from "./breakers.ts";
import { beside, choose, enough, type Free, type Gone, type Reservation, usable } from "./free.ts";
import { type Agent, type Amounts, isTerminal, type Model, type Seat, type Task } from "./model.ts";
import { isBeyondReach, isLeft } from "./money.ts";
import { canBeMadeToGiveUp, compareKeys, effectivePriorities, type Key, keyOf, lenders } from "./order.ts";
import { eligible, hosts, type Wish, wishesOf } from "./wishes.ts";

const PREEMPT_SCAN = 256;

/** Whether it can be given what it wishes, and by whom. */
export function place(model: Model, wish: Wish, has: Free): { readonly agent: Agent | undefined } | undefined {
  if (has.slots < wish.slots || !enough(wish.needs, has) || isBarred(model, wish)) return undefined;
  if (wish.kind === "request") return { agent: undefined };
  const agent = choose(model, hosts(model, wish), wish.load, has);
  return agent === undefined ? undefined : { agent };
}

/** Whether what its next attempt is thought to cost is left. */
export function canPay(model: Model, { kind, task }: Wish): boolean {
  return kind !== "start" || isLeft(model, task.budget, task.cost);
}

/** Whether it lacks what is not to be had from others: money, the word of a breaker, or that anything is started at all. */
function isBarred(model: Model, wish: Wish): boolean {
  return (model.drains && wish.kind === "start") || !canPay(model, wish) || !mayBeGiven(model, wish.needs);
}

function wishKey(model: Model, wish: Wish, priorities: ReadonlyMap<Task, number>): Key {
  return keyOf(model, wish.task, priorities.get(wish.task) ?? wish.task.priority);
}

function inOrder(model: Model): readonly Wish[] {
  const priorities = effectivePriorities(model);
  const wishes = model.tasks.flatMap((task) => wishesOf(model, task));
  return wishes.sort((a, b) => compareKeys(wishKey(model, a, priorities), wishKey(model, b, priorities)));
}

/**
 * Runs one admission; gives the reservation that stands after it. Each is judged once, in its turn. Who starts, or is stopped,
 * may change what others inherit, and with it the order of those that are still to come; who lends is found before.
 */
export function admit(model: Model): Reservation | undefined {
  model.lenders = lenders(model);
  keepPromises(model, inOrder(model));
  const admission = new Admission(model);
  for (;;) {
    const wish = admission.next();
    if (wish === undefined) break;
    admission.judge(wish);
  }
  admission.judgeHeld();
  model.held = new Map([...admission.held].map(([{ task }, agent]) => [task, agent]));
  model.lenders = undefined;
  // While no slot is free nobody could take what is set aside: where that is, is decided when one is.
  if (usable(model, undefined).slots >= 1) model.reserved = admission.reservation;
  return admission.reservation;
}

class Admission {
  readonly #model: Model;
  readonly #judged: Wish[] = [];
  /** Whose batch waits for more where they could start: they have something to wait for, and lack nothing. */
  readonly held: Map<Wish, Agent> = new Map();
  #order: readonly Wish[];
  reservation: Reservation | undefined;

  constructor(model: Model) {
    this.#model = model;
    this.#order = inOrder(model);
  }

  next(): Wish | undefined {
    return this.#order.find((one) => !this.#judged.some((other) => isSame(one, other)));
  }

  judge(wish: Wish): void {
    const model = this.#model;
    this.#judged.push(wish);
    if (wish.task.promise !== undefined && wish.kind !== "request") return;
    const found = this.#place(wish);
    if (found?.agent !== undefined && fillsUntil(model, wish.task, found.agent) !== undefined)
      this.held.set(wish, found.agent);
    else if (found !== undefined) this.#give(wish, found.agent);
    else if (preempt(model, wish, this.#ahead(wish))) this.#changed(wish);
    else if (isDue(model, wish) && this.#ahead(wish) === undefined) this.reservation = reserve(model, wish);
  }

  /**
   * Others have taken the room in which a batch was to start: who has no place any more has been passed over like all others, and
   * who has another may start there.
   */
  judgeHeld(): void {
    for (;;) {
      for (const wish of this.#order) {
        const held = this.#heldAs(wish);
        if (held === undefined) continue;
        const agent = this.#place(wish)?.agent;
        if (agent !== undefined) this.held.set(held, agent);
        else {
          this.held.delete(held);
          if (isDue(this.#model, wish) && this.#ahead(wish) === undefined)
            this.reservation = reserve(this.#model, wish);
        }
      }
      const wish = this.#order.find((one) => {
        const found = this.#heldAs(one) && this.#place(one);
        return found !== undefined && fillsUntil(this.#model, one.task, found.agent) === undefined;
      });
      if (wish === undefined) return;
      this.#give(wish, this.#place(wish)?.agent);
    }
  }

  #heldAs(wish: Wish): Wish | undefined {
    return [...this.held.keys()].find((one) => isSame(one, wish));
  }

  /** Who comes before the one reserved for is never held up by it. */
  #ahead(wish: Wish): Reservation | undefined {
    return isAhead(this.#order, this.reservation?.wish, wish) ? this.reservation : undefined;
  }

  #place(wish: Wish): { readonly agent: Agent | undefined } | undefined {
    return place(this.#model, wish, beside(this.#model, wish, this.#ahead(wish)));
  }

  /** To it, and to those that its agent is given with it: in order, as many as it takes. */
  #give(wish: Wish, agent: Agent | undefined): void {
    const model = this.#model;
    const batch = wish.kind === "start" ? batchOf(model, wish.task) : [];
    const others = this.#order.filter(
      ({ task, kind }) => kind === "start" && task !== wish.task && batch.includes(task),
    );
    const from = model.starts.length;
    give(model, wish, agent);
    this.#changed(wish);
    const { attempt } = wish.task;
    if (agent === undefined || attempt === undefined) return;
    let size = 1;
    for (const other of others) {
      if (size >= agent.maxBatch) break;
      if (!this.#fits(other, agent, attempt.seat)) continue;
      start(model, other.task, agent, attempt.seat);
      size += 1;
      if (!this.#judged.some((one) => isSame(one, other))) this.#judged.push(other);
      this.#changed(other);
    }
    if (size > 1) model.starts.push(...model.starts.splice(from).map((one) => `${one} in ${attempt.token}`));
  }

  /** Whether there is all that it needs besides the seat of a batch, and more room if its load is larger. */
  #fits(wish: Wish, agent: Agent, seat: Seat): boolean {
    const model = this.#model;
    const has = beside(model, wish, this.#ahead(wish));
    const more = wish.load - seat.load;
    if (!enough(wish.needs, has) || isBarred(model, wish) || !hosts(model, wish).includes(agent)) return false;
    return more <= 0 || has.load(agent) >= more;
  }

  /** This one was given something: who is behind it, or who else is due, may have something else set aside now. */
  #changed(wish: Wish): void {
    const isBehind = this.#ahead(wish) !== undefined;
    const held = this.#heldAs(wish);
    if (held !== undefined) this.held.delete(held);
    this.#order = inOrder(this.#model);
    if (this.reservation !== undefined && !isBehind) this.#protect();
  }

  #protect(): void {
    const passed = this.#order.filter(
      (one) => this.#judged.some((other) => isSame(one, other)) && this.#heldAs(one) === undefined,
    );
    const due = passed.find((one) => isDue(this.#model, one));
    this.reservation = due && reserve(this.#model, due);
  }
}

function isAhead(order: readonly Wish[], one: Wish | undefined, other: Wish): boolean {
  if (one === undefined) return false;
  const place = (of: Wish): number => order.findIndex((wish) => isSame(wish, of));
  return place(one) < place(other);
}

function isSame(a: Wish, b: Wish): boolean {
  return a.task === b.task && a.kind === b.kind;
}

/** What is set aside goes to those that it is for, before all else; what cannot be kept goes back to all. */
function keepPromises(model: Model, wishes: readonly Wish[]): void {
  const kept = wishes.filter(({ task, kind }) => task.promise !== undefined && kind !== "request");
  for (const task of model.tasks) if (!kept.some((wish) => wish.task === task)) task.promise = undefined;
  for (const wish of kept) {
    const found = place(model, wish, usable(model, wish));
    if (found !== undefined) give(model, wish, found.agent);
    else if (wish.task.promise?.victims.length === 0) wish.task.promise = undefined;
  }
}

function give(model: Model, wish: Wish, agent: Agent | undefined): void {
  const { task, kind } = wish;
  const { attempt } = task;
  if (kind !== "request") task.promise = undefined;
  if (kind === "start" && agent !== undefined) start(model, task, agent, { load: 0 });
  if (attempt === undefined) return;
  if (kind === "regain") {
    attempt.seated = true;
    attempt.seat = { load: task.load };
    task.status = "running";
    model.starts.push(`${task.id} regains ${attempt.token}`);
  } else if (kind === "request" && attempt.request !== undefined) {
    const { amounts, leaseMs } = attempt.request;
    attempt.request = undefined;
    grant(model, task, amounts, leaseMs);
  }
}

/** More of a resource for an attempt. */
export function grant(model: Model, task: Task, amounts: Amounts, leaseMs: number | undefined): void {
  spendRates(model, amounts);
  sendProbes(model, resourcesIn(model, amounts));
  model.tokens += 1;
  const token = model.tokens;
  const expiresAt = leaseMs === undefined ? undefined : model.now + leaseMs;
  task.attempt?.allocations.push({ token, amounts, expiresAt });
  model.starts.push(`${task.id} is granted ${token}`);
}

function start(model: Model, task: Task, agent: Agent, seat: Seat): void {
  seat.load = Math.max(seat.load, task.load);
  spendRates(model, task.needs);
  model.tokens += 1;
  const token = model.tokens;
  sendProbes(model, [agent, ...resourcesIn(model, task.needs)]);
  const phase = !agent.manager ? "run" : task.manager === undefined ? "plan" : "aggregate";
  task.attempt = {
    token,
    agent,
    phase,
    startedAt: model.now,
    reserved: task.budget === undefined ? 0 : task.cost,
    seated: true,
    seat,
    stopping: undefined,
    awaiting: [],
    wishedAt: 0,
    request: undefined,
    allocations: [],
  };
  model.running.push(task);
  task.status = "running";
  task.notBefore = 0;
  model.starts.push(`${task.id} on ${agent.name} ${token} ${phase}`);
}

/** Whom it may stop: running, preemptible, unshielded, of strictly lower priority and later key; in the order of the walk. */
function stoppable(model: Model, wish: Wish): readonly Task[] {
  const own = effectivePriorities(model).get(wish.task) ?? wish.task.priority;
  const mine = keyOf(model, wish.task, own);
  const others = effectivePriorities(model, wish.task);
  const priority = (task: Task): number => others.get(task) ?? task.priority;
  const token = (task: Task): number => task.attempt?.token ?? 0;
  return model.running
    .filter((task) => task !== wish.task && canBeMadeToGiveUp(model, task) && priority(task) < own)
    .sort((a, b) => priority(a) - priority(b) || token(b) - token(a))
    .slice(0, PREEMPT_SCAN)
    .filter((task) => compareKeys(mine, keyOf(model, task, priority(task))) < 0);
}

/** Makes others make way, if some can: then what they free is promised to it. */
function preempt(model: Model, wish: Wish, reservation: Reservation | undefined): boolean {
  // What an attempt asks for besides is granted or waits; nobody is stopped for that.
  if (wish.kind === "request" || isBarred(model, wish)) return false;
  const could = (gone: Gone): Agent | undefined => agentWithout(model, wish, reservation, gone);
  let chosen: Task[] = [];
  for (const task of stoppable(model, wish)) {
    chosen.push(task);
    if (could(chosen) !== undefined) break;
  }
  // The walk went from the least important and latest; those to spare are looked for from the other end.
  for (const task of [...chosen].reverse()) {
    const others = chosen.filter((other) => other !== task);
    if (could(others) !== undefined) chosen = others;
  }
  const agent = could(chosen);
  if (agent === undefined || chosen.length === 0) return false;
  wish.task.promise = { agent, victims: chosen };
  for (const { attempt, graceMs } of chosen)
    if (attempt !== undefined) attempt.stopping = { reason: "preempted", graceUntil: model.now + graceMs };
  return true;
}

/** Where it could start if these were gone: where there is room already, or else where they first make enough. */
function agentWithout(model: Model, wish: Wish, reservation: Reservation | undefined, gone: Gone): Agent | undefined {
  const has = beside(model, wish, reservation, gone);
  if (has.slots < wish.slots || !enough(wish.needs, has)) return undefined;
  const able = hosts(model, wish);
  const roomy = choose(model, able, wish.load, beside(model, wish, reservation));
  if (roomy !== undefined) return roomy;
  for (const [i, task] of gone.entries()) {
    const agent = task.attempt?.agent;
    if (agent === undefined || !able.includes(agent)) continue;
    if (beside(model, wish, reservation, gone.slice(0, i + 1)).load(agent) >= wish.load) return agent;
  }
  return undefined;
}

/** Whether it has waited long enough for a reservation, and could ever fit. */
function isDue(model: Model, wish: Wish): boolean {
  const { protectAfterMs } = model.settings;
  if (wish.task.promise !== undefined && wish.kind !== "request") return false;
  if (model.openMs - wish.since < protectAfterMs) return false;
  // Money is kept for nobody, and nothing is kept from others while a breaker is open.
  if (isBarred(model, wish)) return false;
  if (![...wish.needs].every(([id, amount]) => (model.resource(id)?.capacity ?? 0) >= amount)) return false;
  return wish.kind === "request" || eligible(model, wish).some((agent) => agent.capacity >= wish.load);
}

/** What it has set aside already, if it can still have it there; else where it is predicted to start first. */
function reserve(model: Model, wish: Wish): Reservation | undefined {
  const { task, kind } = wish;
  const { reserved } = model;
  const hosting = hosts(model, wish).filter((agent) => agent.capacity >= wish.load);
  if (reserved?.task === task && reserved.kind === kind) {
    const { agent, foreseen } = reserved;
    if (agent === undefined || hosting.includes(agent))
      return { wish, task, kind, agent, foreseen, at: predict(model, wish, agent).at };
  }
  if (kind === "request") {
    const { at } = predict(model, wish, undefined);
    return { wish, task, kind, agent: undefined, foreseen: at, at };
  }
  const foreseen = hosting.map((agent) => ({
    agent,
    used: utilization(loadOf(model, agent), agent.capacity),
    ...predict(model, wish, agent),
  }));
  // The first predicted free; of those with room already, or never foreseen to have it, the least utilized.
  foreseen.sort((a, b) => compare(a.roomAt, b.roomAt) || a.freedBy - b.freedBy || a.used - b.used);
  const [first] = foreseen;
  return first && { wish, task, kind, agent: first.agent, foreseen: first.at, at: first.at };
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/**
 * What a wish may have between two admissions, behind whoever waits and comes before it: nothing that has been reserved, and
 * nothing that one of them could be given as things are.
 */
export function atOnce(model: Model, wish: Wish): Free {
  const priorities = effectivePriorities(model);
  const isBefore = (one: Wish, other: Wish): boolean =>
    compareKeys(wishKey(model, one, priorities), wishKey(model, other, priorities)) < 0;
  const order = inOrder(model);
  const fills = (one: Wish, has: Free): boolean =>
    fillsUntil(model, one.task, place(model, one, has)?.agent) !== undefined && one.kind === "start";
  const first = order.find((one) => isDue(model, one) && !fills(one, usable(model, one)));
  const reservation = first && reserve(model, first);
  const left = (one: Wish): Free =>
    beside(model, one, reservation !== undefined && isBefore(reservation.wish, one) ? reservation : undefined);
  const served = order.filter(
    (one) =>
      isBefore(one, wish) &&
      (one.kind === "request" || one.task.promise === undefined) &&
      place(model, one, left(one)) !== undefined &&
      // It does not start yet, and may be given then what comes free.
      !fills(one, left(one)),
  );
  const has = left(wish);
  return {
    ...has,
    amount: (id) => served.reduce((amount, { needs }) => amount - (needs.get(id) ?? 0), has.amount(id)),
  };
}

interface Prediction {
  /** When there is room for it there, and whose end makes it (its token; 0: there is already). */
  readonly roomAt: number;
  readonly freedBy: number;
  /** When there is all that it needs. Infinity: not foreseen. */
  readonly at: number;
}

/** By the estimates of those that run. Who has none, or is past it, is predicted never to end. */
function predict(model: Model, wish: Wish, agent: Agent | undefined): Prediction {
  const ends = model.running
    .flatMap((task) => {
      if (task.attempt?.seated !== true || task.estimatedMs === undefined) return [];
      const at = task.attempt.startedAt + task.estimatedMs;
      return at >= model.now ? [{ task, at, token: task.attempt.token }] : [];
    })
    .sort((a, b) => a.at - b.at || a.token - b.token);
  const moments = [{ at: model.now, token: 0, gone: [] as Task[] }];
  const gone: Task[] = [];
  for (const { task, at, token } of ends) {
    gone.push(task);
    moments.push({ at, token, gone: [...gone] });
  }
  const room = moments.find((one) => agent === undefined || usable(model, wish, one.gone).load(agent) >= wish.load);
  const isEnough = moments.find((one) => {
    const has = usable(model, wish, one.gone);
    return (
      has.slots >= wish.slots &&
      (agent === undefined || has.load(agent) >= wish.load) &&
      enough(nonRates(model, wish), has)
    );
  });
  const never = Number.POSITIVE_INFINITY;
  return {
    roomAt: room?.at ?? never,
    freedBy: room?.token ?? 0,
    at: Math.max(isEnough?.at ?? never, tokensAt(model, wish)),
  };
}

function nonRates(model: Model, wish: Wish): Amounts {
  return new Map([...wish.needs].filter(([id]) => model.resource(id)?.rate !== true));
}

/** When a rate will have as many tokens as it needs. */
function tokensAt(model: Model, wish: Wish): number {
  let at = model.now;
  for (const [id, amount] of wish.needs) {
    const resource = model.resource(id);
    if (resource?.rate !== true) continue;
    const missing = BigInt(amount) * BigInt(resource.per) - resource.level;
    const capacity = BigInt(resource.capacity);
    const wait = missing <= 0n ? 0 : Number((missing + capacity - 1n) / capacity);
    at = Math.max(at, resource.levelAt + wait);
  }
  return at;
}

/** Tasks that wait for more than there can ever be. */
export function impossible(model: Model): readonly Task[] {
  return model.tasks.filter(
    (task) =>
      !isTerminal(task) &&
      wishesOf(model, task).some(
        ({ kind, needs }) =>
          kind === "start" && [...needs].some(([id, amount]) => amount > (model.resource(id)?.capacity ?? 0)),
      ),
  );
}

/** Tasks that wait for more money than will be left, however little the others spend. */
export function unpayable(model: Model): readonly Task[] {
  return model.tasks.filter(
    (task) => wishesOf(model, task).some(({ kind }) => kind === "start") && isBeyondReach(task),
  );
}
